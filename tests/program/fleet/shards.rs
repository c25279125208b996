//! The targets in several runs, and their reports in one.

use super::*;

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
    // Which of the two is in which shard depends on their ports.
    for app in [&deployment.app, &apps[0]] {
        app.change(|cvm| Lie::SwappedImage.apply(cvm));
    }
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
    for app in [&deployment.app, &apps[0]] {
        app.replace(Cvm::healthy(&World::default()));
    }
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
fn a_joined_report_without_one_of_its_shards_is_a_report_of_one_root() {
    let (deployment, apps) = several(3);
    let joined = deployment.path("joined.json");
    let ran = merge(&shards(&deployment, &apps, 3)[1..], &["--report-json", &joined]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    assert!(
        ran.report()
            .targets
            .iter()
            .all(|target| target.trust_root == TrustRootKind::Custom)
    );
    let again = merge(&[joined], &[]);
    assert_eq!(again.code, 3, "{again:#?}");
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
    let none = [nothing.clone(), format!("{nothing}.2")];
    merge(&none, &[]).assert_usage_error("does not exist; and no other report that was named has a result");
    let whole = deployment.path("whole.json");
    merge(&[whole, nothing], &[]).assert_usage_error("does not exist; without shards");
    merge(&[deployment.path(".")], &[]).assert_usage_error("is a folder; a file is needed");
}

/// What scripts/preset.sh leaves where the installation of one shard fails hides no result of the others.
#[test]
fn a_shard_whose_run_did_not_begin_is_missing() {
    let (deployment, apps) = several(2);
    let files = shards(&deployment, &apps, 2);
    let preset = std::process::Command::new("bash")
        .args([
            "-euc",
            "source scripts/preset.sh; preset_text report.json 2026-06-20T12:00:00Z",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(preset.status.success(), "{preset:?}");
    // Where no shard is missing it may be a newer attempt: the pass of the older one must not count.
    let newer = deployment.path("newer.json");
    std::fs::write(&newer, &preset.stdout).unwrap();
    let with_newer = [files.clone(), vec![newer]].concat();
    merge(&with_newer, &[]).assert_usage_error("no shard is missing");
    std::fs::write(&files[1], preset.stdout).unwrap();
    let ran = merge(&files, &[]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    let targets = ran.report().targets;
    assert!(
        targets.iter().any(|target| target.verdict == Verdict::Pass),
        "{targets:#?}"
    );
    assert!(
        targets.iter().any(|target| target.name == "shard 2/2"),
        "{targets:#?}"
    );
    merge(&files[1..], &[]).assert_usage_error("is of a run that did not begin; without shards");
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
