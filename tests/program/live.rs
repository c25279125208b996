//! `verify` against a simulated CVM and PCCS on loopback.

use cvm_verify_core::report::CheckId::*;
use cvm_verify_core::report::Status::*;
use cvm_verify_core::report::{Assurance, Mode, TrustRootKind, Verdict};
use simulator::{AppEndpoint, AppServer, Behaviour, Cvm, World};

use super::deployment::Deployment;
use super::run::run;

#[test]
fn a_healthy_deployment_passes_at_the_code_tier() {
    let deployment = Deployment::healthy();
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let report = ran.report();
    let target = &report.targets[0];
    assert_eq!(
        (report.mode, target.verdict, target.assurance),
        (Mode::Live, Verdict::Pass, Assurance::Hardware)
    );
    // The image of the simulated machine is in no table: the lock accepts it in writing, and the assurance does not count that.
    assert_eq!(target.accepted.len(), 1, "{:?}", target.accepted);
    assert_eq!(target.trust_root, TrustRootKind::Custom);
    assert!(target.waived.is_empty());
    assert_eq!(deployment.app.count("/attestation"), 1);
    assert_eq!(deployment.app.count("/info"), 1);
    assert_eq!(
        deployment.pccs.requests().len(),
        6,
        "four documents, and the early form of two"
    );
}

#[test]
fn without_an_expected_compose_hash_the_verdict_is_inconclusive_and_says_what_to_write_down() {
    let deployment = Deployment::healthy();
    let expect = deployment.expect()[1..].to_vec();
    let ran = deployment.verify_with(&expect, &[]);
    assert_eq!(ran.code, 3);
    ran.assert(ComposeHash, Skip, Some("no-expectation"));
    let hash = ran.report().targets[0].measurements.compose_hash.clone().unwrap();
    ran.assert_detail(ComposeHash, &format!("--compose-hash {hash}"));
}

#[test]
fn a_simulated_root_is_not_accepted_without_the_option() {
    let deployment = Deployment::healthy();
    let args = [
        "verify".to_owned(),
        deployment.app.url().to_string(),
        "--format=json".to_owned(),
        "--allow-private-network".to_owned(),
        format!("--pccs-url={}", deployment.pccs.url()),
    ];
    let ran = run(&args);
    assert_eq!(ran.code, 1);
    ran.assert(QuoteSignature, Fail, Some("not-verified"));
    assert_eq!(ran.report().targets[0].trust_root, TrustRootKind::Intel);
}

#[test]
fn a_clock_before_the_programs_own_commit_is_an_error() {
    let deployment = Deployment::healthy();
    let args = deployment.network_args(&["verify", &deployment.app.url(), "--format=json"]);
    let ran = super::run::run_in(&args, &[], |env| env.clock_floor = simulator::DEFAULT_NOW + 1);
    assert_eq!(ran.code, 3);
    ran.assert(Collateral, Error, Some("clock"));
}

#[test]
fn missing_info_blocks_only_what_needs_the_compose_document() {
    let deployment = Deployment::healthy();
    deployment
        .app
        .behave(simulator::AppEndpoint::Info, simulator::Behaviour::Status(404));
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 3);
    ran.assert(ComposeHash, Pass, None);
    ran.assert(ImagePins, Error, Some("no-compose-document"));
    // The user's own copy of the document takes its place.
    let compose = Cvm::healthy(&World::default()).app_compose;
    std::fs::write(deployment.folder.path().join("app-compose.json"), compose).unwrap();
    let ran = deployment.verify(&[&format!(
        "--app-compose-file={}",
        deployment.path("app-compose.json")
    )]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(ImagePins, Pass, None);
}

fn another_instance(world: &World) -> Cvm {
    let mut other = Cvm::healthy(world);
    other.instance_id = vec![0x77; 20];
    other
}

#[test]
fn an_info_of_another_instance_is_asked_for_again_and_the_quote_is_not() {
    let world = World::default();
    let deployment = Deployment::healthy();
    let each = vec![Cvm::healthy(&world), another_instance(&world)];
    deployment.app.alternate(each);
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_eq!(
        (
            deployment.app.count("/attestation"),
            deployment.app.count("/info")
        ),
        (1, 2)
    );
}

#[test]
fn an_info_that_stays_that_of_another_instance_is_noticed() {
    let deployment = Deployment::healthy();
    let other = AppServer::http(another_instance(&World::default()));
    let ran = deployment.verify(&[&format!("--info-url={}/info", other.url())]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Error, Some("two-instances"));
    assert_eq!(
        (deployment.app.count("/attestation"), other.count("/info")),
        (1, 3)
    );
}

