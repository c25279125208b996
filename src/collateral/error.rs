//! Why there is no collateral.

use std::fmt;
use std::time::Duration;

use super::answer::AnswerError;
use super::sources::Document;
use crate::net::NetError;
use crate::net::retry::Heal;

/// No source gave a complete set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no collateral: {}", Listed(failures))]
pub struct CollateralError {
    /// One failure for each source that was asked, in order.
    pub failures: Vec<SourceFailure>,
}

impl CollateralError {
    /// The `collateral` check's reason: `missing` when every source answered that it has none for this platform (404),
    /// else `unreachable`.
    pub fn reason(&self) -> &'static str {
        let is_absent = |failure: &SourceFailure| {
            matches!(
                failure.cause,
                Cause::Net(NetError::HttpStatus { status: 404, .. })
            )
        };
        if !self.failures.is_empty() && self.failures.iter().all(is_absent) {
            "missing"
        } else {
            "unreachable"
        }
    }
}

impl Heal for CollateralError {
    /// Whether any of the sources may recover.
    fn may_heal(&self) -> bool {
        self.failures.iter().any(Heal::may_heal)
    }

    fn retry_after(&self) -> Option<Duration> {
        let healing = self.failures.iter().filter(|failure| failure.may_heal());
        // The shortest wait after which some source may answer.
        healing.filter_map(Heal::retry_after).min()
    }
}

/// What went wrong at one source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{document} from {source_name}: {cause}")]
pub struct SourceFailure {
    /// Host of the source.
    pub source_name: String,
    /// The first document that failed.
    pub document: Document,
    /// Why.
    pub cause: Cause,
}

impl Heal for SourceFailure {
    fn may_heal(&self) -> bool {
        match &self.cause {
            Cause::Net(error) => error.may_heal(),
            // A gateway's error page under status 200.
            Cause::Answer(AnswerError::Json { .. } | AnswerError::NotACrl(_)) => true,
            Cause::Answer(_) | Cause::TooLarge { .. } => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match &self.cause {
            Cause::Net(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// Why one document could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// The network, or a status other than 200.
    #[error(transparent)]
    Net(#[from] NetError),
    /// An answer that is not the document.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The four documents together are larger than one may be.
    #[error("the four documents are larger than {limit} bytes together")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

struct Listed<'a>(&'a [SourceFailure]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, failure) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{failure}")?;
        }
        Ok(())
    }
}
