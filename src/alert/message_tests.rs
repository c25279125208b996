use super::*;
use crate::alert::samples;
use crate::alert::sanitize::MAX_SENTENCE;
use cvm_verify_core::report::TrustRootKind;

fn message(target: &TargetReport) -> Message {
    Message::new(target, AlertEvent::Failed, &samples::context(), [7; 16])
}

#[test]
fn the_first_line_is_the_cause_and_the_second_what_to_do() {
    let message = message(&samples::fail());
    assert_eq!(
        (message.cause.as_str(), message.word()),
        (
            "The VM runs another compose document than the one expected by cvm.lock.",
            "FAIL"
        )
    );
    assert!(
        message.next.starts_with("If you deployed a new version, run"),
        "{}",
        message.next
    );
    let ids: Vec<CheckId> = message.failed.iter().map(|check| check.id).collect();
    assert_eq!(ids, [CheckId::ComposeHash]);
    assert_eq!(message.delivery_id, "07".repeat(16));
}

/// A pass that hangs on what somebody waived is not shown as one in full.
#[test]
fn a_recovery_says_what_was_waived() {
    let mut target = samples::fail();
    target.verdict = Verdict::Pass;
    let due = Due {
        channel: "slack".to_owned(),
        event: AlertEvent::Recovered,
        about: About::Recovery,
    };
    let said = |target: &TargetReport| {
        let message = Message::due(target, &due, &samples::context(), [7; 16]);
        (
            message.cause.clone(),
            message.by_gravity("fail", "warning", "pass", "test"),
        )
    };
    target.waived.clear();
    target.accepted.clear();
    let whole = "Passes again, in full and by the same policy as before.".to_owned();
    assert_eq!(said(&target), (whole, "pass"));
    target.waived = vec![CheckId::OsImage];
    let waived = "Passes again, by the same policy as before. Waived: os-image.".to_owned();
    assert_eq!(said(&target), (waived, "warning"));
}

#[test]
fn a_missing_expectation_is_told_by_its_meaning_and_the_value_stays_in_the_detail() {
    let message = message(&samples::inconclusive());
    assert!(
        message
            .cause
            .starts_with("No compose hash is expected, so any code")
    );
    assert!(message.failed[0].detail.contains(samples::MEASURED));
}

#[test]
fn simulated_and_replayed_results_say_so_first() {
    let mut target = samples::fail();
    target.trust_root = TrustRootKind::Custom;
    let replay = RunContext {
        mode: Mode::Replay,
        ..samples::context()
    };
    let message = Message::new(&target, AlertEvent::Failed, &replay, [0; 16]);
    assert_eq!(
        message.labels,
        [
            "SIMULATED: not Intel's root, proves nothing about hardware",
            "REPLAY as of 2026-08-13T12:00:00Z"
        ]
    );
}

#[test]
fn a_check_without_advice_of_its_own_leads_to_the_explanation() {
    let mut target = samples::fail();
    samples::of(&mut target, CheckId::ComposeHash).fix = None;
    assert!(
        message(&target)
            .next
            .contains("`cvm-verify explain compose-hash`")
    );
}

#[test]
fn a_verdict_that_no_check_explains_is_still_told() {
    let mut target = samples::fail();
    target.checks.clear();
    let message = message(&target);
    assert!(message.failed.is_empty() && message.cause.starts_with("No check says why"));
}

#[test]
fn what_a_stranger_chose_is_one_visible_line() {
    let mut target = samples::fail();
    target.name = "app\n::error::\u{202e}".to_owned();
    target.url = Some("https://x/\u{1b}[2J".to_owned());
    samples::of(&mut target, CheckId::ComposeHash).detail = format!("a\nb{}", "x".repeat(9000));
    let message = message(&target);
    assert_eq!(message.name, "app\\u{a}::error::\\u{202e}");
    assert_eq!(message.url.as_deref(), Some("https://x/\\u{1b}[2J"));
    assert!(message.failed[0].detail.starts_with("a\\u{a}bxxx") && message.failed[0].detail.ends_with('…'));
    assert_eq!(message.failed[0].detail.chars().count(), MAX_SENTENCE);
}

#[test]
fn the_last_message_about_another_failure_says_that_it_is_the_last() {
    let target = samples::fail();
    let labels = |event: AlertEvent, last: bool| {
        let failure = Failure::of(&target, 0).unwrap();
        let due = Due {
            channel: "slack".to_owned(),
            event,
            about: About::Failure {
                failure,
                late: false,
                last,
            },
        };
        Message::due(&target, &due, &samples::context(), [0; 16]).labels
    };
    assert_eq!(labels(AlertEvent::Failed, false), [""; 0]);
    assert_eq!(labels(AlertEvent::Changed, false), [CHANGED]);
    for event in [AlertEvent::Failed, AlertEvent::Changed] {
        assert_eq!(labels(event, true), [CHANGED_OFTEN]);
    }
}
