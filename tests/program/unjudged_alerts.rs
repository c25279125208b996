//! Alerts of runs that end before a verdict: somebody hears of it, and of its end.

use simulator::{AppEndpoint, Behaviour};

use super::alerts::{sink, verify};
use super::deployment::Deployment;
use super::run::run_in;

/// A schedule whose lock is gone, whose policy has a mistake, or whose arguments do not parse: nobody looks at its log.
#[test]
fn a_repeated_run_that_ends_before_a_verdict_is_told_and_another_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let typo = folder.path().join("typo.toml");
    std::fs::write(&typo, "[[target]]\nurl = \"https://app.example\"\n").unwrap();
    let typo = format!("--config={}", typo.display());
    for wrong in ["--lock=gone.lock", &typo, "--compose-hsh=1"] {
        let sink = sink();
        let (hook, heart) = (format!("{}/hook", sink.url()), format!("{}/ping", sink.url()));
        let env = [
            ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
            ("CVM_VERIFY_HEARTBEAT_URL", &heart),
            ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
        ];
        let ran = run_in(&["verify", wrong], &env, |_| {});
        assert_eq!(ran.code, 2, "{wrong}: {ran:#?}");
        assert_eq!(
            (sink.count("/hook"), sink.count("/ping/fail")),
            (1, 1),
            "{wrong}: {ran:#?}"
        );
        let requests = sink.requests();
        let post = requests.iter().find(|request| request.method == "POST").unwrap();
        let alert: serde_json::Value = serde_json::from_slice(&post.body).unwrap();
        assert_eq!(
            (&alert["event"], &alert["verdict"]),
            (&"inconclusive".into(), &"inconclusive".into())
        );
        assert_eq!(alert["target"]["name"], "this run");
        // A person at a terminal, and a run for a fork, whose secrets are empty.
        run_in(&["verify", wrong], &env[..1], |_| {});
        let empty = [
            ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
            ("CVM_VERIFY_HEARTBEAT_URL", ""),
        ];
        run_in(&["verify", wrong], &empty, |_| {});
        assert_eq!(sink.count("/hook"), 1, "{wrong}");
    }
}

/// A step of GitHub Actions reads in its outputs what became of such an alert.
#[test]
fn a_step_reads_what_became_of_the_alert_that_nothing_was_verified() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (output, summary) = (path("output"), path("summary"));
    for (status, expected) in [(200, "delivered"), (404, "failed")] {
        let sink = sink();
        sink.behave(AppEndpoint::Other, Behaviour::Status(status));
        let hook = format!("{}/hook", sink.url());
        std::fs::write(&output, "").unwrap();
        let env = [
            ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
            ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "schedule"),
            ("GITHUB_OUTPUT", &output),
            ("GITHUB_STEP_SUMMARY", &summary),
        ];
        let ran = run_in(&["verify", "--github", "--lock=gone.lock"], &env, |_| {});
        assert_eq!(ran.code, 2, "{ran:#?}");
        let written = std::fs::read_to_string(&output).unwrap();
        let last = written.rsplit("alert-status").next().unwrap();
        assert!(last.contains(expected), "{expected}: {written}");
    }
}

