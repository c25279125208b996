//! Joins the reports of runs that shared the targets (`--shard i/n`, or a matrix of jobs) into one. Pure, but for `named`, which reads the files.
//!
//! Reports are files that passed through a CI's hands. They are read strictly, and a shard whose report is not there is a
//! target that could not be verified: a job that died never looks green.

mod contradiction;
mod named;
mod one_run;

use std::collections::{BTreeMap, BTreeSet};

use contradiction::contradiction;
use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::evidence::{excerpt, has_more_values_than, json_problem};
use cvm_verify_core::policy::{Policy, ReportMaxAge};
use cvm_verify_core::report::{Report, RunId, SCHEMA, Shard, TargetReport, TrustRootKind, Verdict, rfc3339};
use cvm_verify_core::verify::TrustRoot;
use one_run::shown;

pub(crate) use named::NamedReports;
pub use one_run::ThisRun;

/// Bytes of a report that are read: 128 MiB, some thousands of targets.
pub const MAX_REPORT_BYTES: u64 = 128 * 1024 * 1024;

/// Values of a report in JSON: a target has about 400.
const MAX_VALUES: usize = 4_000_000;

/// The version in a report that no program wrote.
const NO_VERSION: &str = "unknown";

/// Why reports cannot be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Not JSON, or not of this form.
    #[error("{file}: is not a report of cvm-verify: {problem}; give the files of --report-json")]
    NotAReport {
        /// The file.
        file: String,
        /// What the parser says.
        problem: String,
    },
    /// Of another format.
    #[error("{file}: has the schema {found:?}; expected {SCHEMA}; give the files of --report-json")]
    Schema {
        /// The file.
        file: String,
        /// What it says.
        found: String,
    },
    /// Verdicts that do not follow from what is below them.
    #[error("{file}: contradicts itself ({what}); it was changed or damaged after cvm-verify wrote it")]
    Contradiction {
        /// The file.
        file: String,
        /// Where.
        what: String,
    },
    /// What the action wrote before its program was there (scripts/preset.sh): the run did not begin, and nothing is known of its targets.
    #[error("{file}: is of a run that did not begin; look at the log of its job")]
    NotBegun {
        /// The file.
        file: String,
    },
    /// Shards that do not hold the targets of the run that they share, and nothing says which of them does not.
    #[error(
        "the shards do not hold the targets that their run had: one of them was changed or damaged after cvm-verify wrote it; take all \
         of them from their jobs again"
    )]
    OtherTargets,
    /// Versions, modes or numbers of shards that differ.
    #[error("{file}: its {what} is {found}, but that of {first_file} is {first}; join reports of one run")]
    Differs {
        /// The file.
        file: String,
        /// What differs.
        what: &'static str,
        /// What it says.
        found: String,
        /// The file that is compared with.
        first_file: String,
        /// What that says.
        first: String,
    },
    /// Shards that did not share one list of targets, or were judged by other policies.
    #[error(
        "{file}: its run has another {what} than that of {first_file}, so they are no shards of one run; verify every shard with the \
         same policy file, locks and options"
    )]
    OtherPlan {
        /// The file.
        file: String,
        /// What differs.
        what: &'static str,
        /// The file that is compared with.
        first_file: String,
    },
    /// Of another run than the one whose reports are joined.
    #[error(
        "{file}: is of {found}, and the reports of {expected} are joined; give the reports of this run, or name their run \
         with --run-id"
    )]
    OtherRun {
        /// The file.
        file: String,
        /// Of which run it is, in words.
        found: String,
        /// The run whose reports are joined.
        expected: RunId,
    },
    /// Of a run that begins or ends in the future.
    #[error(
        "{file}: its run {what} at {}, and it is {} by this machine's clock; set the clock that is wrong, and verify again",
        shown(at),
        shown(now)
    )]
    Future {
        /// The file.
        file: String,
        /// `began` or `ended`.
        what: &'static str,
        /// When it says that it did, Unix seconds.
        at: u64,
        /// The time, Unix seconds.
        now: u64,
    },
    /// Of a run that ended long ago.
    #[error(
        "{file}: its run ended at {}, more than {max_age} ago; verify again, or {}allow that age with --max-age",
        shown(ended),
        if *named { "" } else { "give every run a name (--run-id), or " }
    )]
    TooOld {
        /// The file.
        file: String,
        /// When its run ended, Unix seconds.
        ended: u64,
        /// How long ago that may be.
        max_age: ReportMaxAge,
        /// Whether the run has a name.
        named: bool,
    },
    /// The same shard or target twice.
    #[error("{file}: holds {what}, as {other} does; give each report once")]
    Twice {
        /// The file.
        file: String,
        /// Which.
        what: String,
        /// The other file.
        other: String,
    },
    /// No report at all.
    #[error("there is no report to join")]
    Nothing,
}

