//! Many targets in one process: shared collateral, kept between runs; shards, and their reports as one.

use std::path::Path;

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{Report, Verdict};
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
    args.extend(apps.iter().map(AppServer::url));
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
            .chain(apps.iter().map(AppServer::url))
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
    args.extend(apps.iter().map(AppServer::url));
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

#[test]
fn collateral_is_kept_in_the_cache_folder_and_no_cache_keeps_nothing() {
    let deployment = Deployment::healthy();
    let cache = deployment.path("cache");
    for (more, fetched) in [
        (vec!["--cache-dir", &cache], 1),
        (vec!["--cache-dir", &cache], 1),
        (vec!["--no-cache"], 2),
        (vec![], 3),
    ] {
        let ran = deployment.verify(&more);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(sets(&deployment), fetched, "{more:?}");
    }
}

#[test]
fn the_users_cache_folder_is_used_where_there_is_one() {
    let deployment = Deployment::healthy();
    let home = deployment.path("home");
    std::fs::create_dir(&home).unwrap();
    let args = deployment.strict_args(&["verify", "--format=json", &deployment.app.url()]);
    for fetched in [1, 1] {
        let ran = run_in(&args, &[("HOME", &home)], |_| {});
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(sets(&deployment), fetched);
    }
    let folder = Path::new(&home).join(".cache/cvm-verify/collateral");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
    // A relative path, and a home that cannot be written, are as good as none.
    for home in ["relative", "/proc/nowhere"] {
        let ran = run_in(&args, &[("HOME", home)], |_| {});
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    assert!(!Path::new("relative").exists());
}

const DAY: u64 = 24 * 60 * 60;

/// Verifies with the cache, so many seconds later by this machine's clock.
fn verify_later(deployment: &Deployment, now: fn() -> u64, more: &[&str]) -> Ran {
    run_in(
        &deployment.strict_args_with(
            &[
                "verify",
                "--format=json",
                &format!("--cache-dir={}", deployment.path("cache")),
                &deployment.app.url(),
            ],
            more,
        ),
        &[],
        |env| env.now = now,
    )
}

#[test]
fn collateral_is_fetched_anew_after_a_day_and_serves_a_week_while_that_fails() {
    const NOW: u64 = simulator::DEFAULT_NOW;
    let deployment = Deployment::healthy();
    for (now, sets_so_far) in [
        ((|| NOW) as fn() -> u64, 1),
        (|| NOW + DAY - 1, 1),
        (|| NOW + DAY, 2),
    ] {
        let ran = verify_later(&deployment, now, &[]);
        assert_eq!((ran.code, sets(&deployment)), (0, sets_so_far), "{}", ran.stderr);
        ran.assert(Collateral, Pass, None);
    }
    deployment
        .pccs
        .behave_everywhere(&simulator::Behaviour::Status(404));
    let bundle = deployment.path("bundle.json");
    let ran = verify_later(&deployment, || NOW + 3 * DAY, &["--evidence", &bundle]);
    ran.assert(Collateral, Warn, Some("not-refetched"));
    assert_eq!((ran.code, ran.report().verdict), (0, Verdict::Pass), "harmless");
    let fetched_at = ran.report().targets[0].tcb.collateral_fetched_at.clone();
    assert_eq!(fetched_at, Some(cvm_verify_core::report::rfc3339(NOW + DAY)));
    // Whoever asks for it may wait longer.
    verify_later(&deployment, || NOW + 3 * DAY, &["--collateral-max-age=7d"]).assert(Collateral, Pass, None);
    let ran = verify_later(&deployment, || NOW + 8 * DAY + 1, &[]);
    ran.assert(Collateral, Error, Some("too-old"));
    assert_eq!((ran.code, ran.report().verdict), (3, Verdict::Inconclusive));

    // The bundle says when it was fetched, and a replay judges by that.
    let replay = |file: &str, more: &[&str]| {
        run(&deployment.replay_args_with(&["replay", file, "--format=json"], more))
    };
    replay(&bundle, &[]).assert(Collateral, Warn, Some("not-refetched"));
    replay(&bundle, &["--collateral-max-age=3d"]).assert(Collateral, Pass, None);
    let late = format!("--at={}", cvm_verify_core::report::rfc3339(NOW + 8 * DAY + 1));
    replay(&bundle, &[&late]).assert(Collateral, Error, Some("too-old"));
    // A time that is not past by then is no age.
    let early = format!("--at={}", cvm_verify_core::report::rfc3339(NOW + DAY - 61));
    replay(&bundle, &[&early]).assert(Collateral, Error, Some("fetch-time-ahead"));
    // One that does not say it is judged by its dates alone.
    let mut json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&bundle).unwrap()).unwrap();
    assert!(
        json.as_object_mut()
            .unwrap()
            .remove("collateral_fetched_at")
            .is_some()
    );
    let silent = deployment.path("silent.json");
    std::fs::write(&silent, json.to_string()).unwrap();
    replay(&silent, &[&late]).assert(Collateral, Pass, None);
    json["collateral_fetched_at"] = "yesterday".into();
    std::fs::write(&silent, json.to_string()).unwrap();
    replay(&silent, &[]).assert_usage_error("`collateral_fetched_at` is not an RFC 3339 time");
}