/// What is wrong may be what the client is made of: the channels that need none of it are told, or it is said why not.
#[test]
fn a_run_whose_certificates_or_proxy_cannot_be_used_is_told_or_says_why_not() {
    let sink = sink();
    let hook = format!("{}/hook", sink.url());
    let heart = format!("{}/ping", sink.url());
    let env = [
        ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
        ("CVM_VERIFY_HEARTBEAT_URL", &heart),
        ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let no_certificate = folder.path().join("ca.pem");
    std::fs::write(&no_certificate, "hello").unwrap();
    for file in ["gone.pem".to_owned(), no_certificate.display().to_string()] {
        sink.forget_requests();
        let args = ["verify", "https://app.example", "--ca-file", &file];
        let ran = run_in(&args, &env, |_| {});
        assert_eq!(ran.code, 2, "{ran:#?}");
        assert_eq!(
            (sink.count("/hook"), sink.count("/ping/fail")),
            (1, 1),
            "{ran:#?}"
        );
        let note = "note: alerts are sent without the certificates of --ca-file: ";
        ran.assert_stderr(note);
    }
    sink.forget_requests();
    let ran = run_in(
        &["verify", "https://app.example", "--proxy", "ftp://x"],
        &env,
        |_| {},
    );
    assert_eq!((ran.code, sink.count("/hook")), (2, 0), "{ran:#?}");
    let note = "note: the alert that nothing was verified was not sent: the proxy URL is not usable";
    ran.assert_stderr(note);
}

/// `watch --once`, by option or by variable, is a run; `watch` is a service, which a person at a terminal tries out.
#[test]
fn a_watch_that_verifies_nothing_is_told() {
    let run = (1, "this run");
    let service = (1, "watch");
    for (args, once, is_terminal, (told, name)) in [
        (&["watch", "--once", "--lock=gone.lock"][..], None, true, run),
        (&["watch", "--lock=gone.lock"], Some("true"), true, run),
        (&["watch", "--lock=gone.lock"], Some("false"), false, service),
        (&["watch"], None, false, service),
        (&["watch", "--lock=gone.lock"], None, true, (0, "")),
    ] {
        let sink = sink();
        let (hook, heart) = (format!("{}/hook", sink.url()), format!("{}/ping", sink.url()));
        let mut env = vec![
            ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
            ("CVM_VERIFY_HEARTBEAT_URL", &heart),
            ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
        ];
        env.extend(once.map(|once| ("CVM_VERIFY_ONCE", once)));
        let ran = run_in(args, &env, |env| env.stderr_is_terminal = is_terminal);
        assert_eq!(
            (ran.code, sink.count("/hook"), sink.count("/ping/fail")),
            (2, told, told),
            "{args:?}: {ran:#?}"
        );
        let requests = sink.requests();
        let posts = requests.iter().filter(|request| request.method == "POST");
        for post in posts {
            let alert: serde_json::Value = serde_json::from_slice(&post.body).unwrap();
            assert_eq!(alert["target"]["name"], name, "{alert}");
            assert!(
                alert["fix"].as_str().unwrap().contains("and start `watch` again"),
                "{alert}"
            );
        }
    }
}

/// A lock that is gone does not hide which channels the policy file names, and neither does a mistake in another line of it.
#[test]
fn a_run_that_verifies_nothing_is_told_where_the_policy_file_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.toml");
    let config = format!("--config={}", path.display());
    let target = "[[target]]\nname = \"a\"\nurl = \"https://app.example\"\nlock = \"gone.lock\"\n";
    for (command, more) in [("verify", ""), ("watch", ""), ("verify", "intervall = \"1h\"\n")] {
        let sink = sink();
        let (hook, heart) = (format!("{}/hook", sink.url()), format!("{}/ping", sink.url()));
        let defaults = "[defaults]\nwebhook-url-env = \"CVM_VERIFY_TEAM_HOOK\"\nheartbeat-url-env = \"CVM_VERIFY_TEAM_HEART\"\n";
        std::fs::write(&path, [defaults, target, more].concat()).unwrap();
        let env = [
            ("CVM_VERIFY_WEBHOOK_URL", "https://other.example"),
            ("CVM_VERIFY_TEAM_HOOK", &hook),
            ("CVM_VERIFY_TEAM_HEART", &heart),
            ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
        ];
        let ran = run_in(&[command, &config], &env, |_| {});
        assert_eq!(
            (ran.code, sink.count("/hook"), sink.count("/ping/fail")),
            (2, 1, 1),
            "{command} {more}: {ran:#?}"
        );
    }
}

