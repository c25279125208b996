//! Signals, and the verdict before the alerts.

use super::*;

/// Runs it until both channels were asked and one has answered, then sends a signal.
fn ended_by_a_signal(args: &[String], env: &[(&str, &str)], channels: [&AppServer; 2]) -> Ran {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            run_in(args, env, |env| {
                env.stop = Some(Box::pin(async {
                    let _ = stopped.await;
                }));
            })
        });
        while channels.iter().any(|channel| channel.requests().is_empty()) && !running.is_finished() {
            std::thread::yield_now();
        }
        // The answer of the one that answers is on its way.
        std::thread::sleep(std::time::Duration::from_secs(2));
        let _ = stop.send(());
        running.join().unwrap()
    })
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
    let ran = ended_by_a_signal(&args, &env, [&fast, &hanging]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    hanging.behave(AppEndpoint::Other, Behaviour::Status(200));
    fast.forget_requests();
    hanging.forget_requests();
    let ran = verify(&deployment, &env, &[&state]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert_eq!(fast.requests().len(), 0, "{:#?}", ran.report().alerts);
    assert_eq!(hanging.requests().len(), 1, "{:#?}", ran.report().alerts);
}

/// The same of what is about the run itself, and no target.
#[test]
fn a_signal_while_the_end_of_a_run_without_verdict_is_told_loses_nothing() {
    let deployment = Deployment::healthy();
    let (fast, hanging) = (sink(), sink());
    let (hook, slack) = (
        format!("{}/hook", fast.url()),
        format!("{}/services/T0PSECRET", hanging.url()),
    );
    let env = [
        ("CVM_VERIFY_WEBHOOK_URL", hook.as_str()),
        ("CVM_VERIFY_SLACK_WEBHOOK_URL", slack.as_str()),
    ];
    let state = format!("--state={}", deployment.path("state.json"));
    let ran = verify(&deployment, &env, &[&state, "--lock=gone.lock"]);
    let counts = || (fast.requests().len(), hanging.requests().len());
    assert_eq!((ran.code, counts()), (2, (1, 1)), "{ran:#?}");
    fast.forget_requests();
    hanging.forget_requests();
    hanging.behave(AppEndpoint::Other, Behaviour::Hang);
    let args = deployment.strict_args(&["verify", &deployment.app.url(), &state]);
    let ran = ended_by_a_signal(&args, &env, [&fast, &hanging]);
    assert_eq!((ran.code, counts()), (0, (1, 1)), "{ran:#?}");
    fast.forget_requests();
    hanging.forget_requests();
    hanging.behave(AppEndpoint::Other, Behaviour::Status(200));
    let ran = verify(&deployment, &env, &[&state]);
    assert_eq!((ran.code, counts()), (0, (0, 1)), "{:#?}", ran.report().alerts);
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
