//! What the memory of a target keeps of its channels, and how much.

use super::channel::ChannelState;
use super::due::{About, Due};
use super::forecast::{FORGOTTEN_AFTER, Forecast};
use super::policy_entry::{PolicyEntry, PolicyFileId};
use super::target::{ABANDONED_AFTER, MAX_CHANNELS, RELAPSE_WITHIN, TargetState};
use super::*;
use crate::alert::event::AlertEvent;
use crate::alert::samples;
use cvm_verify_core::policy::Policy;

#[test]
fn each_forecast_that_was_told_is_kept_once() {
    let mut state = TargetState::default();
    let mut told = |forecast: Forecast, now: u64| {
        let due = Due {
            channel: "slack".to_owned(),
            event: AlertEvent::Expiring,
            about: About::Forecast(forecast),
        };
        state.record(&due, now);
        let known = state.channels["slack"].forecasts.iter();
        known
            .map(|known| (known.forecast, known.seen))
            .collect::<Vec<_>>()
    };
    let [one, two]: [Forecast; 2] = Forecast::all().take(2).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(told(one, 1), [(one, 1)]);
    assert_eq!(told(two, 2), [(one, 1), (two, 2)]);
    assert_eq!(told(one, 3), [(two, 2), (one, 3)]);
}

/// However many values of a failure are delivered, a channel's memory of them can be read again.
#[test]
fn the_measured_values_of_a_failure_are_kept_up_to_a_number() {
    let mut channel = ChannelState::default();
    for byte in 0..20 {
        let mut report = samples::fail();
        report.measurements.compose_hash = Some(hex::encode([byte; 32]).into());
        channel.add(&Failure::of(&report, 0).unwrap(), 1);
        assert!(channel.is_sound(), "{byte}");
    }
    assert_eq!(channel.reported.len(), 1);
    assert_eq!(channel.reported[0].measured.len(), 8);
}

/// Of too many channels those that were told least lately are forgotten, and never one that is told now.
#[test]
fn a_channel_that_is_told_is_not_forgotten_for_others() {
    let told_at = |last: Option<u64>| ChannelState {
        last,
        reported_policy: Some(Policy::default().fingerprint()),
        ..ChannelState::default()
    };
    let mut state = TargetState::default();
    for number in 0..MAX_CHANNELS as u64 {
        let name = format!("slack-to-{number}");
        state.channels.insert(name, told_at(Some(100 + number)));
    }
    // It was told before all others.
    state.channels.insert("webhook".to_owned(), told_at(Some(1)));
    let observation = Observation::of(&samples::pass(), Policy::default().fingerprint(), 1000);
    let (state, _) = decide(Some(&state), 1000, &observation, &["webhook"], &Rules::default());
    assert_eq!(state.channels.len(), MAX_CHANNELS);
    assert!(state.channels.contains_key("webhook"));
    assert!(!state.channels.contains_key("slack-to-0"));
    assert!(state.channels.contains_key("slack-to-1"));
}

/// Who was told of a failure hears that its target left; where that cannot be said for three weeks, it is given up.
#[test]
fn an_incident_of_a_target_that_left_is_given_up_in_the_end() {
    let observation = Observation::of(&samples::fail(), Policy::default().fingerprint(), 1000);
    let (mut state, due) = decide(None, 1000, &observation, &["slack"], &Rules::default());
    state.record(&due[0], 1000);
    let last = ABANDONED_AFTER + FORGOTTEN_AFTER;
    for (seconds, is_open) in [(0, true), (last, true), (last + 1, false)] {
        state.depart(1000 + seconds);
        assert_eq!(state.failure().is_some(), is_open, "{seconds}");
    }
}

/// An older result is no news after a recovery either.
#[test]
fn of_a_recovery_its_time_its_relapses_and_what_was_seen_last_are_remembered() {
    let recovered = TargetState {
        seen: 1200,
        recovered_at: Some(1000),
        relapses: 2,
        ..TargetState::default()
    };
    let remembered = TargetState {
        inconclusive_in_a_row: u32::MAX,
        ..recovered.clone()
    };
    let last = 1000 + RELAPSE_WITHIN;
    assert_eq!(recovered.after_recovery(last), Some(remembered));
    assert_eq!(recovered.after_recovery(last + 1), None);
    assert_eq!(TargetState::default().after_recovery(last), None);
    let observation = Observation::of(&samples::fail(), Policy::default().fingerprint(), 1300);
    let (again, _) = decide(Some(&recovered), 1300, &observation, &[], &Rules::default());
    assert_eq!(again.after_recovery(last), None);
}

#[test]
fn a_pass_is_no_news_where_nothing_is_wrong_or_untold() {
    let of = |change: fn(&mut TargetState)| {
        let mut state = TargetState::default();
        state.channels.insert("slack".to_owned(), ChannelState::default());
        change(&mut state);
        state.is_quiet(&["slack"])
    };
    assert!(of(|_| ()));
    assert!(!of(|state| state.inconclusive_in_a_row = 1));
    assert!(!of(|state| state.recent.add(true, 20)));
    assert!(!of(|state| state.channels.clear()));
}

#[test]
fn an_entry_is_sound_as_long_as_its_names_are_short_and_few() {
    let file = PolicyFileId::of("cvm-verify.toml".as_ref());
    let of = |name: usize, variables: Vec<(usize, usize)>| {
        let mut entry = PolicyEntry::new(Some(file), "");
        entry.name = "n".repeat(name);
        let variables = variables.into_iter().enumerate();
        let named =
            variables.map(|(index, (name, variable))| (format!("{index:0>name$}"), "V".repeat(variable)));
        entry.alerted_through(named.collect()).is_sound()
    };
    assert!(of(200, vec![(200, 200); 32]));
    assert!(!of(201, vec![]));
    assert!(!of(1, vec![(201, 1)]));
    assert!(!of(1, vec![(1, 201)]));
    assert!(!of(1, vec![(2, 1); 33]));
}
