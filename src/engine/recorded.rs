//! Recorded evidence: parse, prove, appraise, as for live evidence.

use dcap_qvl::QuoteCollateralV3;

use super::TrustRoots;
use super::appraise::guarded;
use cvm_verify_core::appraise::Subject;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{AskedParty, Evidence, TlsSession};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::TargetReport;
use cvm_verify_core::verify::{Claims, Inputs, LeafInputs, SignatureCache, UnusableCollateral, prove};

/// Evidence and collateral of one target, or why they are missing.
pub struct RecordedEvidence {
    /// The evidence.
    pub evidence: Result<Evidence, EvidenceFailure>,
    /// The collateral.
    pub collateral: Result<QuoteCollateralV3, UnusableCollateral>,
    /// When the collateral was fetched, Unix seconds, where that is known.
    pub collateral_fetched_at: Option<u64>,
    /// What was recorded of TLS.
    pub tls: Option<TlsSession>,
    /// Who was asked for it.
    pub asked: AskedParty,
}

impl RecordedEvidence {
    /// With the user's own copy of the compose document where the evidence shows none.
    #[must_use]
    pub fn or_compose(self, copy: Option<&[u8]>) -> Self {
        let evidence = self
            .evidence
            .and_then(|evidence| evidence.or_compose(copy).map_err(EvidenceFailure::from));
        Self { evidence, ..self }
    }

    /// Proves what can be proven at a time, Unix seconds.
    ///
    /// # Errors
    /// Why there is no evidence.
    pub fn prove(&self, roots: &TrustRoots, at: u64) -> Result<Claims, EvidenceFailure> {
        // What is recorded may be older than this program.
        let clock_floor = 0;
        let root = &roots.quote;
        let evidence = self
            .evidence
            .as_ref()
            .map_err(|failure| failure.clone().asking(self.asked))?;
        let collateral = self.collateral.as_ref().map_err(Clone::clone);
        let signatures = SignatureCache::default();
        let claims = prove(&Inputs {
            evidence,
            collateral: collateral.clone(),
            collateral_fetched_at: self.collateral_fetched_at,
            signatures: &signatures,
            root,
            at,
            clock_floor,
        })
        .with_device_root(evidence, &roots.device)
        .asked_of(self.asked);
        let Some(session) = &self.tls else {
            return Ok(claims);
        };
        let inputs = LeafInputs {
            collateral,
            collateral_fetched_at: self.collateral_fetched_at,
            signatures: &signatures,
            root,
            at,
            clock_floor,
        };
        Ok(claims.with_tls(session, &inputs).with_ingress(session, &inputs))
    }

    /// Appraises what was proven. A panic while appraising is an error of this target.
    #[must_use]
    pub fn appraise(
        claims: &Result<Claims, EvidenceFailure>,
        policy: &Policy,
        subject: &Subject,
    ) -> TargetReport {
        guarded(claims, policy, subject)
    }
}
