//! Whether to tell, and what.

use super::channel::ChannelState;
use super::due::{About, Due, kind_of};
use super::failure::Failure;
use super::forecast::{FORGOTTEN_AFTER, Forecast};
use super::history::Share;
use super::observation::Observation;
use super::target::{Incident, MAX_CHANNELS, Passing, RELAPSE_WITHIN, TargetState};
use crate::alert::event::AlertEvent;
use cvm_verify_core::report::Verdict;

/// More relapses than this make no further difference: 64 passes in a row are a recovery.
const MAX_RELAPSES: u32 = 6;

/// When to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How often in a row a target must be inconclusive before that is reported. At least 1. A CVM can choose to look
    /// unreachable, so it is reported in the end; a network does it by itself, so it is not reported at once.
    pub inconclusive_after: u32,
    /// How many of the latest runs may be inconclusive before that is reported, too: a host that answers every third time would
    /// otherwise never be.
    pub inconclusive_of: Share,
    /// When to repeat a failure that goes on, seconds.
    pub reminder_after: u64,
}

impl Default for Rules {
    /// 3 times in a row, 6 of 12; 24 hours.
    fn default() -> Self {
        Self {
            inconclusive_after: 3,
            inconclusive_of: Share::default(),
            reminder_after: 24 * 3600,
        }
    }
}

/// Takes the state of a target one observation further, and says what is due on each of `channels`, in order. `now` is the time
/// at which that is told: Unix seconds, as all times.
///
/// An observation that is older than what was seen of the target since is no news: it changes nothing. A fail of which nothing was
/// reported is news nevertheless; so is what could not be determined, if no incident is open and no pass was seen since.
///
/// `previous` is `None` if there is no state, or none that can be read: then any failure is reported at once. What
/// follows from `previous` and is not delivered is due again the next time; mark what was with [`TargetState::record`],
/// and tell nothing more to a channel that did not take something before it.
#[must_use]
pub fn decide(
    previous: Option<&TargetState>,
    now: u64,
    observation: &Observation,
    channels: &[&str],
    rules: &Rules,
) -> (TargetState, Vec<Due>) {
    let mut state = previous.cloned().unwrap_or_default();
    if observation.weighed {
        let due = state.due_on_all(now, observation, channels, rules);
        return (state, due);
    }
    let known = previous.is_some();
    let at = observation.at;
    // What was seen in the future was seen before the clock was set back, or by another clock.
    let is_older = known && at < state.seen && state.seen <= now;
    let is_news = observation.failure.as_ref().is_some_and(|failure| {
        let open = state.failure().map(|open| open.verdict);
        match failure.verdict {
            Verdict::Fail => open != Some(Verdict::Fail),
            _ => open.is_none() && !state.has_passed_since(at),
        }
    });
    if is_older && !is_news {
        return (state, Vec::new());
    }
    if !is_older {
        state.seen = at;
    }
    if observation.entry.is_some() {
        state.entry.clone_from(&observation.entry);
    }
    match &observation.failure {
        Some(failure) => state.fails(known, at, failure, observation, rules),
        None => state.passes(at, observation, rules),
    }
    // The share of runs opens an incident, and ends one that it opened; in any other it is not asked for, and a state that
    // stays the same is not written.
    if state.incident.as_ref().is_some_and(|incident| !incident.by_share) {
        state.recent.clear();
    }
    let due = state.due_on_all(now, observation, channels, rules);
    state.forget_receivers(channels);
    (state, due)
}

impl TargetState {
    /// What is due on each of `channels`, in order.
    fn due_on_all(
        &mut self,
        now: u64,
        observation: &Observation,
        channels: &[&str],
        rules: &Rules,
    ) -> Vec<Due> {
        let mut due = Vec::new();
        for name in channels {
            let known = self.channels.remove(*name);
            let mut channel = known.unwrap_or_else(|| self.new_receiver(name, channels));
            channel.see(&observation.forecasts, observation.at);
            let events = self.due(&channel, now, observation, rules);
            due.extend(events.into_iter().map(|(event, about)| Due {
                channel: (*name).to_owned(),
                event,
                about,
            }));
            self.channels.insert((*name).to_owned(), channel);
        }
        due
    }

    /// Whether the target passed since `at`, where no incident is open: each fail opens one, so what was seen last was a pass or
    /// inconclusive.
    fn has_passed_since(&self, at: u64) -> bool {
        self.inconclusive_in_a_row == 0 || self.recovered_at.is_some_and(|recovered| recovered >= at)
    }

    /// A receiver to which nothing was reported yet. It hears what one of its kind, which it replaces, never heard.
    fn new_receiver(&mut self, name: &str, channels: &[&str]) -> ChannelState {
        let mut others = self.channels.iter_mut();
        let replaced = others.find(|(other, channel)| {
            kind_of(other) == kind_of(name) && !channels.contains(&other.as_str()) && channel.owed.is_some()
        });
        ChannelState {
            owed: replaced.and_then(|(_, channel)| channel.owed.take()),
            ..ChannelState::default()
        }
    }

