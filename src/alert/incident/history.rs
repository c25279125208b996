//! Which of the latest runs could not be determined: for "n of m", beside "n in a row".

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most runs that are remembered.
pub const MAX_RUNS: u32 = 64;

/// The latest runs of one target, oldest first: at most [`MAX_RUNS`]. In JSON a text with one character for each run: `?`
/// inconclusive, `.` determined (a pass or a fail).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct History {
    /// The latest run is the lowest bit.
    inconclusive: u64,
    /// How many runs it holds.
    length: u32,
}

impl History {
    /// Adds a run and keeps the latest `runs`.
    pub(super) fn add(&mut self, inconclusive: bool, runs: u32) {
        self.length = (self.length + 1).min(runs.min(MAX_RUNS));
        self.inconclusive = (self.inconclusive << 1 | u64::from(inconclusive)) & mask(self.length);
    }

    /// How many of the latest `runs` were inconclusive.
    pub(super) const fn count(&self, runs: u32) -> u32 {
        (self.inconclusive & mask(runs)).count_ones()
    }

    /// Whether no run is known.
    pub(super) const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Forgets all runs.
    pub(super) const fn clear(&mut self) {
        self.inconclusive = 0;
        self.length = 0;
    }
}

/// The lowest bits, so many.
const fn mask(bits: u32) -> u64 {
    if bits >= u64::BITS {
        u64::MAX
    } else {
        (1 << bits) - 1
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for run in (0..self.length).rev() {
            let inconclusive = self.inconclusive >> run & 1 == 1;
            f.write_str(if inconclusive { "?" } else { "." })?;
        }
        Ok(())
    }
}

impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for History {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut history = Self::default();
        let too_long = text.len() > MAX_RUNS as usize;
        for run in text.bytes() {
            match run {
                b'?' | b'.' if !too_long => history.add(run == b'?', MAX_RUNS),
                _ => return Err(serde::de::Error::custom("not a history of runs")),
            }
        }
        Ok(history)
    }
}

/// How many of the latest runs must be inconclusive before that is reported: `6/12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    inconclusive: u32,
    runs: u32,
}

/// A text that is not a share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "write n/m, as 6/12 for six inconclusive runs among the latest twelve: n from 1 to m, m at most {MAX_RUNS}"
)]
pub struct ShareError;

impl Share {
    /// Of how many runs.
    pub(super) const fn runs(self) -> u32 {
        self.runs
    }

    /// Whether so many of the latest runs were inconclusive.
    pub(super) const fn is_reached(self, history: &History) -> bool {
        history.count(self.runs) >= self.inconclusive
    }
}

impl Default for Share {
    /// Half of twelve runs.
    fn default() -> Self {
        Self {
            inconclusive: 6,
            runs: 12,
        }
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let number = |text: &str| -> Option<u32> {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| text.parse().ok()).flatten()
        };
        let (inconclusive, runs) = text.trim().split_once('/').ok_or(ShareError)?;
        let (inconclusive, runs) = number(inconclusive).zip(number(runs)).ok_or(ShareError)?;
        if (1..=runs).contains(&inconclusive) && runs <= MAX_RUNS {
            Ok(Self { inconclusive, runs })
        } else {
            Err(ShareError)
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.inconclusive, self.runs)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_has_bounds() {
        for text in ["1/1", "6/12", "64/64", " 3/4 "] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text.trim());
        }
        assert_eq!(Share::default().to_string(), "6/12");
        for text in [
            "",
            "6",
            "/",
            "0/12",
            "13/12",
            "6/0",
            "1/65",
            "-1/2",
            "+1/2",
            "1/2/3",
            "99999999999/99999999999",
        ] {
            assert_eq!(text.parse::<Share>(), Err(ShareError), "{text}");
        }
    }

    #[test]
    fn only_a_history_is_read() {
        for text in ["\"x\"", "\"?.!\"", "7", "\"ä\""] {
            assert!(serde_json::from_str::<History>(text).is_err(), "{text}");
        }
        let long = format!("\"{}\"", "?".repeat(65));
        assert!(serde_json::from_str::<History>(&long).is_err());
    }

    proptest! {
        #[test]
        fn a_history_is_the_latest_runs_and_comes_back_from_json(
            runs in prop::collection::vec(any::<bool>(), 0..150),
            kept in 1_u32..=64,
            asked in 1_u32..=64,
        ) {
            let mut history = History::default();
            for run in &runs {
                history.add(*run, kept);
            }
            let latest = |number: u32| runs.iter().rev().take(number as usize).filter(|run| **run).count();
            prop_assert_eq!(history.count(asked) as usize, latest(asked.min(kept)));
            let json = serde_json::to_string(&history).unwrap();
            prop_assert_eq!(serde_json::from_str::<History>(&json).unwrap(), history);
        }
    }
}
