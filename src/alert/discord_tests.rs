//! The payload as Discord sees it: its words, its limits, and nothing of an untrusted party's that acts.

use proptest::prelude::*;

use super::*;
use crate::alert::AlertEvent;
use crate::alert::discord_text::tests::is_escaped;
use crate::alert::message::RunContext;
use crate::alert::samples;
use crate::alert::services::discord_complaint;
use crate::alert::slack_text::tests::hostile;
use cvm_verify_core::report::{Mode, TargetReport, TrustRootKind};

fn of(target: &TargetReport) -> Value {
    payload(&Message::new(
        target,
        AlertEvent::Failed,
        &samples::context(),
        [1; 16],
    ))
}

/// What must hold of any payload.
fn check(payload: &Value) -> Result<(), TestCaseError> {
    prop_assert_eq!(discord_complaint(payload), None);
    prop_assert_eq!(&payload["allowed_mentions"], &json!({ "parse": [] }));
    let embed = &payload["embeds"][0];
    let fields = embed["fields"].as_array().unwrap();
    let marked = fields.iter().flat_map(|field| [&field["name"], &field["value"]]);
    for text in marked.chain([&embed["title"], &embed["description"]]) {
        let text = text.as_str().unwrap();
        let ours = "more of these checks do not fit here; the run's report has them.";
        prop_assert!(is_escaped(text) || text.ends_with(ours), "{}", text);
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
    }
    let content = payload
        .get("content")
        .map_or("", |content| content.as_str().unwrap());
    prop_assert!(
        is_escaped(content) && !content.chars().any(|c| c.is_control() && c != '\n'),
        "{}",
        content
    );
    for name in ["username", "avatar_url", "tts", "components"] {
        prop_assert!(payload.get(name).is_none());
    }
    Ok(())
}

/// The notification of a phone shows `content`, or else the title.
#[test]
fn what_is_simulated_or_a_replay_says_so_above_its_title() {
    let mut target = samples::fail();
    target.trust_root = TrustRootKind::Custom;
    let replay = RunContext {
        mode: Mode::Replay,
        ..samples::context()
    };
    let payload = payload(&Message::new(&target, AlertEvent::Failed, &replay, [1; 16]));
    let content = payload["content"].as_str().unwrap();
    assert!(content.starts_with("SIMULATED\\: not Intel's root"), "{content}");
    assert!(content.contains("\nREPLAY as of"), "{content}");
    assert!(
        payload["embeds"][0]["description"]
            .as_str()
            .unwrap()
            .starts_with("Next\\: ")
    );
    check(&payload).unwrap();
    assert_eq!(of(&samples::fail()).get("content"), None);
}

#[test]
fn a_failure_as_an_embed() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&of(&samples::fail())).unwrap());
}

#[test]
fn a_test_as_an_embed() {
    let message = Message::test(&samples::context(), [1; 16]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload(&message)).unwrap());
}

#[test]
fn the_limits_hold_and_what_is_left_out_is_counted() {
    for piece in ["x", "*", "\"", "\\", "\u{202e}", "🦀", "é"] {
        let payload = of(&samples::all_fail(&piece.repeat(5000)));
        check(&payload).unwrap();
        assert!(
            payload
                .to_string()
                .contains("more of these checks do not fit here"),
            "{piece}"
        );
    }
}

#[test]
fn discord_says_what_is_wrong_in_codes_and_no_words_are_repeated() {
    let said = |body: &[u8]| refusal(&Response::with(404, &[], body));
    assert!(
        said(br#"{"message":"Unknown Webhook","code":10015}"#)
            .unwrap()
            .contains("make a new one")
    );
    assert_eq!(said(br#"{"message":"/api/webhooks/1/hunter2","code":1}"#), None);
    assert_eq!(said(b"<html>"), None);
}

#[test]
fn how_long_to_wait_is_read_from_the_body_first() {
    let asked = |status, body: &[u8]| patience(&Response::with(status, &[("retry-after", "2")], body));
    assert_eq!(
        asked(429, br#"{"retry_after":0.25}"#),
        Some(Duration::from_millis(250))
    );
    for odd in [
        &br#"{"retry_after":-1}"#[..],
        br#"{"retry_after":1e300}"#,
        br#"{"retry_after":"1"}"#,
        b"",
        b"[]",
    ] {
        assert_eq!(asked(429, odd), Some(Duration::from_secs(2)));
    }
    assert_eq!(asked(503, br#"{"retry_after":9}"#), Some(Duration::from_secs(2)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_text_neither_acts_nor_exceeds_a_limit(text in hostile(), run in hostile()) {
        check(&samples::in_hostile_words(&text, &run, payload))?;
        check(&payload(&samples::digest(6, &samples::all_fail(&text))))?;
    }
}
