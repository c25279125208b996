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
                "An attempt of this run passed after one that failed, and the attempt that should confirm it got no evidence: \
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
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::checks::ALL;

    fn failing(id: CheckId, reason: &str) -> TargetReport {
        let mut target = samples::pass();
        target.verdict = Verdict::Fail;
        samples::set(&mut target, id, Status::Fail, reason, "");
        target
    }

    fn second() -> TargetReport {
        TargetReport {
            second_release_until: Some("2026-12-10".to_owned()),
            ..samples::pass()
        }
    }

    /// What follows each of these attempts at one target while time is left.
    fn run(attempts: &[TargetReport]) -> Vec<Next> {
        let mut run = Attempts::of(1, WaitsFor::Pass);
        attempts
            .iter()
            .map(|report| run.next(0, std::slice::from_ref(report), true))
            .collect()
    }

    #[test]
    fn who_waits_for_a_verdict_is_ended_by_every_failure() {
        let open = || TargetReport {
            verdict: Verdict::Inconclusive,
            ..samples::unreachable()
        };
        let old = || failing(CheckId::ComposeHash, "compose-hash-mismatch");
        for (last, waits_for, next) in [
            (old(), WaitsFor::Pass, Next::Again),
            (old(), WaitsFor::Verdict, Next::End),
            (open(), WaitsFor::Verdict, Next::Again),
            (samples::pass(), WaitsFor::Verdict, Next::End),
            (second(), WaitsFor::Pass, Next::Again),
            (second(), WaitsFor::Verdict, Next::End),
        ] {
            let mut run = Attempts::of(1, waits_for);
            assert_eq!(run.next(0, &[open()], true), Next::Again);
            let verdict = last.verdict;
            assert_eq!(run.next(0, &[last], true), next, "{verdict} {waits_for:?}");
            assert_eq!(run.next(0, &[open()], false), Next::End);
        }
    }

    fn convicting() -> impl Iterator<Item = (CheckId, &'static str, Heals)> {
        let of = |check: &'static Check| {
            check
                .convicts
                .iter()
                .map(|(reason, heals)| (check.id, reason.id, *heals))
        };
        ALL.into_iter().flat_map(of)
    }

    /// What the checks' own files say, in one place: a failure that ends the waiting accuses.
    #[test]
    fn these_failures_convict() {
        use Heals::{Never, UnlessExpectedRuns};
        let expected = [
            (CheckId::QuoteSignature, "not-verified", Never),
            (CheckId::EventLog, "rtmr-mismatch", Never),
            (CheckId::EventLog, "digest-mismatch", Never),
            (CheckId::EventLog, "wrong-event-type", Never),
            (CheckId::EventLog, "reserved-name", Never),
            (CheckId::EventLog, "preimage-mismatch", Never),
            (CheckId::BootOrder, "duplicate-event", Never),
            (CheckId::BootOrder, "out-of-order", Never),
            (CheckId::BootOrder, "bad-payload", Never),
            (CheckId::Freshness, "nonce-mismatch", UnlessExpectedRuns),
            (CheckId::ReportData, "echo-mismatch", UnlessExpectedRuns),
            (
                CheckId::TdAttributes,
                "td-attributes-mismatch",
                UnlessExpectedRuns,
            ),
            (CheckId::TdAttributes, "owner-not-zero", UnlessExpectedRuns),
            (CheckId::TdAttributes, "service-td", UnlessExpectedRuns),
        ];
        let found: Vec<_> = convicting().collect();
        assert!(expected.iter().all(|one| found.contains(one)), "{found:?}");
        assert_eq!(found.len(), expected.len(), "{found:?}");
    }

    #[test]
    fn forged_evidence_of_one_target_ends_the_waiting_of_no_other() {
        let mut attempts = Attempts::of(2, WaitsFor::Pass);
        let forged = failing(CheckId::QuoteSignature, "not-verified");
        let older = failing(CheckId::ComposeHash, "compose-hash-mismatch");
        assert_eq!(attempts.next(0, std::slice::from_ref(&forged), true), Next::End);
        assert_eq!(attempts.next(1, std::slice::from_ref(&older), true), Next::Again);
        attempts.note(1, &[older]);
        assert_eq!(attempts.next(1, &[samples::pass()], true), Next::OnceMore);
        assert_eq!(attempts.next(1, &[samples::pass()], true), Next::End);
        // The forged one is the result of its target, and no earlier attempt.
        let mut last = [forged, samples::pass()];
        attempts.name(0, &mut last[..1]);
        attempts.name(1, &mut last[1..]);
        assert!(last[0].earlier_attempts.is_none());
        assert_eq!(last[1].earlier_attempts.as_ref().unwrap().not_passed, 1);
    }

    /// The waiting may be over by then: the confirmation has the time of the run.
    /// Phala Cloud's API or the host changed it: which of them is not known, and a pass behind it may be of another instance.
    #[test]
    fn a_pass_after_bytes_that_somebody_changed_must_hold_once_more() {
        let changed = || {
            let mut target = samples::pass();
            target.verdict = Verdict::Inconclusive;
            samples::set(
                &mut target,
                CheckId::QuoteSignature,
                Status::Error,
                "not-verified",
                "",
            );
            target
        };
        let passes = samples::pass;
        assert_eq!(
            run(&[changed(), passes(), passes()]),
            [Next::Again, Next::OnceMore, Next::End]
        );
        let silent = samples::unreachable;
        assert_eq!(run(&[silent(), passes()]), [Next::Again, Next::End]);
    }

    #[test]
    fn a_pass_after_a_failure_does_not_stand_alone_when_time_is_up() {
        let older = || failing(CheckId::ComposeHash, "compose-hash-mismatch");
        let mut run = Attempts::of(1, WaitsFor::Pass);
        assert_eq!(run.next(0, &[older()], true), Next::Again);
        assert!(!run.is_unconfirmed(0));
        assert_eq!(run.next(0, &[samples::pass()], false), Next::OnceMore);
        assert!(run.is_unconfirmed(0));
        let mut silent = [samples::unreachable()];
        assert_eq!(run.next(0, &silent, false), Next::End);
        run.name(0, &mut silent);
        let evidence = silent[0].check(CheckId::Evidence).unwrap();
        assert_eq!(
            (evidence.status, evidence.reason.as_deref()),
            (Status::Error, Some("not-confirmed"))
        );
        assert!(
            evidence.detail.contains("passed after one that failed"),
            "{}",
            evidence.detail
        );
        // The second release is one, too.
        let mut run = Attempts::of(1, WaitsFor::Pass);
        assert_eq!(run.next(0, &[older()], true), Next::Again);
        assert_eq!(run.next(0, &[second()], true), Next::Again);
        assert!(run.is_unconfirmed(0));
        assert_eq!(run.next(0, &[second()], false), Next::End);
        let mut run = Attempts::of(1, WaitsFor::Pass);
        assert_eq!(run.next(0, &[older()], true), Next::Again);
        assert_eq!(run.next(0, &[second()], false), Next::OnceMore);
        // What never failed needs no confirmation, and silence is what it was.
        let mut run = Attempts::of(1, WaitsFor::Pass);
        assert_eq!(run.next(0, &[second()], false), Next::End);
        let mut run = Attempts::of(1, WaitsFor::Pass);
        let mut silent = [samples::unreachable()];
        assert_eq!(run.next(0, &silent, true), Next::Again);
        run.name(0, &mut silent);
        let evidence = silent[0].check(CheckId::Evidence).unwrap();
        assert_eq!(evidence.reason.as_deref(), Some("unreachable"));
    }

    #[test]
    fn forged_evidence_ends_the_waiting_at_once() {
        for (id, reason, _) in convicting() {
            assert_eq!(run(&[failing(id, reason)]), [Next::End], "{id}/{reason}");
        }
    }

    #[test]
    fn what_a_deploy_or_another_boot_changes_is_waited_on() {
        for (id, reason) in [
            (CheckId::ComposeHash, "compose-hash-mismatch"),
            (CheckId::QuoteSignature, "malformed"),
            (CheckId::QuoteSignature, "no-matching-tcb-level"),
            (CheckId::ReportData, "value-mismatch"),
            (CheckId::ReportData, "key-mismatch"),
            (CheckId::BootOrder, "no-system-ready"),
            (CheckId::TdAttributes, "platform-changed"),
            (CheckId::KeyProvider, "provider-mismatch"),
        ] {
            assert_eq!(run(&[failing(id, reason)]), [Next::Again], "{id}/{reason}");
        }
    }

    /// The release before may have served its evidence in another way: that is not a replay by a host.
    #[test]
    fn an_older_release_that_ignores_the_nonce_is_waited_on() {
        let mut old = failing(CheckId::Freshness, "nonce-mismatch");
        samples::set(
            &mut old,
            CheckId::ComposeHash,
            Status::Fail,
            "compose-hash-mismatch",
            "",
        );
        assert_eq!(run(&[old]), [Next::Again]);
        let mut second = second();
        second.verdict = Verdict::Fail;
        samples::set(
            &mut second,
            CheckId::Freshness,
            Status::Fail,
            "nonce-mismatch",
            "",
        );
        assert_eq!(run(&[second]), [Next::Again]);
    }

    #[test]
    fn a_pass_after_a_failure_must_hold_once_more_and_after_silence_it_need_not() {
        let pass = samples::pass;
        let old = || failing(CheckId::ComposeHash, "compose-hash-mismatch");
        assert_eq!(run(&[pass()]), [Next::End]);
        assert_eq!(run(&[samples::unreachable(), pass()]), [Next::Again, Next::End]);
        assert_eq!(
            run(&[old(), pass(), old(), pass(), pass()]),
            [
                Next::Again,
                Next::OnceMore,
                Next::Again,
                Next::OnceMore,
                Next::End
            ]
        );
        assert_eq!(
            run(&[old(), pass(), samples::unreachable(), pass(), pass()]),
            [
                Next::Again,
                Next::OnceMore,
                Next::Again,
                Next::OnceMore,
                Next::End
            ]
        );
    }

    #[test]
    fn the_second_release_is_waited_on() {
        assert_eq!(
            run(&[second(), second(), samples::pass(), samples::pass()]),
            [Next::Again, Next::Again, Next::OnceMore, Next::End]
        );
    }

    #[test]
    fn attempts_are_named_in_the_reports_of_their_target_alone() {
        let mut run = Attempts::of(2, WaitsFor::Pass);
        let old = failing(CheckId::ComposeHash, "compose-hash-mismatch");
        // Two instances of the first target, and the second target.
        run.note(0, &[old.clone(), old]);
        run.note(1, &[samples::pass()]);
        run.note(0, &[samples::pass(), samples::unreachable()]);
        run.note(1, &[samples::pass()]);
        let mut reports = [samples::pass(), samples::pass(), samples::pass()];
        run.name(0, &mut reports[..2]);
        run.name(1, &mut reports[2..]);
        let [first, other, second] = reports;
        let named = first.earlier_attempts.expect("two attempts");
        let reasons: Vec<(CheckId, &str)> = named
            .reasons
            .iter()
            .map(|one| (one.check, one.reason.as_str()))
            .collect();
        assert_eq!(
            (named.not_passed, reasons),
            (
                2,
                vec![
                    (CheckId::ComposeHash, "compose-hash-mismatch"),
                    (CheckId::Evidence, "unreachable")
                ]
            )
        );
        assert!(other.earlier_attempts.is_some() && second.earlier_attempts.is_none());
    }
}
