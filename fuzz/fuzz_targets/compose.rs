//! A compose document that nothing vouches for, and a docker compose file in one: what `inspect` says of them.
//!
//! The readers are those of `measured`, without its signatures: many more documents a second, weaker assertions.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::inspect::{Inspected, inspect};
use cvm_verify_core::evidence::{Attestation, Evidence, MAX_COMPOSE_BYTES, QuoteBytes};
use cvm_verify_fuzz::printed::{assert_harmless, assert_no_command};

fn shown(document: &[u8]) {
    let attestation = Attestation::bare(QuoteBytes::new(vec![]).expect("short"));
    let Ok(evidence) = Evidence::of_quote(attestation, None, Some(document), None) else {
        assert!(document.len() > MAX_COMPOSE_BYTES || std::str::from_utf8(document).is_err());
        return;
    };
    let inspected = Inspected {
        evidence: &evidence,
        collateral: None,
        bundle: None,
        simulated: false,
    };
    let text = inspect(&inspected, 110);
    assert_harmless(&text);
    assert_no_command(&text);
    assert_eq!(
        text,
        inspect(&inspected, 110),
        "the same document reads the same twice"
    );
}

cvm_verify_fuzz::fuzz_target!(|text: &[u8]| {
    shown(text);
    if let Ok(text) = std::str::from_utf8(text) {
        let document = serde_json::json!({ "runner": "docker-compose", "docker_compose_file": text });
        shown(document.to_string().as_bytes());
    }
});
