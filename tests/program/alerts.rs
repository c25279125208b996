//! Alerts of a run: T58–T60 end to end. Channels come from the environment alone.

use cvm_verify_core::report::{Report, Verdict};
use simulator::phala_cloud::{self, InstanceShape};
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::{Ran, Sink, env_of, run_in};

/// A service that takes alerts and remembers them.
pub fn sink() -> AppServer {
    let sink = AppServer::http(Cvm::healthy(&World::default()));
    sink.behave(AppEndpoint::Other, Behaviour::Status(200));
    sink
}

pub fn verify(deployment: &Deployment, env: &[(&str, &str)], more: &[&str]) -> Ran {
    run_in(
        &deployment.strict_args_with(&["verify", &deployment.app.url(), "--format=json"], more),
        env,
        |_| {},
    )
}

pub fn failing() -> Deployment {
    let mut cvm = Cvm::healthy(&World::default());
    Lie::SwappedImage.apply(&mut cvm);
    Deployment::of(cvm)
}

#[test]
fn a_fail_is_told_to_every_channel_and_a_pass_to_none() {
    let sink = sink();
    let base = sink.url().to_string();
    let (slack, hook, heart) = (
        format!("{base}/slack/SECRET"),
        format!("{base}/hook/SECRET"),
        format!("{base}/ping/SECRET"),
    );
    let env = [
        ("CVM_VERIFY_SLACK_WEBHOOK_URL", slack.as_str()),
        ("CVM_VERIFY_WEBHOOK_URL", &hook),
        ("CVM_VERIFY_WEBHOOK_SECRET", "key"),
        ("CVM_VERIFY_HEARTBEAT_URL", &heart),
    ];
    let ran = verify(&failing(), &env, &[]);
    assert_eq!(ran.code, 1);
    let report = ran.report();
    assert_eq!(report.alerts.len(), 3);
    assert!(
        report.alerts.iter().all(|alert| alert.delivered),
        "{:#?}",
        report.alerts
    );
    let paths: Vec<String> = sink
        .requests()
        .iter()
        .map(|request| request.path().to_owned())
        .collect();
    for path in ["/slack/SECRET", "/hook/SECRET", "/ping/SECRET/fail"] {
        assert!(paths.iter().any(|sent| sent == path), "{path}: {paths:?}");
    }
    let sent = sink.requests();
    let hook = sent
        .iter()
        .find(|request| request.path() == "/hook/SECRET")
        .unwrap();
    let body: serde_json::Value = serde_json::from_slice(&hook.body).unwrap();
    assert_eq!(body["schema"], "cvm-verify/alert/v1");
    assert_eq!(body["failed"][0]["id"], "compose-hash");
    assert!(
        hook.header("x-cvm-verify-signature")
            .is_some_and(|value| value.starts_with("v1="))
    );
    sink.forget_requests();
    let ran = verify(&Deployment::healthy(), &env, &[]);
    assert_eq!(ran.report().verdict, Verdict::Pass);
    assert!(sink.requests().is_empty(), "a simulated pass pings nobody");
    assert_eq!(
        ran.report().alerts[0].detail,
        "not sent: the pass relies on a root that is not built in"
    );
}

#[test]
fn t59_t60_a_delivery_that_fails_is_visible_leaks_nothing_and_changes_no_verdict() {
    for (behaviour, says) in [
        (Behaviour::Status(404), "status 404"),
        (Behaviour::Redirect("http://127.0.0.1:1/".to_owned()), "302"),
        (Behaviour::Close, "in 3 tries"),
    ] {
        let sink = sink();
        sink.behave(AppEndpoint::Other, behaviour);
        let url = format!("{}/services/T0PSECRET", sink.url());
        let ran = verify(&failing(), &[("CVM_VERIFY_SLACK_WEBHOOK_URL", &url)], &[]);
        assert_eq!(ran.code, 1);
        assert_eq!(ran.report().verdict, Verdict::Fail);
        let alert = &ran.report().alerts[0];
        assert!(!alert.delivered);
        assert!(alert.detail.contains(says), "{says}: {}", alert.detail);
        let all = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            !all.contains("T0PSECRET") && !all.contains(sink.url().as_ref() as &str),
            "{all}"
        );
    }
}

