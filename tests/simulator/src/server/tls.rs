//! The server's side of TLS: a certificate for loopback from a test CA, a self-signed one, or one with extensions.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

use sha2::{Digest as _, Sha256};

use crate::{
    asn1,
    cvm::Cvm,
    event_log,
    report_data::ReportDataLayout,
    x509::{self, Contents, Party, USAGE_CA, USAGE_SIGNER},
};

/// OID of the quote in an RA-TLS certificate (spec §1.g).
pub const RA_TLS_QUOTE: &str = "1.3.6.1.4.1.62397.1.1";
/// OID of the event log's JSON text in an RA-TLS certificate.
pub const RA_TLS_EVENT_LOG: &str = "1.3.6.1.4.1.62397.1.2";
/// OID of the app id in an RA-TLS certificate.
pub const RA_TLS_APP_ID: &str = "1.3.6.1.4.1.62397.1.3";

/// Who signs the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// A test CA, whose PEM is [`TlsIdentity::ca_pem`].
    TestCa,
    /// Nobody: self-signed.
    SelfSigned,
}

/// A key, a certificate for `localhost` and `127.0.0.1`, and its CA. A function of its inputs: it can be made before the server.
#[derive(Clone)]
pub struct TlsIdentity {
    leaf: Party,
    issuer: Party,
    now: u64,
    mode: TlsMode,
    extensions: Vec<Vec<u8>>,
}

impl TlsIdentity {
    /// Another `seed`, another key. `now` in Unix seconds: the certificate is good from a day before to a year after. TLS
    /// clients use the real clock, so this is the one place where a test passes the present time.
    pub fn new(seed: u64, now: u64, mode: TlsMode) -> Self {
        let leaf = Party::new(seed, "Simulated application");
        let issuer = match mode {
            TlsMode::TestCa => Party::new(seed, "Simulated TLS CA"),
            TlsMode::SelfSigned => leaf.clone(),
        };
        Self {
            leaf,
            issuer,
            now,
            mode,
            extensions: vec![],
        }
    }

    /// A self-signed RA-TLS identity: its certificate carries a quote of `cvm` that binds its key, and the event log.
    pub fn ra_tls(seed: u64, now: u64, cvm: &Cvm) -> Self {
        let identity = Self::new(seed, now, TlsMode::SelfSigned);
        let mut cvm = cvm.clone();
        cvm.report_data = ReportDataLayout::ra_tls(&identity.spki_der());
        let evidence = cvm.evidence("");
        let log = event_log::to_json(&evidence.event_log).to_string();
        identity
            .with_ra_tls_extension(RA_TLS_QUOTE, &evidence.quote)
            .with_ra_tls_extension(RA_TLS_EVENT_LOG, log.as_bytes())
            .with_ra_tls_extension(RA_TLS_APP_ID, &cvm.app_id_bytes())
    }

    /// Adds an RA-TLS extension: OID and content, wrapped in two OCTET STRINGs as dstack does (spec §1.g).
    pub fn with_ra_tls_extension(mut self, oid: &str, content: &[u8]) -> Self {
        self.extensions
            .push(x509::extension(oid, false, &asn1::octet_string(content)));
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
        let mut more = vec![x509::extension("2.5.29.17", false, &loopback)];
        more.extend(self.extensions.iter().cloned());
        self.certificate(&self.leaf, None, USAGE_SIGNER, more)
    }

    /// The leaf certificate, PEM.
    pub fn leaf_pem(&self) -> String {
        asn1::pem("CERTIFICATE", &self.leaf_der())
    }

    /// The certificate that a client must trust, PEM: the test CA, or the leaf itself when self-signed.
    pub fn ca_pem(&self) -> String {
        match self.mode {
            TlsMode::TestCa => asn1::pem(
                "CERTIFICATE",
                &self.certificate(&self.issuer, Some(0), USAGE_CA, vec![]),
            ),
            TlsMode::SelfSigned => self.leaf_pem(),
        }
    }

    fn certificate(
        &self,
        subject: &Party,
        ca: Option<u8>,
        usage: [u8; 2],
        more: Vec<Vec<u8>>,
    ) -> Vec<u8> {
        let contents = Contents {
            not_before: self.now.saturating_sub(86_400),
            not_after: self.now.saturating_add(365 * 86_400),
            ca,
            usage,
            crl_url: None,
            more,
        };
        x509::certificate(&self.issuer, subject, &contents)
    }

    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, rustls::Error> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.leaf.key.pkcs8_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(self.leaf_der())], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
