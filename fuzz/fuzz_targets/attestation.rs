//! The body of `/attestation`.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify_core::evidence::{Attestation, MAX_QUOTE_BYTES, QuoteBytes};
use cvm_verify_fuzz::input::with_member_in_front;

cvm_verify_fuzz::fuzz_target!(|body: &[u8]| {
    // A file may also hold a bare quote.
    if let Ok(text) = std::str::from_utf8(body)
        && let Some(quote) = QuoteBytes::of_text(text)
    {
        let again = QuoteBytes::of_text(&hex::encode(quote.as_bytes()));
        assert_eq!(again.as_ref(), Some(&quote), "hex of the bytes is the same quote");
    }
    let Ok(attestation) = Attestation::parse(body) else {
        return;
    };
    let quote = attestation.quote.as_bytes();
    assert!(quote.len() <= MAX_QUOTE_BYTES);
    let blanks = [b" \n", body, b"\t\r\n"].concat();
    let again = Attestation::parse(&blanks).expect("blanks around a document change nothing");
    assert_eq!(again.quote, attestation.quote);
    assert_eq!(again.event_log, attestation.event_log);
    assert_eq!(again.report_data_echo, attestation.report_data_echo);

    let twice = with_member_in_front(body, r#""quote":"00""#);
    assert!(Attestation::parse(&twice).is_err(), "two quotes in one body");
    let bare = format!(r#"{{"quote":"{}"}}"#, hex::encode(quote));
    let bare = Attestation::parse(bare.as_bytes()).map(|bare| bare.quote);
    // A quote of no bytes can be written as `0x` and not as nothing.
    assert!(quote.is_empty() || bare == Ok(attestation.quote.clone()));
});
