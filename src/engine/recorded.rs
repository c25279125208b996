//! Recorded evidence: parse, prove, appraise, as for live evidence.

use dcap_qvl::QuoteCollateralV3;

use super::appraise::guarded;
use cvm_verify_core::appraise::Subject;
use cvm_verify_core::checks::EvidenceGap;
use cvm_verify_core::evidence::{Evidence, TlsSession};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::TargetReport;
use cvm_verify_core::verify::{CollateralGap, Facts, Inputs, LeafInputs, SignatureCache, TrustRoot, prove};

/// Evidence and collateral of one target, or why they are missing.
pub struct RecordedEvidence {
    /// The evidence.
    pub evidence: Result<Evidence, EvidenceGap>,
    /// The collateral.
    pub collateral: Result<QuoteCollateralV3, CollateralGap>,
    /// When the collateral was fetched, Unix seconds, where that is known.
    pub collateral_fetched_at: Option<u64>,
    /// What was recorded of TLS.
    pub tls: Option<TlsSession>,
}

impl RecordedEvidence {
    /// With the user's own copy of the compose document where the evidence shows none.
    #[must_use]
    pub fn or_compose(self, copy: Option<&[u8]>) -> Self {
        let evidence = self
            .evidence
            .and_then(|evidence| evidence.or_compose(copy).map_err(EvidenceGap::from));
        Self { evidence, ..self }
    }

    /// Proves what can be proven at a time, Unix seconds.
    ///
    /// # Errors
    /// Why there is no evidence.
    pub fn prove(&self, root: &TrustRoot, at: u64, clock_floor: u64) -> Result<Facts, EvidenceGap> {
        let evidence = self.evidence.as_ref().map_err(Clone::clone)?;
        let collateral = self.collateral.as_ref().map_err(Clone::clone);
        let signatures = SignatureCache::default();
        let facts = prove(&Inputs {
            evidence,
            collateral: collateral.clone(),
            collateral_fetched_at: self.collateral_fetched_at,
            signatures: &signatures,
            root,
            at,
            clock_floor,
        });
        let Some(session) = &self.tls else {
            return Ok(facts);
        };
        let inputs = LeafInputs {
            collateral,
            collateral_fetched_at: self.collateral_fetched_at,
            signatures: &signatures,
            root,
            at,
            clock_floor,
        };
        Ok(facts.with_tls(session, &inputs).with_ingress(session, &inputs))
    }

    /// Appraises what was proven. A panic while appraising is an error of this target.
    #[must_use]
    pub fn appraise(facts: &Result<Facts, EvidenceGap>, policy: &Policy, subject: &Subject) -> TargetReport {
        guarded(facts, policy, subject)
    }
}
