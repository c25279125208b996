//! The attempts of a run that waits (`--wait`): which one ends the waiting, and what the report says of those before it.
//!
//! Several instances may answer at one address. A run that asks until one of them passes always finds the good one, so three
//! things limit the asking: evidence that is forged ends it, a pass after a failure must hold once more on a new connection,
//! and the report names the attempts that did not pass.

use crate::engine::is_interrupted;
use crate::render::cause::causes;
use cvm_verify_core::checks::{Check, EvidenceFailure, EvidenceReason, Heals};
use cvm_verify_core::report::{
    AttemptReason, CheckId, CheckResult, EarlierAttempts, Status, TargetReport, Verdict,
};

/// What a run waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WaitsFor {
    /// A pass: after a deploy, the old release still answers.
    #[default]
    Pass,
    /// A verdict: a monitor expects no new release. A failure ends the waiting, so that a swap which is undone is not hidden.
    Verdict,
}

/// The attempts so far, of each target.
pub(crate) struct Attempts {
    targets: Vec<OfTarget>,
    waits_for: WaitsFor,
}

/// The attempts at one target.
#[derive(Default, Clone)]
struct OfTarget {
    /// Those that did not pass and that another one followed.
    earlier: EarlierAttempts,
    /// Whether one of them failed. What could not be determined is what a deploy looks like: nothing answers yet.
    failed: bool,
    /// Whether the second release ran in one of them.
    ran_second: bool,
    /// How many in a row passed, the last one among them.
    passed: u32,
    /// How many of those ran the release that is expected first.
    passed_first: u32,
    /// Whether the last one that brought evidence passed and had to hold once more.
    was_unconfirmed: bool,
}

/// What follows an attempt at a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: its result is that of the target.
    End,
    /// Another one after a pause: something is still different.
    Again,
    /// Another one, because an earlier one failed and this one passes. It may take the time that the run has, also where the
    /// waiting is over: an app that answers slowly does not fail for that.
    OnceMore,
}

impl Attempts {
    /// Of a run over so many targets.
    pub fn of(targets: usize, waits_for: WaitsFor) -> Self {
        Self {
            targets: vec![OfTarget::default(); targets],
            waits_for,
        }
    }

    /// What follows an attempt at a target that found this. `waits` is whether time is left to wait for another release.
    pub fn next(&mut self, index: usize, reports: &[TargetReport], waits: bool) -> Next {
        match self.targets.get_mut(index) {
            Some(target) => target.next(reports, waits, self.waits_for),
            None => Next::End,
        }
    }

    /// Whether the last attempt at a target passed and must hold once more. It does not stand alone: who answers once and is silent
    /// then would choose which answer counts.
    pub fn is_unconfirmed(&self, index: usize) -> bool {
        self.targets.get(index).is_some_and(OfTarget::is_unconfirmed)
    }

    /// Notes an attempt at a target that another one followed.
    pub fn note(&mut self, index: usize, reports: &[TargetReport]) {
        let mut failed = reports
            .iter()
            .filter(|report| report.verdict != Verdict::Pass)
            .peekable();
        if failed.peek().is_some()
            && let Some(target) = self.targets.get_mut(index)
        {
            target.earlier.add(failed.flat_map(causes).map(reason));
        }
    }

    /// Writes what was noted into the reports of the last attempt at a target.
    pub fn name(&self, index: usize, reports: &mut [TargetReport]) {
        let Some(target) = self.targets.get(index) else {
            return;
        };
        for report in reports {
            report.earlier_attempts = Some(&target.earlier)
                .filter(|earlier| earlier.not_passed > 0)
                .cloned();
            if target.was_unconfirmed && report.verdict == Verdict::Inconclusive {
                name_unconfirmed(report);
            }
        }
    }
}

