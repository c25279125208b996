//! Each lie is a lie of its own kind: dcap-qvl refuses those of the quote and the collateral, and only those.

use dcap_qvl::verify::QuoteVerifier;
use simulator::{Cvm, Lie, World, event_log::replay};

const NONCE: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Lies that the quote's verification must find, with a word of the reason.
const REFUSED: &[(Lie, &str)] = &[
    (Lie::BrokenSignature, "signature is invalid"),
    (Lie::BrokenQeSignature, "qe_report"),
    (Lie::ForeignAttestationKey, "hash mismatch"),
    (Lie::ForeignRoot, "InvalidCrlSignature"),
    (Lie::ForeignQe, "MRSIGNER mismatch"),
    (Lie::NotTdx, "Failed to decode quote"),
    (Lie::DebugTd, "Debug mode"),
    (Lie::MigratableTd, "migration"),
    (Lie::ServiceTd, "service TD"),
    (Lie::RevokedTcb, "Revoked"),
    (Lie::NoMatchingTcbLevel, "No matching TCB level"),
    (Lie::OldQuotingEnclave, "below minimum"),
    (Lie::SgxTcbInfo, "non-TDX TCB info"),
    (Lie::SgxQeIdentity, "Unsupported QE Identity"),
    (Lie::RevokedPck, "CertRevoked"),
    (Lie::RevokedPlatformCa, "CertRevoked"),
    (Lie::RevokedTcbSigner, "CertRevoked"),
    (Lie::ExpiredTcbInfo, "expired"),
    (Lie::FutureTcbInfo, "future"),
    (Lie::ExpiredCrl, "CrlExpired"),
    (Lie::FmspcMismatch, "Fmspc mismatch"),
];

fn lying(lie: Lie) -> Cvm {
    let mut cvm = Cvm::healthy(&World::default());
    lie.apply(&mut cvm);
    cvm
}

#[test]
fn the_quote_verifies_unless_the_lie_is_in_it() {
    let root = World::default().root_der();
    for lie in Lie::ALL {
        let cvm = lying(*lie);
        let verdict = QuoteVerifier::new(root.clone()).verify(
            &cvm.quote_bytes(NONCE),
            &cvm.world.collateral(),
            cvm.world.now,
        );
        match (REFUSED.iter().find(|(refused, _)| refused == lie), verdict) {
            (None, verdict) => assert!(verdict.is_ok(), "{lie}: {:#}", verdict.unwrap_err()),
            (Some((_, reason)), Err(error)) => {
                assert!(format!("{error:#}").contains(reason), "{lie}: {error:#}")
            }
            (Some(_), Ok(_)) => panic!("{lie} was accepted"),
        }
    }
}

#[test]
fn only_tampering_in_transit_breaks_the_replay_of_stored_digests() {
    for lie in Lie::ALL {
        let mut cvm = lying(*lie);
        if cvm.body.stripped_log {
            continue;
        }
        cvm.echo = simulator::Echo::Quoted;
        let rtmr3 = cvm.td_report([0; 64]).rtmr[3];
        let replays = replay(&cvm.emitted_log(), 3) == rtmr3;
        let tampered = matches!(lie, Lie::DeletedEvent | Lie::ReorderedEvents | Lie::AddedEvent);
        assert_eq!(replays, !tampered, "{lie}");
    }
}

#[test]
fn every_body_is_json() {
    for lie in Lie::ALL {
        let cvm = lying(*lie);
        for body in [cvm.attestation_body(NONCE), cvm.info_body()] {
            assert!(
                serde_json::from_str::<serde_json::Value>(&body).is_ok(),
                "{lie}: {body}"
            );
        }
    }
}
