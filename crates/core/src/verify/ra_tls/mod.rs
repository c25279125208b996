//! RA-TLS certificates of dstack: a TLS certificate with the evidence of the TD that holds its key (dstack,
//! `ra-tls/src/{oids,cert,attestation}.rs`).
//!
//! | file | holds |
//! |---|---|
//! | `extension` | dstack's extensions and their content |
//! | `leaf` | a certificate, read |
//! | `chain` | who signed it, up to the KMS |
//!
//! [`evidence_of`] reads; [`bound_quote`] proves that the TD of a verified quote quoted the certificate's key. That the
//! server holds the key is proven by its handshake, and by nothing in the certificate: see `tls_binding`.

mod chain;
mod extension;
mod leaf;

pub use leaf::spki_sha256;
pub(super) use leaf::{is_of_dstack, spki_of_pem};

use super::BootClaims;
use super::digest::sha512_of;
use super::td_claims::TdClaims;
use crate::evidence::{Attestation, Evidence, EvidenceError, TlsChain};
use crate::report::rfc3339;
use leaf::TlsLeaf;

/// The extensions of dstack (dstack, `ra-tls/src/{oids,cert,attestation}.rs`).
const QUOTE: u32 = 1;
const EVENT_LOG: u32 = 2;
const APP_ID: u32 = 3;
const USAGE: u32 = 4;
const ATTESTATION: u32 = 8;

/// The usage of an app's certificate.
const APP_USAGE: &[u8] = b"app:custom";

/// The usage of the certificate that a KMS answers with.
const KMS_USAGE: &[u8] = b"kms:rpc";

/// Two event logs, and not the same.
const TWO_LOGS: &str = "its event log (extension .2) is not that of the attestation in extension .8";

/// Why an RA-TLS certificate is refused. Each goes on after "the certificate": "… is refused: …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RaTlsRefusal {
    /// The certificate, or one of its extensions, cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// An extension of dstack stands in it twice, so two readers could use different values.
    #[error("dstack's extension .{0} occurs more than once")]
    DuplicateExtension(u32),
    /// Neither a quote nor an attestation.
    #[error("it carries neither a quote (extension .1) nor an attestation (extension .8)")]
    NoEvidence,
    /// A quote beside an attestation, and not the same.
    #[error("it carries two quotes: that of extension .1 is not that of the attestation in extension .8")]
    TwoQuotes,
    /// Not a P-256 key.
    #[error("its key is not one of P-256, and dstack's KMS signs no other")]
    KeyType,
    /// The quote binds another key.
    #[error(
        "the report data of its quote is not the SHA-512 of \"ratls-cert:\" and its key: the quote was made for another key"
    )]
    NotBound,
    /// What stands beside the quote is not in it.
    #[error("the unsigned report data differs from the one in its quote")]
    StackReportData,
    /// It names another app than its own evidence.
    #[error("its extension .3 names another app than its evidence")]
    AppId,
    /// It is for another purpose.
    #[error("{0}")]
    Usage(String),
    /// It, or one that signed it, has expired at the time of the run.
    #[error("it, or a certificate that signed it, has expired: it was valid until {}", rfc3339(*.to))]
    Expired {
        /// Until when it was valid, Unix seconds.
        to: u64,
    },
    /// It, or one that signed it, is not valid yet at the time of the run: one of two clocks is wrong.
    #[error(
        "it, or a certificate that signed it, is valid from {} on, and the clock of this machine says {}",
        rfc3339(*.from),
        rfc3339(*.at)
    )]
    NotYetValid {
        /// From when, Unix seconds.
        from: u64,
        /// The time of the run, Unix seconds.
        at: u64,
    },
    /// The chain does not hold.
    #[error("{0}")]
    Chain(&'static str),
    /// The chain ends in another key than the KMS's.
    #[error("its chain ends in another key than that of the key provider that the VM booted with")]
    OtherKms,
}

/// An RA-TLS certificate with its evidence, read. Nothing of it is proven.
#[derive(Debug, Clone)]
pub struct RaTlsCertificate {
    leaf: TlsLeaf,
    evidence: Evidence,
}

/// Reads the first certificate of a chain; `None` if nothing of dstack is in it.
///
/// # Errors
/// [`RaTlsRefusal`] says what cannot be read.
pub fn evidence_of(chain: &TlsChain) -> Option<Result<RaTlsCertificate, RaTlsRefusal>> {
    is_of_dstack(chain.leaf()).then(|| {
        let leaf = TlsLeaf::of_der(chain.leaf())?;
        let attestation = attestation_of(&leaf)?;
        let evidence = Evidence::of_quote(attestation, None, None, None).map_err(malformed)?;
        Ok(RaTlsCertificate { leaf, evidence })
    })
}

impl RaTlsCertificate {
    /// The evidence, for [`super::prove`].
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }

    /// Whether it is issued for a host: a name without port, or an IPv4 address.
    pub(super) fn is_for_host(&self, host: &str) -> bool {
        self.leaf.is_for_host(host)
    }
}

