//! A host that fails in another way in each run.

use super::*;

/// A fail, or what could not be determined, of this kind.
fn of_kind(verdict: Verdict, kind: usize) -> TargetReport {
    let mut report = samples::pass();
    report.verdict = verdict;
    let status = match verdict {
        Verdict::Fail => Status::Fail,
        _ => Status::Error,
    };
    // Another set of checks for each.
    for (bit, check) in report.checks.iter_mut().enumerate().take(7) {
        if (kind + 1) >> bit & 1 == 1 {
            check.status = status;
            check.reason = Some("of-a-kind".to_owned());
        }
    }
    report
}

#[test]
fn a_host_that_goes_round_many_kinds_of_failure_is_told_so_often_and_then_with_the_reminder() {
    for kinds in [5, 8, 9, 40] {
        let mut world = World::known();
        let mut told = Vec::new();
        for round in 0..80 {
            for due in world.decide_of(&of_kind(Verdict::Fail, round % kinds)) {
                let About::Failure {
                    last, late: false, ..
                } = due.about
                else {
                    panic!("{due:?}")
                };
                told.push(last);
                world.state.as_mut().unwrap().record(&due, world.now);
            }
        }
        let expected: Vec<bool> = (1..=kinds.min(8)).map(|count| count == 8).collect();
        assert_eq!(told, expected, "{kinds}");
        world.now += DAY;
        let new = of_kind(Verdict::Fail, kinds);
        let first = if kinds < 8 {
            AlertEvent::Changed
        } else {
            AlertEvent::Reminder
        };
        assert_eq!(world.see_of(&new), [first], "{kinds}");
        assert_eq!(world.see_of(&new), [], "{kinds}");
        assert_eq!(world.see('.'), [AlertEvent::Recovered], "{kinds}");
        assert_eq!(
            world.see_of(&new),
            [AlertEvent::Failed],
            "the next incident begins again"
        );
    }
}

#[test]
fn the_first_fail_is_told_after_any_number_of_kinds_that_are_less_grave() {
    let mut world = World::known();
    let mut told = 0;
    for kind in 0..40 {
        for _ in 0..3 {
            told += world.see_of(&of_kind(Verdict::Inconclusive, kind)).len();
        }
    }
    assert_eq!(told, 8);
    assert_eq!(world.see_of(&of_kind(Verdict::Fail, 0)), [AlertEvent::Failed]);
    for kind in 0..9 {
        assert_eq!(world.see_of(&of_kind(Verdict::Fail, kind)), [], "{kind}");
    }
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
}
