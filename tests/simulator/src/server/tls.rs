//! The server's side of TLS: a certificate for loopback from a test CA, a self-signed one, or one with extensions.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use sha2::{Digest as _, Sha256};

use crate::{
    app_cert::kms_root_key,
    asn1,
    cvm::{Cvm, Evidence},
    event_log,
    report_data::ReportDataLayout,
    versioned::Versioned,
    x509::{self, Contents, Party, USAGE_CA, USAGE_SIGNER},
};

/// OID of the quote in an RA-TLS certificate (spec §1.g).
pub const RA_TLS_QUOTE: &str = "1.3.6.1.4.1.62397.1.1";
/// OID of the event log's JSON text in an RA-TLS certificate.
pub const RA_TLS_EVENT_LOG: &str = "1.3.6.1.4.1.62397.1.2";
/// OID of the app id in an RA-TLS certificate.
pub const RA_TLS_APP_ID: &str = "1.3.6.1.4.1.62397.1.3";

/// OID of the usage in an RA-TLS certificate.
pub const RA_TLS_USAGE: &str = "1.3.6.1.4.1.62397.1.4";
/// OID of the versioned attestation in an RA-TLS certificate.
pub const RA_TLS_ATTESTATION: &str = "1.3.6.1.4.1.62397.1.8";

/// Who signs the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// A test CA, whose PEM is [`TlsIdentity::ca_pem`].
    TestCa,
    /// Nobody: self-signed.
    SelfSigned,
    /// The app's CA, whose certificate the KMS signed; both are presented with the leaf.
    Kms,
}

/// A key, a certificate for `localhost` and `127.0.0.1`, and its CA. A function of its inputs: it can be made before the server.
#[derive(Clone)]
pub struct TlsIdentity {
    leaf: Party,
    issuer: Party,
    now: u64,
    /// From when its certificates are good, Unix seconds, where a test says it.
    valid_from: Option<u64>,
    mode: TlsMode,
    /// OIDs and contents of dstack's extensions.
    extensions: Vec<(String, Vec<u8>)>,
    /// The app and the seed of its KMS, of [`TlsMode::Kms`].
    kms: Option<(Vec<u8>, u64)>,
    /// Certificates that are presented in the place of its own.
    presented: Option<Vec<Vec<u8>>>,
    only_tls12: bool,
    /// An identity that answers every second connection.
    every_second: Option<Box<TlsIdentity>>,
}

impl TlsIdentity {
    /// Another `seed`, another key. `now` in Unix seconds: the certificate is good from a day before to a year after. TLS
    /// clients use the real clock, so this is the one place where a test passes the present time.
    pub fn new(seed: u64, now: u64, mode: TlsMode) -> Self {
        let leaf = Party::new(seed, "Simulated application");
        let issuer = match mode {
            TlsMode::TestCa => Party::new(seed, "Simulated TLS CA"),
            TlsMode::SelfSigned => leaf.clone(),
            TlsMode::Kms => Party::new(seed, "Dstack App CA"),
        };
        Self {
            leaf,
            issuer,
            now,
            valid_from: None,
            mode,
            extensions: vec![],
            kms: None,
            presented: None,
            only_tls12: false,
            every_second: None,
        }
    }

    /// An RA-TLS identity as dstack up to 0.5 issues it: the certificate carries a quote of `cvm` that binds its key, and the
    /// event log; the app's CA and the KMS's are presented with it.
    pub fn ra_tls(seed: u64, now: u64, cvm: &Cvm) -> Self {
        let identity = Self::of_app(seed, now, cvm);
        let evidence = identity.bound_evidence(cvm);
        let log = event_log::to_json(&evidence.event_log).to_string();
        identity
            .with_ra_tls_extension(RA_TLS_QUOTE, &evidence.quote)
            .with_ra_tls_extension(RA_TLS_EVENT_LOG, log.as_bytes())
    }

    /// The same as dstack 0.5.9 and later issues it: with a versioned attestation, which `encode` writes.
    pub fn ra_tls_versioned(
        seed: u64,
        now: u64,
        cvm: &Cvm,
        encode: impl FnOnce(Versioned) -> Vec<u8>,
    ) -> Self {
        let identity = Self::of_app(seed, now, cvm);
        let attestation = encode(Versioned::of(&identity.bound_evidence(cvm)));
        identity.with_ra_tls_extension(RA_TLS_ATTESTATION, &attestation)
    }

