//! The alert state as a file, and which targets have departed.

use super::*;
use crate::alert::incident::target::ABANDONED_AFTER;
use crate::alert::incident::{Observation, Rules, decide};
use crate::alert::samples;
use cvm_verify_core::policy::Policy;
use proptest::prelude::*;

const CHANNELS: [&str; 6] = [
    "slack",
    "webhook",
    "discord",
    "teams",
    "pagerduty",
    "github-issue",
];

/// A target that fails, which was reported to everybody.
fn failing(now: u64) -> TargetState {
    let policy = Policy::default().fingerprint();
    let entry = PolicyEntry::new(None, "app.example");
    let observation = Observation::of(&samples::fail(), policy, now).of_entry(Some(entry));
    let (mut state, due) = decide(None, now, &observation, &CHANNELS, &Rules::default());
    for due in &due {
        state.record(due, now);
    }
    state
}

fn of_many(count: usize) -> State {
    let mut state = State::default();
    for number in 0..count {
        state.set(TargetId::of(&number.to_string()), failing(number as u64));
    }
    state
}

#[test]
fn a_process_that_runs_for_long_forgets_what_it_has_not_seen_for_longest() {
    let one = failing(0);
    let mut state = State::default();
    let latest = TargetId::of("latest");
    for number in 0..2 * MAX_TARGETS as u64 {
        let target = TargetState {
            seen: number,
            ..one.clone()
        };
        state.set(TargetId::of(&number.to_string()), target);
        state.set(
            latest,
            TargetState {
                seen: number,
                ..one.clone()
            },
        );
    }
    assert!(state.targets.len() < 2 * MAX_TARGETS && state.targets.len() >= MAX_TARGETS);
    assert!(state.get(latest).is_some());
    assert_eq!(state.get(TargetId::of("0")), None);
}

/// Its policy file has another name now, or it is an instance that was replaced. A pause of the monitor is none of both.
#[test]
fn a_target_that_nobody_verifies_while_others_are_has_departed() {
    let of = |file: &str| PolicyEntry::new(Some(PolicyFileId::of(file.as_ref())), "shop");
    let file = PolicyFileId::of("fleet.toml".as_ref());
    let departed = |entry: Option<PolicyEntry>, newest: u64| {
        let mut state = State::default();
        let old = TargetState {
            entry,
            ..failing(1000)
        };
        state.set(TargetId::of("old"), old);
        state.set(TargetId::of("other"), failing(newest));
        let whole = state.departed(Some(file), true, &["shop"], newest).len();
        assert_eq!(state.departed(None, false, &["shop"], newest).len(), whole);
        whole
    };
    for name in ["fleet.toml", "renamed.toml"] {
        assert_eq!(departed(Some(of(name)), 1000), 0, "{name}");
        assert_eq!(departed(Some(of(name)), 1000 + ABANDONED_AFTER), 0, "{name}");
        assert_eq!(departed(Some(of(name)), 1001 + ABANDONED_AFTER), 1, "{name}");
    }
    let address = PolicyEntry::new(None, "shop.example");
    assert_eq!(departed(Some(address.clone()), 1000 + ABANDONED_AFTER), 0);
    assert_eq!(
        departed(Some(address), 1001 + ABANDONED_AFTER),
        1,
        "without a policy file"
    );
    assert_eq!(departed(None, 1001 + ABANDONED_AFTER), 0, "its name is not known");
}

/// A run over some targets of a policy file, or over addresses: it is about to verify them.
#[test]
fn what_a_run_verifies_has_not_departed_also_if_it_was_not_verified_for_long() {
    let file = PolicyFileId::of("fleet.toml".as_ref());
    for (file, shop) in [(None, TargetId::of("shop")), (Some(file), file.target("shop"))] {
        let mut state = State::default();
        let old = TargetState {
            entry: Some(PolicyEntry::new(file, "shop")),
            ..failing(1000)
        };
        state.set(shop, old);
        let now = 1001 + ABANDONED_AFTER;
        let of_run = TargetState {
            entry: None,
            ..failing(now)
        };
        state.set(TargetId::of("a run that verified nothing"), of_run);
        assert_eq!(state.departed(file, false, &["other"], now).len(), 0);
        state.set(TargetId::of("other"), failing(now));
        assert_eq!(state.departed(file, false, &["shop"], now).len(), 0);
        assert_eq!(state.departed(file, false, &["other"], now).len(), 1);
    }
}

/// A clock that was wrong for one run must not end what others found.
#[test]
fn what_was_seen_in_the_future_makes_nothing_abandoned() {
    let now = 1000 + ABANDONED_AFTER;
    let file = PolicyFileId::of("fleet.toml".as_ref());
    let mut state = State::default();
    let old = TargetState {
        entry: Some(PolicyEntry::new(
            Some(PolicyFileId::of("other.toml".as_ref())),
            "shop",
        )),
        ..failing(1000)
    };
    state.set(TargetId::of("old"), old);
    state.set(TargetId::of("current"), failing(now));
    state.set(TargetId::of("gone"), failing(now + 2));
    assert_eq!(state.departed(Some(file), true, &["current"], now).len(), 0);
    assert_eq!(state.departed(Some(file), true, &["current"], now + 2).len(), 1);
}

