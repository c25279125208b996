//! Delivery with stored state: a failure is reported once, and so is its end.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::channels::Channels;
use super::delivery::AlertSender;
use super::dispatch::{DispatchPlan, of_the_run, worst_first};
use super::error::DeliveryError;
use super::github_issue;
use super::github_issue::OpenIssues;
use super::incident::{About, Due, Failure, Observation, Rules, State, TargetId, TargetState, decide};
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
    // Finding the issues, telling the others and writing the issues, which store what was reported: each has a third.
    let third = deadline.saturating_duration_since(Instant::now()) / 3;
    let mut issues = Issues::find(channels, sender, deadline, third, context.now).await;
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
    let (event, worst) = of_the_run(targets);
    let plan = plan(&pending, channels, event, Some(worst));
    let for_others = match channels.github_issue {
        Some(_) => deadline - third,
        None => deadline,
    };
    let mut records = run(plan, &pending, inputs.state, sender, for_others, context.now).await;
    for target in worst_first(targets) {
        records.extend(issues.settle(target, inputs.state, &pending, context).await);
    }
    records
}

/// What is pending for each channel but the issues.
pub(super) fn plan(
    pending: &[Pending],
    channels: &Channels,
    event: &'static str,
    verdict: Option<Verdict>,
) -> DispatchPlan {
    let outgoing = |channel: &str| {
        let all = pending.iter().enumerate();
        let of_channel = all.filter(|(_, one)| one.due.kind() == channel);
        let outgoing = of_channel.map(|(index, one)| OutgoingMessage::new(&one.message, Some(index)));
        outgoing.collect()
    };
    DispatchPlan::new(channels, outgoing, event, verdict)
}

/// Sends a [`plan`]. What a channel took is noted at once: what ends the sending must not have it reported again.
pub(super) async fn run(
    plan: DispatchPlan,
    pending: &[Pending],
    state: &mut State,
    sender: &AlertSender<'_>,
    deadline: Instant,
    now: u64,
) -> Vec<AlertRecord> {
    let state = Mutex::new(state);
    let taken = |indices: &[usize]| {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        for one in indices.iter().filter_map(|index| pending.get(*index)) {
            state.record(one.target, &one.due, now);
        }
    };
    plan.run(sender, deadline, &taken).await
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
        let (next, _) = decide(state.as_ref(), now, observation, channels, rules);
        state = Some(next);
    }
    Some(decide(state.as_ref(), now, last, channels, rules))
}

/// Something due, and the target that it is due on.
pub(super) struct Pending {
    pub(super) target: TargetId,
    pub(super) due: Due,
    pub(super) message: Message,
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

    /// Finds those that a relapse opens again, too.
    async fn find_recovered(&mut self, now: u64) {
        if let Self::Open(open_issues) = self {
            open_issues.find_recovered(now).await;
        }
    }

    /// [`Issues::open`] with those that a relapse opens again. Unusable where those that are open are not found in `time`; what is
    /// written to them later has until `deadline`.
    pub(super) async fn find(
        channels: &Channels,
        sender: &AlertSender<'_>,
        deadline: Instant,
        time: Duration,
        now: u64,
    ) -> Self {
        let end = Instant::now() + time;
        let Ok(mut issues) = timeout_at(end, Self::open(channels, sender, deadline)).await else {
            return Self::Unusable(DeliveryError::NoTimeLeft);
        };
        // Those that are open serve without them: a relapse is a failure that is new.
        let _ = timeout_at(end, issues.find_recovered(now)).await;
        issues
    }

    pub(super) fn stored(&self, target: TargetId) -> Option<&TargetState> {
        match self {
            Self::Open(open_issues) => open_issues.stored(target),
            _ => None,
        }
    }

    /// Closes the issue of a target that nobody verifies any more.
    pub(super) async fn close(
        &mut self,
        pending: &Pending,
        state: &mut State,
        context: &RunContext<'_>,
    ) -> Vec<AlertRecord> {
        let due = [(0, &pending.due, &pending.message)];
        match self {
            Self::Open(issues) => write(issues, pending.target, state, &due, None, context.now).await,
            _ => Vec::new(),
        }
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
        let standing = |failure: &Failure| Message::standing(target, failure, context);
        self.settle_as(id, &standing, state, pending, context.now).await
    }

    /// Brings the issue of what has this id to where its state is. `standing` says what is in it as long as a failure stands.
    pub(super) async fn settle_as(
        &mut self,
        id: TargetId,
        standing: &(dyn Fn(&Failure) -> Message + Sync),
        state: &mut State,
        pending: &[Pending],
        now: u64,
    ) -> Vec<AlertRecord> {
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
        let open_issues = match (self, first) {
            (Self::Open(open_issues), _) => open_issues,
            (Self::NotAskedFor, _) | (_, None) => return Vec::new(),
            (Self::NoToken, Some((_, due, _))) => {
                let said = no_secret([GITHUB_TOKEN]);
                let record = AlertRecord::new(github_issue::CHANNEL, due.event.as_str(), false, said);
                return vec![record];
            }
            (Self::Unusable(error), Some((_, due, message))) => {
                return vec![record(due, message, Err(*error))];
            }
        };
        let standing = state.get(id).and_then(TargetState::failure).map(standing);
        write(open_issues, id, state, &due, standing.as_ref(), now).await
    }
}

/// Brings the issue of a target to where its state is.
async fn write(
    open_issues: &mut OpenIssues,
    target: TargetId,
    state: &mut State,
    due: &[(usize, &Due, &Message)],
    standing: Option<&Message>,
    now: u64,
) -> Vec<AlertRecord> {
    let Some(mut own_state) = state.get(target).cloned() else {
        return Vec::new();
    };
    let steps = open_issues
        .settle(target, &mut own_state, due, standing, now)
        .await;
    state.set(target, own_state);
    let spoken = steps.into_iter().filter(|step| step.spoken);
    let records = spoken.filter_map(|step| {
        let (_, due, message) = due.get(step.due)?;
        Some(record(due, message, step.result))
    });
    records.collect()
}

/// What became of a message in an issue.
fn record(due: &Due, message: &Message, result: Result<(), DeliveryError>) -> AlertRecord {
    let said = match result {
        Ok(()) => "accepted".to_owned(),
        Err(error) => format!("not delivered: {error}"),
    };
    let said = format!("{}: {said}", message.name);
    AlertRecord::new(github_issue::CHANNEL, due.event.as_str(), result.is_ok(), said)
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
