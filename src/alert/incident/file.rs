//! The state of all targets as JSON: `cvm-verify/alert-state/v1`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::due::Due;
use super::failure::TargetId;
use super::policy_entry::{Departed, PolicyEntry, PolicyFileId};
use super::target::TargetState;
use cvm_verify_core::evidence::has_more_values_than;

/// The name of the JSON format.
const SCHEMA: &str = "cvm-verify/alert-state/v1";
/// Largest state that is read or written, in bytes: 16 MiB.
pub const MAX_STATE_BYTES: usize = 16 * 1024 * 1024;
/// How many targets are remembered.
pub const MAX_TARGETS: usize = 10_000;
/// Values of a state in JSON: a target has at most about 200.
const MAX_VALUES: usize = 200 * MAX_TARGETS;

/// The state of all targets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    targets: BTreeMap<TargetId, TargetState>,
}

/// Why a state cannot be read. It counts as none then, and everything is reported again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// More bytes than are ever written.
    #[error("it is larger than {MAX_STATE_BYTES} bytes")]
    TooLarge,
    /// Another format, or another version of it.
    #[error("it is not {SCHEMA}: another version of cvm-verify, or another program, wrote it")]
    OtherFormat,
    /// Not what this program writes.
    #[error("it is damaged")]
    Damaged,
}

#[derive(Deserialize)]
struct Header {
    schema: String,
}

#[derive(Serialize)]
struct Written<'a> {
    schema: &'static str,
    targets: &'a BTreeMap<TargetId, TargetState>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "schema")]
    _schema: String,
    targets: BTreeMap<TargetId, TargetState>,
}

impl State {
    /// Reads what [`State::to_json`] wrote.
    ///
    /// # Errors
    /// [`StateError`]. Nothing is taken from a state that is not whole.
    pub fn parse(json: &[u8]) -> Result<Self, StateError> {
        if json.len() > MAX_STATE_BYTES {
            return Err(StateError::TooLarge);
        }
        if has_more_values_than(json, MAX_VALUES) {
            return Err(StateError::Damaged);
        }
        let header: Header = serde_json::from_slice(json).map_err(|_| StateError::Damaged)?;
        if header.schema != SCHEMA {
            return Err(StateError::OtherFormat);
        }
        let Read { targets, .. } = serde_json::from_slice(json).map_err(|_| StateError::Damaged)?;
        if targets.len() > MAX_TARGETS || !targets.values().all(TargetState::is_sound) {
            return Err(StateError::Damaged);
        }
        Ok(Self { targets })
    }

