//! What the simulator makes is accepted by dcap-qvl with no special case, and each knob does what its name says.

use dcap_qvl::{Policy, QuoteClaims, TcbStatus, verify::QuoteVerifier};
use simulator::{
    Certificate, Cvm, DAY, Event, EventVersion, Guest, PckCa, QuoteFormat, World,
    event_log::replay,
    world::{TEE_TCB_SVN_OUT_OF_DATE, Window},
};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct AnyStatus;

impl Policy for AnyStatus {
    fn validate(&self, _: &QuoteClaims) -> anyhow::Result<()> {
        Ok(())
    }
}

fn claims(cvm: &Cvm) -> Result<QuoteClaims, String> {
    let world = &cvm.world;
    QuoteVerifier::new(world.root_der())
        .verify_with_policy(&cvm.quote_bytes(NONCE), world.collateral(), world.now, &AnyStatus)
        .map_err(|error| format!("{error:#}"))
}

fn status(cvm: &Cvm) -> TcbStatus {
    claims(cvm).expect("the quote verifies").tcb.status
}

#[test]
fn every_generation_and_quote_format_verifies_and_is_up_to_date() {
    let world = World::default();
    for guest in Guest::ALL {
        for format in QuoteFormat::ALL {
            let mut cvm = Cvm::of_generation(&world, guest);
            cvm.quote.format = format;
            let report = QuoteVerifier::new(world.root_der())
                .verify(&cvm.quote_bytes(NONCE), &world.collateral(), world.now)
                .unwrap_or_else(|error| panic!("{guest:?} {format:?}: {error:#}"));
            assert_eq!(report.status, "UpToDate", "{guest:?} {format:?}");
            assert!(report.advisory_ids.is_empty());
            assert_eq!(report.ppid, world.platform.ppid);
        }
    }
}
