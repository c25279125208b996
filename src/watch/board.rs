//! What is known of every watched target: the source of metrics and health.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::report::{TargetReport, Verdict};

/// What is known of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetStatus {
    /// The verdict of the last round.
    pub verdict: Verdict,
    /// When the last round ended, Unix seconds.
    pub at: u64,
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
    /// The time between two rounds.
    pub interval: Duration,
}

/// Everything that is known.
#[derive(Debug, Clone, Default)]
pub struct Board {
    targets: BTreeMap<String, TargetStatus>,
    /// Targets that were not verified yet, with the longest time that their first round may take.
    awaited: BTreeMap<String, Duration>,
    /// When the loop began, Unix seconds.
    started_at: u64,
    /// Rounds that fell out because the one before ran too long.
    pub missed_rounds: u64,
    /// Alerts by channel: delivered, not delivered.
    pub alerts: BTreeMap<String, [u64; 2]>,
    /// Whether the policy file on disk is the one in use.
    pub policy_is_current: bool,
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

impl Board {
    /// A board on which these targets, with their intervals, are awaited.
    #[must_use]
    pub fn new(targets: impl IntoIterator<Item = (String, Duration)>, now: u64) -> Self {
        Self {
            awaited: targets.into_iter().collect(),
            started_at: now,
            policy_is_current: true,
            ..Self::default()
        }
    }

    /// Other targets from now on. What is known of those that stay, stays.
    pub fn retarget(&mut self, targets: impl IntoIterator<Item = (String, Duration)>, now: u64) {
        let wanted: BTreeMap<String, Duration> = targets.into_iter().collect();
        self.targets.retain(|name, _| wanted.contains_key(name));
        for (name, status) in &mut self.targets {
            if let Some(interval) = wanted.get(name) {
                status.interval = *interval;
            }
        }
        self.awaited = wanted
            .into_iter()
            .filter(|(name, _)| !self.targets.contains_key(name))
            .collect();
        self.started_at = now;
    }

    /// Writes down the end of a round.
    pub fn record(&mut self, report: &TargetReport, interval: Duration, duration: Duration, now: u64) {
        self.awaited.remove(&report.name);
        let before = self.targets.get(&report.name);
        let mut rounds = before.map_or([0; 3], |status| status.rounds);
        if let Some(count) = rounds.get_mut(place(report.verdict)) {
            *count += 1;
        }
        let passed_at = match report.verdict {
            Verdict::Pass => Some(now),
            _ => before.and_then(|status| status.passed_at),
        };
        let status = TargetStatus {
            verdict: report.verdict,
            at: now,
            passed_at,
            duration,
            tcb_status: report.tcb.status.clone(),
            collateral_expires_at: report.tcb.expires_at.as_deref().and_then(unix_seconds),
            rounds,
            interval,
        };
        self.targets.insert(report.name.clone(), status);
    }

    /// What is known of each target, by name.
    pub fn targets(&self) -> impl Iterator<Item = (&str, &TargetStatus)> {
        self.targets.iter().map(|(name, status)| (name.as_str(), status))
    }

    /// Whether every target was verified lately, at `now`.
    #[must_use]
    pub fn health(&self, now: u64) -> Health {
        let late = |since: u64, interval: Duration| {
            let allowed = interval * INTERVALS + GRACE;
            now.saturating_sub(since) > allowed.as_secs()
        };
        let known = self
            .targets
            .iter()
            .map(|(name, status)| (name, status.at, status.interval));
        let awaited = self
            .awaited
            .iter()
            .map(|(name, interval)| (name, self.started_at, *interval));
        let stuck: Vec<String> = known
            .chain(awaited)
            .filter(|(_, since, interval)| late(*since, *interval))
            .map(|(name, ..)| name.clone())
            .collect();
        if stuck.is_empty() {
            Health::Good
        } else {
            Health::Stuck(stuck)
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

fn unix_seconds(rfc3339: &str) -> Option<u64> {
    let time = chrono::DateTime::parse_from_rfc3339(rfc3339).ok()?;
    u64::try_from(time.timestamp()).ok()
}
