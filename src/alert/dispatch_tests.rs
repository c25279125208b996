//! What is sent to whom, against receivers on loopback that record what they get.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, World};

use super::*;
use crate::alert::NO_SECRET;
use crate::alert::delivery::RetryPolicy;
use crate::alert::{samples, services};
use crate::net::retry::Schedule;
use crate::net::{Secret, loopback};

const PATH: &str = "/services/T0HUNTER/B0HUNTER/hunter2";

/// A receiver that takes everything at every path.
fn receiver(behaviour: Behaviour) -> AppServer {
    let server = AppServer::http(Cvm::healthy(&World::new(1, simulator::DEFAULT_NOW)));
    server.behave(AppEndpoint::Other, behaviour);
    server
}

fn url(server: &AppServer, path: &str) -> Option<Secret> {
    Some(Secret::new(format!("{}{path}\n", server.url())))
}

/// All channels at one receiver.
fn channels(server: &AppServer) -> Channels {
    Channels::default()
        .with("slack-webhook-url", url(server, PATH))
        .with("webhook-url", url(server, "/alerts?token=hunter3"))
        .with("webhook-secret", Some(Secret::new("hunter4\n".to_owned())))
        .with("heartbeat-url", url(server, "/ping/hunter5"))
}

fn fast() -> RetryPolicy {
    RetryPolicy {
        schedule: Schedule {
            first_pause: Duration::from_millis(10),
            total: Duration::from_secs(2),
            ..RetryPolicy::default().schedule
        },
        one_try: Duration::from_millis(300),
    }
}

async fn records_of(channels: &Channels, targets: &[TargetReport]) -> Vec<AlertRecord> {
    let draws = AtomicU8::new(0);
    let sender = AlertSender {
        client: &loopback::client(),
        retry_policy: fast(),
        entropy: &|| [draws.fetch_add(1, Ordering::Relaxed) + 1; 16],
        until: None,
    };
    deliver(&sender, channels, targets, &samples::context()).await
}

fn short(records: &[AlertRecord]) -> Vec<(&str, &str, bool, &str)> {
    records
        .iter()
        .map(|record| {
            (
                record.channel.as_str(),
                record.event.as_str(),
                record.delivered,
                record.detail.as_str(),
            )
        })
        .collect()
}

fn asked(server: &AppServer) -> Vec<String> {
    let mut asked: Vec<String> = server
        .requests()
        .iter()
        .map(|request| format!("{} {}", request.method, request.target))
        .collect();
    asked.sort();
    asked
}

#[tokio::test]
async fn a_failure_reaches_every_channel() {
    let server = receiver(Behaviour::Status(200));
    let records = records_of(&channels(&server), &[samples::fail()]).await;
    assert_eq!(
        short(&records),
        [
            ("slack", "failed", true, "api.example.com: accepted (status 200)"),
            (
                "webhook",
                "failed",
                true,
                "api.example.com: accepted (status 200)"
            ),
            ("heartbeat", "failed", true, "accepted (status 200)"),
        ]
    );
    assert_eq!(
        asked(&server),
        [
            "GET /ping/hunter5/fail".to_owned(),
            "POST /alerts?token=hunter3".to_owned(),
            format!("POST {PATH}"),
        ]
    );
    for request in server
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
    {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        let is_alert = body["schema"] == "cvm-verify/alert/v1";
        assert_eq!(request.header("x-cvm-verify-signature").is_some(), is_alert);
        assert!(is_alert || body["blocks"].is_array());
    }
}

#[tokio::test]
async fn a_pass_reaches_the_heartbeat_alone() {
    let server = receiver(Behaviour::Status(200));
    let records = records_of(&channels(&server), &[samples::pass()]).await;
    assert_eq!(
        short(&records),
        [("heartbeat", "passed", true, "accepted (status 200)")]
    );
    assert_eq!(asked(&server), ["GET /ping/hunter5"]);
}

