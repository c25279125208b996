//! GPUs through the whole program: options, the endpoint of its own, the bundle, the lock.

use cvm_verify_core::report::CheckId::Gpu as Id;
use cvm_verify_core::report::Status::*;
use simulator::gpu::device_root_pem;
use simulator::{Behaviour, Cvm, Gpus, Nras, NrasServer, World};

use super::deployment::Deployment;
use super::run::{Ran, run};

/// A deployment with GPUs, and the option that trusts their root.
fn with_gpus(count: usize) -> (Deployment, String) {
    let mut cvm = Cvm::healthy(&World::default());
    cvm.gpus = Some(Gpus::alone(1, count));
    let deployment = Deployment::of(cvm);
    std::fs::write(deployment.path("devices.pem"), device_root_pem(1)).unwrap();
    let root = format!("--insecure-trust-root=nvidia={}", deployment.path("devices.pem"));
    (deployment, root)
}

fn replay(deployment: &Deployment, bundle: &str, more: &[&str]) -> Ran {
    run(&deployment.replay_args_with(&["replay", bundle, "--format=json"], more))
}

#[test]
fn gpus_in_the_attestation_are_required_counted_and_replayed() {
    let (deployment, root) = with_gpus(2);
    let bundle = deployment.path("bundle.json");
    let options = [
        "--gpu=required",
        "--gpu-count=2",
        "--gpu-model=GH100",
        "--gpu-model=GB100",
        &root,
    ];
    let ran = deployment.verify(&[&options[..], &["--evidence", &bundle]].concat());
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(Id, Pass, None);
    let again = replay(&deployment, &bundle, &options);
    assert_eq!(again.found(), ran.found());
    let three = deployment.verify(&["--gpu-count=3", &root]);
    assert_eq!(three.code, 1, "{three:#?}");
    three.assert(Id, Fail, Some("gpu-count"));
    // Without the simulated root they are forged.
    let forged = deployment.verify(&[]);
    assert_eq!(forged.code, 1, "{forged:#?}");
    forged.assert(Id, Fail, Some("gpu-chain"));
}