    /// At most [`MAX_TARGETS`] targets in at most [`MAX_STATE_BYTES`] bytes. Of more, those that were not verified for
    /// the longest time are forgotten: what fails in them is reported again.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut kept: Vec<(&TargetId, &TargetState)> = self.targets.iter().collect();
        kept.sort_unstable_by_key(|(_, state)| std::cmp::Reverse(state.seen));
        kept.truncate(MAX_TARGETS);
        loop {
            let targets = kept.iter().map(|(id, state)| (**id, (*state).clone())).collect();
            let text = written(&targets);
            if text.len() <= MAX_STATE_BYTES {
                return text;
            }
            kept.truncate(kept.len() * 9 / 10);
        }
    }

    /// What is remembered of a target.
    #[must_use]
    pub fn get(&self, target: TargetId) -> Option<&TargetState> {
        self.targets.get(&target)
    }

    /// Notes that `due` was delivered on a target at `now`, Unix seconds.
    pub fn record(&mut self, target: TargetId, due: &Due, now: u64) {
        if let Some(state) = self.targets.get_mut(&target) {
            state.record(due, now);
        }
    }

    /// The targets with an open incident that are none of `names`, those of a run by this policy file: those that the file had, if the
    /// names are all of it, and those that were not verified for long while others were. `now` is Unix seconds: what was seen later
    /// says nothing.
    #[must_use]
    pub fn departed(
        &self,
        file: Option<PolicyFileId>,
        is_whole: bool,
        names: &[&str],
        now: u64,
    ) -> Vec<Departed> {
        // A run that verified nothing has a state and no entry.
        let verified = self.targets.values().filter(|state| state.entry.is_some());
        let seen = verified.map(|state| state.seen);
        let newest = seen.filter(|seen| *seen <= now).max().unwrap_or(0);
        // An app is verified while its instances have incidents of their own, and an instance while it is counted in the app's incident.
        let id = |name: &str| file.map_or_else(|| TargetId::of(name), |file| file.target(name));
        let is_named = |target: TargetId| names.iter().any(|name| id(name) == target);
        let is_of_app = |target: TargetId, entry: &PolicyEntry| {
            let app = entry.target();
            let of_app = self.get(app).filter(|_| app != target);
            of_app.is_some_and(|state| state.failure().is_some() && !state.is_abandoned(newest))
        };
        let departed = |(target, state): (&TargetId, &TargetState)| {
            let is_abandoned = |entry: &PolicyEntry| {
                state.is_abandoned(newest) && !is_named(*target) && !is_of_app(*target, entry)
            };
            let has_left = |entry: &&PolicyEntry| {
                file.is_some_and(|file| is_whole && entry.has_left(file, names)) || is_abandoned(entry)
            };
            let entry = state.entry.as_ref().filter(has_left)?;
            state.failure()?;
            Some(Departed {
                target: *target,
                name: entry.name().to_owned(),
                variables: entry.variables.clone(),
            })
        };
        self.targets.iter().filter_map(departed).collect()
    }

    /// Whether a pass of a target is no news on these channels.
    pub(in crate::alert) fn is_quiet(&self, target: TargetId, channels: &[&str]) -> bool {
        self.get(target).is_none_or(|state| state.is_quiet(channels))
    }

    /// What is due of a target that has departed on these channels.
    pub(in crate::alert) fn departure(&self, target: TargetId, channels: &[&str]) -> Vec<Due> {
        self.get(target)
            .map(|state| state.departure(channels))
            .unwrap_or_default()
    }

    /// Ends the incident of a target that has departed, where no channel is still to hear of it.
    pub(in crate::alert) fn depart(&mut self, target: TargetId, now: u64) {
        if let Some(state) = self.targets.get_mut(&target) {
            state.depart(now);
        }
    }

    /// What is remembered of these targets alone.
    #[must_use]
    pub fn part(&self, targets: impl IntoIterator<Item = TargetId>) -> Self {
        let known = |target| Some((target, self.targets.get(&target)?.clone()));
        Self {
            targets: targets.into_iter().filter_map(known).collect(),
        }
    }

    /// Takes over what `other` remembers; of a target that both know, what `other` says.
    pub fn absorb(&mut self, other: Self) {
        for (target, state) in other.targets {
            self.set(target, state);
        }
    }

    /// Remembers a target. In a process that runs for long, those that were not verified for the longest time are forgotten
    /// before they are twice as many as are written.
    pub fn set(&mut self, target: TargetId, state: TargetState) {
        self.targets.insert(target, state);
        if self.targets.len() >= 2 * MAX_TARGETS {
            let targets = self.targets.iter();
            let mut seen: Vec<(u64, TargetId)> = targets.map(|(id, state)| (state.seen, *id)).collect();
            seen.sort_unstable();
            for (_, id) in seen.iter().take(MAX_TARGETS) {
                self.targets.remove(id);
            }
        }
    }
}

fn written(targets: &BTreeMap<TargetId, TargetState>) -> String {
    let written = Written {
        schema: SCHEMA,
        targets,
    };
    // Nothing in it can fail to be JSON: keys are hex texts, values plain data.
    serde_json::to_string(&written).unwrap_or_else(|_| format!(r#"{{"schema":"{SCHEMA}","targets":{{}}}}"#))
}

#[cfg(test)]
mod tests {
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
}
