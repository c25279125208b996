//! The evidence that is verified, and how.

use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::evidence::{Bundle, Evidence};
use cvm_verify_core::policy::{Expected, Freshness, Origin, OsImagePolicy, Policy};
use cvm_verify_core::report::{Mode, Report, RequiredAssurance, TargetReport, Tool, Verdict};
use cvm_verify_core::verify::{Claims, Inputs, SignatureCache, TrustRoot, prove};
use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::verify::{QuoteVerifier, VerifiedReport};

/// An evidence bundle of a healthy simulated CVM.
pub const SIMULATED_BUNDLE: &[u8] = include_bytes!("../../fixtures/simulated/healthy.evidence.json");

const SIMULATED_ROOT: &[u8] = include_bytes!("../../fixtures/simulated/root.pem");

/// 2026-08-13T12:00:00Z, when the collateral of the recorded evidence is in date.
const NEAR_AT: u64 = 1_786_622_400;

/// Evidence of one deployment, its bodies as they came over the wire, and its collateral.
pub struct Case {
    pub name: &'static str,
    pub attestation: Vec<u8>,
    pub info: Option<Vec<u8>>,
    nonce: Option<[u8; 32]>,
    collateral: QuoteCollateralV3,
    root: TrustRoot,
    at: u64,
    policy: Policy,
    quote: Vec<u8>,
    verifier: QuoteVerifier,
}

impl Case {
    pub fn simulated() -> Self {
        let bundle = Bundle::parse(SIMULATED_BUNDLE).unwrap();
        let text = |value: &serde_json::value::RawValue| value.get().as_bytes().to_vec();
        Self {
            name: "simulated",
            attestation: text(&bundle.attestation),
            info: bundle.info.as_deref().map(text),
            nonce: bundle.nonce,
            collateral: cvm_verify_core::evidence::collateral::parse(&text(
                bundle.collateral.as_deref().unwrap(),
            ))
            .unwrap(),
            root: TrustRoot::custom(SIMULATED_ROOT).unwrap(),
            at: bundle.captured_at,
            policy: Policy {
                os_image: OsImagePolicy::Unchecked,
                ..Policy::default()
            },
            quote: Vec::new(),
            verifier: QuoteVerifier::new_prod(),
        }
        .ready()
    }

    /// Recorded evidence of real hardware, where it is present.
    pub fn near_mpc() -> Option<Self> {
        let read = |file| simulator::recorded::bytes(&format!("near-mpc-0.5.8/{file}"));
        let case = Self {
            name: "near-mpc-0.5.8",
            attestation: read("attestation.json")?,
            info: Some(read("info.json")?),
            nonce: None,
            collateral: cvm_verify_core::evidence::collateral::parse(&read("collateral.json")?).unwrap(),
            root: TrustRoot::Intel,
            at: NEAR_AT,
            policy: Policy {
                os_image: OsImagePolicy::Unchecked,
                freshness: Freshness::Unchecked,
                required: RequiredAssurance::Hardware,
                ..Policy::default()
            },
            quote: Vec::new(),
            verifier: QuoteVerifier::new_prod(),
        };
        Some(case.ready())
    }

    /// Fills in what follows from the rest, and makes sure that what is timed succeeds.
    fn ready(mut self) -> Self {
        let evidence = self.parse();
        self.quote = evidence.attestation.quote.as_bytes().to_vec();
        if let TrustRoot::Custom(der) = &self.root {
            self.verifier = QuoteVerifier::new(der.clone());
        }
        let claims = self.prove(&evidence, &SignatureCache::default());
        let boot = claims.boot.as_ref().unwrap();
        self.policy.compose_hash = Some(Expected {
            value: *boot.compose_hash(),
            origin: Origin::Option("--compose-hash"),
        });
        self.policy.key_provider = Some(Expected {
            value: boot.key_provider().to_string().parse().unwrap(),
            origin: Origin::Option("--key-provider"),
        });
        let target = self.appraise(&claims);
        assert_eq!(
            target.verdict,
            Verdict::Pass,
            "{}: {:#?}",
            self.name,
            target.checks
        );
        self.dcap_qvl();
        self
    }

    /// dcap-qvl's own verification: signatures, chains, revocation and TCB of the quote, nothing else.
    pub fn dcap_qvl(&self) -> VerifiedReport {
        self.verifier
            .verify(&self.quote, &self.collateral, self.at)
            .unwrap()
    }

    /// What a replay does after it read its files: everything that a verdict rests on.
    pub fn whole(&self, signatures: &SignatureCache) -> TargetReport {
        let evidence = self.parse();
        self.appraise(&self.prove(&evidence, signatures))
    }

    pub fn parse(&self) -> Evidence {
        Evidence::parse(&self.attestation, self.info.as_deref(), None, self.nonce).unwrap()
    }

    pub fn prove(&self, evidence: &Evidence, signatures: &SignatureCache) -> Claims {
        prove(evidence, &self.inputs(signatures))
    }

    pub fn inputs<'a>(&'a self, signatures: &'a SignatureCache) -> Inputs<'a> {
        Inputs {
            collateral: Ok(&self.collateral),
            collateral_fetched_at: None,
            signatures,
            root: &self.root,
            at: self.at,
            clock_floor: 0,
        }
    }

    pub fn appraise(&self, claims: &Claims) -> TargetReport {
        let subject = Subject {
            name: self.name.to_owned(),
            url: None,
            root: self.root.clone(),
            at: self.at,
            bundle: None,
        };
        appraise(Ok(claims), &self.policy, &subject)
    }

    pub fn report(&self) -> Report {
        let tool = Tool {
            name: "cvm-verify".to_owned(),
            version: String::new(),
            git: String::new(),
        };
        Report::new(
            tool,
            Mode::Replay,
            String::new(),
            0,
            vec![self.whole(&SignatureCache::default())],
        )
    }
}
