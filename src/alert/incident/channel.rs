//! What was reported to one channel about one target.

use serde::{Deserialize, Serialize};

use super::asked_at::AskedAt;
use super::failure::{Failure, FailureKey, Measured};
use super::forecast::Forecast;
use cvm_verify_core::policy::Fingerprint;
use cvm_verify_core::report::Verdict;

/// How many different failures of one incident are reported to a channel. The last of these messages says that they change from run to
/// run; no other is sent before the reminder, but for the first fail.
const MAX_REPORTED: usize = 8;

/// How many measured values of one failure are reported to a channel. The last of these messages says that they change from run to
/// run; no other is sent before the reminder.
const MAX_MEASURED: usize = 8;

/// How many measured values of all failures are reported to a channel: the state of several channels fits into an issue.
const MAX_VALUES: usize = 32;

/// How many forecasts that were reported to a channel are remembered: each of every check, and other ends that people wrote. Beyond
/// that the one that was reported first is forgotten.
const MAX_FORETOLD: usize = 16;

/// The state of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::alert) struct ChannelState {
    /// The failures that were reported to it, oldest first. Empty: it does not know of any.
    #[serde(rename = "told")]
    pub(super) reported: Vec<ReportedFailure>,
    /// When anything about them was last reported to it, Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<u64>,
    /// The last failure that it never heard of, of an incident that has ended; or a fail that something else took the
    /// place of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) owed: Option<Failure>,
    /// The policy under which it was reported that the target passes, though it failed under another.
    #[serde(rename = "told_policy", skip_serializing_if = "Option::is_none")]
    pub(super) reported_policy: Option<Fingerprint>,
    /// The address of that pass.
    #[serde(rename = "told_asked", skip_serializing_if = "Option::is_none")]
    pub(super) reported_asked: Option<AskedAt>,
    /// The forecasts that were reported to it, and when they were last seen, Unix seconds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) forecasts: Vec<Foretold>,
}

/// A reported failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportedFailure {
    pub(super) key: FailureKey,
    pub(super) verdict: Verdict,
    /// The measured values that were reported to the channel, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) measured: Vec<Measured>,
    /// When, Unix seconds.
    pub(super) at: u64,
}

impl ReportedFailure {
    fn is_of(&self, failure: &Failure) -> bool {
        (self.key, self.verdict) == (failure.key, failure.verdict)
    }

    /// Whether nothing that `failure` measured is news.
    fn covers(&self, failure: &Failure) -> bool {
        self.is_full() || failure.measured.is_none_or(|one| self.measured.contains(&one))
    }

    const fn is_full(&self) -> bool {
        self.measured.len() >= MAX_MEASURED
    }
}

