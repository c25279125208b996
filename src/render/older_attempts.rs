//! What is said of the parts of a joined report that an older attempt at the run verified.

use cvm_verify_core::report::{OlderAttempt, Report, rfc3339, unix_seconds};

/// How many are named.
const MAX_NAMED: usize = 20;

/// A line for each, and one for those that are not named. They hold words of ours alone: a time that cannot be read is left out.
pub(crate) fn lines(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = report.older_attempts.iter().take(MAX_NAMED).map(line).collect();
    let more = report.older_attempts.len().saturating_sub(MAX_NAMED);
    if more > 0 {
        lines.push(format!("{more} more reports are of older attempts."));
    }
    lines
}

fn line(one: &OlderAttempt) -> String {
    let what = one
        .shard
        .map_or_else(|| "A report".to_owned(), |shard| format!("The shard {shard}"));
    let at = unix_seconds(&one.ended_at).map(|at| format!(", at {}", rfc3339(at)));
    format!(
        "{what} was verified by attempt {}{}; the newest attempt at this run is {}.",
        one.attempt,
        at.unwrap_or_default(),
        one.newest
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::report::Mode;

    #[test]
    fn each_is_named_with_its_time_and_only_so_many() {
        let mut report = samples::report(Mode::Live, vec![samples::pass()]);
        assert!(lines(&report).is_empty());
        let one = OlderAttempt {
            shard: "2/2".parse().ok(),
            attempt: 1,
            newest: 2,
            ended_at: "2026-11-01T15:04:00Z".to_owned(),
        };
        let odd = OlderAttempt {
            shard: None,
            ended_at: "\u{1b}[31m".to_owned(),
            ..one.clone()
        };
        report.older_attempts = vec![one, odd.clone()];
        assert_eq!(
            lines(&report),
            [
                "The shard 2/2 was verified by attempt 1, at 2026-11-01T15:04:00Z; the newest attempt at this run is 2.",
                "A report was verified by attempt 1; the newest attempt at this run is 2."
            ]
        );
        report.older_attempts = vec![odd; MAX_NAMED + 3];
        assert_eq!(
            lines(&report).last().map(String::as_str),
            Some("3 more reports are of older attempts.")
        );
    }
}
