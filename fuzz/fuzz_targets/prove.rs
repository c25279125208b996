//! The whole way from the bodies to the verdict, from a good deployment that is changed in some bytes (`fuzz/src/edits.rs`).
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify_core::evidence::{Evidence, QuoteBytes};
use cvm_verify_core::report::{TargetReport, Verdict};
use cvm_verify_fuzz::deployment::Deployment;
use cvm_verify_fuzz::edits::{apply, text};

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

cvm_verify_fuzz::fuzz_target!(|edits: &[u8]| {
    KNOWN.with(|known| {
        let mut changed = known.healthy.clone();
        let honest = &known.healthy.collateral;
        // The first ten are in the order that recorded inputs have.
        let mut parts = [
            known.evidence.attestation.quote.as_bytes().to_vec(),
            known.healthy.attestation.clone(),
            known.healthy.info.clone(),
            honest.tcb_info.clone().into_bytes(),
            honest.tcb_info_signature.clone(),
            honest.qe_identity.clone().into_bytes(),
            honest.pck_crl.clone(),
            honest.root_ca_crl.clone(),
            honest.tcb_info_issuer_chain.clone().into_bytes(),
            honest.pck_crl_issuer_chain.clone().into_bytes(),
            honest.qe_identity_signature.clone(),
            honest.qe_identity_issuer_chain.clone().into_bytes(),
        ];
        apply(edits, &mut parts);
        let [
            quote,
            attestation,
            info,
            tcb_info,
            tcb_info_signature,
            qe_identity,
            rest @ ..,
        ] = parts;
        let [
            pck_crl,
            root_ca_crl,
            tcb_chain,
            crl_chain,
            qe_identity_signature,
            qe_chain,
        ] = rest;
        changed.attestation = attestation;
        changed.info = info;
        let collateral = &mut changed.collateral;
        collateral.tcb_info = text(&tcb_info);
        collateral.tcb_info_signature = tcb_info_signature;
        collateral.tcb_info_issuer_chain = text(&tcb_chain);
        collateral.qe_identity = text(&qe_identity);
        collateral.qe_identity_signature = qe_identity_signature;
        collateral.qe_identity_issuer_chain = text(&qe_chain);
        collateral.pck_crl = pck_crl;
        collateral.pck_crl_issuer_chain = text(&crl_chain);
        collateral.root_ca_crl = root_ca_crl;
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
            let (tcb, honest) = (&report.tcb, &known.report.tcb);
            assert_eq!(
                (
                    &tcb.status,
                    &tcb.advisory_ids,
                    &tcb.eval_data_number,
                    &tcb.fmspc,
                    &tcb.platform_id
                ),
                (
                    &honest.status,
                    &honest.advisory_ids,
                    &honest.eval_data_number,
                    &honest.fmspc,
                    &honest.platform_id
                ),
                "another TCB passed"
            );
            assert!(
                tcb.expires_at <= honest.expires_at,
                "it holds longer than what Intel signed"
            );
            assert_eq!(report.evidence.signed_sha256, known.report.evidence.signed_sha256);
        }
        assert_eq!(
            report.checks.len(),
            known.report.checks.len(),
            "every check answers"
        );
    });
});
