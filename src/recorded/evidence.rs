//! Evidence from files, and how each kind of file is read.

use std::path::Path;

use dcap_qvl::QuoteCollateralV3;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::value::RawValue;

use crate::engine::{RecordedAnswers, RecordedEvidence, TrustRoots};
use crate::files;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::collateral::FileError;
use cvm_verify_core::evidence::{Attestation, Bundle, BundleSource, Evidence, EvidenceError, TlsChain};
use cvm_verify_core::policy::{Policy, SourcePolicy};
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::verify::{Claims, RaTlsRefusal, UnusableCollateral, ra_tls_evidence_of};

/// Evidence from files, and what its names say.
pub(crate) struct Recorded {
    pub inputs: RecordedEvidence,
    pub name: String,
    pub url: Option<String>,
    /// The app or instance that the address names.
    pub address_id: Option<[u8; 20]>,
    /// When it was captured, Unix seconds; loose files do not say.
    pub captured_at: Option<u64>,
    /// Scheme, host and port of the address.
    pub origin: Option<String>,
    pub collateral_source: Option<String>,
    pub bundle: Option<String>,
    /// What was asked next to the evidence.
    pub answers: RecordedAnswers,
    /// The bodies of loose files.
    pub bodies: Option<Bodies>,
}

impl Recorded {
    /// What it proves at a time, Unix seconds, of what a policy expects: with what was recorded of second verifiers, of its KMS, of
    /// the contracts that the policy names, and of who built the images.
    ///
    /// # Errors
    /// Why there is no evidence.
    pub fn prove(&self, roots: &TrustRoots, at: u64, policy: &Policy) -> Result<Claims, EvidenceFailure> {
        let claims = self.inputs.prove(roots, at)?;
        let claims = claims.with_collateral_from(self.collateral_source.clone());
        let claims = self.with_answers(claims, roots, &policy.sources)?;
        Ok(self.answers.with_named_contracts(claims, policy))
    }

    /// What it proves at a time, Unix seconds, without expectations: with what was recorded of its KMS and of the contracts of the
    /// app, and of who built the images where a source is named.
    ///
    /// # Errors
    /// Why there is no evidence.
    pub fn describe(
        &self,
        roots: &TrustRoots,
        at: u64,
        sources: &SourcePolicy,
        reference: &ReferenceValues,
    ) -> Result<Claims, EvidenceFailure> {
        let claims = self.inputs.prove(roots, at)?;
        let claims = match sources.rules.is_empty() {
            true => self.answers.with_kms(claims, &roots.quote),
            false => self.with_answers(claims, roots, sources)?,
        };
        Ok(self.answers.with_own_contracts(claims, reference))
    }

    fn with_answers(
        &self,
        claims: Claims,
        roots: &TrustRoots,
        sources: &SourcePolicy,
    ) -> Result<Claims, EvidenceFailure> {
        let evidence = self.inputs.evidence.as_ref().map_err(Clone::clone)?;
        let claims = self.answers.add(claims, evidence, roots, sources);
        Ok(self.answers.with_kms(claims, &roots.quote))
    }
}

/// The bodies of loose files, to write them down as a bundle.
pub(crate) struct Bodies {
    /// The body of `/attestation`.
    pub attestation: Box<RawValue>,
    /// The body of `/info`.
    pub info: Option<Box<RawValue>>,
    /// The compose document.
    pub app_compose: Option<String>,
    /// The nonce that they were asked for with.
    pub nonce: Option<[u8; 32]>,
}

impl Bodies {
    /// A bundle of them, judged at a time, Unix seconds.
    pub fn bundle(self, at: u64, collateral: Option<Box<RawValue>>, source: Option<String>) -> Bundle {
        let from = BundleSource {
            kind: "files".to_owned(),
            url: None,
        };
        Bundle {
            nonce: self.nonce,
            info: self.info,
            collateral,
            collateral_source: source,
            app_compose: self.app_compose,
            ..Bundle::new(at, from, self.attestation)
        }
    }
}

/// A file that holds no JSON, or a certificate without evidence, is the wrong file: a usage error. What a CVM sent is judged.
/// (An `/info` that is not JSON is as if absent, and the report says so.)
pub(crate) fn not_a_file_mistake(
    path: &Path,
    evidence: Result<Evidence, EvidenceError>,
) -> Result<Result<Evidence, EvidenceFailure>, UsageError> {
    match evidence {
        Err(
            error @ (EvidenceError::NotJson { .. }
            | EvidenceError::TooLarge { .. }
            | EvidenceError::Certificate { .. }),
        ) => Err(UsageError::file(path, error)),
        other => Ok(other.map_err(EvidenceFailure::from)),
    }
}

/// A body of `/attestation`, or what other tools save: a bare quote or a versioned attestation, binary or as text, or a certificate
/// of the guest agent (PEM).
pub(crate) fn attestation_of_file(file: &[u8]) -> Result<Attestation, EvidenceError> {
    let text = file.trim_ascii_start();
    if is_certificate(file) {
        return attestation_of_certificate(text);
    }
    match Attestation::of_bytes(file).filter(|_| !text.starts_with(b"{")) {
        Some(attestation) => attestation,
        None => Attestation::parse(file),
    }
}

/// Whether a file is a certificate, PEM.
pub(crate) fn is_certificate(file: &[u8]) -> bool {
    file.trim_ascii_start()
        .starts_with(b"-----BEGIN CERTIFICATE-----")
}

/// The attestation in the first certificate of a chain.
fn attestation_of_certificate(pem: &[u8]) -> Result<Attestation, EvidenceError> {
    let refused = |why: &dyn std::fmt::Display| EvidenceError::Certificate { why: why.to_string() };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem)
        .map(|one| one.map(|der| der.to_vec()))
        .collect();
    let chain = chain.map_err(|_| refused(&"it is not whole PEM"))?;
    let chain = TlsChain::new(chain).map_err(|error| refused(&error))?;
    let read = ra_tls_evidence_of(&chain).unwrap_or(Err(RaTlsRefusal::NoEvidence));
    read.map(|certificate| certificate.evidence().attestation.clone())
        .map_err(|refusal| refused(&refusal))
}

pub(crate) fn read_collateral(
    path: &Path,
) -> Result<Result<QuoteCollateralV3, UnusableCollateral>, UsageError> {
    let bytes = files::read(path, files::EVIDENCE_LIMIT)?;
    or_unusable(cvm_verify_core::evidence::collateral::parse(&bytes))
        .map_err(|error| UsageError::file(path, error))
}

/// Collateral that lacks a document is judged, for the quote may be refused without it. Every other fault is one of the
/// file's form: the wrong file.
pub(crate) fn or_unusable(
    parsed: Result<QuoteCollateralV3, FileError>,
) -> Result<Result<QuoteCollateralV3, UnusableCollateral>, FileError> {
    match parsed {
        Err(FileError::Missing { field, document }) => Ok(Err(UnusableCollateral::Malformed {
            document,
            problem: format!("the collateral has no field `{field}`"),
        })),
        other => other.map(Ok),
    }
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}
