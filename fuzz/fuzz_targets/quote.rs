//! The bytes of a quote: its layout, the platform that it names, and what a verdict says without collateral.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::collateral::CollateralRequest;
use cvm_verify_core::evidence::{MAX_QUOTE_BYTES, QuoteBytes};
use cvm_verify_core::verify::{
    Inputs, NotProven, QuoteLayout, QuoteRefusal, SignatureCache, TrustRoot, UnusableCollateral, prove,
};
use cvm_verify_fuzz::deployment::bare;

fn refusal(bytes: Vec<u8>) -> Option<QuoteRefusal> {
    let evidence = bare(QuoteBytes::new(bytes)?);
    let claims = prove(
        &evidence,
        &Inputs {
            collateral: Err(UnusableCollateral::Missing),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root: &TrustRoot::Intel,
            at: 1_790_856_000,
            clock_floor: 0,
        },
    );
    match claims.quote {
        Ok(_) => panic!("a quote was verified without collateral"),
        Err(NotProven::Absent) => panic!("the quote is there"),
        Err(NotProven::NotReached) => None,
        Err(NotProven::Refused(refusal)) => Some(refusal),
    }
}

cvm_verify_fuzz::fuzz_target!(|bytes: &[u8]| {
    let Some(quote) = QuoteBytes::new(bytes.to_vec()) else {
        assert!(bytes.len() > MAX_QUOTE_BYTES);
        return;
    };
    if let Some(request) = CollateralRequest::of_quote(&quote) {
        assert_eq!(request.fmspc_hex().len(), 12);
    }
    if let Ok(layout) = QuoteLayout::of(bytes) {
        assert!(
            layout.signed >= layout.body + 584 && layout.end <= bytes.len(),
            "every body has report data"
        );
    }
    let refused = refusal(bytes.to_vec());
    assert!(refused.is_some() || QuoteLayout::of(bytes).is_ok());
    let is_padded = !matches!(refused, Some(QuoteRefusal::TrailingBytes { .. }));
    if QuoteLayout::of(bytes).is_ok() && is_padded && bytes.len() < MAX_QUOTE_BYTES {
        let padded = [bytes, &[0]].concat();
        assert_eq!(refusal(padded), refused, "zeros may follow");
        let trailing = refusal([bytes, &[1]].concat());
        assert!(
            matches!(trailing, Some(QuoteRefusal::TrailingBytes { .. })),
            "{trailing:?}"
        );
    }
});
