//! How often `watch` verifies a target: `30s`, `5m`, `6h`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cvm_verify_core::policy::seconds;

/// A time between two verifications: 10 seconds to 7 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(Duration);

/// A text that is not an interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an interval; write a whole number with s, m, h or d, from 10s to 7d, such as 5m")]
pub struct IntervalError {
    text: String,
}

impl Interval {
    /// The shortest: gateways and a PCCS are other people's.
    pub const SHORTEST: Duration = Duration::from_secs(10);
    /// The longest.
    pub const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    /// The time itself.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }
}

impl Default for Interval {
    /// Five minutes.
    fn default() -> Self {
        Self(Duration::from_secs(5 * 60))
    }
}

impl FromStr for Interval {
    type Err = IntervalError;

    fn from_str(text: &str) -> Result<Self, IntervalError> {
        let error = || IntervalError {
            text: text.to_owned(),
        };
        let seconds = seconds::parse(text).ok_or_else(error)?;
        let duration = Duration::from_secs(seconds);
        if (Self::SHORTEST..=Self::LONGEST).contains(&duration) {
            Ok(Self(duration))
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&seconds::shown(self.0.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_have_a_unit_and_bounds() {
        for (text, seconds, shown) in [
            ("10s", 10, "10s"),
            (" 90s ", 90, "90s"),
            ("60s", 60, "1m"),
            ("5m", 300, "5m"),
            ("6h", 21_600, "6h"),
            ("7d", 604_800, "7d"),
        ] {
            let interval: Interval = text.parse().expect(text);
            assert_eq!(interval.duration().as_secs(), seconds);
            assert_eq!(interval.to_string(), shown);
        }
        for text in [
            "",
            "s",
            "9s",
            "0m",
            "8d",
            "5",
            "5 m",
            "-5m",
            "+5m",
            "1.5h",
            "5ü",
            "99999999999999999999d",
        ] {
            let error = text.parse::<Interval>().expect_err(text).to_string();
            assert!(error.contains("from 10s to 7d"), "{error}");
        }
    }
}
