//! `--wait`, after a deploy.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::{Ran, Sink, env_of, run_in};

fn with_the_old_release() -> Deployment {
    let mut cvm = Cvm::healthy(&World::default());
    Lie::SwappedImage.apply(&mut cvm);
    Deployment::of(cvm)
}

#[test]
fn a_new_release_is_waited_for_and_the_log_says_what_is_still_different() {
    let deployment = with_the_old_release();
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deployment.verify(&["--wait=60s"]));
        while deployment.app.count("/attestation") < 2 {
            std::thread::yield_now();
        }
        deployment.app.replace(Cvm::healthy(&World::default()));
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stderr("waiting: 127.0.0.1");
    ran.assert_stderr("compose-hash [compose-hash-mismatch]");
}

/// Several instances behind one address: asking until one of them passes would always find the honest one.
#[test]
fn forged_evidence_ends_the_waiting_at_once_as_a_fail() {
    let deployment = Deployment::healthy();
    deployment.app.change(|cvm| Lie::BrokenSignature.apply(cvm));
    let ran = deployment.verify(&["--wait=60s"]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(QuoteSignature, Fail, Some("not-verified"));
    assert!(!ran.stderr.contains("waiting:"), "{}", ran.stderr);
}

/// A monitor waits while the app restarts, and never until a swap of the code is undone.
#[test]
fn a_monitor_waits_for_a_verdict_and_every_failure_is_one() {
    let deployment = with_the_old_release();
    let ran = deployment.verify(&["--wait=inconclusive:60s"]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    assert!(!ran.stderr.contains("waiting:"), "{}", ran.stderr);
    deployment
        .app
        .behave(AppEndpoint::Attestation, Behaviour::Status(503));
    deployment.app.replace(Cvm::healthy(&World::default()));
    let before = deployment.app.count("/attestation");
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deployment.verify(&["--wait=inconclusive:60s"]));
        while deployment.app.count("/attestation") < before + 4 {
            std::thread::yield_now();
        }
        deployment.app.behave(AppEndpoint::Attestation, Behaviour::Normal);
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
}

#[test]
fn the_report_names_the_attempts_that_did_not_pass_and_a_pass_after_them_must_hold() {
    let deployment = with_the_old_release();
    let summary = deployment.path("summary.md");
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deployment.verify(&["--wait=60s", "--summary", &summary]));
        while deployment.app.count("/attestation") < 2 {
            std::thread::yield_now();
        }
        deployment.app.replace(Cvm::healthy(&World::default()));
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stderr("one more attempt does");
    let report = ran.report();
    let earlier = report.targets[0].earlier_attempts.as_ref().unwrap();
    // Attempts but for the two that passed; one that saw both releases asked several times.
    let asked = deployment.app.count("/attestation");
    let not_passed = usize::try_from(earlier.not_passed).unwrap();
    assert!((1..=asked - 2).contains(&not_passed), "{not_passed} of {asked}");
    let reasons: Vec<_> = earlier
        .reasons
        .iter()
        .map(|one| (one.check, one.reason.as_str()))
        .collect();
    assert!(
        reasons.contains(&(ComposeHash, "compose-hash-mismatch")),
        "{reasons:?}"
    );
    let summary = std::fs::read_to_string(&summary).unwrap();
    assert!(summary.contains("of this run did not pass"), "{summary}");
}

#[test]
fn after_silence_the_first_pass_is_enough() {
    let deployment = Deployment::healthy();
    deployment
        .app
        .behave(AppEndpoint::Attestation, Behaviour::Status(404));
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deployment.verify(&["--wait=60s"]));
        while deployment.app.count("/attestation") < 1 {
            std::thread::yield_now();
        }
        deployment.app.behave(AppEndpoint::Attestation, Behaviour::Normal);
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(!ran.stderr.contains("one more attempt does"), "{}", ran.stderr);
    let report = ran.report();
    let earlier = report.targets[0].earlier_attempts.as_ref().unwrap();
    let reason = &earlier.reasons[0];
    assert_eq!((reason.check, reason.reason.as_str()), (Evidence, "http-status"));
    assert!(earlier.not_passed >= 1);
}

