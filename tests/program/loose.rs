//! Loose files: a quote alone, `--attestation` in `pin` and `diff`, a bundle made of them, collateral that is fetched.

use std::io::Write as _;
use std::process::{Command, Stdio};

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use simulator::{Cvm, World};

use super::deployment::Deployment;
use super::run::{Ran, run};

const NONCE: [u8; 32] = [0xab; 32];

/// The files of an honest machine.
struct Files {
    deployment: Deployment,
    quote: Vec<u8>,
}

impl Files {
    fn new() -> Self {
        let deployment = Deployment::healthy();
        let cvm = Cvm::healthy(&World::default());
        let body = cvm.attestation_body(&hex::encode(NONCE));
        let document: serde_json::Value = serde_json::from_str(&body).unwrap();
        let quote = hex::decode(document["quote"].as_str().unwrap()).unwrap();
        let files = Self { deployment, quote };
        files.write("attestation.json", body.as_bytes());
        files.write("info.json", cvm.info_body().as_bytes());
        files
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.deployment.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.deployment.path(name)
    }

    fn replay(&self, more: &[&str]) -> Ran {
        let root = format!("--insecure-trust-root={}", self.path("root.pem"));
        run(&[&["replay", "--format=json", &root], more].concat())
    }

    /// The same with collateral from the simulated PCCS.
    fn fetching(&self, more: &[&str]) -> Ran {
        let pccs = format!("--pccs-url={}", self.deployment.pccs.url());
        self.replay(&[&["--fetch-collateral", "--allow-private-network", &pccs], more].concat())
    }
}

/// What a replay advises can be done in a replay.
#[test]
fn a_replay_says_what_to_do_about_a_document_that_is_missing_or_another_one() {
    let files = Files::new();
    let cvm = Cvm::healthy(&World::default());
    let value: serde_json::Value = serde_json::from_str(&cvm.app_compose).unwrap();
    let pretty = files.write(
        "pretty.json",
        serde_json::to_string_pretty(&value).unwrap().as_bytes(),
    );
    let attestation = files.path("attestation.json");
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&cvm.app_compose));
    let hash = format!("--compose-hash={hash}");
    let given = ["--attestation", &attestation, &hash];
    let missing = files.fetching(&given);
    missing.assert(ImagePins, Error, Some("no-compose-document"));
    let fix = missing.check(ImagePins).fix.unwrap();
    assert!(
        fix.contains("--app-compose-file") && !fix.contains("--info-path"),
        "{fix}"
    );
    let pretty = format!("--app-compose={pretty}");
    let other = files.fetching(&[&given[..], &[&pretty]].concat());
    other.assert(ImagePins, Error, Some("compose-not-proven"));
    let mut text = vec!["--format=text", "--pccs-url"];
    let pccs = files.deployment.pccs.url();
    text.extend([pccs.as_str(), "--fetch-collateral", "--allow-private-network"]);
    let root = format!("--insecure-trust-root={}", files.path("root.pem"));
    text.push(&root);
    text.extend([
        "--freshness=unchecked",
        "--os-image=unchecked",
        "--key-provider=unchecked",
    ]);
    let other = run(&[&["replay"], &text[..], &given, &[&pretty]].concat());
    other.assert_stdout("give exactly the bytes that were deployed");
}

