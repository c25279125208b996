//! The evidence of dstack-ingress: a quote of the hashes of its files, one of which is the certificate that it serves
//! (dstack-examples, `custom-domain/dstack-ingress/scripts/evidence-lib.sh`).
//!
//! It holds no nonce, and the key is on a volume that every earlier compose document of the app could read. It shows that a
//! TD that meets the policy had this key at some time. It does not show that this TD alone has it now: a [`BoundIngress`] is not
//! a [`BoundChannel`](super::BoundChannel).

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::digest::sha256;
use super::ra_tls::spki_sha256;
use super::td_claims::{OtherTd, TdClaims, UnprovenTd, same_td};
use super::{Layout, VerifiedQuote};
use crate::evidence::{
    Attestation, Evidence, INGRESS_ACCOUNT, IngressEvidence, IngressManifest, IngressSeen, ManifestError,
    Probe, Seen, TlsSession,
};

/// The key of the live connection is that of a certificate whose hash the TD of the app's evidence quoted, at a time that is not
/// known. It can be made here alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundIngress {
    spki_sha256: [u8; 32],
}

impl BoundIngress {
    /// SHA-256 of the SubjectPublicKeyInfo of the key. 32 bytes.
    #[must_use]
    pub const fn spki_sha256(&self) -> &[u8; 32] {
        &self.spki_sha256
    }
}

/// Why the evidence of an ingress is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IngressRefusal {
    /// The manifest cannot be read.
    #[error("the manifest (sha256sum.txt) {0}")]
    Manifest(#[from] ManifestError),
    /// A listed file is not served.
    #[error("the manifest lists {0}, and the ingress does not serve it")]
    FileMissing(String),
    /// A listed file is another one.
    #[error("{0} does not have the SHA-256 that the manifest lists for it")]
    FileHash(String),
    /// A file that binds is not listed.
    #[error("the manifest does not list {0}")]
    NotListed(String),
    /// The ingress could not quote.
    #[error("quote.json is empty, or is not served: the ingress has no quote of its present files")]
    QuoteEmpty,
    /// The quote or the certificate cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The quote binds other files.
    #[error(
        "the report data of its quote is not the SHA-256 of the manifest, then zeros: the quote was made for other files"
    )]
    NotBound,
    /// The certificate in the files has another key.
    #[error("the certificate in its files has another key than the one that answered")]
    KeyDiffers,
}

/// Why an ingress does not bind the key of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IngressNotBound {
    /// It was not asked for.
    NotAsked,
    /// The server has no manifest, or no trusted CA vouches for its certificate.
    Absent,
    /// Its files could not be fetched. For people, a clause.
    Unreachable(String),
    /// It is refused.
    Refused(IngressRefusal),
    /// Its quote, or the event log beside it, is not proven.
    QuoteNotProven(UnprovenTd),
    /// The app's own evidence is not proven.
    NotReached,
    /// Its quote is of a TD with other code.
    OtherCode {
        /// The compose hash of that TD.
        compose_hash: [u8; 32],
    },
    /// Its quote is of another TD.
    OtherInstance,
    /// Its quote is of the instance that the app is, booted or launched in another way.
    OtherLaunch {
        /// The boot events and the fields of the TD report that differ.
        differs: Vec<&'static str>,
    },
    /// Its quote is of the same instance on another machine.
    OtherMachine,
    /// More than one key answered.
    KeyChanged {
        /// How many, at least 2.
        keys: usize,
    },
    /// The endpoint quotes 32 bytes of the caller's choice: anyone can have such a quote made.
    Oracle,
    /// The app's quote of this run has the form of an ingress's, with a hash of what the caller sent: if the app hashes whatever is
    /// sent, anyone can have such a quote made, and a relay answers the probe itself.
    FormOfTheApp,
    /// All holds, of a recording: who holds the key now is not known.
    Recorded,
}

impl IngressNotBound {
    /// Whether an ingress answered: something at the address that has a manifest.
    #[must_use]
    pub const fn is_of_an_ingress(&self) -> bool {
        match self {
            Self::NotAsked | Self::Absent | Self::Unreachable(_) => false,
            Self::Refused(IngressRefusal::Manifest(error)) => !error.is_of_another_file(),
            Self::Refused(_)
            | Self::QuoteNotProven(_)
            | Self::NotReached
            | Self::OtherCode { .. }
            | Self::OtherInstance
            | Self::OtherLaunch { .. }
            | Self::OtherMachine
            | Self::KeyChanged { .. }
            | Self::Oracle
            | Self::FormOfTheApp
            | Self::Recorded => true,
        }
    }
}

/// The evidence of an ingress, read: which manifest its quote must hold, and the key of the certificate in its files. Each file is
/// the one that the manifest lists. Nothing more is proven.
#[derive(Debug, Clone)]
pub struct ReadIngress {
    manifest_sha256: [u8; 32],
    certificate_spki: [u8; 32],
    evidence: Evidence,
}

impl ReadIngress {
    /// The evidence in `quote.json`, for [`super::prove`].
    #[must_use]
    pub const fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}

/// Reads what a session saw of an ingress.
///
/// # Errors
/// [`IngressNotBound`] says what is missing or refused.
pub fn evidence_of(session: &TlsSession) -> Result<ReadIngress, IngressNotBound> {
    match &session.ingress {
        IngressSeen::NotAsked => Err(IngressNotBound::NotAsked),
        IngressSeen::Absent => Err(IngressNotBound::Absent),
        IngressSeen::Unreachable(why) => Err(IngressNotBound::Unreachable(why.clone())),
        IngressSeen::Evidence(files) => read(files).map_err(IngressNotBound::Refused),
    }
}

