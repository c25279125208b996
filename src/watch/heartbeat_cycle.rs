//! Cycles over all targets: one ends when each has been verified since the last one ended.

use std::collections::BTreeSet;

use cvm_verify_core::report::Verdict;

/// The cycle that is under way, and what it found so far.
#[derive(Debug, Clone, Default)]
pub struct HeartbeatCycle {
    targets: BTreeSet<String>,
    awaited: BTreeSet<String>,
    found: Vec<Verdict>,
}

impl HeartbeatCycle {
    /// These are the targets from now on. The cycle goes on: it awaits those that are new, and no longer those that went.
    pub fn watch(&mut self, targets: impl IntoIterator<Item = String>) {
        let targets: BTreeSet<String> = targets.into_iter().collect();
        let before = std::mem::take(&mut self.targets);
        self.awaited.extend(targets.difference(&before).cloned());
        self.awaited.retain(|name| targets.contains(name));
        self.targets = targets;
    }

    /// A target was verified. Returns the worst verdict of the cycle where that ended it.
    pub fn verified(&mut self, target: &str, verdict: Verdict) -> Option<Verdict> {
        self.awaited.remove(target);
        if !self.found.contains(&verdict) {
            self.found.push(verdict);
        }
        if !self.awaited.is_empty() {
            return None;
        }
        self.awaited = self.targets.clone();
        Some(Verdict::worst(std::mem::take(&mut self.found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycle(targets: &[&str]) -> HeartbeatCycle {
        let mut cycle = HeartbeatCycle::default();
        watch(&mut cycle, targets);
        cycle
    }

    fn watch(cycle: &mut HeartbeatCycle, targets: &[&str]) {
        cycle.watch(targets.iter().map(|name| (*name).to_owned()));
    }

    #[test]
    fn it_ends_when_each_was_verified_with_the_worst_that_was_found() {
        let mut cycle = cycle(&["a", "b"]);
        assert_eq!(cycle.verified("a", Verdict::Fail), None);
        assert_eq!(cycle.verified("a", Verdict::Pass), None, "twice, and b not once");
        assert_eq!(cycle.verified("b", Verdict::Pass), Some(Verdict::Fail));
        assert_eq!(cycle.verified("b", Verdict::Pass), None);
        assert_eq!(cycle.verified("a", Verdict::Pass), Some(Verdict::Pass));
    }

    #[test]
    fn a_policy_that_is_read_again_does_not_begin_it_anew() {
        let mut cycle = cycle(&["a", "b"]);
        cycle.verified("a", Verdict::Pass);
        watch(&mut cycle, &["a", "b"]);
        assert_eq!(cycle.verified("b", Verdict::Pass), Some(Verdict::Pass));
    }

    #[test]
    fn who_is_new_is_awaited_and_who_went_is_not() {
        let mut cycle = cycle(&["a", "b"]);
        cycle.verified("a", Verdict::Pass);
        watch(&mut cycle, &["a", "c"]);
        assert_eq!(cycle.verified("a", Verdict::Pass), None);
        assert_eq!(cycle.verified("c", Verdict::Pass), Some(Verdict::Pass));
    }
}