#[test]
fn a_quote_is_recognised_in_each_form_and_its_collateral_is_fetched() {
    let files = Files::new();
    let hex = hex::encode(&files.quote);
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &files.quote);
    for (name, bytes) in [
        ("quote.bin", files.quote.as_slice()),
        ("quote.hex", hex.as_bytes()),
        ("quote.0x", format!("0x{hex}\n").as_bytes()),
        ("quote.b64", base64.as_bytes()),
        (
            "attestation.json",
            &std::fs::read(files.path("attestation.json")).unwrap(),
        ),
    ] {
        let path = files.write(name, bytes);
        let alone = files.replay(&[&path]);
        alone.assert(Collateral, Error, Some("missing"));
        let ran = files.fetching(&[&path]);
        ran.assert(QuoteSignature, Pass, None);
        ran.assert_stderr("Fetching collateral for the platform");
        ran.assert_stderr("Nothing else is sent");
    }
    files
        .fetching(&["--quote-hex", &hex])
        .assert(QuoteSignature, Pass, None);
    files
        .replay(&["--quote-hex", "zz"])
        .assert_usage_error("--quote-hex");
    let random = files.write("random", &[0x9c; 6000]);
    files
        .replay(&[&random])
        .assert_usage_error("is not an evidence bundle");
    let text = files.write("text.txt", b"zzzz");
    files
        .replay(&[&text])
        .assert_usage_error("is not an evidence bundle");
    let bundle = "fixtures/simulated/healthy.evidence.json";
    files
        .replay(&[bundle, "--nonce", &"ab".repeat(32)])
        .assert_usage_error("a bundle contains its own");
    files
        .replay(&[bundle, "--attestation", &files.path("attestation.json")])
        .assert_usage_error("two pieces of evidence");
}

#[test]
fn a_quote_comes_through_standard_input() {
    let files = Files::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
        .env_clear()
        .args(["replay", "-", "--format=json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(hex::encode(&files.quote).as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["targets"][0]["name"], "standard input");
}

/// An app's answer may name a schema of its own.
#[test]
fn a_body_with_a_schema_that_is_not_ours_is_read_as_what_it_is() {
    let files = Files::new();
    let text = std::fs::read_to_string(files.path("attestation.json")).unwrap();
    let mut body: serde_json::Value = serde_json::from_str(&text).unwrap();
    body["schema"] = "example.app/attestation/v1".into();
    let path = files.write("body.json", body.to_string().as_bytes());
    assert_eq!(run(&["inspect", &path]).code, 0);
    files.fetching(&[&path]).assert(QuoteSignature, Pass, None);
}

#[test]
fn loose_files_are_bundled_pinned_and_compared() {
    let files = Files::new();
    let (attestation, info) = (files.path("attestation.json"), files.path("info.json"));
    let nonce = hex::encode(NONCE);
    let loose = ["--attestation", &attestation, "--info", &info, "--nonce", &nonce];
    let (bundle, lock) = (files.path("bundle.json"), files.path("cvm.lock"));
    let made = files.fetching(&[&loose[..], &["--evidence", &bundle]].concat());
    made.assert(QuoteSignature, Pass, None);
    assert_eq!(
        made.report().targets[0].evidence.bundle.as_deref(),
        Some(bundle.as_str())
    );
    files.replay(&[&bundle]).assert(QuoteSignature, Pass, None);
    files.replay(&[&bundle]).assert(Freshness, Pass, None);
    files
        .replay(&[&bundle, "--evidence", &files.path("again.json")])
        .assert_usage_error("only loose files are written as a bundle");
    let before = std::fs::read(&attestation).unwrap();
    files
        .replay(&[&loose[..], &["--evidence", &attestation]].concat())
        .assert_usage_error(
            "attestation.json: exists and is not a file that cvm-verify wrote; it was not changed",
        );
    assert_eq!(std::fs::read(&attestation).unwrap(), before);
    // The collateral that the bundle holds serves the loose files, too.
    let recorded: serde_json::Value = serde_json::from_slice(&std::fs::read(&bundle).unwrap()).unwrap();
    let collateral = files.write("collateral.json", recorded["collateral"].to_string().as_bytes());
    let root = format!("--insecure-trust-root={}", files.path("root.pem"));
    let with_collateral = [&loose[..], &["--collateral", &collateral, &root]].concat();
    let pinned = run(&[
        &["pin", "--accept-observed", "--output", &lock],
        &with_collateral[..],
    ]
    .concat());
    assert_eq!(pinned.code, 0, "{pinned:#?}");
    let same = run(&[&["diff", &lock], &with_collateral[..]].concat());
    assert_eq!(same.code, 0, "{same:#?}");
    run(&["diff", &lock]).assert_usage_error("only one side is given");
    run(&[&["diff", &lock, &lock], &with_collateral[..]].concat())
        .assert_usage_error("give only one of them");
    run(&[&["pin", "https://a.example"], &with_collateral[..]].concat())
        .assert_usage_error("two pieces of evidence");
}
