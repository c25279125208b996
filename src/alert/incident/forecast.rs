//! Ends that a pass says ahead of.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use cvm_verify_core::checks::{Reason, forecasts};
use cvm_verify_core::report::{CheckId, Status, TargetReport, unix_seconds};

/// Something that a pass relies on is about to end: a forecast of the checks ([`forecasts`]). Each is reported once, until it
/// has gone for `FORGOTTEN_AFTER`. An end that a person wrote is part of it: another one is another forecast. In JSON it is
/// `CHECK/REASON`, with such an end `CHECK/REASON@TIME`, Unix seconds.
#[derive(Debug, Clone, Copy)]
pub struct Forecast {
    check: CheckId,
    reason: &'static Reason,
    /// The first end that a person wrote for what this pass relies on, Unix seconds. Ends of collateral move with every refresh.
    end: Option<u64>,
}

/// A forecast that has not been seen for this long counts as a new one, seconds: 7 days. Sources of collateral differ,
/// and one that comes and goes with them is not news each time.
pub(in crate::alert) const FORGOTTEN_AFTER: u64 = 7 * 24 * 3600;

impl Forecast {
    /// Every forecast that a check can give, without the end.
    pub fn all() -> impl Iterator<Item = Self> {
        forecasts().map(|(check, reason)| Self {
            check,
            reason,
            end: None,
        })
    }

    /// Whether it says what was reported as `known`. A state that knows no end is of an earlier version: it knows the one that it meets
    /// first.
    pub(super) fn is_known_as(self, known: Self) -> bool {
        self.source() == known.source() && known.end.is_none_or(|end| self.end == Some(end))
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
        let with_end = |forecast| Self {
            end: end_in(report, forecast),
            ..forecast
        };
        Self::all().filter(said).map(with_end).collect()
    }
}

/// The first end that a person wrote of what this check passes with.
fn end_in(report: &TargetReport, forecast: Forecast) -> Option<u64> {
    let accepted = report.accepted.iter().filter(|one| one.check == forecast.check);
    let ends = accepted.filter_map(|one| unix_seconds(one.until.as_deref()?));
    let second = report.second_release_until.as_deref();
    let second = second.filter(|_| forecast.check == CheckId::ComposeHash);
    ends.chain(second.and_then(|day| unix_seconds(&format!("{day}T00:00:00Z"))))
        .min()
}

impl PartialEq for Forecast {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source() && self.end == other.end
    }
}

impl Eq for Forecast {}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (check, reason) = self.source();
        write!(f, "{check}/{reason}")?;
        self.end.map_or(Ok(()), |end| write!(f, "@{end}"))
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
        let (name, end) = match text.split_once('@') {
            Some((name, end)) => (name, end.parse().ok().map(Some)),
            None => (text.as_str(), Some(None)),
        };
        let known = Self::all().find(|forecast| forecast.to_string() == name);
        let known = known.zip(end).map(|(known, end)| Self { end, ..known });
        known.ok_or_else(|| serde::de::Error::custom("not a forecast of any check"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples::{self, set};
    use cvm_verify_core::report::{Accepted, AcceptedKind};

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

    /// An end that a person wrote is another forecast if it is another one; the ends of collateral are not.
    #[test]
    fn the_end_that_a_person_wrote_is_part_of_a_forecast() {
        let with_end = |until: &str| {
            let mut report = samples::pass();
            set(
                &mut report,
                CheckId::TcbStatus,
                Status::Warn,
                "exception-ends-soon",
            );
            let accepted = |check, until: &str| Accepted {
                check,
                what: AcceptedKind::Tcb,
                by: "--accept-tcb".to_owned(),
                until: Some(until.to_owned()),
                reason: String::new(),
            };
            report.accepted = vec![
                accepted(CheckId::OsImage, "2026-01-01T00:00:00Z"),
                accepted(CheckId::TcbStatus, "2026-09-01T00:00:00Z"),
                accepted(CheckId::TcbStatus, until),
            ];
            Forecast::all_in(&report).first().copied().unwrap()
        };
        let (one, other) = (with_end("2026-06-11T00:00:00Z"), with_end("2026-06-12T00:00:00Z"));
        assert_eq!(one.to_string(), "tcb-status/exception-ends-soon@1781136000");
        assert_ne!(one, other);
        // What an earlier version stored.
        let old: Forecast = serde_json::from_str(r#""tcb-status/exception-ends-soon""#).unwrap();
        assert!(one.is_known_as(old) && one.is_known_as(one) && !one.is_known_as(other));
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Forecast>(&json).unwrap(), one);
        for wrong in [
            "tcb-status/exception-ends-soon@",
            "tcb-status/exception-ends-soon@soon",
        ] {
            assert!(
                serde_json::from_value::<Forecast>(wrong.into()).is_err(),
                "{wrong}"
            );
        }
    }

    /// The day until which a second release is accepted ends a pass as well.
    #[test]
    fn the_day_of_a_second_release_is_the_end_of_its_forecast() {
        let mut report = samples::pass();
        set(
            &mut report,
            CheckId::ComposeHash,
            Status::Warn,
            "second-hash-ends-soon",
        );
        report.second_release_until = Some("2026-06-11".to_owned());
        assert_eq!(texts(&report), ["compose-hash/second-hash-ends-soon@1781136000"]);
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
            "compose-hash/second-hash-ends-soon",
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
