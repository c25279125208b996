//! A copy of the compose document that the user has, beside another one in `/info`: live, in the bundle of the run and as loose
//! files it is the same document.

use cvm_verify_core::report::CheckId::{ComposeHash, Evidence, ImagePins};
use cvm_verify_core::report::Status::{Error, Fail, Pass, Warn};
use simulator::{AppEndpoint, Behaviour, Cvm, World};

use super::deployment::Deployment;
use super::run::{Ran, run};

/// A deployment whose `/info` shows another text than the measured one.
fn showing(show: impl Fn(&str) -> String) -> (Deployment, Cvm) {
    let deployment = Deployment::healthy();
    let cvm = Cvm::healthy(&World::default());
    let mut shown = Cvm::healthy(&World::default());
    shown.body.show_app_compose = Some(show(&cvm.app_compose));
    deployment
        .app
        .behave(AppEndpoint::Info, Behaviour::Body(shown.info_body()));
    std::fs::write(
        deployment.folder.path().join("app-compose.json"),
        &cvm.app_compose,
    )
    .unwrap();
    (deployment, cvm)
}

/// The run with its bundle, and the replay of that.
fn live_and_replayed(deployment: &Deployment, more: &[&str]) -> [Ran; 2] {
    let bundle = deployment.path("e.json");
    let evidence = format!("--evidence={bundle}");
    let live = deployment.verify(&[more, &[&evidence]].concat());
    [
        live,
        run(&deployment.replay_args(&["replay", &bundle, "--format=json"])),
    ]
}

#[test]
fn the_measured_file_passes_beside_any_document_in_info() {
    for show in [(|text| format!("{text}\n")) as fn(&str) -> String, |text| {
        format!("{text}{}", " ".repeat(4 << 20))
    }] {
        let (deployment, _) = showing(show);
        let file = format!("--app-compose-file={}", deployment.path("app-compose.json"));
        for ran in live_and_replayed(&deployment, &[&file]) {
            assert_eq!(ran.code, 0, "{ran:#?}");
            ran.assert(ImagePins, Pass, None);
        }
        // The quote and the file decide at once: what /info shows is not asked for again.
        assert_eq!(deployment.app.count("/info"), 1);
    }
}

#[test]
fn a_document_in_info_that_is_too_large_takes_nothing_back() {
    let (deployment, _) = showing(|text| format!("{text}{}", " ".repeat(4 << 20)));
    for ran in live_and_replayed(&deployment, &[]) {
        assert_eq!(ran.code, 3, "{ran:#?}");
        ran.assert(Evidence, Warn, Some("info-unusable"));
        ran.assert(ComposeHash, Pass, None);
        ran.assert(ImagePins, Error, Some("no-compose-document"));
        assert!(ran.check(Evidence).detail.contains("--app-compose-file FILE"));
    }
    let mut args = deployment.network_args(&["verify", &deployment.app.url(), "--format=json"]);
    args.push(format!("--compose-hash={}", "ab".repeat(32)));
    run(&args).assert(ComposeHash, Fail, Some("compose-hash-mismatch"));
}

#[test]
fn loose_files_say_what_the_live_run_says() {
    let (deployment, cvm) = showing(|text| format!("{text}\n"));
    let write = |name: &str, text: &str| {
        std::fs::write(deployment.folder.path().join(name), text).unwrap();
        deployment.path(name)
    };
    let mut other = cvm.clone();
    other.body.show_app_compose = Some(format!("{}\n", cvm.app_compose));
    let nonce = "5a".repeat(32);
    let attestation = write("attestation.json", &cvm.attestation_body(&nonce));
    let info = write("info.json", &other.info_body());
    let collateral = write(
        "collateral.json",
        &serde_json::to_string(&cvm_verify_core::evidence::collateral::document(
            &cvm.world.collateral(),
        ))
        .unwrap(),
    );
    let file = deployment.path("app-compose.json");
    let at = cvm_verify_core::report::rfc3339(cvm.world.now);
    let args = deployment.replay_args_with(
        &[
            "replay",
            "--format=json",
            "--attestation",
            &attestation,
            "--info",
            &info,
        ],
        &[
            "--collateral",
            &collateral,
            "--nonce",
            &nonce,
            "--app-compose",
            &file,
            "--at",
            &at,
        ],
    );
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{ran:#?}");
    ran.assert(Evidence, Warn, Some("info-unusable"));
    ran.assert(ImagePins, Pass, None);
}