/// A signal ends the alerts while one channel hangs: the next run tells that one alone.
#[test]
fn a_signal_while_alerts_are_sent_loses_nothing_that_a_channel_took() {
    let deployment = failing();
    let (fast, hanging) = (sink(), sink());
    hanging.behave(AppEndpoint::Other, Behaviour::Hang);
    let (hook, slack) = (
        format!("{}/hook", fast.url()),
        format!("{}/services/T0PSECRET", hanging.url()),
    );
    let env = [
        ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
        ("CVM_VERIFY_SLACK_WEBHOOK_URL", slack.as_str()),
    ];
    let state = format!("--state={}", deployment.path("state.json"));
    let args = deployment.strict_args(&["verify", &deployment.app.url(), &state]);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let ran = std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            run_in(&args, &env, |env| {
                env.stop = Some(Box::pin(async {
                    let _ = stopped.await;
                }));
            })
        });
        while (fast.requests().is_empty() || hanging.requests().is_empty()) && !running.is_finished() {
            std::thread::yield_now();
        }
        // The answer of the one that answers is on its way.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let _ = stop.send(());
        running.join().unwrap()
    });
    assert_eq!(ran.code, 1, "{ran:#?}");
    hanging.behave(AppEndpoint::Other, Behaviour::Status(200));
    fast.forget_requests();
    hanging.forget_requests();
    let ran = verify(&deployment, &env, &[&state]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert_eq!(fast.requests().len(), 0, "{:#?}", ran.report().alerts);
    assert_eq!(hanging.requests().len(), 1, "{:#?}", ran.report().alerts);
}

/// The verdict is out when the run waits for the memory of another one: a signal ends the waiting and decides nothing.
#[test]
fn a_signal_while_another_run_holds_the_memory_leaves_the_verdict() {
    let (deployment, sink) = (failing(), sink());
    let hook = format!("{}/hook", sink.url());
    let state = deployment.path("state.json");
    let held = std::fs::File::create(format!("{state}.lock")).unwrap();
    held.lock().unwrap();
    let args = deployment.strict_args(&[
        "verify",
        &deployment.app.url(),
        "--format=json",
        &format!("--state={state}"),
    ]);
    let (out, err) = (Sink::default(), Sink::default());
    let mut env = env_of(&args, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], &out, &err);
    let said = err.clone();
    env.stop = Some(Box::pin(async move {
        while !said.text().contains("another run uses it; waiting at most") {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }));
    let code = cvm_verify::cli::run(&mut env);
    let ran = Ran {
        code,
        stdout: out.text(),
        stderr: err.text(),
    };
    assert_eq!(ran.code, 1, "{ran:#?}");
    let report = ran.report();
    assert_eq!((report.verdict, report.alerts.len()), (Verdict::Fail, 1));
    let alert = &report.alerts[0];
    assert!(
        !alert.delivered
            && alert
                .detail
                .contains("the next run sends what no channel confirmed"),
        "{alert:#?}"
    );
    assert!(sink.requests().is_empty() && !std::path::Path::new(&state).exists());
}

#[test]
fn no_secret_is_no_error_and_no_option_takes_one() {
    let ran = verify(&failing(), &[("CVM_VERIFY_SLACK_WEBHOOK_URL", "")], &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.report().alerts.is_empty());
    verify(&failing(), &[], &["--slack-webhook-url=https://x.example"])
        .assert_usage_error("unexpected argument");
}

