//! Many targets in one process: shared collateral, kept between runs; shards, and their reports as one.

mod cache;
mod joined_runs;
mod shards;

use std::path::Path;

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{Report, TrustRootKind, Verdict};
use simulator::{AppServer, Cvm, Lie, World};

use super::deployment::Deployment;
use super::run::{Ran, run, run_in};

fn several(count: usize) -> (Deployment, Vec<AppServer>) {
    let deployment = Deployment::healthy();
    let apps = (1..count)
        .map(|_| AppServer::http(Cvm::healthy(&World::default())))
        .collect();
    (deployment, apps)
}

fn verify_all(deployment: &Deployment, apps: &[AppServer], more: &[&str]) -> Ran {
    let mut args = deployment.strict_args_with(&["verify", "--format=json", &deployment.app.url()], more);
    args.extend(apps.iter().map(|app| app.url()));
    run(&args)
}

/// How often the standard set of collateral was asked for.
fn sets(deployment: &Deployment) -> usize {
    let requests = deployment.pccs.requests();
    let standard = requests.iter().filter(|request| {
        request.path() == "/tdx/certification/v4/tcb"
            && request.parameter("update").as_deref() == Some("standard")
    });
    standard.count()
}

#[test]
fn twenty_targets_of_one_platform_share_one_set_of_collateral() {
    let (deployment, apps) = several(20);
    for concurrency in ["1", "3", "32"] {
        deployment.pccs.forget_requests();
        let ran = verify_all(&deployment, &apps, &["--concurrency", concurrency]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let report = ran.report();
        assert_eq!(report.targets.len(), 20);
        let asked: Vec<String> = std::iter::once(deployment.app.url())
            .chain(apps.iter().map(|app| app.url()))
            .collect();
        let reported: Vec<String> = report
            .targets
            .iter()
            .filter_map(|target| target.url.clone())
            .collect();
        let shown = |url: &String| url.trim_end_matches('/').to_owned();
        assert_eq!(
            reported.iter().map(shown).collect::<Vec<_>>(),
            asked.iter().map(shown).collect::<Vec<_>>(),
            "in the order of the arguments"
        );
        assert_eq!(
            deployment.pccs.requests().len(),
            6,
            "{concurrency}: four, and two of the early set"
        );
    }
}

#[test]
fn a_pccs_that_is_down_is_asked_once_for_all() {
    let (deployment, apps) = several(5);
    deployment
        .pccs
        .behave_everywhere(&simulator::Behaviour::Status(404));
    let ran = verify_all(&deployment, &apps, &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    for target in ran.report().targets {
        let check = target.check(Collateral).unwrap();
        assert_eq!((check.status, check.reason.as_deref()), (Error, Some("missing")));
    }
    assert_eq!(sets(&deployment), 1);
}

#[test]
fn one_of_five_that_lies_fails_alone_and_decides_the_verdict() {
    let (deployment, apps) = several(5);
    apps[2].change(|cvm| Lie::SwappedImage.apply(cvm));
    let ran = verify_all(&deployment, &apps, &[]);
    assert_eq!(ran.code, 1);
    let report = ran.report();
    assert_eq!(report.verdict, Verdict::Fail);
    for (index, target) in report.targets.iter().enumerate() {
        let check = target.check(ComposeHash).unwrap();
        if index == 3 {
            assert_eq!(
                (check.status, check.reason.as_deref()),
                (Fail, Some("compose-hash-mismatch"))
            );
        } else {
            assert_eq!((target.verdict, check.status), (Verdict::Pass, Pass), "{index}");
        }
    }
}

#[test]
fn forged_evidence_of_one_target_ends_the_waiting_of_no_other() {
    let (deployment, apps) = several(2);
    apps[0].change(|cvm| Lie::BrokenSignature.apply(cvm));
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| verify_all(&deployment, &apps, &["--wait=60s"]));
        while deployment.app.count("/attestation") < 2 {
            std::thread::yield_now();
        }
        deployment.app.replace(Cvm::healthy(&World::default()));
        waiting.join().unwrap()
    });
    assert_eq!(ran.code, 1, "{ran:#?}");
    let report = ran.report();
    let forged = report.targets[1].check(QuoteSignature).unwrap();
    assert_eq!(
        (forged.status, forged.reason.as_deref()),
        (Fail, Some("not-verified"))
    );
    assert!(report.targets[1].earlier_attempts.is_none());
    let other = &report.targets[0];
    assert_eq!(other.verdict, Verdict::Pass, "{other:#?}");
    let earlier = other.earlier_attempts.as_ref().unwrap();
    let is_of_release = |one: &cvm_verify_core::report::AttemptReason| {
        (one.check, one.reason.as_str()) == (ComposeHash, "compose-hash-mismatch")
    };
    assert!(earlier.reasons.iter().any(is_of_release), "{earlier:#?}");
}