/// PagerDuty keeps an incident open until it is resolved, by the key of the job that could verify nothing.
#[test]
fn the_incident_of_a_job_that_verified_nothing_is_resolved_by_its_next_verdict() {
    let deployment = Deployment::healthy();
    let sink = sink();
    sink.behave(AppEndpoint::Other, Behaviour::Status(202));
    let url = format!("{}/v2/enqueue", sink.url());
    let events = |job: &str, more: &[&str]| {
        sink.forget_requests();
        let env = [
            (
                "CVM_VERIFY_PAGERDUTY_ROUTING_KEY",
                "0123456789abcdef0123456789abcdef",
            ),
            ("CVM_VERIFY_PAGERDUTY_URL", url.as_str()),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "schedule"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            (
                "GITHUB_WORKFLOW_REF",
                "acme/shop/.github/workflows/watch.yml@refs/heads/main",
            ),
            ("GITHUB_JOB", job),
            ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
        ];
        let ran = verify(&deployment, &env, more);
        let requests = sink.requests();
        let event = |request: &simulator::Request| -> serde_json::Value {
            serde_json::from_slice(&request.body).unwrap()
        };
        let events: Vec<(String, String)> = requests
            .iter()
            .map(event)
            .map(|event| {
                let text = |name: &str| event[name].as_str().unwrap().to_owned();
                (text("event_action"), text("dedup_key"))
            })
            .collect();
        (ran, events)
    };
    let (ran, broken) = events("eu", &["--lock=gone.lock"]);
    assert_eq!(ran.code, 2, "{ran:#?}");
    let [(action, key)] = broken.as_slice() else {
        panic!("{broken:?}")
    };
    assert_eq!(action, "trigger");
    let (_, again) = events("eu", &["--lock=gone.lock"]);
    assert_eq!(again, broken, "one incident, however often");
    let (_, other) = events("us", &["--lock=gone.lock"]);
    assert_ne!(&other[0].1, key, "another job has an incident of its own");
    // The jobs of a matrix have one name, and so has a job with several steps.
    let (ran, sibling) = events("eu", &["--shard=1/1"]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_ne!(&sibling[0].1, key, "another part of the matrix");
    let (ran, sibling) = events("eu", &["http://127.0.0.1:1", "--timeout=1s"]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    assert!(sibling.iter().all(|(_, other)| other != key), "other targets");
    let (ran, judged) = events("eu", &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(judged, [("resolve".to_owned(), key.clone())]);
    assert!(ran.report().alerts.is_empty(), "{:#?}", ran.report().alerts);
}

/// An hourly job whose lock is gone: one message, one about its end.
#[test]
fn with_a_memory_a_run_that_verifies_nothing_is_told_once_and_so_is_its_end() {
    let deployment = Deployment::healthy();
    let sink = sink();
    let hook = format!("{}/hook", sink.url());
    let state = format!("--state={}", deployment.path("state.json"));
    let host = deployment.app.url().replace("http://", "");
    let run = |more: &[&str]| {
        sink.forget_requests();
        let env = [("CVM_VERIFY_WEBHOOK_URL", hook.as_str())];
        let ran = verify(&deployment, &env, &[&[state.as_str()], more].concat());
        let alerts = sink.requests().into_iter().map(|request| {
            let alert: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            if alert["event"] == "inconclusive" {
                // The cause, and which of many jobs it is, by no more of an address than its host.
                let cause = format!("Nothing was verified ({host}): gone.lock: does not exist");
                assert!(text(&alert["fix"]).starts_with(&cause), "{alert}");
            }
            (text(&alert["event"]), text(&alert["target"]["name"]))
        });
        (ran.code, alerts.collect::<Vec<_>>())
    };
    let told = |event: &str| vec![(event.to_owned(), "this run".to_owned())];
    assert_eq!(run(&["--lock=gone.lock"]), (2, told("inconclusive")));
    assert_eq!(run(&["--lock=gone.lock"]), (2, Vec::new()));
    assert_eq!(run(&["--lock=other.lock"]), (2, told("changed")));
    // A run that is asked something else is another one, and ends nothing.
    assert_eq!(run(&["--shard=1/1"]), (0, Vec::new()));
    assert_eq!(run(&[]), (0, told("recovered")));
    assert_eq!(run(&[]), (0, Vec::new()));
    // It verifies nothing again soon: as of a target, two verdicts in a row are its end.
    assert_eq!(run(&["--lock=gone.lock"]), (2, told("inconclusive")));
    assert_eq!(run(&[]), (0, Vec::new()));
    assert_eq!(run(&[]), (0, told("recovered")));
}

/// What is wrong may be the file of the memory: it is not written, and the message is sent each time.
#[test]
fn a_file_that_is_no_alert_state_stays_as_it_is_and_the_run_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "hello").unwrap();
    let sink = sink();
    let hook = format!("{}/hook", sink.url());
    let env = [
        ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
        ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
    ];
    let state = format!("--state={}", path.display());
    for times in [1, 2] {
        let ran = run_in(&["verify", "https://app.example", &state], &env, |_| {});
        assert_eq!((ran.code, sink.count("/hook")), (2, times), "{ran:#?}");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello");
}

/// A schedule of GitLab is told as one of GitHub. A run on one branch says nothing about the run on another.
#[test]
fn each_branch_of_a_schedule_on_gitlab_has_an_incident_of_its_own() {
    let sink = sink();
    sink.behave(AppEndpoint::Other, Behaviour::Status(202));
    let events = format!("{}/v2/enqueue", sink.url());
    let key = |branch: &str| {
        sink.forget_requests();
        let env = [
            (
                "CVM_VERIFY_PAGERDUTY_ROUTING_KEY",
                "0123456789abcdef0123456789abcdef",
            ),
            ("CVM_VERIFY_PAGERDUTY_URL", events.as_str()),
            ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_SOURCE", "schedule"),
            ("CI_PROJECT_URL", "https://gitlab.example/acme/shop"),
            ("CI_COMMIT_REF_NAME", branch),
            ("CI_JOB_NAME", "verify-cvm"),
        ];
        run_in(&["verify", "--lock=gone.lock"], &env, |_| {});
        let requests = sink.requests();
        let event = requests.iter().find(|request| request.method == "POST").unwrap();
        let event: serde_json::Value = serde_json::from_slice(&event.body).unwrap();
        event["dedup_key"].as_str().unwrap().to_owned()
    };
    assert_eq!(key("main"), key("main"));
    assert_ne!(key("main"), key("release"));
}

/// A policy that comes through a pipe is read once: nobody writes it again, and the run ends at once.
#[cfg(unix)]
#[test]
fn a_policy_in_a_pipe_is_not_waited_for_again() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("policy");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let config = format!("--config={}", pipe.display());
    let writer = std::thread::spawn(move || std::fs::write(pipe, "intervall = \"1h\"\n").unwrap());
    let started = std::time::Instant::now();
    let ran = run_in(&["verify", &config], &[], |_| {});
    writer.join().unwrap();
    assert_eq!(ran.code, 2, "{ran:#?}");
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn the_issues_are_looked_for_whatever_verifies_nothing() {
    for command in [&["verify"][..], &["watch", "--once"], &["watch"]] {
        let sink = sink();
        let (api, hook) = (sink.url(), format!("{}/hook", sink.url()));
        let env = [
            ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
            ("CVM_VERIFY_GITHUB_TOKEN", "ghs_1"),
            ("GITHUB_API_URL", &api),
            ("GITHUB_EVENT_NAME", "schedule"),
            ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
        ];
        let args = [command, &["--github-issue=acme/shop", "--lock=gone.lock"]].concat();
        let ran = run_in(&args, &env, |_| {});
        assert_eq!((ran.code, sink.count("/hook")), (2, 1), "{ran:#?}");
        assert!(sink.count("/graphql") > 0, "{ran:#?}");
    }
}
