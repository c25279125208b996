//! The times of a run: `--wait`, `--timeout` and `--deadline`.

use std::time::Duration;

use crate::attempts::WaitsFor;
use crate::usage_error::UsageError;
use cvm_verify_core::policy::seconds;

/// The longest wait that makes sense in CI.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest `--deadline` if none is given.
const USUAL_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// What a run may take behind its `--wait`, where no `--deadline` is given: for the attempt that is under way.
const BEHIND_WAIT: Duration = Duration::from_secs(2 * 60);

/// What stands before the duration of a wait that every failure ends.
const FOR_A_VERDICT: &str = "inconclusive:";

/// Parses `--wait`; zero if it is not given.
pub(super) fn parse(text: Option<&str>) -> Result<(Duration, WaitsFor), UsageError> {
    let verdict = text.and_then(|text| text.trim().strip_prefix(FOR_A_VERDICT));
    let waits_for = match verdict {
        Some(_) => WaitsFor::Verdict,
        None => WaitsFor::Pass,
    };
    Ok((
        duration("--wait", verdict.or(text))?.unwrap_or_default(),
        waits_for,
    ))
}

/// Parses `--timeout`.
pub(super) fn timeout(text: Option<&str>) -> Result<Option<Duration>, UsageError> {
    positive("--timeout", text)
}

/// Parses `--deadline`; by default the larger of 10 minutes and `wait` and 2 minutes.
pub(super) fn deadline(text: Option<&str>, wait: Duration) -> Result<Duration, UsageError> {
    Ok(positive("--deadline", text)?.unwrap_or_else(|| USUAL_DEADLINE.max(wait + BEHIND_WAIT)))
}

fn positive(option: &'static str, text: Option<&str>) -> Result<Option<Duration>, UsageError> {
    match duration(option, text)? {
        Some(Duration::ZERO) => Err(UsageError::option(option, "0 is not a limit; write 1s or more")),
        other => Ok(other),
    }
}

/// A whole number and `s`, `m` or `h`, at most 24 hours.
fn duration(option: &'static str, text: Option<&str>) -> Result<Option<Duration>, UsageError> {
    let Some(text) = text.map(str::trim) else {
        return Ok(None);
    };
    let error = || {
        UsageError::option(
            option,
            format!("{text:?} is not a duration such as 90s, 10m or 1h (at most 24h)"),
        )
    };
    // A run is never counted in days.
    let seconds = seconds::parse(text).filter(|_| !text.ends_with('d'));
    let duration = seconds.map(Duration::from_secs).filter(|of| *of <= LONGEST);
    duration.map(Some).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_an_end() {
        let seconds = |seconds, waits_for| (Duration::from_secs(seconds), waits_for);
        for (text, expected) in [
            (None, seconds(0, WaitsFor::Pass)),
            (Some("90s"), seconds(90, WaitsFor::Pass)),
            (Some(" 10m "), seconds(600, WaitsFor::Pass)),
            (Some("1h"), seconds(3600, WaitsFor::Pass)),
            (Some(" inconclusive:5m "), seconds(300, WaitsFor::Verdict)),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text:?}");
        }
        for wrong in [
            "inconclusive",
            "inconclusive:",
            "pass:5m",
            "fail:5m",
            "5m:inconclusive",
        ] {
            assert!(parse(Some(wrong)).is_err(), "{wrong}");
        }
        for wrong in [
            "",
            "10",
            "m",
            "-1s",
            "1.5h",
            "25h",
            "1d",
            "10mm",
            "+5m",
            "99999999999999999999h",
        ] {
            assert!(parse(Some(wrong)).is_err(), "{wrong}");
            assert!(timeout(Some(wrong)).is_err(), "{wrong}");
        }
        assert!(timeout(Some("0s")).is_err() && deadline(Some("0s"), Duration::ZERO).is_err());
        assert_eq!(timeout(None).unwrap(), None);
    }

    #[test]
    fn a_run_has_ten_minutes_or_two_more_than_it_waits() {
        let minutes = |number: u64| Duration::from_secs(60 * number);
        assert_eq!(deadline(None, Duration::ZERO).unwrap(), minutes(10));
        assert_eq!(deadline(None, minutes(30)).unwrap(), minutes(32));
        assert_eq!(deadline(Some("5m"), minutes(30)).unwrap(), minutes(5));
    }
}
