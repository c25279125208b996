//! `--wait`: repeat until the expected code is live and passes, or time is up.

use std::time::Duration;

use super::error::UsageError;
use crate::render::escape;
use crate::report::{Status, TargetReport, Verdict};

/// The longest wait that makes sense in CI.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses a duration: a whole number and `s`, `m` or `h`.
pub(super) fn parse(text: &str) -> Result<Duration, UsageError> {
    let text = text.trim();
    let error = || {
        UsageError::option(
            "--wait",
            format!("{text:?} is no duration, as 90s, 10m or 1h (at most 24h)"),
        )
    };
    let unit = text.chars().last().ok_or_else(error)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return Err(error()),
    };
    let number: u64 = text.trim_end_matches(unit).parse().map_err(|_| error())?;
    let duration = Duration::from_secs(number.saturating_mul(seconds));
    if duration > LONGEST {
        Err(error())
    } else {
        Ok(duration)
    }
}

/// Sleeps; false when the user interrupts.
pub(super) async fn pause(duration: Duration) -> bool {
    tokio::select! {
        () = tokio::time::sleep(duration) => true,
        _ = tokio::signal::ctrl_c() => false,
    }
}

/// One line a target that does not pass yet: what is still different.
pub(super) fn still_different(reports: &[TargetReport], left: Duration) -> String {
    let waiting = reports.iter().filter(|report| report.verdict != Verdict::Pass);
    let lines: Vec<String> = waiting
        .map(|report| format!("waiting: {}: {}", shown(&report.name), cause(report)))
        .collect();
    format!("{} ({} s left)", lines.join("\n"), left.as_secs())
}

fn cause(report: &TargetReport) -> String {
    let worst = [Status::Fail, Status::Error, Status::Warn, Status::Skip]
        .into_iter()
        .find_map(|status| report.checks.iter().find(|check| check.status == status));
    worst.map_or_else(
        || report.verdict.as_str().to_owned(),
        |check| {
            format!(
                "{} [{}] {}",
                check.id,
                check.reason.as_deref().unwrap_or_default(),
                shown(&check.detail)
            )
        },
    )
}

fn shown(text: &str) -> String {
    escape::terminal(&escape::shorten(text, 200)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_an_end() {
        assert_eq!(parse("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(parse(" 10m ").unwrap(), Duration::from_secs(600));
        assert_eq!(parse("1h").unwrap(), Duration::from_secs(3600));
        for wrong in ["", "10", "m", "-1s", "1.5h", "25h", "1d", "99999999999999999999h"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
