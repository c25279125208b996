//! Evidence in, one target's result out: parse, prove, appraise. The same for live and recorded evidence.

use std::panic::{AssertUnwindSafe, catch_unwind};

use dcap_qvl::QuoteCollateralV3;

use super::args::TrustArgs;
use super::error::UsageError;
use super::files;
use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::{EvidenceGap, EvidenceReason};
use cvm_verify_core::evidence::Evidence;
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::TargetReport;
use cvm_verify_core::verify::{CollateralGap, Facts, Inputs, TrustRoot, prove};

/// Evidence and collateral of one target, or why they are missing.
pub(super) struct Gathered {
    pub evidence: Result<Evidence, EvidenceGap>,
    pub collateral: Result<QuoteCollateralV3, CollateralGap>,
    /// When the collateral was fetched, Unix seconds, where that is known.
    pub collateral_fetched_at: Option<u64>,
}

impl Gathered {
    /// With the user's own copy of the compose document where the evidence shows none.
    pub fn or_compose(self, copy: Option<&[u8]>) -> Self {
        let evidence = self
            .evidence
            .and_then(|evidence| evidence.or_compose(copy).map_err(EvidenceGap::from));
        Self { evidence, ..self }
    }

    /// Proves what can be proven at a time, Unix seconds.
    pub fn prove(&self, root: &TrustRoot, at: u64, clock_floor: u64) -> Result<Facts, EvidenceGap> {
        let evidence = self.evidence.as_ref().map_err(Clone::clone)?;
        let collateral = self.collateral.as_ref().map_err(Clone::clone);
        Ok(prove(&Inputs {
            evidence,
            collateral,
            collateral_fetched_at: self.collateral_fetched_at,
            root,
            at,
            clock_floor,
        }))
    }
}

/// Judges proven facts. A panic while judging is that target's error: the others go on, and the alert is sent.
pub(super) fn judge(facts: &Result<Facts, EvidenceGap>, policy: &Policy, subject: &Subject) -> TargetReport {
    catch_unwind(AssertUnwindSafe(|| appraise(facts.as_ref(), policy, subject)))
        .unwrap_or_else(|_| appraise(Err(&crashed()), policy, subject))
}

/// A state of the program that should not be.
pub(super) fn crashed() -> EvidenceGap {
    EvidenceGap {
        reason: EvidenceReason::Internal,
        detail: "The program met a state that it should not while it verified this target.".to_owned(),
    }
}

/// The root certificate to chain up to.
pub(super) fn trust_root(args: &TrustArgs) -> Result<TrustRoot, UsageError> {
    let Some(path) = &args.insecure_trust_root else {
        return Ok(TrustRoot::Intel);
    };
    let file = files::read(path, files::CERTIFICATE_LIMIT)?;
    TrustRoot::custom(&file).map_err(|error| UsageError::file(path, error))
}
