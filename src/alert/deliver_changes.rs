//! Delivery with stored state: a failure is reported once, and so is its end.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::channels::Channels;
use super::delivery::AlertSender;
use super::dispatch::{DispatchPlan, of_the_run, worst_first};
use super::error::DeliveryError;
use super::event::AlertEvent;
use super::github_issue;
use super::github_issue::OpenIssues;
use super::incident::{About, Due, Observation, Rules, State, TargetId, TargetState, decide};
use super::message::{Message, RunContext};
use super::no_secret::{GITHUB_TOKEN, no_secret};
use super::outgoing::OutgoingMessage;
use cvm_verify_core::report::{AlertRecord, TargetReport, Verdict};

/// What was reported before, and the rules for what is reported now.
pub struct IncidentInputs<'a> {
    /// What was reported before. It is taken further, whatever becomes of the alerts.
    pub state: &'a mut State,
    /// What was found of each target and not weighed yet, in the order of the targets: each oldest first, and its report
    /// last.
    pub observations: &'a [Vec<Observation>],
    /// When to tell.
    pub rules: Rules,
}

/// As [`deliver`](super::deliver), and tells each channel what it does not know yet.
///
/// Only what a channel took counts as reported to it; the rest is due again in the next run. There are no records of what
/// need not be reported again.
pub async fn deliver_changes(
    sender: &AlertSender<'_>,
    channels: &Channels,
    targets: &[TargetReport],
    inputs: IncidentInputs<'_>,
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    let remembering = channels.remembering();
    let names: Vec<&str> = remembering.iter().map(String::as_str).collect();
    let deadline = sender.deadline();
    let mut issues = Issues::open(channels, sender, deadline).await;
    let mut pending = Vec::new();
    for (target, observations) in targets.iter().zip(inputs.observations) {
        let id = context.target(&target.name);
        let previous = inputs.state.get(id).or_else(|| issues.stored(id));
        let weighed = weigh(previous, observations, context.now, &names, &inputs.rules);
        let Some((state, due)) = weighed else {
            continue;
        };
        inputs.state.set(id, state);
        pending.extend(messages(target, due, context, sender));
    }
    // Where time is short, it is that of the targets that fail.
    let failing: BTreeSet<TargetId> = pending
        .iter()
        .filter(|one| one.message.verdict == Some(Verdict::Fail))
        .map(|one| one.target)
        .collect();
    pending.sort_by_key(|one| !failing.contains(&one.target));
    let outgoing = |channel: &str| {
        let of_channel = pending
            .iter()
            .enumerate()
            .filter(|(_, one)| one.due.kind() == channel);
        of_channel
            .map(|(index, one)| OutgoingMessage::new(&one.message, Some(index)))
            .collect()
    };
    let (event, worst) = of_the_run(targets);
    let plan = DispatchPlan::new(channels, outgoing, event, Some(worst));
    // The issue stores what was reported to the others: it comes last, and needs time.
    let for_others = if channels.github_issue.is_some() {
        deadline
            .checked_sub(sender.retry_policy.schedule.total / 3)
            .unwrap_or(deadline)
    } else {
        deadline
    };
    // Noted as soon as a channel took it: what ends the sending must not have it reported again.
    let state = Mutex::new(&mut *inputs.state);
    let taken = |indices: &[usize]| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        for one in indices.iter().filter_map(|index| pending.get(*index)) {
            state.record(one.target, &one.due, context.now);
        }
    };
    let mut records = plan.run(sender, for_others, &taken).await;
    for target in worst_first(targets) {
        records.extend(issues.settle(target, inputs.state, &pending, context).await);
    }
    records
}

/// Takes the state of a target further where nothing is due on any channel, without asking anybody. False where
/// something is due, or where an issue may remember what `state` does not: then the state is as before, and
/// [`deliver_changes`] is to be asked.
pub fn nothing_due(
    state: &mut State,
    channels: &Channels,
    target: TargetId,
    observations: &[Observation],
    rules: &Rules,
    now: u64,
) -> bool {
    let previous = state.get(target);
    if previous.is_none() && channels.github_issue.is_some() {
        return false;
    }
    let remembering = channels.remembering();
    let names: Vec<&str> = remembering.iter().map(String::as_str).collect();
    match weigh(previous, observations, now, &names, rules) {
        None => true,
        Some((next, due)) if due.is_empty() => {
            state.set(target, next);
            true
        }
        Some(_) => false,
    }
}

/// The state after all of `observations`, and what is due after the last. What was due before it and was not reported is due
/// still, in the form that is true by now.
fn weigh(
    previous: Option<&TargetState>,
    observations: &[Observation],
    now: u64,
    channels: &[&str],
    rules: &Rules,
) -> Option<(TargetState, Vec<Due>)> {
    let (last, earlier) = observations.split_last()?;
    let mut state = previous.cloned();
    for observation in earlier {
        let (next, _) = decide(state.as_ref(), observation.at, observation, channels, rules);
        state = Some(next);
    }
    Some(decide(state.as_ref(), now, last, channels, rules))
}

