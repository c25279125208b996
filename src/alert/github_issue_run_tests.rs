//! A run that verifies nothing, of which an issue remembers what was told.

use super::*;
use crate::alert::{RunSubject, Trouble, tell_of_run};

/// A run on a runner that remembers nothing, `minutes` after the first.
async fn run(api: &Url, cause: Option<&str>, minutes: u64) -> Vec<String> {
    let channels = Channels::default().with_issues(issues(api));
    let context = RunContext {
        now: samples::context().now + minutes * 60,
        ..samples::context()
    };
    let job = ["acme/shop/.github/workflows/monitor.yml".to_owned()];
    let subject = RunSubject::run(&job, &job).about("shop.example");
    let trouble = cause.map(|cause| Trouble {
        cause,
        next: "Correct it.",
    });
    let sender = AlertSender {
        client: &loopback::client(),
        retry_policy: fast(),
        entropy: &|| [1; 16],
        until: None,
    };
    let mut state = State::default();
    short(&tell_of_run(&sender, &channels, &subject, trouble, &mut state, &context).await)
}

#[tokio::test]
async fn a_run_that_verifies_nothing_has_an_issue_that_is_closed_when_it_does() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    let told = |event: &str| vec![format!("{event} true this run: accepted")];
    assert_eq!(run(&api, None, 0).await, NOTHING);
    assert_eq!(forge.writes(), NOTHING);
    let gone = "cvm.lock: does not exist.";
    assert_eq!(run(&api, Some(gone), 1).await, told("inconclusive"));
    assert_eq!(forge.open(), [1]);
    let body = forge.body(1);
    assert!(
        body.contains("Nothing was verified") && body.contains("does not exist"),
        "{body}"
    );
    forge.writes();
    assert_eq!(run(&api, Some(gone), 60).await, NOTHING);
    assert_eq!(forge.writes(), NOTHING, "the same again");
    let typo = "cvm-verify.toml:2:1: a typing error.";
    assert_eq!(run(&api, Some(typo), 120).await, told("changed"));
    assert!(forge.body(1).contains("a typing error"), "{}", forge.body(1));
    assert_eq!(run(&api, Some(typo), 120 + 25 * 60).await, told("reminder"));
    assert_eq!(run(&api, None, 180 + 25 * 60).await.len(), 1);
    assert_eq!(forge.open(), Vec::<u64>::new());
    let body = forge.body(1);
    assert!(body.contains("**RECOVERED ") && !body.contains("TEST"), "{body}");
    // It verifies nothing again soon: the same issue, and two verdicts in a row end it.
    assert_eq!(run(&api, Some(gone), 190 + 25 * 60).await, told("inconclusive"));
    assert_eq!(forge.open(), [1]);
    assert_eq!(run(&api, None, 200 + 25 * 60).await, NOTHING);
    assert_eq!(run(&api, None, 210 + 25 * 60).await.len(), 1);
    assert_eq!(forge.open(), Vec::<u64>::new());
}

/// The issue comes last and has its time, also after a channel that hangs for longer than issues are looked for.
#[tokio::test]
async fn a_channel_that_hangs_keeps_no_issue_from_being_opened_or_closed() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    let hook = loopback::raw(|_, _stream| async { tokio::time::sleep(Duration::from_secs(60)).await }).await;
    let channels = Channels::default()
        .with("webhook-url", Some(Secret::new(hook.to_string())))
        .with_issues(issues(&api));
    let job = ["acme/shop/.github/workflows/monitor.yml".to_owned()];
    let subject = RunSubject::run(&job, &job);
    let client = loopback::client();
    let wrong = Trouble {
        cause: "cvm.lock: does not exist.",
        next: "Correct it.",
    };
    for (trouble, then_open) in [(Some(wrong), vec![1]), (None, vec![])] {
        let sender = AlertSender::new(&client, &|| [1; 16]).within(Duration::from_millis(7500));
        let mut state = State::default();
        let context = samples::context();
        let records = tell_of_run(&sender, &channels, &subject, trouble, &mut state, &context).await;
        let taken = records
            .iter()
            .map(|record| (record.channel.as_str(), record.delivered));
        let taken: Vec<_> = taken.collect();
        assert!(taken.contains(&("webhook", false)), "{records:#?}");
        assert!(taken.contains(&("github-issue", true)), "{records:#?}");
        assert_eq!(forge.open(), then_open, "{records:#?}");
    }
}
