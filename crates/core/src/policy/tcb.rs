//! Which TCB statuses are accepted, and until when.

use std::str::FromStr;

use chrono::NaiveDate;
use dcap_qvl::TcbStatus;

use super::expected::Origin;

/// How far ahead an exception may end, days (docs/checks/tcb-status.md).
pub const MAX_EXCEPTION_DAYS: u64 = 90;

const DAY: u64 = 86_400;

/// Which TCB statuses are accepted beside `UpToDate`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TcbPolicy {
    /// Dated exceptions.
    pub exceptions: Vec<TcbException>,
    /// The lowest evaluation data number that is accepted, in addition to the built-in minimum.
    pub min_eval_data_number: Option<u32>,
}

/// A TCB status that is accepted for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcbException {
    /// The status.
    pub status: TcbStatus,
    /// The first second at which it no longer holds, Unix seconds: the end of its last day, UTC.
    pub ends: u64,
    /// Advisories that are accepted with it; absent means any.
    pub advisories: Option<Vec<String>>,
    /// Where it is written; absent stands for the option `--accept-tcb`.
    pub origin: Option<Origin>,
}

/// Why an exception is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExceptionError {
    /// It has another form.
    #[error("{0:?} is not of the form STATUS:until=YYYY-MM-DD[:advisories=INTEL-SA-00001,…]")]
    Form(String),
    /// A day that the calendar does not have.
    #[error("{0:?} is not a day of the calendar; write it as YYYY-MM-DD")]
    Day(String),
    /// The status is none of Intel's, or one that is never accepted.
    #[error(
        "{0:?} is not a TCB status that can be accepted; these are: OutOfDate, OutOfDateConfigurationNeeded, \
         ConfigurationNeeded, ConfigurationAndSWHardeningNeeded, SWHardeningNeeded, TDRelaunchAdvised, \
         TDRelaunchAdvisedConfigurationNeeded"
    )]
    Status(String),
    /// It has no end date.
    #[error("an exception needs an end date: {0}:until=YYYY-MM-DD, at most {MAX_EXCEPTION_DAYS} days ahead")]
    NoEnd(String),
    /// It ends too far ahead.
    #[error(
        "the exception for {0} ends more than {MAX_EXCEPTION_DAYS} days ahead; renew it after checking the platform again"
    )]
    TooFar(String),
    /// An empty list of advisories.
    #[error("the list of advisories is empty; leave `advisories=` out to accept any")]
    NoAdvisories,
}

impl FromStr for TcbException {
    type Err = ExceptionError;

    fn from_str(text: &str) -> Result<Self, ExceptionError> {
        let mut parts = text.trim().split(':');
        let name = parts.next().unwrap_or_default();
        let status = parse_status(name).ok_or_else(|| ExceptionError::Status(shorten(name)))?;
        let (mut ends, mut advisories) = (None, None);
        for part in parts {
            match part.split_once('=') {
                Some(("until", date)) if ends.is_none() => {
                    ends = Some(end_of_day(date).ok_or_else(|| ExceptionError::Day(shorten(date)))?);
                }
                Some(("advisories", list)) if advisories.is_none() => {
                    let list: Vec<String> = list
                        .split(',')
                        .map(str::trim)
                        .filter(|id| !id.is_empty())
                        .map(str::to_owned)
                        .collect();
                    if list.is_empty() {
                        return Err(ExceptionError::NoAdvisories);
                    }
                    advisories = Some(list);
                }
                _ => return Err(ExceptionError::Form(shorten(text))),
            }
        }
        let ends = ends.ok_or_else(|| ExceptionError::NoEnd(status.to_string()))?;
        Ok(Self {
            status,
            ends,
            advisories,
            origin: None,
        })
    }
}

impl TcbException {
    /// Where it is written.
    #[must_use]
    pub fn by(&self) -> String {
        self.origin
            .as_ref()
            .map_or_else(|| "--accept-tcb".to_owned(), ToString::to_string)
    }

    /// The text of an exception for a status, for 30 days from a time on, Unix seconds. None for a status that is never accepted.
    #[must_use]
    pub(crate) fn until(status: &str, at: u64) -> Option<String> {
        parse_status(status)?;
        let end = i64::try_from(at.checked_add(30 * DAY)?).ok()?;
        let day = chrono::DateTime::<chrono::Utc>::from_timestamp(end, 0)?.date_naive();
        Some(format!("{status}:until={day}"))
    }

