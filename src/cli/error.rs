//! Usage and configuration errors: nothing was verified.

use std::path::Path;

/// A usage or configuration error. Exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    /// An error about an option.
    pub fn option(option: &str, problem: impl std::fmt::Display) -> Self {
        Self(format!("{option}: {problem}"))
    }

    /// An error about a file.
    pub fn file(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self(format!("{}: {problem}", path.display()))
    }

    /// Any other.
    pub fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}
