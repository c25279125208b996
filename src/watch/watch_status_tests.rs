//! What the status of `watch` knows, and when it calls the loop stuck.

use super::watch_status::*;
use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{TargetReport, Verdict};
use cvm_verify_core::verify::TrustRoot;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A report with this name and verdict; its checks hold nothing.
pub(super) fn report(name: &str, verdict: Verdict) -> TargetReport {
    let failure = EvidenceFailure::new(EvidenceReason::Unreachable, "");
    let subject = Subject {
        name: name.to_owned(),
        url: None,
        root: TrustRoot::Intel,
        at: 0,
        bundle: None,
    };
    let mut report = appraise(Err(&failure), &Policy::default(), &subject);
    for check in &mut report.checks {
        check.status = cvm_verify_core::report::Status::Pass;
        check.reason = None;
    }
    report.verdict = verdict;
    report
}

fn watch_status() -> WatchStatus {
    watching(&[("a", MINUTE), ("b", MINUTE)])
}

fn watching(targets: &[(&str, Duration)]) -> WatchStatus {
    let mut watch_status = WatchStatus::default();
    watch_status.watch(named(targets), up(1000));
    watch_status
}

/// A time since the loop began.
fn up(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn named(targets: &[(&str, Duration)]) -> Vec<(String, Duration)> {
    let targets = targets
        .iter()
        .map(|(name, interval)| ((*name).to_owned(), *interval));
    targets.collect()
}

fn record(watch_status: &mut WatchStatus, name: &str, verdict: Verdict, now: u64) {
    watch_status.record(name, &[report(name, verdict)], MINUTE, now, up(now));
}

fn stuck(names: &[&str]) -> Health {
    Health::Stuck(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn a_target_that_was_never_verified_is_stuck_after_three_intervals_and_a_grace() {
    let mut watch_status = watch_status();
    assert_eq!(watch_status.health(up(1000 + 300)), Health::Good);
    assert_eq!(watch_status.health(up(1000 + 301)), stuck(&["a", "b"]));
    record(&mut watch_status, "a", Verdict::Fail, 1290);
    assert_eq!(
        watch_status.health(up(1301)),
        stuck(&["b"]),
        "a failure is no fault of the loop"
    );
    record(&mut watch_status, "b", Verdict::Pass, 1300);
    assert_eq!(watch_status.health(up(1590)), Health::Good);
    assert_eq!(watch_status.health(up(1591)), stuck(&["a"]));
}

/// A clock that is set while the loop runs: the age of a target is the time that went by.
#[test]
fn a_machine_whose_clock_is_set_has_neither_late_targets_nor_fresh_ones() {
    for clock in [0, 500, 1_000_000] {
        let mut watch_status = watching(&[("a", MINUTE)]);
        let reports = [report("a", Verdict::Pass)];
        watch_status.record("a", &reports, MINUTE, clock, up(1290));
        assert_eq!(watch_status.health(up(1290 + 300)), Health::Good, "{clock}");
        assert_eq!(watch_status.health(up(1290 + 301)), stuck(&["a"]), "{clock}");
    }
}

#[test]
fn rounds_are_counted_and_the_last_pass_is_remembered() {
    let mut watch_status = watch_status();
    for (at, verdict) in [
        (1, Verdict::Pass),
        (2, Verdict::Fail),
        (3, Verdict::Inconclusive),
        (4, Verdict::Fail),
    ] {
        record(&mut watch_status, "a", verdict, at);
    }
    let (_, status) = watch_status.targets().next().expect("a target");
    assert_eq!(
        (status.rounds, status.passed_at, status.at),
        ([1, 2, 1], Some(1), 4)
    );
}

#[test]
fn other_targets_are_awaited_and_those_that_went_are_forgotten() {
    let mut watch_status = watch_status();
    record(&mut watch_status, "a", Verdict::Pass, 1010);
    record(&mut watch_status, "b", Verdict::Pass, 1010);
    watch_status.watch(named(&[("b", 2 * MINUTE), ("c", MINUTE)]), up(1020));
    let names: Vec<&str> = watch_status.targets().map(|(name, _)| name).collect();
    assert_eq!(names, ["b"]);
    assert_eq!(watch_status.health(up(1020 + 300)), Health::Good);
    assert_eq!(watch_status.health(up(1020 + 301)), stuck(&["c"]));
    record(&mut watch_status, "a", Verdict::Fail, 1030);
    assert_eq!(
        watch_status.targets().count(),
        1,
        "the end of a round of a target that went"
    );
}

#[test]
fn each_instance_has_a_status_until_it_is_gone() {
    let mut watch_status = watching(&[("a", MINUTE)]);
    let instance = |number, verdict| report(&format!("a instance {number}"), verdict);
    let both = [instance(1, Verdict::Pass), instance(2, Verdict::Fail)];
    watch_status.record("a", &both, MINUTE, 1010, up(1010));
    watch_status.record("a", &both[1..], MINUTE, 1070, up(1070));
    let left: Vec<_> = watch_status
        .targets()
        .map(|(name, status)| (name, status.rounds))
        .collect();
    assert_eq!(left, [("a instance 2", [0, 2, 0])]);
}
