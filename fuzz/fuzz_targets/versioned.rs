//! What dstack's `Attest` answers: SCALE or MessagePack, as bytes, as hex or in JSON.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{Attestation, MAX_QUOTE_BYTES};

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let json = format!(r#"{{"attestation":"{}"}}"#, hex::encode(bytes));
    let of_json = Attestation::parse(json.as_bytes());
    if let Ok(attestation) = &of_json {
        assert!(attestation.quote.as_bytes().len() <= MAX_QUOTE_BYTES);
        let longer = format!(r#"{{"attestation":"{}00"}}"#, hex::encode(bytes));
        assert!(Attestation::parse(longer.as_bytes()).is_err(), "trailing bytes");
    }
    // The same bytes as a file are the same evidence.
    if let (Ok(of_json), Some(Ok(of_file))) = (&of_json, Attestation::of_bytes(bytes)) {
        assert_eq!(of_json.quote, of_file.quote);
        assert_eq!(of_json.event_log, of_file.event_log);
    }
});
