//! The whole way from the bodies to the verdict, from a good deployment that is changed in some bytes.
//!
//! An input is a list of edits of six bytes: document, kind, place (three bytes, little endian), value.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify_core::evidence::{Evidence, QuoteBytes};
use cvm_verify_core::report::{TargetReport, Verdict};
use cvm_verify_fuzz::deployment::Deployment;

struct Known {
    healthy: Deployment,
    evidence: Evidence,
    report: TargetReport,
}

thread_local! {
    static KNOWN: LazyCell<Known> = LazyCell::new(|| {
        let healthy = Deployment::healthy();
        Known {
            evidence: healthy.evidence().expect("evidence"),
            report: healthy.report(),
            healthy,
        }
    });
}

fn edit(bytes: &mut Vec<u8>, kind: u8, place: usize, value: u8) {
    if bytes.is_empty() {
        return;
    }
    let at = place % bytes.len();
    match kind % 5 {
        0 => bytes[at] = value,
        1 => bytes[at] ^= 1 << (value % 8),
        2 => bytes.insert(at, value),
        3 => drop(bytes.remove(at)),
        _ => bytes.truncate(at),
    }
}

/// A text after an edit that leaves it UTF-8.
fn edit_text(text: &mut String, kind: u8, place: usize, value: u8) {
    let mut bytes = std::mem::take(text).into_bytes();
    edit(&mut bytes, kind, place, value);
    *text = String::from_utf8_lossy(&bytes).into_owned();
}

cvm_verify_fuzz::fuzz_target!(|edits: &[u8]| {
    KNOWN.with(|known| {
        let mut changed = known.healthy.clone();
        let mut quote = known.evidence.attestation.quote.as_bytes().to_vec();
        let collateral = &mut changed.collateral;
        for chunk in edits.chunks_exact(6).take(8) {
            let place = usize::from(chunk[2]) | usize::from(chunk[3]) << 8 | usize::from(chunk[4]) << 16;
            let (kind, value) = (chunk[1], chunk[5]);
            match chunk[0] % 10 {
                0 => edit(&mut quote, kind, place, value),
                1 => edit(&mut changed.attestation, kind, place, value),
                2 => edit(&mut changed.info, kind, place, value),
                3 => edit_text(&mut collateral.tcb_info, kind, place, value),
                4 => edit(&mut collateral.tcb_info_signature, kind, place, value),
                5 => edit_text(&mut collateral.qe_identity, kind, place, value),
                6 => edit(&mut collateral.pck_crl, kind, place, value),
                7 => edit(&mut collateral.root_ca_crl, kind, place, value),
                8 => edit_text(&mut collateral.tcb_info_issuer_chain, kind, place, value),
                _ => edit_text(&mut collateral.pck_crl_issuer_chain, kind, place, value),
            }
        }
        // The quote's own bytes stand in for those of the body, which are hex.
        let report = match (changed.evidence(), QuoteBytes::new(quote)) {
            (Ok(mut evidence), Some(quote)) => {
                if quote != known.evidence.attestation.quote {
                    evidence.attestation.quote = quote;
                }
                changed.report_of(&evidence)
            }
            _ => changed.report(),
        };
        if report.verdict == Verdict::Pass {
            assert_eq!(
                report.measurements, known.report.measurements,
                "another truth passed"
            );
            assert_eq!(report.tcb.status, known.report.tcb.status);
            assert_eq!(report.tcb.eval_data_number, known.report.tcb.eval_data_number);
            assert_eq!(report.evidence.signed_sha256, known.report.evidence.signed_sha256);
        }
        assert_eq!(
            report.checks.len(),
            known.report.checks.len(),
            "every check answers"
        );
    });
});
