//! What waits for the channels of some targets: what was found, and what no channel took.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::alert::Channels;
use crate::alert::incident::Observation;
use cvm_verify_core::report::TargetReport;

/// How long after an alert that a channel did not take it is sent again. Each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Targets with the same channels.
pub(super) struct ChannelGroup {
    pub channels: Channels,
    /// By the report's name.
    waiting: BTreeMap<String, WaitingTarget>,
    pub telling: bool,
    /// The names of its targets since the policy was read again.
    targets: Option<BTreeSet<String>>,
    /// How many times shorter the pauses are than said here.
    acceleration: u32,
    /// The pause after the next alert that a channel does not take.
    pause: Duration,
    /// When what a channel did not take may be sent again.
    again: Option<Instant>,
}

/// The latest report of a target, and what was found and not weighed yet; or the last thing that was, where a channel did not take it.
pub(super) struct WaitingTarget {
    /// The target's name in the policy; its instances have names of their own.
    target: String,
    pub report: TargetReport,
    pub observations: Vec<Observation>,
}

impl WaitingTarget {
    /// Whether it is sent again.
    pub fn is_retry(&self) -> bool {
        self.observations.iter().all(|observation| observation.weighed)
    }

    /// The same, to be sent again.
    pub fn weighed(&self) -> Option<Self> {
        let last = Observation {
            weighed: true,
            ..self.observations.last()?.clone()
        };
        Some(Self {
            target: self.target.clone(),
            report: self.report.clone(),
            observations: vec![last],
        })
    }
}

impl ChannelGroup {
    pub fn new(channels: Channels, acceleration: u32) -> Self {
        Self {
            channels,
            waiting: BTreeMap::new(),
            telling: false,
            targets: None,
            acceleration,
            pause: FIRST_PAUSE,
            again: None,
        }
    }

    /// Takes what was found of a target. It takes the place of what is to be sent again.
    pub fn add(&mut self, target: &str, report: TargetReport, observation: Observation) {
        let before = self.waiting.remove(&report.name);
        let mut observations = before.map(|before| before.observations).unwrap_or_default();
        observations.retain(|before| !before.weighed);
        observations.push(observation);
        self.put_back(WaitingTarget {
            target: target.to_owned(),
            report,
            observations,
        });
    }

    /// Lets it wait, where nothing newer does.
    pub fn put_back(&mut self, waiting: WaitingTarget) {
        let name = waiting.report.name.clone();
        self.waiting.entry(name).or_insert(waiting);
    }

    /// Takes out what may be sent now.
    pub fn take(&mut self, now: Instant) -> BTreeMap<String, WaitingTarget> {
        let is_paused = self.again.is_some_and(|again| now < again);
        let all = std::mem::take(&mut self.waiting);
        let (later, ready) = all
            .into_iter()
            .partition(|(_, waiting)| is_paused && waiting.is_retry());
        self.waiting = later;
        ready
    }

    /// Notes that `told` was sent, and whether a channel did not take something of it.
    pub fn delivered(&mut self, told: Vec<WaitingTarget>, is_lost: bool, now: Instant) {
        if !is_lost {
            self.pause = FIRST_PAUSE;
            return;
        }
        // What is found meanwhile and lost, too, does not put off what waits already.
        if self.again.is_none_or(|again| again <= now) {
            self.again = Some(now + self.pause / self.acceleration.max(1));
            self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        }
        let targets = self.targets.clone();
        let is_of_the_policy = |name: &String| targets.as_ref().is_none_or(|targets| targets.contains(name));
        for waiting in told
            .into_iter()
            .filter(|waiting| is_of_the_policy(&waiting.target))
        {
            self.put_back(waiting);
        }
    }

