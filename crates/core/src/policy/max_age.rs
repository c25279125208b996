//! How old something may be: collateral since it was fetched, a report since its run ended.

use std::fmt;
use std::str::FromStr;

use super::seconds;
use crate::verify::COLLATERAL_LIMIT;

/// The age from which on collateral is fetched again (`--collateral-max-age`): from 5 minutes to [`COLLATERAL_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollateralMaxAge(u64);

/// A text that is not an age of collateral.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a whole number with s, m, h or d, from 5m to 7d, such as 24h")]
pub struct CollateralMaxAgeError;

impl CollateralMaxAge {
    /// The shortest, seconds: fetching may take 2 minutes.
    const SHORTEST: u64 = 5 * 60;

    /// The age in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl Default for CollateralMaxAge {
    /// 24 hours.
    fn default() -> Self {
        Self(24 * 60 * 60)
    }
}

impl FromStr for CollateralMaxAge {
    type Err = CollateralMaxAgeError;

    fn from_str(text: &str) -> Result<Self, CollateralMaxAgeError> {
        let seconds = seconds::parse(text).ok_or(CollateralMaxAgeError)?;
        if (Self::SHORTEST..=COLLATERAL_LIMIT).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(CollateralMaxAgeError)
        }
    }
}

impl fmt::Display for CollateralMaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&seconds::shown(self.0))
    }
}

/// How long ago the run of a report may have ended that `merge` joins (`--max-age`): from 1 second to 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportMaxAge(u64);

/// A text that is not an age of a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write a whole number with s, m, h or d, from 1s to 30d, such as 1h")]
pub struct ReportMaxAgeError;

impl ReportMaxAge {
    /// The longest, seconds.
    const LONGEST: u64 = 30 * 24 * 60 * 60;

    /// What is the default where the run has a name, 24 hours: the jobs of a run may take hours, and a CI keeps the reports of its
    /// earlier attempts for weeks.
    pub const OF_A_NAMED_RUN: Self = Self(24 * 60 * 60);

    /// The age in seconds.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl Default for ReportMaxAge {
    /// One hour.
    fn default() -> Self {
        Self(60 * 60)
    }
}

impl FromStr for ReportMaxAge {
    type Err = ReportMaxAgeError;

    fn from_str(text: &str) -> Result<Self, ReportMaxAgeError> {
        let seconds = seconds::parse(text).ok_or(ReportMaxAgeError)?;
        if (1..=Self::LONGEST).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(ReportMaxAgeError)
        }
    }
}

impl fmt::Display for ReportMaxAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&seconds::shown(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_bounds() {
        for (text, seconds) in [("5m", 300), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(text.parse::<CollateralMaxAge>().expect(text).seconds(), seconds);
        }
        for text in ["", "4m", "0s", "8d", "24", "1y"] {
            let error = text.parse::<CollateralMaxAge>().expect_err(text).to_string();
            assert!(error.contains("from 5m to 7d"), "{error}");
        }
        assert_eq!(CollateralMaxAge::default().to_string(), "1d");
        assert_eq!(
            "30d".parse::<ReportMaxAge>().expect("an age").seconds(),
            2_592_000
        );
        for text in ["0s", "31d", "x"] {
            let error = text.parse::<ReportMaxAge>().expect_err(text).to_string();
            assert!(error.contains("from 1s to 30d"), "{error}");
        }
    }
}
