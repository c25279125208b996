//! Ends that a pass says ahead of.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use cvm_verify_core::checks::{Reason, forecasts};
use cvm_verify_core::report::{CheckId, Status, TargetReport};

/// Something that a pass relies on is about to end: a forecast of the checks ([`forecasts`]). Each is reported once, until it
/// has gone for `FORGOTTEN_AFTER`. In JSON it is `CHECK/REASON`.
#[derive(Debug, Clone, Copy)]
pub struct Forecast {
    check: CheckId,
    reason: &'static Reason,
}

/// A forecast that has not been seen for this long counts as a new one, seconds: 7 days. Sources of collateral differ,
/// and one that comes and goes with them is not news each time.
pub(in crate::alert) const FORGOTTEN_AFTER: u64 = 7 * 24 * 3600;

impl Forecast {
    /// Every forecast that a check can give.
    pub fn all() -> impl Iterator<Item = Self> {
        forecasts().map(|(check, reason)| Self { check, reason })
    }

    /// The check that says it, and for which reason.
    #[must_use]
    pub const fn source(self) -> (CheckId, &'static str) {
        (self.check, self.reason.id)
    }

    /// The forecasts in `report`.
    pub(super) fn all_in(report: &TargetReport) -> Vec<Self> {
        let said = |forecast: &Self| {
            let (id, reason) = forecast.source();
            report.check(id).is_some_and(|result| {
                result.status == Status::Warn && result.reason.as_deref() == Some(reason)
            })
        };
        Self::all().filter(said).collect()
    }
}

impl PartialEq for Forecast {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Forecast {}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (check, reason) = self.source();
        write!(f, "{check}/{reason}")
    }
}

impl Serialize for Forecast {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Forecast {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::all().find(|forecast| forecast.to_string() == text);
        known.ok_or_else(|| serde::de::Error::custom("not a forecast of any check"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples::{self, set};

    fn texts(report: &TargetReport) -> Vec<String> {
        Forecast::all_in(report).iter().map(Forecast::to_string).collect()
    }

    #[test]
    fn every_forecast_of_a_check_is_seen_and_comes_back_from_the_memory() {
        let mut seen = 0;
        for (id, reason) in forecasts() {
            let mut report = samples::pass();
            set(&mut report, id, Status::Warn, reason.id);
            assert_eq!(texts(&report), [format!("{id}/{}", reason.id)]);
            let forecast = Forecast::all_in(&report).first().copied().unwrap();
            let json = serde_json::to_string(&forecast).unwrap();
            assert_eq!(serde_json::from_str::<Forecast>(&json).unwrap(), forecast);
            seen += 1;
        }
        assert!(seen >= 5);
        assert!(serde_json::from_str::<Forecast>(r#""collateral/no-such-reason""#).is_err());
    }

    /// What the page on alerts says ends: a part of the collateral, the machine's own certificate, an exception for the TCB
    /// or for an OS image, and the set by which the platform is up to date.
    #[test]
    fn the_forecasts_of_the_documentation_are_told() {
        let all: Vec<String> = Forecast::all().map(|forecast| forecast.to_string()).collect();
        for expected in [
            "collateral/ends-soon",
            "collateral/platform-certificate-ends-soon",
            "tcb-status/exception-ends-soon",
            "tcb-status/early-set-refuses",
        ] {
            assert!(
                all.iter().any(|one| one == expected),
                "{expected} is not in {all:?}"
            );
        }
        assert!(
            all.iter()
                .any(|one| one.starts_with("os-image/") && one.ends_with("-ends-soon"))
        );
    }

    #[test]
    fn only_a_warning_for_this_reason_is_a_forecast() {
        let mut report = samples::pass();
        assert!(texts(&report).is_empty());
        set(&mut report, CheckId::Collateral, Status::Warn, "ends-soon");
        assert_eq!(texts(&report), ["collateral/ends-soon"]);
        set(&mut report, CheckId::Collateral, Status::Error, "expired");
        set(&mut report, CheckId::TcbStatus, Status::Warn, "advisory");
        assert!(texts(&report).is_empty());
    }
}