    /// Gives up what is to be sent again of other targets than these, now and when a delivery that is under way ends.
    pub fn try_again_only(&mut self, targets: &BTreeSet<&str>) {
        self.targets = Some(targets.iter().map(|name| (*name).to_owned()).collect());
        self.waiting
            .retain(|_, waiting| !waiting.is_retry() || targets.contains(waiting.target.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::watch_status_tests::report;
    use cvm_verify_core::policy::Policy;
    use cvm_verify_core::report::Verdict;

    fn found(at: u64) -> (TargetReport, Observation) {
        let report = report("api", Verdict::Fail);
        let observation = Observation::of(&report, Policy::default().fingerprint(), at);
        (report, observation)
    }

    /// What may be sent: when it was found, and whether it is sent again.
    fn taken(group: &mut ChannelGroup, now: Instant) -> (Vec<WaitingTarget>, Vec<(u64, bool)>) {
        let ready: Vec<WaitingTarget> = group.take(now).into_values().collect();
        let all = ready.iter().flat_map(|one| &one.observations);
        let seen = all.map(|one| (one.at, one.weighed)).collect();
        (ready, seen)
    }

    fn again(sent: &[WaitingTarget]) -> Vec<WaitingTarget> {
        sent.iter().filter_map(WaitingTarget::weighed).collect()
    }

    #[test]
    fn what_a_channel_did_not_take_is_sent_again_after_pauses_that_grow() {
        let mut group = ChannelGroup::new(Channels::default(), 1);
        let (report, observation) = found(7);
        group.add("api", report, observation);
        let mut now = Instant::now();
        let (mut sent, seen) = taken(&mut group, now);
        assert_eq!(seen, [(7, false)]);
        for pause in [30, 60, 120, 240, 300, 300] {
            group.delivered(again(&sent), true, now);
            now += Duration::from_secs(pause);
            assert_eq!(taken(&mut group, now - Duration::from_secs(1)).1, []);
            let (next, seen) = taken(&mut group, now);
            assert_eq!(seen, [(7, true)], "{pause}");
            sent = next;
        }
        group.delivered(again(&sent), false, now);
        assert_eq!(taken(&mut group, now + LONGEST_PAUSE).1, []);
        assert_eq!(group.pause, FIRST_PAUSE);
    }

    #[test]
    fn what_is_newer_takes_the_place_of_what_is_sent_again_and_does_not_wait() {
        for newer_first in [false, true] {
            let mut group = ChannelGroup::new(Channels::default(), 1);
            let now = Instant::now();
            let (report, observation) = found(7);
            group.add("api", report, observation);
            let (sent, _) = taken(&mut group, now);
            let (report, observation) = found(8);
            if newer_first {
                group.add("api", report, observation);
                group.delivered(again(&sent), true, now);
            } else {
                group.delivered(again(&sent), true, now);
                group.add("api", report, observation);
            }
            assert_eq!(taken(&mut group, now).1, [(8, false)], "{newer_first}");
        }
    }

    #[test]
    fn what_is_of_no_target_any_more_is_not_sent_again() {
        for (names, count) in [(vec!["api"], 1), (vec!["other"], 0)] {
            let mut group = ChannelGroup::new(Channels::default(), 1);
            let now = Instant::now();
            let (report, observation) = found(7);
            group.add("api", report, observation);
            let (sent, _) = taken(&mut group, now);
            group.delivered(again(&sent), true, now);
            group.try_again_only(&names.into_iter().collect());
            let (sent, seen) = taken(&mut group, now + FIRST_PAUSE);
            assert_eq!(seen.len(), count);
            // So what was being sent when the policy was read.
            group.delivered(again(&sent), true, now + FIRST_PAUSE);
            group.try_again_only(&BTreeSet::new());
            let (report, observation) = found(9);
            group.add("api", report, observation);
            let (sent, _) = taken(&mut group, now + FIRST_PAUSE);
            group.delivered(again(&sent), true, now + FIRST_PAUSE);
            assert_eq!(taken(&mut group, now + LONGEST_PAUSE * 2).1, []);
        }
    }
}
