//! `inspect` and `explain`.

use cvm_verify_core::report::CheckId;
use simulator::{Cvm, World};

use super::deployment::Deployment;
use super::run::run;

#[test]
fn a_live_deployment_a_bundle_a_body_and_a_bare_quote_can_be_inspected() {
    let deployment = Deployment::healthy();
    deployment.verify(&["--evidence", &deployment.path("bundle.json")]);
    let cvm = Cvm::healthy(&World::default());
    let nonce = "ab".repeat(32);
    std::fs::write(deployment.path("body.json"), cvm.attestation_body(&nonce)).unwrap();
    std::fs::write(deployment.path("quote.bin"), cvm.quote_bytes(&nonce)).unwrap();
    for name in ["bundle.json", "body.json", "quote.bin"] {
        let ran = run(&["inspect", &deployment.path(name)]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        assert!(ran.stdout.starts_with("Not verified"), "{name}");
        assert!(ran.stdout.contains("MRTD"), "{name}");
    }
    let mut args = vec!["inspect".to_owned(), deployment.app.url().to_string()];
    args.extend(
        deployment
            .network()
            .into_iter()
            .filter(|option| !option.contains("trust-root")),
    );
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.assert_stdout("COMPOSE DOCUMENT");
    run(&["inspect", "/"]).assert_usage_error("is a folder");
    run(&["inspect", "Cargo.toml"]).assert_usage_error("Cargo.toml");
    assert_eq!(run(&["inspect", "https://127.0.0.1:1"]).code, 3);
}

#[test]
fn a_lock_goes_into_a_new_folder_and_is_no_evidence_to_inspect() {
    let deployment = Deployment::healthy();
    let lock = deployment.path("locks/prod/cvm.lock");
    let url = deployment.app.url();
    let ran = run(&deployment.network_args_with(
        &["pin", &url],
        &["--accept-observed", &format!("--output={lock}")],
    ));
    assert!(
        std::fs::read_to_string(&lock).is_ok_and(|text| text.contains("compose_hash")),
        "{ran:#?}"
    );
    run(&["inspect", &lock])
        .assert_usage_error("is a lock file, which holds what is expected and no evidence");
}

/// GPU evidence and NVIDIA's answer prove nothing without the VM and the nonce, so they are shown and say so.
#[test]
fn gpu_evidence_and_tokens_can_be_inspected_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let gpus = simulator::Gpus::protected_pcie(1);
    let nonce = [7; 32];
    let evidence = gpus.payload(&nonce).to_string();
    let answer = simulator::Nras::approving(1).answer("GPU", &gpus.devices[..1], &nonce);
    let token = answer.split('"').find(|part| part.starts_with("ey")).unwrap();
    for (name, text, section) in [
        ("evidence.json", evidence.as_str(), "GPU REPORTS"),
        ("answer.json", &answer, "TOKENS OF NVIDIA'S SERVICE"),
        ("token.jwt", token, "TOKENS OF NVIDIA'S SERVICE"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let path = path.display().to_string();
        let ran = run(&["inspect", &path]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        assert!(
            ran.stdout
                .starts_with("Not verified: this is what the file claims of GPUs."),
            "{}",
            ran.stdout
        );
        assert!(ran.stdout.contains(section), "{}", ran.stdout);
        assert!(ran.stdout.contains("--evidence FILE"), "{}", ran.stdout);
        let json = run(&["inspect", &path, "--format=json"]);
        let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
        assert_eq!(document["sections"][0]["title"], section);
    }
    // The tokens of another service are none of these.
    let path = folder.path().join("other.jwt");
    std::fs::write(&path, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.x").unwrap();
    run(&["inspect", &path.display().to_string()]).assert_usage_error("is not an evidence bundle");
}

#[test]
fn a_compose_document_can_be_inspected_by_itself() {
    let deployment = Deployment::healthy();
    let cvm = Cvm::healthy(&World::default());
    let path = deployment.path("app-compose.json");
    std::fs::write(&path, &cvm.app_compose).unwrap();
    let ran = run(&["inspect", &path]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    for part in [
        "Not verified: this is what the document says.",
        "COMPOSE DOCUMENT",
        &hex::encode(cvm.compose_hash()),
        "TEXTS OF THE COMPOSE DOCUMENT",
        "docker_compose_file",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    for part in ["EVENT LOG", "MRCONFIGID", "event log has no"] {
        assert!(!ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let json: serde_json::Value =
        serde_json::from_str(&run(&["inspect", "--format=json", &path]).stdout).unwrap();
    assert_eq!(json["sections"][0]["title"], "COMPOSE DOCUMENT");
    run(&["inspect", &path, "--app-compose", &path]).assert_usage_error("is a compose document itself");
    // What has no field of one is another file.
    std::fs::write(&path, r#"{"name": "x"}"#).unwrap();
    run(&["inspect", &path]).assert_usage_error("app-compose.json");
}

#[test]
fn every_check_explains_itself_and_an_unknown_one_is_a_usage_error() {
    let list = run(&["explain"]);
    for id in CheckId::ALL {
        assert!(list.stdout.contains(id.as_str()));
        let ran = run(&["explain", id.as_str()]);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains(id.as_str()));
    }
    run(&["explain", "magic"]).assert_usage_error("there is no check and no reason \"magic\"");
    run(&["explain", "os-image/magic"]).assert_usage_error("the check os-image has no reason \"magic\"");
    run(&["explain", "compose-hahs"]).assert_usage_error("did you mean compose-hash?");
    let ran = run(&["explain", "no-reference"]);
    assert!(
        ran.stdout.starts_with("os-image/no-reference\n"),
        "{}",
        ran.stdout
    );
}
