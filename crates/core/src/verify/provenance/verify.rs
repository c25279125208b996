//! From the bytes of a bundle to a signed statement.

use serde_json::Value;
use sigstore_verify::bundle::Error as FormError;
use sigstore_verify::types::{KindVersion, Sha256Hash};
use sigstore_verify::{
    CertificateError, Error, TimestampError, TransparencyLogError, VerificationPolicy, VerificationResult,
};

use super::bundle::ParsedBundle;
use super::certificate::SigningLeaf;
use super::log::{self, LogRecord};
use super::machine_clock;
use super::root::{Instance, SigstoreRoots};
use super::statement::{Statement, StatementSubject};
use super::{COSIGN_SIGNATURE, PROVENANCE, Refusal, SignerClaims, predicate, timestamp};
use crate::verify::age::CLOCK_SKEW;
use crate::verify::digest::sha256;

/// The organisation of GitHub's own instance, whose certificates carry no timestamp of a transparency log and whose
/// signatures are in no log. Every other instance must have both.
const GITHUB: &str = "GitHub, Inc.";

/// A statement whose signature, certificate, time and log entry hold, and that is about the wanted digest.
#[derive(Debug, Clone, PartialEq)]
pub struct SignedStatement {
    claims: SignerClaims,
    statement: Statement,
    signed_at: u64,
    log: Option<LogRecord>,
    bundle_sha256: [u8; 32],
}

impl SignedStatement {
    /// What the certificate says of the signer.
    #[doc(hidden)]
    #[must_use]
    pub const fn signer(&self) -> &SignerClaims {
        &self.claims
    }

    /// The type of the predicate, a URI.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.statement.predicate_type
    }

    /// The predicate, JSON.
    #[must_use]
    pub const fn predicate(&self) -> &Value {
        &self.statement.predicate
    }

    /// Whether it is provenance, and says nothing else than the certificate that signed it.
    ///
    /// # Errors
    /// [`Refusal::PredicateMismatch`] names the field that contradicts the certificate.
    pub(crate) fn is_provenance(&self) -> Result<bool, Refusal> {
        if self.statement.predicate_type != PROVENANCE {
            return Ok(false);
        }
        predicate::agrees(&self.statement.predicate, &self.claims).map(|()| true)
    }

    /// The statement in a layer of the attestation that BuildKit put beside an image, where this one is a signature over that
    /// attestation's manifest. `layer` is a document that the manifest names by its digest; `image` is the manifest that the
    /// attestation is about.
    ///
    /// # Errors
    /// [`Refusal::Unsupported`] if this is not a signature, [`Refusal::Malformed`] if the layer is not a statement, and
    /// [`Refusal::OtherSubject`] if it is about something else than the image.
    pub(in crate::verify) fn carrying(self, layer: &str, image: &[u8; 32]) -> Result<Self, Refusal> {
        if self.statement.predicate_type != COSIGN_SIGNATURE {
            return Err(Refusal::Unsupported(
                "a statement about BuildKit's attestation that is not a signature",
            ));
        }
        let statement = Statement::read(layer.as_bytes())?;
        match statement.is_about(&hex::encode(image)) {
            true => Ok(Self { statement, ..self }),
            false => Err(Refusal::OtherSubject),
        }
    }

    /// What the statement is about.
    #[doc(hidden)]
    #[must_use]
    pub fn subjects(&self) -> &[StatementSubject] {
        &self.statement.subjects
    }

    /// The earliest time that a timestamp authority or a log signed, Unix seconds.
    #[must_use]
    pub const fn signed_at(&self) -> u64 {
        self.signed_at
    }

    /// The entry in the transparency log; GitHub's instance has no log.
    #[doc(hidden)]
    #[must_use]
    pub const fn log(&self) -> Option<&LogRecord> {
        self.log.as_ref()
    }

    /// SHA-256 of the bundle's bytes.
    #[must_use]
    pub const fn bundle_sha256(&self) -> &[u8; 32] {
        &self.bundle_sha256
    }

    /// A statement that nobody signed.
    #[cfg(test)]
    pub(crate) fn made_up(claims: SignerClaims, predicate_type: &str, predicate: Value) -> Self {
        Self {
            claims,
            statement: Statement {
                predicate_type: predicate_type.to_owned(),
                predicate,
                subjects: Vec::new(),
            },
            signed_at: 0,
            log: None,
            bundle_sha256: [0; 32],
        }
    }
}

