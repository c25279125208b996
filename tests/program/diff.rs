//! `diff`: locks, bundles and live deployments, in any pairing.

use cvm_verify_core::report::CheckId;
use simulator::app_compose::{DOCKER_COMPOSE, app_compose};
use simulator::{Behaviour, Lie, ReportDataLayout};

use super::deployment::Deployment;
use super::governed::{self, Governed};
use super::run::{Ran, run};

/// A deployment with its lock and its bundle, before it changes.
fn before() -> Deployment {
    let deployment = Deployment::healthy();
    assert_eq!(deployment.pin(&["--accept-observed"]).code, 0);
    let bundle = deployment.path("bundle.json");
    assert_eq!(deployment.verify(&["--evidence", &bundle]).code, 0);
    deployment
}

fn diff(deployment: &Deployment, before: &str, after: &str, more: &[&str]) -> Ran {
    run(&deployment.network_args_with(&["diff", before, after], more))
}

fn changed(deployment: &Deployment) {
    deployment.app.change(|cvm| {
        let docker_compose = DOCKER_COMPOSE.replace("5d2f1f9d", "0d2f1f9d");
        cvm.app_compose = app_compose(&docker_compose)
            .replace("\"public_logs\":false", "\"public_logs\":true")
            .replace("[\"API_KEY\"]", "[\"API_KEY\",\"LD_PRELOAD\"]")
            .replace("#!/bin/bash\\n", "#!/bin/bash\\nset -x\\n");
    });
}

#[test]
fn what_did_not_change_is_the_same_in_every_pairing() {
    let deployment = before();
    let sides = [
        deployment.path("cvm.lock"),
        deployment.path("bundle.json"),
        deployment.app.url().to_string(),
    ];
    for before in &sides {
        for after in &sides {
            let ran = diff(&deployment, before, after, &[]);
            assert_eq!(ran.code, 0, "{before} {after}: {ran:#?}");
            ran.assert_stdout("Nothing that was compared differs.");
            let locks = before.ends_with("lock") && after.ends_with("lock");
            assert_eq!(ran.stdout.starts_with("SIMULATED"), !locks, "{}", ran.stdout);
        }
    }
}

#[test]
fn each_change_is_said_in_words() {
    let deployment = before();
    changed(&deployment);
    let url = deployment.app.url().to_string();
    let from_bundle = diff(&deployment, &deployment.path("bundle.json"), &url, &[]);
    let from_lock = diff(&deployment, &deployment.path("cvm.lock"), &url, &[]);
    for ran in [&from_bundle, &from_lock] {
        assert_eq!(ran.code, 1, "{ran:#?}");
        for says in [
            "the app runs another compose document",
            "a new image for service `web`",
            "everyone can now read the containers' logs",
            "`LD_PRELOAD` was added, which can change what runs",
            "the pre-launch script",
        ] {
            assert!(ran.stdout.contains(says), "{says:?} is not in {}", ran.stdout);
        }
    }
    // Two documents can be laid beside each other; a lock holds the hashes of texts only.
    for says in ["the docker compose file changed: 1 line", "    +set -x"] {
        assert!(
            from_bundle.stdout.contains(says),
            "{says:?} is not in {}",
            from_bundle.stdout
        );
        assert!(!from_lock.stdout.contains(says), "{}", from_lock.stdout);
    }
    let json = diff(
        &deployment,
        &deployment.path("bundle.json"),
        &url,
        &["--format=json"],
    );
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["schema"], "cvm-verify/difference/v1");
    assert_eq!(
        (&document["same"], &document["simulated"]),
        (&false.into(), &true.into())
    );
    assert_eq!(
        (&document["before"]["kind"], &document["after"]["kind"]),
        (&"bundle".into(), &"live".into())
    );
    let page = diff(
        &deployment,
        &deployment.path("bundle.json"),
        &url,
        &["--format=markdown"],
    );
    assert!(
        page.stdout.starts_with("**SIMULATED") && page.stdout.contains("<pre>"),
        "{}",
        page.stdout
    );
}

