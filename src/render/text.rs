//! The format for people at a terminal or in a CI log: the verdict first, then why, then every check.

use super::alert::{self, Delivery};
use super::cause::{causes, is_to_act_on};
use super::escape::{shorten, terminal};
use super::page::{Ink, TextPage};
use super::{accepted, alike, attempts, banner, measured, more, older_attempts, reached, table, words};
use cvm_verify_core::report::{AlertRecord, CheckResult, Mode, Report, TargetReport, Verdict, and_more};
use std::collections::BTreeMap;

/// Longest name of a target, in characters.
const MAX_NAME: usize = 120;
/// Different warnings of targets that pass, at most.
const MAX_WARNINGS: usize = 20;

/// How the text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextStyle {
    /// Whether to write SGR colour sequences. Words carry the meaning without them.
    pub color: bool,
    /// Where lines are wrapped, in characters. Longer words, hashes above all, are never broken.
    pub width: usize,
    /// Only verdicts, what they prove, and what to do.
    pub quiet: bool,
}

impl Default for TextStyle {
    /// What a CI log shows well: 100 characters, no colour, everything.
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
            quiet: false,
        }
    }
}

/// The report as text, with a final newline. Nothing in it can act on a terminal or a CI runner, and no line of it
/// means something else without its colour.
#[must_use]
pub fn text(report: &Report, style: TextStyle) -> String {
    let mut page = TextPage::new(style.width, style.color);
    let above = banner::of_report(report);
    banners(&mut page, &above.above);
    match report.targets.as_slice() {
        [target] => one(&mut page, report.mode, target, style),
        targets => several(&mut page, report, targets, above.on_each, style),
    }
    let older = older_attempts::lines(report);
    if !older.is_empty() {
        page.blank();
    }
    for line in older {
        page.paragraph(2, Ink::Yellow, &line);
    }
    if !style.quiet {
        write_alerts(&mut page, &report.alerts);
    }
    page.into_text()
}

/// What the last line of a file with the text begins with. No other program writes it.
pub const TEXT_MARK: &str = "Written by cvm-verify ";

/// The report as a file: the text, and which program wrote it.
#[must_use]
pub fn text_file(report: &Report) -> String {
    let text = text(report, TextStyle::default());
    let (version, git) = (terminal(&report.tool.version), terminal(&report.tool.git));
    format!("{text}\n{TEXT_MARK}{version} ({git})\n")
}

/// What became of the alerts, as the end of [`text()`] says it; empty if there was none to send.
#[must_use]
pub fn alerts(report: &Report, style: TextStyle) -> String {
    let mut page = TextPage::new(style.width, style.color);
    write_alerts(&mut page, &report.alerts);
    page.into_text()
}

/// The alerts that no channel took, in the same words, for a run that says nothing else of its alerts.
#[must_use]
pub fn undelivered_alerts(report: &Report, style: TextStyle) -> String {
    let failed = |alert: &&AlertRecord| Delivery::of(alert) == Delivery::Failed;
    let alerts: Vec<AlertRecord> = report.alerts.iter().filter(failed).cloned().collect();
    let mut page = TextPage::new(style.width, style.color);
    write_alerts(&mut page, &alerts);
    page.into_text()
}

/// A line for all, then each target that does not pass, then a line for each that does.
fn several(page: &mut TextPage, report: &Report, targets: &[TargetReport], on_each: bool, style: TextStyle) {
    let is_real = !targets.iter().any(banner::is_simulated);
    page.line(verdict_ink(report.verdict, is_real), &words::summary(report));
    let of = |verdict| targets.iter().filter(move |target| target.verdict == verdict);
    for group in alike::groups(of(Verdict::Fail).chain(of(Verdict::Inconclusive))) {
        let [target, others @ ..] = group.as_slice() else {
            continue;
        };
        page.blank();
        if on_each {
            banners(page, &banner::of_target(target, report.mode));
        }
        one(page, report.mode, target, style);
        if !others.is_empty() {
            page.blank();
            let name = shorten(&target.name, MAX_NAME);
            let said = format!(
                "{} more targets have the same results as {name}. The JSON report has what each of them showed:",
                others.len()
            );
            page.paragraph(0, Ink::Plain, &terminal(&said));
        }
        for other in others {
            in_short(page, report.mode, other, on_each);
        }
    }
    let passing: Vec<&TargetReport> = of(Verdict::Pass).filter(|_| !style.quiet).collect();
    if !passing.is_empty() {
        page.blank();
    }
    for target in &passing {
        in_short(page, report.mode, target, on_each);
    }
    warnings(page, &passing);
}

