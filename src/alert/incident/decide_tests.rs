//! What is due after which history. `A` and `B` are two failures, `?` is inconclusive, `.` a pass.

mod many_kinds_tests;
mod missed_alert_tests;
mod older_result_tests;
mod other_policy_tests;

use proptest::prelude::*;

use super::*;
use crate::alert::event::AlertEvent;
use crate::alert::samples::{self, set};
use cvm_verify_core::policy::{Fingerprint, Policy};
use cvm_verify_core::report::{CheckId, RequiredAssurance, Status, TargetReport, Verdict};

const MINUTE: u64 = 60;

const HOUR: u64 = 3600;

const DAY: u64 = 24 * HOUR;

const START: u64 = 1_786_622_400;

/// Another failing check than that of `samples::fail`.
fn other_fail() -> TargetReport {
    let mut report = samples::pass();
    report.verdict = Verdict::Fail;
    set(&mut report, CheckId::AppId, Status::Fail, "app-id-mismatch");
    report
}

fn report(letter: char) -> TargetReport {
    match letter {
        'A' => samples::fail(),
        'B' => other_fail(),
        '?' => samples::unreachable(),
        '!' => samples::inconclusive(),
        '%' => {
            let mut report = samples::unreachable();
            set(&mut report, CheckId::Evidence, Status::Error, "not-json");
            report
        }
        '.' => samples::pass(),
        'e' => {
            let mut report = samples::pass();
            set(&mut report, CheckId::Collateral, Status::Warn, "ends-soon");
            report
        }
        other => panic!("{other}"),
    }
}

fn policy(number: u8) -> Fingerprint {
    let required = if number == 1 {
        RequiredAssurance::CODE
    } else {
        RequiredAssurance::Hardware
    };
    let policy = Policy {
        required,
        ..Policy::default()
    };
    policy.fingerprint()
}

/// One target and one channel.
struct World {
    state: Option<TargetState>,
    now: u64,
    policy: Fingerprint,
    asked: Option<AskedAt>,
}

/// Another address for each name.
fn address(host: &str) -> Option<AskedAt> {
    let url = url::Url::parse(&format!("https://{host}.example/")).unwrap();
    let endpoints = crate::source::app::AppEndpoints::new(url).unwrap();
    Some(AskedAt::of(&crate::source::Source::App(endpoints)))
}

impl World {
    /// It was seen to pass before.
    fn known() -> Self {
        let mut world = Self::unknown();
        assert_eq!(world.see('.'), []);
        world
    }

    fn unknown() -> Self {
        Self {
            state: None,
            now: START,
            policy: policy(1),
            asked: address("a"),
        }
    }

    fn decide(&mut self, letter: char) -> Vec<Due> {
        self.decide_of(&report(letter))
    }

    fn decide_of(&mut self, report: &TargetReport) -> Vec<Due> {
        self.now += MINUTE;
        let observation = Observation::of(report, self.policy, self.now).asked_at(self.asked);
        let (state, due) = decide(
            self.state.as_ref(),
            self.now,
            &observation,
            &["slack"],
            &Rules::default(),
        );
        self.state = Some(state);
        due
    }

    /// Everything is delivered.
    fn see(&mut self, letter: char) -> Vec<AlertEvent> {
        self.see_of(&report(letter))
    }

    fn see_of(&mut self, report: &TargetReport) -> Vec<AlertEvent> {
        let due = self.decide_of(report);
        for due in &due {
            self.state.as_mut().unwrap().record(due, self.now);
        }
        due.into_iter().map(|due| due.event).collect()
    }

    /// Nothing is delivered.
    fn miss(&mut self, letter: char) -> Vec<AlertEvent> {
        self.decide(letter).into_iter().map(|due| due.event).collect()
    }
}

/// What is reported, minute by minute, where everything is delivered: `-` for silence.
fn alerts_of(mut world: World, outgoing: &str) -> String {
    alerts_of_world(&mut world, outgoing)
}