/// Reads a report.
///
/// # Errors
/// It is not one, or contradicts itself.
pub fn read(file: &str, json: &[u8]) -> Result<Report, MergeError> {
    let not_a_report = |problem: String| MergeError::NotAReport {
        file: file.to_owned(),
        problem,
    };
    if has_more_values_than(json, MAX_VALUES) {
        return Err(not_a_report(format!("it holds more than {MAX_VALUES} values")));
    }
    // Another format is named before its fields are missed.
    #[derive(serde::Deserialize)]
    struct ReportHead {
        schema: String,
    }
    let head: ReportHead =
        serde_json::from_slice(json).map_err(|error| not_a_report(json_problem(&error)))?;
    if head.schema != SCHEMA {
        return Err(MergeError::Schema {
            file: file.to_owned(),
            found: excerpt(&head.schema),
        });
    }
    let report: Report = serde_json::from_slice(json).map_err(|error| not_a_report(json_problem(&error)))?;
    let is_preset = report.targets.is_empty() && report.tool.version == NO_VERSION;
    if is_preset && report.verdict == Verdict::Inconclusive && report.exit_code == report.verdict.exit_code()
    {
        return Err(MergeError::NotBegun {
            file: file.to_owned(),
        });
    }
    match contradiction(&report) {
        None => Ok(report),
        Some(what) => Err(MergeError::Contradiction {
            file: file.to_owned(),
            what,
        }),
    }
}

/// Reports joined to one.
#[derive(Debug)]
pub struct Joined {
    /// The report of all targets.
    pub report: Report,
    /// Which reports were left out and why, a line each.
    pub notes: Vec<String>,
    /// How many shards have no report.
    pub missing: usize,
}

/// Joins reports of one run, each with the name of its file. Of a shard that was tried again the newest attempt counts, and of a
/// shard of a named run none that is too old: that shard is missing.
///
/// # Errors
/// [`MergeError`]: they do not belong together, or not to this run.
pub fn merge(reports: Vec<(String, Report)>, this: &ThisRun<'_>) -> Result<Joined, MergeError> {
    one_run::check(&reports, this)?;
    let (reports, mut notes) = one_run::newest_attempts(reports);
    let (reports, left_out) = one_run::recent(reports, this)?;
    notes.extend(left_out);
    let (_, first) = reports.first().ok_or(MergeError::Nothing)?;
    one_run::one_plan(&reports)?;
    once(&reports)?;
    let missing: Vec<Shard> = first.shard.map_or_else(Vec::new, |shard| {
        let there: BTreeSet<Shard> = reports.iter().filter_map(|(_, report)| report.shard).collect();
        shard.all().filter(|shard| !there.contains(shard)).collect()
    });
    if missing.is_empty() {
        one_run::whole_list(&reports)?;
    }
    let missing_shards = missing.len();
    let (tool, mode, run_id) = (first.tool.clone(), first.mode, first.run_id.clone());
    let spans = || reports.iter().filter_map(|(_, report)| one_run::span(report));
    let started = spans().map(|(started, _)| started).min().unwrap_or(this.now);
    let longest = reports.iter().map(|(_, report)| report.duration_ms).max();
    // From the first beginning to the last end; those that ran side by side are as long as the longest.
    let ended = spans().map(|(_, ended)| ended).max().unwrap_or(started);
    let apart = spans().any(|(other, _)| other != started);
    let duration_ms = if apart {
        ended.saturating_sub(started).saturating_mul(1000)
    } else {
        longest.unwrap_or_default()
    };
    let older_attempts = one_run::older_attempts(&reports, this);
    let mut targets = Vec::new();
    let mut alerts = Vec::new();
    for (_, report) in reports {
        targets.extend(report.targets);
        alerts.extend(report.alerts);
    }
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    let root = targets
        .first()
        .map_or(TrustRootKind::Intel, |target| target.trust_root);
    targets.extend(missing.into_iter().map(|shard| TargetReport {
        trust_root: root,
        ..absent(shard, this.now)
    }));
    let mut report = Report::new(tool, mode, rfc3339(started), duration_ms, targets);
    report.run_id = run_id;
    report.older_attempts = older_attempts;
    report.alerts = alerts;
    Ok(Joined {
        report,
        notes,
        missing: missing_shards,
    })
}

