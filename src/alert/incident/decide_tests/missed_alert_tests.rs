//! What a channel did not take.

use super::*;

#[test]
fn what_a_channel_missed_is_told_as_what_is_true_by_then() {
    let mut world = World::known();
    assert_eq!(world.miss('A'), [AlertEvent::Failed]);
    assert_eq!(world.miss('B'), [AlertEvent::Failed]);
    let due = world.decide('B');
    let About::Failure { failure, late, .. } = &due[0].about else {
        panic!("{due:?}")
    };
    assert_eq!((failure.failing[0].check, *late), (CheckId::AppId, false));
}

/// A host that was caught while nobody could be notified must not get away by switching its answers off.
#[test]
fn a_fail_that_a_channel_missed_is_not_lost_when_the_target_falls_silent() {
    let mut world = World::known();
    assert_eq!(world.miss('A'), [AlertEvent::Failed]);
    for _ in 0..2 {
        assert_eq!(world.miss('?'), [AlertEvent::Failed]);
    }
    assert_eq!(world.miss('?'), [AlertEvent::Failed, AlertEvent::Inconclusive]);
    let due = world.decide('?');
    let About::Failure {
        failure, late: true, ..
    } = &due[0].about
    else {
        panic!("{due:?}")
    };
    let failing = &failure.failing[0];
    assert_eq!(
        (failing.check, failing.reason.as_str()),
        (CheckId::ComposeHash, "compose-hash-mismatch")
    );
    assert_eq!(world.see('?'), [AlertEvent::Failed, AlertEvent::Inconclusive]);
    assert_eq!(world.see('?'), []);
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
}

/// The same where it passed in between: the incident that it fell silent in is another one.
#[test]
fn a_fail_of_an_earlier_incident_that_a_channel_missed_is_told_before_a_later_silence() {
    let mut world = World::known();
    assert_eq!(world.miss('A'), [AlertEvent::Failed]);
    assert_eq!(world.miss('.'), [AlertEvent::Failed, AlertEvent::Recovered]);
    world.miss('?');
    world.miss('?');
    assert_eq!(world.see('?'), [AlertEvent::Failed, AlertEvent::Inconclusive]);
    let mut world = World::known();
    assert_eq!(world.miss('A'), [AlertEvent::Failed]);
    "???".chars().for_each(|letter| {
        world.miss(letter);
    });
    assert_eq!(world.see('.'), [AlertEvent::Failed, AlertEvent::Recovered]);
}

#[test]
fn a_failure_that_ended_while_a_channel_was_down_is_told_late_and_then_its_end() {
    let mut world = World::known();
    assert_eq!(world.miss('A'), [AlertEvent::Failed]);
    let due = world.decide('.');
    assert_eq!(
        due.iter().map(|due| due.event).collect::<Vec<_>>(),
        [AlertEvent::Failed, AlertEvent::Recovered]
    );
    assert!(matches!(&due[0].about, About::Failure { late: true, .. }));
    assert_eq!(world.see('.'), [AlertEvent::Failed, AlertEvent::Recovered]);
    assert_eq!(world.see('.'), []);
}

#[test]
fn a_recovery_that_was_not_delivered_is_due_again_but_not_while_it_fails() {
    let mut world = World::known();
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    assert_eq!(world.miss('.'), [AlertEvent::Recovered]);
    assert_eq!(world.miss('?'), []);
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
}

/// What was seen is not counted again, however often a channel that is down is asked again.
#[test]
fn what_was_weighed_only_says_what_is_due_still() {
    for (letters, expected) in [
        ("A", vec![AlertEvent::Failed]),
        ("A.", vec![AlertEvent::Failed, AlertEvent::Recovered]),
        ("??", vec![]),
        ("???", vec![AlertEvent::Inconclusive]),
    ] {
        let mut world = World::known();
        for letter in letters.chars() {
            world.miss(letter);
        }
        let last = report(letters.chars().last().unwrap());
        let weighed = Observation {
            weighed: true,
            ..Observation::of(&last, world.policy, world.now).asked_at(world.asked)
        };
        let mut state = world.state.clone().unwrap();
        for _ in 0..5 {
            world.now += MINUTE;
            let (next, due) = decide(Some(&state), world.now, &weighed, &["slack"], &Rules::default());
            assert_eq!(next, state, "{letters}");
            let events: Vec<AlertEvent> = due.iter().map(|due| due.event).collect();
            assert_eq!(events, expected, "{letters}");
        }
        let (_, due) = decide(Some(&state), world.now, &weighed, &["slack"], &Rules::default());
        for due in &due {
            state.record(due, world.now);
        }
        let (_, due) = decide(Some(&state), world.now, &weighed, &["slack"], &Rules::default());
        assert_eq!(due, [], "{letters}");
    }
}
