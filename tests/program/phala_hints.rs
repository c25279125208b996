//! `--phala-hints`: Phala Cloud's API helps to find a KMS and its contract. It decides nothing.

use cvm_verify_core::report::CheckId;
use cvm_verify_core::report::Status::*;
use serde_json::{Value, json};
use simulator::{KMS_CONTRACT, Kms, KmsServer};

use super::governed::{Governed, kms};
use super::run::run;

const WORDS: &str = "This is its operator's statement, not evidence";

fn said_in(lock: &str) -> Vec<&str> {
    let lines = lock
        .lines()
        .filter(|line| line.ends_with("# said by Phala Cloud's API"));
    lines.map(|line| line.split(' ').next().unwrap()).collect()
}

#[test]
fn what_the_api_says_is_asked_and_stands_in_the_lock_as_its_word() {
    let governed = Governed::healthy();
    let mut more = governed.rpc_urls();
    more.extend([
        governed.phala_says(governed.honest_hint()),
        "--phala-hints".to_owned(),
    ]);
    let ran = governed.pin(&[], &more);
    assert_eq!(ran.code, 0, "{ran:#?}");
    for words in [
        WORDS,
        &governed.kms.host(),
        &hex::encode(KMS_CONTRACT),
        "chain 8453",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let lock = std::fs::read_to_string(governed.lock()).unwrap();
    assert_eq!(said_in(&lock), ["host", "chain_id", "kms_contract"], "{lock}");
    assert!(
        lock.contains("# said by Phala Cloud's API: a statement of its operator"),
        "{lock}"
    );
    // After the review it is a lock as any other.
    let verified = governed.verify_by_lock(&governed.rpc_urls());
    verified.assert(CheckId::Kms, Pass, None);
    verified.assert(CheckId::Governance, Pass, None);
    assert_eq!(verified.code, 0);
    // A pin that follows asks the KMS and the contract of the lock, and not the API.
    let asked = governed.kms.requests().len();
    let ran = governed.pin(&[], &[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(governed.kms.requests().len() > asked && !ran.stderr.contains("Phala"));
    let lock = std::fs::read_to_string(governed.lock()).unwrap();
    assert!(lock.contains(&governed.kms.host()), "{lock}");
}

#[test]
fn what_is_written_or_known_is_not_taken_from_the_api() {
    // The policy file names KMS and contract: the API's are asked about nothing.
    let governed = Governed::healthy();
    let lying = json!({ "url": "https://kms.example", "chain_id": 1, "contract_address": format!("0x{}", "66".repeat(20)) });
    let mut more = governed.rpc_urls();
    more.extend([governed.phala_says(lying.clone()), "--phala-hints".to_owned()]);
    let ran = governed.pin(&governed.names(), &more);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let lock = std::fs::read_to_string(governed.lock()).unwrap();
    assert!(said_in(&lock).is_empty() && !lock.contains("6666"), "{lock}");
    assert!(!lock.contains("its operator's word"), "{lock}");
    // The tables know that no contract governs this KMS: the one that the API names is not asked.
    let governed = Governed::healthy();
    let lying = json!({ "chain_id": 8453, "contract_address": format!("0x{}", hex::encode(KMS_CONTRACT)) });
    let mut more = governed.rpc_urls();
    more.extend([governed.phala_says(lying), "--phala-hints".to_owned()]);
    let id = simulator::cvm::simulated_kms_id(kms().root);
    let row = format!(
        "[[kms]]\nname = \"ours\"\nid = \"{id}\"\nwhat = \"our KMS\"\ngovernance = \"operator\"\nsource = \"the simulator\"\ndate = \
         \"2026-10-01\"\n"
    );
    let mut args = governed.deployment.network_args(&[
        "pin",
        &governed.deployment.app.url(),
        &format!("--reference-values={}", governed.write_reference(&row)),
        "--accept-observed",
        "--output=-",
    ]);
    args.extend(more);
    let ran = run(&args);
    assert_eq!(ran.code, 2, "{ran:#?}");
    ran.assert_stderr("not known to be governed on chain");
    assert!(governed.nodes.iter().all(|node| node.requests().is_empty()));
}

#[test]
fn a_kms_of_another_root_that_the_api_names_is_not_pinned() {
    let governed = Governed::healthy();
    let other = Kms::of(kms().cvm, 7);
    let server = KmsServer::https(&other.identity(1, other.cvm.world.now), other.meta.clone());
    let says = |kms: Value| [governed.phala_says(kms), "--phala-hints".to_owned()];
    let ran = governed.pin(&[], &says(json!({ "url": format!("https://{}", server.host()) })));
    assert_eq!(ran.code, 3, "{ran:#?}");
    ran.assert_stderr("has no certificate of the app's KMS");
}

/// A contract of the attacker's, which says yes to everything.
#[test]
fn a_contract_of_another_kms_that_the_api_names_fails_verify() {
    let governed = Governed::healthy();
    let says = |kms: Value| [governed.phala_says(kms), "--phala-hints".to_owned()];
    let mut hint = governed.honest_hint();
    hint["contract_address"] = format!("0x{}", "66".repeat(20)).into();
    governed.both(|chain| {
        let calls = chain.calls.clone();
        chain.calls.extend(
            calls
                .into_iter()
                .filter(|((contract, _), _)| *contract == KMS_CONTRACT)
                .map(|((_, data), answer)| (([0x66; 20], data), answer)),
        );
        chain
            .code
            .insert([0x66; 20], b"the code of the attacker".to_vec());
        let mine = chain.calls[&(KMS_CONTRACT, "09177063".to_owned())].clone();
        chain.name_kms(&[7; 91]);
        let theirs = chain
            .calls
            .insert((KMS_CONTRACT, "09177063".to_owned()), mine)
            .unwrap();
        chain.answer([0x66; 20], "09177063", theirs);
    });
    let mut more = governed.rpc_urls();
    more.extend(says(hint));
    let ran = governed.pin(&[], &more);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let lock = std::fs::read_to_string(governed.lock()).unwrap();
    assert!(said_in(&lock).contains(&"kms_contract"), "{lock}");
    governed
        .verify_by_lock(&governed.rpc_urls())
        .assert(CheckId::Governance, Fail, Some("kms-info"));
}

#[test]
fn an_api_that_says_nothing_useful_hinders_nothing() {
    let governed = Governed::healthy();
    for hint in [
        Value::Null,
        json!({}),
        json!([1]),
        json!({ "url": "http://127.0.0.1:1/", "chain_id": "x", "contract_address": "0x00" }),
        json!({ "url": "https://user:hunter2@kms.example", "chain_id": -1 }),
        json!({ "url": "https://kms.example:99999/\u{1b}[2J" }),
    ] {
        let more = [governed.phala_says(hint.clone()), "--phala-hints".to_owned()];
        let ran = governed.pin(&[], &more);
        assert_eq!(ran.code, 0, "{hint}: {ran:#?}");
        assert!(ran.stderr.contains("Phala Cloud's API"), "{hint}: {}", ran.stderr);
        assert!(
            !ran.stderr.contains("hunter2") && !ran.stderr.contains('\u{1b}'),
            "{}",
            ran.stderr
        );
        let lock = std::fs::read_to_string(governed.lock()).unwrap();
        assert!(!lock.contains("[kms]"), "{hint}: {lock}");
    }
    let away = [
        "--phala-api-url=http://127.0.0.1:1".to_owned(),
        "--phala-hints".to_owned(),
    ];
    let ran = governed.pin(&[], &away);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stderr("gave no hint");
    assert!(governed.kms.requests().is_empty());
}

#[test]
fn hints_are_about_live_deployments_and_their_mirror_is_an_address() {
    let governed = Governed::healthy();
    let bundle = governed.deployment.path("bundle.json");
    governed.deployment.verify(&["--evidence", &bundle]);
    run(&["pin", "--from", &bundle, "--phala-hints"]).assert_usage_error("--phala-hints");
    run(&["inspect", &bundle, "--phala-hints"]).assert_usage_error("--phala-hints");
    let url = governed.deployment.app.url();
    for api in ["http://app.example", "https://user:hunter2@api.example", "x"] {
        let api = format!("--phala-api-url={api}");
        let ran = run(&["pin", &url, "--phala-hints", &api, "--allow-private-network"]);
        ran.assert_usage_error("--phala-api-url");
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
    // Without hints the mirror of another source is still a mistake.
    run(&["pin", &url, "--phala-api-url=https://api.example"]).assert_usage_error("--source phala-cloud");
}

#[test]
fn an_inspection_shows_the_kms_and_the_contracts_that_the_api_names() {
    let governed = Governed::healthy();
    let mut args = governed
        .deployment
        .network_args(&["inspect", &governed.deployment.app.url()]);
    args.extend(governed.rpc_urls());
    let plain = run(&args);
    assert_eq!(plain.code, 0, "{plain:#?}");
    assert!(
        !plain.stdout.contains("KMS (what it showed") && governed.kms.requests().is_empty(),
        "{}",
        plain.stdout
    );
    args.extend([
        governed.phala_says(governed.honest_hint()),
        "--phala-hints".to_owned(),
    ]);
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.stderr.contains(WORDS), "{}", ran.stderr);
    for words in [
        "KMS (what it showed, not verified)",
        &governed.kms.host(),
        &hex::encode(kms().cvm.compose_hash()),
        "Rules for development",
        "local-sgx",
        "CONTRACTS (two nodes' answers, unsigned)",
        &hex::encode(KMS_CONTRACT),
        "allowedComposeHashes",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    args.push("--format=json".to_owned());
    let json: Value = serde_json::from_str(&run(&args).stdout).unwrap();
    let sections = json["sections"].as_array().unwrap();
    assert!(
        sections
            .iter()
            .any(|section| section["title"] == "KMS (what it showed, not verified)"),
        "{json:#}"
    );
}