#[test]
fn ages_of_collateral_have_bounds() {
    let deployment = Deployment::healthy();
    for wrong in ["0s", "4m", "8d", "1", "soon"] {
        let ran = deployment.verify(&["--collateral-max-age", wrong]);
        assert_eq!(ran.code, 2, "{wrong}");
        ran.assert_stderr("from 5m to 7d");
    }
}

#[test]
fn a_cache_folder_full_of_garbage_changes_no_verdict() {
    let deployment = Deployment::healthy();
    let cache = deployment.path("cache");
    assert_eq!(deployment.verify(&["--cache-dir", &cache]).code, 0);
    let file = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read_to_string(&file).unwrap();
    // The second still parses: a signature in it is another one.
    let forged = {
        let mut kept: serde_json::Value = serde_json::from_str(&good).unwrap();
        kept["collateral"]["tcb_info_signature"] = "00".repeat(64).into();
        kept.to_string()
    };
    for (count, garbage) in ["not JSON".to_owned(), forged].into_iter().enumerate() {
        std::fs::write(&file, garbage).unwrap();
        let ran = deployment.verify(&["--cache-dir", &cache]);
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert_eq!(sets(&deployment), count + 2);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), good);
    }
}

#[test]
fn a_hostile_quote_does_not_empty_the_cache_for_the_others() {
    let (deployment, apps) = several(4);
    let cache = deployment.path("cache");
    assert_eq!(verify_all(&deployment, &apps, &["--cache-dir", &cache]).code, 0);
    for app in &apps {
        app.change(|cvm| Lie::BrokenSignature.apply(cvm));
    }
    let ran = verify_all(&deployment, &apps, &["--cache-dir", &cache]);
    assert_eq!(ran.code, 1);
    assert_eq!(ran.report().targets[0].verdict, Verdict::Pass);
    assert_eq!(sets(&deployment), 2, "renewed once, whoever doubts it");
}

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
fn shards_share_the_targets_and_merge_joins_their_reports() {
    let (deployment, apps) = several(5);
    let files = shards(&deployment, &apps, 2);
    let ran = merge(&files, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = ran.report();
    assert_eq!(
        (report.verdict, report.targets.len(), report.shard),
        (Verdict::Pass, 5, None)
    );
    let mut names: Vec<String> = report.targets.iter().map(|target| target.name.clone()).collect();
    assert!(names.is_sorted());
    names.dedup();
    assert_eq!(names.len(), 5);
    assert!(
        run(&["merge", &files[0], &files[1]])
            .stdout
            .starts_with("SIMULATED"),
        "the label stays"
    );
}

/// A monitor that one shard tells of a pass would not learn that another one failed, or did not run.
#[test]
fn t57_a_shard_that_passes_does_not_ping_for_the_whole_and_merge_does() {
    let (deployment, apps) = several(2);
    let hook = AppServer::http(Cvm::healthy(&World::default()));
    hook.behave(simulator::AppEndpoint::Other, simulator::Behaviour::Status(200));
    let url = format!("{}/ping", hook.url());
    let env = [
        ("CVM_VERIFY_HEARTBEAT_URL", url.as_str()),
        ("CVM_VERIFY_ALLOW_PRIVATE_NETWORK", "true"),
    ];
    let mut args = vec![
        "verify".to_owned(),
        "--format=json".to_owned(),
        deployment.app.url(),
        apps[0].url(),
    ];
    args.extend(deployment.network());
    args.extend(deployment.expect().iter().cloned());
    let shard = |index: u32| {
        let file = deployment.path(&format!("shard-{index}.json"));
        let more = [format!("--shard={index}/2"), format!("--report-json={file}")];
        (run_in(&[&args[..], &more].concat(), &env, |_| {}), file)
    };
    let (first, first_file) = shard(1);
    assert_eq!((first.code, hook.requests().len()), (0, 0), "{first:#?}");
    let why = "not sent: a shard is a part of the run";
    let alerts = first.report().alerts;
    assert!(
        alerts
            .iter()
            .any(|alert| !alert.delivered && alert.detail.starts_with(why)),
        "{alerts:#?}"
    );
    apps[0].change(|cvm| Lie::SwappedImage.apply(cvm));
    let (second, second_file) = shard(2);
    assert_eq!((second.code, hook.count("/ping/fail")), (1, 1), "{second:#?}");
    let merge = [
        "merge".to_owned(),
        first_file,
        second_file,
        "--max-age=30d".to_owned(),
    ];
    assert_eq!(run_in(&merge, &env, |_| {}).code, 1);
    assert_eq!((hook.count("/ping/fail"), hook.count("/ping")), (2, 0));
    apps[0].replace(Cvm::healthy(&World::default()));
    shard(2);
    // Of a pass it says why it does not ping: the roots of this test are not built in.
    let merged = run_in(&merge, &env, |_| {});
    assert_eq!((merged.code, hook.count("/ping")), (0, 0), "{merged:#?}");
    let why = "note: heartbeat: not sent: the pass relies on a root that is not built in";
    assert!(merged.stderr.contains(why), "{}", merged.stderr);
}

#[test]
fn a_shard_that_left_no_report_is_never_green() {
    let (deployment, apps) = several(5);
    let files = shards(&deployment, &apps, 3);
    let ran = merge(&files[..2], &[]);
    assert_eq!(ran.code, 3);
    let report = ran.report();
    let missing = report.targets.last().unwrap();
    assert_eq!(
        (missing.name.as_str(), missing.verdict),
        ("shard 3/3", Verdict::Inconclusive)
    );
    let check = missing.check(Evidence).unwrap();
    assert_eq!(
        (check.status, check.reason.as_deref()),
        (Error, Some("shard-missing"))
    );
    assert_eq!(merge(&files[..2], &["--fail-on=never"]).code, 0);
    std::fs::remove_file(&files[2]).unwrap();
    let ran = merge(&files, &[]);
    assert_eq!(
        (ran.code, ran.report().targets.len()),
        (3, report.targets.len()),
        "named, but not there"
    );
}

#[test]
fn merge_keeps_the_worst_verdict() {
    let (deployment, apps) = several(3);
    apps[1].change(|cvm| Lie::SwappedImage.apply(cvm));
    let ran = merge(&shards(&deployment, &apps, 3), &[]);
    assert_eq!((ran.code, ran.report().verdict), (1, Verdict::Fail));
}

#[test]
fn reports_that_do_not_belong_together_are_refused() {
    let (deployment, apps) = several(3);
    let files = shards(&deployment, &apps, 3);
    merge(&[files[0].clone(), files[0].clone()], &[]).assert_usage_error("holds the shard 1/3");
    let whole = deployment.path("whole.json");
    verify_all(&deployment, &apps, &["--report-json", &whole]);
    merge(&[files[0].clone(), whole.clone()], &[])
        .assert_usage_error("its number of shards is 1, without --shard");
    merge(&[whole.clone(), whole], &[]).assert_usage_error("holds the target");
    let changed = deployment.path("changed.json");
    let text = std::fs::read_to_string(&files[1]).unwrap();
    for (from, to, says) in [
        (
            r#""version": "#,
            r#""version": "0","old": "#,
            "its program is version 0",
        ),
        (
            r#""mode": "live""#,
            r#""mode": "replay""#,
            "its mode is replay, but that of",
        ),
        (
            r#""verdict": "pass""#,
            r#""verdict": "fail""#,
            "it was changed or damaged",
        ),
        (
            r#""status": "pass""#,
            r#""status": "fail""#,
            "it was changed or damaged",
        ),
        (
            r#""exit_code": 0"#,
            r#""exit_code": 1"#,
            "it was changed or damaged",
        ),
        (
            "report/v1",
            "report/v9",
            r#"has the schema "cvm-verify/report/v9""#,
        ),
        (r#""shard": "2/3""#, r#""shard": "4/3""#, "is not a shard"),
        ("{", "[", "is not a report of cvm-verify"),
    ] {
        std::fs::write(&changed, text.replacen(from, to, 1)).unwrap();
        assert_ne!(text.replacen(from, to, 1), text, "{from}");
        merge(&[files[0].clone(), changed.clone()], &[]).assert_usage_error(says);
    }
    let nothing = deployment.path("nothing.json");
    merge(std::slice::from_ref(&nothing), &[]).assert_usage_error("does not exist; without shards");
    let whole = deployment.path("whole.json");
    merge(&[whole, nothing], &[]).assert_usage_error("does not exist; without shards");
    merge(&[deployment.path(".")], &[]).assert_usage_error("is a folder; a file is needed");
}

#[test]
fn a_report_that_says_pass_of_checks_that_do_not_is_never_merged_green() {
    let deployment = Deployment::healthy();
    let honest = deployment.path("honest.json");
    deployment.verify(&["--report-json", &honest]);
    let text = std::fs::read_to_string(&honest).unwrap();
    let made_up = deployment.path("made-up.json");
    for (change, says) in [
        (
            &(|target: &mut serde_json::Value| {
                let check = &mut target["checks"][9];
                assert_eq!(check["id"], "compose-hash");
                check["status"] = "skip".into();
                check["reason"] = "no-expectation".into();
            }) as &dyn Fn(&mut serde_json::Value),
            "the verdict does not follow from the checks",
        ),
        (
            &|target| target["assurance"] = "code".into(),
            "the assurance does not follow from the checks",
        ),
        (
            &|target| target["waived"] = serde_json::json!(["os-image"]),
            "the waivers do not follow from the checks",
        ),
        (
            &|target| drop(target["checks"].as_array_mut().unwrap().pop()),
            "a check is missing, repeated or out of place",
        ),
        (
            &|target| target["checks"][0]["reason"] = "because".into(),
            "\"because\" is not a reason for pass of the check evidence",
        ),
    ] {
        let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut report["targets"][0]);
        std::fs::write(&made_up, report.to_string()).unwrap();
        merge(std::slice::from_ref(&made_up), &[]).assert_usage_error(says);
    }
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    report["targets"] = serde_json::json!([]);
    std::fs::write(&made_up, report.to_string()).unwrap();
    merge(&[honest, made_up], &[]).assert_usage_error("it holds no target");
}

#[test]
fn shards_that_cannot_be_are_usage_errors() {
    let (deployment, apps) = several(2);
    for shard in ["0/0", "5/4", "0/4", "x"] {
        let ran = verify_all(&deployment, &apps, &["--shard", shard]);
        assert_eq!(ran.code, 2, "{shard}");
        ran.assert_stderr("write i/n, from 1/n to n/n");
    }
    verify_all(&deployment, &apps, &["--shard", "3/3"])
        .assert_usage_error("--shard: 3/3 contains no target, because there are only 2");
    assert_eq!(verify_all(&deployment, &apps, &["--concurrency", "0"]).code, 2);
}

#[test]
fn a_report_of_all_targets_names_no_shard() {
    let deployment = Deployment::healthy();
    let text = deployment.verify(&[]).stdout;
    assert!(!text.contains(r#""shard""#));
    let report: Report = serde_json::from_str(&text).unwrap();
    assert_eq!(report.shard, None);
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

/// A shard's report in this environment.
fn shard_in(
    deployment: &Deployment,
    apps: &[AppServer],
    shard: &str,
    file: &str,
    env: &[(&str, &str)],
    more: &[&str],
) -> String {
    let file = deployment.path(file);
    let mut args = deployment.strict_args_with(
        &[
            "verify",
            "--format=json",
            &format!("--shard={shard}"),
            &format!("--report-json={file}"),
            &deployment.app.url(),
        ],
        more,
    );
    args.extend(apps.iter().map(AppServer::url));
    run_in(&args, env, |_| {});
    file
}

fn merge_in(files: &[&String], env: &[(&str, &str)], now: fn() -> u64, more: &[&str]) -> Ran {
    let mut args = vec!["merge".to_owned(), "--format=json".to_owned()];
    args.extend(files.iter().map(|file| (*file).clone()));
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    run_in(&args, env, |env| env.now = now)
}

const NOW: fn() -> u64 = || simulator::DEFAULT_NOW;

#[test]
fn shards_of_two_runs_are_never_joined() {
    let (deployment, apps) = several(2);
    let of = |shard: &str, file: &str, run: &str| {
        let more: &[&str] = if run.is_empty() { &[] } else { &["--run-id", run] };
        shard_in(&deployment, &apps, shard, file, &[], more)
    };
    let (one, other) = (
        of("1/2", "one.json", "monday"),
        of("2/2", "other.json", "tuesday"),
    );
    merge_in(&[&one, &other], &[], NOW, &[]).assert_usage_error("its run is tuesday, but that of");
    let other = of("2/2", "other.json", "");
    merge_in(&[&one, &other], &[], NOW, &[]).assert_usage_error("its run is not named, but that of");
    let other = of("2/2", "other.json", "monday");
    let ran = merge_in(&[&one, &other], &[], NOW, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.report().run_id.unwrap().as_str(), "monday");
    // Both of another run than this one.
    merge_in(&[&one, &other], &[], NOW, &["--run-id=tuesday"])
        .assert_usage_error("is of the run monday, and the reports of tuesday are joined");
    let github = [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "8")];
    merge_in(&[&one, &other], &github, NOW, &[])
        .assert_usage_error("the reports of github-actions/8 are joined");
    assert_eq!(
        merge_in(&[&one, &other], &github, NOW, &["--run-id=monday"]).code,
        0
    );
    let ran = merge_in(&[&one, &other], &[], NOW, &["--run-id=a b"]);
    assert_eq!(ran.code, 2);
    ran.assert_stderr("the same for every shard of one run");
}

#[test]
fn the_run_is_named_by_the_ci_and_the_newest_attempt_at_a_shard_counts() {
    let (deployment, apps) = several(2);
    let env = |attempt: &'static str| {
        [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_RUN_ATTEMPT", attempt),
        ]
    };
    apps[0].change(|cvm| Lie::SwappedImage.apply(cvm));
    deployment.app.change(|cvm| Lie::SwappedImage.apply(cvm));
    let first = shard_in(&deployment, &apps, "1/2", "first.json", &env("1"), &[]);
    let other = shard_in(&deployment, &apps, "2/2", "other.json", &env("1"), &[]);
    assert_eq!(merge_in(&[&first, &other], &env("1"), NOW, &[]).code, 1);
    for app in &apps {
        app.change(|cvm| *cvm = Cvm::healthy(&World::default()));
    }
    deployment
        .app
        .change(|cvm| *cvm = Cvm::healthy(&World::default()));
    let again = shard_in(&deployment, &apps, "1/2", "again.json", &env("2"), &[]);
    let other_again = shard_in(&deployment, &apps, "2/2", "other-again.json", &env("3"), &[]);
    for order in [[&first, &again], [&again, &first]] {
        let ran = merge_in(&[order[0], order[1], &other_again, &other], &env("3"), NOW, &[]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.report().targets.len(), 2);
        ran.assert_stderr("first.json: an earlier attempt at the shard 1/2 than");
    }
    merge_in(&[&again, &again], &env("2"), NOW, &[]).assert_usage_error("holds the shard 1/2");
    let gitlab = [("GITLAB_CI", "true"), ("CI_PIPELINE_ID", "99")];
    let file = shard_in(&deployment, &apps, "1/2", "gitlab.json", &gitlab, &[]);
    let report: Report = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!(report.run_id.unwrap().as_str(), "gitlab-ci/99");
}

#[test]
fn a_report_without_a_run_must_be_of_the_last_hour_and_none_is_of_the_future() {
    let (deployment, apps) = several(2);
    let files = shards(&deployment, &apps, 2);
    let files = [&files[0], &files[1]];
    let later: fn() -> u64 = || simulator::DEFAULT_NOW + 2 * 3600;
    merge_in(&files, &[], later, &[]).assert_usage_error("more than 1h ago");
    merge_in(&files, &[], later, &["--max-age=90m"]).assert_usage_error("more than 90m ago");
    assert_eq!(merge_in(&files, &[], later, &["--max-age=3h"]).code, 0);
    let before: fn() -> u64 = || simulator::DEFAULT_NOW - 3600;
    merge_in(&files, &[], before, &["--max-age=3h"]).assert_usage_error("set the clock that is wrong");
    // A named run may have ended a day ago, unless another age is asked for.
    let one = shard_in(&deployment, &apps, "1/2", "1.json", &[], &["--run-id=r"]);
    let two = shard_in(&deployment, &apps, "2/2", "2.json", &[], &["--run-id=r"]);
    assert_eq!(merge_in(&[&one, &two], &[], later, &[]).code, 0);
    merge_in(&[&one, &two], &[], later, &["--max-age=1h"]).assert_usage_error("more than 1h ago");
    let much_later: fn() -> u64 = || simulator::DEFAULT_NOW + 25 * 3600;
    let ran = merge_in(&[&one, &two], &[], much_later, &[]);
    ran.assert_usage_error("more than 1d ago; verify again, or allow that age with --max-age");
    assert_eq!(
        merge_in(&[&one, &two], &[], much_later, &["--max-age=2d"]).code,
        0
    );
    merge_in(&[&one, &two], &[], before, &[]).assert_usage_error("set the clock that is wrong");
    for wrong in ["0s", "31d", "x"] {
        let ran = merge_in(&[&one], &[], later, &["--max-age", wrong]);
        assert!(
            ran.code == 2 && ran.stderr.contains("from 1s to 30d"),
            "{}",
            ran.stderr
        );
    }
    let none = merge_in(&[], &[], NOW, &[]);
    assert!(
        none.code == 2 && none.stderr.contains("<REPORT>"),
        "{}",
        none.stderr
    );
}

/// GitHub keeps the reports of earlier attempts for 30 days, and a run its name: a shard that was green then says nothing of now.
#[test]
fn a_shard_of_an_earlier_attempt_is_named_and_after_a_day_it_is_missing() {
    let (deployment, apps) = several(2);
    let env = |attempt: &'static str| {
        [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_RUN_ATTEMPT", attempt),
        ]
    };
    let one = shard_in(&deployment, &apps, "1/2", "1.json", &env("2"), &[]);
    let two = shard_in(&deployment, &apps, "2/2", "2.json", &env("1"), &[]);
    // Lately: it counts, and everybody is told.
    let summary = deployment.path("summary.md");
    let ran = merge_in(&[&one, &two], &env("2"), NOW, &["--summary", &summary]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let says = "The shard 2/2 was verified by attempt 1, at ";
    ran.assert_stderr(&format!("note: {says}"));
    assert!(std::fs::read_to_string(&summary).unwrap().contains(says));
    let older = ran.report().older_attempts;
    assert_eq!(
        older
            .iter()
            .map(|one| (one.attempt, one.newest))
            .collect::<Vec<_>>(),
        [(1, 2)]
    );
    // The attempt of the process that joins counts, too.
    let ran = merge_in(&[&two, &one], &env("3"), NOW, &[]);
    assert_eq!((ran.code, ran.report().older_attempts.len()), (0, 2));
    // 25 days ago.
    let old = deployment.path("old.json");
    let text = std::fs::read_to_string(&two).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let then = |days: u64| cvm_verify_core::report::rfc3339(simulator::DEFAULT_NOW - days * DAY);
    report["started_at"] = then(25).into();
    for target in report["targets"].as_array_mut().unwrap() {
        target["evaluated_at"] = then(25).into();
        target["tcb"]["collateral_fetched_at"] = then(25).into();
    }
    std::fs::write(&old, report.to_string()).unwrap();
    let ran = merge_in(&[&one, &old], &env("2"), NOW, &[]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("old.json: its run ended at") && ran.stderr.contains("it is left out"),
        "{}",
        ran.stderr
    );
    let report = ran.report();
    let missing = report.targets.last().unwrap();
    let check = missing.check(Evidence).unwrap();
    assert_eq!(
        (missing.name.as_str(), check.status, check.reason.as_deref()),
        ("shard 2/2", Error, Some("shard-missing"))
    );
    // A newer attempt takes its place, whatever its age.
    let ran = merge_in(&[&one, &old, &two], &env("2"), NOW, &[]);
    assert_eq!((ran.code, ran.report().targets.len()), (0, 2), "{}", ran.stderr);
    // Without shards its targets would be forgotten, not missing.
    let whole = shard_in(&deployment, &apps, "1/1", "whole.json", &env("1"), &[]);
    let mut report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&whole).unwrap()).unwrap();
    report.as_object_mut().unwrap().remove("shard");
    report["started_at"] = then(25).into();
    for target in report["targets"].as_array_mut().unwrap() {
        target["evaluated_at"] = then(25).into();
        target["tcb"]["collateral_fetched_at"] = then(25).into();
    }
    std::fs::write(&old, report.to_string()).unwrap();
    merge_in(&[&old], &env("2"), NOW, &[]).assert_usage_error("more than 1d ago");
}

