//! Why a lock file is refused: where, what, and what to do.

use super::{MAX_LOCK_BYTES, SCHEMA};
use crate::evidence::HexError;
use crate::policy::{KeyProvidersError, KnownByError, MAX_SOURCE_RULES};
use crate::toml_text::{FileMistake, Mistake, Mistakes, TomlProblem};

/// Why a lock file is refused: every mistake in it, in the order of the file. It shows the first 20.
pub type LockError = Mistakes<LockProblem>;

/// One mistake in a lock file.
pub type LockMistake = Mistake<LockProblem>;

/// What is wrong with a lock file. Where it is about a key, the text goes on after the key's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockProblem {
    /// Not a file that can be read as TOML, a key that the format does not have, or a value of another type.
    #[error(transparent)]
    Toml(#[from] TomlProblem),
    /// No `schema`.
    #[error("is missing, so this is not a lock file")]
    NoSchema,
    /// A later version of the format.
    #[error("is {0}: the lock was written by a newer cvm-verify")]
    NewerSchema(String),
    /// Some other format.
    #[error("is {0}, which is not a lock file")]
    OtherSchema(String),
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
    /// A key that its section needs.
    #[error("is missing")]
    Missing,
    /// A number that JSON does not have.
    #[error("is a number that a compose document cannot hold")]
    Number,
    /// `{ json = … }` with neither JSON text nor an object that has just this key.
    #[error("has a `json` that is not JSON text")]
    NotJson,
    /// A remark that the tables of this version, which wrote the lock, do not bear out.
    #[error("says `{0}`, but no table of cvm-verify contains this value under that name")]
    UnfoundedRemark(String),
    /// A `schema` and nothing to expect.
    #[error("the lock expects nothing")]
    ExpectsNothing,
    /// The name of a target that none can have.
    #[error("holds a name that no target can have")]
    TargetName,
    /// A file of several targets, and no target of the wanted name.
    #[error("{}", no_target(.wanted.as_deref(), .names))]
    NoTarget {
        /// The wanted name; absent if none was given.
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
    /// A file in which sections cannot be exchanged.
    #[error(
        "the file is not laid out as `cvm-verify pin` writes it, so a document cannot be written into it"
    )]
    OtherLayout,
    /// `--os-image lock` with a lock that has no registers.
    #[error("is missing, but --os-image lock asks for it")]
    NoOsImage,
    /// The policy names another app. Its id in hex.
    #[error("is {0}, so this is the lock of another app")]
    OtherApp(String),
    /// The policy names another chain.
    #[error("is {0}, so the lock holds contracts of another chain")]
    OtherChain(u64),
}

impl FileMistake for LockProblem {
    const NAMED: usize = 20;

