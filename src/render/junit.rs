//! JUnit XML, for GitLab, Jenkins and everything else that shows tests.
//!
//! A CI system may read nothing else: a suite holds a failure or an error exactly where its target does not pass.

use std::fmt::Write as _;

use super::cause::is_open;
use super::escape::{shorten, xml};
use super::{accepted, banner, diff_lines, reached, table, words};
use cvm_verify_core::report::{CheckId, CheckResult, Mode, Report, Status, TargetReport, Verdict};

/// Longest name of a target, in characters.
const MAX_NAME: usize = 120;

/// How a test case ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CaseOutcome {
    Passed,
    Failure,
    Error,
    Skipped,
}

/// One test case, as XML.
struct Case {
    outcome: CaseOutcome,
    text: String,
}

/// The report as JUnit XML, with a final newline: a suite for each target, a test case for each check.
///
/// `failure` is a mismatch, `error` what could not be determined and a requirement that is not met, `skipped` what was
/// not configured, waived, or, where the target passes anyway, not determined. A warning passes, and says so in
/// its output.
#[must_use]
pub fn junit(report: &Report) -> String {
    let time = seconds(report.duration_ms);
    let mut suites: Vec<Vec<Case>> = report.targets.iter().map(cases).collect();
    let mut heads: Vec<String> = report.targets.iter().map(name).collect();
    if suites.is_empty() {
        heads.push(report.tool.name.clone());
        suites.push(vec![verdict_case(
            &report.tool.name,
            report.verdict,
            &words::summary(report),
        )]);
    }
    // The targets of a run are asked side by side: only a single one has a time of its own.
    let suite_time = if suites.len() == 1 { time.as_str() } else { "0.000" };
    let timestamp = xml(report.started_at.trim_end_matches('Z'));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {} time=\"{time}\">\n",
        xml(&report.tool.name),
        counts(suites.iter().flatten()),
    );
    let properties = report
        .targets
        .iter()
        .map(|target| properties(target, report.mode));
    let properties = properties.chain(std::iter::once(String::new()));
    for ((name, cases), properties) in heads.iter().zip(&suites).zip(properties) {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" {} time=\"{suite_time}\" timestamp=\"{timestamp}\">\n{properties}{}  </testsuite>",
            xml(name),
            counts(cases.iter()),
            cases.iter().map(|case| case.text.as_str()).collect::<String>(),
        );
    }
    text.push_str("</testsuites>\n");
    text
}

/// What a suite is called: nobody may take a simulated one for another.
fn name(target: &TargetReport) -> String {
    let name = shorten(&target.name, MAX_NAME);
    if banner::is_simulated(target) {
        format!("SIMULATED: {name}")
    } else {
        name.into_owned()
    }
}

/// A test case for each check; one more if none of them would show that the target does not pass.
fn cases(target: &TargetReport) -> Vec<Case> {
    let suite = name(target);
    let mut cases: Vec<Case> = target
        .checks
        .iter()
        .map(|check| check_case(&suite, target, check))
        .collect();
    let is_red = |case: &Case| matches!(case.outcome, CaseOutcome::Failure | CaseOutcome::Error);
    if target.verdict != Verdict::Pass && !cases.iter().any(is_red) {
        cases.push(verdict_case(&suite, target.verdict, words::UNDETERMINED));
    }
    cases
}

fn outcome(target: &TargetReport, check: &CheckResult) -> CaseOutcome {
    match check.status {
        Status::Fail => CaseOutcome::Failure,
        Status::Error if target.verdict == Verdict::Pass => CaseOutcome::Skipped,
        Status::Error => CaseOutcome::Error,
        Status::Warn | Status::Skip if is_open(target, check) => CaseOutcome::Error,
        Status::Skip => CaseOutcome::Skipped,
        Status::Warn | Status::Pass => CaseOutcome::Passed,
    }
}

