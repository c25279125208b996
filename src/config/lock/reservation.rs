//! What speaks against pinning a deployment as it is, but may be accepted in writing.

use std::fmt;

use dcap_qvl::TcbStatus;

use super::text::one_line;

/// How long a vulnerable image is accepted once it is pinned, days.
pub const VULNERABLE_DAYS: u64 = 30;

/// What speaks against pinning a deployment as it is, but may be accepted in writing (`--accept-observed`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reservation {
    /// The evidence was not asked for with a nonce.
    NoNonce,
    /// The signed report data is not this run's nonce.
    NonceMismatch,
    /// The platform is not up to date.
    Tcb {
        /// What Intel says.
        status: TcbStatus,
        /// Intel's advisories that apply.
        advisories: Vec<String>,
    },
    /// TDATTRIBUTES other than those of every dstack guest.
    TdAttributes([u8; 8]),
    /// The keys come from no KMS.
    KeyProvider(String),
    /// A development image.
    DevelopmentImage(String),
    /// An image that was seen before under no known name.
    ObservedImage(String),
    /// Registers that are in no table.
    UnknownImage,
    /// An image with published vulnerabilities.
    VulnerableImage {
        /// The image.
        name: String,
        /// The vulnerabilities.
        vulnerabilities: Vec<String>,
    },
    /// The compose document was not handed over.
    NoComposeDocument,
    /// The compose document has no field beside the docker compose file.
    NoEnvelope,
    /// The docker compose file in the compose document cannot be read.
    UnreadableImages(String),
}

impl fmt::Display for Reservation {
    /// One sentence, which the lock file repeats.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNonce => f.write_str(
                "The evidence was not asked for with a nonce, so nothing says when it was made.",
            ),
            Self::NonceMismatch => f.write_str(
                "The quote does not sign the nonce that was sent, so it may have been made at any time.",
            ),
            Self::Tcb { status, advisories } if advisories.is_empty() => {
                write!(f, "Intel rates the platform {status}, not UpToDate.")
            }
            Self::Tcb { status, advisories } => {
                let advisories = one_line(&advisories.join(", "));
                write!(f, "Intel rates the platform {status}, not UpToDate ({advisories}).")
            }
            Self::TdAttributes(value) => write!(
                f,
                "The VM was started with other attributes than any dstack guest: {}.",
                hex::encode(value)
            ),
            Self::KeyProvider(name) => {
                write!(f, "The VM's keys come from `{}`, not from a KMS.", one_line(name))
            }
            Self::DevelopmentImage(name) => write!(
                f,
                "{name} is a development image: it allows root login and has a serial console."
            ),
            Self::ObservedImage(name) => write!(
                f,
                "The OS image has no official name; it was seen before as: {name}."
            ),
            Self::UnknownImage => {
                f.write_str("The OS image is in no table of cvm-verify: its registers were taken as they are.")
            }
            Self::VulnerableImage {
                name,
                vulnerabilities,
            } => write!(
                f,
                "{name} has a published vulnerability: {}.",
                vulnerabilities.join(", ")
            ),
            Self::NoComposeDocument => f.write_str(
                "The compose document was not handed over: its hash is locked, but what is in it was not shown.",
            ),
            Self::NoEnvelope => {
                f.write_str("The compose document has no field beside the docker compose file.")
            }
            Self::UnreadableImages(problem) => {
                write!(f, "No images are listed: {}.", one_line(problem))
            }
        }
    }
}