#[test]
fn an_endpoint_of_its_own_is_asked_with_the_nonce_and_goes_into_the_bundle() {
    let (deployment, root) = with_gpus(1);
    let bundle = deployment.path("bundle.json");
    let ran = deployment.verify(&["--gpu-path=/gpu?app=a", "--evidence", &bundle, &root]);
    // It answers 404: what was named must be there.
    ran.assert(Id, Error, Some("gpu-unreachable"));
    let asked = deployment.app.requests();
    let asked = asked.iter().find(|request| request.path() == "/gpu").unwrap();
    assert_eq!(asked.parameter("nonce").map(|nonce| nonce.len()), Some(64));
    assert_eq!(asked.parameter("app").as_deref(), Some("a"));
    assert_eq!(replay(&deployment, &bundle, &[&root]).check(Id), ran.check(Id));
    // Old evidence from there goes before what the attestation has, and is not this run's.
    let old = Gpus::alone(1, 1).payload(&[9; 32]).to_string();
    deployment.app.serve_file("/gpu", "application/json", old);
    let ran = deployment.verify(&["--gpu-path=/gpu", "--evidence", &bundle, &root]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(Id, Warn, Some("gpu-nonce-mismatch"));
    let again = replay(&deployment, &bundle, &[&root]);
    again.assert(Id, Warn, Some("gpu-nonce-mismatch"));
    let ran = deployment.verify(&["--gpu-path=/gpu", "--gpu=required", &root]);
    assert_eq!(ran.code, 1, "{ran:#?}");
}

#[test]
fn pinned_gpus_are_compared_from_then_on() {
    let (deployment, root) = with_gpus(1);
    let lock = deployment.path("cvm.lock");
    let mut args = deployment.network_args(&["pin", &deployment.app.url(), "--accept-observed"]);
    args.extend([root.clone(), format!("--output={lock}")]);
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert_stderr("neither Intel's root nor NVIDIA's");
    let with_lock = [format!("--lock={lock}")];
    let ran = deployment.verify_with(&with_lock, &[&root]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(Id, Pass, None);
    deployment
        .app
        .change(|cvm| cvm.gpus.as_mut().unwrap().devices[0].measurements[7].2[0] ^= 1);
    let ran = deployment.verify_with(&with_lock, &[&root]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran.assert(Id, Fail, Some("gpu-pins"));
}

#[test]
fn what_cannot_be_meant_is_a_usage_error() {
    let (deployment, root) = with_gpus(1);
    let twice = deployment.verify(&[&root, &root]);
    twice.assert_usage_error("it replaces NVIDIA's root twice");
    let usage = |option: &str, says: &str| deployment.verify(&[option]).assert_usage_error(says);
    usage("--gpu-model=GH100 A01", "is not the name of a chip");
    usage("--gpu-count=17", "write a whole number from 0 to 16");
    usage("--gpu-path=/gpu?nonce=00", "sets nonce itself");
    usage("--insecure-trust-root=nvidia=", "the file is missing");
}

/// A deployment with GPUs, a service that knows them, and the options that ask it.
fn with_service() -> (Deployment, NrasServer, Vec<String>) {
    let (deployment, root) = with_gpus(2);
    let service = Nras::approving(1);
    std::fs::write(deployment.path("nras.der"), service.intermediate_der()).unwrap();
    let server = NrasServer::http(service, Gpus::alone(1, 2));
    let options = vec![
        root,
        format!("--insecure-trust-root=nras={}", deployment.path("nras.der")),
        format!("--gpu-verifier-url={}", server.url()),
    ];
    (deployment, server, options)
}

fn verify_with(deployment: &Deployment, options: &[String], more: &[&str]) -> Ran {
    let mut all: Vec<&str> = options.iter().map(String::as_str).collect();
    all.extend(more);
    deployment.verify(&all)
}

#[test]
fn nvidias_service_is_asked_if_that_was_said_and_its_answer_is_replayed() {
    let (deployment, server, options) = with_service();
    let bundle = deployment.path("bundle.json");
    verify_with(&deployment, &options, &[]).assert(Id, Pass, None);
    assert!(server.requests().is_empty(), "nothing leaves by default");
    for version_3 in [false, true] {
        if version_3 {
            server.version_3_alone();
        }
        let ran = verify_with(
            &deployment,
            &options,
            &["--gpu-verifier=nras", "--evidence", &bundle],
        );
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.assert(Id, Pass, None);
        ran.assert_detail(Id, "appraised by NVIDIA");
        let options: Vec<&str> = options[..2].iter().map(String::as_str).collect();
        let again = replay(
            &deployment,
            &bundle,
            &[&options[..], &["--gpu-verifier=nras"]].concat(),
        );
        assert_eq!(again.check(Id), ran.check(Id));
    }
    // A bundle without an answer has none.
    verify_with(&deployment, &options, &["--evidence", &bundle]);
    let options: Vec<&str> = options[..2].iter().map(String::as_str).collect();
    let again = replay(
        &deployment,
        &bundle,
        &[&options[..], &["--gpu-verifier=nras"]].concat(),
    );
    again.assert(Id, Error, Some("gpu-nras-unreachable"));
    assert_eq!(again.code, 3);
}

#[test]
fn a_refusal_fails_and_what_is_not_nvidias_leaves_it_open() {
    let (deployment, server, options) = with_service();
    server.behave(Behaviour::Status(429));
    let ran = verify_with(&deployment, &options, &["--gpu-verifier=nras"]);
    ran.assert(Id, Error, Some("gpu-nras-unreachable"));
    assert_eq!(ran.code, 3, "{ran:#?}");
    let ran = verify_with(&deployment, &options, &["--gpu-verifier=both"]);
    ran.assert(Id, Warn, Some("gpu-nras-unreachable"));
    assert_eq!(ran.code, 0, "{ran:#?}");
    let (deployment, server, options) = with_service();
    server.change(|service| {
        service.overall_edits.push(std::sync::Arc::new(|claims| {
            claims["x-nvidia-overall-att-result"] = false.into()
        }));
    });
    for verifier in ["--gpu-verifier=nras", "--gpu-verifier=both"] {
        let ran = verify_with(&deployment, &options, &[verifier]);
        ran.assert(Id, Fail, Some("gpu-refused-by-nras"));
        assert_eq!(ran.code, 1, "{ran:#?}");
    }
    // Under NVIDIA's own intermediates the simulated service is nobody.
    let (deployment, _server, options) = with_service();
    let without: Vec<String> = options
        .iter()
        .filter(|option| !option.contains("nras="))
        .cloned()
        .collect();
    let ran = verify_with(&deployment, &without, &["--gpu-verifier=nras"]);
    ran.assert(Id, Error, Some("gpu-token"));
    assert_eq!(ran.code, 3, "{ran:#?}");
}
