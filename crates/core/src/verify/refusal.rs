//! Why a quote was refused.

use std::fmt;

use crate::report::rfc3339;

/// Why a quote was refused. Each is deterministic: asking again gives the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteRefusal {
    /// The bytes are not a quote, or lack what every quote has. Goes on after "the quote is refused:".
    #[error("{0}")]
    Malformed(String),
    /// A quote of another TEE.
    #[error("this is a quote of {0}, not of a TDX VM")]
    NotTdx(String),
    /// Something other than padding follows the quote.
    #[error("{count} bytes follow its signature and are not all zero")]
    TrailingBytes {
        /// How many bytes follow.
        count: usize,
    },
    /// TDATTRIBUTES or MRSERVICETD allow someone outside to look into or change the VM.
    #[error("the VM's attributes are refused: {0}")]
    AttributesRefused(String),
    /// The platform is older than anything that Intel still rates: what is too old, and what would do.
    #[error("the platform is below every level that Intel rates: {0}")]
    NoMatchingTcbLevel(String),
    /// The same of the platform as it was when the VM was launched; what runs now is not below every level.
    #[error(
        "when the VM was launched, the platform was below every level that Intel rates: {0}. What runs now is not"
    )]
    LaunchedBelowEveryLevel(String),
    /// Intel revoked a certificate of the machine, or its level.
    #[error("{0}")]
    Revoked(Revocation),
    /// The quoting enclave is older than anything that Intel still rates.
    #[error("{0}")]
    QeOutOfDate(QeShortfall),
    /// Its certificates chain up to another root than the trusted one: a simulation or a forgery.
    #[error("{0}")]
    OtherRoot(&'static str),
    /// A signature, a chain, a hash or an identity does not hold. Goes on after "the quote is refused:".
    #[error("{0}")]
    NotVerified(String),
}

impl QuoteRefusal {
    /// Whether it is genuine, and made on a platform or by a quoting enclave that is older than anything that Intel still rates.
    #[must_use]
    pub(crate) const fn is_of_old_platform(&self) -> bool {
        matches!(
            self,
            Self::NoMatchingTcbLevel(_) | Self::LaunchedBelowEveryLevel(_) | Self::QeOutOfDate(_)
        )
    }
}

/// What Intel revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// A certificate.
    Certificate {
        /// Whose it is, as a sentence names it.
        whose: &'static str,
        /// Its serial number, hex in lower case.
        serial: String,
        /// When it was revoked, Unix seconds.
        at: u64,
    },
    /// A level of security versions.
    Level {
        /// What is at that level.
        of: &'static str,
        /// When Intel set the level, `2025-08-13`.
        date: String,
    },
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate { whose, serial, at } => {
                write!(f, "Intel revoked {whose}, serial {serial}, at {}", rfc3339(*at))
            }
            Self::Level { of, date } => {
                write!(f, "Intel revoked the level of the {of} (TCB date {date})")
            }
        }
    }
}

/// How far a quoting enclave is below the lowest level that Intel rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QeShortfall {
    /// Its security version (ISVSVN).
    pub have: u16,
    /// The lowest one that Intel rates.
    pub needs: u16,
    /// When Intel set that level, `2025-08-13`.
    pub date: String,
}

impl fmt::Display for QeShortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { have, needs, date } = self;
        write!(
            f,
            "the quoting enclave of the host is out of date: it has version {have}, and the lowest that Intel rates is {needs} \
             (TCB date {date})"
        )
    }
}
