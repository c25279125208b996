//! What is remembered of one target.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::asked_at::AskedAt;
use super::channel::ChannelState;
use super::due::{About, Due};
use super::failure::{Failure, is_word};
use super::forecast::FORGOTTEN_AFTER;
use super::history::{History, MAX_RUNS};
use super::policy_entry::PolicyEntry;
use crate::alert::event::AlertEvent;
use cvm_verify_core::policy::Fingerprint;
use cvm_verify_core::report::Verdict;

/// A failure within this time after a recovery is a relapse, seconds: 6 hours.
pub(super) const RELAPSE_WITHIN: u64 = 6 * 3600;

/// A target with an open incident that was not verified for this long is reported as no longer verified, seconds: 14 days. A job that runs
/// once a week is not.
pub(super) const ABANDONED_AFTER: u64 = 14 * 24 * 3600;

/// How many channels are remembered.
pub(super) const MAX_CHANNELS: usize = 32;
/// Longest name of a channel, in bytes.
const MAX_CHANNEL_NAME: usize = 64;

/// What is remembered of one target: nothing that a CVM chose.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetState {
    /// When it was last verified, Unix seconds.
    pub(super) seen: u64,
    /// How often in a row it could not be determined.
    #[serde(default)]
    pub(super) inconclusive_in_a_row: u32,
    /// Which of the latest runs could not be determined.
    #[serde(default, skip_serializing_if = "History::is_empty")]
    pub(super) recent: History,
    /// What is wrong, as far as it is to be reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) incident: Option<Incident>,
    /// When the last incident ended, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recovered_at: Option<u64>,
    /// How often it failed again soon after a recovery.
    #[serde(default)]
    pub(super) relapses: u32,
    /// The entry of the policy file, or the address, that it was verified for last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<PolicyEntry>,
    /// What was reported to each channel.
    #[serde(default)]
    pub(super) channels: BTreeMap<String, ChannelState>,
}

/// From the first failure that is reported to the pass that ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Incident {
    /// When it began, Unix seconds.
    pub(super) since: u64,
    /// The latest failure in it that is to be reported.
    pub(super) failure: Failure,
    /// What the target was judged by when it failed.
    pub(super) policy: Fingerprint,
    /// Whom it was asked at when it failed. Absent where the evidence was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asked: Option<AskedAt>,
    /// Whether it is reported for the share of inconclusive runs alone, and not for their row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) by_share: bool,
    /// How many inconclusive results of other kinds than the failure came in a row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) others: u32,
    /// The passes since the last result that was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) passing: Option<Passing>,
}

const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Incident {
    /// Whether an inconclusive result is to be reported in this incident: a restart goes through several kinds, and others
    /// than the one that was reported must last as long as that had to.
    pub(super) fn lasts(&mut self, failure: &Failure, times: u32) -> bool {
        let both_open = [self.failure.verdict, failure.verdict] == [Verdict::Inconclusive; 2];
        if !both_open || failure.is_same(&self.failure) {
            self.others = 0;
            return true;
        }
        self.others = self.others.saturating_add(1);
        if self.others < times {
            return false;
        }
        self.others = 0;
        true
    }
}

/// Passes in a row by one policy, at one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Passing {
    pub(super) policy: Fingerprint,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) asked: Option<AskedAt>,
    pub(super) count: u32,
}

impl TargetState {
    /// Notes that `due` was delivered at `now`, Unix seconds. What is not noted is due again.
    pub fn record(&mut self, due: &Due, now: u64) {
        let passing = self
            .incident
            .as_ref()
            .and_then(|incident| incident.passing.as_ref());
        let policy = passing.map(|passing| passing.policy);
        let asked = passing.and_then(|passing| passing.asked);
        let channel = self.channels.entry(due.channel.clone()).or_default();
        match &due.about {
            About::Failure { failure, .. } | About::Exchanged { failure, .. } => channel.add(failure, now),
            About::Reminder { .. } => channel.last = Some(now),
            About::PassUnderAnotherPolicy { .. } | About::PassAtAnotherAddress { .. } => {
                channel.reported_policy = policy;
                channel.reported_asked = asked;
                channel.last = Some(now);
            }
            About::Recovery | About::Departed { .. } => channel.close(),
            About::Forecast(forecast) => channel.foretell(*forecast, now),
        }
    }

