use proptest::prelude::*;
use simulator::{Cvm, World};

use super::*;

/// What dcap-qvl, which verifies by it, reads in the same quote.
fn by_dcap_qvl(quote: &[u8]) -> Option<CollateralRequest> {
    let quote = Quote::parse(quote).ok()?;
    let leaf = intel::extract_cert_chain(&quote).ok()?.into_iter().next()?;
    Some(CollateralRequest {
        fmspc: intel::parse_pck_extension(&leaf).ok()?.fmspc,
        ca: match intel::pck_ca(&leaf).ok()? {
            dcap_qvl::config::PckCa::Platform => PckCa::Platform,
            dcap_qvl::config::PckCa::Processor => PckCa::Processor,
        },
    })
}

fn by_us(quote: &[u8]) -> Option<CollateralRequest> {
    CollateralRequest::of_quote(&QuoteBytes::new(quote.to_vec())?)
}

#[test]
fn quotes_of_real_hardware_ask_for_what_dcap_qvl_reads() {
    for quote in [
        &include_bytes!("../../fixtures/dcap-qvl/tdx_quote")[..],
        include_bytes!("../../fixtures/dcap-qvl/tdx_quote_outdated"),
        include_bytes!("../../fixtures/dcap-qvl/tdx_quote_td15ex"),
        include_bytes!("../../fixtures/dcap-qvl/sgx_quote"),
    ] {
        let ours = by_us(quote);
        assert!(ours.is_some());
        assert_eq!(ours, by_dcap_qvl(quote));
    }
}

#[test]
fn a_simulated_quote_asks_for_its_platform() {
    let quote = Cvm::healthy(&World::new(7, simulator::DEFAULT_NOW))
        .evidence("00")
        .quote;
    let ours = by_us(&quote);
    assert!(ours.is_some());
    assert_eq!(ours, by_dcap_qvl(&quote));
}

proptest! {
    #[test]
    fn no_change_of_a_quote_panics_or_names_another_platform(place in 0usize..5000, byte in any::<u8>()) {
        let mut quote = include_bytes!("../../fixtures/dcap-qvl/tdx_quote").to_vec();
        let length = quote.len();
        quote[place % length] = byte;
        // Where both read a platform, it is the same one. (A name in another encoding counts for dcap-qvl as no name.)
        if let (Some(ours), Some(theirs)) = (by_us(&quote), by_dcap_qvl(&quote)) {
            prop_assert_eq!(ours.fmspc, theirs.fmspc);
        }
    }
}
