//! Whose key the live TLS connection has: from a [`TlsSession`] and claims to a [`BoundChannel`] (docs/tls.md).
//!
//! Two things make a binding, and neither is enough alone: the handshake of this run proves that the server holds the
//! key, and a TD quoted the key. A relay has the quote and not the key; a server with a key of its own has no quote.

use super::ingress::{BoundIngress, IngressNotBound};
use super::ra_tls::{self, NotBoundBy, RaTlsCertificate, RaTlsRefusal};
use super::td_claims::{self, OtherTd, TdClaims, UnprovenTd};
use super::{Layout, VerifiedQuote};
use crate::evidence::{Probe, Seen, TlsChain, TlsHost, TlsSession};

/// The key of the live connection is that of the TD whose evidence was proven.
///
/// It can be made here alone. It says nothing about a policy: whether the TD's code is the expected one is for the checks of
/// the same claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundChannel {
    spki_sha256: [u8; 32],
    mode: BindingMode,
}

impl BoundChannel {
    /// SHA-256 of the SubjectPublicKeyInfo of the key. 32 bytes.
    #[must_use]
    pub const fn spki_sha256(&self) -> &[u8; 32] {
        &self.spki_sha256
    }

    /// How it is bound.
    #[doc(hidden)]
    #[must_use]
    pub const fn mode(&self) -> BindingMode {
        self.mode
    }
}

/// Who vouches for the certificate of an RA-TLS server, apart from the quote in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// The KMS that the TD booted with: the chain leads to the key that the TD measured.
    Kms,
    /// Nobody else: the TD booted with another key provider, and its certificate is self-made. That of a server that had the app
    /// quote its key looks the same.
    Td,
}

/// How a key is bound to a TD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingMode {
    /// The certificate carries the quote of the TD, which quotes the key.
    RaTls(Issuer),
    /// The app's quote for this run's nonce quotes the key, in this layout.
    AppKey(Layout),
}

/// Why a key is not bound in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotBound {
    /// Nothing of this way was there: no certificate of dstack; report data without room for a key.
    Absent,
    /// What it would rest on is not proven: the app's own evidence.
    NotReached,
    /// The certificate is refused.
    Refused(RaTlsRefusal),
    /// The certificate's evidence binds its key, and the server did not sign the handshake with it.
    KeyNotHeld,
    /// The quote in the certificate, or its event log, is not proven.
    QuoteNotProven(UnprovenTd),
    /// The certificate is of a TD with other code.
    OtherCode {
        /// The compose hash of that TD.
        compose_hash: [u8; 32],
    },
    /// The certificate is of another instance.
    OtherInstance,
    /// The certificate is of the instance that the app is, booted or launched in another way.
    OtherLaunch {
        /// The boot events and the fields of the TD report that differ.
        differs: Vec<&'static str>,
        /// Whether it was on the machine of the app's quote of this run.
        is_same_machine: bool,
    },
    /// The quote in the certificate was made on another machine than the app's quote of this run.
    OtherMachine,
    /// The app quoted another key beside the nonce.
    KeyMismatch {
        /// What it quoted.
        quoted: [u8; 32],
    },
    /// More than one key answered.
    KeyChanged {
        /// How many, at least 2.
        keys: usize,
    },
    /// All holds, of a recording: who holds the key now is not known.
    Recorded,
    /// The endpoint quotes what it is asked to: anyone can have such a quote made.
    Oracle,
}

/// What was seen of TLS, and what is proven of it.
#[derive(Debug, Clone)]
pub struct Tls {
    /// SHA-256 of the SubjectPublicKeyInfo of the leaf; absent if the leaf cannot be read. 32 bytes.
    pub spki_sha256: Option<[u8; 32]>,
    /// By the certificate's own evidence.
    pub ra_tls: Result<BoundChannel, NotBound>,
    /// By the evidence of an ingress.
    pub ingress: Result<BoundIngress, IngressNotBound>,
    /// By the app's quote for this run's nonce.
    pub app_key: Result<BoundChannel, NotBound>,
    /// The layout with room for a key, if the app quoted this run's nonce in one.
    pub app_key_layout: Option<Layout>,
    /// Whether the 32 bytes beside the nonce can be the hash of a key. A signing address of 20 bytes ends in 12 zeros.
    pub may_quote_a_key: bool,
    /// Whether the certificate is one of dstack.
    pub is_of_dstack: bool,
    /// What the host name says of a gateway.
    pub host: TlsHost,
    /// What came of the probe.
    pub probe: Probe,
}

