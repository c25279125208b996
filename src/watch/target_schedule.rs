//! When a target is due.
//!
//! A target keeps its own schedule: its next round is counted from when this one was due, not from when it ended, so that a
//! slow answer does not shift the rest. Jitter of up to a tenth of the interval moves single rounds, never the schedule. A
//! round that is still running when the next is due lets that one pass; nothing piles up.

use std::time::Duration;

/// The schedule of one target. Times are those of a monotonic clock, counted from any start.
#[derive(Debug, Clone)]
pub struct TargetSchedule {
    interval: Duration,
    /// When the current round was due without jitter.
    base: Duration,
    /// When the next round is due, jitter included; absent while one is running.
    due: Option<Duration>,
}

/// What became of the schedule when a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Rounds that fell out because this one ran too long.
    pub missed: u64,
}

impl TargetSchedule {
    /// Due at once at `now`.
    #[must_use]
    pub const fn new(interval: Duration, now: Duration) -> Self {
        Self {
            interval,
            base: now,
            due: Some(now),
        }
    }

    /// When it is due. `None` while a round is running.
    #[must_use]
    pub const fn due(&self) -> Option<Duration> {
        self.due
    }

    /// A round begins.
    pub const fn begin(&mut self) {
        self.due = None;
    }

    /// The round ended: the next is due an interval after this one was, plus a share of jitter (`u32::MAX` is the most: a
    /// tenth of the interval).
    pub fn end(&mut self, now: Duration, jitter: u32) -> Ended {
        let behind = now.saturating_sub(self.base).as_nanos();
        let intervals = behind / self.interval.as_nanos().max(1) + 1;
        let intervals = u32::try_from(intervals).unwrap_or(u32::MAX);
        self.base += self.interval * intervals;
        let share = f64::from(jitter) / f64::from(u32::MAX);
        self.due = Some(self.base + self.interval.mul_f64(0.1 * share));
        Ended {
            missed: u64::from(intervals - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn it_is_due_at_the_start_and_an_interval_after_it_was_due() {
        let mut schedule = TargetSchedule::new(MINUTE, seconds(5));
        assert_eq!(schedule.due(), Some(seconds(5)));
        schedule.begin();
        assert_eq!(schedule.due(), None, "a round is running");
        assert_eq!(schedule.end(seconds(8), 0), Ended { missed: 0 });
        assert_eq!(schedule.due(), Some(seconds(65)), "not counted from its end");
    }

    #[test]
    fn a_round_that_runs_too_long_lets_the_next_pass() {
        let mut schedule = TargetSchedule::new(MINUTE, seconds(5));
        schedule.begin();
        assert_eq!(schedule.end(seconds(5 + 150), 0), Ended { missed: 2 });
        assert_eq!(schedule.due(), Some(seconds(5 + 180)));
    }

    proptest! {
        #[test]
        fn jitter_moves_a_round_and_never_the_beat(jitters in proptest::collection::vec(any::<u32>(), 1..50)) {
            let mut schedule = TargetSchedule::new(MINUTE, seconds(5));
            for (round, jitter) in (0_u64..).zip(jitters) {
                let due = schedule.due().expect("a due time");
                let base = seconds(5 + 60 * round);
                prop_assert!((base..=base + seconds(6)).contains(&due), "{due:?}");
                schedule.begin();
                prop_assert_eq!(schedule.end(due + seconds(3), jitter), Ended { missed: 0 });
            }
        }
    }
}