    /// Removes the channels that are not used any more and know nothing; and of too many, those that were notified least recently.
    fn forget_receivers(&mut self, channels: &[&str]) {
        let is_used = |name: &str| channels.contains(&name);
        self.channels
            .retain(|name, channel| is_used(name) || *channel != ChannelState::default());
        while self.channels.len() > MAX_CHANNELS {
            let others = self.channels.iter().filter(|(name, _)| !is_used(name));
            let Some(oldest) = others
                .min_by_key(|(_, channel)| channel.last)
                .map(|(name, _)| name.clone())
            else {
                return;
            };
            self.channels.remove(&oldest);
        }
    }

    fn fails(&mut self, known: bool, at: u64, failure: &Failure, observation: &Observation, rules: &Rules) {
        let inconclusive = failure.verdict == Verdict::Inconclusive;
        self.recent.add(inconclusive, rules.inconclusive_of.runs());
        let (tell, by_share) = if inconclusive {
            let count = self.inconclusive_in_a_row.saturating_add(1);
            self.inconclusive_in_a_row = count.min(rules.inconclusive_after);
            let at_once = !known || self.inconclusive_in_a_row >= rules.inconclusive_after;
            let by_share = rules.inconclusive_of.is_reached(&self.recent);
            (at_once || by_share, by_share && !at_once)
        } else {
            self.inconclusive_in_a_row = 0;
            (true, false)
        };
        match &mut self.incident {
            Some(incident) => {
                incident.passing = None;
                let tell = incident.lasts(failure, rules.inconclusive_after) && tell;
                if tell {
                    incident.policy = observation.policy;
                    incident.asked = observation.asked;
                    incident.by_share = by_share;
                }
                // The same failure keeps the time at which it was found first.
                if tell && failure.is_same(&incident.failure) {
                    incident.failure.measured = incident.failure.measured.or(failure.measured);
                } else if tell {
                    let before = std::mem::replace(&mut incident.failure, failure.clone());
                    // A sender that was refused must not get lost by falling silent.
                    if before.verdict == Verdict::Fail {
                        self.channels
                            .values_mut()
                            .for_each(|channel| channel.owe(&before));
                    }
                }
            }
            None if tell => {
                let relapse = self
                    .recovered_at
                    .is_some_and(|recovered| at.abs_diff(recovered) <= RELAPSE_WITHIN);
                self.relapses = if relapse {
                    (self.relapses + 1).min(MAX_RELAPSES)
                } else {
                    0
                };
                self.incident = Some(Incident {
                    since: at,
                    failure: failure.clone(),
                    policy: observation.policy,
                    asked: observation.asked,
                    by_share,
                    others: 0,
                    passing: None,
                });
            }
            None => {}
        }
    }

    fn passes(&mut self, at: u64, observation: &Observation, rules: &Rules) {
        self.inconclusive_in_a_row = 0;
        self.recent.add(false, rules.inconclusive_of.runs());
        let Some(incident) = &mut self.incident else {
            return;
        };
        let policy = observation.policy;
        let asked = observation.asked;
        let is_same = |passing: &Passing| (passing.policy, passing.asked) == (policy, asked);
        let before = incident.passing.take().filter(is_same);
        let count = before.map_or(0, |passing| passing.count).saturating_add(1);
        // A pass now and then is what such an incident consists of: it ends when they are the rule again.
        let still = incident.by_share && rules.inconclusive_of.is_reached(&self.recent);
        // By another policy than the one that it failed by, or at another address than the one that it failed at, one pass is only
        // a change.
        let is_change = policy != incident.policy || asked != incident.asked;
        if still || count < passes_needed(self.relapses) + u32::from(is_change) {
            incident.others = 0;
            incident.passing = Some(Passing { policy, asked, count });
            return;
        }
        for channel in self.channels.values_mut() {
            channel.owe(&incident.failure);
        }
        // The user chooses the policy and the address: what fails after a change of them is no relapse.
        self.recovered_at = (!is_change).then_some(at);
        self.incident = None;
        // A failure that was reported and has ended does not belong to what comes after it.
        self.recent.clear();
    }

