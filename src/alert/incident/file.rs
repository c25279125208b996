//! The state of all targets as JSON: `cvm-verify/alert-state/v1`.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::due::Due;
use super::failure::TargetId;
use super::instances::{OpenInstances, to_remember};
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

    /// At most [`MAX_TARGETS`] targets in at most [`MAX_STATE_BYTES`] bytes. Of more, and of more instances of one app than it can have,
    /// those without an open incident that were not verified for the longest time are forgotten.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut kept = to_remember(&self.targets);
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

    /// Which instances of an app have an open incident of their own.
    #[must_use]
    pub(crate) fn open_instances(&self, file: Option<PolicyFileId>, name: &str) -> OpenInstances {
        OpenInstances::of(&self.targets, file, name)
    }

    /// Remembers a target. In a process that runs for long, what is not written is forgotten before it is as much as that.
    pub fn set(&mut self, target: TargetId, state: TargetState) {
        self.targets.insert(target, state);
        if self.targets.len() >= 2 * MAX_TARGETS {
            let kept: BTreeSet<TargetId> = to_remember(&self.targets)
                .into_iter()
                .take(MAX_TARGETS)
                .map(|(id, _)| *id)
                .collect();
            self.targets.retain(|id, _| kept.contains(id));
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
#[path = "file_tests.rs"]
mod tests;
