//! Genuine quotes, judged against Intel's own root: the samples of dcap-qvl (`fixtures/dcap-qvl`).

use cvm_verify_core::evidence::collateral;
use cvm_verify_core::evidence::{Attestation, Evidence, QuoteBytes};
use cvm_verify_core::policy::{Freshness, OsImagePolicy, Policy};
use cvm_verify_core::report::{CheckId, RequiredAssurance, Status, TrustRootKind};
use cvm_verify_core::verify::{TrustRoot, UnusableCollateral};

use crate::judge::{Judged, Trial};

/// 2025-06-20T00:00:00Z
pub const JUNE_2025: u64 = 1_750_377_600;
/// 2026-01-01T00:00:00Z
const JANUARY_2026: u64 = 1_767_225_600;
/// 2026-02-20T00:00:00Z
const FEBRUARY_2026: u64 = 1_771_545_600;
/// 2026-10-09T00:00:00Z
pub const OCTOBER_2026: u64 = 1_791_504_000;

/// A sample at a time, judged by what a bare quote can prove: hardware.
pub fn sample(name: &str, at: u64) -> (Trial, Evidence) {
    let read = |file: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/dcap-qvl");
        std::fs::read(format!("{folder}/{file}")).unwrap()
    };
    let collateral = collateral::parse(&read(&format!("{name}_collateral.json"))).unwrap();
    let trial = Trial::healthy().with(|trial| {
        trial.root = TrustRoot::Intel;
        trial.at = at;
        trial.collateral = Ok(Some(collateral));
        trial.policy = Policy {
            freshness: Freshness::Unchecked,
            os_image: OsImagePolicy::Unchecked,
            required: RequiredAssurance::Hardware,
            ..Policy::default()
        };
    });
    let evidence = Evidence {
        attestation: Attestation::bare(QuoteBytes::new(read(name)).unwrap()),
        info: None,
        info_problem: None,
        gpu: None,
        compose_copies: Vec::new(),
        nonce: None,
    };
    (trial, evidence)
}

fn judged(name: &str, at: u64) -> Judged {
    let (trial, evidence) = sample(name, at);
    trial.judge_evidence(Ok(evidence))
}

#[test]
fn a_genuine_quote_is_intels_and_up_to_date() {
    let judged = judged("tdx_quote", JUNE_2025);
    judged.proves(CheckId::QuoteSignature).passes();
    assert_eq!(judged.0.trust_root, TrustRootKind::Intel);
    assert_eq!(judged.0.tcb.status.as_deref(), Some("UpToDate"));
}

#[test]
fn a_genuine_quote_of_td_15_ex_is_up_to_date() {
    let judged = judged("tdx_quote_td15ex", OCTOBER_2026);
    judged
        .proves(CheckId::QuoteSignature)
        .proves(CheckId::TdAttributes);
    assert_eq!(judged.0.tcb.status.as_deref(), Some("UpToDate"), "{judged}");
}

#[test]
fn t25_its_collateral_has_expired_half_a_year_later() {
    let judged = judged("tdx_quote", JANUARY_2026);
    judged.leaves_open(CheckId::Collateral, "expired");
    judged.says(CheckId::QuoteSignature, Status::Error, "quote-not-proven");
}

#[test]
fn t24_a_platform_below_every_level_fails() {
    judged("tdx_quote_outdated", FEBRUARY_2026).fails(CheckId::QuoteSignature, "no-matching-tcb-level");
}

#[test]
fn t19_a_genuine_sgx_quote_is_not_tdx() {
    for at in [JUNE_2025, JANUARY_2026, OCTOBER_2026] {
        judged("sgx_quote", at).fails(CheckId::QuoteSignature, "not-tdx");
        let (mut trial, evidence) = sample("sgx_quote", at);
        trial.collateral = Err(UnusableCollateral::Missing);
        trial
            .judge_evidence(Ok(evidence))
            .fails(CheckId::QuoteSignature, "not-tdx");
    }
}

#[test]
fn t18_a_genuine_quote_under_another_root_fails() {
    let (mut trial, evidence) = sample("tdx_quote", JUNE_2025);
    trial.root = Trial::healthy().root;
    trial
        .judge_evidence(Ok(evidence))
        .fails(CheckId::QuoteSignature, "not-verified");
}

#[test]
fn t18_a_simulated_quote_under_intels_root_fails() {
    Trial::healthy()
        .with(|trial| trial.root = TrustRoot::Intel)
        .judge()
        .fails(CheckId::QuoteSignature, "not-verified");
}

#[test]
fn t29_the_collateral_of_another_platform_fails() {
    let (mut trial, evidence) = sample("tdx_quote_td15ex", OCTOBER_2026);
    let (other, _) = sample("tdx_quote_outdated", FEBRUARY_2026);
    trial.collateral = other.collateral;
    trial.at = FEBRUARY_2026;
    trial
        .judge_evidence(Ok(evidence))
        .leaves_open(CheckId::Collateral, "wrong-platform");
}
