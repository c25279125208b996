//! The certificate chain that a TLS server presented, and what a run saw of the connections.

use super::ingress::IngressSeen;

/// Most certificates of a chain. A chain of dstack has three, those of public CAs up to four.
pub(crate) const MAX_TLS_CERTIFICATES: usize = 8;

/// Bytes of one certificate, DER. Those that carry a quote and a complete event log have about 14 KiB.
pub const MAX_TLS_CERTIFICATE_BYTES: usize = 64 * 1024;

/// The certificates that a TLS server presented, DER, its own first: at least one and at most
/// `MAX_TLS_CERTIFICATES`, each at most `MAX_TLS_CERTIFICATE_BYTES`. Nothing of it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsChain {
    leaf: Vec<u8>,
    issuers: Vec<Vec<u8>>,
}

/// Why certificates are not a chain that is read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsChainError {
    /// None.
    #[error("it has no certificate")]
    Empty,
    /// Too many.
    #[error("it has {0} certificates; at most {MAX_TLS_CERTIFICATES} are read")]
    TooMany(usize),
    /// One that is too large.
    #[error("certificate {number} has {size} bytes; at most {MAX_TLS_CERTIFICATE_BYTES} are read")]
    TooLarge {
        /// Which one, from 1.
        number: usize,
        /// Its size, bytes.
        size: usize,
    },
}

impl TlsChain {
    /// Takes certificates, DER, the server's own first.
    ///
    /// # Errors
    /// [`TlsChainError`] says which limit is passed.
    #[doc(hidden)]
    pub fn new(certificates: Vec<Vec<u8>>) -> Result<Self, TlsChainError> {
        let count = certificates.len();
        if count > MAX_TLS_CERTIFICATES {
            return Err(TlsChainError::TooMany(count));
        }
        let large = certificates
            .iter()
            .position(|certificate| certificate.len() > MAX_TLS_CERTIFICATE_BYTES);
        if let Some(index) = large {
            return Err(TlsChainError::TooLarge {
                number: index + 1,
                size: certificates.get(index).map_or(0, Vec::len),
            });
        }
        let mut certificates = certificates.into_iter();
        let leaf = certificates.next().ok_or(TlsChainError::Empty)?;
        Ok(Self {
            leaf,
            issuers: certificates.collect(),
        })
    }

    /// The server's own certificate, DER.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    /// The other certificates, DER, as they were presented.
    pub(crate) fn issuers(&self) -> impl Iterator<Item = &[u8]> {
        self.issuers.iter().map(Vec::as_slice)
    }

    /// All of them, DER, the server's own first.
    pub fn certificates(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(self.leaf()).chain(self.issuers())
    }
}

/// What a run saw of TLS at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSession {
    /// What the server presented on the first connection that it answered over.
    pub chain: TlsChain,
    /// How many other keys answered on later connections of the run.
    pub other_keys: usize,
    /// Whether a public CA, or one that the user named, vouches for the leaf and the host name.
    pub has_trusted_ca: bool,
    /// How a gateway passes connections for this host name on, as the name says.
    pub host: TlsHost,
    /// Whether the handshakes were this run's own.
    pub seen: Seen,
    /// What the endpoint did with report data that nobody may choose.
    pub probe: Probe,
    /// What was seen of an ingress at the address.
    pub ingress: IngressSeen,
}

/// What the first label of a host name says of a dstack gateway. It is a claim of the address and proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsHost {
    /// Nothing: no name of a gateway.
    #[default]
    Other,
    /// TLS ends in the gateway.
    Gateway,
    /// The gateway passes TLS through to the VM.
    Passthrough,
}

/// Whose handshakes a session is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// This run's: the server proved with a signature in each handshake that it holds the leaf's key.
    Live,
    /// A recording's: its own claim.
    Recorded,
}

/// What was seen of an endpoint that quotes values of others, when it was asked to quote 64 random bytes. None seen is not
/// none there: it may have other ways, and other endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It was not asked.
    NotSent,
    /// It refused, or quoted nothing of the 64 bytes.
    NoneSeen,
    /// It quoted 32 of them, unchanged, or their SHA-256, or text that is not hex.
    Quotes32,
    /// It quoted all of them, unchanged.
    Quotes64,
    /// What it would do is not known. For people, a clause.
    Unknown(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_has_its_limits() {
        let of = |sizes: &[usize]| TlsChain::new(sizes.iter().map(|size| vec![0; *size]).collect());
        assert_eq!(of(&[]), Err(TlsChainError::Empty));
        assert_eq!(of(&[1; 9]), Err(TlsChainError::TooMany(9)));
        assert_eq!(
            of(&[1, 65 * 1024]),
            Err(TlsChainError::TooLarge {
                number: 2,
                size: 65 * 1024
            })
        );
        let chain = of(&[3, 2, MAX_TLS_CERTIFICATE_BYTES]).unwrap();
        assert_eq!(chain.leaf().len(), 3);
        assert_eq!(chain.certificates().count(), 3);
        assert!(of(&[1; MAX_TLS_CERTIFICATES]).is_ok());
    }
}
