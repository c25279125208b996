//! `fixtures/simulated/` is exactly what the simulator makes. `UPDATE_GENERATED=1 cargo test --test fixtures` rewrites it.

use std::path::Path;

use cvm_verify_core::evidence::collateral::document;
use cvm_verify_core::evidence::{Bundle, BundleSource};
use serde_json::value::{RawValue, to_raw_value};
use simulator::{Cvm, Lie, World};

/// The nonce of every fixture: what a nonce is not, but a fixture must be the same tomorrow.
const NONCE: [u8; 32] = [0x5a; 32];

#[test]
fn the_healthy_bundle_is_what_the_simulator_makes() {
    assert_generated("healthy.evidence.json", &bundle(Lie::None));
}

#[test]
fn the_bundle_of_a_swapped_image_is_what_the_simulator_makes() {
    assert_generated("swapped-image.evidence.json", &bundle(Lie::SwappedImage));
}

#[test]
fn the_documents_are_those_of_the_healthy_bundle() {
    let healthy = Cvm::healthy(&World::default());
    assert_generated("app-compose.json", &healthy.app_compose);
    assert_generated("docker-compose.yml", simulator::app_compose::DOCKER_COMPOSE);
}

#[test]
fn the_root_is_what_the_simulator_makes() {
    assert_generated("root.pem", &World::default().root_pem());
}

/// The bundle of a simulated CVM, as `verify --evidence` writes it.
fn bundle(lie: Lie) -> String {
    let mut cvm = Cvm::healthy(&World::default());
    lie.apply(&mut cvm);
    let raw = |text: String| RawValue::from_string(text).unwrap();
    let from = BundleSource {
        kind: "app".to_owned(),
        url: Some("https://app.example/".to_owned()),
    };
    Bundle {
        nonce: Some(NONCE),
        info: Some(raw(cvm.info_body())),
        collateral: Some(to_raw_value(&document(&cvm.world.collateral())).unwrap()),
        collateral_source: Some("simulator".to_owned()),
        ..Bundle::new(
            cvm.world.now,
            from,
            raw(cvm.attestation_body(&hex::encode(NONCE))),
        )
    }
    .to_json()
    .unwrap()
}

/// Asserts that a fixture holds exactly `text`. With `UPDATE_GENERATED=1` it is written instead.
fn assert_generated(name: &str, text: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/simulated");
    simulator::generated::assert_generated(&folder.join(name), text, "--test fixtures");
}