/// Whether files, manifest and quote do not belong together, or the certificate in the files does not have the key of `leaf` (DER), the one that
/// answered. An ingress that renews its certificate writes them one after the other. Nothing is proven: it says whether to ask again.
#[must_use]
pub fn may_be_renewing(ingress: &IngressEvidence, leaf: &[u8]) -> bool {
    match read(ingress) {
        Ok(read) => {
            let quote = read.evidence.attestation.quote.as_bytes();
            let hash = read.manifest_sha256;
            let is_quoted = quote.windows(hash.len()).any(|window| window == hash);
            !is_quoted || spki_sha256(leaf) != Some(read.certificate_spki)
        }
        Err(IngressRefusal::Manifest(_) | IngressRefusal::NotListed(_)) => false,
        Err(_) => true,
    }
}

/// Reads the files, and compares each with the manifest.
fn read(ingress: &IngressEvidence) -> Result<ReadIngress, IngressRefusal> {
    let manifest = IngressManifest::parse(&ingress.manifest)?;
    for (name, hash) in manifest.files() {
        let file = ingress.files.get(name);
        let file = file.ok_or_else(|| IngressRefusal::FileMissing(name.to_owned()))?;
        if sha256(file) != *hash {
            return Err(IngressRefusal::FileHash(name.to_owned()));
        }
    }
    if !manifest.names().any(|name| name == INGRESS_ACCOUNT) {
        return Err(IngressRefusal::NotListed(INGRESS_ACCOUNT.to_owned()));
    }
    let certificate = manifest
        .certificate_of(&ingress.host)
        .and_then(|name| ingress.files.get(name))
        .ok_or_else(|| IngressRefusal::NotListed(format!("the certificate of {}", ingress.host)))?;
    if ingress.quote.trim_ascii().is_empty() {
        return Err(IngressRefusal::QuoteEmpty);
    }
    let evidence = Attestation::parse(&ingress.quote)
        .and_then(|attestation| Evidence::of_quote(attestation, None, None, None))
        .map_err(|error| IngressRefusal::Malformed(format!("quote.json is not an attestation ({error})")))?;
    let certificate_spki = CertificateDer::from_pem_slice(certificate)
        .ok()
        .and_then(|certificate| spki_sha256(&certificate))
        .ok_or_else(|| IngressRefusal::Malformed("the certificate in its files cannot be read".to_owned()))?;
    Ok(ReadIngress {
        manifest_sha256: sha256(&ingress.manifest),
        certificate_spki,
        evidence,
    })
}

/// Proves that the TD of the app's evidence quoted the files, and that the live key is that of the certificate in them. `own` is
/// what the ingress's evidence proves.
pub(super) fn bind(
    read: &ReadIngress,
    own: TdClaims<'_>,
    app: TdClaims<'_>,
    session: &TlsSession,
) -> Result<BoundIngress, IngressNotBound> {
    let not_proven = IngressNotBound::QuoteNotProven(own.unproven);
    let Some(quote) = own.quote else {
        return Err(not_proven);
    };
    let (hash, zeros) = quote.report_data().split_at(32);
    if hash != read.manifest_sha256 || zeros != [0; 32] {
        return Err(IngressNotBound::Refused(IngressRefusal::NotBound));
    }
    if own.boot.is_none() {
        return Err(not_proven);
    }
    same_td(own, app).map_err(|other| match other {
        OtherTd::NotReached => IngressNotBound::NotReached,
        OtherTd::Code { compose_hash } => IngressNotBound::OtherCode { compose_hash },
        OtherTd::Instance => IngressNotBound::OtherInstance,
        OtherTd::Launch { differs } => IngressNotBound::OtherLaunch { differs },
    })?;
    // Nothing that a TD measures tells one machine from another: a copy of its disk boots to the same registers.
    if own.quote.map(VerifiedQuote::ppid) != app.quote.map(VerifiedQuote::ppid) {
        return Err(IngressNotBound::OtherMachine);
    }
    // Without a CA that vouches for the host name nobody says that the server is the one that was asked.
    if !session.has_trusted_ca {
        return Err(IngressNotBound::Absent);
    }
    let spki_sha256 = spki_sha256(session.chain.leaf())
        .filter(|live| *live == read.certificate_spki)
        .ok_or(IngressNotBound::Refused(IngressRefusal::KeyDiffers))?;
    if session.other_keys > 0 {
        return Err(IngressNotBound::KeyChanged {
            keys: session.other_keys.saturating_add(1),
        });
    }
    let quoted = layouts_of_this_run(app);
    if matches!(session.probe, Probe::Quotes32 | Probe::Quotes64) || quoted.contains(&Layout::Raw) {
        return Err(IngressNotBound::Oracle);
    }
    if !quoted.is_empty() {
        return Err(IngressNotBound::FormOfTheApp);
    }
    match session.seen {
        Seen::Live => Ok(BoundIngress { spki_sha256 }),
        Seen::Recorded => Err(IngressNotBound::Recorded),
    }
}

/// In which layouts, of those that have the form of an ingress's quote, the app quoted the nonce of this run.
fn layouts_of_this_run(app: TdClaims<'_>) -> Vec<Layout> {
    let Some((quote, nonce)) = app.quote.zip(app.nonce) else {
        return Vec::new();
    };
    let layouts = Layout::ALL
        .into_iter()
        .filter(|layout| layout.has_form_of_ingress());
    layouts
        .filter(|layout| layout.holds(quote.report_data(), nonce))
        .collect()
}
