//! How long collection may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::net::retry::Schedule;

/// How long one target's evidence and collateral may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeLimits {
    /// For one attempt, with all its requests (`--timeout`).
    pub one_attempt: Option<Duration>,
    /// When the whole run has to have its answers, for all its targets alike.
    pub until: Option<Instant>,
}

impl TimeLimits {
    /// The schedule of what begins now.
    pub fn schedule(self) -> Schedule {
        let usual = Schedule::default();
        let left = self.until.map_or(usual.total, |until| {
            until.saturating_duration_since(Instant::now())
        });
        Schedule {
            total: usual.total.min(left),
            one_attempt: self.one_attempt.unwrap_or(usual.one_attempt),
            ..usual
        }
    }
}

pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
