//! A value that the user expects, and who said so.

use std::fmt;

use crate::toml_text::Position;

/// A value that the user expects, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<T> {
    /// The value.
    pub value: T,
    /// Who said so.
    pub origin: Origin,
}

/// Where an expectation came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An option, with its dashes.
    Option(&'static str),
    /// A key of the policy file.
    File {
        /// The file's path.
        path: String,
        /// Where in it.
        place: Position,
    },
    /// A lock file, by its path.
    Lock(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => f.write_str(name),
            Self::File { path, place } => write!(f, "{path}:{}", place.line),
            Self::Lock(path) => f.write_str(path),
        }
    }
}