/// Verifies a bundle over a digest (SHA-256), at `now` (Unix seconds).
///
/// # Errors
/// The first [`Refusal`].
pub fn verify(
    bundle: &[u8],
    digest: &[u8; 32],
    roots: &SigstoreRoots,
    now: u64,
) -> Result<SignedStatement, Refusal> {
    let form = ParsedBundle::read(bundle)?;
    let leaf = SigningLeaf::read(&form.leaf)?;
    let outdated = |refusal: Refusal| match refusal {
        Refusal::UntrustedChain | Refusal::UnknownLog | Refusal::TimestampUntrusted | Refusal::SctInvalid
            if leaf.not_before() > roots.complete_until() =>
        {
            Refusal::RootOutdated
        }
        other => other,
    };
    let is_github = leaf.issuer_organization().as_deref() == Some(GITHUB);
    let mut refusal = Refusal::UntrustedChain;
    for instance in roots
        .instances()
        .iter()
        .filter(|instance| issues(instance, &leaf))
    {
        match judge(&form, &leaf, instance, is_github, digest, now) {
            Ok((statement, signed_at, log)) => {
                return Ok(SignedStatement {
                    claims: leaf.claims.clone(),
                    statement,
                    signed_at,
                    log,
                    bundle_sha256: sha256(bundle),
                });
            }
            Err(found) => refusal = found,
        }
    }
    Err(outdated(refusal))
}

/// Whether a certificate authority of the instance has the name that issued the leaf.
fn issues(instance: &Instance, leaf: &SigningLeaf) -> bool {
    instance
        .root
        .certificate_authorities
        .iter()
        .any(|authority| leaf.names_issuer(&chain(authority)))
}

fn chain(authority: &sigstore_verify::trust_root::CertificateAuthority) -> Vec<&[u8]> {
    let certificates = &authority.cert_chain.certificates;
    certificates
        .iter()
        .map(|certificate| certificate.raw_bytes.as_bytes())
        .collect()
}

fn judge(
    form: &ParsedBundle,
    leaf: &SigningLeaf,
    instance: &Instance,
    is_github: bool,
    digest: &[u8; 32],
    now: u64,
) -> Result<(Statement, u64, Option<LogRecord>), Refusal> {
    let stamped = timestamp::judge(form, instance)?;
    let entries = &form.bundle.verification_material.tlog_entries;
    if entries.is_empty() && !is_github {
        return Err(Refusal::NotLogged);
    }
    let records: Vec<LogRecord> = entries
        .iter()
        .map(|entry| log::judge(entry, instance))
        .collect::<Result<_, _>>()?;
    let policy = VerificationPolicy::any_identity();
    let policy = if is_github {
        policy.skip_sct().skip_tlog_unsafe()
    } else if leaf.has_sct() {
        policy
    } else {
        return Err(Refusal::NoSct);
    };
    let result = instance
        .verifier
        .verify(Sha256Hash::new(*digest), &form.bundle, &policy)
        .map_err(|error| match meant(&error) {
            Refusal::TimeInvalid => ahead(form, leaf, now).unwrap_or(Refusal::TimeInvalid),
            // The library looks at a certificate's dates with its chain, after it verified each time.
            Refusal::UntrustedChain if !valid_throughout(form, leaf, &stamped) => Refusal::OutsideValidity,
            other => other,
        })
        .map_err(|refusal| machine_clock::blamed(refusal, leaf.not_after(), now))?;
    let whole = result.certificate_verified()
        && (is_github || (result.sct_verified() && result.tlog_verified()))
        && !result.verified_timestamps().is_empty();
    if !whole {
        return Err(Refusal::NoAuthenticatedTime);
    }
    for entry in entries {
        log::is_of_its_kind(entry)?;
    }
    let signed_at = signed_at(&result, form, leaf, instance, now)?;
    let statement = Statement::read(form.envelope()?.payload.as_bytes())?;
    if !statement.is_about(&hex::encode(digest)) {
        return Err(Refusal::OtherSubject);
    }
    Ok((statement, signed_at, records.into_iter().next()))
}