    /// An identity of a KMS: its root key signs the certificate, which carries evidence of `cvm`. Only the certificate itself is
    /// presented, as by KMSs up to 0.5.
    pub fn kms(seed: u64, now: u64, cvm: &Cvm, root_seed: u64) -> Self {
        let mut identity =
            Self::new(seed, now, TlsMode::SelfSigned).with_ra_tls_extension(RA_TLS_USAGE, b"kms:rpc");
        identity.issuer = Party::with_key("Dstack KMS CA", kms_root_key(root_seed));
        let attestation = Versioned::of(&identity.bound_evidence(cvm)).msgpack();
        identity.with_ra_tls_extension(RA_TLS_ATTESTATION, &attestation)
    }

    /// Answers every second connection as another identity.
    #[must_use]
    pub fn every_second(mut self, other: Self) -> Self {
        self.every_second = Some(Box::new(other));
        self
    }

    /// A certificate of an app without evidence.
    fn of_app(seed: u64, now: u64, cvm: &Cvm) -> Self {
        let mut identity = Self::new(seed, now, TlsMode::Kms)
            .with_ra_tls_extension(RA_TLS_APP_ID, &cvm.app_id_bytes())
            .with_ra_tls_extension(RA_TLS_USAGE, b"app:custom");
        identity.kms = Some((cvm.app_id_bytes(), cvm.world.seed));
        identity
    }

    /// Evidence of a CVM that binds this key.
    fn bound_evidence(&self, cvm: &Cvm) -> Evidence {
        let mut cvm = cvm.clone();
        cvm.report_data = ReportDataLayout::ra_tls(&self.spki_der());
        cvm.evidence("")
    }

    /// Adds an RA-TLS extension: OID and content, wrapped in two OCTET STRINGs as dstack does (spec §1.g).
    #[must_use]
    pub fn with_ra_tls_extension(mut self, oid: &str, content: &[u8]) -> Self {
        self.extensions.push((oid.to_owned(), content.to_vec()));
        self
    }

    /// With certificates that are good from a time on, Unix seconds.
    #[must_use]
    pub fn valid_from(mut self, at: u64) -> Self {
        self.valid_from = Some(at);
        self
    }

    /// Without its extensions of this OID.
    #[must_use]
    pub fn without_ra_tls_extension(mut self, oid: &str) -> Self {
        self.extensions.retain(|(own, _)| own != oid);
        self
    }

    /// With the dstack extensions of another certificate: what a server with a key of its own can copy.
    #[must_use]
    pub fn with_extensions_of(mut self, other: &Self) -> Self {
        self.extensions.clone_from(&other.extensions);
        self
    }

    /// Presents the certificates of another identity, without its key.
    #[must_use]
    pub fn presenting(self, other: &Self) -> Self {
        self.presenting_chain(other.chain_der())
    }

    /// Presents these certificates, DER, in the place of its own.
    #[must_use]
    pub fn presenting_chain(mut self, chain: Vec<Vec<u8>>) -> Self {
        self.presented = Some(chain);
        self
    }

    /// Signed by another KMS than the CVM's.
    #[must_use]
    pub fn of_another_kms(mut self, seed: u64) -> Self {
        if let Some((_, kms)) = &mut self.kms {
            *kms = seed;
        }
        self
    }

    /// Speaks TLS 1.2 alone.
    #[must_use]
    pub fn only_tls12(mut self) -> Self {
        self.only_tls12 = true;
        self
    }

    /// SubjectPublicKeyInfo of the leaf, DER: what channel bindings hash.
    pub fn spki_der(&self) -> Vec<u8> {
        self.leaf.key.spki_der()
    }

    /// SHA-256 of [`TlsIdentity::spki_der`].
    pub fn key_hash(&self) -> [u8; 32] {
        Sha256::digest(self.spki_der()).into()
    }

