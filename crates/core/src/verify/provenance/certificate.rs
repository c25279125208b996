//! What a signing certificate claims: Fulcio's extensions (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>).

use std::collections::BTreeMap;

use der::asn1::{ObjectIdentifier, Utf8StringRef};
use der::{Decode as _, Encode as _};
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::Refusal;

/// Embedded signed certificate timestamps (RFC 6962 §3.3).
const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
/// `organizationName` (RFC 5280 §4.1.2.4).
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
/// Fulcio's extensions, without their last arc.
const FULCIO: [u32; 8] = [1, 3, 6, 1, 4, 1, 57264, 1];
/// The claims that are DER strings. 1 to 6 are deprecated and raw, 7 is another kind of name.
const CLAIMS: std::ops::RangeInclusive<u32> = 8..=24;
/// Largest claim, in bytes.
const MAX_CLAIM: usize = 4096;

/// What a certificate says of the workflow that it was issued to. Every value is a string that Fulcio copied from the identity
/// token of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignerClaims {
    /// The subject alternative name, a URI: for a workflow its file and ref. `None` for another kind of signer.
    san: Option<String>,
    claims: BTreeMap<u32, String>,
}

macro_rules! claims {
    ($($(#[$doc:meta])* $name:ident = $arc:literal;)*) => {
        impl SignerClaims {
            $($(#[$doc])* #[must_use] pub fn $name(&self) -> Option<&str> { self.claims.get(&$arc).map(String::as_str) })*
        }
    };
}

claims! {
    /// The OpenID Connect issuer (`.1.8`).
    issuer = 8;
    /// The workflow that signed, with its ref (`.1.9`).
    build_signer = 9;
    /// `github-hosted` or `self-hosted` (`.1.11`).
    runner = 11;
    /// The repository's address (`.1.12`).
    repository = 12;
    /// The commit that was built, 40 hex digits (`.1.13`).
    commit = 13;
    /// The ref that was built, `refs/…` (`.1.14`).
    git_ref = 14;
    /// The repository's number, which survives a rename (`.1.15`).
    repository_id = 15;
    /// The workflow that the run began with, with its ref (`.1.18`).
    build_config = 18;
    /// The event that started the run (`.1.20`).
    trigger = 20;
    /// The run's address (`.1.21`).
    run = 21;
    /// The deployment environment (`.1.23`).
    environment = 23;
}

impl SignerClaims {
    /// The subject alternative name, where it is one URI.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.san.as_deref()
    }

    /// Claims that no certificate makes, by the last number of each.
    #[cfg(test)]
    pub(crate) fn made_up(san: Option<&str>, claims: &[(u32, &str)]) -> Self {
        Self {
            san: san.map(str::to_owned),
            claims: claims
                .iter()
                .map(|(arc, text)| (*arc, (*text).to_owned()))
                .collect(),
        }
    }
}

/// A parsed leaf.
pub(super) struct SigningLeaf {
    certificate: Certificate,
    pub(super) claims: SignerClaims,
}

impl SigningLeaf {
    /// Reads a certificate, DER, and its claims.
    ///
    /// # Errors
    /// [`Refusal::Malformed`] if it is not one, a claim occurs twice or is not a string, or its two names of the signer differ.
    pub(super) fn read(der: &[u8]) -> Result<Self, Refusal> {
        let certificate =
            Certificate::from_der(der).map_err(|_| Refusal::Malformed("its certificate is not X.509"))?;
        let mut claims = BTreeMap::new();
        let extensions = certificate
            .tbs_certificate()
            .extensions()
            .map_or(&[][..], |list| list.as_slice());
        for extension in extensions {
            let Some(arc) = fulcio_arc(&extension.extn_id) else {
                continue;
            };
            if !CLAIMS.contains(&arc) {
                continue;
            }
            let text = Utf8StringRef::from_der(extension.extn_value.as_bytes())
                .ok()
                .map(|text| text.as_str().to_owned())
                .filter(|text| text.len() <= MAX_CLAIM)
                .ok_or(Refusal::Malformed("a claim of its certificate is not a string"))?;
            if claims.insert(arc, text).is_some() {
                return Err(Refusal::Malformed("a claim of its certificate occurs twice"));
            }
        }
        let claims = SignerClaims {
            san: subject(&certificate)?,
            claims,
        };
        match (claims.subject(), claims.build_signer()) {
            (Some(san), Some(signer)) if san != signer => Err(Refusal::Malformed(
                "its certificate names two workflows as its signer",
            )),
            _ => Ok(Self { certificate, claims }),
        }
    }

    /// The organisation of its issuer.
    pub(super) fn issuer_organization(&self) -> Option<String> {
        let issuer = self.certificate.tbs_certificate().issuer();
        let mut found = None;
        for attribute in issuer.iter_rdn().flat_map(|rdn| rdn.iter()) {
            if attribute.oid == ORGANIZATION {
                let text = std::str::from_utf8(attribute.value.value()).ok()?.to_owned();
                if found.replace(text).is_some() {
                    return None;
                }
            }
        }
        found
    }

    /// Whether it carries a list of certificate transparency timestamps.
    pub(super) fn has_sct(&self) -> bool {
        self.certificate
            .tbs_certificate()
            .extensions()
            .is_some_and(|list| list.iter().any(|extension| extension.extn_id == SCT_LIST))
    }

    /// When it begins to be valid, Unix seconds.
    pub(super) fn not_before(&self) -> u64 {
        not_before(&self.certificate)
    }

    /// When its validity ends, Unix seconds.
    pub(super) fn not_after(&self) -> u64 {
        not_after(&self.certificate)
    }

    /// Whether it is valid at a time, Unix seconds.
    pub(super) fn is_valid_at(&self, time: u64) -> bool {
        (not_before(&self.certificate)..=not_after(&self.certificate)).contains(&time)
    }

    /// Whether a certificate of `chain` (DER) has the name of its issuer.
    pub(super) fn names_issuer(&self, chain: &[&[u8]]) -> bool {
        let issuer = self.certificate.tbs_certificate().issuer();
        chain.iter().any(|der| {
            Certificate::from_der(der)
                .is_ok_and(|certificate| certificate.tbs_certificate().subject() == issuer)
        })
    }

    /// Whether `chain` (DER, from the issuer upwards) has its issuer, and every certificate of the chain is valid at `time`.
    pub(super) fn issued_within(&self, chain: &[&[u8]], time: u64) -> bool {
        let Ok(issuer) = self.certificate.tbs_certificate().issuer().to_der() else {
            return false;
        };
        let mut names_issuer = false;
        for der in chain {
            let Ok(certificate) = Certificate::from_der(der) else {
                return false;
            };
            names_issuer |= certificate
                .tbs_certificate()
                .subject()
                .to_der()
                .is_ok_and(|subject| subject == issuer);
            if time < not_before(&certificate) || time > not_after(&certificate) {
                return false;
            }
        }
        names_issuer
    }
}

fn not_before(certificate: &Certificate) -> u64 {
    certificate
        .tbs_certificate()
        .validity()
        .not_before
        .to_unix_duration()
        .as_secs()
}

fn not_after(certificate: &Certificate) -> u64 {
    certificate
        .tbs_certificate()
        .validity()
        .not_after
        .to_unix_duration()
        .as_secs()
}

fn fulcio_arc(oid: &ObjectIdentifier) -> Option<u32> {
    let mut arcs = oid.arcs();
    for expected in FULCIO {
        if arcs.next() != Some(expected) {
            return None;
        }
    }
    let arc = arcs.next()?;
    arcs.next().is_none().then_some(arc)
}

/// The one URI of the subject alternative name.
fn subject(certificate: &Certificate) -> Result<Option<String>, Refusal> {
    let malformed = Refusal::Malformed("the subject of its certificate cannot be read");
    let Some((_, names)) = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
        .map_err(|_| malformed)?
    else {
        return Ok(None);
    };
    match names.0.as_slice() {
        [GeneralName::UniformResourceIdentifier(uri)] => Ok(Some(uri.to_string())),
        [_] => Ok(None),
        _ => Err(malformed),
    }
}