#[tokio::test]
async fn of_several_targets_each_that_does_not_pass_is_told_and_the_heartbeat_hears_the_worst() {
    let server = receiver(Behaviour::Status(200));
    let mut other = samples::inconclusive();
    other.name = "second".to_owned();
    let targets = [samples::fail(), samples::pass(), other];
    let records = records_of(&channels(&server), &targets).await;
    let heard: Vec<(&str, &str)> = records
        .iter()
        .map(|record| (record.channel.as_str(), record.event.as_str()))
        .collect();
    assert_eq!(
        heard,
        [
            ("slack", "failed"),
            ("slack", "inconclusive"),
            ("webhook", "failed"),
            ("webhook", "inconclusive"),
            ("heartbeat", "failed"),
        ]
    );
    assert!(records[1].detail.starts_with("second: "));
    assert_eq!(server.count("/ping/hunter5/fail"), 1);
    let ids: Vec<String> = server
        .requests()
        .iter()
        .filter(|request| request.path() == "/alerts")
        .map(|request| serde_json::from_slice::<serde_json::Value>(&request.body).unwrap())
        .map(|body| body["delivery_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["01".repeat(16), "02".repeat(16)]);
}

#[tokio::test]
async fn a_run_that_verified_nothing_is_a_failure_to_the_heartbeat() {
    let server = receiver(Behaviour::Status(200));
    let records = records_of(&channels(&server), &[]).await;
    assert_eq!(
        short(&records),
        [("heartbeat", "inconclusive", true, "accepted (status 200)")]
    );
    assert_eq!(asked(&server), ["GET /ping/hunter5/fail"]);
}

#[tokio::test]
async fn nothing_configured_is_nothing_to_say_and_a_missing_secret_is_said() {
    assert_eq!(records_of(&Channels::default(), &[samples::fail()]).await, []);
    let empty = || Some(Secret::new("\n".to_owned()));
    let missing = Channels::default()
        .with("slack-webhook-url", empty())
        .with("webhook-url", empty())
        .with("webhook-secret", empty())
        .with("heartbeat-url", empty());
    let records = records_of(&missing, &[samples::fail(), samples::unreachable()]).await;
    assert_eq!(
        short(&records),
        [
            ("slack", "failed", false, NO_SECRET),
            ("webhook", "failed", false, NO_SECRET),
            ("heartbeat", "failed", false, NO_SECRET),
        ]
    );
    let only_a_key = Channels::default().with("webhook-secret", Some(Secret::new("hunter4".to_owned())));
    let records = records_of(&only_a_key, &[samples::fail()]).await;
    assert_eq!(short(&records), [("webhook", "failed", false, NO_SECRET)]);
}

#[tokio::test]
async fn a_webhook_without_a_secret_is_not_signed_and_that_is_said() {
    let server = receiver(Behaviour::Status(200));
    let unsigned = Channels::default().with("webhook-url", url(&server, "/alerts"));
    let records = records_of(&unsigned, &[samples::fail()]).await;
    let detail = "api.example.com: accepted (status 200); not signed: there is no webhook secret";
    assert_eq!(short(&records), [("webhook", "failed", true, detail)]);
    assert_eq!(server.requests()[0].header("x-cvm-verify-signature"), None);
}

#[tokio::test]
async fn t59_a_secret_with_a_line_break_is_refused_unsent_and_not_shown() {
    let server = receiver(Behaviour::Status(200));
    let torn = |text: &str| Some(Secret::new(format!("{}/{text}\nhunter2", server.url())));
    let channels = Channels::default()
        .with("slack-webhook-url", torn("a"))
        .with("webhook-url", url(&server, "/alerts"))
        .with("webhook-secret", torn("b"))
        .with("heartbeat-url", torn("c"));
    let records = records_of(&channels, &[samples::fail()]).await;
    let is = "holds a line break or another control character; store it again, as a single line";
    assert_eq!(
        short(&records),
        [
            ("slack", "failed", false, &*format!("not sent: its URL {is}")),
            (
                "webhook",
                "failed",
                false,
                &*format!("not sent: its signing secret {is}")
            ),
            ("heartbeat", "failed", false, &*format!("not sent: its URL {is}")),
        ]
    );
    assert_eq!(asked(&server), Vec::<String>::new());
}

/// Whatever a receiver does, what is recorded says so and holds no part of a secret.
#[tokio::test]
async fn t59_no_part_of_a_url_is_in_any_record_whatever_the_receiver_does() {
    let echo = "<html>/services/T0HUNTER/B0HUNTER/hunter2 /alerts?token=hunter3 hunter4 /ping/hunter5</html>";
    let mut detail = Vec::new();
    for behaviour in [
        Behaviour::Status(404),
        Behaviour::Status(500),
        Behaviour::RetryAfter(429, "3600".to_owned()),
        Behaviour::Redirect("https://evil.example/services/T0HUNTER/B0HUNTER/hunter2".to_owned()),
        Behaviour::Raw(echo.as_bytes().to_vec()),
        Behaviour::Raw(format!("HTTP/1.1 404 {echo}\r\ncontent-length: 0\r\n\r\n").into_bytes()),
        Behaviour::Body(echo.to_owned()),
        Behaviour::HugeHeaders(100_000),
        Behaviour::Close,
        Behaviour::Hang,
        Behaviour::EndlessBody,
    ] {
        let server = receiver(behaviour);
        let channels = channels(&server);
        let records = records_of(&channels, &[samples::fail()]).await;
        assert_eq!(records.len(), 3);
        let port = server.port().to_string();
        let everything = format!("{records:?} {channels:?}");
        for part in [
            "hunter",
            "HUNTER",
            "127.0.0.1",
            &port,
            "services",
            "/alerts",
            "token",
            "/ping",
            "evil",
            "://",
            "html",
        ] {
            assert!(!everything.contains(part), "{part}: {everything}");
        }
        detail.push(format!("{}: {}", records[0].delivered, records[0].detail));
    }
    insta::assert_snapshot!(detail.join("\n"));
}

#[tokio::test]
async fn t60_a_receiver_that_hangs_holds_up_nobody_else_and_everything_ends_in_time() {
    let (hanging, healthy) = (receiver(Behaviour::Hang), receiver(Behaviour::Status(200)));
    let channels = Channels::default()
        .with("slack-webhook-url", url(&hanging, PATH))
        .with("webhook-url", url(&healthy, "/alerts"))
        .with("heartbeat-url", url(&healthy, "/ping"));
    let started = Instant::now();
    let targets = vec![samples::fail(); 4];
    let records = records_of(&channels, &targets).await;
    assert!(started.elapsed() < Duration::from_secs(30));
    let delivered: Vec<bool> = records.iter().map(|record| record.delivered).collect();
    assert_eq!(
        delivered,
        [false, false, false, false, true, true, true, true, true]
    );
    assert_eq!(
        records[0].detail,
        "api.example.com: not delivered in 3 tries: no answer in time (waiting for its response)"
    );
    assert_eq!(
        records[3].detail,
        "api.example.com: not delivered: the time for alerts was used up before its turn"
    );
}

#[tokio::test]
async fn t60_a_delivery_failure_changes_no_verdict() {
    let server = receiver(Behaviour::Status(500));
    for target in [samples::pass(), samples::fail(), samples::inconclusive()] {
        let targets = [target];
        let before = targets.clone();
        let records = records_of(&channels(&server), &targets).await;
        assert!(!records.is_empty() && records.iter().all(|record| !record.delivered));
        assert_eq!(targets, before);
    }
}

#[tokio::test]
async fn a_test_is_marked_on_every_channel_and_raises_no_alarm() {
    let server = receiver(Behaviour::Status(200));
    let client = loopback::client();
    let sender = AlertSender::new(&client, &|| [3; 16]);
    let records = test(&sender, &channels(&server), &samples::context()).await;
    assert_eq!(
        short(&records),
        [
            ("slack", "test", true, "accepted (status 200)"),
            ("webhook", "test", true, "accepted (status 200)"),
            ("heartbeat", "test", true, "accepted (status 200)"),
        ]
    );
    assert_eq!(server.count("/ping/hunter5/log"), 1);
    for request in server
        .requests()
        .iter()
        .filter(|request| request.method == "POST")
    {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let marked = [
            "\"event\":\"test\"",
            "This is a test of the alert channels: nothing was verified",
        ];
        assert!(marked.iter().any(|mark| body.contains(mark)), "{body}");
    }
}

/// A network that is down makes every target inconclusive at once: a post for each would be refused and read by nobody.
#[tokio::test]
async fn many_targets_with_one_cause_are_one_post_where_people_read_and_one_each_for_machines() {
    let server = receiver(Behaviour::Status(200));
    let mut targets = samples::many(60, &samples::unreachable());
    targets.push(samples::fail());
    let slow = RetryPolicy {
        schedule: Schedule {
            total: Duration::from_secs(10),
            ..fast().schedule
        },
        one_try: Duration::from_secs(5),
    };
    let (discord, of_discord) = services::discord(0).await;
    let (teams, of_teams) = services::teams().await;
    let (pagerduty, of_pagerduty, _) = services::pagerduty().await;
    let at = |url: &url::Url, path: &str| Some(Secret::new(url.join(path).unwrap().to_string()));
    let channels = Channels::default()
        .with("slack-webhook-url", url(&server, "/slack"))
        .with("discord-webhook-url", at(&discord, "/api/webhooks/1/hunter2"))
        .with("teams-webhook-url", at(&teams, "/teams"))
        .with(
            "pagerduty-routing-key",
            Some(Secret::new(services::ROUTING_KEY.to_owned())),
        )
        .with("pagerduty-url", at(&pagerduty, "/pagerduty"))
        .with("webhook-url", url(&server, "/alerts"));
    let sender = AlertSender {
        client: &loopback::client(),
        retry_policy: slow,
        entropy: &|| [1; 16],
        until: None,
    };
    let records = deliver(&sender, &channels, &targets, &samples::context()).await;
    assert!(records.iter().all(|record| record.delivered), "{records:?}");
    for (path, posts) in [("/slack", 2), ("/alerts", 61)] {
        assert_eq!(server.count(path), posts, "{path}");
    }
    for (taken, posts) in [(of_discord, 2), (of_teams, 2), (of_pagerduty, 61)] {
        assert_eq!(taken.lock().unwrap().len(), posts);
    }
    // The one that fails comes first, though it is the last of the policy.
    assert_eq!(records[0].detail, "api.example.com: accepted (status 200)");
    assert_eq!(records[1].detail, "60 targets: accepted (status 200)");
}

/// A sign-in page, a parked domain, the page of a webhook in place of its URL: each answers 200.
#[tokio::test]
async fn t60_only_the_service_of_a_channel_takes_its_alerts() {
    use crate::net::loopback::{answer, bytes};
    let page = b"<!DOCTYPE html><title>Welcome to the portal</title>Please sign in.";
    let long = [b'a'; 100 * 1024];
    for (body, webhook_takes) in [(&page[..], false), (b"{}", true), (&long, false)] {
        let server = bytes(answer(200, &[("content-type", "text/html")], body)).await;
        let at = |path: &str| Some(Secret::new(server.join(path).unwrap().to_string()));
        let channels = Channels::default()
            .with("slack-webhook-url", at("/services/hunter2"))
            .with("discord-webhook-url", at("/api/webhooks/hunter2"))
            .with("teams-webhook-url", at("/hunter2"))
            .with(
                "pagerduty-routing-key",
                Some(Secret::new(services::ROUTING_KEY.to_owned())),
            )
            .with("pagerduty-url", at("/v2/enqueue"))
            .with("webhook-url", at("/alerts"));
        let records = records_of(&channels, &[samples::fail()]).await;
        let taken: Vec<(&str, bool)> = records
            .iter()
            .map(|one| (one.channel.as_str(), one.delivered))
            .collect();
        let named = ["slack", "discord", "teams", "pagerduty"].map(|channel| (channel, false));
        assert_eq!(
            taken,
            [&named[..], &[("webhook", webhook_takes)]].concat(),
            "{records:#?}"
        );
        for record in records.iter().filter(|record| !record.delivered) {
            let asks = record.detail.contains("is the URL complete") || record.detail.contains("_URL right?");
            assert!(asks && !record.detail.contains("hunter2"), "{}", record.detail);
        }
    }
}

/// A receiver that answers slowly hears of the targets that fail, not of those before them in the policy.
#[test]
fn targets_that_fail_are_told_first() {
    let targets = [samples::unreachable(), samples::pass(), samples::fail()];
    let verdicts: Vec<Verdict> = worst_first(&targets)
        .iter()
        .map(|target| target.verdict)
        .collect();
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass]);
}

#[test]
fn messages_of_a_channel_are_spread_over_half_the_time_that_is_left() {
    let minute = Duration::from_secs(60);
    assert_eq!(pause_before(4, 300, minute), Duration::ZERO);
    assert_eq!(pause_before(5, 305, minute), Duration::from_millis(100));
    assert_eq!(pause_before(5, 6, minute), MAX_GAP);
    assert_eq!(pause_before(299, 300, Duration::ZERO), Duration::ZERO);
}

#[tokio::test]
async fn a_receiver_that_asks_for_an_hour_of_silence_is_not_asked_again() {
    let server = receiver(Behaviour::RetryAfter(429, "3600".to_owned()));
    let channels = Channels::default().with("webhook-url", url(&server, "/alerts"));
    let records = records_of(&channels, &samples::many(4, &samples::fail())).await;
    assert_eq!(server.count("/alerts"), 1);
    assert_eq!(records.len(), 4);
    for record in &records[1..] {
        assert!(
            !record.delivered
                && record
                    .detail
                    .contains("not sent: the server answered with status 429"),
            "{record:?}"
        );
    }
}
