//! The certificates that a server presents, kept for the binding of its key (docs/tls.md).
//!
//! A certificate counts only after the server signed the handshake with its key, which the provider's own functions
//! check. A copied certificate without its key ends the handshake before anything is sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use cvm_verify_core::evidence::TlsChain;

/// Most different certificates that are kept of one run.
const MAX_CERTIFICATES: usize = 16;

/// What a server presented, and proved to have the key of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveChain {
    /// What it presented.
    pub chain: TlsChain,
    /// Whether a trusted CA vouches for it and the host name.
    pub has_trusted_ca: bool,
}

/// What the connections to one host presented. Cheap to clone; all clones see the same.
#[derive(Debug, Clone, Default)]
pub struct LeafWatch(Arc<Mutex<SeenChains>>);

#[derive(Debug, Default)]
struct SeenChains {
    /// Presented, and not yet signed with.
    presented: Vec<LiveChain>,
    /// Signed with, each certificate once, in the order of the connections.
    live: Vec<LiveChain>,
    /// Refused: no trusted CA vouches for it.
    refused: Option<TlsChain>,
    /// The leaf, DER, of the last handshake that its key did not sign.
    not_held: Option<Vec<u8>>,
    /// Leaves, DER, that are accepted without a trusted CA: their own evidence binds their keys.
    admitted: Vec<Vec<u8>>,
}

impl LeafWatch {
    /// What answered so far: each certificate that was presented and signed with, once, in the order of the connections.
    #[must_use]
    pub fn live(&self) -> Vec<LiveChain> {
        self.state().live.clone()
    }

    /// The certificates that were refused last, because no trusted CA vouches for them; once.
    #[must_use]
    pub fn take_refused(&self) -> Option<TlsChain> {
        self.state().refused.take()
    }

    /// The leaf, DER, that was refused last, because no trusted CA vouches for it.
    #[must_use]
    pub fn refused(&self) -> Option<Vec<u8>> {
        self.state().refused.as_ref().map(|chain| chain.leaf().to_vec())
    }

    /// The leaf, DER, of the last handshake that the server did not sign with the leaf's key; once.
    #[must_use]
    pub fn take_not_held(&self) -> Option<Vec<u8>> {
        self.state().not_held.take()
    }

    /// Accepts a leaf from now on without a trusted CA. Its own evidence must have been proven to bind its key; whether the
    /// server has that key is checked in each handshake as ever.
    pub fn admit(&self, chain: &TlsChain) {
        let mut state = self.state();
        if state.admitted.len() < MAX_CERTIFICATES {
            state.admitted.push(chain.leaf().to_vec());
        }
    }

    /// The leaves, DER, that were accepted without a trusted CA, whether they answered since or not.
    #[must_use]
    pub fn admitted(&self) -> Vec<Vec<u8>> {
        self.state().admitted.clone()
    }

    fn state(&self) -> MutexGuard<'_, SeenChains> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A verifier of the web PKI that tells a [`LeafWatch`] what it saw of one host.
#[derive(Debug)]
pub(super) struct WatchingVerifier {
    web_pki: Arc<WebPkiServerVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
    host: ServerName<'static>,
    watch: LeafWatch,
}

impl WatchingVerifier {
    pub(super) fn new(
        web_pki: Arc<WebPkiServerVerifier>,
        algorithms: WebPkiSupportedAlgorithms,
        host: ServerName<'static>,
        watch: LeafWatch,
    ) -> Self {
        Self {
            web_pki,
            algorithms,
            host,
            watch,
        }
    }

    /// Whether the server signed the handshake with the key of this leaf.
    fn signed_with(&self, leaf: &CertificateDer<'_>, is_valid: bool) {
        let mut state = self.watch.state();
        let is_this = |seen: &LiveChain| seen.chain.leaf() == leaf.as_ref();
        let Some(index) = state.presented.iter().position(is_this) else {
            return;
        };
        let seen = state.presented.swap_remove(index);
        if !is_valid {
            state.not_held = Some(leaf.to_vec());
        } else if !state.live.iter().any(is_this) {
            state.live.push(seen);
        }
    }
}

impl ServerCertVerifier for WatchingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.web_pki
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        // Another host, as a proxy's: not the one that is watched.
        if *server_name != self.host {
            return verified;
        }
        let certificates = std::iter::once(end_entity).chain(intermediates);
        let chain = TlsChain::new(certificates.map(|der| der.to_vec()).collect())
            .map_err(|error| Error::General(format!("the certificate chain is refused: {error}")))?;
        let mut state = self.watch.state();
        let is_admitted = state.admitted.iter().any(|leaf| leaf == chain.leaf());
        match verified {
            Err(error) if !is_admitted => {
                state.refused = Some(chain);
                Err(error)
            }
            // What is not kept must not answer.
            _ if state.live.len() >= MAX_CERTIFICATES
                && !state.live.iter().any(|seen| seen.chain == chain) =>
            {
                Err(Error::General(
                    "too many certificates answer at this address".to_owned(),
                ))
            }
            verified => {
                // Those of handshakes that came to nothing.
                if state.presented.len() >= MAX_CERTIFICATES {
                    state.presented.remove(0);
                }
                state.presented.push(LiveChain {
                    chain,
                    has_trusted_ca: verified.is_ok(),
                });
                Ok(ServerCertVerified::assertion())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let valid = verify_tls12_signature(message, cert, dss, &self.algorithms);
        self.signed_with(cert, valid.is_ok());
        valid
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let valid = verify_tls13_signature(message, cert, dss, &self.algorithms);
        self.signed_with(cert, valid.is_ok());
        valid
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
