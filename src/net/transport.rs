//! How this runner reaches the network: what the user may set, and nothing from the environment (T49, T55).

use std::time::Duration;

use super::secret::Secret;

/// Transport options. They change the way, never what is believed: TLS stays checked in all of them.
#[derive(Debug, Clone)]
pub struct Transport {
    /// URL of an HTTP proxy (`http://` or `https://`), with user name and password where it needs them. Loopback
    /// addresses are never asked through it. The proxy resolves names, so of the SSRF guard only the check of literal
    /// addresses remains.
    pub proxy: Option<Secret>,
    /// PEM certificates of authorities that are trusted next to the bundled web PKI roots.
    pub ca_file: Option<Vec<u8>>,
    /// Permit loopback, private and link-local addresses, and plain http to loopback.
    pub allow_private_network: bool,
    /// Time for name look-up, TCP and TLS of one connection. 10 s by default (docs/threats.md, T48).
    pub connect_timeout: Duration,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            proxy: None,
            ca_file: None,
            allow_private_network: false,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// A transport option that cannot be used: a usage error, nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The proxy URL cannot be used; it may hold a password and is not repeated.
    #[error(
        "the proxy URL is not usable: expected http://HOST:PORT or https://HOST:PORT, with user:password@ if needed"
    )]
    Proxy,
    /// The CA file holds no certificate.
    #[error("the CA file holds no PEM certificate (-----BEGIN CERTIFICATE-----)")]
    CaFileEmpty,
    /// A certificate of the CA file cannot be used.
    #[error("certificate {number} of the CA file is not usable: {detail}")]
    CaFile {
        /// Which one, from 1.
        number: usize,
        /// What is wrong with it.
        detail: String,
    },
    /// The TLS or HTTP library refused its settings.
    #[error("the HTTP client could not be set up: {0}")]
    Client(String),
}
