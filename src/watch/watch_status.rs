//! What is known of every watched target: the source of metrics and health.

use std::collections::BTreeMap;
use std::time::Duration;

use cvm_verify_core::report::{TargetReport, Verdict, unix_seconds};

/// What is known of one target, or of one instance of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    /// The verdict of the last round.
    pub verdict: Verdict,
    /// How many waivers and acceptances in writing the last verdict counts, an accepted second release among them.
    pub on_trust: usize,
    /// When the last round ended, Unix seconds.
    pub at: u64,
    /// The same, since the loop began: ages are counted by a clock that nobody sets.
    pub ended: Duration,
    /// When the last pass was, Unix seconds.
    pub passed_at: Option<u64>,
    /// How long the last round took.
    pub duration: Duration,
    /// Intel's word for the patch level; absent where nothing was proven in the last round.
    pub tcb_status: Option<String>,
    /// When the first part of the collateral ends, Unix seconds; absent where nothing was proven in the last round.
    pub collateral_expires_at: Option<u64>,
    /// Rounds by verdict: pass, fail, inconclusive.
    pub rounds: [u64; 3],
}

/// One target of the policy.
#[derive(Debug, Clone)]
struct TargetRounds {
    /// The time between two rounds.
    interval: Duration,
    /// When its last round ended; before the first, since when it is awaited. Since the loop began.
    since: Duration,
    /// By name: a target that stands for several instances has a status for each.
    found: BTreeMap<String, TargetStatus>,
}

/// Everything that is known.
#[derive(Debug, Clone, Default)]
pub struct WatchStatus {
    targets: BTreeMap<String, TargetRounds>,
    /// Rounds that were skipped because the one before ran too long.
    pub missed_rounds: u64,
    /// The longest time between when a round was due and when it began, since the start.
    pub longest_wait: Duration,
    /// Alerts by channel: delivered, not delivered.
    pub alerts: BTreeMap<String, [u64; 2]>,
    /// Whether the policy on disk could not be used when it was last read.
    pub policy_is_refused: bool,
}

/// Whether the loop does its work. It says nothing about verdicts: those are what alerts are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Every target was verified lately.
    Good,
    /// These were not.
    Stuck(Vec<String>),
}

/// A target that was not verified for this many intervals is stuck.
const INTERVALS: u32 = 3;

/// What a round may take beside its interval.
const GRACE: Duration = Duration::from_secs(120);

impl WatchStatus {
    /// These targets, with their intervals, from `uptime` on, the time since the loop began. What is known of those that stay, stays.
    pub fn watch(&mut self, targets: impl IntoIterator<Item = (String, Duration)>, uptime: Duration) {
        let mut before = std::mem::take(&mut self.targets);
        let targets = targets.into_iter().map(|(name, interval)| {
            let watched = match before.remove(&name) {
                Some(watched) => TargetRounds { interval, ..watched },
                None => TargetRounds {
                    interval,
                    since: uptime,
                    found: BTreeMap::new(),
                },
            };
            (name, watched)
        });
        self.targets = targets.collect();
    }

    /// Writes down the end of a round of a target: what was found, of each instance where it has several. `now` is in Unix seconds,
    /// `uptime` since the loop began.
    pub fn record(
        &mut self,
        target: &str,
        reports: &[TargetReport],
        duration: Duration,
        now: u64,
        uptime: Duration,
    ) {
        let Some(watched) = self.targets.get_mut(target) else {
            return;
        };
        watched.since = uptime;
        let mut before = std::mem::take(&mut watched.found);
        let found = reports.iter().map(|report| {
            let status = TargetStatus::of(report, before.remove(&report.name), duration, now, uptime);
            (report.name.clone(), status)
        });
        watched.found = found.collect();
    }

    /// What is known, by name.
    pub fn targets(&self) -> impl Iterator<Item = (&str, &TargetStatus)> {
        let found = self.targets.values().flat_map(|watched| &watched.found);
        found.map(|(name, status)| (name.as_str(), status))
    }

    /// Whether every target was verified lately, `uptime` after the loop began. A machine's clock that is set forward or back makes no
    /// target older or younger.
    #[must_use]
    pub fn health(&self, uptime: Duration) -> Health {
        let late = |watched: &TargetRounds| {
            let allowed = watched.interval * INTERVALS + GRACE;
            uptime.saturating_sub(watched.since) > allowed
        };
        let stuck = self.targets.iter().filter(|(_, watched)| late(watched));
        let stuck: Vec<String> = stuck.map(|(name, _)| name.clone()).collect();
        if stuck.is_empty() {
            Health::Good
        } else {
            Health::Stuck(stuck)
        }
    }
}

impl TargetStatus {
    fn of(
        report: &TargetReport,
        before: Option<Self>,
        duration: Duration,
        now: u64,
        uptime: Duration,
    ) -> Self {
        let (mut rounds, passed_at) =
            before.map_or(([0; 3], None), |status| (status.rounds, status.passed_at));
        if let Some(count) = rounds.get_mut(place(report.verdict)) {
            *count += 1;
        }
        Self {
            verdict: report.verdict,
            on_trust: report.accepted.len() + usize::from(report.second_release_until.is_some()),
            at: now,
            ended: uptime,
            passed_at: match report.verdict {
                Verdict::Pass => Some(now),
                _ => passed_at,
            },
            duration,
            tcb_status: report.tcb.status.clone(),
            collateral_expires_at: report.tcb.expires_at.as_deref().and_then(unix_seconds),
            rounds,
        }
    }
}

/// The place of a verdict in [`TargetStatus::rounds`].
pub(super) const fn place(verdict: Verdict) -> usize {
    match verdict {
        Verdict::Pass => 0,
        Verdict::Fail => 1,
        Verdict::Inconclusive => 2,
    }
}
