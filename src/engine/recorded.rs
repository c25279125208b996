//! Recorded evidence: parse, prove, appraise, as for live evidence.

use dcap_qvl::QuoteCollateralV3;

use super::TrustRoots;
use super::appraise::guarded;
use cvm_verify_core::appraise::Subject;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{AskedParty, Evidence, TlsSession};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::TargetReport;
use cvm_verify_core::verify::{Claims, Inputs, SignatureCache, UnusableCollateral, prove};

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
    /// With the user's own copy of the compose document.
    #[must_use]
    pub fn with_compose_copy(self, copy: Option<&[u8]>) -> Self {
        let evidence = self
            .evidence
            .and_then(|evidence| evidence.with_compose_copy(copy).map_err(EvidenceFailure::from));
        Self { evidence, ..self }
    }

    /// Proves what can be proven at a time, Unix seconds.
    ///
    /// # Errors
    /// Why there is no evidence.
    pub fn prove(&self, roots: &TrustRoots, at: u64) -> Result<Claims, EvidenceFailure> {
        let evidence = self
            .evidence
            .as_ref()
            .map_err(|failure| failure.clone().asking(self.asked))?;
        let inputs = Inputs {
            collateral: self.collateral.as_ref().map_err(Clone::clone),
            collateral_fetched_at: self.collateral_fetched_at,
            signatures: &SignatureCache::default(),
            root: &roots.quote,
            at,
            // What is recorded may be older than this program.
            clock_floor: 0,
        };
        let claims = prove(evidence, &inputs)
            .with_device_root(evidence, &roots.device)
            .asked_of(self.asked);
        Ok(match &self.tls {
            Some(session) => claims.with_tls(session, &inputs).with_ingress(session, &inputs),
            None => claims,
        })
    }

    /// Appraises what was proven. A panic while appraising is an error of this target.
    #[must_use]
    pub fn appraise(
        claims: &Result<Claims, EvidenceFailure>,
        policy: &Policy,
        subject: &Subject,
    ) -> TargetReport {
        guarded(claims.as_ref(), policy, subject)
    }
}