/// The age of a report is made of its own words: they must be of a time that has been.
#[test]
fn a_run_that_ends_in_the_future_is_refused() {
    let (deployment, apps) = several(2);
    let files = shards(&deployment, &apps, 2);
    let text = std::fs::read_to_string(&files[1]).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    report["duration_ms"] = 1_000_000_000_000_u64.into();
    let changed = deployment.path("changed.json");
    std::fs::write(&changed, report.to_string()).unwrap();
    merge_in(&[&files[0], &changed], &[], NOW, &[]).assert_usage_error("by this machine's clock");
}

#[test]
fn another_root_of_gpus_is_refused() {
    let (deployment, apps) = several(2);
    let files = shards(&deployment, &apps, 2);
    let text = std::fs::read_to_string(&files[1]).unwrap();
    let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
    report["targets"][0]["device_root"] = "custom".into();
    let changed = deployment.path("changed.json");
    std::fs::write(&changed, report.to_string()).unwrap();
    merge_in(&[&files[0], &changed], &[], NOW, &[])
        .assert_usage_error("its trust root of GPUs is a custom one, but that of");
    // A target without evidence was judged by none.
    report["targets"][0]["evidence"]["signed_sha256"] = serde_json::Value::Null;
    std::fs::write(&changed, report.to_string()).unwrap();
    assert_eq!(merge_in(&[&files[0], &changed], &[], NOW, &[]).code, 0);
}

