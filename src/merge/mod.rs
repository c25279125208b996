//! Joins the reports of runs that shared the targets (`--shard i/n`, or a matrix of jobs) into one. Pure.
//!
//! Reports are files that passed through a CI's hands. They are read strictly, and a shard whose report is not there is a
//! target that could not be verified: a job that died never looks green.

mod contradiction;

use std::collections::{BTreeMap, BTreeSet};

use crate::appraise::{Subject, appraise};
use crate::checks::{EvidenceGap, EvidenceReason};
use crate::config::Policy;
use crate::prove::TrustRoot;
use crate::report::{Report, SCHEMA, Shard, rfc3339};
use contradiction::contradiction;

/// Bytes of a report that are read: 128 MiB, some thousands of targets.
pub const MAX_REPORT_BYTES: u64 = 128 * 1024 * 1024;

/// Why reports cannot be joined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// Not JSON, or not of this form.
    #[error("{file}: is no report of cvm-verify: {problem}; give the files of --report-json")]
    NotAReport {
        /// The file.
        file: String,
        /// What the parser says.
        problem: String,
    },
    /// Of another format.
    #[error("{file}: has the schema {found:?}; expected {SCHEMA}")]
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
    /// Versions, modes or numbers of shards that differ.
    #[error("{file}: its {what} is {found}, that of {first_file} is {first}; join reports of one run")]
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
    // Another format is named before its fields are missed.
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
    }
    let head: Head = serde_json::from_slice(json).map_err(|error| not_a_report(error.to_string()))?;
    if head.schema != SCHEMA {
        return Err(MergeError::Schema {
            file: file.to_owned(),
            found: head.schema,
        });
    }
    let report: Report = serde_json::from_slice(json).map_err(|error| not_a_report(error.to_string()))?;
    match contradiction(&report) {
        None => Ok(report),
        Some(what) => Err(MergeError::Contradiction {
            file: file.to_owned(),
            what,
        }),
    }
}

/// Joins reports, each with the name of its file. `at` is now, Unix seconds: for the shards that are missing.
///
/// # Errors
/// [`MergeError`]: they do not belong together.
pub fn merge(reports: Vec<(String, Report)>, at: u64) -> Result<Report, MergeError> {
    let (first_file, first) = reports.first().ok_or(MergeError::Nothing)?;
    for (file, report) in &reports {
        let differs = |what: &'static str, found: String, first: String| MergeError::Differs {
            file: file.clone(),
            what,
            found,
            first_file: first_file.clone(),
            first,
        };
        let version = |report: &Report| format!("version {} ({})", report.tool.version, report.tool.git);
        let mode = |report: &Report| format!("{:?}", report.mode).to_lowercase();
        let shards = |report: &Report| {
            report.shard.map_or_else(
                || "1, without --shard".to_owned(),
                |shard| shard.count().to_string(),
            )
        };
        if report.tool != first.tool {
            return Err(differs("program", version(report), version(first)));
        }
        if report.mode != first.mode {
            return Err(differs("mode", mode(report), mode(first)));
        }
        if report.shard.map(Shard::count) != first.shard.map(Shard::count) {
            return Err(differs("number of shards", shards(report), shards(first)));
        }
    }
    once(&reports)?;
    let missing: Vec<Shard> = first.shard.map_or_else(Vec::new, |shard| {
        let there: BTreeSet<Shard> = reports.iter().filter_map(|(_, report)| report.shard).collect();
        shard.all().filter(|shard| !there.contains(shard)).collect()
    });
    let (tool, mode) = (first.tool.clone(), first.mode);
    let started_at = reports.iter().map(|(_, report)| report.started_at.clone()).min();
    // They ran side by side.
    let duration_ms = reports.iter().map(|(_, report)| report.duration_ms).max();
    let mut targets = Vec::new();
    let mut alerts = Vec::new();
    for (_, report) in reports {
        targets.extend(report.targets);
        alerts.extend(report.alerts);
    }
    targets.sort_by(|a, b| a.name.cmp(&b.name));
    targets.extend(missing.into_iter().map(|shard| absent(shard, at)));
    let started_at = started_at.unwrap_or_else(|| rfc3339(at));
    let mut joined = Report::new(tool, mode, started_at, duration_ms.unwrap_or_default(), targets);
    joined.alerts = alerts;
    Ok(joined)
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
                    what,
                    other: other.clone(),
                });
            }
        }
    }
    Ok(())
}

/// What stands for the targets of a shard that did not report.
fn absent(shard: Shard, at: u64) -> crate::report::TargetReport {
    let gap = EvidenceGap {
        reason: EvidenceReason::ShardMissing,
        detail: format!("There is no report of the shard {shard}, so its targets were not verified."),
    };
    let subject = Subject {
        name: format!("shard {shard}"),
        url: None,
        root: TrustRoot::Intel,
        at,
        collateral_source: None,
        bundle: None,
    };
    appraise(Err(&gap), &Policy::default(), &subject)
}
