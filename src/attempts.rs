//! The attempts of a run that waits (`--wait`): which one ends the waiting, and what the report says of those before it.
//!
//! Several instances may answer at one address. A run that asks until one of them passes always finds the good one, so three
//! things limit the asking: evidence that is forged ends it, a pass after a failure must hold once more on a new connection,
//! and the report names the attempts that did not pass.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::render::cause::causes;
use cvm_verify_core::report::{
    AttemptReason, CheckId, CheckResult, EarlierAttempts, Status, TargetReport, Verdict,
};

/// The time in which a deployment that has just answered answers once more.
const CONFIRMATION: Duration = Duration::from_secs(10);

/// The attempts so far.
pub(crate) struct Attempts {
    /// Of each target, those that did not pass and that another one followed.
    earlier: Vec<EarlierAttempts>,
    /// How many attempts in a row must pass.
    needed: u32,
    /// How many in a row passed.
    passed: u32,
}

/// What follows an attempt while time is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing: its result is that of the run.
    End,
    /// Another one after a pause: something is still different.
    Again,
    /// Another one, because an earlier one failed and this one passes.
    OnceMore,
}

impl Attempts {
    /// Of a run over so many targets.
    pub fn of(targets: usize) -> Self {
        Self {
            earlier: vec![EarlierAttempts::default(); targets],
            needed: 1,
            passed: 0,
        }
    }

    /// The targets with forged or replayed evidence: their result is final, whatever a later attempt finds. `of_reports` holds the
    /// index of the target of each report.
    pub fn convicted(reports: &[TargetReport], of_reports: &[usize]) -> BTreeSet<usize> {
        let convicting = of_reports
            .iter()
            .zip(reports)
            .filter(|(_, report)| no_deploy_heals(report));
        convicting.map(|(index, _)| *index).collect()
    }

    /// What follows an attempt that found this, while time is left.
    pub fn next(&mut self, reports: &[TargetReport], of_reports: &[usize]) -> Next {
        let convicted = Self::convicted(reports, of_reports);
        let open: Vec<&TargetReport> = of_reports
            .iter()
            .zip(reports)
            .filter(|(index, _)| !convicted.contains(index))
            .map(|(_, report)| report)
            .collect();
        if open.is_empty() && !convicted.is_empty() {
            return Next::End;
        }
        let verdict = Verdict::worst(open.iter().map(|report| report.verdict));
        let runs_second = open.iter().any(|report| report.second_release_until.is_some());
        if verdict == Verdict::Pass && !runs_second {
            self.passed += 1;
            return if self.passed < self.needed {
                Next::OnceMore
            } else {
                Next::End
            };
        }
        self.passed = 0;
        // What could not be determined is what a deploy looks like: nothing answers yet.
        if verdict != Verdict::Inconclusive {
            self.needed = 2;
        }
        Next::Again
    }

    /// Whether the result of an attempt stands if the next one, which began with so much time left, does not end. A pass that had to
    /// hold once more does not, if there was time for it: who answers once and is silent then would choose which answer counts.
    pub fn stands(next: Next, left: Duration) -> bool {
        next != Next::OnceMore || left < CONFIRMATION
    }

    /// Notes an attempt that another one followed. `of_reports` holds the index of the target of each report.
    pub fn note(&mut self, reports: &[TargetReport], of_reports: &[usize]) {
        let convicted = Self::convicted(reports, of_reports);
        let earlier = self.earlier.iter_mut().enumerate();
        // The result of a convicted target is the one that stands, not an earlier one.
        for (index, earlier) in earlier.filter(|(index, _)| !convicted.contains(index)) {
            let of_target = of_reports.iter().zip(reports).filter(|(of, _)| **of == index);
            let mut failed = of_target
                .map(|(_, report)| report)
                .filter(|report| report.verdict != Verdict::Pass)
                .peekable();
            if failed.peek().is_some() {
                earlier.add(failed.flat_map(causes).map(reason));
            }
        }
    }

    /// Writes what was noted into the reports of the last attempt.
    pub fn name(&self, reports: &mut [TargetReport], of_reports: &[usize]) {
        for (report, index) in reports.iter_mut().zip(of_reports) {
            let earlier = self.earlier.get(*index);
            report.earlier_attempts = earlier.filter(|earlier| earlier.not_passed > 0).cloned();
        }
    }
}

fn reason(check: &CheckResult) -> AttemptReason {
    AttemptReason {
        check: check.id,
        reason: check.reason.clone().unwrap_or_default(),
    }
}

/// When a failure is one that no deploy heals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heals {
    /// Whatever runs: no release of an app makes such evidence.
    Never,
    /// Where the expected release runs: the app of an older one may answer in another way, and the next one answers as it
    /// should.
    UnlessExpectedRuns,
}

