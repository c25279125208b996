//! Whether reports belong together: one program, one mode, one root, one number of shards, one run, and that run is now.

use std::cmp::Ordering;

use super::MergeError;
use cvm_verify_core::evidence::excerpt;
use cvm_verify_core::policy::ReportMaxAge;
use cvm_verify_core::report::{
    DeviceRootKind, Mode, OlderAttempt, Report, RunId, Shard, ShardOf, TargetReport, TrustRootKind, rfc3339,
    unix_seconds,
};
use cvm_verify_core::verify::COLLATERAL_LIMIT;
use cvm_verify_core::verify::age::Age;

/// How far a report may be ahead of this machine's clock, seconds: clocks of two machines differ.
pub(super) const CLOCKS_DIFFER: u64 = 5 * 60;

/// The run whose reports are joined.
#[derive(Debug, Clone, Copy)]
pub struct ThisRun<'a> {
    /// Its name, where it has one. Every report must bear it.
    pub id: Option<&'a RunId>,
    /// Which attempt at it this is, from 1, where the CI counts them.
    pub attempt: Option<u32>,
    /// How long ago a report's run may have ended. Without it [`ReportMaxAge::OF_A_NAMED_RUN`] where the run has a name, else
    /// [`ReportMaxAge::default`].
    pub max_age: Option<ReportMaxAge>,
    /// The time, Unix seconds.
    pub now: u64,
}

/// Why the reports do not belong together, if they do not.
pub(super) fn check(reports: &[(String, Report)], this: &ThisRun<'_>) -> Result<(), MergeError> {
    let (first_file, first) = reports.first().ok_or(MergeError::Nothing)?;
    for (file, report) in reports {
        let differing = FEATURES.into_iter().find_map(|(what, of)| {
            let (found, first) = (of(report), of(first));
            (found != first).then_some((what, found, first))
        });
        if let Some((what, found, first)) = differing {
            return Err(MergeError::Differs {
                file: file.clone(),
                what,
                found: excerpt(&found),
                first_file: first_file.clone(),
                first: excerpt(&first),
            });
        }
        of_this_run(file, report, this)?;
        // Of a shard of a named run a newer attempt may be there; see `recent`.
        if !is_attempt(report)
            && let Some(error) = too_old(file, report, this)
        {
            return Err(error);
        }
    }
    one_device_root(reports)
}