/// A reported forecast.
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
        let is_no_graver = || failure.verdict != Verdict::Fail || self.knows_a_fail();
        (self.reported.len() >= MAX_REPORTED && is_no_graver())
            || self
                .reported_as(failure)
                .is_some_and(|reported| reported.covers(failure) || self.values() >= MAX_VALUES)
    }

    fn values(&self) -> usize {
        self.reported.iter().map(|reported| reported.measured.len()).sum()
    }

    /// Whether one more failure is the last that is reported to it in this incident.
    pub(super) const fn is_nearly_full(&self) -> bool {
        self.reported.len() + 1 >= MAX_REPORTED
    }

    /// What was reported to it about the same checks and reasons, whatever was measured.
    fn reported_as(&self, failure: &Failure) -> Option<&ReportedFailure> {
        self.reported.iter().find(|reported| reported.is_of(failure))
    }

    /// Whether it knows these checks and reasons, and not what was measured; and whether one more value is the last that is reported to it.
    pub(super) fn exchanged(&self, failure: &Failure) -> Option<bool> {
        let reported = self
            .reported_as(failure)
            .filter(|reported| !reported.covers(failure) && self.values() < MAX_VALUES)?;
        Some(reported.measured.len() + 1 >= MAX_MEASURED || self.values() + 1 >= MAX_VALUES)
    }

    pub(super) fn knows_a_fail(&self) -> bool {
        self.reported
            .iter()
            .any(|reported| reported.verdict == Verdict::Fail)
    }

    pub(super) fn add(&mut self, failure: &Failure, now: u64) {
        let has_room = self.values() < MAX_VALUES;
        let known = self.reported.iter().position(|reported| reported.is_of(failure));
        let known = known.map(|place| self.reported.remove(place));
        let mut measured = known.map(|reported| reported.measured).unwrap_or_default();
        let new = failure.measured.filter(|one| !measured.contains(one));
        measured.extend(new.filter(|_| has_room && measured.len() < MAX_MEASURED));
        // Only the first fail is reported beyond that.
        if self.reported.len() >= MAX_REPORTED {
            self.reported.remove(0);
        }
        self.reported.push(ReportedFailure {
            key: failure.key,
            verdict: failure.verdict,
            measured,
            at: now,
        });
        self.last = Some(now);
        self.owed = None;
        self.reported_policy = None;
        self.reported_asked = None;
    }

    /// Notes that a forecast was reported to it.
    pub(super) fn foretell(&mut self, forecast: Forecast, now: u64) {
        self.forecasts.retain(|known| known.forecast != forecast);
        if self.forecasts.len() >= MAX_FORETOLD {
            self.forecasts.remove(0);
        }
        self.forecasts.push(Foretold { forecast, seen: now });
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
        self.reported_policy = None;
        self.reported_asked = None;
    }

    pub(super) fn is_sound(&self) -> bool {
        let is_sound = |reported: &ReportedFailure| reported.measured.len() <= MAX_MEASURED;
        self.reported.len() <= MAX_REPORTED
            && self.reported.iter().all(is_sound)
            && self.forecasts.len() <= MAX_FORETOLD
            && self.owed.as_ref().is_none_or(Failure::is_sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples;

    /// However many failures and values there are, what is stored of a channel fits many times into an issue.
    #[test]
    fn the_values_of_all_failures_are_bounded_together() {
        let first = Failure::of(&samples::fail(), 0).unwrap();
        let mut channel = ChannelState::default();
        for kind in 0..6u8 {
            for value in 0..6u8 {
                let failure = Failure {
                    key: serde_json::from_value(format!("{kind:02x}").repeat(32).into()).unwrap(),
                    measured: serde_json::from_value(format!("{kind}{value}").repeat(32).into()).unwrap(),
                    ..first.clone()
                };
                let is_known = channel.knows(&failure);
                channel.add(&failure, 0);
                assert_eq!(
                    is_known,
                    channel.values() == MAX_VALUES && value > 1,
                    "{kind} {value}"
                );
            }
        }
        assert_eq!(channel.values(), MAX_VALUES);
    }

    /// What a state from outside may hold.
    #[test]
    fn a_channel_that_holds_more_than_is_ever_written_is_not_sound() {
        let failure = Failure::of(&samples::fail(), 0).unwrap();
        let reported = |measured: usize| ReportedFailure {
            key: failure.key,
            verdict: failure.verdict,
            measured: vec![failure.measured.unwrap(); measured],
            at: 0,
        };
        let foretold = || {
            let all: Vec<Forecast> = Forecast::all().collect();
            all.into_iter()
                .cycle()
                .map(|forecast| Foretold { forecast, seen: 0 })
        };
        let full = ChannelState {
            reported: vec![reported(MAX_MEASURED); MAX_REPORTED],
            owed: Some(failure.clone()),
            forecasts: foretold().take(MAX_FORETOLD).collect(),
            ..ChannelState::default()
        };
        assert!(full.is_sound() && ChannelState::default().is_sound());
        type Row<'a> = (&'static str, &'a dyn Fn(&mut ChannelState));
        let changes: [Row<'_>; 4] = [
            ("reported", &|channel| channel.reported.push(reported(0))),
            ("measured", &|channel| {
                *channel.reported.last_mut().unwrap() = reported(MAX_MEASURED + 1)
            }),
            ("forecasts", &|channel| {
                channel.forecasts.extend(foretold().take(1))
            }),
            ("owed", &|channel| {
                channel.owed.as_mut().unwrap().verdict = Verdict::Pass
            }),
        ];
        for (name, change) in changes {
            let mut channel = full.clone();
            change(&mut channel);
            assert!(!channel.is_sound(), "{name}");
        }
    }
}
