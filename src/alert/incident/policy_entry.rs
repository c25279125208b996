//! Of which policy file a target is, and what that calls it: so that its end can be said when it has left the file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::failure::{TargetId, hash};

/// Longest name that is kept, in bytes. A longer one is cut.
const MAX_NAME: usize = 200;

/// A policy file, whatever it is called: SHA-256 of its path as it was given. 32 bytes, hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyFileId(#[serde(with = "hex")] [u8; 32]);

impl PolicyFileId {
    /// Of the path of a policy file.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self(hash(
            "cvm-verify/policy-file/v1",
            [path.to_string_lossy().as_ref()],
        ))
    }
}

/// The entry of a policy file that a target, or an instance of it, was verified for. Its name is the user's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    pub(super) file: PolicyFileId,
    pub(super) name: String,
}

impl PolicyEntry {
    /// The entry of this name.
    #[must_use]
    pub fn new(file: PolicyFileId, name: &str) -> Self {
        let mut end = name.len().min(MAX_NAME);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            file,
            name: name.get(..end).unwrap_or_default().to_owned(),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is of this file, and none of the names is its own.
    pub(super) fn has_left(&self, file: PolicyFileId, names: &[&str]) -> bool {
        self.file == file && !names.iter().any(|name| *self == Self::new(file, name))
    }

    pub(super) fn is_sound(&self) -> bool {
        self.name.len() <= MAX_NAME
    }
}

/// A target with an open incident that has left its policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departed {
    /// Which.
    pub target: TargetId,
    /// What the file called it.
    pub name: String,
}
