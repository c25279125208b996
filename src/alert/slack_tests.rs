//! The payload as Slack sees it: its words, its limits, and nothing of an untrusted party's that acts.

use proptest::prelude::*;

use super::*;
use crate::alert::event::AlertEvent;
use crate::alert::message::RunContext;
use crate::alert::samples;
use crate::alert::sanitize::units;
use crate::alert::slack_text::tests::{hostile, is_escaped};
use cvm_verify_core::report::{Mode, TargetReport, TrustRootKind};

fn of(target: &TargetReport) -> Value {
    payload(&Message::new(
        target,
        AlertEvent::Failed,
        &samples::context(),
        [1; 16],
    ))
}

/// Every text object of a payload: its type and its text.
fn texts(value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
            let text = fields.get("text").and_then(Value::as_str);
            let own = text.map(|text| (kind.to_owned(), text.to_owned()));
            own.into_iter().chain(fields.values().flat_map(texts)).collect()
        }
        _ => Vec::new(),
    }
}

const INVISIBLE: [char; 4] = ['\u{202e}', '\u{200b}', '\u{2066}', '\u{e0041}'];

/// What must hold of any payload.
fn check(payload: &Value) -> Result<(), TestCaseError> {
    let blocks = payload["blocks"].as_array().unwrap();
    prop_assert!(blocks.len() <= 50);
    prop_assert!(payload.to_string().chars().count() <= 13_000);
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => prop_assert!(units(block["text"]["text"].as_str().unwrap()) <= 150),
            "context" => prop_assert!((1..=10).contains(&block["elements"].as_array().unwrap().len())),
            kind => prop_assert_eq!(kind, "section"),
        }
    }
    for (kind, text) in texts(payload) {
        prop_assert!(!text.is_empty() && units(&text) <= 3000);
        match kind.as_str() {
            "plain_text" | "" => prop_assert!(is_escaped(&text), "{}", text),
            "mrkdwn" => {
                let inner = text
                    .strip_prefix('<')
                    .and_then(|text| text.strip_suffix("|Open the run>"));
                prop_assert!(inner.is_some_and(|url| is_escaped(url) && !url.contains('|')));
            }
            kind => prop_assert!(false, "{}", kind),
        }
        prop_assert!(!text.contains("<!") && !text.contains("<@"));
        prop_assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        prop_assert!(!text.contains(INVISIBLE), "{:?}", text);
    }
    for name in ["link_names", "parse", "username", "channel", "icon_url"] {
        prop_assert!(payload.get(name).is_none());
    }
    Ok(())
}

#[test]
fn a_failure_in_block_kit() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&of(&samples::fail())).unwrap());
}

#[test]
fn an_inconclusive_result_in_block_kit() {
    let message = Message::new(
        &samples::inconclusive(),
        AlertEvent::Inconclusive,
        &samples::context(),
        [1; 16],
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload(&message)).unwrap());
}

#[test]
fn a_test_in_block_kit() {
    let message = Message::test(&samples::context(), [1; 16]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&payload(&message)).unwrap());
}

#[test]
fn the_first_two_lines_name_the_cause_and_the_next_step() {
    for target in [samples::fail(), samples::inconclusive(), samples::unreachable()] {
        let message = Message::new(&target, AlertEvent::Failed, &samples::context(), [1; 16]);
        let payload = payload(&message);
        let shown: Vec<String> = texts(&payload["blocks"])
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert!(
            shown[0].contains(&message.cause) && shown[1].contains(&message.next),
            "{shown:?}"
        );
        let lines: Vec<&str> = payload["text"].as_str().unwrap().lines().collect();
        assert!(lines[0].contains(&message.cause) && lines[1].starts_with("Next: "));
    }
}

#[test]
fn a_simulated_replay_says_so_above_everything_else() {
    let mut target = samples::fail();
    target.trust_root = TrustRootKind::Custom;
    let replay = RunContext {
        mode: Mode::Replay,
        ..samples::context()
    };
    let payload = payload(&Message::new(&target, AlertEvent::Failed, &replay, [1; 16]));
    let shown = texts(&payload["blocks"]);
    assert!(shown[0].1.starts_with("SIMULATED: not Intel's root") && shown[1].1.starts_with("REPLAY as of"));
    assert!(payload["text"].as_str().unwrap().starts_with("SIMULATED: "));
    check(&payload).unwrap();
}

#[test]
fn t58_each_attack_is_text() {
    for attack in [
        "<!channel>",
        "<!here|x>",
        "<!subteam^S012|x>",
        "<@U0123>",
        "<https://evil.example|https://good.example>",
        "@here",
        "&lt;!channel&gt;",
    ] {
        let payload = of(&samples::all_fail(attack));
        check(&payload).unwrap();
        let everything: String = texts(&payload).into_iter().map(|(_, text)| text).collect();
        assert!(!everything.contains(attack), "{attack}: {everything}");
    }
}

#[test]
fn the_limits_hold_when_everything_is_as_long_as_it_can_be_and_what_is_left_out_is_counted() {
    for piece in ["x", "&", "\"", "\\", "\u{202e}", "🦀", "é"] {
        let payload = of(&samples::all_fail(&piece.repeat(5000)));
        check(&payload).unwrap();
        let shown = texts(&payload["blocks"]);
        assert!(
            shown
                .iter()
                .any(|(_, text)| text.contains("more of these checks do not fit here")),
            "{piece}"
        );
    }
}

#[test]
fn a_run_url_that_is_no_web_address_is_left_out() {
    for url in [
        "javascript:alert(1)",
        "not a url",
        "<!channel>",
        "slack://channel?id=1",
    ] {
        let context = RunContext {
            run_url: Some(url),
            ..samples::context()
        };
        let payload = payload(&Message::test(&context, [1; 16]));
        assert!(texts(&payload).iter().all(|(kind, _)| kind != "mrkdwn"), "{url}");
    }
}

#[test]
fn slack_says_what_is_wrong_in_words_that_we_know_and_no_others_are_repeated() {
    let said = |body: &[u8]| refusal(&Response::with(404, &[], body));
    assert!(said(b"no_service\n").unwrap().contains("make a new one"));
    assert_eq!(said(b"/services/T0/B0/hunter2 was not found"), None);
    assert_eq!(said(b"ok"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn t58_hostile_text_neither_acts_nor_exceeds_a_limit(text in hostile(), run in hostile()) {
        check(&samples::in_hostile_words(&text, &run, payload))?;
        check(&payload(&samples::digest(6, &samples::all_fail(&text))))?;
    }
}