    /// What is due on one channel.
    fn due(
        &self,
        channel: &ChannelState,
        now: u64,
        observation: &Observation,
        rules: &Rules,
    ) -> Vec<(AlertEvent, About)> {
        let Some(incident) = &self.incident else {
            let late = channel.owed.iter().map(|failure| channel.news(failure, true));
            let recovery = (channel.is_open() || channel.owed.is_some()) && observation.failure.is_none();
            let recovery = recovery.then_some((AlertEvent::Recovered, About::Recovery));
            return late
                .chain(recovery)
                .chain(channel.expiring(observation))
                .collect();
        };
        let failure = &incident.failure;
        let late = observation
            .failure
            .as_ref()
            .is_none_or(|current| !current.is_same(failure));
        let mut due = Vec::new();
        // A fail that the channel never heard of comes before anything less.
        let owed = channel.owed.as_ref().filter(|owed| owed.verdict == Verdict::Fail);
        if failure.verdict != Verdict::Fail {
            due.extend(owed.map(|owed| channel.news(owed, true)));
        }
        if !channel.knows(failure) {
            due.push(channel.news(failure, late));
        } else if channel
            .last
            .is_none_or(|last| now.abs_diff(last) >= rules.reminder_after)
        {
            let failure = failure.clone();
            due.push((AlertEvent::Reminder, About::Reminder { failure, late }));
        }
        let changed = incident.passing.as_ref().and_then(|passing| {
            let is_reported =
                channel.reported_policy == Some(passing.policy) && channel.reported_asked == passing.asked;
            let more = (passes_needed(self.relapses) + 1)
                .saturating_sub(passing.count)
                .max(1);
            let what = if passing.asked != incident.asked {
                About::PassAtAnotherAddress { more }
            } else if passing.policy != incident.policy {
                About::PassUnderAnotherPolicy { more }
            } else {
                return None;
            };
            (!is_reported).then_some((AlertEvent::Changed, what))
        });
        due.extend(changed);
        due
    }
}

impl ChannelState {
    /// A failure that the channel has not heard of.
    fn news(&self, failure: &Failure, late: bool) -> (AlertEvent, About) {
        if let Some(last) = self.exchanged(failure) {
            let failure = failure.clone();
            return (AlertEvent::Changed, About::Exchanged { failure, late, last });
        }
        let event = match failure.verdict {
            Verdict::Fail if !self.knows_a_fail() => AlertEvent::Failed,
            _ if self.is_open() => AlertEvent::Changed,
            _ => AlertEvent::Inconclusive,
        };
        let (failure, last) = (failure.clone(), self.is_nearly_full());
        (event, About::Failure { failure, late, last })
    }

    fn see(&mut self, forecasts: &[Forecast], now: u64) {
        self.forecasts.retain_mut(|known| {
            let same = forecasts.iter().find(|one| one.is_known_as(known.forecast));
            if let Some(same) = same {
                (known.forecast, known.seen) = (*same, now);
            }
            now.abs_diff(known.seen) <= FORGOTTEN_AFTER
        });
    }

    /// The forecasts of a pass that the channel has not heard of.
    fn expiring(&self, observation: &Observation) -> impl Iterator<Item = (AlertEvent, About)> {
        let passes = observation.failure.is_none();
        let new = move |forecast: &&Forecast| {
            passes
                && !self
                    .forecasts
                    .iter()
                    .any(|known| forecast.is_known_as(known.forecast))
        };
        let due = |forecast: &Forecast| (AlertEvent::Expiring, About::Forecast(*forecast));
        observation.forecasts.iter().filter(new).map(due)
    }
}

/// How many passes in a row end an incident: one, and twice as many after each relapse. A host that lies every third
/// time is reported as recovered once or twice, not all day.
const fn passes_needed(relapses: u32) -> u32 {
    1 << if relapses < MAX_RELAPSES {
        relapses
    } else {
        MAX_RELAPSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples;
    use cvm_verify_core::policy::Policy;

    /// What a receiver never heard is told to the one of its kind that takes its place, and to no other.
    #[test]
    fn a_new_receiver_hears_what_the_one_that_it_replaces_never_heard() {
        let failure = || Observation::of(&samples::fail(), Policy::default().fingerprint(), 0).failure;
        let owing = |owed: Option<Failure>| ChannelState {
            owed,
            ..ChannelState::default()
        };
        for (other, is_used, is_heard) in [
            ("slack-to-c", false, true),
            ("slack-to-c", true, false),
            ("webhook-to-c", false, false),
            ("webhook-to-c", true, false),
        ] {
            let mut state = TargetState::default();
            // One of its kind that is not used any more and heard everything.
            state.channels.insert("slack-to-a".to_owned(), owing(None));
            state.channels.insert(other.to_owned(), owing(failure()));
            let mut channels = vec!["slack-to-b"];
            channels.extend(is_used.then_some(other));
            let made = state.new_receiver("slack-to-b", &channels);
            assert_eq!(made, owing(failure().filter(|_| is_heard)), "{other} {is_used}");
            let left = owing(failure().filter(|_| !is_heard));
            assert_eq!(state.channels[other], left, "{other} {is_used}");
        }
    }
}
