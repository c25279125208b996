//! The marks for results. Each has another shape, and a word always stands next to it: no colour is needed.

use cvm_verify_core::report::{Status, TargetReport, Verdict};

const PASS: &str = "\u{2705}";
const WARN: &str = "\u{26a0}\u{fe0f}";
const FAIL: &str = "\u{274c}";
const ERROR: &str = "\u{2753}";
const SKIP: &str = "\u{2796}";

/// What every mark begins with.
pub(super) const ALL: [char; 5] = ['\u{2705}', '\u{26a0}', '\u{274c}', '\u{2753}', '\u{2796}'];

/// The mark of a check's outcome.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => PASS,
        Status::Warn => WARN,
        Status::Fail => FAIL,
        Status::Error => ERROR,
        Status::Skip => SKIP,
    }
}

/// The mark of a verdict. A pass in which something was waived, or under another root than Intel's, is to be looked
/// at.
pub(super) fn target(target: &TargetReport) -> &'static str {
    verdict(target.verdict, super::words::is_whole(target))
}

/// The mark of a verdict, which is whole or not.
pub(super) const fn verdict(verdict: Verdict, is_whole: bool) -> &'static str {
    match verdict {
        Verdict::Pass if is_whole => PASS,
        Verdict::Pass => WARN,
        Verdict::Fail => FAIL,
        Verdict::Inconclusive => ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_listed() {
        for (mark, first) in [PASS, WARN, FAIL, ERROR, SKIP].into_iter().zip(ALL) {
            assert_eq!(mark.chars().next(), Some(first));
        }
    }
}
