//! The job summary: Markdown for people who come from a red or green mark in a list of runs, often on a phone.
//!
//! The verdict with its cause is the first line and the next step the second; whatever is said of a single target
//! follows below. Everything that a CVM could have chosen passes through [`super::escape`].

mod budget;
mod headline;
mod long_hex;
mod sections;
mod target;

use super::escape::markdown;
use super::{banner, words};
use budget::Budget;
use cvm_verify_core::report::{Report, TargetReport, Verdict};

/// GitHub drops the summary of a step that is larger than 1 MiB; earlier steps of a job may have written to it, too.
const LIMIT: usize = 900 * 1024;
/// What a list of all verdicts may take of that.
const LIST_LIMIT: usize = 300 * 1024;

/// The report as GitHub-flavoured Markdown, with a final newline: for a job summary or a comment.
///
/// Never larger than 900 KiB: whole targets are left out, passing ones first, and a line says how many. The verdicts
/// of all stay, unless there are thousands.
#[must_use]
pub fn summary(report: &Report) -> String {
    let above = banner::of_report(report);
    let targets = worst_first(report);
    let end = sections::end(report);
    let mut page = Budget::new(LIMIT.saturating_sub(end.len()));
    page.add(&headline::banners(&above.above));
    page.add(&headline::headline(report, &targets));
    let left_out = match targets.as_slice() {
        [target] => page.add_whole(std::iter::once(target::single(target))),
        targets => {
            list(&mut page, targets);
            let on_each = above.on_each.then_some(report.mode);
            let parts = targets.iter().enumerate();
            page.add_whole(parts.map(|(index, each)| target::folded(each, index == 0, on_each)))
        }
    };
    page.add(&left_out_line(left_out));
    page.into_text() + &end
}

/// The alerts that did not arrive, as the end of [`summary()`] says it; empty if there are none.
#[must_use]
pub fn alerts(report: &Report) -> String {
    sections::alerts(report)
}

/// What failed is first, then what could not be determined.
fn worst_first(report: &Report) -> Vec<&TargetReport> {
    let of = |verdict| {
        report
            .targets
            .iter()
            .filter(move |target| target.verdict == verdict)
    };
    [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass]
        .into_iter()
        .flat_map(of)
        .collect()
}

/// One line for each target, and a count of those for which there is no room.
fn list(page: &mut Budget, targets: &[&TargetReport]) {
    if targets.is_empty() {
        return;
    }
    page.add("| Verdict | Target |\n|---|---|\n");
    let mut rows = Budget::new(LIST_LIMIT);
    let left_out = rows.add_whole(targets.iter().map(|target| headline::row(target)));
    page.add(&rows.into_text());
    page.add("\n");
    let unlisted = targets.iter().rev().take(left_out);
    let counts = [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass].map(|verdict| {
        let count = unlisted
            .clone()
            .filter(|target| target.verdict == verdict)
            .count();
        format!("{count} {}", words::verdict_word(verdict))
    });
    if left_out > 0 {
        page.add(&format!("And {left_out} more: {}.\n\n", counts.join(", ")));
    }
}

fn left_out_line(count: usize) -> String {
    let what = match count {
        0 => return String::new(),
        1 => "1 target is".to_owned(),
        count => format!("{count} targets are"),
    };
    format!(
        "{what} not shown in detail: the size of a job summary is limited. The JSON report contains everything.\n\n"
    )
}

/// A name, bold.
fn bold_name(target: &TargetReport) -> String {
    format!("<b>{}</b>", markdown(&super::escape::shorten(&target.name, 80)))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
