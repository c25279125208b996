//! Everything about one target: each check, what was measured, how to fix what failed, where the evidence is.

use super::headline::banners;
use super::{bold_name, sections};
use crate::render::escape::markdown;
use crate::render::{banner, marks, words};
use cvm_verify_core::report::{Mode, TargetReport, Verdict};

/// The only target of a run.
pub(super) fn single(target: &TargetReport) -> String {
    format!("{}\n\n{}", bold_name(target), body(target))
}

/// One of several targets, folded away unless it is the first and does not pass. With a mode, it says itself what
/// is above its verdict.
pub(super) fn folded(target: &TargetReport, is_first: bool, own_banners: Option<Mode>) -> String {
    let is_open = is_first && target.verdict != Verdict::Pass;
    let open = if is_open { " open" } else { "" };
    let above = own_banners.map(|mode| banners(&banner::of_target(target, mode)));
    format!(
        "<details{open}><summary>{} {} {}</summary>\n\n{}{}</details>\n\n",
        marks::target(target),
        words::verdict_in(target, markdown),
        bold_name(target),
        above.unwrap_or_default(),
        body(target),
    )
}

fn body(target: &TargetReport) -> String {
    [
        sections::earlier_attempts(target),
        sections::accepted(target),
        sections::checks(target),
        sections::compose_diff(target),
        sections::measured(target),
        sections::fixes(target),
        sections::evidence(target),
    ]
    .concat()
}