/// The failures that no deploy heals: evidence that is forged, or that is replayed. All others are waited on, above all what
/// differs between two releases, what differs between two boots (a key that the app has quoted), and what other parties must do
/// first.
const CONVICTING: [(CheckId, &str, Heals); 14] = [
    (CheckId::QuoteSignature, "not-verified", Heals::Never),
    (CheckId::EventLog, "rtmr-mismatch", Heals::Never),
    (CheckId::EventLog, "digest-mismatch", Heals::Never),
    (CheckId::EventLog, "wrong-event-type", Heals::Never),
    (CheckId::EventLog, "reserved-name", Heals::Never),
    (CheckId::EventLog, "preimage-mismatch", Heals::Never),
    (CheckId::BootOrder, "duplicate-event", Heals::Never),
    (CheckId::BootOrder, "out-of-order", Heals::Never),
    (CheckId::BootOrder, "bad-payload", Heals::Never),
    (CheckId::Freshness, "nonce-mismatch", Heals::UnlessExpectedRuns),
    (CheckId::ReportData, "echo-mismatch", Heals::UnlessExpectedRuns),
    (
        CheckId::TdAttributes,
        "td-attributes-mismatch",
        Heals::UnlessExpectedRuns,
    ),
    (CheckId::TdAttributes, "owner-not-zero", Heals::UnlessExpectedRuns),
    (CheckId::TdAttributes, "service-td", Heals::UnlessExpectedRuns),
];

/// Whether the evidence is forged or replayed, so that waiting would only find another instance.
fn no_deploy_heals(report: &TargetReport) -> bool {
    let expected_runs = report.second_release_until.is_none()
        && report
            .check(CheckId::ComposeHash)
            .is_some_and(|check| check.status == Status::Pass);
    let failed = report.checks.iter().filter(|check| check.status == Status::Fail);
    failed.into_iter().any(|check| {
        CONVICTING.iter().any(|(id, reason, heals)| {
            *id == check.id
                && Some(*reason) == check.reason.as_deref()
                && (*heals == Heals::Never || expected_runs)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use cvm_verify_core::checks::Check;

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

    /// What follows each of these attempts at one target.
    fn run(attempts: &[TargetReport]) -> Vec<Next> {
        let mut run = Attempts::of(1);
        attempts
            .iter()
            .map(|report| run.next(std::slice::from_ref(report), &[0]))
            .collect()
    }

    #[test]
    fn every_convicting_failure_is_one_of_its_check() {
        for (id, reason, _) in CONVICTING {
            let mut known = Check::of(id).reasons.iter();
            assert!(known.any(|known| known.id == reason), "{id}/{reason}");
        }
    }

    #[test]
    fn forged_evidence_of_one_target_ends_the_waiting_of_no_other() {
        let forged = || failing(CheckId::QuoteSignature, "not-verified");
        let older = || failing(CheckId::ComposeHash, "compose-hash-mismatch");
        let mut attempts = Attempts::of(2);
        let first = [forged(), older()];
        assert_eq!(attempts.next(&first, &[0, 1]), Next::Again);
        attempts.note(&first, &[0, 1]);
        assert_eq!(
            attempts.next(&[forged(), samples::pass()], &[0, 1]),
            Next::OnceMore
        );
        let mut last = [forged(), samples::pass()];
        assert_eq!(attempts.next(&last, &[0, 1]), Next::End);
        // The forged one is the result of its target, and no earlier attempt.
        attempts.name(&mut last, &[0, 1]);
        assert!(last[0].earlier_attempts.is_none());
        assert_eq!(last[1].earlier_attempts.as_ref().unwrap().not_passed, 1);
        assert_eq!(attempts.next(&[forged(), forged()], &[0, 1]), Next::End);
    }

    #[test]
    fn a_pass_that_had_time_to_be_confirmed_does_not_stand_alone() {
        assert!(!Attempts::stands(Next::OnceMore, CONFIRMATION));
        assert!(Attempts::stands(
            Next::OnceMore,
            CONFIRMATION - Duration::from_millis(1)
        ));
        assert!(Attempts::stands(Next::Again, Duration::from_secs(60)));
    }

    #[test]
    fn forged_evidence_ends_the_waiting_at_once() {
        for (id, reason, _) in CONVICTING {
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
        let mut run = Attempts::of(2);
        let old = failing(CheckId::ComposeHash, "compose-hash-mismatch");
        // Two instances of the first target, and the second target.
        let of_reports = [0, 0, 1];
        run.note(&[old.clone(), old, samples::pass()], &of_reports);
        run.note(
            &[samples::pass(), samples::unreachable(), samples::pass()],
            &of_reports,
        );
        let mut reports = [samples::pass(), samples::pass(), samples::pass()];
        run.name(&mut reports, &of_reports);
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
