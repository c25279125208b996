//! What log lines look like, whatever a CVM sent.

use super::*;
use crate::render::escape::is_plain;
use crate::render::samples;
use crate::watch::watch_status_tests::report;
use cvm_verify_core::report::{AcceptedKind, CheckId, Status, TrustRootKind, Verdict};

#[test]
fn a_pass_is_one_short_line() {
    let report = report("api", Verdict::Pass);
    let line = LogEntry::verified(&report, 812, 1_786_622_400).line(LogFormat::Text);
    assert_eq!(line, "2026-08-13T12:00:00Z info  api: PASS (812 ms)");
}

/// A pass with a waiver is not the pass of a target without one.
#[test]
fn what_was_waived_or_accepted_stands_behind_the_verdict() {
    let mut report = report("api", Verdict::Pass);
    report.waived.push(CheckId::OsImage);
    samples::accept(
        &mut report,
        CheckId::ImagePins,
        AcceptedKind::ReviewedPlace,
        "cvm.lock:12",
    );
    let entry = LogEntry::verified(&report, 812, 1_786_622_400);
    assert_eq!(
        entry.line(LogFormat::Text),
        "2026-08-13T12:00:00Z info  api: PASS (waived: os-image; accepted by cvm.lock: reviewed place) (812 ms)"
    );
    let json: serde_json::Value = serde_json::from_str(&entry.line(LogFormat::Json)).expect("JSON");
    assert_eq!(
        json["on_trust"],
        serde_json::json!(["waived: os-image", "accepted by cvm.lock: reviewed place"])
    );
}

#[test]
fn a_failure_names_check_reason_and_cause() {
    let mut report = report("api", Verdict::Fail);
    report.checks[9].status = Status::Fail;
    report.checks[9].reason = Some("compose-hash-mismatch".to_owned());
    report.checks[9].detail = "Another one.\u{1b}[31m\n::error::x \u{202e}".to_owned();
    let entry = LogEntry::verified(&report, 9, 1_786_622_400);
    insta::assert_snapshot!(entry.line(LogFormat::Text));
    let json: serde_json::Value = serde_json::from_str(&entry.line(LogFormat::Json)).expect("JSON");
    assert_eq!(json["event"], "verified");
    assert_eq!(
        json["failed"],
        serde_json::json!(["compose-hash/compose-hash-mismatch"])
    );
    assert_eq!(json["message"], "Another one.\u{1b}[31m\n::error::x \u{202e}");
    assert!(!entry.line(LogFormat::Json).contains('\n'));
    // A runner looks for its commands anywhere in a line.
    report.checks[9].detail = "##vso[task.complete result=Succeeded;]\u{9b}31m\u{7f} ##[error]x".to_owned();
    let entry = LogEntry::verified(&report, 9, 1_786_622_400);
    let line = entry.line(LogFormat::Json);
    assert!(line.chars().all(is_plain), "{line}");
    assert!(!line.contains("##vso") && !line.contains("##["), "{line}");
    let json: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(json["message"], report.checks[9].detail.as_str());
}

#[test]
fn what_only_follows_from_a_cause_is_left_out_and_an_unmet_requirement_is_a_cause() {
    let mut report = report("api", Verdict::Inconclusive);
    for check in &mut report.checks {
        check.status = Status::Error;
        check.reason = Some("quote-not-proven".to_owned());
    }
    report.checks[0].reason = Some("unreachable".to_owned());
    report.checks[0].detail = "No connection.".to_owned();
    let line = LogEntry::verified(&report, 9, 0).line(LogFormat::Text);
    assert_eq!(
        line,
        "1970-01-01T00:00:00Z warn  api: INCONCLUSIVE (9 ms) [evidence/unreachable] No connection."
    );
    for check in &mut report.checks {
        check.status = Status::Pass;
        check.reason = None;
    }
    let unmet = &mut report.checks[9];
    unmet.status = Status::Skip;
    unmet.reason = Some("no-expectation".to_owned());
    unmet.detail = "Nobody said what should run.".to_owned();
    let line = LogEntry::verified(&report, 9, 0).line(LogFormat::Text);
    assert!(
        line.ends_with("[compose-hash/no-expectation] Nobody said what should run."),
        "{line}"
    );
}

#[test]
fn alerts_and_notes_say_what_happened() {
    let record = AlertRecord {
        channel: "slack".to_owned(),
        event: "failed".to_owned(),
        delivered: false,
        detail: "api: HTTP 500, three times".to_owned(),
    };
    let line = LogEntry::alert(&record, 0).line(LogFormat::Text);
    assert_eq!(
        line,
        "1970-01-01T00:00:00Z warn  alert: slack NOT DELIVERED, event failed: api: HTTP 500, three times"
    );
    let line = LogEntry::note(LogLevel::Info, "stopping", "SIGTERM".to_owned(), 0).line(LogFormat::Text);
    assert_eq!(line, "1970-01-01T00:00:00Z info  stopping: SIGTERM");
}

#[test]
fn what_is_only_simulated_says_so_in_every_line() {
    let mut report = report("api", Verdict::Pass);
    report.trust_root = TrustRootKind::Custom;
    let entry = LogEntry::verified(&report, 9, 0);
    assert_eq!(
        entry.line(LogFormat::Text),
        "1970-01-01T00:00:00Z info  SIMULATED api: PASS (9 ms)"
    );
    let json: serde_json::Value = serde_json::from_str(&entry.line(LogFormat::Json)).expect("JSON");
    assert_eq!(json["simulated"], true);
}

#[test]
fn a_note_of_several_lines_cannot_look_like_another_entry() {
    let message = "two mistakes:\n2026-01-01T00:00:00Z info  api: PASS\u{1b}[0m".to_owned();
    let line = LogEntry::note(LogLevel::Error, "policy-refused", message, 0).line(LogFormat::Text);
    let lines: Vec<&str> = line.lines().collect();
    assert_eq!(
        lines,
        [
            "1970-01-01T00:00:00Z error policy-refused: two mistakes:",
            "    2026-01-01T00:00:00Z info  api: PASS\\u{1b}[0m"
        ]
    );
}
