//! Delivery with a state, to servers that behave like the services.

use std::time::Duration;

use url::Url;

use super::*;
use crate::alert::delivery::RetryPolicy;
use crate::alert::incident::{PolicyEntry, PolicyFileId};
use crate::alert::samples::{self, set};
use crate::alert::services::{self, ROUTING_KEY};
use crate::alert::state_part::StatePart;
use crate::net::retry::Schedule;
use crate::net::{Client, Secret, loopback};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{CheckId, Status, Verdict};

fn fast() -> RetryPolicy {
    RetryPolicy {
        schedule: Schedule {
            first_pause: Duration::from_millis(10),
            total: Duration::from_secs(5),
            ..RetryPolicy::default().schedule
        },
        one_try: Duration::from_secs(1),
    }
}

fn sender(client: &Client) -> AlertSender<'_> {
    AlertSender {
        client,
        retry_policy: fast(),
        entropy: &|| [1; 16],
        until: None,
    }
}

fn secret(url: &Url, path: &str) -> Option<Secret> {
    Some(Secret::new(url.join(path).unwrap().to_string()))
}

fn seen(target: &TargetReport, at: u64) -> Observation {
    Observation::of(target, Policy::default().fingerprint(), at)
}

async fn delivered(channels: &Channels, state: &mut State, target: &TargetReport) -> Vec<String> {
    let targets = [target.clone()];
    let context = samples::context();
    let inputs = IncidentInputs {
        state,
        observations: &[vec![seen(target, context.now)]],
        rules: Rules::default(),
    };
    let client = loopback::client();
    let records = deliver_changes(&sender(&client), channels, &targets, inputs, &context).await;
    let word = |record: &AlertRecord| format!("{} {} {}", record.channel, record.event, record.delivered);
    records.iter().map(word).collect()
}

fn other_fail() -> TargetReport {
    let mut report = samples::pass();
    report.verdict = Verdict::Fail;
    set(&mut report, CheckId::AppId, Status::Fail, "app-id-mismatch");
    report
}

#[tokio::test]
async fn every_service_takes_every_kind_of_message() {
    let (discord, embeds) = services::discord(1).await;
    let (teams, cards) = services::teams().await;
    let (pagerduty, events, incidents) = services::pagerduty().await;
    let channels = Channels::default()
        .with("discord-webhook-url", secret(&discord, "/api/webhooks/1/hunter2"))
        .with(
            "teams-webhook-url",
            secret(&teams, "/workflows/1/triggers/manual?sig=hunter2"),
        )
        .with(
            "pagerduty-routing-key",
            Some(Secret::new(format!("{ROUTING_KEY}\n"))),
        )
        .with("pagerduty-url", secret(&pagerduty, "/v2/enqueue"));
    let mut state = State::default();
    let all =
        |event: &str| ["discord", "teams", "pagerduty"].map(|channel| format!("{channel} {event} true"));
    let mut expiring = samples::pass();
    set(&mut expiring, CheckId::Collateral, Status::Warn, "ends-soon");
    let big = samples::all_fail(&"\u{202e}\"<".repeat(2000));
    let big = TargetReport {
        name: samples::pass().name,
        ..big
    };
    for (report, events) in [
        (samples::fail(), all("failed").to_vec()),
        (samples::fail(), vec![]),
        (other_fail(), all("changed").to_vec()),
        (big, all("changed").to_vec()),
        (samples::pass(), all("recovered").to_vec()),
        (samples::pass(), vec![]),
        (expiring.clone(), all("expiring").to_vec()),
        (expiring, vec![]),
    ] {
        assert_eq!(delivered(&channels, &mut state, &report).await, events);
    }
    for taken in [embeds, cards, events] {
        assert_eq!(taken.lock().unwrap().len(), 5);
    }
    let open: Vec<String> = incidents.lock().unwrap().keys().cloned().collect();
    assert!(open.len() == 1 && open[0].ends_with("/expiring"), "{open:?}");
}