/// Ends the run when the target that it waits for was asked in several attempts.
fn stopped_while_waiting(
    deployment: &Deployment,
    apps: &[AppServer],
    env: &[(&str, &str)],
    more: &[&str],
) -> Ran {
    let mut args = deployment.strict_args_with(
        &["verify", "--format=json", "--wait=600s", &deployment.app.url()],
        more,
    );
    args.extend(apps.iter().map(|app| app.url()));
    stopped_while(&args, env, || deployment.app.count("/attestation") >= 5)
}

/// A run that a signal ends once something is so.
fn stopped_while(args: &[String], env: &[(&str, &str)], is_so: impl Fn() -> bool) -> Ran {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| {
            run_in(args, env, |env| {
                env.stop = Some(Box::pin(async {
                    let _ = stopped.await;
                }));
            })
        });
        while !is_so() && !running.is_finished() {
            std::thread::yield_now();
        }
        let _ = stop.send(());
        running.join().unwrap()
    })
}

#[test]
fn a_final_fail_is_alerted_at_once_and_not_lost_to_a_signal() {
    for with_state in [false, true] {
        let (deployment, apps) = several(2);
        apps[0].change(|cvm| Lie::BrokenSignature.apply(cvm));
        deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
        let hook = AppServer::http(Cvm::healthy(&World::default()));
        hook.behave(simulator::AppEndpoint::Other, simulator::Behaviour::Status(200));
        let url = format!("{}/hook", hook.url());
        let state = deployment.path("state.json");
        let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
        let memory = format!("--state={state}");
        let more: &[&str] = if with_state { &[&memory] } else { &[] };
        let ran = stopped_while_waiting(&deployment, &apps, &env, more);
        assert_eq!(ran.code, 1, "{ran:#?}");
        let report = ran.report();
        assert_eq!(report.verdict, Verdict::Fail);
        let forged = report.targets[1].check(QuoteSignature).unwrap();
        assert_eq!(
            (forged.status, forged.reason.as_deref()),
            (Fail, Some("not-verified"))
        );
        let other = &report.targets[0];
        let evidence = other.check(Evidence).unwrap();
        assert_eq!(
            (other.verdict, evidence.status, evidence.reason.as_deref()),
            (Verdict::Inconclusive, Error, Some("interrupted"))
        );
        assert!(other.earlier_attempts.is_some(), "{other:#?}");
        // It is asked once, said once and alerted once; nothing is said of the one that was interrupted.
        assert_eq!(apps[0].count("/attestation"), 1);
        assert_eq!(ran.stderr.matches("final: ").count(), 1, "{}", ran.stderr);
        let waits = ran.stderr.lines().filter(|line| line.starts_with("waiting: "));
        assert!(
            waits.clone().all(|line| line.contains("compose-hash")),
            "{}",
            ran.stderr
        );
        assert_eq!(hook.requests().len(), 1, "{:#?}", report.alerts);
        assert_eq!(report.alerts.len(), 1, "{:#?}", report.alerts);
        assert!(report.alerts[0].delivered);
        assert_eq!(std::path::Path::new(&state).is_file(), with_state);
    }
}

