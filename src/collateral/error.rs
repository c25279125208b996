//! Why there is no collateral.

use std::fmt;
use std::time::Duration;

use super::answer::AnswerError;
use super::request::CollateralRequest;
use super::sources::CollateralPart;
use crate::net::NetError;
use crate::net::retry::Heal;
use cvm_verify_core::verify::{CollateralServers, UnusableCollateral};

/// No source gave a complete set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no collateral: {}", ListedFailures(failures))]
pub struct CollateralError {
    /// One failure for each source that was asked, in order.
    pub failures: Vec<SourceFailure>,
    /// Whose they are.
    pub servers: CollateralServers,
}

impl CollateralError {
    /// What it means for the `collateral` check: `missing` when every source answered that it has none for this platform
    /// (404), `malformed` when one answered with something that is not the document, else `unreachable`.
    #[must_use]
    pub fn unusable(&self, request: &CollateralRequest) -> UnusableCollateral {
        let kinds = || {
            self.failures
                .iter()
                .map(|failure| ProblemKind::of(&failure.cause))
        };
        if !self.failures.is_empty() && kinds().all(|kind| kind == ProblemKind::Absent) {
            return UnusableCollateral::NotServed {
                problem: format!(
                    "no source has collateral for the platform with the FMSPC {}: {self}",
                    request.fmspc_hex()
                ),
                servers: self.servers,
            };
        }
        let mut failures = self.failures.iter();
        match failures.find(|failure| ProblemKind::of(&failure.cause) == ProblemKind::Malformed) {
            Some(failure) if kinds().all(|kind| kind != ProblemKind::Unreachable) => {
                UnusableCollateral::Malformed {
                    document: failure.document.as_str(),
                    problem: format!(
                        "{} answers with something else: {}",
                        failure.source_name, failure.cause
                    ),
                }
            }
            _ => UnusableCollateral::Unreachable {
                problem: self.to_string(),
                servers: self.servers,
            },
        }
    }
}

/// What a failure says of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ProblemKind {
    /// It has no such document.
    Absent,
    /// It answers with something else.
    Malformed,
    /// It does not answer.
    Unreachable,
}

impl ProblemKind {
    const fn of(cause: &FetchProblem) -> Self {
        match cause {
            FetchProblem::Net(NetError::HttpStatus { status: 404, .. }) => Self::Absent,
            FetchProblem::Answer(_)
            | FetchProblem::TooLarge { .. }
            | FetchProblem::Net(NetError::TooLarge { .. } | NetError::HeadersTooLarge { .. }) => {
                Self::Malformed
            }
            FetchProblem::Net(_) => Self::Unreachable,
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
#[error("{document} from {source_name}: {}", without_host(.source_name, .cause))]
pub struct SourceFailure {
    /// Host of the source.
    pub source_name: String,
    /// The first document that failed.
    pub document: CollateralPart,
    /// Why.
    pub cause: FetchProblem,
}

/// What went wrong, without the host where that is the source, and without advice about a URL that nobody typed.
fn without_host(source_name: &str, cause: &FetchProblem) -> String {
    if let FetchProblem::Net(NetError::Dns { detail, .. }) = cause {
        return format!("the name could not be resolved ({detail})");
    }
    let text = cause.to_string();
    let rest = text.strip_prefix(source_name).and_then(|rest| {
        let rest = rest.strip_prefix(":443").unwrap_or(rest);
        rest.strip_prefix(": ")
    });
    rest.map_or_else(|| text.clone(), str::to_owned)
}

impl Heal for SourceFailure {
    fn may_heal(&self) -> bool {
        match &self.cause {
            FetchProblem::Net(error) => error.may_heal(),
            // A gateway's error page under status 200.
            FetchProblem::Answer(AnswerError::Json { .. } | AnswerError::NotACrl(_)) => true,
            FetchProblem::Answer(_) | FetchProblem::TooLarge { .. } => false,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match &self.cause {
            FetchProblem::Net(error) => error.retry_after(),
            _ => None,
        }
    }
}

/// Why one document could not be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchProblem {
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

struct ListedFailures<'a>(&'a [SourceFailure]);

impl fmt::Display for ListedFailures<'_> {
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