/// Something due, and the target that it is due on.
struct Pending {
    target: TargetId,
    due: Due,
    message: Message,
}

/// The issues on GitHub, where there is such a channel.
pub(super) enum Issues {
    NotAskedFor,
    NoToken,
    Unusable(DeliveryError),
    Open(Box<OpenIssues>),
}

impl Issues {
    pub(super) async fn open(channels: &Channels, sender: &AlertSender<'_>, deadline: Instant) -> Self {
        let Some(issues) = &channels.github_issue else {
            return Self::NotAskedFor;
        };
        match issues.open(sender, deadline).await {
            Ok(Some(open_issues)) => Self::Open(Box::new(open_issues)),
            Ok(None) => Self::NoToken,
            Err(error) => Self::Unusable(error),
        }
    }

    fn stored(&self, target: TargetId) -> Option<&TargetState> {
        match self {
            Self::Open(open_issues) => open_issues.stored(target),
            _ => None,
        }
    }

    /// Closes the issue of a target that nobody verifies any more.
    pub(super) async fn close(
        &mut self,
        target: TargetId,
        state: &mut State,
        due: &Due,
        message: &Message,
        context: &RunContext<'_>,
    ) -> Vec<AlertRecord> {
        let (Self::Open(open_issues), Some(mut own_state)) = (self, state.get(target).cloned()) else {
            return Vec::new();
        };
        let steps = open_issues
            .settle(target, &mut own_state, &[(0, due, message)], None, context.now)
            .await;
        state.set(target, own_state);
        let spoken = steps.into_iter().filter(|step| step.spoken);
        let record = |result: Result<(), DeliveryError>| AlertRecord {
            channel: github_issue::CHANNEL.to_owned(),
            event: due.event.as_str().to_owned(),
            delivered: result.is_ok(),
            detail: match result {
                Ok(()) => format!("{}: accepted", message.name),
                Err(error) => format!("{}: not delivered: {error}", message.name),
            },
        };
        spoken.map(|step| record(step.result)).collect()
    }

    /// Brings the target's issue to where its state is.
    async fn settle(
        &mut self,
        target: &TargetReport,
        state: &mut State,
        pending: &[Pending],
        context: &RunContext<'_>,
    ) -> Vec<AlertRecord> {
        let id = context.target(&target.name);
        let own = |one: &&Pending| one.target == id && one.due.channel == github_issue::CHANNEL;
        let due: Vec<(usize, &Due, &Message)> = pending
            .iter()
            .filter(own)
            .enumerate()
            .map(|(index, one)| (index, &one.due, &one.message))
            .collect();
        let first = due
            .iter()
            .find(|(_, due, _)| !matches!(due.about, About::Forecast(_)));
        let record = |event: AlertEvent, delivered, said: &str| AlertRecord {
            channel: github_issue::CHANNEL.to_owned(),
            event: event.as_str().to_owned(),
            delivered,
            detail: said.to_owned(),
        };
        let open_issues = match (self, first) {
            (Self::Open(open_issues), _) => open_issues,
            (Self::NotAskedFor, _) | (_, None) => return Vec::new(),
            (Self::NoToken, Some((_, due, _))) => {
                let said = no_secret([GITHUB_TOKEN]);
                return vec![record(due.event, false, &said)];
            }
            (Self::Unusable(error), Some((_, due, message))) => {
                let said = format!("{}: not delivered: {error}", message.name);
                return vec![record(due.event, false, &said)];
            }
        };
        let Some(mut own_state) = state.get(id).cloned() else {
            return Vec::new();
        };
        let standing = own_state
            .failure()
            .map(|failure| Message::standing(target, failure, context));
        let steps = open_issues
            .settle(id, &mut own_state, &due, standing.as_ref(), context.now)
            .await;
        state.set(id, own_state);
        let name = &due
            .first()
            .map_or_else(String::new, |(_, _, message)| message.name.clone());
        let steps = steps.into_iter().filter(|step| step.spoken);
        steps
            .filter_map(|step| {
                let (_, due, _) = due.get(step.due)?;
                Some(match step.result {
                    Ok(()) => record(due.event, true, &format!("{name}: accepted")),
                    Err(error) => record(due.event, false, &format!("{name}: not delivered: {error}")),
                })
            })
            .collect()
    }
}

/// One message for each due thing; channels to which the same is reported get the same message.
fn messages(
    target: &TargetReport,
    due: Vec<Due>,
    context: &RunContext<'_>,
    sender: &AlertSender<'_>,
) -> Vec<Pending> {
    let mut pending: Vec<Pending> = Vec::new();
    for due in due {
        let same = pending
            .iter()
            .find(|one| one.due.event == due.event && one.due.about == due.about);
        let message = match same {
            Some(one) => one.message.clone(),
            None => Message::due(target, &due, context, sender.delivery_id()),
        };
        let target = context.target(&target.name);
        pending.push(Pending { target, due, message });
    }
    pending
}

#[cfg(test)]
#[path = "deliver_changes_tests.rs"]
mod tests;
