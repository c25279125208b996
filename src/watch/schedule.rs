//! When each target is due.
//!
//! A target keeps its own beat: its next round is counted from when this one was due, not from when it ended, so that a
//! slow answer does not shift the rest. Jitter of up to a tenth of the interval moves single rounds, never the beat. A
//! round that is still running when the next is due lets that one pass; nothing piles up.

use std::time::Duration;

use super::Interval;

/// The beats of all targets. Times are those of a monotonic clock, counted from any start.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    beats: Vec<Beat>,
}

#[derive(Debug, Clone)]
struct Beat {
    interval: Duration,
    /// When the current round was due without jitter.
    base: Duration,
    /// When the next round is due, jitter included; absent while one is running.
    due: Option<Duration>,
}

/// What became of a target's beat when a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Rounds that fell out because this one ran too long.
    pub missed: u64,
}

impl Schedule {
    /// All targets are due at once at `now`.
    #[must_use]
    pub fn new(intervals: impl IntoIterator<Item = Interval>, now: Duration) -> Self {
        let beats = intervals.into_iter().map(|interval| Beat {
            interval: interval.duration(),
            base: now,
            due: Some(now),
        });
        Self {
            beats: beats.collect(),
        }
    }

    /// The next moment at which a target is due. `None` while all are running.
    #[must_use]
    pub fn next(&self) -> Option<Duration> {
        self.beats.iter().filter_map(|beat| beat.due).min()
    }

    /// Takes the target that has been due for longest at `now`, with how long it has been.
    pub fn take(&mut self, now: Duration) -> Option<(usize, Duration)> {
        let (index, beat) = self
            .beats
            .iter_mut()
            .enumerate()
            .filter(|(_, beat)| beat.due.is_some_and(|due| due <= now))
            .min_by_key(|(_, beat)| beat.due)?;
        let due = beat.due.take()?;
        Some((index, now.saturating_sub(due)))
    }

    /// A round of a target ended: it is due again an interval after it was, plus a share of jitter (`u32::MAX` is the
    /// most: a tenth of the interval).
    pub fn ended(&mut self, index: usize, now: Duration, jitter: u32) -> Ended {
        let Some(beat) = self.beats.get_mut(index) else {
            return Ended { missed: 0 };
        };
        let behind = now.saturating_sub(beat.base).as_millis();
        let step = beat.interval.as_millis().max(1);
        let beats = (behind / step) + 1;
        beat.base += beat.interval * u32::try_from(beats).unwrap_or(u32::MAX);
        let jitter = beat
            .interval
            .mul_f64(0.1 * f64::from(jitter) / f64::from(u32::MAX));
        beat.due = Some(beat.base + jitter);
        Ended {
            missed: u64::try_from(beats - 1).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn minutely(targets: usize) -> Schedule {
        Schedule::new(vec!["1m".parse().expect("an interval"); targets], seconds(5))
    }

    #[test]
    fn all_are_due_at_the_start_and_an_interval_later() {
        let mut schedule = minutely(2);
        assert_eq!(schedule.next(), Some(seconds(5)));
        assert_eq!(schedule.take(seconds(6)), Some((0, seconds(1))));
        assert_eq!(schedule.take(seconds(6)), Some((1, seconds(1))));
        assert_eq!(
            (schedule.take(seconds(6)), schedule.next()),
            (None, None),
            "both are running"
        );
        assert_eq!(schedule.ended(0, seconds(8), 0), Ended { missed: 0 });
        assert_eq!(schedule.next(), Some(seconds(65)), "counted from when it was due");
        assert_eq!(schedule.take(seconds(64)), None);
    }

    #[test]
    fn a_round_that_runs_too_long_lets_the_next_pass() {
        let mut schedule = minutely(1);
        schedule.take(seconds(5));
        assert_eq!(schedule.ended(0, seconds(5 + 150), 0), Ended { missed: 2 });
        assert_eq!(schedule.next(), Some(seconds(5 + 180)));
    }

    #[test]
    fn who_waited_longest_comes_first() {
        let mut schedule = minutely(2);
        schedule.take(seconds(5));
        schedule.ended(0, seconds(5), 0);
        assert_eq!(schedule.take(seconds(100)), Some((1, seconds(95))));
        assert_eq!(schedule.take(seconds(100)), Some((0, seconds(35))));
    }

    proptest! {
        #[test]
        fn jitter_moves_a_round_and_never_the_beat(jitters in proptest::collection::vec(any::<u32>(), 1..50)) {
            let mut schedule = minutely(1);
            for (round, jitter) in (0_u64..).zip(jitters) {
                let due = schedule.next().expect("a due time");
                let beat = seconds(5 + 60 * round);
                prop_assert!((beat..=beat + seconds(6)).contains(&due), "{due:?}");
                schedule.take(due).expect("due");
                prop_assert_eq!(schedule.ended(0, due + seconds(3), jitter), Ended { missed: 0 });
            }
        }
    }
}
