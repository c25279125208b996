//! What one channel was told of one target.

use serde::{Deserialize, Serialize};

use super::failure::{Failure, FailureKey};
use super::forecast::Forecast;
use cvm_verify_core::policy::Fingerprint;
use cvm_verify_core::report::Verdict;

/// How many failures a channel is remembered to have been told of, in one incident. An older one is told again.
const MAX_REPORTED: usize = 4;

/// The memory of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ChannelState {
    /// The failures that it was told of, oldest first. Empty: it does not know of any.
    #[serde(rename = "told")]
    pub(super) reported: Vec<ReportedFailure>,
    /// When it was last told anything of them, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<u64>,
    /// The last failure that it never heard of, of an incident that has ended; or a fail that something else took the
    /// place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owed: Option<Failure>,
    /// The policy under which it was told that the target passes, though it failed under another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) told_policy: Option<Fingerprint>,
    /// The forecasts that it was told, and when they were last seen, Unix seconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) forecasts: Vec<Foretold>,
}

/// A failure that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportedFailure {
    pub(super) key: FailureKey,
    pub(super) verdict: Verdict,
    /// When, Unix seconds.
    pub(super) at: u64,
}

/// A forecast that was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Foretold {
    pub(super) forecast: Forecast,
    /// When it was last seen, Unix seconds.
    pub(super) seen: u64,
}

impl ChannelState {
    /// Whether it believes that the target fails.
    pub(super) fn is_open(&self) -> bool {
        !self.reported.is_empty()
    }

    pub(super) fn knows(&self, failure: &Failure) -> bool {
        self.reported
            .iter()
            .any(|reported| reported.key == failure.key && reported.verdict == failure.verdict)
    }

    pub(super) fn knows_a_fail(&self) -> bool {
        self.reported
            .iter()
            .any(|reported| reported.verdict == Verdict::Fail)
    }

    pub(super) fn add(&mut self, failure: &Failure, now: u64) {
        self.reported
            .retain(|reported| (reported.key, reported.verdict) != (failure.key, failure.verdict));
        if self.reported.len() >= MAX_REPORTED {
            self.reported.remove(0);
        }
        self.reported.push(ReportedFailure {
            key: failure.key,
            verdict: failure.verdict,
            at: now,
        });
        self.last = Some(now);
        self.owed = None;
        self.told_policy = None;
    }

    /// Notes that it is to hear of a failure that is over. A fail is not given up for less.
    pub(super) fn owe(&mut self, failure: &Failure) {
        let graver = |owed: &Failure| owed.verdict == Verdict::Fail && failure.verdict != Verdict::Fail;
        if !self.knows(failure) && !self.owed.as_ref().is_some_and(graver) {
            self.owed = Some(failure.clone());
        }
    }

    pub(super) fn close(&mut self) {
        self.reported.clear();
        self.last = None;
        self.owed = None;
        self.told_policy = None;
    }

    pub(super) fn is_sound(&self) -> bool {
        self.reported.len() <= MAX_REPORTED
            && self.forecasts.len() <= Forecast::all().count()
            && self.owed.as_ref().is_none_or(Failure::is_sound)
    }
}
