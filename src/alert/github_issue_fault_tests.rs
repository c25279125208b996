//! A GitHub that refuses, disturbs answers or hangs.

use super::*;
use crate::alert::services::teams;

#[tokio::test]
async fn t59_t60_what_github_refuses_is_said_in_our_words_and_due_again() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    for (status, says) in [
        (401, "the token is not valid"),
        (404, "the owner of the token could not be determined (status 404)"),
        (
            403,
            "(status 403), so no issue counts as its own; give the job the permission `issues: write`",
        ),
        (500, "status 500"),
    ] {
        forge.0.lock().unwrap().refuses = Some((status, "ghp_hunter2 leaks"));
        let said = run(&api, &samples::fail(), 0).await.join("");
        assert!(
            said.starts_with("failed false") && said.contains(says) && !said.contains("hunter2"),
            "{said}"
        );
    }
    forge.0.lock().unwrap().refuses = None;
    forge.0.lock().unwrap().refuses_writes = Some(403);
    let said = run(&api, &samples::fail(), 0).await.join("");
    assert!(said.contains("`issues: write`"), "{said}");
    forge.0.lock().unwrap().refuses_writes = None;
    assert_eq!(
        run(&api, &samples::fail(), 0).await,
        ["failed true api.example.com: accepted"]
    );
}

/// A gateway that gives up says nothing of what happened behind it: an issue may have been made.
#[tokio::test]
async fn an_issue_is_made_once_whatever_becomes_of_the_answers() {
    for (requests, status, carried_out) in [
        (1, 502, true),
        (2, 502, false),
        (1, 0, true),
        (2, 0, false),
        (2, 429, false),
        (1, 403, false),
        (1, 500, true),
    ] {
        let forge = Forge::default();
        let api = forge.serve("", "/graphql").await;
        forge.0.lock().unwrap().disturbed = Some(Disturbed {
            requests,
            status,
            carried_out,
            reads: false,
        });
        let case = (requests, status, carried_out);
        assert_eq!(
            run(&api, &samples::fail(), 0).await,
            ["failed true api.example.com: accepted"],
            "{case:?}"
        );
        assert_eq!(forge.open(), [1], "{case:?}");
        let tries = if carried_out { 1 } else { requests + 1 };
        assert_eq!(forge.writes().len(), tries, "{case:?}");
    }
}

#[tokio::test]
async fn three_tries_are_all_and_reading_is_repeated_too() {
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    let disturb = |requests, reads| {
        forge.0.lock().unwrap().disturbed = Some(Disturbed {
            requests,
            status: 503,
            carried_out: false,
            reads,
        });
    };
    disturb(2, true);
    assert_eq!(
        run(&api, &samples::fail(), 0).await,
        ["failed true api.example.com: accepted"]
    );
    forge.writes();
    // A comment that may have been taken is not sent twice in a run.
    disturb(3, false);
    let said = run(&api, &other_fail(), 1).await.join("");
    assert!(
        said.starts_with("changed false") && said.contains("status 503"),
        "{said}"
    );
    let comments = |writes: Vec<String>| writes.iter().filter(|line| line.contains("/comments")).count();
    assert_eq!(comments(forge.writes()), 1);
    let forge = Forge::default();
    let api = forge.serve("", "/graphql").await;
    forge.0.lock().unwrap().refuses_writes = Some(500);
    let said = run(&api, &samples::fail(), 0).await.join("");
    assert!(
        said.starts_with("failed false") && said.contains("status 500"),
        "{said}"
    );
    assert_eq!(forge.writes().len(), 3);
}

#[tokio::test]
async fn without_a_token_the_channel_is_skipped() {
    let channels = Channels::default()
        .with_issues(GithubIssues::new(None, "acme/shop", Secret::new("\n".to_owned())).ok());
    let records = delivered(&channels, &mut State::default(), &samples::fail(), 0).await;
    assert_eq!(
        short(&records),
        ["failed false skipped: no secret: CVM_VERIFY_GITHUB_TOKEN is not set, or empty"]
    );
}

/// A server that takes connections and does not answer.
async fn hanging() -> Url {
    let silent = |_, stream| async move {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    };
    loopback::raw(silent).await
}

