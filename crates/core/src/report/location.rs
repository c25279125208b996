//! The line of a file that a result points at.

use serde::{Deserialize, Serialize};

/// The line of the lock or policy file that holds the expectation of a check.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct Location {
    /// The file's path, as the user gave it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key with its tables. If the file lacks it, `line` is that of the innermost table around it.
    pub key: String,
}
