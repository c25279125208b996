//! `verify`, `replay` and `pin` with a policy file.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{Assurance, Verdict};
use simulator::{AppServer, Cvm, World};

use super::deployment::Deployment;
use super::run::{Ran, run, run_in};

/// What a strict user expects, as keys of a policy file, a line each.
pub fn expectations(deployment: &Deployment) -> String {
    deployment
        .expect()
        .iter()
        .map(|option| {
            let (key, value) = option.trim_start_matches("--").split_once('=').unwrap();
            format!("{key} = \"{value}\"\n")
        })
        .collect()
}

fn target(name: &str, app: &AppServer, more: &str) -> String {
    format!("[[target]]\nname = \"{name}\"\nurl = \"{}\"\n{more}", app.url())
}

fn write(deployment: &Deployment, text: &str) -> String {
    let path = deployment.path("cvm-verify.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn with_file(deployment: &Deployment, command: &[&str], text: &str, more: &[&str]) -> Ran {
    let mut args: Vec<String> = command.iter().map(|arg| (*arg).to_owned()).collect();
    args.push(format!("--config={}", write(deployment, text)));
    args.extend(deployment.network());
    args.extend(more.iter().map(|arg| (*arg).to_owned()));
    run(&args)
}

fn verify(deployment: &Deployment, text: &str, more: &[&str]) -> Ran {
    with_file(deployment, &["verify", "--format=json"], text, more)
}

#[test]
fn each_target_is_judged_by_its_own_policy() {
    let deployment = Deployment::healthy();
    let other = AppServer::http(Cvm::healthy(&World::default()));
    let text = format!(
        "[defaults]\n{}{}{}{}",
        expectations(&deployment),
        target("shop", &deployment.app, ""),
        target(
            "waived",
            &other,
            "image-pins = \"unchecked\"\nrequire-assurance = \"hardware\"\n"
        ),
        target(
            "wrong",
            &other,
            &format!("compose-hash = \"{}\"\n", "00".repeat(32))
        ),
    );
    let ran = verify(&deployment, &text, &[]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    let report = ran.report();
    let found: Vec<_> = report
        .targets
        .iter()
        .map(|target| (target.name.as_str(), target.verdict, target.waived.as_slice()))
        .collect();
    assert_eq!(
        found,
        [
            ("shop", Verdict::Pass, &[][..]),
            ("waived", Verdict::Pass, &[ImagePins][..]),
            ("wrong", Verdict::Fail, &[][..]),
        ]
    );
    assert_eq!(report.targets[1].required.to_string(), "hardware");
    // The image of the simulated machine is in no table: the lock accepts it in writing.
    assert_eq!(report.targets[0].assurance, Assurance::Hardware);
    assert_eq!(report.targets[0].accepted.len(), 1);
    let check = report.targets[2].check(ComposeHash).unwrap();
    assert_eq!(
        (check.status, check.reason.as_deref()),
        (Fail, Some("compose-hash-mismatch"))
    );
    // Who expects it, by file and line.
    let line = text.lines().count();
    assert!(
        check.detail.contains(&format!("cvm-verify.toml:{line}")),
        "{}",
        check.detail
    );
    let os = report.targets[0].check(OsImage).unwrap();
    assert!(os.detail.contains("cvm-verify.toml:3"), "{}", os.detail);
}

#[test]
fn targets_are_chosen_by_name_and_options_win() {
    let deployment = Deployment::healthy();
    let text = format!(
        "[defaults]\n{}{}{}",
        expectations(&deployment),
        target("shop", &deployment.app, ""),
        target("other", &deployment.app, ""),
    );
    let names = |ran: &Ran| -> Vec<String> {
        let report = ran.report();
        report.targets.into_iter().map(|target| target.name).collect()
    };
    assert_eq!(names(&verify(&deployment, &text, &[])), ["shop", "other"]);
    let chosen = verify(
        &deployment,
        &text,
        &["--target=other", "--target=shop", "--target=other"],
    );
    assert_eq!(names(&chosen), ["other", "shop"]);
    verify(&deployment, &text, &["--target=shp"]).assert_usage_error("has no target shp; did you mean shop?");
    let zeros = "00".repeat(32);
    let ran = verify(&deployment, &text, &["--target=shop", "--compose-hash", &zeros]);
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    ran.assert_detail(ComposeHash, "--compose-hash");
    // A URL is that target, elsewhere.
    let moved = AppServer::http(Cvm::healthy(&World::default()));
    let url = moved.url().to_string();
    let ran = verify(&deployment, &text, &[&url, "--target=shop"]);
    assert_eq!((ran.code, names(&ran)), (0, vec!["shop".to_owned()]));
    assert_eq!(moved.count("/attestation"), 1);
    // Without a name the defaults hold for it.
    assert_eq!(verify(&deployment, &text, &[&url]).code, 0);
    verify(&deployment, &text, &[&url, "--target=shop", "--target=other"]).assert_usage_error("--target");
}

#[test]
fn the_file_in_the_working_folder_is_read_only_without_a_url_and_that_is_said() {
    let deployment = Deployment::healthy();
    // The test's own working folder has none: what is read is what cannot be read.
    let ran = run_in(&["verify"], &[], |env| {
        env.exists = |path| path == std::path::Path::new("cvm-verify.toml");
    });
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.starts_with(
            "No URL was given: reading cvm-verify.toml.\nerror: cvm-verify.toml: cannot be read"
        ),
        "{}",
        ran.stderr
    );
    run(&["verify"]).assert_usage_error("give the address of an app (https://…), or write targets into");
    let args = deployment.strict_args(&["verify", &deployment.app.url(), "--format=json"]);
    let ran = run_in(&args, &[], |env| {
        env.exists = |path| path == std::path::Path::new("cvm-verify.toml");
    });
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(!ran.stderr.contains("cvm-verify.toml"), "{}", ran.stderr);
}

#[test]
fn a_config_that_is_none_says_what_it_is() {
    let deployment = Deployment::healthy();
    let folder = deployment.folder.path().display().to_string();
    run(&["verify", "--config", &folder]).assert_usage_error("is a folder; a file is needed");
    run(&["verify", "--config", &deployment.path("none")]).assert_usage_error("cannot be read");
    verify(&deployment, "", &[]).assert_usage_error("is empty");
    verify(&deployment, "# nothing\n", &[]).assert_usage_error("the file is empty; write a [[target]]");
    verify(&deployment, &"#".repeat(256 * 1024 + 1), &[]).assert_usage_error("is larger than 262144 bytes");
    std::fs::write(deployment.path("bytes"), b"[defaults]\xff").unwrap();
    run(&["verify", "--config", &deployment.path("bytes")]).assert_usage_error("not UTF-8");
}

#[test]
fn mistakes_of_the_file_and_of_the_files_it_names_are_told_together() {
    let deployment = Deployment::healthy();
    std::fs::write(deployment.path("compose.json"), r#"{"runner":"docker-compose"}"#).unwrap();
    std::fs::write(
        deployment.path("other.lock"),
        format!(
            "schema = \"cvm-verify/lock/v1\"\napp_id = \"{}\"\n",
            "11".repeat(20)
        ),
    )
    .unwrap();
    std::fs::write(
        deployment.path("chain.lock"),
        "schema = \"cvm-verify/lock/v1\"\n[governance]\nchain_id = 8453\n",
    )
    .unwrap();
    let url = "url = \"https://app.example\"\n";
    let text = format!(
        "[defaults]\nfreshnes = \"required\"\n\
         [[target]]\nname = \"a\"\n{url}lock = \"missing.lock\"\n\
         [[target]]\nname = \"b\"\n{url}compose-hash = \"{}\"\napp-compose-file = \"compose.json\"\n\
         [[target]]\nname = \"c\"\n{url}lock = \"other.lock\"\napp-id = \"{}\"\n\
         [[target]]\nname = \"d\"\n{url}os-image = \"lock\"\naccept-tcb = [\"OutOfDate:until=2099-01-01\"]\n\
         [[target]]\nname = \"e\"\n{url}info-path = \"/x#y\"\n\
         [[target]]\nname = \"f\"\n{url}lock = \"chain.lock\"\ngovernance-chain-id = 1\n",
        "00".repeat(32),
        "22".repeat(20),
    );
    let ran = verify(&deployment, &text, &[]);
    let path = deployment.path("cvm-verify.toml");
    for (place, says) in [
        ("2:1", "`freshnes` is unknown here; did you mean freshness?"),
        ("6:8", "`lock`: "),
        (
            "10:16",
            "`compose-hash`: `app-compose-file` contradicts it: that file's SHA-256 is 1120e42a",
        ),
        (
            "16:10",
            "other.lock: `app_id` is 1111111111111111111111111111111111111111, so this is the lock of another app",
        ),
        ("20:12", "`os-image`: there is no lock"),
        ("21:15", "ends more than 90 days ahead"),
        ("24:7", "holds a #"),
        (
            "30:23",
            "chain.lock: `governance.chain_id` is 8453, so the lock holds contracts of another chain",
        ),
    ] {
        let line = ran
            .stderr
            .lines()
            .find(|line| line.contains(&format!("{path}:{place}: ")));
        assert!(
            line.is_some_and(|line| line.contains(says)),
            "{place} {says}: {}",
            ran.stderr
        );
    }
    assert_eq!(ran.code, 2);
    assert_eq!(ran.stderr.lines().count(), 10, "{}", ran.stderr);
}

#[test]
fn one_lock_holds_several_targets_each_pinned_by_its_name() {
    let deployment = Deployment::healthy();
    let world = World::default();
    let mut second = Cvm::healthy(&world);
    simulator::Lie::SwappedImage.apply(&mut second);
    let second = AppServer::http(second);
    let text = format!(
        "[defaults]\nlock = \"cvm.lock\"\n{}{}",
        target("shop", &deployment.app, ""),
        target("api", &second, ""),
    );
    let pin = |more: &[&str]| with_file(&deployment, &["pin", "--accept-observed"], &text, more);
    let first = pin(&["--target=shop"]);
    assert_eq!(first.code, 0, "{first:#?}");
    verify(&deployment, &text, &[])
        .assert_usage_error("the file has no target \"api\"; it has shop. Pin the target api");
    assert_eq!(pin(&["--target=api"]).code, 0);
    let lock = || std::fs::read_to_string(deployment.path("cvm.lock")).unwrap();
    let pinned = lock();
    assert!(
        pinned.contains("\n[target.api]\n") && pinned.contains("\n[target.shop]\n"),
        "{pinned}"
    );
    let ran = verify(&deployment, &text, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let again = pin(&["--target=shop"]);
    again.assert_stdout("Nothing was written");
    assert_eq!(lock(), pinned);
    // One target's lock is not another's.
    deployment
        .app
        .change(|cvm| simulator::Lie::SwappedImage.apply(cvm));
    let ran = verify(&deployment, &text, &[]);
    ran.assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
    assert_eq!(ran.report().targets[1].verdict, Verdict::Pass);
    // The same lock without a policy file: the target's name chooses.
    let lock_option = format!("--lock={}", deployment.path("cvm.lock"));
    let url = second.url().to_string();
    let args = deployment.network_args(&["verify", &url, "--format=json", &lock_option]);
    run(&[&args[..], &["--target=api".to_owned()]].concat()).assert(ComposeHash, Pass, None);
    run(&args).assert_usage_error(
        "each block of the file is for a named target (api, shop). Choose one with --target NAME.",
    );
    let changed = pin(&["--target=shop"]);
    changed.assert_stdout("Changes in ");
    assert_eq!(verify(&deployment, &text, &[]).code, 0);
}

#[test]
fn a_lock_of_one_deployment_is_not_overwritten_by_a_named_target_that_shares_it() {
    let deployment = Deployment::healthy();
    let pin = |more: &[&str]| deployment.pin(&[&["--accept-observed"], more].concat());
    assert_eq!(pin(&[]).code, 0);
    let single = std::fs::read_to_string(deployment.path("cvm.lock")).unwrap();
    let refused = pin(&["--target=shop"]);
    refused.assert_usage_error("the file holds one deployment without a name");
    assert_eq!(
        std::fs::read_to_string(deployment.path("cvm.lock")).unwrap(),
        single
    );
    // The only target of a policy file keeps the form that is there.
    let text = target("shop", &deployment.app, "lock = \"cvm.lock\"\n");
    let pinned = with_file(&deployment, &["pin", "--accept-observed"], &text, &[]);
    assert_eq!(pinned.code, 0, "{pinned:#?}");
    assert_eq!(
        std::fs::read_to_string(deployment.path("cvm.lock")).unwrap(),
        single
    );
    assert_eq!(verify(&deployment, &text, &[]).code, 0);
    pin(&["--target=a b"]).assert_usage_error("is not a name for a target");
    for name in ["", "a b", "a\nb"] {
        let unset = format!("--target={name}");
        let ran = run(&deployment.strict_args(&["verify", &deployment.app.url(), &unset]));
        ran.assert_usage_error("is not a name for a target");
    }
}

#[test]
fn a_lock_that_two_targets_name_in_two_ways_is_a_lock_of_both() {
    let deployment = Deployment::healthy();
    let lock = deployment.path("cvm.lock");
    std::fs::create_dir(deployment.path("below")).unwrap();
    let text = [
        target("api", &deployment.app, &format!("lock = \"{lock}\"\n")),
        target("shop", &deployment.app, "lock = \"below/../cvm.lock\"\n"),
    ]
    .concat();
    let pinned = with_file(&deployment, &["pin", "--accept-observed"], &text, &[]);
    assert_eq!(pinned.code, 0, "{pinned:#?}");
    let written = std::fs::read_to_string(lock).unwrap();
    assert!(
        written.contains("[target.api]") && written.contains("[target.shop]"),
        "{written}"
    );
}

#[test]
fn a_recording_is_judged_by_the_policy_of_its_target() {
    let deployment = Deployment::healthy();
    let text = format!(
        "{}{}",
        target("shop", &deployment.app, &expectations(&deployment)),
        target("b", &deployment.app, "")
    );
    let folder = deployment.path("out");
    let ran = verify(
        &deployment,
        &text,
        &["--output-dir", &folder, "--wait=1s", "--target=shop"],
    );
    assert_eq!(ran.code, 0, "{ran:#?}");
    let bundle = format!("{folder}/evidence.json");
    let root = format!("--insecure-trust-root={}", deployment.path("root.pem"));
    let config = format!("--config={}", deployment.path("cvm-verify.toml"));
    let replay = |more: &[&str]| run(&[&["replay", &bundle, "--format=json", &root, &config], more].concat());
    let ran = replay(&["--target=shop"]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_detail(ComposeHash, "cvm-verify.toml:4");
    assert_eq!(ran.report().targets[0].name, "shop");
    replay(&["--target=b"]).assert(ComposeHash, Skip, Some("no-expectation"));
    replay(&[]).assert_usage_error("has several targets");
}

#[test]
fn bundles_of_several_targets_go_into_the_output_folder_by_name() {
    let deployment = Deployment::healthy();
    let text = format!(
        "{}{}",
        target("shop", &deployment.app, ""),
        target("api", &deployment.app, "")
    );
    let folder = deployment.path("out");
    verify(&deployment, &text, &["--output-dir", &folder]);
    for name in ["1-shop.evidence.json", "2-api.evidence.json", "report.json"] {
        assert!(std::path::Path::new(&folder).join(name).exists(), "{name}");
    }
}

#[test]
fn each_target_alerts_through_the_channels_that_it_names() {
    let deployment = Deployment::healthy();
    deployment
        .app
        .change(|cvm| simulator::Lie::SwappedImage.apply(cvm));
    let text = format!(
        "[defaults]\n{}slack-webhook-url-env = \"CVM_VERIFY_SLACK_OPS\"\nheartbeat-url-env = \"CVM_VERIFY_BEAT\"\n{}{}",
        expectations(&deployment),
        target(
            "shop",
            &deployment.app,
            "webhook-url-env = \"CVM_VERIFY_WEBHOOK_SHOP\"\n"
        ),
        target(
            "quiet",
            &deployment.app,
            "slack-webhook-url-env = \"none\"\nwebhook-url-env = \"none\"\n"
        ),
    );
    let ran = verify(&deployment, &text, &[]);
    assert_eq!(ran.code, 1);
    let mut records: Vec<_> = ran
        .report()
        .alerts
        .into_iter()
        .map(|record| (record.channel, record.delivered, record.detail))
        .collect();
    records.sort();
    let skipped = |channel: &str, variable: &str| {
        (
            channel.to_owned(),
            false,
            format!("skipped: no secret: {variable} is not set, or empty"),
        )
    };
    let expected = [
        skipped("heartbeat", "CVM_VERIFY_BEAT"),
        skipped("slack", "CVM_VERIFY_SLACK_OPS"),
        skipped("webhook", "CVM_VERIFY_WEBHOOK_SHOP"),
    ];
    assert_eq!(records, expected);
    // Said once for people, and a notice of the step names the variable.
    let (outputs, path) = (deployment.path("outputs"), deployment.path("cvm-verify.toml"));
    let env = [
        ("GITHUB_OUTPUT", outputs.as_str()),
        ("GITHUB_STEP_SUMMARY", outputs.as_str()),
    ];
    let args = deployment.strict_args(&["verify", &format!("--config={path}"), "--github"]);
    let ran = run_in(&args, &env, |_| {});
    let said = "slack, event failed: no secret: CVM_VERIFY_SLACK_OPS is not set, or empty";
    ran.assert_stdout(&format!("alert skipped: {said}"));
    ran.assert_stdout(&format!("::notice title=alert skipped::{said}"));
}

/// With the defaults of the file alone, less would be expected of an address than the file says.
#[test]
fn the_address_of_a_target_of_the_file_is_that_target() {
    let deployment = Deployment::healthy();
    let strict = "require-assurance = \"code+endpoint\"\n";
    let text = format!(
        "[defaults]\n{}{}",
        expectations(&deployment),
        target("shop", &deployment.app, strict)
    );
    let address = deployment.app.url().to_string();
    let ran = verify(&deployment, &text, &[&address]);
    let report = ran.report();
    assert_eq!(report.targets[0].name.to_string(), "shop");
    assert_ne!(
        report.verdict,
        Verdict::Pass,
        "what the target requires holds: {ran:#?}"
    );
    // The same address, written in another way.
    let same = verify(
        &deployment,
        &text,
        &[&format!("{}/", address.trim_end_matches('/'))],
    );
    assert_eq!(same.report().targets[0].name.to_string(), "shop");
    let below = format!("{}/api", address.trim_end_matches('/'));
    let of_path = text.replace(&format!("\"{address}\""), &format!("\"{below}\""));
    assert_ne!(of_path, text);
    let both = format!("{of_path}[[target]]\nname = \"root\"\nurl = \"{below}/\"\n");
    for (typed, name) in [(format!("{below}/"), "root"), (below.clone(), "shop")] {
        let exact = verify(&deployment, &both, &[&typed]);
        assert_eq!(exact.report().targets[0].name.to_string(), name, "{typed}");
    }
    for typed in [format!("{below}/"), below] {
        let same = verify(&deployment, &of_path, &[&typed]);
        assert_eq!(same.report().targets[0].name.to_string(), "shop", "{typed}");
    }
    // Another path is another address: the defaults hold.
    let other = verify(
        &deployment,
        &text,
        &[&format!("{}/other", address.trim_end_matches('/'))],
    );
    assert_ne!(other.report().targets[0].name.to_string(), "shop");
    let two = format!("{text}{}", target("again", &deployment.app, ""));
    verify(&deployment, &two, &[&address])
        .assert_usage_error("the policy file has several targets at this address, \"shop\" and \"again\"");
}
