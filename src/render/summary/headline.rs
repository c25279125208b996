//! What a reader sees first: verdict and cause, then the next step.

use super::bold_name;
use super::long_hex::shortened;
use crate::render::cause::causes;
use crate::render::escape::{code, command, markdown, prose, shorten};
use crate::render::own_words::own;
use crate::render::{banner, marks, reached, words};
use cvm_verify_core::report::{CheckResult, Mode, Report, TargetReport, Verdict};

/// Longest next step, in characters.
const MAX_FIX: usize = 1_000;

/// The lines above the verdict.
pub(super) fn banners(lines: &[String]) -> String {
    lines
        .iter()
        .map(|line| format!("**{}**\n\n", prose(line)))
        .collect()
}

/// The verdict with its cause as one line, the next step as another.
pub(super) fn headline(report: &Report, targets: &[&TargetReport]) -> String {
    match targets {
        [target] => {
            let mark = marks::target(target);
            let verdict = words::verdict_in(target, markdown);
            let why = sentence(target, report.mode);
            format!(
                "### {mark} {verdict}: {why}\n\n{}{}",
                next_step(target),
                explained(target)
            )
        }
        targets => several(report, targets),
    }
}

/// How many pass; then the first that does not, with its cause.
fn several(report: &Report, targets: &[&TargetReport]) -> String {
    let is_whole = targets.iter().all(|target| words::is_whole(target));
    let mark = marks::verdict(report.verdict, is_whole);
    let summary = words::summary(report);
    let Some(worst) = targets.first().filter(|target| target.verdict != Verdict::Pass) else {
        return format!("### {mark} {summary}\n\n");
    };
    let name = bold_name(worst);
    let why = sentence(worst, report.mode);
    format!("### {mark} {summary}. {name}: {why}\n\n{}", next_step(worst))
}

/// What a tier that was reached or required means.
pub(super) fn explained(target: &TargetReport) -> String {
    reached::explained(target)
        .iter()
        .map(|sentence| format!("{}\n\n", own(sentence)))
        .collect()
}

/// One target in the list of all.
pub(super) fn row(target: &TargetReport) -> String {
    let why: String = causes(target)
        .iter()
        .map(|check| format!("<br>{}", named(check)))
        .collect();
    let mark = marks::target(target);
    let simulated = if banner::is_simulated(target) {
        "SIMULATED: "
    } else {
        ""
    };
    let verdict = words::verdict_in(target, markdown);
    format!("| {mark} {simulated}{verdict} | {}{why} |\n", bold_name(target))
}

/// What the verdict means: what a pass proves, or the first cause of anything else.
fn sentence(target: &TargetReport, mode: Mode) -> String {
    match causes(target).first() {
        Some(first) => prose(&shortened(&words::detail(target, first))),
        None if target.verdict == Verdict::Pass => words::proven(target, mode),
        None => words::UNDETERMINED.to_owned(),
    }
}

/// What to do about the first cause, with the line to copy where one is all that is missing.
fn next_step(target: &TargetReport) -> String {
    let causes = causes(target);
    let Some(first) = causes.first() else {
        return String::new();
    };
    let step = first
        .fix
        .as_deref()
        .map(|text| format!("**What to do:** {}\n\n", fix(first, text)));
    let line = words::option_to_write_down(first).map(|option| format!("```\n{option}\n```\n\n"));
    step.into_iter().chain(line).collect()
}

/// What to do about a result, in Markdown. Only our own words keep their code spans.
pub(super) fn fix(check: &CheckResult, text: &str) -> String {
    match words::reason_of(check) {
        Some(reason) if reason.fix == text => own(text),
        _ => with_code(text),
    }
}

/// Any text as Markdown, with what is between backticks as code, so that a command can be copied. Each part is escaped.
fn with_code(text: &str) -> String {
    let text = shorten(text, MAX_FIX);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return prose(&text);
    }
    let part = |(index, part): (usize, &&str)| match index.is_multiple_of(2) {
        true => prose(part),
        false => command(part),
    };
    parts.iter().enumerate().map(part).collect()
}

/// A check and its reason.
pub(super) fn named(check: &CheckResult) -> String {
    match &check.reason {
        Some(reason) => format!("**{}** {}", check.id, code(reason)),
        None => format!("**{}**", check.id),
    }
}