/// The GPUs of all targets were judged by one root. A target without evidence was judged by none.
fn one_device_root(reports: &[(String, Report)]) -> Result<(), MergeError> {
    let file_of = |kind: DeviceRootKind| {
        let is_of =
            |target: &TargetReport| target.evidence.signed_sha256.is_some() && target.device_root == kind;
        let found = reports
            .iter()
            .find(|(_, report)| report.targets.iter().any(is_of));
        found.map(|(file, _)| file.clone())
    };
    match (file_of(DeviceRootKind::Nvidia), file_of(DeviceRootKind::Custom)) {
        (Some(first_file), Some(file)) => Err(MergeError::Differs {
            file,
            what: "trust root of GPUs",
            found: "a custom one".to_owned(),
            first_file,
            first: "NVIDIA's".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Whether all shards are parts of one list of targets, under the same policies. A target is in the shard that its place in the list
/// says, so that shards of two lists can leave one out. Reports that do not say it are of versions that did not, or of runs that ended
/// before they had a list.
pub(super) fn one_plan(reports: &[(String, Report)]) -> Result<(), MergeError> {
    let mut shards = reports
        .iter()
        .filter_map(|(file, report)| Some((file, report.shard_of.as_ref()?)));
    let Some((first_file, first)) = shards.next() else {
        return Ok(());
    };
    for (file, shard_of) in shards {
        let what = match shard_of {
            same if same == first => continue,
            other if other.targets_sha256 != first.targets_sha256 => "list of targets",
            _ => "policy for its targets",
        };
        return Err(MergeError::OtherPlan {
            file: file.clone(),
            what,
            first_file: first_file.clone(),
        });
    }
    Ok(())
}

/// Whether the shards, all of which are there, hold the targets of the list that they share. A run that ended before it had a list
/// names none. An instance of a target goes by the target's name, and its own behind that.
pub(super) fn whole_list(reports: &[(String, Report)]) -> Result<(), MergeError> {
    let lists: Option<Vec<&ShardOf>> = reports
        .iter()
        .map(|(_, report)| report.shard_of.as_ref())
        .collect();
    let Some([list, ..]) = lists.as_deref() else {
        return Ok(());
    };
    let targets = reports.iter().flat_map(|(_, report)| &report.targets);
    let names = targets.filter_map(|target| target.name.split(" instance ").next());
    match list.are_its_targets(&names.collect()) {
        true => Ok(()),
        false => Err(MergeError::OtherTargets),
    }
}

/// Whether it is one of the attempts at a shard of a named run: another one may take its place, and without it the shard is
/// missing.
fn is_attempt(report: &Report) -> bool {
    report.shard.is_some() && report.run_id.is_some()
}

/// Why the run of a report ended too long ago, if it did.
fn too_old(file: &str, report: &Report, this: &ThisRun<'_>) -> Option<MergeError> {
    let named = this.id.is_some() || report.run_id.is_some();
    let usual = if named {
        ReportMaxAge::OF_A_NAMED_RUN
    } else {
        ReportMaxAge::default()
    };
    let max_age = this.max_age.unwrap_or(usual);
    // One that ended after this machine's clock is refused for that: `of_this_run`.
    let (_, ended) = span(report).unwrap_or_default();
    (this.now.saturating_sub(ended) > max_age.seconds()).then(|| MergeError::TooOld {
        file: file.to_owned(),
        ended,
        max_age,
        named,
    })
}

/// Reports, each with what messages call its file.
type NamedReports = Vec<(String, Report)>;

/// The reports of a run that ended lately, and a line for each that is left out: its shard is missing then.
///
/// # Errors
/// [`MergeError::TooOld`]: none of them did.
pub(super) fn recent(
    reports: NamedReports,
    this: &ThisRun<'_>,
) -> Result<(NamedReports, Vec<String>), MergeError> {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for (file, report) in reports {
        match too_old(&file, &report, this) {
            None => kept.push((file, report)),
            Some(error) => left_out.push(error),
        }
    }
    if kept.is_empty()
        && let Some(error) = left_out.first()
    {
        return Err(error.clone());
    }
    let notes = left_out.iter().map(|error| format!("{error}; it is left out"));
    Ok((kept, notes.collect()))
}

/// The reports of which a newer attempt at the run is known, by this process or another report.
pub(super) fn older_attempts(reports: &[(String, Report)], this: &ThisRun<'_>) -> Vec<OlderAttempt> {
    let attempts = reports.iter().filter_map(|(_, report)| report.attempt);
    let Some(newest) = attempts.chain(this.attempt).max() else {
        return Vec::new();
    };
    let older = reports.iter().filter_map(|(_, report)| {
        let attempt = report.attempt.filter(|attempt| *attempt < newest)?;
        let (_, ended) = span(report)?;
        Some(OlderAttempt {
            shard: report.shard,
            attempt,
            newest,
            ended_at: rfc3339(ended),
        })
    });
    older.collect()
}

/// One thing of a report, in words.
type Feature = fn(&Report) -> String;

/// What all reports of one run have in common, in words.
const FEATURES: [(&str, Feature); 5] = [
    ("program", |report| {
        format!("version {} ({})", report.tool.version, report.tool.git)
    }),
    ("mode", |report| format!("{:?}", report.mode).to_lowercase()),
    ("number of shards", |report| {
        report.shard.map_or_else(
            || "1, without --shard".to_owned(),
            |shard: Shard| shard.count().to_string(),
        )
    }),
    ("run", |report| {
        let id = report.run_id.as_ref();
        id.map_or_else(|| "not named".to_owned(), ToString::to_string)
    }),
    ("trust root", trust_roots),
];

/// The roots of a report's targets: one, unless somebody put the report together.
fn trust_roots(report: &Report) -> String {
    let has = |root| report.targets.iter().any(|target| target.trust_root == root);
    match (has(TrustRootKind::Intel), has(TrustRootKind::Custom)) {
        (true, false) => "Intel's".to_owned(),
        (false, true) => "a custom one".to_owned(),
        _ => "not one".to_owned(),
    }
}

fn of_this_run(file: &str, report: &Report, this: &ThisRun<'_>) -> Result<(), MergeError> {
    if trust_roots(report) == "not one" {
        return Err(MergeError::Contradiction {
            file: file.to_owned(),
            what: "its targets have more than one trust root".to_owned(),
        });
    }
    if let Some(id) = this.id
        && report.run_id.as_ref() != Some(id)
    {
        return Err(MergeError::OtherRun {
            file: file.to_owned(),
            found: report
                .run_id
                .as_ref()
                .map_or_else(|| "no run that it names".to_owned(), |id| format!("the run {id}")),
            expected: id.clone(),
        });
    }
    // `read` refuses a report whose times cannot be read.
    let (started, ended) = span(report).unwrap_or_default();
    let is_ahead = |at: u64| at > this.now.saturating_add(CLOCKS_DIFFER);
    let ahead = [("began", started), ("ended", ended)]
        .into_iter()
        .find(|(_, at)| is_ahead(*at));
    match ahead {
        None => Ok(()),
        Some((what, at)) => Err(MergeError::Future {
            file: file.to_owned(),
            what,
            at,
            now: this.now,
        }),
    }
}

/// When the run of a report began and ended, Unix seconds.
pub(super) fn span(report: &Report) -> Option<(u64, u64)> {
    let started = unix_seconds(&report.started_at)?;
    Some((started, started.saturating_add(report.duration_ms.div_ceil(1000))))
}

/// Of each shard of a run the report of its newest attempt, and what was left out, in words. Without the name of a run two
/// reports of one shard may be of two runs, and both stay.
pub(super) fn newest_attempts(reports: Vec<(String, Report)>) -> (Vec<(String, Report)>, Vec<String>) {
    let mut kept: Vec<(String, Report)> = Vec::new();
    let mut notes = Vec::new();
    for (file, report) in reports {
        let is_of_same =
            |(_, other): &&mut (String, Report)| is_attempt(&report) && other.shard == report.shard;
        let Some(other) = kept.iter_mut().find(is_of_same) else {
            kept.push((file, report));
            continue;
        };
        let shard = report.shard.map(|shard| shard.to_string()).unwrap_or_default();
        let older = match attempt(&report).cmp(&attempt(&other.1)) {
            // Twice the same: refused further on.
            Ordering::Equal => {
                kept.push((file, report));
                continue;
            }
            Ordering::Greater => std::mem::replace(other, (file, report)).0,
            Ordering::Less => file,
        };
        notes.push(format!(
            "{older}: an earlier attempt at the shard {shard} than {}; it is left out",
            other.0
        ));
    }
    (kept, notes)
}

/// What orders the attempts at one shard.
fn attempt(report: &Report) -> (u32, Option<u64>) {
    (
        report.attempt.unwrap_or_default(),
        unix_seconds(&report.started_at),
    )
}

/// Whether the times of a target are those of a proof: in its run, with collateral that was in date and fetched within the
/// limit.
pub(super) fn times_contradict(target: &TargetReport, report: &Report) -> Option<&'static str> {
    let Some(at) = unix_seconds(&target.evaluated_at) else {
        return Some("the time of appraisal cannot be read");
    };
    let collateral_is_met = target
        .check(cvm_verify_core::report::CheckId::Collateral)
        .is_some_and(cvm_verify_core::tiers::is_met);
    if !collateral_is_met {
        return None;
    }
    let expires_at = target.tcb.expires_at.as_deref().and_then(unix_seconds);
    if expires_at.is_none_or(|end| end < at) {
        return Some("the collateral had expired at the time of appraisal:");
    }
    let fetched_at = target.tcb.collateral_fetched_at.as_deref().map(unix_seconds);
    let age = |fetched: u64| Age::of(fetched, at);
    let too_old = |fetched: Option<u64>| {
        fetched.is_none_or(|fetched| age(fetched).is_known() && age(fetched).exceeds(COLLATERAL_LIMIT))
    };
    if fetched_at.is_some_and(too_old) {
        return Some("the collateral was too old at the time of appraisal:");
    }
    let (started, ended) = span(report)?;
    let of_run = started.saturating_sub(CLOCKS_DIFFER)..=ended.saturating_add(CLOCKS_DIFFER);
    if report.mode == Mode::Live && !of_run.contains(&at) {
        return Some("a time of appraisal outside of the run,");
    }
    let is_ahead = |fetched: u64| !age(fetched).is_known();
    (fetched_at.flatten().is_some_and(is_ahead))
        .then_some("the collateral was fetched after the time of appraisal:")
}

/// A time as an error shows it.
pub(super) fn shown(seconds: &u64) -> String {
    rfc3339(*seconds)
}
