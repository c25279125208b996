//! Why a measurement document is not usable.

use super::td_hob::WitnessError;

/// The document's name in the checksum file.
pub(super) const FILE_NAME: &str = "measurement.tdx.cbor";

/// Why a measurement document is not usable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More bytes than accepted.
    #[error("the {what} has {bytes} bytes; at most {limit} are accepted")]
    TooLarge {
        /// `checksum file` or `measurement document`.
        what: &'static str,
        /// How many it has.
        bytes: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// The checksum file is not a list of `SHA-256  NAME` lines.
    #[error("line {0} of the checksum file is not `SHA-256  NAME`")]
    ChecksumLine(usize),
    /// The checksum file names a file twice.
    #[error("the checksum file names {FILE_NAME} twice")]
    ListedTwice,
    /// The checksum file does not list the document.
    #[error("the checksum file does not list {FILE_NAME}")]
    NotListed,
    /// The checksum file lists another document.
    #[error("the checksum file lists {FILE_NAME} with SHA-256 {listed}, the document has {found}")]
    OtherDocument {
        /// Hex of 32 bytes.
        listed: String,
        /// Hex of 32 bytes.
        found: String,
    },
    /// Not the CBOR that is expected.
    #[error("the measurement document is not CBOR with definite lengths: {0}")]
    Cbor(String),
    /// A key that this version does not know: it could change what the others mean.
    #[error("the measurement document has the unknown key `{0}`")]
    UnknownKey(String),
    /// A key given twice.
    #[error("the measurement document has the key `{0}` twice")]
    DuplicateKey(&'static str),
    /// A key that must be there.
    #[error("the measurement document lacks the key `{0}`")]
    MissingKey(&'static str),
    /// A field with another value than one that is understood.
    #[error("`{field}` of the measurement document {problem}")]
    Field {
        /// The field's path.
        field: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A version that is not read.
    #[error("the measurement document has version {0}; versions 3 and 4 are read")]
    Version(u64),
    /// Bytes after the document.
    #[error("the measurement document has {0} bytes after its end")]
    TrailingBytes(usize),
    /// The firmware's memory layout.
    #[error("{0}")]
    Witness(#[from] WitnessError),
}