impl OfTarget {
    fn next(&mut self, reports: &[TargetReport], waits: bool, waits_for: WaitsFor) -> Next {
        if reports.iter().any(no_deploy_heals) {
            (self.passed, self.passed_first) = (0, 0);
            return Next::End;
        }
        let verdict = Verdict::worst(reports.iter().map(|report| report.verdict));
        if verdict != Verdict::Pass {
            (self.passed, self.passed_first) = (0, 0);
            self.failed |= verdict == Verdict::Fail || reports.iter().any(may_be_forged);
            self.was_unconfirmed &= verdict != Verdict::Fail;
            let is_waited_on = verdict == Verdict::Inconclusive || waits_for == WaitsFor::Pass;
            return if waits && is_waited_on {
                Next::Again
            } else {
                Next::End
            };
        }
        self.passed += 1;
        let runs_second = reports.iter().any(|report| report.second_release_until.is_some());
        self.ran_second |= runs_second;
        self.passed_first = if runs_second { 0 } else { self.passed_first + 1 };
        let is_unconfirmed = self.is_unconfirmed();
        self.was_unconfirmed = is_unconfirmed;
        match (
            runs_second && waits && waits_for == WaitsFor::Pass,
            is_unconfirmed,
        ) {
            (true, _) => Next::Again,
            (false, true) => Next::OnceMore,
            (false, false) => Next::End,
        }
    }

    fn is_unconfirmed(&self) -> bool {
        match (self.passed, self.passed_first) {
            (0, _) => false,
            // The second release runs. Its pass is one of the first release after a fail, too.
            (passed, 0) => self.failed && passed < 2,
            (_, passed_first) => (self.failed || self.ran_second) && passed_first < 2,
        }
    }
}

/// Where the last attempt brought no evidence, the report says that one before it passed. An attempt that a signal ended would have
/// brought it.
fn name_unconfirmed(report: &mut TargetReport) {
    if is_interrupted(report) {
        return;
    }
    let checks = report.checks.iter_mut();
    let evidence = checks
        .into_iter()
        .find(|check| check.id == CheckId::Evidence && check.status == Status::Error);
    if let Some(evidence) = evidence {
        let failure = EvidenceFailure::new(
            EvidenceReason::NotConfirmed,
            format!(
                "An attempt of this run passed after one that found something else, and the attempt that should confirm it got no evidence: \
                 {}",
                evidence.detail
            ),
        );
        let finding = failure.finding();
        evidence.reason = finding.reason.map(|reason| reason.id.to_owned());
        evidence.fix = finding.reason.map(|reason| reason.fix.to_owned());
        evidence.detail = finding.detail;
    }
}

fn reason(check: &CheckResult) -> AttemptReason {
    AttemptReason {
        check: check.id,
        reason: check.reason.clone().unwrap_or_default(),
    }
}

/// Whether the evidence is forged or replayed, so that waiting would only find another instance.
pub(crate) fn no_deploy_heals(report: &TargetReport) -> bool {
    let expected_runs = report.second_release_until.is_none()
        && report
            .check(CheckId::ComposeHash)
            .is_some_and(|check| check.status == Status::Pass);
    convicts(report, Status::Fail, |heals| {
        heals == Heals::Never || expected_runs
    })
}

/// Whether the evidence is refused and it is not known who changed it: another instance may have answered a pass that follows.
fn may_be_forged(report: &TargetReport) -> bool {
    convicts(report, Status::Error, |heals| heals == Heals::Never)
}

/// Whether a check has this status for a reason that convicts.
fn convicts(report: &TargetReport, status: Status, counts: impl Fn(Heals) -> bool) -> bool {
    let mut checks = report.checks.iter().filter(|check| check.status == status);
    checks.any(|check| {
        let mut convicting = Check::of(check.id).convicts.iter();
        convicting.any(|(reason, heals)| Some(reason.id) == check.reason.as_deref() && counts(*heals))
    })
}

#[cfg(test)]
#[path = "attempts_tests.rs"]
mod tests;