fn alerts_of_world(world: &mut World, outgoing: &str) -> String {
    let word = |events: Vec<AlertEvent>| match events.as_slice() {
        [] => "-".to_owned(),
        events => events
            .iter()
            .map(|event| event.as_str())
            .collect::<Vec<_>>()
            .join("+"),
    };
    outgoing
        .chars()
        .map(|letter| word(world.see(letter)))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn histories_and_what_is_told_of_them() {
    for (outgoing, expected) in [
        ("AAA..", "failed - - recovered -"),
        ("??.??.", "- - - - - -"),
        ("????.", "- - inconclusive - recovered"),
        // Two of three, again and again: never three in a row.
        (".??.??.??.??.?", "- - - - - - - - inconclusive - - - - -"),
        ("A??.", "failed - - recovered"),
        ("A???A.", "failed - - changed - recovered"),
        ("ABAB.", "failed changed - - recovered"),
        ("???A.", "- - inconclusive failed recovered"),
        // An outage of another kind is reported when it lasts as long as the first had to.
        ("??!?.", "- - inconclusive - recovered"),
        ("???!?!?.", "- - inconclusive - - - - recovered"),
        ("???!!!!.", "- - inconclusive - - changed - recovered"),
        // Others that alternate last, too.
        ("???!%!%.", "- - inconclusive - - changed - recovered"),
        ("???!!A!!!.", "- - inconclusive - - failed - - changed recovered"),
        ("ee.e", "expiring - - -"),
        ("Ae", "failed recovered+expiring"),
    ] {
        assert_eq!(alerts_of(World::known(), outgoing), expected, "{outgoing}");
    }
}

#[test]
fn t61_without_a_memory_everything_is_told_at_once() {
    assert_eq!(alerts_of(World::unknown(), "??"), "inconclusive -");
    assert_eq!(alerts_of(World::unknown(), "A."), "failed recovered");
    assert_eq!(alerts_of(World::unknown(), ".??"), "- - -");
}

#[test]
fn a_host_that_lies_every_third_time_is_not_told_to_recover_all_day() {
    let alerts = alerts_of(World::known(), &"A..".repeat(480));
    assert_eq!(alerts.matches("failed").count(), 3);
    assert_eq!(alerts.matches("recovered").count(), 2);
    assert_eq!(alerts.matches("reminder").count(), 0);
}

#[test]
fn a_failure_that_goes_on_is_repeated_once_a_day() {
    let mut world = World::known();
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    for day in 1..4 {
        world.now = START + day * DAY;
        assert_eq!(world.see('A'), []);
        world.now += 2 * MINUTE;
        assert_eq!(world.see('A'), [AlertEvent::Reminder]);
    }
}

#[test]
fn a_clock_that_went_back_does_not_silence_a_reminder() {
    let mut world = World::known();
    world.now = START + 3650 * DAY;
    assert_eq!(world.see('A'), [AlertEvent::Failed]);
    world.now = START;
    assert_eq!(world.see('A'), [AlertEvent::Reminder]);
}

/// The same failure as `A`, of a VM that runs this compose document.
fn running(byte: u8) -> TargetReport {
    let mut report = samples::fail();
    report.measurements.compose_hash = Some(hex::encode([byte; 32]).into());
    report
}

#[test]
fn t61_another_code_within_an_open_incident_is_told_once_each() {
    let mut world = World::known();
    assert_eq!(world.see_of(&running(1)), [AlertEvent::Failed]);
    assert_eq!(world.see_of(&running(1)), []);
    let due = world.decide_of(&running(2));
    let About::Exchanged {
        failure,
        late: false,
        last: false,
    } = &due[0].about
    else {
        panic!("{due:?}")
    };
    assert_eq!((due.len(), due[0].event), (1, AlertEvent::Changed));
    assert_eq!(failure.failing[0].reason, "compose-hash-mismatch");
    world.state.as_mut().unwrap().record(&due[0], world.now);
    for byte in [1, 2, 1, 2] {
        assert_eq!(world.see_of(&running(byte)), [], "{byte}");
    }
    assert_eq!(world.see('.'), [AlertEvent::Recovered]);
    // The next incident begins again.
    assert_eq!(world.see_of(&running(2)), [AlertEvent::Failed]);
}

#[test]
fn t61_what_changes_from_run_to_run_is_told_so_often_and_then_with_the_reminder() {
    let mut world = World::known();
    let mut told = Vec::new();
    for byte in 0..40 {
        for due in world.decide_of(&running(byte)) {
            if let About::Exchanged { last, .. } = due.about {
                told.push(last);
            }
            world.state.as_mut().unwrap().record(&due, world.now);
        }
    }
    assert_eq!(told, [false, false, false, false, false, false, true]);
    world.now += DAY;
    assert_eq!(world.see_of(&running(99)), [AlertEvent::Reminder]);
}

#[test]
fn a_forecast_is_told_again_after_a_week_without_it() {
    let mut world = World::known();
    assert_eq!(world.see('e'), [AlertEvent::Expiring]);
    world.now += 6 * DAY;
    assert_eq!(world.see('e'), []);
    world.now += 8 * DAY;
    assert_eq!(world.see('.'), []);
    assert_eq!(world.see('e'), [AlertEvent::Expiring]);
}

/// An exception that is renewed for a short time, or another one that takes its place, ends as the first did: each end is told.
#[test]
fn each_end_that_a_person_wrote_is_told_once() {
    let until = |day: u32| {
        let mut report = samples::pass();
        set(
            &mut report,
            CheckId::TcbStatus,
            Status::Warn,
            "exception-ends-soon",
        );
        report.accepted = vec![cvm_verify_core::report::Accepted {
            check: CheckId::TcbStatus,
            what: cvm_verify_core::report::AcceptedKind::Tcb,
            by: "--accept-tcb".to_owned(),
            until: Some(format!("2026-06-{day:02}T00:00:00Z")),
            reason: String::new(),
        }];
        report
    };
    let mut world = World::known();
    assert_eq!(world.see_of(&until(10)), [AlertEvent::Expiring]);
    assert_eq!(world.see_of(&until(10)), []);
    world.now += 5 * DAY;
    assert_eq!(world.see_of(&until(15)), [AlertEvent::Expiring]);
    // Two machines with an exception each, that answer in turn.
    assert_eq!(world.see_of(&until(10)), []);
    assert_eq!(world.see_of(&until(15)), []);
    // What an earlier version remembers without an end is the end that is met first.
    for channel in world.state.as_mut().unwrap().channels.values_mut() {
        let old = r#"[{"forecast":"tcb-status/exception-ends-soon","seen":SEEN}]"#;
        channel.forecasts = serde_json::from_str(&old.replace("SEEN", &world.now.to_string())).unwrap();
    }
    assert_eq!(world.see_of(&until(20)), []);
    assert_eq!(world.see_of(&until(21)), [AlertEvent::Expiring]);
    // However often it is renewed, what is remembered can be read again.
    for day in 1..29 {
        world.see_of(&until(day));
    }
    assert!(
        world
            .state
            .unwrap()
            .channels
            .values()
            .all(|channel| channel.is_sound())
    );
}

/// What a channel that gets some of the messages must believe.
#[derive(Default)]
struct Receiver {
    knows: Vec<FailureKey>,
    open: bool,
}

proptest! {
    /// Whatever is found and whatever is lost on the way: no lost failure, no duplicate, no false recovery.
    #[test]
    fn any_history_leaves_no_failure_untold(
        steps in prop::collection::vec((prop::sample::select("AB?!.e".chars().collect::<Vec<_>>()), 1u8..3, any::<bool>(), 0u64..30), 1..60)
    ) {
        let mut world = World::known();
        let mut receiver = Receiver::default();
        let mut passes_of = (policy(1), 0);
        let (mut failed_under, mut recovered) = (Vec::new(), false);
        let mut last_reminder = 0;
        for (letter, number, delivered, hours) in steps {
            world.now += hours * HOUR;
            world.policy = policy(number);
            let due = world.decide(letter);
            let failure = Observation::of(&report(letter), world.policy, world.now).failure;
            let observed = Observation::of(&report(letter), world.policy, world.now).policy;
            passes_of = match (&failure, passes_of) {
                (Some(_), _) => (observed, 0),
                (None, (before, count)) if before == observed => (observed, count + 1),
                (None, _) => (observed, 1),
            };
            for due in &due {
                match &due.about {
                    About::Failure { failure, .. } => {
                        prop_assert!(matches!(due.event, AlertEvent::Failed | AlertEvent::Changed | AlertEvent::Inconclusive));
                        prop_assert_eq!(due.event == AlertEvent::Inconclusive, !receiver.open && failure.verdict == Verdict::Inconclusive);
                        // Up to eight failures of an incident are remembered, so none of these is a duplicate.
                        prop_assert!(!receiver.knows.contains(&failure.key));
                    }
                    About::Departed { .. } => prop_assert!(false, "it is verified"),
                    About::Reminder { .. } => {
                        prop_assert!(receiver.open && world.now.abs_diff(last_reminder) >= DAY);
                    }
                    About::Recovery => {
                        prop_assert!(passes_of.1 >= 1);
                        // A recovery that was not delivered stays one until it fails again.
                        recovered |= passes_of.1 >= 2 || failed_under.contains(&observed);
                        prop_assert!(recovered, "another policy");
                    }
                    About::PassUnderAnotherPolicy { .. } => prop_assert!(passes_of.1 >= 1),
                    other @ (About::PassAtAnotherAddress { .. } | About::Exchanged { .. }) => {
                        prop_assert!(false, "neither the address nor what was measured changed: {other:?}");
                    }
                    About::Forecast(_) => prop_assert_eq!(letter, 'e'),
                }
            }
            if world.state.as_ref().is_some_and(|state| state.failure().is_some()) {
                recovered = false;
            } else {
                failed_under.clear();
            }
            if failure.is_some() {
                failed_under.push(observed);
            }
            if let Some(failure) = failure.filter(|failure| failure.verdict == Verdict::Fail) {
                // Reported before in this incident, or due now.
                let is_due = due.iter().any(|due| matches!(&due.about, About::Failure { failure: known, .. } if known.key == failure.key));
                prop_assert!(is_due || receiver.knows.contains(&failure.key), "{letter} is neither told nor due");
            }
            if delivered {
                for due in &due {
                    world.state.as_mut().unwrap().record(due, world.now);
                    match &due.about {
                        About::Failure { failure, .. } => {
                            receiver.knows.push(failure.key);
                            receiver.open = true;
                            last_reminder = world.now;
                        }
                        About::Recovery => {
                            prop_assert!(receiver.open, "recovered from what it never heard of");
                            receiver = Receiver::default();
                        }
                        About::Reminder { .. }
                        | About::PassUnderAnotherPolicy { .. }
                        | About::PassAtAnotherAddress { .. }
                        | About::Exchanged { .. } => last_reminder = world.now,
                        About::Departed { .. } | About::Forecast(_) => {}
                    }
                }
            }
        }
        // When all is well and everything arrives, the channel knows that it is.
        for _ in 0..70 {
            for due in world.decide('.') {
                world.state.as_mut().unwrap().record(&due, world.now);
                match due.about {
                    About::Failure { .. } => receiver.open = true,
                    About::Recovery => receiver.open = false,
                    _ => {}
                }
            }
        }
        prop_assert!(!receiver.open && world.state.unwrap().failure().is_none());
    }

    /// A state that was written and read in between decides the same.
    #[test]
    fn a_memory_survives_the_file(outgoing in prop::collection::vec(prop::sample::select("AB?!.e".chars().collect::<Vec<_>>()), 1..20)) {
        let (mut kept, mut filed) = (World::known(), World::known());
        for letter in outgoing {
            let mut file = State::default();
            file.set(TargetId::of("api.example.com"), filed.state.clone().unwrap());
            let read = State::parse(file.to_json().as_bytes()).unwrap();
            filed.state = read.get(TargetId::of("api.example.com")).cloned();
            prop_assert_eq!(kept.see(letter), filed.see(letter));
        }
    }
}

/// A host that passes now and then and is silent otherwise is reported, and is not reported as recovered at each pass. One
/// hiccup in four runs is a network's.
#[test]
fn a_share_of_inconclusive_runs_is_told_and_ends_when_passes_are_the_rule() {
    assert_eq!(alerts_of(World::known(), &"?...".repeat(20)), ["-"; 80].join(" "));
    let mut world = World::known();
    let mut events = Vec::new();
    for letter in ".??".repeat(40).chars() {
        events.extend(world.see(letter));
    }
    assert_eq!(events, [AlertEvent::Inconclusive]);
    // Twelve runs hold eight of them: three passes leave six, the fourth five.
    let mut passes = 0;
    while world.see('.').is_empty() {
        passes += 1;
        assert!(passes < 12);
    }
    assert_eq!(passes, 4);
    // What was reported is not reported again for what lies behind it.
    assert_eq!(alerts_of(world, "?...."), "- - - - -");
}

/// An outage that was reported to everybody ends with the first pass, however long it was.
#[test]
fn an_outage_in_a_row_ends_with_the_first_pass_and_is_not_counted_again() {
    let outgoing = format!("{}.?.", "?".repeat(30));
    let expected = format!("- - inconclusive {}recovered - -", "- ".repeat(27));
    assert_eq!(alerts_of(World::known(), &outgoing), expected);
}

/// The share is of runs that could not be determined: a fail is reported at once and does not count.
#[test]
fn a_fail_in_between_is_told_as_ever() {
    assert_eq!(alerts_of(World::known(), "?.?.A."), "- - - - failed recovered");
}

/// What is reported for its share becomes an outage in a row if it goes on: it ends with the first pass.
#[test]
fn a_share_that_becomes_a_row_ends_as_a_row_does() {
    let expected = "- - - - - - - inconclusive - recovered";
    assert_eq!(alerts_of(World::known(), "??.??.???."), expected);
}
