//! Of which policy file a target is, and what that calls it: so that its end can be said when it has left the file.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::failure::{TargetId, hash};

/// Longest name that is kept, in bytes. A longer one is cut.
const MAX_NAME: usize = 200;
/// How many variables of channels are kept.
const MAX_VARIABLES: usize = 32;

/// A policy file, whatever it is called: SHA-256 of its path inside its repository, or as it was given. 32 bytes, hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyFileId(#[serde(with = "hex")] [u8; 32]);

impl PolicyFileId {
    /// Of the path of a policy file.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        // `./prod.toml` is `prod.toml`.
        let parts = path.components().filter(|part| *part != Component::CurDir);
        let path: PathBuf = parts.collect();
        Self(hash(
            "cvm-verify/policy-file/v1",
            [path.to_string_lossy().as_ref()],
        ))
    }

    /// Of the path of a policy file inside a repository: those of two repositories differ, though their paths are the same.
    #[must_use]
    pub fn in_repository(repository: &str, path: &Path) -> Self {
        Self(hash(
            "cvm-verify/policy-file-of-repository/v1",
            [repository, &hex::encode(Self::of(path).0)],
        ))
    }

    /// The target that this file calls `name`: two files may have one of that name each.
    #[must_use]
    pub fn target(&self, name: &str) -> TargetId {
        TargetId::in_file(name, &self.0)
    }
}

/// The entry of a policy file, or the address, that a target, or an instance of it, was verified for. Its name is the user's own word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyEntry {
    /// Absent without a policy file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<PolicyFileId>,
    pub(super) name: String,
    /// The variables that hold the secrets of its channels, by the names of the secrets, where they are not the usual ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) variables: BTreeMap<String, String>,
}

impl PolicyEntry {
    /// The entry of this name.
    #[must_use]
    pub fn new(file: Option<PolicyFileId>, name: &str) -> Self {
        let mut end = name.len().min(MAX_NAME);
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            file,
            name: name.get(..end).unwrap_or_default().to_owned(),
            variables: BTreeMap::new(),
        }
    }

    /// The same, with the variables of its channels.
    #[must_use]
    pub fn alerted_through(self, variables: BTreeMap<String, String>) -> Self {
        Self { variables, ..self }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The target that it is the entry of.
    /// File and name.
    pub(super) fn key(&self) -> (Option<[u8; 32]>, &str) {
        (self.file.map(|file| file.0), &self.name)
    }

    /// Whether it is of the same file and name.
    pub(super) fn is_named_as(&self, other: &Self) -> bool {
        self.key() == other.key()
    }

    pub(super) fn target(&self) -> TargetId {
        let of_file = self.file.map(|file| file.target(&self.name));
        of_file.unwrap_or_else(|| TargetId::of(&self.name))
    }

    /// Whether it is of this file, and none of the names is its own.
    pub(super) fn has_left(&self, file: PolicyFileId, names: &[&str]) -> bool {
        let of_file = Some(file);
        self.file == of_file
            && !names
                .iter()
                .any(|name| self.name == Self::new(of_file, name).name)
    }

    pub(super) fn is_sound(&self) -> bool {
        let is_short =
            |(name, variable): (&String, &String)| name.len() <= MAX_NAME && variable.len() <= MAX_NAME;
        self.name.len() <= MAX_NAME
            && self.variables.len() <= MAX_VARIABLES
            && self.variables.iter().all(is_short)
    }
}

/// A target with an open incident that has left its policy file, or that nothing verified for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departed {
    /// Which.
    pub target: TargetId,
    /// What the file called it, or its address.
    pub name: String,
    /// The variables of its channels' secrets, by the names of the secrets.
    pub variables: BTreeMap<String, String>,
}