/// What targets that pass warn of: each warning once, with the targets that have it.
fn warnings(page: &mut TextPage, passing: &[&TargetReport]) {
    let mut all: Vec<(&TargetReport, &CheckResult, usize)> = Vec::new();
    let mut known = BTreeMap::new();
    for target in passing {
        for check in target.checks.iter().filter(|check| is_to_act_on(check, &[])) {
            let next = all.len();
            let key = (
                check.id,
                check.reason.as_deref(),
                check.detail.as_str(),
                check.fix.as_deref(),
            );
            match all.get_mut(*known.entry(key).or_insert(next)) {
                Some((_, _, others)) => *others += 1,
                None => all.push((target, check, 0)),
            }
        }
    }
    let left_out = all.len().saturating_sub(MAX_WARNINGS);
    if !all.is_empty() {
        page.blank();
    }
    for (target, check, others) in all.into_iter().take(MAX_WARNINGS) {
        let name = format!("{}{}", shorten(&target.name, MAX_NAME), and_more("", others));
        said(
            page,
            &format!("WARN {} ({name})", words::named(check)),
            &words::detail(target, check),
        );
        if let Some(fix) = &check.fix {
            let lead = "    What to do: ";
            page.advice(
                lead,
                lead.len(),
                Ink::Plain,
                &terminal(&shorten(fix, table::MAX_DETAIL)),
            );
        }
    }
    if left_out > 0 {
        page.paragraph(
            2,
            Ink::Plain,
            &format!("And {left_out} more warnings: see the JSON report."),
        );
    }
}

/// A target in one line, and what must be said of it in any case.
fn in_short(page: &mut TextPage, mode: Mode, target: &TargetReport, on_each: bool) {
    heading(page, target);
    if on_each {
        for line in banner::of_target(target, mode) {
            page.paragraph(2, Ink::Yellow, &terminal(&line));
        }
    }
    earlier_attempts(page, target);
}

fn banners(page: &mut TextPage, lines: &[String]) {
    for line in lines {
        page.line(Ink::Yellow, &terminal(line));
    }
}

/// The verdict and the name, on one line.
fn heading(page: &mut TextPage, target: &TargetReport) {
    let verdict = page.ink(
        verdict_ink(target.verdict, words::is_whole(target)),
        &terminal(&words::verdict(target)),
    );
    let name = page.ink(Ink::Bold, &terminal(&shorten(&target.name, MAX_NAME)));
    page.line(Ink::Plain, &format!("{verdict}  {name}"));
}

fn one(page: &mut TextPage, mode: Mode, target: &TargetReport, style: TextStyle) {
    heading(page, target);
    let causes = causes(target);
    match target.verdict {
        Verdict::Pass => page.paragraph(2, Ink::Plain, &words::proven(target, mode)),
        Verdict::Fail | Verdict::Inconclusive => why(page, target, &causes),
    }
    earlier_attempts(page, target);
    if style.quiet {
        return;
    }
    for sentence in reached::explained(target) {
        page.paragraph(2, Ink::Dim, &terminal(&sentence));
    }
    for line in accepted::lines(target) {
        said(page, "Accepted in writing", &line);
    }
    page.blank();
    table::write(page, target, &causes);
    measured::write(page, target);
}

/// The attempts before this one that did not pass, if there were any.
fn earlier_attempts(page: &mut TextPage, target: &TargetReport) {
    if let Some(said) = attempts::earlier(target) {
        page.paragraph(2, Ink::Yellow, &said);
    }
}

/// The check that the verdict hangs on, what to do about it, and which others there are.
fn why(page: &mut TextPage, target: &TargetReport, causes: &[&CheckResult]) {
    let [first, others @ ..] = causes else {
        page.paragraph(2, Ink::Plain, words::UNDETERMINED);
        return;
    };
    said(page, first.id.as_str(), &words::detail(target, first));
    if let Some(option) = words::option_to_write_down(first) {
        page.blank();
        page.line(Ink::Bold, &format!("    {option}"));
        page.blank();
    }
    if let Some(fix) = &first.fix {
        let lead = "  What to do: ";
        let fix = shorten(fix, table::MAX_DETAIL);
        page.advice(lead, lead.len(), Ink::Plain, &terminal(&fix));
    }
    if let Some(command) = more::command(first) {
        said(page, "More", &command);
    }
    if !others.is_empty() {
        let others: Vec<String> = others.iter().map(|check| words::named(check)).collect();
        said(page, "Also", &others.join(", "));
    }
}

/// A labelled sentence. Its further lines stand behind the label: an untrusted party's words never begin a line where a
/// verdict or a check could stand.
fn said(page: &mut TextPage, label: &str, sentence: &str) {
    let lead = format!("  {label}: ");
    let sentence = shorten(sentence, table::MAX_DETAIL);
    page.hanging(&lead, lead.len(), Ink::Plain, &terminal(&sentence));
}

fn write_alerts(page: &mut TextPage, alerts: &[AlertRecord]) {
    if !alerts.is_empty() {
        page.blank();
    }
    for (delivery, about) in alert::lines(alerts) {
        let ink = match delivery {
            Delivery::Delivered | Delivery::Skipped => Ink::Plain,
            Delivery::Failed => Ink::Yellow,
        };
        let about = shorten(&about, table::MAX_DETAIL);
        let lead = format!("  {}: ", delivery.as_str());
        page.hanging(&lead, lead.len(), ink, &terminal(&about));
    }
}

/// Only a pass with nothing waived, under Intel's root, is green.
const fn verdict_ink(verdict: Verdict, is_whole: bool) -> Ink {
    match verdict {
        Verdict::Pass if is_whole => Ink::Green,
        Verdict::Pass | Verdict::Inconclusive => Ink::Yellow,
        Verdict::Fail => Ink::Red,
    }
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
