//! How old something may be: collateral since it was fetched, a report since its run ended.

use std::fmt;
use std::str::FromStr;

use super::seconds;
use crate::verify::COLLATERAL_LIMIT;

/// An age in seconds between two bounds, with the error of a text that is none.
macro_rules! max_age {
    ($(#[$of_age:meta])* $age:ident, $bounds:expr, $default:expr; $(#[$of_error:meta])* $error:ident = $text:literal) => {
        $(#[$of_age])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $age(u64);

        $(#[$of_error])*
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($text)]
        pub struct $error;

        impl $age {
            /// The age in seconds.
            #[must_use]
            pub const fn seconds(self) -> u64 {
                self.0
            }
        }

        impl Default for $age {
            fn default() -> Self {
                Self($default)
            }
        }

        impl FromStr for $age {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let seconds = seconds::parse(text).filter(|seconds| $bounds.contains(seconds));
                seconds.map(Self).ok_or($error)
            }
        }

        impl fmt::Display for $age {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&seconds::shown(self.0))
            }
        }
    };
}

const HOUR: u64 = 60 * 60;

max_age! {
    /// The age from which on collateral is fetched again (`--collateral-max-age`): from 5 minutes, because fetching may take 2, to
    /// [`COLLATERAL_LIMIT`].
    CollateralMaxAge, (5 * 60..=COLLATERAL_LIMIT), 24 * HOUR;
    /// A text that is not an age of collateral.
    CollateralMaxAgeError = "write a whole number with s, m, h or d, from 5m to 7d, such as 24h"
}

max_age! {
    /// How long ago the run of a report may have ended that `merge` joins (`--max-age`): from 1 second to 30 days.
    ReportMaxAge, (1..=30 * 24 * HOUR), HOUR;
    /// A text that is not an age of a report.
    ReportMaxAgeError = "write a whole number with s, m, h or d, from 1s to 30d, such as 1h"
}

impl ReportMaxAge {
    /// What is the default where the run has a name, 24 hours: the jobs of a run may take hours, and a CI keeps the reports of its
    /// earlier attempts for weeks.
    pub const OF_A_NAMED_RUN: Self = Self(24 * HOUR);
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
