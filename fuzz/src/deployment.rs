//! The simulated deployment of the fixtures, which passes.

use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{Attestation, Bundle, Evidence, EvidenceError, QuoteBytes};
use cvm_verify_core::policy::{Expected, Origin, OsImagePolicy, Policy};
use cvm_verify_core::report::{TargetReport, Verdict};
use cvm_verify_core::verify::{Claims, Inputs, SignatureCache, TrustRoot, prove};
use dcap_qvl::QuoteCollateralV3;

const BUNDLE: &[u8] = include_bytes!("../../fixtures/simulated/healthy.evidence.json");
const ROOT: &[u8] = include_bytes!("../../fixtures/simulated/root.pem");

/// What a deployment handed over, and what it is judged against.
#[derive(Clone)]
pub struct Deployment {
    /// The body of `/attestation`.
    pub attestation: Vec<u8>,
    /// The body of `/info`.
    pub info: Vec<u8>,
    /// Collateral that serves.
    pub collateral: QuoteCollateralV3,
    /// The simulated root.
    pub root: TrustRoot,
    /// The time that is judged at, Unix seconds.
    pub at: u64,
    nonce: Option<[u8; 32]>,
    policy: Policy,
}

impl Deployment {
    /// The healthy one. Panics where it does not pass: no property would mean anything.
    #[must_use]
    pub fn healthy() -> Self {
        let bundle = Bundle::parse(BUNDLE).expect("a bundle");
        let text = |value: &serde_json::value::RawValue| value.get().as_bytes().to_vec();
        let mut healthy = Self {
            attestation: text(&bundle.attestation),
            info: text(bundle.info.as_deref().expect("an info")),
            collateral: cvm_verify_core::evidence::collateral::parse(&text(
                bundle.collateral.as_deref().expect("collateral"),
            ))
            .expect("collateral"),
            root: TrustRoot::custom(ROOT).expect("a root"),
            at: bundle.captured_at,
            nonce: bundle.nonce,
            policy: Policy {
                os_image: OsImagePolicy::Unchecked,
                ..Policy::default()
            },
        };
        let claims = healthy.prove(&healthy.evidence().expect("evidence"));
        let boot = claims.boot.as_ref().expect("boot claims");
        healthy.policy.compose_hash = Some(Expected {
            value: *boot.compose_hash(),
            origin: Origin::Option("--compose-hash"),
        });
        healthy.policy.key_provider = Some(Expected {
            value: boot.key_provider().to_string().parse().expect("a key provider"),
            origin: Origin::Option("--key-provider"),
        });
        let report = healthy.report();
        assert_eq!(report.verdict, Verdict::Pass, "{report:?}");
        healthy
    }

    /// The bodies, parsed.
    ///
    /// # Errors
    /// The parser's.
    pub fn evidence(&self) -> Result<Evidence, EvidenceError> {
        Evidence::parse(&self.attestation, Some(&self.info), None, self.nonce)
    }

    /// What is proven of some evidence.
    #[must_use]
    pub fn prove(&self, evidence: &Evidence) -> Claims {
        prove(
            evidence,
            &Inputs {
                collateral: Ok(&self.collateral),
                collateral_fetched_at: None,
                signatures: &SignatureCache::default(),
                root: &self.root,
                at: self.at,
                clock_floor: 0,
            },
        )
    }

    /// The verdict on the bodies as they are.
    #[must_use]
    pub fn report(&self) -> TargetReport {
        match self.evidence() {
            Ok(evidence) => self.report_of(&evidence),
            Err(error) => appraise(Err(&EvidenceFailure::from(error)), &self.policy, &self.subject()),
        }
    }

    /// The verdict on other evidence.
    #[must_use]
    pub fn report_of(&self, evidence: &Evidence) -> TargetReport {
        appraise(Ok(&self.prove(evidence)), &self.policy, &self.subject())
    }

    fn subject(&self) -> Subject {
        Subject {
            name: "simulated".to_owned(),
            url: None,
            root: self.root.clone(),
            at: self.at,
            bundle: None,
        }
    }
}

/// Evidence of a bare quote.
#[must_use]
pub fn bare(quote: QuoteBytes) -> Evidence {
    Evidence {
        attestation: Attestation::bare(quote),
        info: None,
        info_problem: None,
        gpu: None,
        compose_copies: Vec::new(),
        nonce: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without it, no property of a fuzz target means anything.
    #[test]
    fn the_healthy_deployment_passes() {
        assert_eq!(Deployment::healthy().report().verdict, Verdict::Pass);
    }
}