/// Whatever comes next to it: a host that could have an attestation asked for again would choose which one counts.
#[test]
fn t42_an_attestation_that_convicts_is_not_taken_back_by_the_documents_next_to_it() {
    let world = World::default();
    let replayed = || {
        let mut cvm = Cvm::healthy(&world);
        simulator::Lie::ReplayedQuote.apply(&mut cvm);
        cvm
    };
    let good = || Cvm::healthy(&world);
    for (how, answers, behaviour) in [
        (
            "another instance",
            vec![replayed(), another_instance(&world), good(), good()],
            None,
        ),
        (
            "another document",
            vec![
                replayed(),
                Cvm {
                    app_compose: "{}".to_owned(),
                    ..good()
                },
                good(),
                good(),
            ],
            None,
        ),
        (
            "a hiccup",
            vec![replayed(), good(), good(), good()],
            Some(Behaviour::Status(503)),
        ),
    ] {
        let deployment = Deployment::healthy();
        deployment.app.alternate(answers);
        if let Some(behaviour) = behaviour {
            deployment.app.behave_next(AppEndpoint::Info, 1, behaviour);
        }
        let ran = deployment.verify(&[]);
        assert_eq!(ran.code, 1, "{how}: {ran:#?}");
        ran.assert(Freshness, Fail, Some("nonce-mismatch"));
        assert_eq!(deployment.app.count("/attestation"), 1, "{how}");
    }
}

#[test]
fn several_addresses_give_the_verdict_of_the_worst() {
    let good = Deployment::healthy();
    let mut cvm = Cvm::healthy(&World::default());
    simulator::Lie::SwappedImage.apply(&mut cvm);
    let bad = Deployment::of(cvm);
    let ran = good.verify(&[bad.app.url().as_ref()]);
    assert_eq!(ran.code, 1);
    let verdicts: Vec<Verdict> = ran.report().targets.iter().map(|target| target.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail]);
}

#[test]
fn a_run_on_a_cvm_says_that_it_proves_nothing_there() {
    let bundle = "fixtures/simulated/healthy.evidence.json";
    let said = |args: &[&str]| {
        let ran = super::run::run_in(args, &[], |env| {
            env.exists = |path| path.ends_with("tdx_guest");
        });
        let said = ran
            .stderr
            .matches("this machine is itself a CVM (/dev/tdx_guest exists)");
        said.count()
    };
    for judges in [
        &["verify", "https://127.0.0.1:1", "--no-lock"][..],
        &["watch", "https://127.0.0.1:1", "--once"],
        &["replay", bundle],
        &["pin", "--from", bundle, "--output=-"],
        &["diff", bundle, bundle],
        &["plan", "--docker-compose=gone.yml"],
        &["merge", "gone.json"],
        &[
            "statement",
            "check",
            "gone.json",
            "--resource=https://shop.example",
            "--signer-repository=example/shop",
            "--signer-workflow=.github/workflows/verify.yml",
            "--signer-ref=refs/heads/main",
        ],
    ] {
        assert_eq!(said(judges), 1, "{judges:?}");
    }
    for shows in [
        &["inspect", bundle][..],
        &["explain", "compose-hash"],
        &["reference"],
    ] {
        assert_eq!(said(shows), 0, "{shows:?}");
    }
}

#[test]
fn a_hiccup_of_the_info_endpoint_does_not_cost_the_verdict() {
    for behaviour in [Behaviour::Close, Behaviour::Status(503)] {
        let deployment = Deployment::healthy();
        deployment
            .app
            .behave_next(AppEndpoint::Info, 1, behaviour.clone());
        let ran = deployment.verify(&[]);
        assert_eq!(ran.code, 0, "{behaviour:?}: {ran:#?}");
        assert_eq!(deployment.app.count("/info"), 2, "{behaviour:?}");
    }
}

#[test]
fn an_info_endpoint_that_stays_away_is_done_without() {
    let deployment = Deployment::healthy();
    deployment.app.behave(AppEndpoint::Info, Behaviour::Status(503));
    let ran = deployment.verify(&[]);
    assert_eq!(ran.code, 3);
    ran.assert(Evidence, Warn, Some("info-unusable"));
    ran.assert(ComposeHash, Pass, None);
    ran.assert(ImagePins, Error, Some("no-compose-document"));
    assert_eq!(deployment.app.count("/info"), 3);
}