#[tokio::test]
async fn a_channel_that_was_down_hears_the_latest_failure_and_the_others_hear_nothing_twice() {
    let (discord, embeds) = services::discord(0).await;
    let (teams, cards) = services::teams().await;
    let up = Channels::default()
        .with("discord-webhook-url", secret(&discord, "/api/webhooks/1/hunter2"))
        .with("teams-webhook-url", secret(&teams, "/"));
    let down = up
        .clone()
        .with("discord-webhook-url", secret(&discord, "/api/webhooks/1/gone"));
    let mut state = State::default();
    let first = delivered(&down, &mut state, &samples::fail()).await;
    assert_eq!(first, ["discord failed false", "teams failed true"]);
    let second = delivered(&down, &mut state, &other_fail()).await;
    assert_eq!(second, ["discord failed false", "teams changed true"]);
    let ended = delivered(&down, &mut state, &samples::pass()).await;
    assert_eq!(ended, ["discord failed false", "teams recovered true"]);
    let back = delivered(&up, &mut state, &samples::pass()).await;
    assert_eq!(back, ["discord failed true", "discord recovered true"]);
    let late = embeds.lock().unwrap()[0].clone();
    assert!(
        late["content"].as_str().unwrap().starts_with("Found at "),
        "{late}"
    );
    let late = &late["embeds"][0];
    assert!(
        late["fields"][0]["name"].as_str().unwrap().contains("app\\-id"),
        "{late}"
    );
    assert!(late["title"].as_str().unwrap().starts_with("FAIL "), "{late}");
    assert_eq!(cards.lock().unwrap().len(), 3);
    assert_eq!(
        delivered(&up, &mut state, &samples::pass()).await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn t59_what_a_service_repeats_is_not_in_a_record() {
    let (pagerduty, _, _) = services::pagerduty().await;
    let channels = Channels::default()
        .with(
            "pagerduty-routing-key",
            Some(Secret::new("wronghunter2".to_owned())),
        )
        .with("pagerduty-url", secret(&pagerduty, "/v2/enqueue"));
    let mut state = State::default();
    let (client, context) = (loopback::client(), samples::context());
    let inputs = IncidentInputs {
        state: &mut state,
        observations: &[vec![seen(&samples::fail(), context.now)]],
        rules: Rules::default(),
    };
    let records = deliver_changes(&sender(&client), &channels, &[samples::fail()], inputs, &context).await;
    assert!(
        records[0]
            .detail
            .contains("status 400: PagerDuty does not take the event"),
        "{records:?}"
    );
    assert!(!format!("{records:?} {channels:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_test_ends_the_incident_that_it_makes() {
    let (pagerduty, events, incidents) = services::pagerduty().await;
    let channels = Channels::default()
        .with("pagerduty-routing-key", Some(Secret::new(ROUTING_KEY.to_owned())))
        .with("pagerduty-url", secret(&pagerduty, "/v2/enqueue"));
    let records = crate::alert::test(
        &AlertSender::new(&loopback::client(), &|| [1; 16]),
        &channels,
        &samples::context(),
    )
    .await;
    assert!(
        records.len() == 2 && records.iter().all(|record| record.delivered),
        "{records:?}"
    );
    assert_eq!(events.lock().unwrap()[0]["payload"]["severity"], "info");
    assert!(incidents.lock().unwrap().is_empty());
}

/// A digest counts for each of its targets; where it was not taken, for none.
#[tokio::test]
async fn every_target_of_a_digest_counts_as_told_and_of_a_lost_one_none_does() {
    let (discord, embeds) = services::discord(0).await;
    let channels = |path| Channels::default().with("discord-webhook-url", secret(&discord, path));
    let (client, context) = (loopback::client(), samples::context());
    let mut state = State::default();
    let mut records = Vec::new();
    for (path, target) in [
        ("/api/webhooks/1/gone", samples::fail()),
        ("/api/webhooks/1/hunter2", samples::fail()),
        ("/api/webhooks/1/hunter2", samples::fail()),
        ("/api/webhooks/1/hunter2", samples::pass()),
    ] {
        let targets = samples::many(20, &target);
        let inputs = IncidentInputs {
            state: &mut state,
            observations: &targets
                .iter()
                .map(|target| vec![seen(target, context.now)])
                .collect::<Vec<_>>(),
            rules: Rules::default(),
        };
        let (sender, channels) = (sender(&client), channels(path));
        let done = deliver_changes(&sender, &channels, &targets, inputs, &context);
        let word = |record: &AlertRecord| format!("{} {} {}", record.event, record.delivered, record.detail);
        records.extend(done.await.iter().map(word));
    }
    assert_eq!(records.len(), 3, "{records:?}");
    assert!(records[0].starts_with("failed false 20 targets: not delivered"));
    assert_eq!(records[1], "failed true 20 targets: accepted (status 204)");
    assert_eq!(records[2], "recovered true 20 targets: accepted (status 204)");
    let taken = embeds.lock().unwrap();
    let title = taken[0]["embeds"][0]["title"].as_str().unwrap();
    assert!(title.starts_with("FAIL 20 targets"), "{title}");
}

/// Runs over policy files with these targets, one after the other, with one state: what the webhook heard.
async fn heard_of_files(runs: &[(&str, TargetReport)]) -> Vec<String> {
    let (server, _) = loopback::routes(|_| loopback::answer(200, &[], b"")).await;
    let channels = Channels::default().with("webhook-url", secret(&server, "/alerts"));
    let mut state = State::default();
    let mut heard = Vec::new();
    for (file, target) in runs {
        let file = PolicyFileId::of(std::path::Path::new(file));
        let context = RunContext {
            file: Some(file),
            ..samples::context()
        };
        let entry = PolicyEntry::new(Some(file), &target.name);
        let inputs = IncidentInputs {
            state: &mut state,
            observations: &[vec![seen(target, context.now).of_entry(Some(entry))]],
            rules: Rules::default(),
        };
        let client = loopback::client();
        let records = deliver_changes(
            &sender(&client),
            &channels,
            std::slice::from_ref(target),
            inputs,
            &context,
        )
        .await;
        heard.push(
            records
                .iter()
                .map(|record| record.event.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        );
    }
    heard
}

#[tokio::test]
async fn t61_targets_of_one_name_in_two_policy_files_are_two() {
    let runs = [
        ("staging.toml", samples::fail()),
        ("prod.toml", samples::fail()),
        ("./prod.toml", samples::fail()),
        ("staging.toml", samples::pass()),
        ("staging.toml", samples::pass()),
        ("prod.toml", samples::fail()),
        ("prod.toml", samples::pass()),
    ];
    let heard = heard_of_files(&runs).await;
    assert_eq!(heard, ["failed", "failed", "", "recovered", "", "", "recovered"]);
}

#[tokio::test]
async fn t61_another_receiver_of_the_same_kind_hears_of_what_is_open() {
    let (server, asked) = loopback::routes(|_| loopback::answer(200, &[], b"")).await;
    let mut state = State::default();
    for path in ["/a", "/b", "/b", "/a"] {
        let channels = Channels::default().with("webhook-url", secret(&server, path));
        delivered(&channels, &mut state, &samples::fail()).await;
    }
    assert_eq!(*asked.lock().unwrap(), ["/a", "/b"]);
    // Both hear of the end, when each is notified.
    for path in ["/b", "/a"] {
        let channels = Channels::default().with("webhook-url", secret(&server, path));
        delivered(&channels, &mut state, &samples::pass()).await;
    }
    assert_eq!(*asked.lock().unwrap(), ["/a", "/b", "/b", "/a"]);
}

#[tokio::test]
async fn t61_a_target_that_left_is_told_to_who_knew_of_it_and_stays_open_until_it_was() {
    let (server, asked) = loopback::routes(|_| loopback::answer(200, &[], b"")).await;
    let mut state = State::default();
    let team = || Channels::default().with("webhook-url", secret(&server, "/team"));
    let run = || Channels::default().with("webhook-url", secret(&server, "/run"));
    let file = PolicyFileId::of(std::path::Path::new("fleet.toml"));
    let context = RunContext {
        file: Some(file),
        ..samples::context()
    };
    let target = samples::fail();
    let variables = [("webhook-url".to_owned(), "CVM_VERIFY_TEAM".to_owned())].into();
    let entry = PolicyEntry::new(Some(file), &target.name).alerted_through(variables);
    let inputs = IncidentInputs {
        state: &mut state,
        observations: &[vec![seen(&target, context.now).of_entry(Some(entry))]],
        rules: Rules::default(),
    };
    let client = loopback::client();
    deliver_changes(
        &sender(&client),
        &team(),
        std::slice::from_ref(&target),
        inputs,
        &context,
    )
    .await;
    let departed = state.departed(Some(file), true, &[], context.now);
    assert_eq!(departed[0].variables["webhook-url"], "CVM_VERIFY_TEAM");
    for channels in [run(), Channels::default(), team(), team()] {
        let departed = state.departed(Some(file), true, &[], context.now);
        crate::alert::deliver_departed(&sender(&client), &channels, &departed, &mut state, &context).await;
    }
    assert_eq!(*asked.lock().unwrap(), ["/team", "/team"]);
    assert!(state.departed(Some(file), true, &[], context.now).is_empty());
}

/// A signal or a time limit drops the sending. A channel that took its message does not get it again.
#[tokio::test]
async fn what_a_channel_took_is_remembered_if_the_sending_is_ended() {
    let (discord, embeds) = services::discord(0).await;
    // It takes connections and answers none.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url: Url = format!("http://{}", silent.local_addr().unwrap())
        .parse()
        .unwrap();
    let channels = Channels::default()
        .with("discord-webhook-url", secret(&discord, "/api/webhooks/1/hunter2"))
        .with("teams-webhook-url", secret(&silent_url, "/workflows/1"));
    let mut state = State::default();
    {
        let part = StatePart::new(State::default(), |part| state.absorb(part));
        let sending = async move {
            let mut part = part;
            delivered(&channels, &mut part, &samples::fail()).await
        };
        let taken = async {
            while embeds.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            // The answer is read by now, or soon.
            tokio::time::sleep(Duration::from_secs(2)).await;
        };
        tokio::select! {
            records = sending => panic!("it ended by itself: {records:?}"),
            () = taken => {}
        }
    }
    let (teams, _) = services::teams().await;
    let channels = Channels::default()
        .with("discord-webhook-url", secret(&discord, "/api/webhooks/1/hunter2"))
        .with(
            "teams-webhook-url",
            secret(&teams, "/workflows/1/triggers/manual?sig=hunter2"),
        );
    assert_eq!(
        delivered(&channels, &mut state, &samples::fail()).await,
        ["teams failed true"]
    );
    assert_eq!(embeds.lock().unwrap().len(), 1);
}