fn attestation_of(leaf: &TlsLeaf) -> Result<Attestation, RaTlsRefusal> {
    let [quote, log, versioned] = [QUOTE, EVENT_LOG, ATTESTATION].map(|number| leaf.extension(number));
    Attestation::of_parts(quote, log, versioned, "the certificate")
        .map_err(malformed)?
        .ok_or(RaTlsRefusal::NoEvidence)?
        .map_err(|what| match what {
            "quote" => RaTlsRefusal::TwoQuotes,
            _ => RaTlsRefusal::Malformed(TWO_LOGS.to_owned()),
        })
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of map_err")]
fn malformed(error: EvidenceError) -> RaTlsRefusal {
    RaTlsRefusal::Malformed(error.to_string())
}

/// SHA-512 of `ratls-cert:` and the SubjectPublicKeyInfo (DER): the report data of the quote that an RA-TLS certificate
/// carries (dstack, `ra-tls/src/{oids,cert,attestation}.rs`).
fn report_data_of(spki: &[u8]) -> [u8; 64] {
    sha512_of([b"ratls-cert:", spki])
}

/// Why a certificate does not bind its key, of a certificate whose evidence was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotBoundBy {
    /// It is refused.
    Refused(RaTlsRefusal),
    /// Its quote is not proven: see the claims of its evidence.
    QuoteNotProven,
}

/// Proves that the TD of the certificate's own quote quoted the certificate's key, and that it is an app's. `own` is what the
/// certificate's evidence proves.
pub(super) fn bound_quote(certificate: &RaTlsCertificate, own: TdClaims<'_>) -> Result<(), NotBoundBy> {
    let boot = bound_key(certificate, own)?;
    let refused = |refusal| Err(NotBoundBy::Refused(refusal));
    let leaf = &certificate.leaf;
    if leaf.extension(APP_ID) != Some(boot.app_id().as_slice()) {
        return refused(RaTlsRefusal::AppId);
    }
    if leaf.extension(USAGE) != Some(APP_USAGE) {
        return refused(other_usage(APP_USAGE));
    }
    if !leaf.is_server {
        return refused(RaTlsRefusal::Usage(
            "its extended key usage is not that of a server".to_owned(),
        ));
    }
    Ok(())
}

/// The same for the certificate that a KMS answers with. A KMS names no app in it, and up to 0.6.3 no extended key usage.
pub(super) fn bound_kms(certificate: &RaTlsCertificate, own: TdClaims<'_>) -> Result<(), NotBoundBy> {
    let boot = bound_key(certificate, own)?;
    let leaf = &certificate.leaf;
    if leaf.extension(USAGE) != Some(KMS_USAGE) {
        return Err(NotBoundBy::Refused(other_usage(KMS_USAGE)));
    }
    match leaf.extension(APP_ID) {
        Some(app_id) if app_id != boot.app_id() => Err(NotBoundBy::Refused(RaTlsRefusal::AppId)),
        _ => Ok(()),
    }
}

/// Proves that the TD of the certificate's own quote quoted the certificate's key; what that TD booted.
fn bound_key<'a>(certificate: &RaTlsCertificate, own: TdClaims<'a>) -> Result<&'a BootClaims, NotBoundBy> {
    let refused = |refusal| Err(NotBoundBy::Refused(refusal));
    let leaf = &certificate.leaf;
    if !leaf.is_p256 {
        return refused(RaTlsRefusal::KeyType);
    }
    let Some(quote) = own.quote else {
        return Err(NotBoundBy::QuoteNotProven);
    };
    if *quote.report_data() != report_data_of(&leaf.spki) {
        return refused(RaTlsRefusal::NotBound);
    }
    if own.echo_differs {
        return refused(RaTlsRefusal::StackReportData);
    }
    leaf.valid_at(own.at).map_err(NotBoundBy::Refused)?;
    own.boot.ok_or(NotBoundBy::QuoteNotProven)
}

fn other_usage(expected: &[u8]) -> RaTlsRefusal {
    RaTlsRefusal::Usage(format!(
        "its usage (extension .4) is not {}",
        String::from_utf8_lossy(expected)
    ))
}

/// Whether the key of a SubjectPublicKeyInfo (DER, hex) signed the first certificate of a chain: the KMS's root key signs its
/// own certificates without one between.
pub(super) fn is_signed_by_key(chain: &TlsChain, spki: &str) -> bool {
    chain::is_signed_by(chain.leaf(), spki)
}

/// Whether the first certificate of a chain is for the use of a KMS that answers. A root key signs certificates of apps' CAs, too,
/// whose keys others hold.
pub(super) fn is_of_kms(chain: &TlsChain) -> bool {
    TlsLeaf::of_der(chain.leaf()).is_ok_and(|leaf| leaf.extension(USAGE) == Some(KMS_USAGE))
}

/// Whether the chain leads to the key of the KMS, hex of its SubjectPublicKeyInfo, that the VM booted with, and each certificate
/// of it is valid at a time (Unix seconds).
pub(super) fn leads_to_kms(
    chain: &TlsChain,
    app_id: &[u8; 20],
    kms: &str,
    at: u64,
) -> Result<(), RaTlsRefusal> {
    chain::leads_to(chain, app_id, kms)?;
    chain
        .certificates()
        .try_for_each(|each| TlsLeaf::of_der(each)?.valid_at(at))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