    /// What is remembered of a recovery where nothing is noted between it and the next incident: when it was, and after how many
    /// relapses; and which channels were not reached with the end of what they know of, for a week. Of all else that is the same as
    /// no state: a result that cannot be determined is reported at once. `None` if an incident is open, or nothing is remembered.
    pub(in crate::alert) fn after_recovery(&self, now: u64) -> Option<Self> {
        let is_relapse = |at: &u64| now.abs_diff(*at) <= RELAPSE_WITHIN;
        let recovered_at = self.recovered_at.filter(is_relapse);
        let channels = match now.abs_diff(self.seen) <= FORGOTTEN_AFTER {
            true => self.waiting_channels(),
            false => BTreeMap::new(),
        };
        let is_remembered = self.incident.is_none() && (recovered_at.is_some() || !channels.is_empty());
        is_remembered.then(|| Self {
            seen: self.seen,
            inconclusive_in_a_row: u32::MAX,
            recovered_at,
            relapses: recovered_at.map_or(0, |_| self.relapses),
            channels,
            ..Self::default()
        })
    }

    /// The channels that know of a failure, or are to hear of one.
    pub(in crate::alert) fn waiting_channels(&self) -> BTreeMap<String, ChannelState> {
        let all = self.channels.iter();
        let waiting = all.filter(|(_, channel)| channel.is_open() || channel.owed.is_some());
        waiting
            .map(|(name, channel)| (name.clone(), channel.clone()))
            .collect()
    }

    /// Whether an incident is open, or a channel is still to hear of one.
    pub(super) fn is_open(&self) -> bool {
        self.incident.is_some() || !self.waiting_channels().is_empty()
    }

    /// The failure of the incident that is open, if one is.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.incident.as_ref().map(|incident| &incident.failure)
    }

    /// Whether a pass is no news: nothing is wrong, was wrong in one of the latest runs, or is still to be told on these channels.
    pub(super) fn is_quiet(&self, channels: &[&str]) -> bool {
        let is_told = |channel: &ChannelState| !channel.is_open() && channel.owed.is_none();
        let knows_all = |name: &&str| self.channels.get(*name).is_some_and(is_told);
        self.incident.is_none()
            && self.inconclusive_in_a_row == 0
            && self.recent.count(MAX_RUNS) == 0
            && channels.iter().all(knows_all)
    }

    /// Whether it was not verified for long before `newest`, when another target was: its policy file was renamed, or the instance was replaced.
    pub(super) const fn is_abandoned(&self, newest: u64) -> bool {
        newest.saturating_sub(self.seen) > ABANDONED_AFTER
    }

    /// What is due on these channels of a target that has left the policy file: each that knows of its failure hears of it once.
    pub(super) fn departure(&self, channels: &[&str]) -> Vec<Due> {
        let Some(failure) = self.failure() else {
            return Vec::new();
        };
        let knows = |name: &&&str| self.channels.get(**name).is_some_and(ChannelState::is_open);
        let due = |name: &&str| Due {
            channel: (*name).to_owned(),
            event: AlertEvent::Changed,
            about: About::Departed {
                failure: failure.clone(),
            },
        };
        channels.iter().filter(knows).map(due).collect()
    }

    /// Ends the incident of a target that nobody verifies any more, where no channel is still to hear of it. One that cannot be
    /// reached any more is given up a week after it could have heard of it.
    pub(super) fn depart(&mut self, now: u64) {
        let waits = self.channels.values().any(ChannelState::is_open);
        if !waits || now.abs_diff(self.seen) > ABANDONED_AFTER + FORGOTTEN_AFTER {
            (self.incident, self.entry) = (None, None);
        }
    }

    /// Whether it says the same as `other`, whenever the target was verified last.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let other = Self {
            seen: self.seen,
            ..other.clone()
        };
        *self == other
    }

    /// Whether it is what [`decide`](super::decide()) can give: a state from outside is checked by it.
    pub(super) fn is_sound(&self) -> bool {
        let incident = self.incident.as_ref();
        incident.is_none_or(|incident| incident.failure.is_sound())
            && self.entry.as_ref().is_none_or(PolicyEntry::is_sound)
            && self.channels.len() <= MAX_CHANNELS
            && self.channels.keys().all(|name| is_word(name, MAX_CHANNEL_NAME))
            && self.channels.values().all(ChannelState::is_sound)
    }
}
