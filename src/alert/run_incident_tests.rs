//! What is about no target, over several runs.

use std::time::Duration;

use super::*;
use crate::alert::samples;
use crate::alert::services::{self, ROUTING_KEY};
use crate::net::{Secret, loopback};

const GONE: Trouble<'_> = Trouble {
    cause: "cvm.lock: does not exist.",
    next: "Write it.",
};

/// A run that does not get the state begins an incident of which the state knows nothing: the next one ends it all the same.
#[tokio::test]
async fn an_incident_that_began_without_the_state_is_resolved() {
    let (pagerduty, _, incidents) = services::pagerduty().await;
    let url = pagerduty.join("/v2/enqueue").unwrap();
    let channels = Channels::default()
        .with("pagerduty-routing-key", Some(Secret::new(ROUTING_KEY.to_owned())))
        .with("pagerduty-url", Some(Secret::new(url.to_string())));
    let client = loopback::client();
    let sender = AlertSender::new(&client, &|| [1; 16]).within(Duration::from_secs(60));
    let job = ["acme/shop/.github/workflows/monitor.yml".to_owned()];
    let subject = RunSubject::run(&job, &job);
    let mut state = State::default();
    let open = || incidents.lock().unwrap().len();
    let context = samples::context();
    for (trouble, then_open) in [(Some(GONE), 1), (None, 0)] {
        tell_of_run(&sender, &channels, &subject, trouble, &mut state, &context).await;
        assert_eq!(open(), then_open);
    }
    nothing_verified(&sender, &channels, &subject, GONE, &context).await;
    assert_eq!(open(), 1);
    let records = tell_of_run(&sender, &channels, &subject, None, &mut state, &context).await;
    assert!(records.is_empty(), "{records:#?}");
    assert_eq!(open(), 0);
    // After a relapse one verdict is not the end.
    for (trouble, then_open) in [(Some(GONE), 1), (None, 1), (None, 0)] {
        tell_of_run(&sender, &channels, &subject, trouble, &mut state, &context).await;
        assert_eq!(open(), then_open);
    }
}

/// A `watch` weighs its policy every few seconds, and writes no state for what changes nothing.
#[test]
fn that_all_is_as_it_should_be_is_news_until_it_was_told_and_no_longer() {
    let hook = |url: &str| Some(Secret::new(url.to_owned()));
    let channels = Channels::default().with("webhook-url", hook("https://a.example/"));
    let subject = RunSubject::policy(&[]);
    let mut state = State::default();
    let quiet = |state: &State, channels: &Channels| is_quiet(state, channels, &subject);
    assert!(quiet(&state, &channels), "nothing was ever wrong");
    let now = samples::context().now;
    let weigh = |state: &mut State, trouble| weigh_run(state, &channels, &subject, trouble, now);
    for _ in 0..2 {
        assert!(weigh(&mut state, Some(GONE)).is_empty());
        assert!(!quiet(&state, &channels), "a pass begins the count anew");
    }
    let wrong = weigh(&mut state, Some(GONE));
    assert_eq!(wrong.len(), 1);
    assert!(!quiet(&state, &channels));
    state.record(subject.stored(), &wrong[0], now);
    let end = weigh(&mut state, None);
    assert_eq!(end.len(), 1);
    assert!(!quiet(&state, &channels), "it is still to be told");
    state.record(subject.stored(), &end[0], now);
    // One that is wrong for a moment, now and then, does not add up.
    for _ in 0..20 {
        weigh(&mut state, None);
    }
    assert!(quiet(&state, &channels));
    let other = channels.clone().with("webhook-url", hook("https://b.example/"));
    assert!(!quiet(&state, &other), "a receiver that is not known yet");
}
