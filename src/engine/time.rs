//! How long collection may take.

use std::time::Duration;

use tokio::time::Instant;

use crate::net::Limits;
use crate::net::retry::Schedule;

/// What is kept of the run's time to judge what is there, where services that are asked beside the evidence hang; a quarter of the
/// time that is left when a deployment begins, if that is less.
const RESERVE: Duration = Duration::from_secs(5);

/// How long what a target sent may still be judged: after the deadline of a run, and anywhere if there is none. Real evidence takes
/// milliseconds.
pub(super) const JUDGING: Duration = Duration::from_secs(20);

/// How long one target's evidence and collateral may take.
#[derive(Debug, Clone, Copy, Default)]
pub struct TimeLimits {
    /// For one attempt, with all its requests (`--timeout`).
    pub one_attempt: Option<Duration>,
    /// When the whole run has to have its answers, for all its targets alike.
    pub until: Option<Instant>,
}

impl TimeLimits {
    /// The same without a reserve: for what is asked beside the evidence. What is proven without it must be reported.
    pub(crate) fn beside(self) -> Self {
        let now = Instant::now();
        let until = self.until.map(|until| {
            let left = until.saturating_duration_since(now);
            now + (left - RESERVE.min(left / 4))
        });
        Self { until, ..self }
    }

    /// How long each thing that is computed may take: where the run has an end, that ends it.
    pub(super) fn computing(self) -> Option<Duration> {
        self.until.is_none().then_some(JUDGING)
    }

    /// When something that begins now and may take this long has to end.
    pub(crate) fn ends(self, most: Duration) -> Instant {
        let ends = Instant::now() + most;
        self.until.map_or(ends, |until| until.min(ends))
    }

    /// The most time for one request for evidence: what the user gives to an attempt, or 30 s.
    pub(crate) fn one_request(self) -> Duration {
        self.one_attempt.unwrap_or(Limits::TOTAL)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_evidence_takes_as_long_as_the_user_says() {
        let of = |seconds: Option<u64>| TimeLimits {
            one_attempt: seconds.map(Duration::from_secs),
            ..TimeLimits::default()
        };
        for (given, allowed) in [(None, 30), (Some(5), 5), (Some(120), 120)] {
            let time = of(given).one_request();
            assert_eq!(time, Duration::from_secs(allowed));
            assert_eq!(Limits::body(1).lasting(time).total, time);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_asked_beside_the_evidence_leaves_time_to_judge() {
        let now = Instant::now();
        for (left, beside) in [(600, 595), (20, 15), (8, 6), (0, 0)] {
            let time = TimeLimits {
                until: Some(now + Duration::from_secs(left)),
                ..TimeLimits::default()
            };
            let ends = time.beside().ends(Duration::from_secs(3600));
            assert_eq!(ends, now + Duration::from_secs(beside), "{left}");
        }
        let unbounded = TimeLimits::default().beside();
        assert_eq!(unbounded.ends(RESERVE), now + RESERVE);
    }
}
