//! One check as an alert tells it, and the two lines that the first of them gives: what is wrong, what to do.

use super::incident::Failing;
use super::sanitize::sanitize;
use super::sanitize::{MAX_NAME, MAX_SENTENCE};
use cvm_verify_core::checks::Check;
use cvm_verify_core::report::{CheckId, CheckResult, Status, Verdict};

/// One check that the verdict hangs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCheck {
    /// Which.
    pub id: CheckId,
    /// Its outcome: `fail`, `error`, or a `skip` or `warn` short of its requirement.
    pub status: Status,
    /// Its reason.
    pub reason: Option<String>,
    /// What was found.
    pub detail: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl FailedCheck {
    pub(super) fn of(check: &CheckResult) -> Self {
        Self {
            id: check.id,
            status: check.status,
            reason: check.reason.as_deref().map(|reason| sanitize(reason, MAX_NAME)),
            detail: sanitize(&check.detail, MAX_SENTENCE),
            fix: check.fix.as_deref().map(|fix| sanitize(fix, MAX_SENTENCE)),
        }
    }

    /// A check that failed before, in words of our own: what the target said is not kept.
    pub(super) fn remembered(failing: &Failing, verdict: Verdict) -> Self {
        let status = if verdict == Verdict::Fail {
            Status::Fail
        } else {
            Status::Error
        };
        Self::meaning(failing.check, status, Some(&failing.reason))
    }

    /// The same result in words of our own, without what was found of one target.
    pub(super) fn in_own_words(&self) -> Self {
        Self::meaning(self.id, self.status, self.reason.as_deref())
    }

    fn meaning(id: CheckId, status: Status, reason: Option<&str>) -> Self {
        let known = reason.and_then(|reason| Check::of(id).reason(reason));
        Self {
            id,
            status,
            reason: reason.map(|reason| sanitize(reason, MAX_NAME)),
            detail: known.map_or("It did not pass.", |reason| reason.means).to_owned(),
            fix: known
                .map(|reason| reason.fix.to_owned())
                .filter(|fix| !fix.is_empty()),
        }
    }

    /// What to do about it, unless it is the first of a message, which says that above.
    pub(super) fn next(&self, is_first: bool) -> Option<String> {
        let fix = self.fix.as_deref().filter(|_| !is_first);
        fix.map(|fix| format!("Next: {fix}"))
    }

    /// The check, its outcome and its reason.
    #[must_use]
    pub fn line(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or("no reason given");
        format!("{}: {} ({reason})", self.id, self.status.as_str())
    }
}

/// What a check found. Where the one thing missing is that the user writes down a value, what that means: the value
/// itself would push the meaning out of the line.
pub(super) fn cause(check: &CheckResult) -> String {
    let reason = check.reason.as_deref();
    let text = match reason.and_then(|reason| Check::of(check.id).reason(reason)) {
        Some(reason) if check.status == Status::Skip => reason.means,
        _ => &check.detail,
    };
    sanitize(text, MAX_SENTENCE)
}

/// What to do about what a check found.
pub(super) fn next(check: &CheckResult) -> String {
    let explain = || {
        format!(
            "Read the run's report, and `cvm-verify explain {}` for what this check is about.",
            check.id
        )
    };
    check
        .fix
        .as_deref()
        .map_or_else(explain, |fix| sanitize(fix, MAX_SENTENCE))
}