/// A secret whose name is misspelt arrives as an empty input: that is said, before anything fails and when it does.
#[test]
fn a_channel_of_a_github_step_that_is_given_and_empty_is_skipped_with_a_notice() {
    for deployment in [failing(), Deployment::healthy()] {
        let outputs = deployment.path("outputs");
        let env = [
            ("CVM_VERIFY_SLACK_WEBHOOK_URL", ""),
            ("CVM_VERIFY_PAGERDUTY_URL", ""),
            ("CVM_VERIFY_GITHUB_TOKEN", " \n"),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_OUTPUT", outputs.as_str()),
            ("GITHUB_STEP_SUMMARY", outputs.as_str()),
        ];
        let args = deployment.strict_args(&["verify", &deployment.app.url(), "--github"]);
        let ran = run_in(&args, &env, |_| {});
        let notice = "::notice title=alert channel without a secret::These inputs are given and empty, so nothing is \
                      sent there: slack-webhook-url, github-token.";
        assert_eq!(ran.stdout.matches(notice).count(), 1, "{}", ran.stdout);
        let written = std::fs::read_to_string(&outputs).unwrap();
        let last = written.rsplit("alert-status<<").next().unwrap();
        let status = if ran.code == 1 { "skipped" } else { "none" };
        assert!(last.lines().any(|line| line == status), "{status}: {written}");
    }
    let env = [("CVM_VERIFY_SLACK_WEBHOOK_URL", ""), ("GITHUB_ACTIONS", "true")];
    let ran = run_in(&["alert", "test"], &env, |_| {});
    assert_eq!(ran.code, 1);
    ran.assert_stdout(
        "FAILED     slack: nothing was sent: CVM_VERIFY_SLACK_WEBHOOK_URL is not set, or empty",
    );
}

#[test]
fn alert_test_says_what_each_channel_answered() {
    let sink = sink();
    let url = format!("{}/services/T0PSECRET", sink.url());
    let env = [
        ("CVM_VERIFY_SLACK_WEBHOOK_URL", url.as_str()),
        ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
    ];
    let ran = run_in(&["alert", "test"], &env, |_| {});
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stdout.starts_with("delivered  slack"), "{}", ran.stdout);
    sink.behave(AppEndpoint::Other, Behaviour::Status(403));
    let ran = run_in(&["alert", "test"], &env, |_| {});
    assert_eq!(ran.code, 1);
    ran.assert_stdout("FAILED");
    assert!(!ran.stdout.contains("T0PSECRET"));
    run_in(&["alert", "test"], &[], |_| {}).assert_usage_error("no alert channel is set");
}

/// `-q` is for cron, which mails what is printed: nobody else hears of a dead channel.
#[test]
fn a_quiet_run_says_which_alerts_were_not_delivered() {
    let sink = sink();
    sink.behave(AppEndpoint::Other, Behaviour::Status(404));
    let url = format!("{}/hook", sink.url());
    let failing = failing();
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    for (quiet, is_printed) in [("-q", true), ("-qq", false)] {
        let args = failing.strict_args(&["verify", &failing.app.url(), quiet]);
        let ran = run_in(&args, &env, |_| {});
        assert_eq!((ran.code, !ran.stdout.is_empty()), (1, is_printed), "{ran:#?}");
        let lines: Vec<&str> = ran.stderr.lines().collect();
        assert!(
            lines[0].starts_with("  alert NOT delivered: webhook, event failed: "),
            "{lines:#?}"
        );
        assert!(
            ran.stderr.contains("404") && !ran.stdout.contains("alert"),
            "{ran:#?}"
        );
    }
    // A pass is silent; a heartbeat that is not sent is not.
    let healthy = Deployment::healthy();
    let args = healthy.strict_args(&["verify", &healthy.app.url(), "-q"]);
    let ran = run_in(&args, &env, |_| {});
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, "", ""));
    let ran = run_in(&args, &[("CVM_VERIFY_HEARTBEAT_URL", url.as_str())], |_| {});
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""));
    assert!(ran.stderr.contains("alert NOT delivered: heartbeat"), "{ran:#?}");
    sink.behave(AppEndpoint::Other, Behaviour::Status(200));
    let args = failing.strict_args(&["verify", &failing.app.url(), "-q"]);
    assert_eq!(run_in(&args, &env, |_| {}).stderr, "");
}

