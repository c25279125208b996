//! Alerts of a run: T58–T60 end to end. Channels come from the environment alone.

mod interrupted;
mod remembered;

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
    verify(&failing(), &[], &["--inconclusive-after=0"])
        .assert_usage_error("write a whole number from 1 to 1000");
    let empty = ("CVM_VERIFY_GITHUB_TOKEN", "");
    let ran = verify(&failing(), &[empty], &["--github-issue=acme/shop"]);
    assert_eq!(
        ran.report().alerts[0].detail,
        "skipped: no secret: CVM_VERIFY_GITHUB_TOKEN is not set, or empty"
    );
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
