//! The guest agent and Phala Cloud's API as sources, against simulated ones on loopback.

mod guest_agent;
mod phala;

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::Verdict;
use simulator::guest_agent::{APP_KEY_PATH, INFO_PATHS};
use simulator::phala_cloud::{self, InstanceShape};
use simulator::{AppEndpoint, Behaviour, Cvm, Lie, VersionedForm, World};

use super::deployment::Deployment;
use super::run::{Ran, found, run};

const JSON: &str = "application/json";

/// Verifies from a source, with what a strict user expects.
fn verify(deployment: &Deployment, source: &str, more: &[&str]) -> Ran {
    run(&deployment.strict_args_with(&["verify", &format!("--source={source}"), "--format=json"], more))
}

fn replay(deployment: &Deployment, bundle: &str, more: &[&str]) -> Ran {
    run(&deployment.replay_args_with(&["replay", bundle, "--format=json"], more))
}

fn healthy() -> Cvm {
    Cvm::healthy(&World::default())
}

/// Another instance of the same app.
fn instance(id: u8) -> Cvm {
    let mut cvm = healthy();
    cvm.instance_id = vec![id; 20];
    cvm
}

fn app_id() -> String {
    hex::encode(healthy().app_id_bytes())
}

/// A deployment whose server also is Phala Cloud's API, with these instances.
fn cloud(shape: InstanceShape, instances: &[Option<Cvm>]) -> (Deployment, String) {
    let deployment = Deployment::healthy();
    let id = healthy().app_id_bytes();
    deployment.app.serve_file(
        &phala_cloud::path(&id),
        JSON,
        phala_cloud::answer(&id, shape, instances),
    );
    let api = format!("--phala-api-url={}", deployment.app.url());
    (deployment, api)
}

#[test]
fn p20_an_answer_without_end_is_cut_off_for_every_source() {
    let (deployment, _) = cloud(InstanceShape::New, &[Some(healthy())]);
    deployment.app.serve_guest_agent(&healthy(), INFO_PATHS[0]);
    deployment.app.behave(AppEndpoint::Other, Behaviour::EndlessBody);
    let url = deployment.app.url();
    let ran = verify(&deployment, "guest-agent", &[&url]);
    ran.assert(Evidence, Error, Some("too-large"));
    let api = format!("--phala-api-url={url}");
    let ran = verify(&deployment, "phala-cloud", &[&app_id(), &api]);
    ran.assert(Evidence, Error, Some("too-large"));
    assert_eq!(ran.code, 3);
}

// Mistakes.

#[test]
fn options_of_one_source_are_mistakes_with_another() {
    let url = "https://a.example";
    for (args, says) in [
        (
            &["verify", url, "--gateway-domain=a.example"][..],
            "it is only for --source guest-agent",
        ),
        (
            &["verify", url, "--phala-api-url=https://a.example"],
            "it is only for --source phala-cloud",
        ),
        (
            &[
                "verify",
                url,
                "--source=guest-agent",
                "--info-url=https://a.example",
            ],
            "it is only for --source app",
        ),
        (
            &["verify", url, url, "--info-url=https://a.example"],
            "there are several URLs",
        ),
        (&["verify", url, "--source=phala-cloud"], "is not the app's id"),
        (&["verify", "--source=phala-cloud"], "give an app id"),
        (&["verify", "--source=guest-agent"], "an app or instance id"),
        (
            &["verify", "--source=guest-agent", "00"],
            "is not the app's or instance's id",
        ),
        (
            &[
                "verify",
                "--source=guest-agent",
                "0123456789abcdef0123456789abcdef01234567",
            ],
            "name its base domain with --gateway-domain",
        ),
        (
            &[
                "verify",
                "--source=guest-agent",
                "--app-id=0123456789abcdef0123456789abcdef01234567",
                "--gateway-domain=https://a.example/",
            ],
            "is not a domain",
        ),
        (
            &["inspect", "x.json", "--source=phala-cloud"],
            "is not the app's id",
        ),
    ] {
        run(args).assert_usage_error(says);
    }
}