/// Each channel that a policy file names is tested once, whoever it is of; a secret that is missing is named.
#[test]
fn alert_test_tests_the_channels_of_a_policy_file() {
    let sink = sink();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cvm-verify.toml");
    let target = |name: &str, more: &str| {
        format!("[[target]]\nname = \"{name}\"\nurl = \"https://{name}.example\"\n{more}\n")
    };
    let shop = "slack-webhook-url-env = \"CVM_VERIFY_SLACK_SHOP\"";
    let hook = "webhook-url-env = \"CVM_VERIFY_HOOK\"\nwebhook-secret-env = \"CVM_VERIFY_HOOK_KEY\"";
    let text = format!(
        "[defaults]\nheartbeat-url-env = \"CVM_VERIFY_HEART\"\n{}{}{}{}",
        target("shop", shop),
        target("shop-2", shop),
        target("blog", hook),
        target("quiet", "slack-webhook-url-env = \"none\"")
    );
    std::fs::write(&file, text).unwrap();
    let config = format!("--config={}", file.display());
    let (slack, slack_shop, hook, heart) = (
        format!("{}/slack", sink.url()),
        format!("{}/slack-shop", sink.url()),
        format!("{}/hook", sink.url()),
        format!("{}/heart", sink.url()),
    );
    let all = [
        ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
        ("CVM_VERIFY_SLACK_WEBHOOK_URL", slack.as_str()),
        ("CVM_VERIFY_SLACK_SHOP", &slack_shop),
        ("CVM_VERIFY_HOOK", &hook),
        ("CVM_VERIFY_HOOK_KEY", "key"),
        ("CVM_VERIFY_HEART", &heart),
    ];
    let ran = run_in(&["alert", "test", &config], &all, |_| {});
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(
        ran.stdout,
        "delivered  slack: accepted (status 200)\n\
         delivered  slack (CVM_VERIFY_SLACK_SHOP): accepted (status 200)\n\
         delivered  webhook (CVM_VERIFY_HOOK, CVM_VERIFY_HOOK_KEY): accepted (status 200)\n\
         delivered  heartbeat (CVM_VERIFY_HEART): accepted (status 200)\n"
    );
    let mut paths: Vec<String> = sink.requests().iter().map(|one| one.path().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/heart/log", "/hook", "/slack", "/slack-shop"]);
    // What is missing is named, and the others are tested.
    sink.forget_requests();
    let ran = run_in(&["alert", "test", &config], &all[..4], |_| {});
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert_stdout("delivered  slack (CVM_VERIFY_SLACK_SHOP): accepted (status 200)");
    ran.assert_stdout("FAILED     webhook: nothing was sent: CVM_VERIFY_HOOK_KEY is not set, or empty");
    ran.assert_stdout("FAILED     heartbeat: nothing was sent: CVM_VERIFY_HEART is not set, or empty");
    assert!(sink.requests().iter().all(|one| one.path().starts_with("/slack")));
    // As `mode: alert-test` gives it, and a file with a mistake.
    let as_input = [all[0], all[2], ("CVM_VERIFY_CONFIG", file.to_str().unwrap())];
    run_in(&["alert", "test"], &as_input, |_| {}).assert_stdout("delivered  slack (CVM_VERIFY_SLACK_SHOP)");
    std::fs::write(
        &file,
        "[defaults]\nslack-webhook-url-en = \"CVM_VERIFY_SLACK_SHOP\"\n",
    )
    .unwrap();
    run_in(&["alert", "test", &config], &all, |_| {}).assert_usage_error("slack-webhook-url-en");
    // The file of the working folder is found, unless an address says that `verify` does not read it.
    let found = |args: &[&str], env: &[(&str, &str)]| run_in(args, env, |env| env.exists = |_| true);
    found(&["alert", "test"], &[]).assert_usage_error("cvm-verify.toml");
    for (args, env) in [
        (vec!["alert", "test", "--no-config"], vec![]),
        (
            vec!["alert", "test"],
            vec![("CVM_VERIFY_URL", "https://shop.example")],
        ),
    ] {
        found(&args, &env).assert_usage_error("no alert channel is set; set one of");
    }
}

#[test]
fn with_a_memory_a_failure_is_told_once_also_by_two_runs_at_a_time() {
    let (sink, deployment) = (sink(), failing());
    let hook = format!("{}/hook", sink.url());
    let state = format!(
        "--state={}",
        deployment.folder.path().join("state.json").display()
    );
    let run = || verify(&deployment, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], &[&state]);
    let codes = std::thread::scope(|scope| {
        let runs = [scope.spawn(run), scope.spawn(run)];
        runs.map(|run| run.join().unwrap().code)
    });
    assert_eq!(codes, [1, 1], "the verdict is the same whoever told");
    assert_eq!(sink.count("/hook"), 1);
}

