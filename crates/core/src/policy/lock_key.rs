//! A key of a lock file, as the place of an expectation.

use std::fmt;
use std::sync::Arc;

use crate::toml_text::Position;

/// A key of a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockKey {
    /// The file's path.
    pub path: Arc<str>,
    /// The key with its tables, as TOML writes it.
    pub key: String,
    /// Where it stands, or the innermost table around it that is there. Absent for a lock without a text.
    pub place: Option<Position>,
    /// Whether the file has it; a lock that `pin` is about to write is in no file.
    pub is_file: bool,
}

impl fmt::Display for LockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}