#[test]
fn a_document_that_is_not_shown_is_not_compared_and_that_is_said() {
    let deployment = before();
    deployment
        .app
        .change(|cvm| cvm.body.show_app_compose = Some(String::new()));
    let url = deployment.app.url().to_string();
    let ran = diff(&deployment, &deployment.path("cvm.lock"), &url, &[]);
    assert_eq!(ran.code, 0, "the measured hash is the locked one: {ran:#?}");
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let says = "does not show the images, the fields of the compose document: not compared with";
    assert!(said.contains(says), "{said}");
}

/// In a roll-out the other release may answer `/info`: what the quote proves is compared, and nothing of that text.
#[test]
fn the_document_of_another_release_counts_as_not_shown() {
    let deployment = before();
    deployment.app.change(|cvm| Lie::WrongComposeText.apply(cvm));
    let url = deployment.app.url().to_string();
    let ran = diff(&deployment, &deployment.path("cvm.lock"), &url, &[]);
    assert_eq!(ran.code, 0, "the measured hash is the locked one: {ran:#?}");
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        "is not the measured one, and counts as not shown",
        "does not show the images, the fields of the compose document: not compared with",
    ] {
        assert!(said.contains(says), "{says}: {said}");
    }
    // Another hash that is proven is a change.
    changed(&deployment);
    deployment.app.change(|cvm| Lie::WrongComposeText.apply(cvm));
    let ran = diff(&deployment, &deployment.path("cvm.lock"), &url, &[]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert_stdout("the app runs another compose document");
    assert!(!ran.stdout.contains("LD_PRELOAD"), "{}", ran.stdout);
}

