//! Which reports belong to one run, by its name, its attempts and their age.

use super::*;

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
    args.extend(apps.iter().map(|app| app.url()));
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
    assert_eq!(ran.report().run_id.unwrap().to_string(), "monday");
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
    assert_eq!(report.run_id.unwrap().to_string(), "gitlab-ci/99");
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

/// A target is in the shard that its place in the list says: of two lists one may be in none, and of two policies the looser one may judge it.
#[test]
fn shards_of_other_lists_or_other_policies_are_never_joined() {
    let (deployment, apps) = several(4);
    let of = |shard: &str, file: &str, apps: &[AppServer], more: &[&str]| {
        shard_in(&deployment, apps, shard, file, &[], more)
    };
    let one = of("1/2", "1.json", &apps, &[]);
    let two = of("2/2", "2.json", &apps, &[]);
    let joined = merge_in(&[&one, &two], &[], NOW, &[]);
    assert_eq!((joined.code, joined.report().targets.len()), (0, 4), "{joined:?}");
    let fewer = of("2/2", "fewer.json", &apps[..2], &[]);
    let ran = merge_in(&[&one, &fewer], &[], NOW, &[]);
    ran.assert_usage_error("fewer.json: its run has another list of targets than that of");
    ran.assert_stderr("1.json");
    let looser = of("2/2", "looser.json", &apps, &["--image-pins=unchecked"]);
    let ran = merge_in(&[&one, &looser], &[], NOW, &[]);
    ran.assert_usage_error("looser.json: its run has another policy for its targets than that of");
    ran.assert_stderr("1.json");
    // All shards are there, and one of them says less than its run verified.
    let shorter = format!("{two}.shorter.json");
    let mut report: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&two).unwrap()).unwrap();
    report["targets"].as_array_mut().unwrap().pop();
    std::fs::write(&shorter, report.to_string()).unwrap();
    let ran = merge_in(&[&one, &shorter], &[], NOW, &[]);
    ran.assert_usage_error("the shards do not hold the targets that their run had");
    // A report of a version that did not say it is joined as before.
    let before = |file: &str| {
        let mut report: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        assert!(report.as_object_mut().unwrap().remove("shard_of").is_some());
        std::fs::write(file, report.to_string()).unwrap();
    };
    before(&two);
    assert_eq!(merge_in(&[&one, &two], &[], NOW, &[]).code, 0);
    before(&one);
    assert_eq!(merge_in(&[&one, &two], &[], NOW, &[]).code, 0);
}
