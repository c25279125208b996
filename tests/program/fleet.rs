//! Many targets in one process: shared collateral, kept between runs; shards, and their reports as one.

use std::path::Path;

use cvm_verify::report::CheckId::*;
use cvm_verify::report::Status::*;
use cvm_verify::report::{Report, Verdict};
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
    let mut args = vec![
        "verify".to_owned(),
        "--format=json".to_owned(),
        deployment.app.url(),
    ];
    args.extend(apps.iter().map(AppServer::url));
    args.extend(deployment.network());
    args.extend(deployment.expect().iter().cloned());
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
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
        assert_eq!(
            (check.status, check.reason.as_deref()),
            (Error, Some("unreachable"))
        );
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
    let mut args = vec![
        "verify".to_owned(),
        "--format=json".to_owned(),
        deployment.app.url(),
    ];
    args.extend(deployment.network());
    args.extend(deployment.expect().iter().cloned());
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
            "its mode is replay, that of",
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
        (r#""shard": "2/3""#, r#""shard": "4/3""#, "is no shard"),
        ("{", "[", "is no report of cvm-verify"),
    ] {
        std::fs::write(&changed, text.replacen(from, to, 1)).unwrap();
        assert_ne!(text.replacen(from, to, 1), text, "{from}");
        merge(&[files[0].clone(), changed.clone()], &[]).assert_usage_error(says);
    }
    let nothing = deployment.path("nothing.json");
    merge(std::slice::from_ref(&nothing), &[]).assert_usage_error("is not there; without shards");
    let whole = deployment.path("whole.json");
    merge(&[whole, nothing], &[]).assert_usage_error("is not there; without shards");
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
            "the assurance does not follow from the checks",
        ),
        (
            &|target| target["assurance"] = "hardware".into(),
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
            "\"because\" is no reason for pass of the check evidence",
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
        assert!(
            ran.stderr.contains("write i/n, from 1/n to n/n"),
            "{}",
            ran.stderr
        );
    }
    verify_all(&deployment, &apps, &["--shard", "3/3"])
        .assert_usage_error("--shard: 3/3 holds no target, since there are 2 in all");
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
    for other in [url.clone(), format!("{url}/?replica=2")] {
        let mut args = vec!["verify".to_owned(), url.clone(), other];
        args.extend(deployment.network());
        run(&args).assert_usage_error("two targets are called \"127.0.0.1:");
    }
}
