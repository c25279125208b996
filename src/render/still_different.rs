//! What `--wait` still waits for.

use std::time::Duration;

use super::cause::causes;
use super::escape;
use cvm_verify_core::report::{TargetReport, Verdict};

/// A line for each target that does not pass yet, or that passes with the second release only: what is still different. `left`
/// is the time that is left.
#[must_use]
pub fn still_different(reports: &[TargetReport], left: Duration) -> String {
    let lines: Vec<String> = reports
        .iter()
        .filter_map(|report| {
            Some(format!(
                "waiting: {}: {}",
                shown(&report.name),
                difference(report)?
            ))
        })
        .collect();
    format!("{} ({} s left)", lines.join("\n"), left.as_secs())
}

/// That everything passes, and that one more attempt follows because an earlier one found something else.
#[must_use]
pub fn asked_once_more(left: Duration) -> String {
    format!(
        "waiting: this attempt passes and an earlier one found something else; the target passes if one more attempt does ({} s left)",
        left.as_secs()
    )
}

/// That the result of a target is final while others are waited on: the reports of the target, of which one at least convicts it.
#[must_use]
pub fn final_result(reports: &[TargetReport]) -> String {
    let failed = reports.iter().filter(|report| report.verdict == Verdict::Fail);
    let lines: Vec<String> = failed
        .map(|report| {
            format!(
                "final: {}: {} No deployment changes that; the run waits only for the other targets.",
                shown(&report.name),
                cause(report)
            )
        })
        .collect();
    lines.join("\n")
}

fn difference(report: &TargetReport) -> Option<String> {
    match (report.verdict, &report.second_release_until) {
        (Verdict::Pass, None) => None,
        (Verdict::Pass, Some(until)) => Some(format!(
            "the second release still runs, which is accepted until {}",
            shown(until)
        )),
        (Verdict::Fail | Verdict::Inconclusive, _) => Some(cause(report)),
    }
}

/// What to act on first, as the result of the run names it.
fn cause(report: &TargetReport) -> String {
    causes(report).first().map_or_else(
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
