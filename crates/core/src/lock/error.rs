//! Why a lock file is refused: where, what, and what to do.

use super::{MAX_LOCK_BYTES, SCHEMA};
use crate::evidence::HexError;
use crate::policy::KnownByError;
use crate::policy::{KeyProvidersError, MAX_EXCEPTION_DAYS, MAX_SOURCE_RULES};
use crate::toml_text::Position;
use crate::toml_text::depth::MAX_DEPTH;

/// Why a lock file is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockError {
    /// The file's path.
    pub path: String,
    /// Where in it, where that is known.
    pub place: Option<Position>,
    /// The key with its section, where it is about one.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: LockProblem,
    /// What else is wrong in the same file, in its order.
    pub others: Vec<LockError>,
    /// How many mistakes there are beside these.
    pub unnamed: usize,
}

/// What is wrong with a lock file. Where it is about a key, the text goes on after the key's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockProblem {
    /// Larger than any lock.
    #[error("the file is {size} bytes; at most {MAX_LOCK_BYTES} are read")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// Not text.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// Nothing in it but blanks.
    #[error("the file is empty")]
    Empty,
    /// A marker that git leaves where a merge was not finished.
    #[error("a merge conflict is not resolved here (`{0}`)")]
    MergeConflict(&'static str),
    /// Deeper than any lock.
    #[error("the file nests more than {MAX_DEPTH} deep here")]
    TooDeep,
    /// Not TOML.
    #[error("the file is not TOML: {0}")]
    NotToml(String),
    /// No `schema`.
    #[error("is missing, so this is not a lock file")]
    NoSchema,
    /// A later version of the format.
    #[error("is {0}: the lock was written by a newer cvm-verify")]
    NewerSchema(String),
    /// Some other format.
    #[error("is {0}, which is not a lock file")]
    OtherSchema(String),
    /// A key that the format does not have.
    #[error("is unknown")]
    UnknownKey {
        /// The one that was probably meant.
        near: Option<&'static str>,
        /// The keys that may stand there.
        known: &'static [&'static str],
    },
    /// A value of another type.
    #[error("is a TOML {found}, not {expected}")]
    Type {
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// Hex of another length, or no hex.
    #[error("{0}")]
    Hex(#[from] HexError),
    /// No key provider.
    #[error("is refused: {0}")]
    KeyProvider(#[from] KeyProvidersError),
    /// No way in which an image is known.
    #[error("{0}")]
    KnownBy(#[from] KnownByError),
    /// A name in `[accepted]` that `--accept` does not have.
    #[error("is not a thing to accept")]
    UnknownAcceptance(String),
    /// A sentence in `[accepted]` that is empty or too long.
    #[error("is empty, or longer than {0} bytes")]
    AcceptanceText(usize),
    /// A lock that accepts what it does not hold.
    #[error("accepts what this lock does not hold: {0}")]
    NotHeld(String),
    /// Owners of a contract that repeat, or are too many.
    #[error("names an owner twice, or more than {0} owners")]
    Owners(usize),
    /// Values of a list that repeat, or are too many.
    #[error("names something twice, or more than {0} values")]
    Repeated(usize),
    /// Not the host of a KMS.
    #[error("is not the host of a KMS")]
    KmsHost,
    /// No way of binding a TLS key.
    #[error("is not a way in which a VM binds a TLS key")]
    TlsBinding,
    /// A KMS of a certificate where no certificate is asked for.
    #[error("is the KMS of an RA-TLS certificate, and `binding` asks for none")]
    KmsWithoutChain,
    /// No address, or more than scheme, host and port.
    #[error("is not the origin of an address: scheme, host and port")]
    Origin,
    /// No day.
    #[error("is not a day of the form YYYY-MM-DD after 1970")]
    Day,
    /// A day too far ahead.
    #[error("is more than {MAX_EXCEPTION_DAYS} days ahead")]
    TooFar,
    /// A place of `[[places]]` that lacks a key.
    #[error("is missing")]
    IncompletePlace,
    /// A reason of `[[places]]` that is no sentence.
    #[error("has more than 1,024 bytes")]
    LongReason,
    /// More places than a person reviews.
    #[error("has more than 200 entries")]
    ManyPlaces,
    /// A kind of GPU in `[[gpus]]` that lacks a key, or has one without a value.
    #[error("is missing, or is not a value of 1 to 64 characters")]
    IncompleteGpu,
    /// More kinds of GPU than a deployment has.
    #[error("has more than 32 kinds of GPU")]
    ManyGpus,
    /// A rule of `[[sources]]` that says nothing that can be judged.
    #[error("{0}")]
    SourceRule(String),
    /// More rules than a person reviews.
    #[error("has more than {MAX_SOURCE_RULES} entries")]
    ManySources,
    /// A section without entries.
    #[error("is empty")]
    EmptySection,
    /// A key that its section needs.
    #[error("is missing")]
    Missing,
    /// A number that JSON does not have.
    #[error("is a number that a compose document cannot hold")]
    Number,
    /// `{ json = … }` with neither JSON text nor an object that has just this key.
    #[error("has a `json` that is not JSON text")]
    NotJson,
    /// A `schema` and nothing to expect.
    #[error("the lock expects nothing")]
    ExpectsNothing,
    /// The name of a target that none can have.
    #[error("holds a name that no target can have")]
    TargetName,
    /// A file of several targets, and no target of the wanted name.
    #[error("{}", no_target(.wanted.as_deref(), .names))]
    NoTarget {
        /// The wanted name; absent where none was given.
        wanted: Option<String>,
        /// The names that there are.
        names: Vec<String>,
    },
    /// A file of so many targets that it could not be read again.
    #[error("with this target the file would have {size} bytes; at most {MAX_LOCK_BYTES} are read")]
    TooManyTargets {
        /// Its size in bytes.
        size: usize,
    },
    /// A file of one deployment where several are wanted.
    #[error("the file holds one deployment without a name")]
    OneWithoutName,
    /// `--os-image lock` with a lock that has no registers.
    #[error("is missing, but --os-image lock asks for it")]
    NoOsImage,
}

impl LockProblem {
    /// What to do, a sentence or more.
    #[must_use]
    pub fn fix(&self) -> String {
        let fix = match self {
            Self::TooLarge { .. } | Self::NotUtf8 => {
                "A lock has a few thousand bytes of text: check that this is the right file."
            }
            Self::Empty | Self::ExpectsNothing => "Write it with `cvm-verify pin URL`.",
            Self::MergeConflict(_) => {
                "Do not mix two locks by hand: take one side, or run `cvm-verify pin URL` again and review the difference."
            }
            Self::NotToml(_) | Self::TooDeep => {
                "Repair the line, or write the lock again with `cvm-verify pin URL`."
            }
            Self::NoSchema | Self::OtherSchema(_) => {
                return format!(
                    "A lock begins with schema = \"{SCHEMA}\"; write one with `cvm-verify pin URL`."
                );
            }
            Self::NewerSchema(_) => {
                return format!(
                    "Update cvm-verify; this version ({}) reads {SCHEMA}.",
                    env!("CARGO_PKG_VERSION")
                );
            }
            Self::UnknownKey { near: Some(near), .. } => return format!("Did you mean `{near}`?"),
            Self::UnknownKey { near: None, known } => {
                return format!(
                    "Remove it, or correct its name: {} are known here.",
                    known.join(", ")
                );
            }
            Self::Type { .. } | Self::Hex(_) | Self::Number | Self::NotJson => {
                "Correct the value, or write the lock again with `cvm-verify pin URL`."
            }
            Self::KeyProvider(_) => "Or take over what `cvm-verify pin URL` writes.",
            Self::KnownBy(_) => "Or take over what `cvm-verify pin URL` writes.",
            Self::UnknownAcceptance(known) => return format!("These are: {known}."),
            Self::AcceptanceText(_) => "Write one sentence: what is accepted, and why.",
            Self::Owners(_) => "Name each owner once, as 0x and 40 hex digits, with commas between them.",
            Self::Repeated(_) => "Name each value once, with commas between them.",
            Self::KmsHost => "Write a host name, with a port if it is not 443: host = \"kms.example:12001\".",
            Self::TlsBinding => {
                "Write \"ratls\", \"app-key\" or \"ingress\", or remove the section to ask for none."
            }
            Self::KmsWithoutChain => "Write binding = \"ratls\", or remove the line.",
            Self::NotHeld(_) => "Remove the line, or pin the deployment again and review the difference.",
            Self::Origin => {
                "Write it without a path and without a slash at the end: origin = \"https://app.example\"."
            }
            Self::Day => "Write a day, without quotes: vulnerable_until = 2026-12-31.",
            Self::TooFar => {
                "Set an earlier day, and renew it when you have looked at the vulnerability again."
            }
            Self::EmptySection => {
                "Remove the section to expect nothing of it, or fill it with `cvm-verify pin URL`."
            }
            Self::Missing => {
                "The registers identify an image together: give all four, or remove the section."
            }
            Self::IncompletePlace | Self::ManyPlaces => {
                "Take over what `cvm-verify pin URL` writes, and fill in each `reason`."
            }
            Self::IncompleteGpu | Self::ManyGpus => "Take over what `cvm-verify pin URL` writes.",
            Self::SourceRule(_) | Self::ManySources => {
                "Take over what `cvm-verify pin URL --source-repository OWNER/NAME` writes."
            }
            Self::LongReason => "Write one sentence.",
            Self::TargetName => "A name has 1 to 64 letters, digits, `.`, `_` and `-`.",
            Self::NoTarget { wanted: None, .. } => "Choose one with --target NAME.",
            Self::NoTarget {
                wanted: Some(wanted), ..
            } => return format!("Pin it with `cvm-verify pin --target {wanted}`, or correct the name."),
            Self::TooManyTargets { .. } => "Write some of the targets into a lock of their own.",
            Self::OneWithoutName => {
                "Write another file with --output, or remove this one and pin each target with --target NAME."
            }
            Self::NoOsImage => "Write the registers with `cvm-verify pin URL`, or choose another --os-image.",
        };
        fix.to_owned()
    }
}

/// Names come from a file that was read, so they are such as targets may have.
fn no_target(wanted: Option<&str>, names: &[String]) -> String {
    let names = names.join(", ");
    match wanted {
        None => format!("the file holds several targets ({names})"),
        Some(wanted) => format!(
            "the file has no target {}; it has {names}",
            crate::toml_text::literal::quoted(wanted)
        ),
    }
}

impl std::fmt::Display for LockError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)?;
        if let Some(Position { line, column }) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        match &self.key {
            Some(key) => write!(f, ": `{key}` {}. {}", self.problem, self.problem.fix())?,
            None => write!(f, ": {}. {}", self.problem, self.problem.fix())?,
        }
        for other in &self.others {
            write!(f, "\n{other}")?;
        }
        match self.unnamed {
            0 => Ok(()),
            1 => f.write_str("\n… and one more mistake"),
            more => write!(f, "\n… and {more} more mistakes"),
        }
    }
}

impl std::error::Error for LockError {}
