//! Events as PagerDuty sees them.

use proptest::prelude::*;

use super::*;
use crate::alert::message::RunContext;
use crate::alert::samples;
use crate::alert::sanitize::units;
use crate::alert::slack_text::tests::hostile;

fn message(event: AlertEvent) -> Message {
    let target = if event == AlertEvent::Recovered {
        samples::pass()
    } else {
        samples::fail()
    };
    Message::new(&target, event, &samples::context(), [1; 16])
}

#[test]
fn a_failure_as_an_event() {
    let event = payload(&message(AlertEvent::Failed), "KEY");
    insta::assert_snapshot!(serde_json::to_string_pretty(&event).unwrap());
}

#[test]
fn a_recovery_resolves_what_the_failure_triggered_whatever_failed() {
    let failed = payload(&message(AlertEvent::Failed), "KEY");
    let changed = payload(
        &Message::new(
            &samples::unreachable(),
            AlertEvent::Changed,
            &samples::context(),
            [2; 16],
        ),
        "KEY",
    );
    let recovered = payload(&message(AlertEvent::Recovered), "KEY");
    assert_eq!(recovered["event_action"], "resolve");
    assert_eq!(recovered["dedup_key"], failed["dedup_key"]);
    assert_eq!(changed["dedup_key"], failed["dedup_key"]);
    let expiring = payload(&message(AlertEvent::Expiring), "KEY");
    assert_ne!(expiring["dedup_key"], failed["dedup_key"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn hostile_text_exceeds_no_limit_and_is_no_part_of_the_key(text in hostile(), run in hostile()) {
        let run_url = format!("https://forge.example/{run}");
        let context = RunContext { run_url: Some(&run_url), ..samples::context() };
        let mut target = samples::all_fail(&text);
        target.name = "api".to_owned();
        let event = payload(&Message::new(&target, AlertEvent::Failed, &context, [1; 16]), "KEY");
        prop_assert!(event.to_string().len() < 512_000);
        let summary = event["payload"]["summary"].as_str().unwrap();
        prop_assert!((1..=1024).contains(&units(summary)) && !summary.chars().any(char::is_control));
        let key = event["dedup_key"].as_str().unwrap();
        prop_assert!(key.len() <= 255 && key.ends_with(&crate::alert::incident::TargetId::of("api").to_string()));
    }
}