#[tokio::test]
async fn a_github_that_hangs_ends_in_time() {
    let api = hanging().await;
    let open_issues = issues(&api).unwrap();
    let started = Instant::now();
    let opened = open_issues
        .open(
            &AlertSender {
                client: &loopback::client(),
                retry_policy: fast(),
                entropy: &|| [0; 16],
                until: None,
            },
            started + Duration::from_millis(200),
        )
        .await;
    assert!(opened.is_err() && started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn t60_a_github_that_hangs_leaves_the_other_channels_their_time() {
    let api = hanging().await;
    let (teams, cards) = teams().await;
    let address = teams.join("/workflows/1/triggers/manual?sig=1").unwrap();
    let channels = Channels::default()
        .with("teams-webhook-url", Some(Secret::new(address.to_string())))
        .with_issues(issues(&api));
    let patient = RetryPolicy {
        one_try: RetryPolicy::default().one_try,
        schedule: Schedule {
            total: Duration::from_secs(3),
            ..fast().schedule
        },
    };
    let (target, context) = (samples::fail(), samples::context());
    let inputs = IncidentInputs {
        state: &mut State::default(),
        observations: &[vec![Observation::of(
            &target,
            Policy::default().fingerprint(),
            context.now,
        )]],
        rules: Rules::default(),
    };
    let sender = AlertSender {
        client: &loopback::client(),
        retry_policy: patient,
        entropy: &|| [1; 16],
        until: None,
    };
    let records = deliver_changes(
        &sender,
        &channels,
        std::slice::from_ref(&target),
        inputs,
        &context,
    )
    .await;
    assert_eq!(
        short(&records),
        [
            "failed true api.example.com: accepted (status 202)",
            "failed false api.example.com: not delivered: the time for alerts was used up before its turn",
        ]
    );
    assert_eq!(cards.lock().unwrap().len(), 1);
}

/// A channel that is down in the run that recovers hears of the end, and of the failure that it never took, when it is back; once.
#[tokio::test]
async fn what_a_channel_did_not_take_at_the_recovery_is_in_the_closed_issue() {
    use std::sync::atomic::{AtomicBool, Ordering};
    for hears_the_failure in [true, false] {
        let forge = Forge::default();
        let is_down = Arc::new(AtomicBool::new(false));
        let down = is_down.clone();
        let (hook, taken) = service(move |_, _, _| match down.load(Ordering::SeqCst) {
            true => (said(404, &json!({})), false),
            false => (said(200, &json!({})), true),
        })
        .await;
        let channels = Channels::default()
            .with_issues(issues(&forge.serve("", "/graphql").await))
            .with("webhook-url", Some(Secret::new(hook.to_string())));
        let heard = || {
            let events = taken.lock().unwrap();
            let events = events
                .iter()
                .map(|event| event["event"].as_str().unwrap().to_owned());
            events.collect::<Vec<_>>()
        };
        let run = async |report: &TargetReport, minutes| {
            delivered(&channels, &mut State::default(), report, minutes).await;
        };
        is_down.store(!hears_the_failure, Ordering::SeqCst);
        run(&samples::fail(), 0).await;
        is_down.store(true, Ordering::SeqCst);
        run(&samples::pass(), 10).await;
        assert_eq!(forge.open(), Vec::<u64>::new());
        is_down.store(false, Ordering::SeqCst);
        // Longer after it than a failure is a relapse.
        run(&samples::pass(), 10 * 60).await;
        assert_eq!(heard(), ["failed", "recovered"], "{hears_the_failure}");
        run(&samples::pass(), 11 * 60).await;
        assert_eq!(heard(), ["failed", "recovered"], "{hears_the_failure}");
        // A week later nobody waits for it.
        is_down.store(true, Ordering::SeqCst);
        run(&samples::fail(), 12 * 60).await;
        run(&samples::pass(), 13 * 60).await;
        is_down.store(false, Ordering::SeqCst);
        run(&samples::pass(), 13 * 60 + 8 * 24 * 60).await;
        assert_eq!(heard(), ["failed", "recovered"], "{hears_the_failure}");
    }
}
