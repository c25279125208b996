//! Errors that end a command: of usage and configuration, and of what could not be written.

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

/// A file, or standard output, could not be written: a full disk, a read-only folder. Nothing is wrong with the settings,
/// and what was found is lost: exit code 3, unless the verdict is a fail.
#[derive(Debug, thiserror::Error)]
#[error("{place}: cannot be written: {problem}")]
pub struct WriteError {
    place: String,
    problem: String,
}

impl WriteError {
    /// An error about a place that a user knows by this name.
    pub fn new(place: impl Into<String>, problem: impl std::fmt::Display) -> Self {
        Self {
            place: place.into(),
            problem: problem.to_string(),
        }
    }

    /// An error about a file.
    pub fn file(path: &Path, problem: impl std::fmt::Display) -> Self {
        Self::new(path.display().to_string(), problem)
    }
}

/// Why a command did not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The settings are wrong.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// A file or a folder cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The system does not do what the command needs.
    #[error("{what}")]
    System {
        /// What it does not do.
        what: &'static str,
        /// Why.
        #[source]
        error: std::io::Error,
    },
}
