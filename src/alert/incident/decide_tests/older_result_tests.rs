//! Results that are told after newer ones: two runs with one state end in another order than they judged.

use super::*;

/// What was seen before, the letters one minute after another; then a result that was judged `ago` before the last of them is told
/// `after` it. What is due, and whether an incident is open.
fn told_late(before: &str, letter: char, ago: i64, after: i64) -> (Vec<AlertEvent>, bool, TargetState) {
    let mut world = World::known();
    for letter in before.chars() {
        world.see(letter);
    }
    let last = world.now.cast_signed();
    let [judged, told] = [last - ago, last + after].map(i64::cast_unsigned);
    let observation = Observation::of(&report(letter), world.policy, judged).asked_at(world.asked);
    let state = world.state.as_ref();
    let (state, due) = decide(state, told, &observation, &["slack"], &Rules::default());
    (
        due.into_iter().map(|due| due.event).collect(),
        state.incident.is_some(),
        state,
    )
}

#[test]
fn a_result_that_is_older_than_what_was_seen_since_is_no_news() {
    use AlertEvent::{Failed, Inconclusive, Recovered};
    type Row<'a> = (&'a str, char, i64, i64, &'a [AlertEvent], bool);
    let rows: [Row<'_>; 14] = [
        // An older pass ends nothing and counts for no recovery.
        ("A", '.', 30, 5, &[], true),
        ("A.A", '.', 30, 5, &[], true),
        ("A.A.", '.', 30, 5, &[], true),
        ("???", '.', 30, 5, &[], true),
        // A newer one does, and one of the same second.
        ("A", '.', -1, 5, &[Recovered], false),
        ("A", '.', 0, 5, &[Recovered], false),
        // A fail of which nothing was reported is never lost: the next pass ends it.
        (".", 'A', 30, 5, &[Failed], true),
        ("A", 'B', 30, 5, &[], true),
        // Nor behind an outage that was reported since.
        ("???", 'A', 30, 5, &[Failed], true),
        // It is not lost where nothing else was determined since.
        (".?", 'A', 30, 5, &[Failed], true),
        // What could not be determined counts where no pass was seen since, and no incident is open.
        ("??", '?', 30, 5, &[Inconclusive], true),
        ("???", '?', 30, 5, &[], true),
        ("A.??", '?', 150, 5, &[], false),
        // The clock was set back by an hour: nothing that was seen before is newer.
        ("A", '.', 3600, -3599, &[Recovered], false),
    ];
    for (before, letter, ago, after, expected, open) in rows {
        let (due, is_open, _) = told_late(before, letter, ago, after);
        assert_eq!(
            (due.as_slice(), is_open),
            (expected, open),
            "{before} {letter} {ago} {after}"
        );
    }
}

#[test]
fn an_older_result_does_not_set_back_what_was_seen() {
    let mut world = World::known();
    world.see('?');
    let seen = world.now;
    assert_eq!(told_late("?", 'A', 30, 5).2.seen, seen);
    // After the clock was set back, the next result is what was seen last.
    assert_eq!(told_late("?", 'A', 3600, -3599).2.seen, seen - 3600);
}

/// The time of a report is that of its judgement, and none that is still to come.
#[test]
fn an_observation_is_as_old_as_its_judgement() {
    let mut report = report('A');
    for (evaluated_at, at) in [
        ("2026-08-13T11:59:00Z", START - 60),
        ("2026-08-13T12:01:00Z", START),
        ("yesterday", START),
    ] {
        report.evaluated_at = evaluated_at.into();
        let observation = Observation::judged(&report, policy(1), START);
        assert_eq!(observation.at, at, "{evaluated_at}");
        assert_eq!(observation.failure.unwrap().at, at, "{evaluated_at}");
    }
}
