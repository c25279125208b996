//! What is wrong with a TOML file, whatever it is for.

use super::depth::MAX_DEPTH;
use super::nearest;

/// What is wrong with a TOML file, whatever it is for. Where it is about a key, the text goes on after the key's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TomlProblem {
    /// Larger than any file of its kind.
    #[error("the file has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most bytes that are read.
        limit: usize,
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
    /// Deeper than any file of ours.
    #[error("the file nests more than {MAX_DEPTH} deep here")]
    TooDeep,
    /// Not TOML: what the parser says of the line.
    #[error("this is not TOML: {0}")]
    NotToml(String),
    /// A file of another kind: no line of it is TOML.
    #[error("the file is {0}, not TOML")]
    OtherKind(&'static str),
    /// A key that is not allowed there.
    #[error("is unknown")]
    UnknownKey(UnknownKey),
    /// A value of another type.
    #[error("is a TOML {found}, not {expected}")]
    Type {
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// A section without entries.
    #[error("is empty")]
    EmptySection,
}

/// The keys that may stand where an unknown one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownKey {
    /// The one that was probably meant.
    pub near: Option<&'static str>,
    /// All of them; none where one is near.
    pub known: Vec<&'static str>,
}

impl UnknownKey {
    /// About a key `name` where `known` may stand.
    #[must_use]
    pub fn new(name: &str, known: &[&'static str]) -> Self {
        let near = nearest(name, known.iter().copied());
        Self {
            near,
            known: near.map_or_else(|| known.to_vec(), |_| Vec::new()),
        }
    }

    /// What to do about a key, a sentence.
    #[must_use]
    pub fn fix(&self) -> String {
        self.near_or(|known| format!("Remove it, or correct its name: {known} are known here."))
    }

    /// What to do about a value among some words, a sentence.
    #[must_use]
    pub(crate) fn fix_of_value(&self) -> String {
        self.near_or(|known| format!("Write one of: {known}."))
    }

    fn near_or(&self, otherwise: impl FnOnce(&str) -> String) -> String {
        match self.near {
            Some(near) => format!("Did you mean `{near}`?"),
            None => otherwise(&self.known.join(", ")),
        }
    }
}