    fn fix(&self) -> String {
        let fix = match self {
            Self::Toml(problem) => return fix_of(problem),
            Self::UnfoundedRemark(_) => {
                "The value or the remark was changed: check the value and write `observed` after it, or write a lock of \
                 one deployment again with `cvm-verify pin URL --force`."
            }
            Self::ExpectsNothing => "Write it with `cvm-verify pin URL --force`.",
            Self::NoSchema | Self::OtherSchema(_) => {
                return format!(
                    "A lock begins with schema = \"{SCHEMA}\"; write one to another file with `cvm-verify pin URL --output FILE`."
                );
            }
            Self::NewerSchema(_) => {
                return format!(
                    "Update cvm-verify; this version ({}) reads {SCHEMA}.",
                    env!("CARGO_PKG_VERSION")
                );
            }
            Self::Hex(_) | Self::Number | Self::NotJson => {
                "Correct the value, or write a lock of one deployment again with `cvm-verify pin URL --force`."
            }
            Self::KeyProvider(_) => "Or take over what `cvm-verify pin URL --output -` prints.",
            Self::KnownBy(_) => "Or take over what `cvm-verify pin URL --output -` prints.",
            Self::UnknownAcceptance(known) => return format!("These are: {known}."),
            Self::AcceptanceText(_) => "Write one sentence: what is accepted, and why.",
            Self::Owners(_) => "Name each owner once, as 0x and 40 hex digits, with commas between them.",
            Self::Repeated(_) => "Name each value once, with commas between them.",
            Self::KmsHost => "Write a host name, with a port if it is not 443: host = \"kms.example:12001\".",
            Self::TlsBinding => {
                "Write \"ratls\", \"app-key\" or \"ingress\", or remove the section to ask for none."
            }
            Self::KmsWithoutChain => "Write binding = \"ratls\", or remove the line.",
            Self::NotHeld(_) => {
                "Remove the line, or write a lock of one deployment again with `cvm-verify pin URL --force`, and review the difference."
            }
            Self::Origin => {
                "Write it without a path and without a slash at the end: origin = \"https://app.example\"."
            }
            Self::Day => "Write a day, without quotes: vulnerable_until = 2026-12-31.",
            Self::OtherApp(_) => "Correct the id, or use the lock of this app.",
            Self::OtherChain(_) => "Correct the number, or pin the contracts again.",
            Self::Missing => {
                "The registers identify an image together: give all four, or remove the section."
            }
            Self::IncompletePlace | Self::ManyPlaces => {
                "Take over what `cvm-verify pin URL --output -` prints, and fill in each `reason`."
            }
            Self::IncompleteGpu | Self::ManyGpus => "Take over what `cvm-verify pin URL --output -` prints.",
            Self::SourceRule(_) | Self::ManySources => {
                "Take over what `cvm-verify pin URL --source-repository OWNER/NAME --output -` prints."
            }
            Self::LongReason => "Write one sentence.",
            Self::TargetName => "A name has 1 to 64 letters, digits, `.`, `_` and `-`.",
            Self::NoTarget { wanted: None, .. } => "Choose one with --target NAME.",
            Self::NoTarget {
                wanted: Some(wanted), ..
            } => {
                return format!(
                    "Pin the target {wanted} into it with `cvm-verify pin`, or correct the name."
                );
            }
            Self::TooManyTargets { .. } => "Write some of the targets into a lock of their own.",
            Self::OneWithoutName => {
                "Write another file with --output, or remove this one and pin each target with --target NAME."
            }
            Self::OtherLayout => {
                "Give `compose_hash` a line of its own, and [images], [compose] and [[places]] sections of their own."
            }
            Self::NoOsImage => "Write the registers with `cvm-verify pin URL`, or choose another --os-image.",
        };
        fix.to_owned()
    }

    fn may_follow_from_another(&self) -> bool {
        matches!(
            self,
            Self::Toml(TomlProblem::EmptySection)
                | Self::NoSchema
                | Self::ExpectsNothing
                | Self::Missing
                | Self::IncompletePlace
                | Self::IncompleteGpu
                | Self::SourceRule(_)
                | Self::KmsWithoutChain
                | Self::NotHeld(_)
        )
    }
}

fn fix_of(problem: &TomlProblem) -> String {
    let fix = match problem {
        TomlProblem::TooLarge { .. } | TomlProblem::NotUtf8 => {
            "A lock has a few thousand bytes of text: check that this is the right file."
        }
        TomlProblem::OtherKind(_) => {
            "This is not a lock file: check the path. `cvm-verify pin URL --output FILE` writes a lock to another file."
        }
        TomlProblem::Empty => "Write it with `cvm-verify pin URL --force`.",
        TomlProblem::MergeConflict(_) => {
            "Do not mix two locks by hand. Take the lock of one branch (git checkout --ours FILE, or --theirs), pin again what the other \
             branch had pinned (`cvm-verify pin URL`; in a lock of several targets `cvm-verify pin --target NAME`), and review the \
             difference."
        }
        TomlProblem::NotToml(_) | TomlProblem::TooDeep => {
            "Repair the line, or write a lock of one deployment again with `cvm-verify pin URL --force`."
        }
        TomlProblem::UnknownKey(unknown) => return unknown.fix(),
        TomlProblem::Type { .. } => {
            "Correct the value, or write a lock of one deployment again with `cvm-verify pin URL --force`."
        }
        TomlProblem::EmptySection => {
            "Remove the section to expect nothing of it, or write a lock of one deployment again with `cvm-verify pin URL --force`."
        }
    };
    fix.to_owned()
}

/// Names come from a file that was read, so they are such as targets may have.
fn no_target(wanted: Option<&str>, names: &[String]) -> String {
    let names = names.join(", ");
    match wanted {
        None => format!("each block of the file is for a named target ({names})"),
        Some(wanted) => format!(
            "the file has no target {}; it has {names}",
            crate::toml_text::literal::quoted(wanted)
        ),
    }
}
