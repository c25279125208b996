//! The card as Teams sees it: its words, its limits, and nothing of an untrusted party's that acts.

use proptest::prelude::*;

use super::*;
use crate::alert::AlertEvent;
use crate::alert::samples;
use crate::alert::slack_text::tests::hostile;
use cvm_verify_core::report::TargetReport;

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
    prop_assert!(payload.to_string().len() <= 28 * 1024);
    let card = &payload["attachments"][0]["content"];
    for block in card["body"].as_array().unwrap() {
        prop_assert_eq!(&block["type"], "RichTextBlock");
        for run in block["inlines"].as_array().unwrap() {
            prop_assert_eq!(&run["type"], "TextRun");
            let text = run["text"].as_str().unwrap();
            let acts = text.contains(['{', '}', '<', '>']);
            prop_assert!(!text.is_empty() && !acts);
            prop_assert!(!text.chars().any(char::is_control));
        }
    }
    for action in card["actions"].as_array().unwrap() {
        prop_assert_eq!(&action["type"], "Action.OpenUrl");
        prop_assert!(action["url"].as_str().unwrap().starts_with("https://"));
    }
    prop_assert!(card.get("msteams").is_none());
    Ok(())
}

#[test]
fn a_failure_as_a_card() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&of(&samples::fail())).unwrap());
}

#[test]
fn a_test_as_a_card() {
    let message = Message::test(&samples::context(), [1; 16]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload(&message)).unwrap());
}

#[test]
fn the_limit_holds_and_what_is_left_out_is_counted() {
    for piece in ["x", "{", "\"", "\\", "\u{202e}", "🦀", "é"] {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_text_neither_acts_nor_exceeds_a_limit(text in hostile(), run in hostile()) {
        check(&samples::in_hostile_words(&text, &run, payload))?;
        check(&payload(&samples::digest(6, &samples::all_fail(&text))))?;
    }
}