/// No shard and no target may be there twice: one of the two would be an old one.
fn once(reports: &[(String, Report)]) -> Result<(), MergeError> {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for (file, report) in reports {
        let shard = report.shard.map(|shard| format!("the shard {shard}"));
        let targets = report
            .targets
            .iter()
            .map(|target| format!("the target {:?}", target.name));
        for what in shard.into_iter().chain(targets) {
            if let Some(other) = seen.insert(what.clone(), file) {
                return Err(MergeError::Twice {
                    file: file.clone(),
                    what: excerpt(&what),
                    other: other.clone(),
                });
            }
        }
    }
    Ok(())
}

/// What stands for the targets of a shard that did not report.
fn absent(shard: Shard, at: u64) -> TargetReport {
    let failure = EvidenceFailure::new(
        EvidenceReason::ShardMissing,
        format!("There is no report of the shard {shard}, so its targets were not verified."),
    );
    let subject = Subject {
        name: format!("shard {shard}"),
        url: None,
        root: TrustRoot::Intel,
        at,
        bundle: None,
    };
    appraise(Err(&failure), &Policy::default(), &subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{json, samples};
    use cvm_verify_core::report::{Mode, unix_seconds};

    /// What a stranger may have written into a file: it deletes, ends lines, reorders, and is long.
    fn hostile() -> String {
        format!("\u{7f}\n::error::\u{202e}{}", "x".repeat(5000))
    }

    fn assert_plain(error: &MergeError) {
        let said = error.to_string();
        assert!(
            !said.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{said:?}"
        );
        assert!(said.len() < 1000, "{} bytes", said.len());
    }

    #[test]
    fn what_a_file_holds_is_short_and_printable_in_every_error() {
        let report = samples::report(Mode::Live, vec![samples::pass()]);
        let mut document: serde_json::Value = serde_json::from_str(&json(&report)).unwrap();
        document["mode"] = hostile().into();
        let error = read("a.json", document.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, MergeError::NotAReport { .. }), "{error:?}");
        assert_plain(&error);
        document["schema"] = hostile().into();
        let error = read("a.json", document.to_string().as_bytes()).unwrap_err();
        assert!(matches!(error, MergeError::Schema { .. }), "{error:?}");
        assert_plain(&error);
        let mut other = report.clone();
        other.tool.version = hostile();
        let this = ThisRun {
            id: None,
            attempt: None,
            max_age: None,
            now: unix_seconds(&report.started_at).unwrap(),
        };
        let reports = vec![("a.json".to_owned(), report), ("b.json".to_owned(), other)];
        let error = merge(reports, &this).unwrap_err();
        assert!(
            matches!(error, MergeError::Differs { what: "program", .. }),
            "{error:?}"
        );
        assert_plain(&error);
        let mut named = samples::report(Mode::Live, vec![samples::pass()]);
        named.targets[0].name = hostile();
        let twice = vec![
            ("a.json".to_owned(), named.clone()),
            ("b.json".to_owned(), named.clone()),
        ];
        let error = merge(twice, &this).unwrap_err();
        assert!(matches!(error, MergeError::Twice { .. }), "{error:?}");
        assert_plain(&error);
        named.targets[0].verdict = cvm_verify_core::report::Verdict::Fail;
        let error = read("a.json", json(&named).as_bytes()).unwrap_err();
        assert!(matches!(error, MergeError::Contradiction { .. }), "{error:?}");
        assert_plain(&error);
    }
}
