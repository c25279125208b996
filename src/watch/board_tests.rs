//! What the board knows, and when it calls the loop stuck.

use super::board::*;
use crate::appraise::{Subject, appraise};
use crate::checks::{EvidenceGap, EvidenceReason};
use crate::config::Policy;
use crate::prove::TrustRoot;
use crate::report::{TargetReport, Verdict};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// A report with this name and verdict; its checks hold nothing.
pub(super) fn report(name: &str, verdict: Verdict) -> TargetReport {
    let gap = EvidenceGap {
        reason: EvidenceReason::Unreachable,
        detail: String::new(),
    };
    let subject = Subject {
        name: name.to_owned(),
        url: None,
        root: TrustRoot::Intel,
        at: 0,
        collateral_source: None,
        bundle: None,
    };
    let mut report = appraise(Err(&gap), &Policy::default(), &subject);
    for check in &mut report.checks {
        check.status = crate::report::Status::Pass;
        check.reason = None;
    }
    report.verdict = verdict;
    report
}

fn board() -> Board {
    Board::new([("a".to_owned(), MINUTE), ("b".to_owned(), MINUTE)], 1000)
}

#[test]
fn a_target_that_was_never_verified_is_stuck_after_three_intervals_and_a_grace() {
    let mut board = board();
    assert_eq!(board.health(1000 + 300), Health::Good);
    assert_eq!(
        board.health(1000 + 301),
        Health::Stuck(vec!["a".to_owned(), "b".to_owned()])
    );
    board.record(&report("a", Verdict::Fail), MINUTE, Duration::ZERO, 1290);
    assert_eq!(
        board.health(1301),
        Health::Stuck(vec!["b".to_owned()]),
        "a failure is no fault of the loop"
    );
    board.record(&report("b", Verdict::Pass), MINUTE, Duration::ZERO, 1300);
    assert_eq!(board.health(1590), Health::Good);
    assert_eq!(board.health(1591), Health::Stuck(vec!["a".to_owned()]));
}

#[test]
fn rounds_are_counted_and_the_last_pass_is_remembered() {
    let mut board = board();
    for (at, verdict) in [
        (1, Verdict::Pass),
        (2, Verdict::Fail),
        (3, Verdict::Inconclusive),
        (4, Verdict::Fail),
    ] {
        board.record(&report("a", verdict), MINUTE, MINUTE, at);
    }
    let (_, status) = board.targets().next().expect("a target");
    assert_eq!(
        (status.rounds, status.passed_at, status.at),
        ([1, 2, 1], Some(1), 4)
    );
}

#[test]
fn other_targets_are_awaited_and_those_that_went_are_forgotten() {
    let mut board = board();
    board.record(&report("a", Verdict::Pass), MINUTE, MINUTE, 1010);
    board.record(&report("b", Verdict::Pass), MINUTE, MINUTE, 1010);
    board.retarget([("b".to_owned(), 2 * MINUTE), ("c".to_owned(), MINUTE)], 1020);
    let names: Vec<&str> = board.targets().map(|(name, _)| name).collect();
    assert_eq!(names, ["b"]);
    assert_eq!(board.health(1020 + 300), Health::Good);
    assert_eq!(board.health(1020 + 301), Health::Stuck(vec!["c".to_owned()]));
}
