//! Everything that `inspect` shows: attestation, info, compose document, collateral.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::inspect::{Inspected, inspect};
use cvm_verify_core::evidence::{Attestation, Evidence, QuoteBytes};
use cvm_verify_fuzz::input::{given, parts};
use cvm_verify_fuzz::printed::{assert_harmless, assert_no_command};

cvm_verify_fuzz::fuzz_target!(|data: &[u8]| {
    let [body, info, compose, file] = parts(data);
    // A bare quote in binary, where it is no body: the fuzzer then sees the bytes themselves.
    let attestation = match Attestation::parse(body) {
        Ok(attestation) => attestation,
        Err(_) => match QuoteBytes::new(body.to_vec()) {
            Some(quote) => Attestation::bare(quote),
            None => return,
        },
    };
    let Ok(evidence) = Evidence::of_quote(attestation, given(info), given(compose), Some([7; 32])) else {
        return;
    };
    let collateral = cvm_verify_core::evidence::collateral::parse(file).ok();
    let inspected = Inspected {
        evidence: &evidence,
        collateral: collateral.as_ref(),
        bundle: None,
        simulated: false,
    };
    let text = inspect(&inspected, 110);
    assert!(text.starts_with("Not verified") && text.ends_with('\n'));
    assert_harmless(&text);
    assert_no_command(&text);
    assert_eq!(text, inspect(&inspected, 110), "it reads the same twice");
});