/// What is told while the others are waited for is remembered as the same target as at the end of a run.
#[test]
fn a_fail_of_a_policy_files_target_that_was_alerted_at_once_has_an_end() {
    let (deployment, apps) = several(2);
    apps[0].change(|cvm| Lie::BrokenSignature.apply(cvm));
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let hook = AppServer::http(Cvm::healthy(&World::default()));
    hook.behave(simulator::AppEndpoint::Other, simulator::Behaviour::Status(200));
    let url = format!("{}/hook", hook.url());
    let env = [("CVM_VERIFY_WEBHOOK_URL", url.as_str())];
    let target =
        |(name, app): (&str, &AppServer)| format!("[[target]]\nname = \"{name}\"\nurl = \"{}\"\n", app.url());
    let targets = [("old", &deployment.app), ("forged", &apps[0])].map(target);
    let config = deployment.path("cvm-verify.toml");
    std::fs::write(&config, targets.concat()).unwrap();
    let (config, state) = (
        format!("--config={config}"),
        format!("--state={}", deployment.path("state.json")),
    );
    let args = deployment.strict_args(&["verify", "--format=json", &config, &state]);
    let waiting = [&args[..], &["--wait=600s".to_owned()]].concat();
    let ran = stopped_while(&waiting, &env, || deployment.app.count("/attestation") >= 5);
    assert_eq!(ran.code, 1, "{ran:#?}");
    for app in [&deployment.app, &apps[0]] {
        app.replace(Cvm::healthy(&World::default()));
    }
    for _ in 0..3 {
        let ran = run_in(&args, &env, |_| {});
        assert_eq!(ran.code, 0, "{ran:#?}");
    }
    let told: Vec<(String, String)> = hook
        .requests()
        .iter()
        .map(|request| serde_json::from_slice::<serde_json::Value>(&request.body).unwrap())
        .map(|told| {
            let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
            (word(&told["event"]), word(&told["target"]["name"]))
        })
        .collect();
    let word = |event: &str| (event.to_owned(), "forged".to_owned());
    assert_eq!(told, [word("failed"), word("recovered")]);
}

#[test]
fn a_channel_that_took_no_alert_at_once_gets_it_at_the_end() {
    let (deployment, apps) = several(2);
    apps[0].change(|cvm| Lie::BrokenSignature.apply(cvm));
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let hook = AppServer::http(Cvm::healthy(&World::default()));
    hook.behave(simulator::AppEndpoint::Other, simulator::Behaviour::Status(404));
    let url = format!("{}/hook", hook.url());
    let ran = stopped_while_waiting(&deployment, &apps, &[("CVM_VERIFY_WEBHOOK_URL", &url)], &[]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert_eq!(hook.requests().len(), 2);
    assert!(ran.report().alerts.iter().all(|alert| !alert.delivered));
}

#[test]
fn a_signal_while_waiting_leaves_a_report_of_what_was_found_and_no_alert() {
    let (deployment, _) = several(1);
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let hook = AppServer::http(Cvm::healthy(&World::default()));
    hook.behave(simulator::AppEndpoint::Other, simulator::Behaviour::Status(200));
    let url = format!("{}/hook", hook.url());
    let ran = stopped_while_waiting(&deployment, &[], &[("CVM_VERIFY_WEBHOOK_URL", &url)], &[]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    let report = ran.report();
    let target = &report.targets[0];
    let evidence = target.check(Evidence).unwrap();
    assert_eq!(
        (target.verdict, evidence.status, evidence.reason.as_deref()),
        (Verdict::Inconclusive, Error, Some("interrupted"))
    );
    let earlier = target.earlier_attempts.as_ref().expect("what was found before");
    assert_eq!(earlier.reasons[0].reason, "compose-hash-mismatch", "{earlier:#?}");
    assert_eq!(hook.requests().len(), 0, "{:#?}", report.alerts);
}

/// A target that passed is not asked again while another one is waited on.
#[test]
fn a_target_that_passes_is_done() {
    let (deployment, apps) = several(2);
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let ran = stopped_while_waiting(&deployment, &apps, &[], &[]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    let report = ran.report();
    let verdicts: Vec<Verdict> = report.targets.iter().map(|target| target.verdict).collect();
    assert_eq!(verdicts, [Verdict::Inconclusive, Verdict::Pass]);
    assert_eq!(apps[0].count("/attestation"), 1);
}

const DAY: u64 = 24 * 60 * 60;

fn shards(deployment: &Deployment, apps: &[AppServer], count: usize) -> Vec<String> {
    (1..=count)
        .map(|index| {
            let file = deployment.path(&format!("shard-{index}.json"));
            let shard = format!("{index}/{count}");
            verify_all(deployment, apps, &["--shard", &shard, "--report-json", &file]);
            file
        })
        .collect()
}

fn merge(files: &[String], more: &[&str]) -> Ran {
    let mut args = vec!["merge".to_owned(), "--format=json".to_owned()];
    args.extend(files.iter().cloned());
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    run(&args)
}

#[test]
fn two_addresses_of_one_name_are_a_usage_error() {
    let deployment = Deployment::healthy();
    let url = deployment.app.url();
    for other in [url.clone(), format!("{url}/?replica=hunter2")] {
        let ran = run(&deployment.network_args(&["verify", &url, &other]));
        ran.assert_usage_error("two targets are called \"127.0.0.1:");
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}
