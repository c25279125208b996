//! Collateral that is kept between runs.

use super::*;

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