/// What a replay judges is the recording, and its advice reads that: the address may have been deployed again since.
#[test]
fn the_advice_of_a_replay_names_the_files_that_it_read() {
    let deployment = before();
    changed(&deployment);
    let (bundle, lock) = (deployment.path("changed.json"), deployment.path("cvm.lock"));
    deployment.verify(&["--evidence", &bundle]);
    let root = format!("--insecure-trust-root={}", deployment.path("root.pem"));
    let ran = run(&["replay", &bundle, "--lock", &lock, &root, "--format=json"]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    let fix = ran.check(CheckId::ComposeHash).fix.unwrap_or_default();
    let diff = format!("diff {lock} {bundle}");
    for command in [diff.clone(), format!("pin --from {bundle} --output {lock}")] {
        assert!(
            fix.contains(&format!("`cvm-verify {command}`")),
            "{command}: {fix}"
        );
    }
    let words: Vec<&str> = diff.split(' ').chain([root.as_str()]).collect();
    let ran = run(&words);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert_stdout("`LD_PRELOAD` was added");
}

#[test]
fn what_is_not_proven_is_never_compared() {
    for (lie, code) in [
        (Lie::ForgedEventLog, 1),
        (Lie::BrokenSignature, 1),
        (Lie::ReplayedQuote, 1),
    ] {
        let deployment = before();
        deployment.app.change(|cvm| lie.apply(cvm));
        let url = deployment.app.url().to_string();
        let ran = diff(&deployment, &deployment.path("cvm.lock"), &url, &[]);
        assert_eq!(ran.code, code, "{lie}: {ran:#?}");
        ran.assert_stderr("Nothing was compared");
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    }
    let deployment = before();
    let nowhere = "http://127.0.0.1:1/";
    let ran = diff(&deployment, &deployment.path("cvm.lock"), nowhere, &[]);
    assert_eq!(ran.code, 3, "{ran:#?}");
}

#[test]
fn a_layout_of_the_nonce_can_be_named() {
    let deployment = before();
    deployment
        .app
        .change(|cvm| cvm.report_data = ReportDataLayout::Sha256);
    let url = deployment.app.url().to_string();
    let lock = deployment.path("cvm.lock");
    // The nonce is there, in a layout that nobody named: what is shown is not proven.
    assert_eq!(diff(&deployment, &lock, &url, &[]).code, 3);
    assert_eq!(
        diff(&deployment, &lock, &url, &["--report-data=sha256-raw"]).code,
        0
    );
}

#[test]
fn what_is_neither_lock_nor_bundle_is_a_usage_error() {
    let deployment = before();
    let lock = deployment.path("cvm.lock");
    std::fs::write(deployment.path("other.json"), "{}").unwrap();
    diff(&deployment, &lock, &deployment.path("other.json"), &[]).assert_usage_error("other.json");
    std::fs::write(deployment.path("other.txt"), "x = 1").unwrap();
    diff(&deployment, &deployment.path("other.txt"), &lock, &[]).assert_usage_error("other.txt");
    diff(&deployment, &lock, "/nowhere", &[]).assert_usage_error("cannot be read");
}

#[test]
fn a_live_side_is_asked_about_the_kms_and_the_contracts_that_the_other_side_names() {
    let governed = Governed::pinned();
    let url = governed.deployment.app.url();
    let lock = governed.lock();
    let rpc_urls = governed.rpc_urls();
    let with_nodes: Vec<&str> = rpc_urls.iter().map(String::as_str).collect();
    let ran = diff(&governed.deployment, &lock, &url, &with_nodes);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(!ran.stdout.contains("not compared"), "{}", ran.stdout);
    // A bundle holds what was asked, and the other order is the same.
    let bundle = governed.deployment.path("bundle.json");
    let mut more = governed.rpc_urls();
    more.push(format!("--evidence={bundle}"));
    assert_eq!(governed.verify_by_lock(&more).code, 0);
    for (before, after) in [(&lock, &bundle), (&bundle, &url), (&url, &lock)] {
        let ran = diff(&governed.deployment, before, after, &with_nodes);
        assert_eq!(ran.code, 0, "{before} {after}: {ran:#?}");
    }
    // Without nodes the contracts are not compared, and that is said.
    let before = governed.nodes[0].requests().len();
    let ran = diff(&governed.deployment, &lock, &url, &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stdout("does not show the contracts that govern the app: not compared");
    assert_eq!(governed.nodes[0].requests().len(), before);
    // The contract has another owner, and is upgraded.
    let app = governed::app_id();
    governed.both(|chain| {
        chain.answer(app, "8da5cb5b", simulator::word_of(&[0x66; 20]));
        chain.code.insert([0x99; 20], b"other code".to_vec());
        chain.implement(app, [0x99; 20]);
    });
    for before in [&lock, &bundle] {
        let ran = diff(&governed.deployment, before, &url, &with_nodes);
        assert_eq!(ran.code, 1, "{ran:#?}");
        for words in [
            "the owner of the app's contract is now another address",
            &"66".repeat(20),
            "the app's contract was upgraded",
        ] {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
    }
    // A node that fails: what could not be read is not the same.
    governed.nodes[0].behave(Behaviour::Status(503));
    let ran = diff(&governed.deployment, &lock, &url, &with_nodes);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert_stderr("the contracts that govern the app are not known");
}

#[test]
fn a_kms_that_runs_other_code_or_is_away_is_a_difference_or_none_that_can_be_told() {
    let governed = Governed::pinned();
    let (url, lock) = (governed.deployment.app.url(), governed.lock());
    let mut other = governed::kms();
    other.cvm.app_compose.push(' ');
    let other = simulator::Kms::of(other.cvm, other.root);
    let server = simulator::KmsServer::https(&other.identity(2, other.cvm.world.now), other.meta.clone());
    let text = std::fs::read_to_string(&lock).unwrap();
    let moved = text.replace(&governed.kms.host(), &server.host());
    std::fs::write(&lock, moved).unwrap();
    let ran = diff(&governed.deployment, &lock, &url, &[]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert_stdout("the KMS runs other code");
    std::fs::write(&lock, text.replace(&governed.kms.host(), "127.0.0.1:9")).unwrap();
    let ran = diff(&governed.deployment, &lock, &url, &[]);
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert_stderr("did not answer");
}
