//! Evidence of how the root keys of a KMS were made, from its contract and from a file of the user's.

use cvm_verify_core::report::CheckId;
use cvm_verify_core::report::Status::*;
use simulator::Kms;

use super::governed::{Governed, kms};
use super::run::{Ran, run};

/// A deployment that is pinned, whose KMS is a replica without evidence of its own.
fn replica() -> Governed {
    let governed = Governed::pinned();
    governed
        .kms
        .edit(|meta| meta["bootstrap_info"] = serde_json::Value::Null);
    governed
}

fn made() -> String {
    format!(
        "The root keys were made by the compose document {}",
        hex::encode(kms().cvm.compose_hash())
    )
}

fn replay(governed: &Governed, bundle: &str, lines: &[String]) -> Ran {
    run(&[
        "replay".to_owned(),
        bundle.to_owned(),
        format!("--config={}", governed.config(lines)),
        "--target=a".to_owned(),
        "--format=json".to_owned(),
        format!("--insecure-trust-root={}", governed.deployment.path("root.pem")),
    ])
}

#[test]
fn the_contract_holds_evidence_that_is_verified_and_recorded() {
    let governed = replica();
    let before = governed.verify_by_lock(&governed.rpc_urls());
    before.assert(CheckId::Kms, Pass, None);
    assert!(!before.check(CheckId::Kms).detail.contains("were made by"));
    governed.both(|chain| chain.hold_bootstrap(&kms().meta["bootstrap_info"]));
    let bundle = governed.deployment.path("bundle.json");
    let mut more = governed.rpc_urls();
    more.push(format!("--evidence={bundle}"));
    let ran = governed.verify_by_lock(&more);
    ran.assert(CheckId::Kms, Pass, None);
    assert!(ran.check(CheckId::Kms).detail.contains(&made()), "{ran:#?}");
    let text = std::fs::read_to_string(&bundle).unwrap();
    let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(recorded["kms"][0]["bootstraps"][0]["source"], "contract");
    let lock = format!("lock = \"{}\"", governed.lock());
    let replayed = replay(&governed, &bundle, &[lock]);
    assert_eq!(ran.found(), replayed.found());
    // One node alone says nothing.
    governed.nodes[0].change(|chain| chain.hold_bootstrap(&Kms::of(kms().cvm, 7).meta["bootstrap_info"]));
    let ran = governed.verify_by_lock(&governed.rpc_urls());
    ran.assert(CheckId::Kms, Pass, None);
    assert!(!ran.check(CheckId::Kms).detail.contains("were made by"));
    ran.assert(CheckId::Governance, Error, Some("rpc-disagree"));
    // Both hold evidence of another root.
    governed.both(|chain| chain.hold_bootstrap(&Kms::of(kms().cvm, 7).meta["bootstrap_info"]));
    let ran = governed.verify_by_lock(&governed.rpc_urls());
    ran.assert(CheckId::Kms, Fail, Some("bootstrap"));
    ran.assert(CheckId::Governance, Fail, Some("kms-info"));
}

#[test]
fn a_file_that_the_policy_names_must_hold() {
    let governed = replica();
    let file = governed.deployment.path("kms-bootstrap.json");
    let lines = [
        format!("lock = \"{}\"", governed.lock()),
        format!("kms-bootstrap-file = \"{file}\""),
    ];
    let bundle = governed.deployment.path("bundle.json");
    let verify = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let mut more = governed.rpc_urls();
        more.push(format!("--evidence={bundle}"));
        run(&governed.verify_args(&lines, &more))
    };
    let own = kms().meta["bootstrap_info"].to_string();
    let ran = verify(&own);
    ran.assert(CheckId::Kms, Pass, None);
    assert!(ran.check(CheckId::Kms).detail.contains(&made()), "{ran:#?}");
    let replayed = replay(&governed, &bundle, &lines);
    replayed.assert(CheckId::Kms, Pass, None);
    // The file is another one than that of the recording.
    std::fs::write(&file, format!("{own}\n")).unwrap();
    replay(&governed, &bundle, &lines).assert(CheckId::Kms, Error, Some("bootstrap-unproven"));
    let ran = verify(&Kms::of(kms().cvm, 7).meta["bootstrap_info"].to_string());
    ran.assert(CheckId::Kms, Fail, Some("bootstrap"));
    assert_eq!(ran.code, 1, "{ran:#?}");
    let mut without_key = kms().meta["bootstrap_info"].clone();
    without_key["ca_pubkey"] = "zz".into();
    let without_key = without_key.to_string();
    for (text, says) in [
        ("", "is empty"),
        ("x", "JSON"),
        ("[]", "object"),
        ("{}", "is missing, and so is"),
        (without_key.as_str(), "ca_pubkey"),
    ] {
        let ran = verify(text);
        ran.assert_usage_error("kms-bootstrap.json");
        assert!(ran.stderr.contains(says), "{text}: {}", ran.stderr);
    }
    std::fs::remove_file(&file).unwrap();
    run(&governed.verify_args(&lines, &[])).assert_usage_error("kms-bootstrap.json");
}

#[test]
fn a_replay_says_whose_word_the_answers_of_kms_and_nodes_are() {
    let governed = Governed::pinned();
    let bundle = governed.deployment.path("bundle.json");
    let mut more = governed.rpc_urls();
    more.push(format!("--evidence={bundle}"));
    let words = "kms, governance: the recorded answers are not signed; trust them only if you trust the maker of the bundle";
    let mut live = governed.verify_args(&[format!("lock = \"{}\"", governed.lock())], &more);
    live[2] = "--format=text".to_owned();
    let ran = run(&live);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(!ran.stdout.contains(words), "{}", ran.stdout);
    let replay = |format: &str| {
        let lock = format!("lock = \"{}\"", governed.lock());
        run(&[
            "replay".to_owned(),
            bundle.clone(),
            format!("--config={}", governed.config(&[lock])),
            "--target=a".to_owned(),
            format!("--format={format}"),
            format!("--junit={}", governed.deployment.path("junit.xml")),
            format!("--insecure-trust-root={}", governed.deployment.path("root.pem")),
        ])
    };
    for format in ["text", "markdown"] {
        let ran = replay(format);
        ran.assert_stdout("REPLAY as of");
        assert!(
            ran.stdout.contains("only if you trust the maker of the bundle"),
            "{format}: {}",
            ran.stdout
        );
    }
    let junit = std::fs::read_to_string(governed.deployment.path("junit.xml")).unwrap();
    assert!(
        junit.contains("only if you trust the maker of the bundle"),
        "{junit}"
    );
}
