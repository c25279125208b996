//! What later steps read: GitHub's outputs, as typed data and in the file's own form.
//!
//! Threat T52: anyone who writes a line into this file chooses the verdict. A value is therefore a word, hex, a number or
//! a path, made here by its own rule; whatever breaks the rule is left empty.

use super::alert::Delivery;
use cvm_verify_core::report::{AcceptedKind, AlertRecord, Assurance, CheckId, Report, Status, TargetReport};

/// Where the files of a run were written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paths<'a> {
    /// `--report-json`.
    pub report_json: Option<&'a str>,
    /// `--summary`.
    pub summary: Option<&'a str>,
    /// `--junit`.
    pub junit: Option<&'a str>,
    /// `--evidence`.
    pub evidence: Option<&'a str>,
    /// The statement about the only target, where it passes.
    pub statement: Option<&'a str>,
    /// Its predicate alone.
    pub predicate: Option<&'a str>,
    /// The statements about all targets that pass, a list in JSON on one line.
    pub statements: Option<&'a str>,
}

/// Longest list of statements, in bytes: a runner takes 1 MiB for all outputs of a job.
const MAX_STATEMENTS: usize = 256 * 1024;

/// A name and a value on one line. Made by [`outputs`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    name: &'static str,
    value: String,
}

impl Output {
    /// Kebab-case.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// One line without control characters; empty if there is nothing to say.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The outputs of a run, all of them and in a fixed order.
///
/// Of several targets `assurance` is the lowest, `failed-checks` and `accepted` the union, and what they do not share is empty.
#[must_use]
pub fn outputs(report: &Report, paths: &Paths) -> Vec<Output> {
    let targets = &report.targets;
    let path_of = |given: Option<&str>| path(given.unwrap_or_default());
    [
        ("simulated", flag(report.notice.is_some())),
        ("verdict", report.verdict.as_str().to_owned()),
        ("assurance", assurance(targets).to_string()),
        ("exit-code", report.exit_code.to_string()),
        ("failed-checks", failed_checks(targets)),
        ("accepted", accepted(targets)),
        ("report-json", path_of(paths.report_json)),
        ("summary-path", path_of(paths.summary)),
        ("junit-path", path_of(paths.junit)),
        ("evidence-path", path_of(paths.evidence)),
        ("statement-path", path_of(paths.statement)),
        ("predicate-path", path_of(paths.predicate)),
        ("subject-digest", subject_digest(report, paths)),
        (
            "statements",
            kept(paths.statements.unwrap_or("[]"), MAX_STATEMENTS, is_line),
        ),
        (
            "tcb-status",
            word(shared(targets, |target| target.tcb.status.as_deref())),
        ),
        (
            "app-id",
            hex(shared(targets, |target| target.measurements.app_id.as_deref())),
        ),
        (
            "compose-hash",
            hex(shared(targets, |target| {
                target.measurements.compose_hash.as_deref()
            })),
        ),
        ("alert-status", alert_status(&report.alerts).to_owned()),
        ("version", word(&report.tool.version)),
    ]
    .into_iter()
    .map(|(name, value)| Output { name, value })
    .collect()
}

/// `true`, or empty.
fn flag(is_set: bool) -> String {
    if is_set { "true".to_owned() } else { String::new() }
}

/// The digest of the statement's subject, as `actions/attest` takes it. Empty without a statement.
fn subject_digest(report: &Report, paths: &Paths) -> String {
    let compose_hash = shared(&report.targets, |target| {
        target.measurements.compose_hash.as_deref()
    });
    match hex(compose_hash) {
        hash if paths.statement.is_some() && !hash.is_empty() => format!("sha256:{hash}"),
        _ => String::new(),
    }
}

/// What all targets have in common. None at all has nothing.
fn shared<'a>(targets: &'a [TargetReport], of: impl Fn(&'a TargetReport) -> Option<&'a str>) -> &'a str {
    let mut values = targets.iter().map(of);
    let first = values.next().flatten();
    first
        .filter(|_| values.all(|value| value == first))
        .unwrap_or_default()
}

fn assurance(targets: &[TargetReport]) -> Assurance {
    let all = targets.iter().map(|target| target.assurance);
    all.reduce(Assurance::common).unwrap_or(Assurance::None)
}

/// The ids of all checks that say `fail`, with commas.
fn failed_checks(targets: &[TargetReport]) -> String {
    let fails = |id: &CheckId| {
        let results = targets.iter().flat_map(|target| &target.checks);
        results
            .clone()
            .any(|check| check.id == *id && check.status == Status::Fail)
    };
    let ids: Vec<&str> = CheckId::ALL
        .iter()
        .filter(|id| fails(id))
        .map(|id| id.as_str())
        .collect();
    ids.join(",")
}

/// What was accepted in writing, with commas: each kind once, and `waiver` for what was waived.
fn accepted(targets: &[TargetReport]) -> String {
    let is_there = |kind: &AcceptedKind| {
        let all = targets.iter().flat_map(|target| &target.accepted);
        let is_waived = || targets.iter().any(|target| !target.waived.is_empty());
        all.clone().any(|one| one.what == *kind) || (*kind == AcceptedKind::Waiver && is_waived())
    };
    let kinds: Vec<&str> = AcceptedKind::ALL
        .iter()
        .filter(|kind| is_there(kind))
        .map(|kind| kind.as_str())
        .collect();
    kinds.join(",")
}

/// What `alert-status` can say, as action.yml describes it.
#[cfg(test)]
const ALERT_STATUSES: [&str; 5] = ["none", "skipped", "delivered", "failed", "partial"];

/// `none` if none was due, `skipped` if there was no secret to send it with; else `delivered`, `failed`, or
/// `partial`.
fn alert_status(alerts: &[AlertRecord]) -> &'static str {
    let count = |wanted| {
        alerts
            .iter()
            .filter(|alert| Delivery::of(alert) == wanted)
            .count()
    };
    match (count(Delivery::Delivered), count(Delivery::Failed)) {
        (0, 0) if alerts.is_empty() => "none",
        (0, 0) => "skipped",
        (_, 0) => "delivered",
        (0, _) => "failed",
        _ => "partial",
    }
}

/// Lower-case hex, or nothing.
fn hex(text: &str) -> String {
    kept(text, 128, |c| matches!(c, '0'..='9' | 'a'..='f'))
}

/// Intel's words for a TCB, a version: or nothing.
fn word(text: &str) -> String {
    kept(text, 64, |c| c.is_ascii_alphanumeric() || "-.+".contains(c))
}

/// A path as it was given: it has to name the file. Nothing of it may end a line.
fn path(text: &str) -> String {
    kept(text, 4096, is_line)
}

const fn is_line(c: char) -> bool {
    !c.is_ascii_control() && !matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}')
}

fn kept(text: &str, most: usize, is_allowed: impl Fn(char) -> bool) -> String {
    let is_clean = text.len() <= most && text.chars().all(is_allowed);
    if is_clean { text.to_owned() } else { String::new() }
}

#[cfg(test)]
#[path = "outputs_tests.rs"]
mod tests;