/// The list of an app's instances is a target of its own name: an alert that it could not be had must end with it.
#[test]
fn an_outage_of_phala_clouds_list_is_told_to_end_when_every_instance_passes() {
    let cvm = Cvm::healthy(&World::default());
    let id = cvm.app_id_bytes();
    let (sink, deployment) = (sink(), Deployment::healthy());
    let hook = format!("{}/hook", sink.url());
    let list = |instances: &[Option<Cvm>]| {
        deployment.app.serve_file(
            &phala_cloud::path(&id),
            "application/json",
            phala_cloud::answer(&id, InstanceShape::New, instances),
        );
    };
    let run = || {
        let args = deployment.strict_args(&[
            "verify",
            &hex::encode(&id),
            "--source=phala-cloud",
            &format!("--phala-api-url={}", deployment.app.url()),
            "--freshness=unchecked",
            "--format=json",
            &format!("--state={}", deployment.path("state.json")),
        ]);
        let ran = run_in(&args, &[("CVM_VERIFY_WEBHOOK_URL", &hook)], |_| {});
        let told = ran.report().alerts.into_iter().map(|alert| {
            let name = alert.detail.split(": ").next().unwrap_or_default().to_owned();
            (alert.event, name)
        });
        told.collect::<Vec<_>>()
    };
    let app = format!("phala-cloud/{}", hex::encode(&id));
    let said = |event: &str, name: &str| vec![(event.to_owned(), name.to_owned())];
    list(&[]);
    assert_eq!(run(), said("inconclusive", &app), "evidence / no-quote");
    // One that fails is told by its own name, and the app has not recovered.
    let mut other = cvm.clone();
    other.instance_id = vec![2; 20];
    let mut lying = other.clone();
    Lie::SwappedImage.apply(&mut lying);
    list(&[Some(cvm.clone()), Some(lying.clone())]);
    let second = format!("{app} instance {}", "02".repeat(20));
    assert_eq!(run(), said("failed", &second));
    // Who lists them chooses the order: that ends nothing and is nothing new.
    list(&[Some(lying), Some(cvm.clone())]);
    assert_eq!(run(), []);
    list(&[Some(cvm.clone()), Some(other)]);
    let mut told = run();
    told.sort();
    assert_eq!(
        told,
        [said("recovered", &app), said("recovered", &second)].concat()
    );
    // And a single outage after that is no news.
    list(&[]);
    assert_eq!(run(), []);
}

#[test]
fn the_issue_channel_takes_its_token_and_its_addresses_from_the_environment() {
    let sink = sink();
    let api = sink.url().to_string();
    let env = [
        ("CVM_VERIFY_GITHUB_TOKEN", "ghp_SECRET\n"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_API_URL", api.as_str()),
    ];
    let ran = verify(&failing(), &env, &[]);
    assert_eq!(ran.code, 1);
    let alert = &ran.report().alerts[0];
    // This server answers, but it is no GitHub.
    assert_eq!((alert.channel.as_str(), alert.delivered), ("github-issue", false));
    assert!(
        alert.detail.contains("the owner of the token"),
        "{}",
        alert.detail
    );
    let asked: Vec<String> = sink
        .requests()
        .iter()
        .map(|request| request.path().to_owned())
        .collect();
    assert_eq!(asked, ["/graphql", "/user"]);
    let bearer = sink.requests()[0].header("authorization").map(str::to_owned);
    assert_eq!(bearer.as_deref(), Some("Bearer ghp_SECRET"));
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("ghp_SECRET"));
}

#[test]
fn the_issue_channel_needs_a_repository_and_a_memory_a_number() {
    let token = ("CVM_VERIFY_GITHUB_TOKEN", "ghp_SECRET");
    verify(&failing(), &[token], &[]).assert_usage_error("write --github-issue OWNER/REPO");
    verify(&failing(), &[token], &["--github-issue=shop"]).assert_usage_error("is not a repository");
    verify(&failing(), &[], &["--inconclusive-after=0"]).assert_usage_error("0 is not in 1..=1000");
    let empty = ("CVM_VERIFY_GITHUB_TOKEN", "");
    let ran = verify(&failing(), &[empty], &["--github-issue=acme/shop"]);
    assert_eq!(
        ran.report().alerts[0].detail,
        "skipped: no secret: CVM_VERIFY_GITHUB_TOKEN is not set, or empty"
    );
}

