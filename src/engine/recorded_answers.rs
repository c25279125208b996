//! What a bundle recorded next to the evidence: second opinions, contracts, KMSs, statements.

use dcap_qvl::QuoteCollateralV3;

use super::TrustRoots;
use cvm_verify_core::checks::{named_os_image, sought_sources, statements_of_files};
use cvm_verify_core::evidence::{
    Bundle, Evidence, RecordedChain, RecordedKms, RecordedNras, RecordedPhalaAnswer, RecordedStatements,
};
use cvm_verify_core::policy::{Policy, SourcePolicy};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::verify::{Claims, Inputs, SignatureCache, TrustRoot, UnusableCollateral};

/// What a bundle recorded of the answers of [`SecondVerifiers`](super::SecondVerifiers).
#[derive(Default)]
pub struct RecordedAnswers {
    phala_api: Option<RecordedPhalaAnswer>,
    nras: Option<RecordedNras>,
    early: Option<Result<QuoteCollateralV3, String>>,
    chain: Option<RecordedChain>,
    kms: Vec<RecordedKms>,
    statements: Vec<RecordedStatements>,
}

impl RecordedAnswers {
    /// Reads it. What cannot be read is as good as not recorded: it could only warn.
    #[must_use]
    pub fn of(bundle: &Bundle) -> Self {
        let early = bundle.early.as_ref().and_then(|record| match &record.collateral {
            Some(text) => cvm_verify_core::evidence::collateral::parse(text.get().as_bytes())
                .ok()
                .map(Ok),
            None => record.problem.clone().map(Err),
        });
        Self {
            phala_api: bundle.phala_api.clone(),
            nras: bundle.gpu.as_ref().and_then(|gpu| gpu.nras.clone()),
            early,
            chain: bundle.chain.clone(),
            kms: bundle.kms.clone(),
            statements: bundle.provenance.clone(),
        }
    }

    /// Adds it to the claims of the same evidence.
    #[must_use]
    pub fn add(
        &self,
        mut claims: Claims,
        evidence: &Evidence,
        roots: &TrustRoots,
        sources: &SourcePolicy,
    ) -> Claims {
        if let Some(set) = &self.early {
            claims = claims.with_early(
                evidence,
                set.as_ref().map_err(String::as_str),
                &roots.quote,
                &SignatureCache::default(),
            );
        }
        if let Some(nras) = &self.nras {
            claims = claims.with_nras(nras, &roots.nras);
        }
        if let Some(answer) = &self.phala_api {
            claims = claims.with_phala_verdict(evidence, answer);
        }
        if !sources.rules.is_empty() {
            let sought = sought_sources(&claims, sources);
            let mut recorded = statements_of_files(&sought, &sources.files, claims.at);
            recorded.extend(self.statements.iter().cloned());
            claims = claims.with_statements(&recorded, &sources.roots);
        }
        claims
    }

    /// Adds what was recorded of KMSs. Whom the policy names is for the check to say.
    #[must_use]
    pub fn with_kms(&self, claims: Claims, root: &TrustRoot) -> Claims {
        if self.kms.is_empty() {
            return claims;
        }
        let inputs = Inputs {
            collateral: Err(UnusableCollateral::Missing),
            collateral_fetched_at: None,
            signatures: &SignatureCache::default(),
            root,
            at: claims.at,
            clock_floor: 0,
        };
        claims.with_kms(&self.kms, &inputs)
    }

    /// Adds what was recorded of the contracts that a policy names.
    #[must_use]
    pub fn with_named_contracts(&self, claims: Claims, policy: &Policy) -> Claims {
        match (&self.chain, policy.contracts()) {
            (Some(recorded), Some(contracts)) => {
                let named = named_os_image(&claims, policy);
                claims.with_chain(&contracts, recorded, &policy.reference, named)
            }
            _ => claims,
        }
    }

    /// Adds what was recorded of the contracts of the app that it is about.
    #[must_use]
    pub fn with_own_contracts(&self, claims: Claims, reference: &ReferenceValues) -> Claims {
        let app = claims.boot.as_ref().ok().map(|boot| *boot.app_id());
        match &self.chain {
            Some(recorded) if Some(recorded.contracts.app) == app => {
                claims.with_chain(&recorded.contracts, recorded, reference, None)
            }
            _ => claims,
        }
    }
}