#[test]
fn the_second_release_is_waited_on_and_passes_when_time_is_up() {
    let deployment = with_the_old_release();
    let old = deployment.verify(&[]).report().targets[0]
        .measurements
        .compose_hash
        .clone()
        .unwrap();
    let day = cvm_verify_core::report::rfc3339(simulator::DEFAULT_NOW + 10 * 86_400);
    let day = day.get(..10).unwrap();
    let also = format!("--also-compose-hash={old}:until={day}");
    // Without waiting it passes as it does for a monitor, and the verdict line says so.
    let ran = deployment.verify(&[&also]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(ran.report().targets[0].second_release_until.as_deref(), Some(day));
    let ran = deployment.verify(&[&also, "--wait=2s"]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stderr(&format!(
        "the second release still runs, which is accepted until {day}"
    ));
    assert!(ran.report().targets[0].second_release_until.is_some());
    let ran = std::thread::scope(|scope| {
        let before = deployment.app.count("/attestation");
        let waiting = scope.spawn(|| deployment.verify(&[&also, "--wait=60s"]));
        while deployment.app.count("/attestation") < before + 2 {
            std::thread::yield_now();
        }
        deployment.app.replace(Cvm::healthy(&World::default()));
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(ran.report().targets[0].second_release_until, None);
}

#[test]
fn when_time_is_up_the_last_verdict_stands() {
    let deployment = with_the_old_release();
    let ran = deployment.verify(&["--wait=3s"]);
    assert_eq!(ran.code, 1);
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    assert!(deployment.app.count("/attestation") > 1);
}

#[test]
fn a_passing_deployment_is_asked_once_and_a_wrong_duration_is_a_usage_error() {
    let deployment = Deployment::healthy();
    assert_eq!(deployment.verify(&["--wait=10m"]).code, 0);
    assert_eq!(deployment.app.count("/attestation"), 1);
    deployment
        .app
        .behave(AppEndpoint::Attestation, Behaviour::Status(404));
    deployment
        .verify(&["--wait=soon"])
        .assert_usage_error("is not a duration");
}

#[test]
fn a_file_that_cannot_be_written_never_hides_the_verdict() {
    let deployment = Deployment::healthy();
    let ran = deployment.verify(&["--report-json", "/no/such/folder/report.json"]);
    assert_eq!(ran.code, 3);
    assert_eq!(ran.report().exit_code, 0, "the report is printed all the same");
    ran.assert_stderr("cannot be written");
    ran.assert_stderr("The exit code is 3 because a result could not be written.");
    ran.assert_stderr("that the disk has room");
    let ran = with_the_old_release().verify(&["--report-json", "/no/such/folder/report.json"]);
    assert_eq!(ran.code, 1, "a fail stays a fail");
    ran.assert_stderr("that the disk has room");
    assert!(!ran.stderr.contains("The exit code is"), "{ran:#?}");
}

/// An attempt does not outlast the waiting: one that hangs is made once, not three times at half a minute each.
#[test]
fn an_attempt_ends_with_the_waiting() {
    let deployment = Deployment::healthy();
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Hang);
    let ran = deployment.verify(&["--wait=1s"]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Evidence, Error, Some("unreachable"));
    assert_eq!(deployment.app.count("/attestation"), 1);
}

#[test]
fn what_was_found_before_the_waiting_ended_stands_although_the_last_attempt_was_cut_short() {
    let deployment = with_the_old_release();
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| deployment.verify(&["--wait=3s"]));
        while deployment.app.count("/attestation") < 2 {
            std::thread::yield_now();
        }
        deployment.app.behave(AppEndpoint::Attestation, Behaviour::Hang);
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
}

/// A run that waits, of which the app is changed when it has passed once and must hold once more.
fn confirmed_by(more: &[&str], change: impl FnOnce(&AppServer)) -> Ran {
    confirmed_or_stopped(more, &[], |app, _| change(app))
}

/// The same, which a signal can end.
fn confirmed_or_stopped(
    more: &[&str],
    variables: &[(&str, &str)],
    change: impl FnOnce(&AppServer, tokio::sync::oneshot::Sender<()>),
) -> Ran {
    let deployment = with_the_old_release();
    let args = deployment.strict_args_with(&["verify", "--format=json", &deployment.app.url()], more);
    let (out, err) = (Sink::default(), Sink::default());
    let mut env = env_of(&args, variables, &out, &err);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    env.stop = Some(Box::pin(async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    }));
    let code = std::thread::scope(|scope| {
        let running = scope.spawn(|| cvm_verify::cli::run(&mut env));
        while deployment.app.count("/attestation") < 2 && !running.is_finished() {
            std::thread::yield_now();
        }
        deployment.app.replace(Cvm::healthy(&World::default()));
        while !err.text().contains("one more attempt does") && !running.is_finished() {
            std::thread::yield_now();
        }
        change(&deployment.app, stop);
        running.join().unwrap()
    });
    Ran {
        code,
        stdout: out.text(),
        stderr: err.text(),
    }
}

/// Evidence of GPUs, a cold gateway: the confirmation may take longer than what is left of the waiting.
#[test]
fn a_slow_app_gets_its_confirmation_in_after_the_waiting() {
    let ran = confirmed_by(&["--wait=8s"], |app| {
        app.behave(AppEndpoint::Attestation, Behaviour::Delay(9_000));
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.report().targets[0].earlier_attempts.is_some());
}

#[test]
fn a_confirmation_that_does_not_come_is_said_as_that() {
    let ran = confirmed_by(&["--wait=8s", "--deadline=12s"], |app| {
        app.behave(AppEndpoint::Attestation, Behaviour::Hang);
    });
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Evidence, Error, Some("not-confirmed"));
    let check = ran.check(Evidence);
    assert!(
        check
            .detail
            .contains("passed after one that found something else"),
        "{check:#?}"
    );
    assert!(!check.fix.unwrap_or_default().contains("Check the URL"));
}

/// The attempt that should confirm it was not silent: somebody ended the run.
#[test]
fn a_signal_before_the_confirmation_is_said_as_that_and_not_alerted() {
    let hook = AppServer::http(Cvm::healthy(&World::default()));
    hook.behave(AppEndpoint::Other, Behaviour::Status(200));
    let url = format!("{}/hook", hook.url());
    let variables = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let ran = confirmed_or_stopped(&["--wait=60s"], &variables, |app, stop| {
        app.behave(AppEndpoint::Attestation, Behaviour::Hang);
        let _ = stop.send(());
    });
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Evidence, Error, Some("interrupted"));
    assert!(ran.report().targets[0].earlier_attempts.is_some());
    assert_eq!(hook.requests().len(), 0, "{:#?}", ran.report().alerts);
}

