//! TLS settings: ring, the bundled web PKI roots, the user's own CA certificates. Never unchecked (T27).

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

use super::leaf::{LeafWatch, WatchingVerifier};
use super::transport::SetupError;
use cvm_verify_core::evidence::excerpt;

/// A client configuration that trusts the bundled roots and, next to them, the certificates in `ca_file` (PEM).
pub(super) fn config(ca_file: Option<&[u8]>) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::Client(error.to_string()))?
        .with_root_certificates(roots(ca_file)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The same for requests to one host, with what it presents told to `watch`. No session is resumed: each connection proves
/// that its server has the key.
pub(super) fn watching(
    ca_file: Option<&[u8]>,
    host: ServerName<'static>,
    watch: LeafWatch,
) -> Result<ClientConfig, SetupError> {
    let unusable = |error: &dyn std::fmt::Display| SetupError::Client(error.to_string());
    let mut config = config(ca_file)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let algorithms = provider.signature_verification_algorithms;
    let web_pki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(ca_file)?), provider)
        .build()
        .map_err(|error| unusable(&error))?;
    let verifier = WatchingVerifier::new(web_pki, algorithms, host, watch);
    config.dangerous().set_certificate_verifier(Arc::new(verifier));
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn roots(ca_file: Option<&[u8]>) -> Result<RootCertStore, SetupError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let Some(pem) = ca_file else {
        return Ok(roots);
    };
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let unusable = |detail: String| SetupError::CaFile {
            number: added + 1,
            detail: excerpt(&detail),
        };
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
        added += 1;
    }
    if added == 0 {
        return Err(SetupError::CaFileEmpty);
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_roots_are_there_and_a_ca_file_adds_to_them() {
        let bundled = roots(None).unwrap().len();
        assert!(bundled > 50);
        let ca = crate::net::loopback::TestPki::new();
        assert_eq!(roots(Some(ca.root_pem().as_bytes())).unwrap().len(), bundled + 1);
    }

    #[test]
    fn a_ca_file_without_a_certificate_is_said_to_be_empty() {
        assert_eq!(roots(Some(b"")).unwrap_err(), SetupError::CaFileEmpty);
        assert_eq!(
            roots(Some(b"not a certificate")).unwrap_err(),
            SetupError::CaFileEmpty
        );
    }

    #[test]
    fn a_broken_certificate_is_named_by_its_number() {
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            roots(Some(pem)),
            Err(SetupError::CaFile { number: 1, .. })
        ));
    }
}
