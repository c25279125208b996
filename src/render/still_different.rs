//! What `--wait` still waits for.

use std::time::Duration;

use super::escape;
use cvm_verify_core::report::{Status, TargetReport, Verdict};

/// A line for each target that does not pass yet: what is still different. `left` is the time that is left.
#[must_use]
pub fn still_different(reports: &[TargetReport], left: Duration) -> String {
    let waiting = reports.iter().filter(|report| report.verdict != Verdict::Pass);
    let lines: Vec<String> = waiting
        .map(|report| format!("waiting: {}: {}", shown(&report.name), cause(report)))
        .collect();
    format!("{} ({} s left)", lines.join("\n"), left.as_secs())
}

fn cause(report: &TargetReport) -> String {
    let worst = [Status::Fail, Status::Error, Status::Warn, Status::Skip]
        .into_iter()
        .find_map(|status| report.checks.iter().find(|check| check.status == status));
    worst.map_or_else(
        || report.verdict.as_str().to_owned(),
        |check| {
            format!(
                "{} [{}] {}",
                check.id,
                check.reason.as_deref().unwrap_or_default(),
                shown(&check.detail)
            )
        },
    )
}

fn shown(text: &str) -> String {
    escape::terminal(&escape::shorten(text, 200)).into_owned()
}