#[test]
fn a_timeout_is_for_each_attempt() {
    let deployment = Deployment::healthy();
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Hang);
    let ran = deployment.verify(&["--timeout=1s"]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    assert_eq!(deployment.app.count("/attestation"), 3);
    for option in ["--timeout", "--deadline"] {
        for wrong in ["0s", "soon", "25h"] {
            assert_eq!(deployment.verify(&[option, wrong]).code, 2, "{option} {wrong}");
        }
    }
}

/// Silent targets must not outlast the job: the run ends, with a report and its alerts.
#[test]
fn a_deadline_ends_the_run_with_a_report_and_alerts() {
    let deployment = Deployment::healthy();
    let hook = AppServer::http(Cvm::healthy(&World::default()));
    hook.behave(AppEndpoint::Other, Behaviour::Status(200));
    let silent: Vec<AppServer> = (0..3)
        .map(|_| AppServer::http(Cvm::healthy(&World::default())))
        .collect();
    let mut args = vec![
        "verify".to_owned(),
        "--format=json".to_owned(),
        deployment.app.url(),
    ];
    for app in &silent {
        app.behave(AppEndpoint::Attestation, Behaviour::Hang);
        args.push(app.url());
    }
    args.extend(deployment.network());
    args.extend(deployment.expect().iter().cloned());
    // One of the silent ones waits for room.
    args.extend(["--deadline=3s".to_owned(), "--concurrency=3".to_owned()]);
    let url = format!("{}/hook", hook.url());
    let ran = run_in(&args, &[("CVM_VERIFY_WEBHOOK_URL", &url)], |_| {});
    assert_eq!(ran.code, 3, "{ran:#?}");
    let report = ran.report();
    let mut late = 0;
    for target in &report.targets {
        let check = target.check(Evidence).unwrap();
        if check.status != Pass {
            assert_eq!(
                (check.status, check.reason.as_deref()),
                (Error, Some("deadline-reached"))
            );
            late += 1;
        }
    }
    assert_eq!((report.targets.len(), late), (4, 3));
    assert_eq!(report.alerts.iter().filter(|alert| alert.delivered).count(), 3);
}

/// The environment's proxy is not used, so somebody behind one is told how to name it; a password in it is not shown.
#[test]
fn a_proxy_of_the_environment_is_named_where_nothing_could_be_reached() {
    let deployment = Deployment::healthy();
    let args = deployment.strict_args(&["verify", "--format=json", &deployment.app.url(), "--timeout=1s"]);
    let proxy = [("HTTPS_PROXY", "http://user:hunter2@proxy.example:8080")];
    let ran = run_in(&args, &proxy, |_| {});
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(!ran.stderr.contains("HTTPS_PROXY"), "{}", ran.stderr);
    deployment.app.behave(AppEndpoint::Attestation, Behaviour::Hang);
    let ran = run_in(&args, &proxy, |_| {});
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert(Evidence, Error, Some("unreachable"));
    assert!(
        ran.stderr.contains("HTTPS_PROXY is set here and is not used") && !ran.stderr.contains("hunter2"),
        "{}",
        ran.stderr
    );
    let ran = run_in(&args, &[], |_| {});
    assert!(!ran.stderr.contains("_PROXY"), "{}", ran.stderr);
    // A proxy that is down: not the server is named first.
    let down = [
        "verify",
        "--format=json",
        "https://app.example",
        "--proxy=http://127.0.0.1:1",
    ];
    let ran = run_in(&deployment.strict_args(&down), &[], |_| {});
    let said = &ran.check(Evidence).detail;
    assert!(
        said.contains("no connection through the proxy")
            && said.contains("check first that the proxy of --proxy runs"),
        "{said}"
    );
}
