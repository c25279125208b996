//! How much is remembered of the instances of one app: who starts them invents as many ids as they like.

use std::collections::{BTreeMap, BTreeSet};

use super::failure::TargetId;
use super::policy_entry::{PolicyEntry, PolicyFileId};
use super::target::TargetState;

/// How many instances of an app have an open incident of their own. What others fail in is reported under the app's name.
pub(in crate::alert) const MAX_OPEN: usize = 50;

/// How many names of one app that have no open incident are remembered. Of more, those that were not verified for the longest time are
/// forgotten.
const MAX_CLOSED: usize = 100;

/// Which names of an app have an open incident of their own.
#[derive(Debug, Default)]
pub(crate) struct OpenInstances {
    file: Option<PolicyFileId>,
    open: BTreeSet<TargetId>,
}

impl OpenInstances {
    /// Those of this app, by what is remembered.
    pub(super) fn of(
        targets: &BTreeMap<TargetId, TargetState>,
        file: Option<PolicyFileId>,
        name: &str,
    ) -> Self {
        let app = PolicyEntry::new(file, name);
        let is_of_app = |entry: &PolicyEntry| entry.is_named_as(&app);
        let is_open =
            |state: &TargetState| state.failure().is_some() && state.entry.as_ref().is_some_and(is_of_app);
        let own = Self::id(file, name);
        let open = targets.iter().filter(|(id, state)| **id != own && is_open(state));
        Self {
            file,
            open: open.map(|(id, _)| *id).collect(),
        }
    }

    fn id(file: Option<PolicyFileId>, name: &str) -> TargetId {
        file.map_or_else(|| TargetId::of(name), |file| file.target(name))
    }

    /// Whether what this name fails in is a part of an open incident of its own.
    pub(in crate::alert) fn has(&self, name: &str) -> bool {
        self.open.contains(&Self::id(self.file, name))
    }

    /// How many more may have one.
    pub(in crate::alert) fn room(&self) -> usize {
        MAX_OPEN.saturating_sub(self.open.len())
    }
}

/// What is to be remembered of these: open incidents first, then what was verified last; of each app only so many that have none.
pub(super) fn to_remember(targets: &BTreeMap<TargetId, TargetState>) -> Vec<(&TargetId, &TargetState)> {
    let mut kept: Vec<_> = targets.iter().collect();
    kept.sort_by_key(|(_, state)| (!state.is_open(), std::cmp::Reverse(state.seen)));
    let mut closed: BTreeMap<(Option<[u8; 32]>, &str), usize> = BTreeMap::new();
    kept.retain(|(_, state)| {
        let Some(entry) = state.entry.as_ref().filter(|_| !state.is_open()) else {
            return true;
        };
        let count = closed.entry(entry.key()).or_default();
        *count += 1;
        *count <= MAX_CLOSED
    });
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::incident::{Observation, Rules, State, decide};
    use crate::alert::samples;
    use cvm_verify_core::policy::Policy;
    use cvm_verify_core::report::TargetReport;

    fn found(report: &TargetReport, at: u64, app: &str) -> TargetState {
        let policy = Policy::default().fingerprint();
        let entry = PolicyEntry::new(None, app);
        let observation = Observation::of(report, policy, at).of_entry(Some(entry));
        decide(None, at, &observation, &["slack"], &Rules::default()).0
    }

    fn instance(number: u64) -> TargetId {
        TargetId::of(&format!("shop instance {number:040x}"))
    }

    #[test]
    fn of_many_instances_the_oldest_without_an_incident_are_forgotten_and_no_open_one() {
        let mut state = State::default();
        for number in 0..300 {
            // Those that fail are the oldest.
            let report = match number < 30 {
                true => samples::fail(),
                false => samples::pass(),
            };
            state.set(instance(number), found(&report, number, "shop"));
        }
        state.set(TargetId::of("other"), found(&samples::pass(), 0, "other"));
        let read = State::parse(state.to_json().as_bytes()).unwrap();
        let is_kept = |number: u64| read.get(instance(number)).is_some();
        let kept: Vec<u64> = (0..300).filter(|number| is_kept(*number)).collect();
        let expected: Vec<u64> = (0..30).chain(200..300).collect();
        assert_eq!(kept, expected);
        assert!(read.get(TargetId::of("other")).is_some(), "another app");
    }

    #[test]
    fn the_open_incidents_of_an_app_are_counted_without_its_own() {
        let mut state = State::default();
        for number in 0..3 {
            state.set(instance(number), found(&samples::fail(), 1, "shop"));
        }
        state.set(instance(3), found(&samples::pass(), 1, "shop"));
        state.set(TargetId::of("shop"), found(&samples::fail(), 1, "shop"));
        state.set(TargetId::of("other"), found(&samples::fail(), 1, "other"));
        let open = state.open_instances(None, "shop");
        assert_eq!(open.room(), MAX_OPEN - 3);
        assert!(open.has(&format!("shop instance {:040x}", 2)));
        assert!(!open.has(&format!("shop instance {:040x}", 3)) && !open.has("shop"));
        assert_eq!(state.open_instances(None, "gone").room(), MAX_OPEN);
    }
}