/// The earliest time that an authority or a log signed, Unix seconds: the certificate and the log's key were valid at each of them.
fn signed_at(
    result: &VerificationResult,
    form: &ParsedBundle,
    leaf: &SigningLeaf,
    instance: &Instance,
    now: u64,
) -> Result<u64, Refusal> {
    let mut earliest = u64::MAX;
    for time in result.verified_timestamps() {
        let seconds = u64::try_from(time.as_second()).map_err(|_| Refusal::TimeInvalid)?;
        if seconds > now.saturating_add(CLOCK_SKEW) {
            return Err(Refusal::TimeAhead { signed: seconds, now });
        }
        // The library takes each certificate of the root as an anchor, and does not look at an anchor's own dates.
        let authorities = instance.root.certificate_authorities.iter();
        let issued = authorities
            .filter(|authority| authority.valid_for.is_some_and(|window| window.contains(*time)))
            .any(|authority| leaf.issued_within(&chain(authority), seconds));
        if !issued {
            return Err(Refusal::OutsideValidity);
        }
        // And the time of a timestamp says when the log's key had to be valid, where the log itself signs no time.
        for entry in &form.bundle.verification_material.tlog_entries {
            let logs = instance.root.tlogs.iter();
            let in_time = logs
                .filter(|log| log.log_id.key_id == entry.log_id.key_id)
                .any(|log| {
                    let window = log.public_key.valid_for;
                    window.is_some_and(|window| window.contains(*time))
                });
            if !in_time {
                return Err(Refusal::TimeInvalid);
            }
        }
        earliest = earliest.min(seconds);
    }
    Ok(earliest)
}

/// The library refuses the time of a log that is after this machine's clock, and one outside the certificate's validity: one that
/// is inside it, and after the time that is judged at, is after the clock.
fn ahead(form: &ParsedBundle, leaf: &SigningLeaf, now: u64) -> Option<Refusal> {
    let entries = form.bundle.verification_material.tlog_entries.iter();
    let times = entries.filter_map(|entry| u64::try_from(entry.integrated_time?.as_second()).ok());
    let latest = times.max()?;
    (latest > now && leaf.is_valid_at(latest)).then_some(Refusal::TimeAhead { signed: latest, now })
}

/// Whether the certificate is valid at each time that an authority or a log signed: that of a log under its promise alone.
fn valid_throughout(form: &ParsedBundle, leaf: &SigningLeaf, stamped: &[u64]) -> bool {
    let entries = form.bundle.verification_material.tlog_entries.iter();
    let promised = entries
        .filter(|entry| entry.kind_version == KindVersion::DsseV001 && entry.inclusion_promise.is_some());
    let mut logged = promised.filter_map(|entry| u64::try_from(entry.integrated_time?.as_second()).ok());
    stamped.iter().all(|time| leaf.is_valid_at(*time)) && logged.all(|time| leaf.is_valid_at(time))
}

/// What an error of the library is, in our own words: by its kind, never by its text.
fn meant(error: &Error) -> Refusal {
    match error {
        Error::SignatureInvalid(_) => Refusal::SignatureInvalid,
        Error::ArtifactMismatch(_) => Refusal::OtherSubject,
        Error::UnsupportedArtifact(_) | Error::UnsupportedBundle(_) => {
            Refusal::Unsupported("a part that the verifier does not read")
        }
        Error::Certificate(certificate) => match certificate {
            CertificateError::Malformed(_) => Refusal::Malformed("its certificate"),
            CertificateError::ChainInvalid(_) => Refusal::UntrustedChain,
            CertificateError::Sct(_) => Refusal::SctInvalid,
            _ => Refusal::OutsideValidity,
        },
        Error::TransparencyLog(log) => match log {
            TransparencyLogError::UnknownLog { .. } => Refusal::UnknownLog,
            TransparencyLogError::InclusionProof(_) => Refusal::InclusionInvalid,
            TransparencyLogError::Checkpoint(_) => Refusal::CheckpointInvalid,
            TransparencyLogError::InclusionPromise(_) => Refusal::SetInvalid,
            TransparencyLogError::EntryMismatch(_) => Refusal::LogEntryMismatch,
            TransparencyLogError::IntegratedTime(_) => Refusal::TimeInvalid,
            _ => Refusal::Malformed("its log entry"),
        },
        Error::Timestamp(timestamp) => match timestamp {
            TimestampError::OutsideAuthorityValidity { .. } => Refusal::TimestampOutsideValidity,
            TimestampError::NoVerifiedTimestamp(_) => Refusal::NoAuthenticatedTime,
            _ => Refusal::TimestampUntrusted,
        },
        Error::Bundle(form) => match form {
            FormError::MissingInclusionProof(_) | FormError::MissingCheckpoint => Refusal::NoInclusionProof,
            FormError::CheckpointRootMismatch | FormError::LogIndexOutOfRange { .. } => {
                Refusal::InclusionInvalid
            }
            FormError::MissingSigningTimeEvidence | FormError::MissingTimestamp => {
                Refusal::NoAuthenticatedTime
            }
            _ => Refusal::Unsupported("a part that the verifier does not read"),
        },
        Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
            Refusal::RootUnusable
        }
        _ => Refusal::Malformed("a part that cannot be read"),
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