    /// The leaf certificate, DER.
    pub fn leaf_der(&self) -> Vec<u8> {
        let loopback = asn1::sequence(&[
            asn1::implicit(2, b"localhost"),
            asn1::implicit(7, &[127, 0, 0, 1]),
        ]);
        let usages = asn1::sequence(&[asn1::oid("1.3.6.1.5.5.7.3.1"), asn1::oid("1.3.6.1.5.5.7.3.2")]);
        let mut more = vec![
            x509::extension("2.5.29.17", false, &loopback),
            x509::extension("2.5.29.37", false, &usages),
        ];
        more.extend(
            self.extensions
                .iter()
                .map(|(oid, content)| of_dstack(oid, content)),
        );
        self.certificate(&self.issuer, &self.leaf, None, more)
    }

    /// What the server presents, DER, the leaf first.
    pub fn chain_der(&self) -> Vec<Vec<u8>> {
        if let Some(presented) = &self.presented {
            return presented.clone();
        }
        let mut chain = vec![self.leaf_der()];
        if let Some((app_id, seed)) = &self.kms {
            let kms = Party::with_key("Dstack KMS CA", kms_root_key(*seed));
            let own = vec![
                of_dstack(RA_TLS_APP_ID, app_id),
                of_dstack(RA_TLS_USAGE, b"app:ca"),
            ];
            chain.push(self.certificate(&kms, &self.issuer, Some(0), own));
            chain.push(self.certificate(&kms, &kms, Some(1), vec![]));
        }
        chain
    }

    /// The leaf certificate, PEM.
    pub fn leaf_pem(&self) -> String {
        asn1::pem("CERTIFICATE", &self.leaf_der())
    }

    /// The certificate that a client must trust, PEM: the test CA, or the leaf itself when self-signed.
    pub fn ca_pem(&self) -> String {
        match self.mode {
            TlsMode::TestCa | TlsMode::Kms => asn1::pem(
                "CERTIFICATE",
                &self.certificate(&self.issuer, &self.issuer, Some(0), vec![]),
            ),
            TlsMode::SelfSigned => self.leaf_pem(),
        }
    }

    fn certificate(&self, issuer: &Party, subject: &Party, ca: Option<u8>, more: Vec<Vec<u8>>) -> Vec<u8> {
        let contents = Contents {
            not_before: match (self.valid_from, &self.kms) {
                (Some(from), _) => from,
                // dstack's KMS and app CA write 1975-01-01.
                (None, Some(_)) => 157_766_400,
                (None, None) => self.now.saturating_sub(86_400),
            },
            not_after: self.now.saturating_add(365 * 86_400),
            ca,
            usage: if ca.is_some() { USAGE_CA } else { USAGE_SIGNER },
            crl_url: None,
            more,
        };
        x509::certificate(issuer, subject, &contents)
    }

    fn certified(&self) -> Result<Arc<CertifiedKey>, rustls::Error> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.leaf.key.pkcs8_der()));
        // Unchecked: a server may present a certificate whose key it has not.
        let key = rustls::crypto::ring::sign::any_ecdsa_type(&key)?;
        let chain = self.chain_der().into_iter().map(CertificateDer::from).collect();
        Ok(Arc::new(CertifiedKey::new(chain, key)))
    }

    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let mut identities = vec![self.certified()?];
        if let Some(other) = &self.every_second {
            identities.push(other.certified()?);
        }
        let certified = InTurn {
            identities,
            connections: AtomicUsize::new(0),
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let versions: &[&rustls::SupportedProtocolVersion] = match self.only_tls12 {
            true => &[&rustls::version::TLS12],
            false => rustls::DEFAULT_VERSIONS,
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certified));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

/// Identities that answer one connection each, in turn.
#[derive(Debug)]
struct InTurn {
    identities: Vec<Arc<CertifiedKey>>,
    connections: AtomicUsize,
}

impl ResolvesServerCert for InTurn {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let connection = self.connections.fetch_add(1, Ordering::Relaxed);
        self.identities.get(connection % self.identities.len()).cloned()
    }
}

/// An extension of dstack, whose value is an OCTET STRING in an OCTET STRING.
fn of_dstack(oid: &str, content: &[u8]) -> Vec<u8> {
    x509::extension(oid, false, &asn1::octet_string(content))
}
