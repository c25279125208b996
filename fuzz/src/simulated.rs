//! Deployments of the simulator under one root: the expected one and others, each of them signed.

use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{Evidence, EvidenceError};
use cvm_verify_core::policy::{Expected, KeyProviderPin, KnownBy, Origin, OsImagePolicy, OsTuple, Policy};
use cvm_verify_core::report::{TargetReport, Verdict};
use cvm_verify_core::verify::{Claims, Inputs, SignatureCache, TrustRoot, prove};
use dcap_qvl::QuoteCollateralV3;
use simulator::{Cvm, World};

/// The nonce of the run.
pub const NONCE: [u8; 32] = *b"a nonce of this run: 32 bytes...";

/// The deployment that is expected, and what it is judged against.
pub struct Expectation {
    /// The deployment.
    pub cvm: Cvm,
    /// Exactly this one: compose document, key provider, registers of the image.
    pub policy: Policy,
    /// The simulated root.
    pub root: TrustRoot,
    /// Collateral that serves.
    pub collateral: QuoteCollateralV3,
}

impl Default for Expectation {
    fn default() -> Self {
        Self::of(Cvm::healthy(&World::default()))
    }
}

impl Expectation {
    /// That this deployment is what it is.
    #[must_use]
    pub fn of(cvm: Cvm) -> Self {
        Self {
            policy: exactly(&cvm),
            root: TrustRoot::Custom(cvm.world.root_der()),
            collateral: cvm.world.collateral(),
            cvm,
        }
    }

    /// The bodies of the expected deployment: attestation and info.
    #[must_use]
    pub fn bodies(&self) -> (String, String) {
        bodies(&self.cvm)
    }

    /// Its evidence.
    #[must_use]
    pub fn evidence(&self) -> Evidence {
        let (attestation, info) = self.bodies();
        parsed(attestation.as_bytes(), info.as_bytes()).expect("a simulated deployment can be read")
    }

    /// What is proven of evidence with some collateral.
    #[must_use]
    pub fn claims(
        &self,
        evidence: &Evidence,
        collateral: &QuoteCollateralV3,
        signatures: &SignatureCache,
    ) -> Claims {
        prove(
            evidence,
            &Inputs {
                collateral: Ok(collateral),
                collateral_fetched_at: None,
                signatures,
                root: &self.root,
                at: self.cvm.world.now,
                clock_floor: 0,
            },
        )
    }

    /// The verdict on claims, or on why there is no evidence.
    #[must_use]
    pub fn appraise(&self, claims: Result<&Claims, EvidenceError>) -> TargetReport {
        let subject = Subject {
            name: "simulated".to_owned(),
            url: None,
            root: self.root.clone(),
            at: self.cvm.world.now,
            bundle: None,
        };
        match claims {
            Ok(claims) => appraise(Ok(claims), &self.policy, &subject),
            Err(error) => appraise(Err(&EvidenceFailure::from(error)), &self.policy, &subject),
        }
    }

    /// The report on the expected deployment. Panics where it does not pass: no property would mean anything.
    #[must_use]
    pub fn pass(&self) -> TargetReport {
        let evidence = self.evidence();
        let claims = self.claims(&evidence, &self.collateral, &SignatureCache::default());
        let report = self.appraise(Ok(&claims));
        assert_eq!(report.verdict, Verdict::Pass, "{report:?}");
        report
    }
}

/// What a deployment hands over for the nonce of the run: attestation and info.
#[must_use]
pub fn bodies(cvm: &Cvm) -> (String, String) {
    (cvm.attestation_body(&hex::encode(NONCE)), cvm.info_body())
}

/// Evidence out of two bodies.
///
/// # Errors
/// The parser's.
pub fn parsed(attestation: &[u8], info: &[u8]) -> Result<Evidence, EvidenceError> {
    Evidence::parse(attestation, Some(info), None, Some(NONCE))
}

fn exactly(cvm: &Cvm) -> Policy {
    let provider: serde_json::Value = serde_json::from_str(&cvm.key_provider).expect("the simulator's own");
    let member = |name: &str| provider[name].as_str().expect("the simulator's own").to_owned();
    let report = cvm.td_report([0; 64]);
    let [rtmr0, rtmr1, rtmr2, _] = report.rtmr;
    Policy {
        compose_hash: Some(given(cvm.compose_hash())),
        key_provider: Some(given(
            KeyProviderPin {
                name: member("name"),
                id: Some(member("id")),
            }
            .into(),
        )),
        os_image: OsImagePolicy::Lock {
            tuple: OsTuple {
                mrtd: report.mr_td,
                rtmr: [rtmr0, rtmr1, rtmr2],
            },
            vulnerable: None,
            known_by: Some(KnownBy::Files([0xf1; 32].into())),
            acpi_change: None,
            accepts_development: false,
            lock: "cvm.lock".into(),
        },
        ..Policy::default()
    }
}

/// A value of an option.
#[must_use]
pub fn given<T>(value: T) -> Expected<T> {
    Expected {
        value,
        origin: Origin::Option("--option"),
    }
}
