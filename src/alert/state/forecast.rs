//! Ends that a pass says ahead of.

use serde::{Deserialize, Serialize};

use crate::report::{CheckId, Status, TargetReport};

/// Something that a pass rests on is about to end. Each kind is told once, until it has gone for `FORGOTTEN_AFTER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Forecast {
    /// A part of the collateral ends within 14 days.
    CollateralEnds,
    /// An exception for the platform's TCB status ends within 14 days.
    TcbExceptionEnds,
}

/// A forecast that has not been seen for this long counts as a new one, seconds: 7 days. Sources of collateral differ,
/// and one that comes and goes with them is not news each time.
pub(super) const FORGOTTEN_AFTER: u64 = 7 * 24 * 3600;

impl Forecast {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::CollateralEnds, Self::TcbExceptionEnds];

    /// The check that says it, and for which reason.
    #[must_use]
    pub const fn source(self) -> (CheckId, &'static str) {
        match self {
            Self::CollateralEnds => (CheckId::Collateral, "ends-soon"),
            Self::TcbExceptionEnds => (CheckId::TcbStatus, "exception-ends-soon"),
        }
    }

    /// The forecasts in `report`.
    pub(super) fn all_in(report: &TargetReport) -> Vec<Self> {
        let said = |forecast: &Self| {
            let (id, reason) = forecast.source();
            report.check(id).is_some_and(|result| {
                result.status == Status::Warn && result.reason.as_deref() == Some(reason)
            })
        };
        Self::ALL.into_iter().filter(said).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples::{self, set};
    use crate::checks::Check;

    #[test]
    fn a_forecast_is_a_reason_of_its_check() {
        for forecast in Forecast::ALL {
            let (id, reason) = forecast.source();
            assert!(
                Check::of(id).reasons.iter().any(|known| known.id == reason),
                "{id}: {reason}"
            );
        }
    }

    #[test]
    fn only_a_warning_for_this_reason_is_a_forecast() {
        let mut report = samples::pass();
        assert_eq!(Forecast::all_in(&report), []);
        set(&mut report, CheckId::Collateral, Status::Warn, "ends-soon");
        assert_eq!(Forecast::all_in(&report), [Forecast::CollateralEnds]);
        set(&mut report, CheckId::Collateral, Status::Error, "expired");
        set(&mut report, CheckId::TcbStatus, Status::Warn, "advisory");
        assert_eq!(Forecast::all_in(&report), []);
    }
}