fn check_case(suite: &str, target: &TargetReport, check: &CheckResult) -> Case {
    let outcome = outcome(target, check);
    let detail = words::detail(target, check);
    let detail = shorten(&detail, table::MAX_DETAIL);
    let reason = check.reason.as_deref().unwrap_or_default();
    let location = words::location(check);
    let said = [
        ("expected", &check.expected),
        ("actual", &check.actual),
        ("written in", &location),
        ("What to do", &check.fix),
    ];
    let line = |(label, value): (&str, &Option<String>)| {
        let value = value.as_ref()?;
        Some(format!("\n{label}: {}", xml(&shorten(value, table::MAX_VALUE))))
    };
    let mut lines: String = said.into_iter().filter_map(line).collect();
    if check.id == CheckId::ComposeHash {
        lines.push_str(&diff_lines::in_xml(&target.compose_diff));
    }
    let inner = match outcome {
        CaseOutcome::Failure => element("failure", reason, &detail, &lines),
        CaseOutcome::Error => element("error", reason, &detail, &lines),
        CaseOutcome::Skipped => format!("<skipped message=\"{}\"/>", xml(&detail)),
        CaseOutcome::Passed if check.status == Status::Warn => {
            let word = words::status(check.status);
            format!("<system-out>{word}: {}{lines}</system-out>", xml(&detail))
        }
        CaseOutcome::Passed => String::new(),
    };
    let file = check.location.as_ref().map(|location| location.file.as_str());
    case((suite, check.id.as_str()), file, outcome, &inner)
}

/// The verdict as a test case of its own.
fn verdict_case(suite: &str, verdict: Verdict, why: &str) -> Case {
    let (outcome, tag) = match verdict {
        Verdict::Fail => (CaseOutcome::Failure, "failure"),
        Verdict::Inconclusive | Verdict::Pass => (CaseOutcome::Error, "error"),
    };
    case(
        (suite, "verdict"),
        None,
        outcome,
        &element(tag, verdict.as_str(), why, ""),
    )
}

/// An element with a message for lists and the whole story as its content. `lines` are escaped.
fn element(tag: &str, kind: &str, message: &str, lines: &str) -> String {
    let message = xml(message);
    format!(
        "<{tag} message=\"{message}\" type=\"{}\">{message}{lines}</{tag}>",
        xml(kind)
    )
}

/// `file` is the one that holds the expectation: GitLab shows it next to the test.
fn case((suite, name): (&str, &str), file: Option<&str>, outcome: CaseOutcome, inner: &str) -> Case {
    let file = file.map(|file| format!(" file=\"{}\"", xml(&shorten(file, MAX_NAME))));
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{name}\"{} time=\"0.000\"",
        xml(suite),
        file.unwrap_or_default()
    );
    let text = if inner.is_empty() {
        format!("{head}/>\n")
    } else {
        format!("{head}>\n      {inner}\n    </testcase>\n")
    };
    Case { outcome, text }
}

/// What the verdict is, and what it must not be read without.
fn properties(target: &TargetReport, mode: Mode) -> String {
    let banners = banner::of_target(target, mode);
    let said = [
        ("verdict", words::verdict(target)),
        ("proves", words::proven(target, mode)),
    ];
    let property =
        |name: &str, value: &str| format!("      <property name=\"{name}\" value=\"{}\"/>\n", xml(value));
    let notes = banners.iter().map(|line| property("note", line));
    let explained = reached::explained(target);
    let explained = explained.iter().map(|line| property("explained", line));
    let accepted = accepted::lines(target);
    let accepted = accepted
        .iter()
        .map(|line| property("accepted", &shorten(line, table::MAX_DETAIL)));
    let said = said
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| property(name, value));
    let all: String = notes.chain(said).chain(explained).chain(accepted).collect();
    format!("    <properties>\n{all}    </properties>\n")
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case> + Clone) -> String {
    let of = |outcome| cases.clone().filter(|case| case.outcome == outcome).count();
    format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"",
        cases.clone().count(),
        of(CaseOutcome::Failure),
        of(CaseOutcome::Error),
        of(CaseOutcome::Skipped),
    )
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

#[cfg(test)]
#[path = "junit_tests.rs"]
mod tests;
