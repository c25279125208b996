//! Why an attempt brought nothing, and whether another may.

use std::time::Duration;

use crate::net::retry::Heal;
use crate::source::SourceError;
use cvm_verify_core::checks::EvidenceFailure;

/// Why an attempt brought nothing.
pub(super) struct AttemptFailure {
    pub failure: EvidenceFailure,
    pub heals: bool,
    pub retry_after: Option<Duration>,
}

impl Heal for AttemptFailure {
    fn may_heal(&self) -> bool {
        self.heals
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

pub(super) fn of_source(error: &SourceError) -> AttemptFailure {
    AttemptFailure {
        failure: EvidenceFailure::new(
            error.reason(),
            format!("{}.", error.to_string().trim_end_matches('.')),
        ),
        heals: error.may_heal(),
        retry_after: error.retry_after(),
    }
}
