//! How long ago something was fetched or made, by a time that somebody wrote down.

/// How far a time may be ahead of this machine's clock, seconds: clocks of two machines differ.
pub(crate) const CLOCK_SKEW: u64 = 60;

/// The seconds between a time that was written down and the time that is judged at. A time that is further ahead than clocks
/// differ is of a wrong clock, or of a file that somebody changed: its age is not known, and is then longer than every limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(Option<u64>);

impl Age {
    /// Of `made`, at `at`; both Unix seconds.
    #[must_use]
    pub const fn of(made: u64, at: u64) -> Self {
        match at.checked_sub(made) {
            None if made.saturating_sub(at) <= CLOCK_SKEW => Self(Some(0)),
            age => Self(age),
        }
    }

    /// Whether it is longer than `limit` seconds, or not known.
    #[must_use]
    pub const fn exceeds(self, limit: u64) -> bool {
        match self.0 {
            Some(age) => age > limit,
            None => true,
        }
    }

    /// Whether it is `limit` seconds or longer, or not known.
    #[must_use]
    pub const fn reaches(self, limit: u64) -> bool {
        match self.0 {
            Some(age) => age >= limit,
            None => true,
        }
    }

    /// Whether it is known.
    #[must_use]
    pub const fn is_known(self) -> bool {
        self.0.is_some()
    }
}

/// How long after the app's evidence was judged what was asked after it may have arrived, seconds: 15 minutes. A run has a time
/// limit.
const ASKED_AFTER: u64 = 15 * 60;

/// When something that was asked after the app (its KMSs, NVIDIA's service) is judged, Unix seconds: at the time of the app's
/// evidence, or when it arrived, if that was a little later. What says that it arrived later than that has no known age at the time
/// of the app's.
pub(super) fn judged_at(arrived: Option<u64>, at: u64) -> u64 {
    match arrived {
        Some(arrived) if arrived <= at.saturating_add(ASKED_AFTER) => arrived.max(at),
        Some(_) | None => at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_after_the_app_is_judged_when_it_arrived_for_a_quarter_of_an_hour() {
        let at = 1_800_000_000;
        for (arrived, judged) in [
            (None, at),
            (Some(at - 1), at),
            (Some(at + 899), at + 899),
            (Some(at + 900), at + 900),
            (Some(at + 901), at),
            (Some(u64::MAX), at),
        ] {
            assert_eq!(judged_at(arrived, at), judged, "{arrived:?}");
        }
    }

    #[test]
    fn an_age_is_counted_from_the_past_and_unknown_of_the_future() {
        let at = 1_800_000_000;
        for (made, limit, exceeds, reaches) in [
            (at - 10, 10, false, true),
            (at - 10, 9, true, true),
            (at - 10, 11, false, false),
            (at, 0, false, true),
            (at + CLOCK_SKEW, 0, false, true),
            (at + CLOCK_SKEW, 1, false, false),
            (at + CLOCK_SKEW + 1, 0, true, true),
            (u64::MAX, u64::MAX, true, true),
        ] {
            let age = Age::of(made, at);
            assert_eq!(
                (age.exceeds(limit), age.reaches(limit)),
                (exceeds, reaches),
                "{made} {limit}"
            );
        }
        assert!(Age::of(at + CLOCK_SKEW, at).is_known() && !Age::of(at + CLOCK_SKEW + 1, at).is_known());
    }
}
