//! A value that the user expects, and where it is set.

use std::fmt;

use super::lock_key::LockKey;
use crate::report::Location;
use crate::toml_text::Position;

/// A value that the user expects, and where it is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected<T> {
    /// The value.
    pub value: T,
    /// Where it is set.
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
        /// The key.
        key: &'static str,
        /// Where in it.
        place: Position,
    },
    /// A key of a lock file.
    Lock(LockKey),
}

impl Origin {
    /// The line of the file; absent for an option.
    #[must_use]
    pub fn location(&self) -> Option<Location> {
        let (file, key, place) = match self {
            Self::Option(_) => return None,
            Self::File { path, key, place } => (path.clone(), (*key).to_owned(), *place),
            Self::Lock(lock) => (lock.path.to_string(), lock.key.clone(), lock.place?),
        };
        Some(Location {
            file,
            line: place.line,
            key,
        })
    }

    /// What to correct where another value is right after all; none for a lock, which `pin` writes again.
    #[must_use]
    pub(crate) fn to_correct(&self) -> Option<String> {
        match self {
            Self::Option(name) => Some((*name).to_owned()),
            Self::File { path, key, place } => Some(format!("`{key}` in line {} of {path}", place.line)),
            Self::Lock(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Option(name) => f.write_str(name),
            Self::File { path, place, .. } => write!(f, "{path}:{}", place.line),
            Self::Lock(lock) => lock.fmt(f),
        }
    }
}