impl Tls {
    /// Whether the certificate's own evidence binds its key to the app's VM, live or recorded.
    #[must_use]
    pub(crate) fn carries_its_evidence(&self) -> bool {
        match &self.ra_tls {
            Ok(_) | Err(NotBound::Recorded | NotBound::KeyChanged { .. } | NotBound::Oracle) => true,
            Err(_) => false,
        }
    }

    /// Whether an ingress answered at the address, whatever its evidence proves.
    #[must_use]
    pub(crate) fn is_of_ingress(&self) -> bool {
        self.ingress
            .as_ref()
            .map_or_else(IngressNotBound::is_of_an_ingress, |_| true)
    }

    /// Whether the evidence of an ingress binds its key to the app's VM, live or recorded.
    #[must_use]
    pub(crate) fn is_bound_ingress(&self) -> bool {
        match &self.ingress {
            Ok(_)
            | Err(
                IngressNotBound::Recorded
                | IngressNotBound::KeyChanged { .. }
                | IngressNotBound::Oracle
                | IngressNotBound::FormOfTheApp,
            ) => true,
            Err(_) => false,
        }
    }

    /// Whether the app quoted another key than this connection's in front of the nonce, as an app does behind something that
    /// ends TLS with a certificate of a trusted CA. A signing address of 20 bytes is not such a key.
    #[must_use]
    pub(crate) fn quotes_another_key(&self) -> bool {
        self.may_quote_a_key
            && self.app_key_layout == Some(Layout::KeyThenNonce)
            && matches!(self.app_key, Err(NotBound::KeyMismatch { .. }))
    }

    /// Whether the app quoted the key of this connection beside the nonce, live or recorded.
    #[must_use]
    pub(crate) fn quotes_its_key(&self) -> bool {
        match &self.app_key {
            Ok(_) | Err(NotBound::Recorded | NotBound::KeyChanged { .. } | NotBound::Oracle) => true,
            Err(_) => false,
        }
    }
}

/// The layouts of the app's own binding, which have room for the hash of a key (docs/tls.md).
const APP_KEY_LAYOUTS: [Layout; 2] = [Layout::KeyThenNonce, Layout::NonceThenKey];

/// A certificate of dstack that was looked at: read, with what its own evidence proves, or refused.
pub(super) type LookedAt<'a> = Result<(&'a RaTlsCertificate, TdClaims<'a>), RaTlsRefusal>;

/// What a session proves, with what is proven of the app's own TD.
pub(super) fn tls_of(session: &TlsSession, app: TdClaims<'_>, certificate: Option<LookedAt<'_>>) -> Tls {
    let spki_sha256 = ra_tls::spki_sha256(session.chain.leaf());
    let is_of_dstack = certificate.is_some();
    let ra_tls = match certificate {
        None => Err(NotBound::Absent),
        Some(Err(refusal)) => Err(NotBound::Refused(refusal)),
        Some(Ok((certificate, own))) => bound_td(&session.chain, certificate, own, app),
    };
    let keys = session.other_keys.saturating_add(1);
    let of_run = |bound: Result<BindingMode, NotBound>| -> Result<BoundChannel, NotBound> {
        let mode = bound?;
        let spki_sha256 = spki_sha256.ok_or(NotBound::Absent)?;
        if keys > 1 {
            return Err(NotBound::KeyChanged { keys });
        }
        if session.probe == Probe::Quotes64 {
            return Err(NotBound::Oracle);
        }
        match session.seen {
            Seen::Live => Ok(BoundChannel { spki_sha256, mode }),
            Seen::Recorded => Err(NotBound::Recorded),
        }
    };
    Tls {
        spki_sha256,
        ra_tls: of_run(ra_tls.map(BindingMode::RaTls)),
        ingress: Err(IngressNotBound::NotAsked),
        app_key: of_run(app_key(app, spki_sha256, session.has_trusted_ca)),
        app_key_layout: app_key_layout(app).map(|(layout, _)| layout),
        may_quote_a_key: app_key_layout(app).is_some_and(|(_, quoted)| quoted[20..] != [0; 12]),
        is_of_dstack,
        host: session.host,
        probe: session.probe.clone(),
    }
}