/// A target that leaves the policy while it fails, or gets another name there, must not get lost by falling silent.
#[test]
fn t61_a_target_that_leaves_the_policy_while_it_fails_is_told_once() {
    let failing = failing();
    let fine = AppServer::http(Cvm::healthy(&World::default()));
    let sink = sink();
    let url = format!("{}/hook", sink.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let config = failing.path("cvm-verify.toml");
    let state = format!("--state={}", failing.path("state.json"));
    let verify = |targets: &[(&str, &str)], more: &[&str]| {
        let target = |(name, url): &(&str, &str)| format!("[[target]]\nname = \"{name}\"\nurl = \"{url}\"\n");
        std::fs::write(&config, targets.iter().map(target).collect::<String>()).unwrap();
        let args = failing.strict_args_with(
            &["verify", "--format=json", &format!("--config={config}"), &state],
            more,
        );
        sink.forget_requests();
        let ran = run_in(&args, &env, |_| {});
        let bodies: Vec<serde_json::Value> = sink
            .requests()
            .iter()
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect();
        (ran, bodies)
    };
    let (bad, good) = (failing.app.url(), fine.url());
    let both = [("shop", bad.as_str()), ("blog", good.as_str())];
    let (ran, told) = verify(&both, &[]);
    assert_eq!((ran.code, told.len()), (1, 1), "{ran:#?}");
    assert_eq!(told[0]["event"], "failed");
    // A run over some of the targets, and one over a part of them, say nothing of the others.
    assert_eq!(verify(&both, &["--target=blog"]).1.len(), 0);
    assert_eq!(verify(&both[1..], &["--shard=1/1"]).1.len(), 0);
    let (ran, told) = verify(&[("shop-2", good.as_str()), both[1]], &[]);
    assert_eq!((ran.code, told.len()), (0, 1), "{ran:#?}");
    assert_eq!(
        (told[0]["event"].as_str(), told[0]["verdict"].as_str()),
        (Some("changed"), Some("fail"))
    );
    assert_eq!(told[0]["target"]["name"], "shop");
    assert!(
        told[0]["fix"]
            .as_str()
            .unwrap()
            .contains("It is no longer verified"),
        "{told:#?}"
    );
    let (ran, told) = verify(&both[1..], &[]);
    assert_eq!((ran.code, told.len()), (0, 0), "{ran:#?}");
    // It comes back: the incident is a new one.
    assert_eq!(verify(&both, &[]).1[0]["event"], "failed");
}

/// A channel that never answers withholds no verdict: it is printed and written first, and a signal ends the waiting, not
/// the verdict.
#[test]
fn the_verdict_is_out_before_any_channel_answers_and_a_signal_ends_the_alerts_alone() {
    for replayed in [false, true] {
        let deployment = failing();
        let sink = sink();
        sink.behave(AppEndpoint::Other, Behaviour::Hang);
        let url = format!("{}/services/T0PSECRET", sink.url());
        let out = deployment.path("out");
        let (outputs, summary) = (deployment.path("outputs"), deployment.path("summary"));
        let bundle = deployment.path("bundle.json");
        let mut args =
            deployment.strict_args(&["verify", &deployment.app.url(), &format!("--evidence={bundle}")]);
        if replayed {
            assert_eq!(run_in(&args, &[], |_| {}).code, 1);
            args = vec![
                "replay".to_owned(),
                bundle,
                "--alert".to_owned(),
                format!("--insecure-trust-root={}", deployment.path("root.pem")),
                "--allow-private-network".to_owned(),
            ];
            args.extend(deployment.expect().iter().cloned());
        }
        args.extend(["--github".to_owned(), format!("--output-dir={out}")]);
        let env = [
            ("CVM_VERIFY_SLACK_WEBHOOK_URL", url.as_str()),
            ("GITHUB_OUTPUT", outputs.as_str()),
            ("GITHUB_STEP_SUMMARY", summary.as_str()),
        ];
        // What stands in the files while the channel hangs.
        let meanwhile = std::sync::Arc::new(std::sync::Mutex::new([const { String::new() }; 3]));
        let (seen, files) = (
            meanwhile.clone(),
            [format!("{out}/report.json"), outputs.clone(), summary.clone()],
        );
        let ran = run_in(&args, &env, |env| {
            env.stop = Some(Box::pin(async move {
                loop {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    let texts = files
                        .clone()
                        .map(|file| std::fs::read_to_string(file).unwrap_or_default());
                    if texts.iter().all(|text| !text.is_empty()) {
                        *seen.lock().unwrap() = texts;
                        return;
                    }
                }
            }));
        });
        assert_eq!(ran.code, 1, "{ran:#?}");
        ran.assert_stdout("FAIL");
        let [report, told, shown] = meanwhile.lock().unwrap().clone();
        let before: Report = serde_json::from_str(&report).unwrap();
        assert_eq!(before.verdict, Verdict::Fail);
        assert_eq!(
            before.alerts[0].detail,
            "not sent: the run ended before its alerts were"
        );
        assert!(told.contains("fail") && told.contains("failed"), "{told}");
        assert!(shown.contains("FAIL"), "{shown}");
        let after: Report =
            serde_json::from_str(&std::fs::read_to_string(format!("{out}/report.json")).unwrap()).unwrap();
        let alert = after.alerts.last().unwrap();
        assert!(
            !alert.delivered && alert.detail.starts_with("ended by a request to stop"),
            "{alert:?}"
        );
        ran.assert_stdout("ended by a request to stop");
        assert_eq!(after.targets, before.targets);
        let outputs = std::fs::read_to_string(outputs).unwrap();
        assert_eq!(outputs.matches("alert-status").count(), 2, "{outputs}");
    }
}

#[test]
fn what_became_of_the_alerts_is_said_behind_the_verdict() {
    let deployment = failing();
    let sink = sink();
    sink.behave(AppEndpoint::Other, Behaviour::Status(404));
    let url = format!("{}/services/T0PSECRET", sink.url());
    let outputs = deployment.path("outputs");
    let env = [
        ("CVM_VERIFY_SLACK_WEBHOOK_URL", url.as_str()),
        ("GITHUB_OUTPUT", outputs.as_str()),
        ("GITHUB_STEP_SUMMARY", outputs.as_str()),
    ];
    for format in ["text", "markdown"] {
        let args = deployment.strict_args(&[
            "verify",
            &deployment.app.url(),
            "--github",
            &format!("--format={format}"),
        ]);
        let ran = run_in(&args, &env, |_| {});
        let place = |text: &str| {
            ran.stdout
                .find(text)
                .unwrap_or_else(|| panic!("{text}: {}", ran.stdout))
        };
        assert!(place("FAIL") < place("alert NOT delivered"), "{}", ran.stdout);
        assert_eq!(
            ran.stdout.matches("::warning title=alert NOT delivered").count(),
            1,
            "{}",
            ran.stdout
        );
    }
    sink.behave(AppEndpoint::Other, Behaviour::Status(200));
    verify(&deployment, &env, &["--github"]);
    let text = std::fs::read_to_string(outputs).unwrap();
    assert!(text.trim_end().contains("delivered"), "{text}");
}

/// The runners of a CI check a repository out in folders of their own.
#[test]
fn a_target_is_the_same_in_every_checkout_of_its_policy_file() {
    let failing = failing();
    let sink = sink();
    let url = format!("{}/hook", sink.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let state = format!("--state={}", failing.path("state.json"));
    for (checkout, told) in [("runner-1", 1), ("runner-2", 0)] {
        let root = failing.folder.path().join(checkout);
        std::fs::create_dir_all(root.join(".git")).unwrap();
        let config = root.join("fleet.toml");
        let text = format!("[[target]]\nname = \"shop\"\nurl = \"{}\"\n", failing.app.url());
        std::fs::write(&config, text).unwrap();
        let args = failing.strict_args(&["verify", &format!("--config={}", config.display()), &state]);
        sink.forget_requests();
        let ran = run_in(&args, &env, |_| {});
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert_eq!(sink.count("/hook"), told, "{checkout}: {ran:#?}");
    }
}