    /// Refuses an exception that ends too far ahead of the time that is judged at, Unix seconds.
    ///
    /// # Errors
    /// [`ExceptionError::TooFar`].
    pub fn check_end(&self, at: u64) -> Result<(), ExceptionError> {
        if is_too_far(self.ends, at) {
            return Err(ExceptionError::TooFar(self.status.to_string()));
        }
        Ok(())
    }
}

/// Whether an end, in Unix seconds, is too far ahead of the time that is judged at.
pub(crate) fn is_too_far(ends: u64, at: u64) -> bool {
    // One more day: what ends holds to the end of its last day.
    ends > at.saturating_add((MAX_EXCEPTION_DAYS + 1) * DAY)
}

/// The first second after a day, `YYYY-MM-DD`, UTC; Unix seconds.
pub(super) fn end_of_day(date: &str) -> Option<u64> {
    end_of(NaiveDate::parse_from_str(date.trim(), "%Y-%m-%d").ok()?)
}

/// The first second after a day, Unix seconds, UTC. A day before 1970 has none.
pub(crate) fn end_of(day: NaiveDate) -> Option<u64> {
    let next = day.succ_opt()?.and_hms_opt(0, 0, 0)?;
    u64::try_from(next.and_utc().timestamp()).ok()
}

fn parse_status(text: &str) -> Option<TcbStatus> {
    [
        TcbStatus::OutOfDate,
        TcbStatus::OutOfDateConfigurationNeeded,
        TcbStatus::ConfigurationNeeded,
        TcbStatus::ConfigurationAndSWHardeningNeeded,
        TcbStatus::SWHardeningNeeded,
        TcbStatus::TDRelaunchAdvised,
        TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
    ]
    .into_iter()
    .find(|status| status.to_string() == text)
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_needs_a_known_status_and_an_end() {
        let error = |text: &str| text.parse::<TcbException>().unwrap_err();
        assert_eq!(
            error("Revoked:until=2026-12-01"),
            ExceptionError::Status("Revoked".to_owned())
        );
        assert_eq!(
            error("UpToDate:until=2026-12-01"),
            ExceptionError::Status("UpToDate".to_owned())
        );
        assert_eq!(error("OutOfDate"), ExceptionError::NoEnd("OutOfDate".to_owned()));
        assert_eq!(
            error("OutOfDate:until=2026-12-01:advisories="),
            ExceptionError::NoAdvisories
        );
        assert!(matches!(
            error("OutOfDate:until=tomorrow"),
            ExceptionError::Day(_)
        ));
        assert_eq!(
            error("OutOfDate:until=2026-02-30").to_string(),
            "\"2026-02-30\" is not a day of the calendar; write it as YYYY-MM-DD"
        );
        assert!(matches!(
            error("OutOfDate:until=2026-12-01:until=2026-12-02"),
            ExceptionError::Form(_)
        ));
    }

    #[test]
    fn the_exception_that_is_offered_is_accepted() {
        let offered = TcbException::until("OutOfDate", 1_780_000_000).unwrap();
        assert_eq!(offered, "OutOfDate:until=2026-06-27");
        let exception: TcbException = offered.parse().unwrap();
        assert_eq!(exception.check_end(1_780_000_000), Ok(()));
        assert_eq!(TcbException::until("Revoked", 1_780_000_000), None);
    }

    #[test]
    fn an_exception_holds_to_the_end_of_its_day_and_at_most_90_days() {
        let exception: TcbException = "OutOfDate:until=2026-11-30:advisories=INTEL-SA-01036"
            .parse()
            .unwrap();
        assert_eq!(exception.ends, end_of_day("2026-11-30").unwrap());
        assert_eq!(crate::report::rfc3339(exception.ends), "2026-12-01T00:00:00Z");
        let midnight = exception.ends - DAY;
        assert!(exception.check_end(midnight - 90 * DAY).is_ok());
        assert!(exception.check_end(midnight - 90 * DAY - 1).is_err());
    }
}