/// The TD of the certificate is the one that quoted this run's nonce; who issued the certificate.
fn bound_td(
    chain: &TlsChain,
    certificate: &RaTlsCertificate,
    own: TdClaims<'_>,
    app: TdClaims<'_>,
) -> Result<Issuer, NotBound> {
    quotes_own_key(certificate, own)?;
    // Nothing that a TD measures tells one machine from another: a copy of its disk boots to the same registers.
    let is_same_machine = own.quote.map(VerifiedQuote::ppid) == app.quote.map(VerifiedQuote::ppid);
    td_claims::same_td(own, app).map_err(|other| match other {
        OtherTd::NotReached => NotBound::NotReached,
        OtherTd::Code { compose_hash } => NotBound::OtherCode { compose_hash },
        OtherTd::Instance => NotBound::OtherInstance,
        OtherTd::Launch { differs } => NotBound::OtherLaunch {
            differs,
            is_same_machine,
        },
    })?;
    if !is_same_machine {
        return Err(NotBound::OtherMachine);
    }
    issuer(chain, certificate, own)
}

/// The TD of the certificate's evidence quoted the certificate's key, and who issued the certificate. If the TD measured a KMS,
/// the chain must lead to it: an app that quotes what its callers choose makes the quote for anyone.
pub(super) fn issuer(
    chain: &TlsChain,
    certificate: &RaTlsCertificate,
    own: TdClaims<'_>,
) -> Result<Issuer, NotBound> {
    quotes_own_key(certificate, own)?;
    let boot = own.boot.ok_or(NotBound::NotReached)?;
    match boot.key_provider().name.as_str() {
        "kms" => ra_tls::leads_to_kms(chain, boot.app_id(), &boot.key_provider().id, own.at)
            .map(|()| Issuer::Kms)
            .map_err(NotBound::Refused),
        _ => Ok(Issuer::Td),
    }
}

/// The TD of the certificate's evidence quoted the certificate's key.
pub(super) fn quotes_own_key(certificate: &RaTlsCertificate, own: TdClaims<'_>) -> Result<(), NotBound> {
    ra_tls::bound_quote(certificate, own).map_err(|error| match error {
        NotBoundBy::Refused(refusal) => NotBound::Refused(refusal),
        NotBoundBy::QuoteNotProven => NotBound::QuoteNotProven(own.unproven),
    })
}

/// The layout with room for a key that the app quoted this run's nonce in, and the 32 bytes that it quoted as the key's.
fn app_key_layout(app: TdClaims<'_>) -> Option<(Layout, [u8; 32])> {
    let (report_data, nonce) = (app.quote?.report_data(), app.nonce?);
    APP_KEY_LAYOUTS.into_iter().find_map(|layout| {
        let quoted = layout
            .key_of(report_data)
            .filter(|_| layout.holds(report_data, nonce))?;
        // The nonce and zeros is the plain layout, which has no key.
        (quoted != [0; 32]).then_some((layout, quoted))
    })
}

/// The app quoted, for this run's nonce, the hash of the key that answered. Without a CA that vouches for the host name nobody
/// says that the server is the one that was asked.
fn app_key(
    app: TdClaims<'_>,
    spki_sha256: Option<[u8; 32]>,
    has_trusted_ca: bool,
) -> Result<BindingMode, NotBound> {
    if app.quote.is_none() {
        return Err(NotBound::NotReached);
    }
    let (layout, quoted) = app_key_layout(app).ok_or(NotBound::Absent)?;
    let spki = spki_sha256.filter(|_| has_trusted_ca).ok_or(NotBound::Absent)?;
    if quoted == spki {
        Ok(BindingMode::AppKey(layout))
    } else {
        Err(NotBound::KeyMismatch { quoted })
    }
}