#[test]
fn another_root_and_collateral_that_was_out_of_date_are_refused() {
    let (deployment, apps) = several(2);
    let files = shards(&deployment, &apps, 2);
    let text = std::fs::read_to_string(&files[1]).unwrap();
    let changed = deployment.path("changed.json");
    let at = |seconds: u64| serde_json::Value::from(cvm_verify_core::report::rfc3339(seconds));
    let now = simulator::DEFAULT_NOW;
    type Change<'c> = &'c dyn Fn(&mut serde_json::Value);
    for (change, says) in [
        (
            &(|target: &mut serde_json::Value| target["trust_root"] = "intel".into()) as Change<'_>,
            "its trust root is Intel's, but that of",
        ),
        (
            &|target| target["tcb"]["expires_at"] = at(now - 1),
            "the collateral had expired at the time of appraisal: of the target",
        ),
        (
            &|target| target["tcb"]["expires_at"] = serde_json::Value::Null,
            "the collateral had expired at the time of appraisal: of the target",
        ),
        (
            &|target| target["tcb"]["collateral_fetched_at"] = at(now - 8 * DAY),
            "the collateral was too old at the time of appraisal: of the target",
        ),
        (
            &|target| target["tcb"]["collateral_fetched_at"] = at(now + DAY),
            "the collateral was fetched after the time of appraisal: of the target",
        ),
        (
            &|target| target["evaluated_at"] = at(now - DAY),
            "a time of appraisal outside of the run, of the target",
        ),
        (
            &|target| target["evaluated_at"] = "now".into(),
            "the time of appraisal cannot be read of the target",
        ),
    ] {
        let mut report: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut report["targets"][0]);
        std::fs::write(&changed, report.to_string()).unwrap();
        merge(&[files[0].clone(), changed.clone()], &[]).assert_usage_error(says);
    }
}
