//! When a run that waits asks again, and what its reports say of earlier attempts.

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
        evidence
            .detail
            .contains("passed after one that found something else"),
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
