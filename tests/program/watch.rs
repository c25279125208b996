//! `watch`: rounds, alerts, metrics and a policy that changes, a hundred times faster than asked for.

mod once;
mod policy;
mod told;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cvm_verify::cli;
use cvm_verify_core::report::{CheckId, Status};
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, Lie, World};

use super::config::expectations;
use super::deployment::Deployment;
use super::governed::{Governed, app_id};
use super::run::{Ran, Sink, env_of, run, run_in};

/// A hang would otherwise be one for ever; nothing else depends on it.
const HANG: Duration = Duration::from_secs(120);

/// A `watch` that runs.
struct Watching {
    out: Sink,
    err: Sink,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<u8>>,
}

impl Watching {
    fn new(args: &[String], env: &[(&str, &str)]) -> Self {
        let (out, err) = (Sink::default(), Sink::default());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let args: Vec<String> = std::iter::once("watch".to_owned())
            .chain(args.iter().cloned())
            .collect();
        let env: Vec<(String, String)> = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let thread = std::thread::spawn({
            let (out, err) = (out.clone(), err.clone());
            move || {
                let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (&**name, &**value)).collect();
                let mut env = env_of(&args, &env, &out, &err);
                env.acceleration = 100;
                env.stop = Some(Box::pin(async {
                    let _ = stopped.await;
                }));
                cli::run(&mut env)
            }
        });
        Self {
            out,
            err,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The log, once this holds of it.
    #[track_caller]
    fn until(&self, holds: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let text = self.out.text();
            if holds(&text) {
                return text;
            }
            let ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
            assert!(
                started.elapsed() < HANG && !ended,
                "it never said so:\n{text}\n{}",
                self.err.text()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until this was said so many times.
    #[track_caller]
    fn said(&self, what: &str, times: usize) -> String {
        self.until(|log| log.matches(what).count() >= times)
    }

    /// What it is after it was asked to stop.
    fn stopped(mut self) -> Ran {
        let _ = self.stop.take().map(|stop| stop.send(()));
        let code = self.thread.take().map(|thread| thread.join().unwrap()).unwrap();
        Ran {
            code,
            stdout: self.out.text(),
            stderr: self.err.text(),
        }
    }

    /// A page of the endpoint.
    fn page(&self, path: &str) -> String {
        let log = self.said("listening: ", 1);
        let address = log.split("http://").nth(1).unwrap();
        let address = address.split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn args(deployment: &Deployment, more: &[&str]) -> Vec<String> {
    deployment.strict_args_with(&[&deployment.app.url(), "--interval=10s", "--no-cache"], more)
}

/// A service that takes alerts and remembers them.
fn hook() -> AppServer {
    let hook = AppServer::http(Cvm::healthy(&World::default()));
    hook.behave(AppEndpoint::Other, Behaviour::Status(200));
    hook
}

/// The events that a webhook was told, in order.
fn events(hook: &AppServer) -> Vec<String> {
    let events = hook.requests().into_iter().map(|request| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
        body["event"].as_str().unwrap().to_owned()
    });
    events.collect()
}

/// A policy file with these targets.
fn write_policy(deployment: &Deployment, targets: &[(&str, &str)]) -> String {
    let mut text = format!("[defaults]\ninterval = \"10s\"\n{}", expectations(deployment));
    for (name, url) in targets {
        text.push_str(&format!("\n[[target]]\nname = \"{name}\"\nurl = \"{url}\"\n"));
    }
    let path = deployment.path("cvm-verify.toml");
    std::fs::write(&path, text).unwrap();
    format!("--config={path}")
}

#[test]
fn it_verifies_again_and_again_and_tells_each_change_once() {
    let deployment = Deployment::healthy();
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    let watching = Watching::new(&args(&deployment, &[]), &[("CVM_VERIFY_WEBHOOK_URL", &url)]);
    watching.said(": PASS", 3);
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    watching.said(": FAIL", 3);
    deployment.app.replace(Cvm::healthy(&World::default()));
    watching.said("webhook delivered, event recovered", 1);
    let ran = watching.stopped();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(events(&hook), ["failed", "recovered"]);
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.contains("SIMULATED"), "{first}");
    ran.assert_stdout("[compose-hash/compose-hash-mismatch");
    let last = ran.stdout.lines().last().unwrap();
    assert!(last.ends_with("stopping: a request to stop"), "{last}");
}

#[test]
fn a_state_file_outlives_a_restart() {
    let deployment = Deployment::healthy();
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let hook = hook();
    let url = format!("{}/hook", hook.url());
    let state = format!("--state={}", deployment.path("state.json"));
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let watching = Watching::new(&args(&deployment, &[&state]), &env);
    watching.said("webhook delivered, event failed", 1);
    assert_eq!(watching.stopped().code, 0);
    let watching = Watching::new(&args(&deployment, &[&state]), &env);
    watching.said(": FAIL", 3);
    deployment.app.replace(Cvm::healthy(&World::default()));
    watching.said("webhook delivered, event recovered", 1);
    assert_eq!(watching.stopped().code, 0);
    assert_eq!(events(&hook), ["failed", "recovered"]);
}

#[test]
fn without_any_channel_it_says_so_at_the_start() {
    let deployment = Deployment::healthy();
    for (env, silent) in [
        ([("CVM_VERIFY_HEARTBEAT_URL", "")], true),
        ([("CVM_VERIFY_HEARTBEAT_URL", "http://127.0.0.1:9/ping")], false),
        (
            [("CVM_VERIFY_SLACK_WEBHOOK_URL", "http://127.0.0.1:9/slack")],
            false,
        ),
    ] {
        let watching = Watching::new(&args(&deployment, &[]), &env);
        let log = watching.said(": PASS", 1);
        assert_eq!(log.contains("note: no alert channel is set"), silent, "{log}");
        assert_eq!(watching.stopped().code, 0);
    }
}

#[test]
fn metrics_and_health_are_served_where_that_is_asked_for() {
    let deployment = Deployment::healthy();
    let watching = Watching::new(&args(&deployment, &["--listen=127.0.0.1:0"]), &[]);
    watching.said(": PASS", 2);
    let metrics = watching.page("/metrics");
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    let first = metrics.split("\r\n\r\n").nth(1).unwrap().lines().next().unwrap();
    assert!(first.contains("SIMULATED"), "{first}");
    for line in [
        "verdict=\"pass\"} 1",
        "status=\"UpToDate\"} 1",
        "cvm_verify_healthy 1",
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    assert!(watching.page("/healthz").starts_with("HTTP/1.1 200 OK\r\n"));
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    watching.said(": FAIL", 1);
    assert!(watching.page("/metrics").contains("verdict=\"fail\"} 1"));
    assert!(
        watching.page("/healthz").starts_with("HTTP/1.1 200 OK\r\n"),
        "a failure of a target is none of the loop"
    );
    assert_eq!(watching.stopped().code, 0);
}

/// A pass by another root of GPUs pings no heartbeat, and is no pass for Prometheus' rules either.
#[test]
fn metrics_name_another_root_of_gpus() {
    let deployment = Deployment::healthy();
    std::fs::write(deployment.path("devices.pem"), simulator::gpu::device_root_pem(1)).unwrap();
    let root = format!("--insecure-trust-root=nvidia={}", deployment.path("devices.pem"));
    let url = deployment.app.url();
    // Nothing is verified by Intel's root here: the page is the same whatever was found.
    let mut args = vec![
        url.as_str(),
        "--no-cache",
        "--allow-private-network",
        "--listen=127.0.0.1:0",
        &root,
    ];
    let collateral = deployment.network();
    args.extend(
        collateral
            .iter()
            .map(String::as_str)
            .filter(|arg| arg.starts_with("--pccs")),
    );
    let watching = Watching::new(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(), &[]);
    let page = watching.page("/metrics");
    assert!(
        page.contains("# SIMULATED: not NVIDIA's root, proves nothing about GPUs\n"),
        "{page}"
    );
    assert!(page.contains("\ncvm_verify_simulated 1\n"), "{page}");
    assert_eq!(watching.stopped().code, 0);
}

#[test]
fn what_cannot_be_watched_is_a_usage_error() {
    let ran = run(&["watch"]);
    ran.assert_usage_error("there is nothing to verify");
    for (option, says) in [
        ("--interval=5", "5\" is not an interval"),
        ("--interval=9s", "from 10s to 7d"),
        ("--listen=localhost", "localhost"),
        ("--concurrency=0", "0"),
    ] {
        run(&["watch", "https://app.example", option]).assert_usage_error(says);
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("--listen={}", taken.local_addr().unwrap());
    let ran = run(&[
        "watch",
        "https://app.example",
        "--no-cache",
        "--compose-hash",
        &"0".repeat(64),
        &listen,
    ]);
    ran.assert_usage_error("cannot be listened on");
}

#[test]
fn the_evidence_of_a_failure_is_kept_once_and_can_be_replayed() {
    let deployment = Deployment::healthy();
    let folder = deployment.path("kept");
    let watching = Watching::new(&args(&deployment, &["--evidence", &folder]), &[]);
    watching.said(": PASS", 2);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    watching.said(": FAIL", 3);
    let ran = watching.stopped();
    assert_eq!(ran.stdout.matches("evidence: ").count(), 1, "{}", ran.stdout);
    let file = std::fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let again = deployment.replay_args(&["replay", &file.display().to_string(), "--format=json"]);
    let again = run(&again);
    again.assert(CheckId::ComposeHash, Status::Fail, Some("compose-hash-mismatch"));
}

#[test]
fn two_targets_of_one_policy_do_not_wait_for_each_other() {
    let deployment = Deployment::healthy();
    let hanging = AppServer::http(Cvm::healthy(&World::default()));
    hanging.behave(AppEndpoint::Attestation, Behaviour::Hang);
    let config = write_policy(
        &deployment,
        &[("hangs", &hanging.url()), ("answers", &deployment.app.url())],
    );
    let arguments = deployment.network_args(&[&config, "--no-cache"]);
    let watching = Watching::new(&arguments, &[]);
    watching.said("answers: PASS", 5);
    let ran = watching.stopped();
    assert_eq!(ran.code, 0);
    assert!(!ran.stdout.contains("hangs: PASS"), "{}", ran.stdout);
}

/// The real program in a process of its own: signals are the process's.
#[cfg(unix)]
#[test]
fn sigterm_ends_it_while_a_target_and_a_webhook_hang_and_sighup_reads_the_policy() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let deployment = Deployment::healthy();
    let hanging = hook();
    hanging.behave(AppEndpoint::Attestation, Behaviour::Hang);
    hanging.behave(AppEndpoint::Other, Behaviour::Hang);
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let config = write_policy(
        &deployment,
        &[("hangs", &hanging.url()), ("fails", &deployment.app.url())],
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
        .args(["watch", "--no-cache", &config])
        .args(deployment.network())
        .env_clear()
        .env("CVM_VERIFY_WEBHOOK_URL", format!("{}/hook", hanging.url()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let tell = |signal: &str| {
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |says: &str| lines.find(|line| line.as_ref().unwrap().contains(says)).is_some();
    assert!(until("fails: "));
    tell("-HUP");
    assert!(until("policy-read: 2 targets: nothing changed"));
    tell("-TERM");
    assert!(until("stopping: SIGTERM"));
    assert!(until("stopping: alerts were still being sent"));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// A mistake in a tightened policy must not leave the old one in use in silence.
#[cfg(unix)]
#[test]
fn a_policy_that_stays_refused_is_told_and_so_is_its_end() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    let deployment = Deployment::healthy();
    let (no_github, hook) = (hook(), hook());
    let config = write_policy(&deployment, &[("shop", &deployment.app.url())]);
    let path = deployment.path("cvm-verify.toml");
    let sound = std::fs::read_to_string(&path).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
        .args(["watch", "--no-cache", &config])
        .args(deployment.network())
        .env_clear()
        .env("CVM_VERIFY_WEBHOOK_URL", format!("{}/hook", hook.url()))
        .env("CVM_VERIFY_GITHUB_TOKEN", "ghs_1")
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GITHUB_API_URL", no_github.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id().to_string();
    let reload = || {
        let kill = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(kill.unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(300));
    };
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until = |says: &str| lines.find(|line| line.as_ref().unwrap().contains(says)).is_some();
    // What the events of the webhook about the policy are: the clock of a process is not that of the simulated world, so the target
    // has alerts of its own.
    let told = || -> Vec<String> {
        let alerts = hook.requests().into_iter().map(|request| {
            let alert: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
            alert
        });
        let of_policy = alerts.filter(|alert| alert["target"]["name"] == "the policy of watch");
        of_policy
            .map(|alert| alert["event"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(until("shop: "));
    std::fs::write(&path, format!("{sound}intervall = \"10s\"\n")).unwrap();
    reload();
    assert!(until("policy-refused"));
    assert_eq!(told(), [""; 0], "a file that is being replaced");
    for _ in 0..3 {
        reload();
    }
    assert!(until(
        "alert: webhook delivered, event inconclusive: the policy of watch"
    ));
    assert!(
        until("event inconclusive: the policy of watch: not delivered"),
        "github-issue"
    );
    reload();
    assert_eq!(told(), ["inconclusive"]);
    std::fs::write(&path, sound).unwrap();
    reload();
    assert!(until("policy-read"));
    assert!(until("alert: webhook delivered, event recovered"));
    // Soon after, two looks in a row end it: the second does not wait for a change of the file.
    let sound = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{sound}intervall = \"10s\"\n")).unwrap();
    for _ in 0..4 {
        reload();
    }
    assert!(until(
        "alert: webhook delivered, event inconclusive: the policy of watch"
    ));
    std::fs::write(&path, sound).unwrap();
    reload();
    assert!(until("alert: webhook delivered, event recovered"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(told(), ["inconclusive", "recovered", "inconclusive", "recovered"]);
}

#[test]
fn two_that_would_keep_one_state_file_for_good_are_one_too_many() {
    let deployment = Deployment::healthy();
    let state = format!("--state={}", deployment.path("state.json"));
    let watching = Watching::new(&args(&deployment, &[&state]), &[]);
    watching.said(": PASS", 1);
    let mut second = vec!["watch".to_owned()];
    second.extend(args(&deployment, &[&state]));
    run(&second).assert_usage_error("give each process with --state a file of its own");
    assert_eq!(watching.stopped().code, 0);
}