/// The app's own incident gets no result while few of its instances fail, and an instance none while it is counted in the app's.
#[test]
fn an_app_and_its_instances_are_not_abandoned_while_the_other_is_verified() {
    let file = PolicyFileId::of("fleet.toml".as_ref());
    let (app, instance) = (file.target("shop"), TargetId::of("shop instance 00"));
    let now = 1001 + ABANDONED_AFTER;
    let at = |seen| TargetState {
        entry: Some(PolicyEntry::new(Some(file), "shop")),
        ..failing(seen)
    };
    let departed = |of_app: TargetState, of_instance: TargetState, names: &[&str]| {
        let mut state = State::default();
        state.set(app, of_app);
        state.set(instance, of_instance);
        state.set(TargetId::of("other"), failing(now));
        let departed = state.departed(Some(file), true, names, now).into_iter();
        departed.map(|one| one.target).collect::<Vec<_>>()
    };
    assert_eq!(departed(at(1000), at(now), &["shop"]), []);
    assert_eq!(departed(at(now), at(1000), &["shop"]), []);
    let passing = TargetState {
        incident: None,
        ..at(now)
    };
    assert_eq!(departed(passing, at(1000), &["shop"]), [instance], "replaced");
    // It is not counted in an incident that nobody looks at any more.
    assert_eq!(departed(at(1000), at(1000), &["shop"]), [instance]);
    assert_eq!(departed(at(now), at(now), &["cart"]).len(), 2, "it left the file");
}

#[test]
fn what_was_written_is_read() {
    let state = of_many(3);
    assert_eq!(State::parse(state.to_json().as_bytes()), Ok(state));
}

#[test]
fn the_format_is_stable() {
    let mut state = State::default();
    state.set(TargetId::of("api.example.com"), failing(1_786_622_400));
    let value: serde_json::Value = serde_json::from_str(&state.to_json()).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
}

#[test]
fn t61_a_damaged_foreign_or_large_memory_is_refused_whole() {
    let whole = of_many(2).to_json();
    for (text, expected) in [
        (String::new(), StateError::Damaged),
        ("{}".to_owned(), StateError::Damaged),
        ("[1]".to_owned(), StateError::Damaged),
        (whole[..whole.len() / 2].to_owned(), StateError::Damaged),
        (
            whole.replace("alert-state/v1", "alert-state/v2"),
            StateError::OtherFormat,
        ),
        (
            whole.replacen("\"seen\"", "\"new\":1,\"seen\"", 1),
            StateError::Damaged,
        ),
        (
            whole.replacen("compose-hash-mismatch", "@channel", 1),
            StateError::Damaged,
        ),
        (
            whole.replacen("\"verdict\":\"fail\"", "\"verdict\":\"pass\"", 1),
            StateError::Damaged,
        ),
        // Found by fuzzing: a name that is not one of a channel's, in a state that is written again.
        (
            whole.replacen("\"slack\"", "\"sl\u{7f}ack\"", 1),
            StateError::Damaged,
        ),
        (
            whole.replacen("\"slack\"", "\"sl\u{202e}ack\"", 1),
            StateError::Damaged,
        ),
        (whole.replacen("\"slack\"", "\"\"", 1), StateError::Damaged),
        ("[".repeat(100_000), StateError::Damaged),
        (" ".repeat(MAX_STATE_BYTES), StateError::Damaged),
        (" ".repeat(MAX_STATE_BYTES + 1), StateError::TooLarge),
    ] {
        assert_eq!(
            State::parse(text.as_bytes()),
            Err(expected),
            "{}",
            &text[..text.len().min(200)]
        );
    }
}

#[test]
fn of_too_many_targets_the_oldest_are_forgotten() {
    let state = of_many(MAX_TARGETS + 5);
    let text = state.to_json();
    // No more is forgotten than must be: a tenth at a time.
    assert!(
        (MAX_STATE_BYTES * 4 / 5..=MAX_STATE_BYTES).contains(&text.len()),
        "{}",
        text.len()
    );
    let read = State::parse(text.as_bytes()).unwrap();
    assert_eq!(read.get(TargetId::of("0")), None);
    let newest = TargetId::of(&(MAX_TARGETS + 4).to_string());
    assert!(read.get(newest).is_some());
    // Six channels that know of a failure each: a fleet of 500 is within the limits.
    assert_eq!(
        State::parse(of_many(500).to_json().as_bytes())
            .unwrap()
            .targets
            .len(),
        500
    );
}

#[test]
fn a_memory_of_more_targets_than_are_written_is_refused() {
    for (count, is_read) in [
        (MAX_TARGETS, true),
        (MAX_TARGETS + 1, false),
        (MAX_TARGETS + 2, false),
    ] {
        let target = |number: usize| (TargetId::of(&number.to_string()), TargetState::default());
        let text = written(&(0..count).map(target).collect());
        let read = State::parse(text.as_bytes());
        assert_eq!(read.is_ok(), is_read, "{count}");
        assert!(is_read || read == Err(StateError::Damaged), "{count}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(State::parse(&bytes).is_err());
    }

    #[test]
    fn any_damage_is_read_or_refused(at in 0usize..2000, byte: u8) {
        let mut bytes = of_many(2).to_json().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(state) = State::parse(&bytes) {
            prop_assert_eq!(State::parse(state.to_json().as_bytes()), Ok(state));
        }
    }
}
