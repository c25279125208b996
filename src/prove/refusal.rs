//! Why a quote was refused.

/// Why a quote was refused. Each is deterministic: asking again gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefusal {
    /// The bytes are not a quote.
    #[error("the bytes are not a quote: {0}")]
    Malformed(String),
    /// A quote of another TEE.
    #[error("this is a quote of {0}, not of a TDX VM")]
    NotTdx(String),
    /// Something other than padding follows the quote.
    #[error("{count} bytes follow the quote's signature and are not all zero")]
    TrailingBytes {
        /// How many bytes follow.
        count: usize,
    },
    /// TDATTRIBUTES or MRSERVICETD allow someone outside to look into or change the VM.
    #[error("the VM's attributes are refused: {0}")]
    AttributesRefused(String),
    /// The platform is older than anything that Intel still rates.
    #[error("the platform's security version is below every level that Intel rates")]
    NoMatchingTcbLevel,
    /// Intel revoked the platform's level.
    #[error("Intel has revoked the platform's TCB level")]
    Revoked,
    /// A signature, a chain, a hash or an identity does not hold.
    #[error("the quote does not verify: {0}")]
    NotVerified(String),
}

impl QuoteRefusal {
    /// The reason under which the `quote-signature` check reports it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::NotTdx(_) => "not-tdx",
            Self::TrailingBytes { .. } => "trailing-bytes",
            Self::AttributesRefused(_) => "attributes-refused",
            Self::NoMatchingTcbLevel => "no-matching-tcb-level",
            Self::Revoked => "revoked",
            Self::NotVerified(_) => "not-verified",
        }
    }
}
