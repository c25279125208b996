//! Delivery with a memory: a failure is told once, and its end.

use super::channels::Channels;
use super::delivery::Pace;
use super::dispatch::{Plan, of_the_run};
use super::errand::Letter;
use super::message::{Context, Message};
use super::state::{Due, Fingerprint, Observation, Rules, State, TargetId, decide};
use super::{discord, pagerduty, slack, teams, webhook};
use crate::net::Client;
use crate::report::{AlertRecord, TargetReport};

/// What was told before, and the rules for what is told now.
pub struct Memory<'a> {
    /// What was told before. It is taken further, whatever becomes of the alerts.
    pub state: &'a mut State,
    /// What each target was judged by, in the order of the targets.
    pub policies: &'a [Fingerprint],
    /// When to tell.
    pub rules: Rules,
}

/// As [`deliver`](super::deliver), and tells each channel what it does not know yet.
///
/// Only what a channel took counts as told to it; the rest is due again in the next run. There are no records of what
/// need not be told again.
pub async fn deliver_remembering(
    client: &Client,
    channels: &Channels,
    targets: &[TargetReport],
    memory: Memory<'_>,
    context: &Context<'_>,
    entropy: impl Fn() -> [u8; 16],
) -> Vec<AlertRecord> {
    deliver_at(&Pace::default(), client, channels, targets, memory, context, entropy).await
}

/// Something due, and the target that it is due on.
struct Pending {
    target: TargetId,
    due: Due,
    message: Message,
}

async fn deliver_at(
    pace: &Pace,
    client: &Client,
    channels: &Channels,
    targets: &[TargetReport],
    memory: Memory<'_>,
    context: &Context<'_>,
    entropy: impl Fn() -> [u8; 16],
) -> Vec<AlertRecord> {
    let names = names(channels);
    let mut pending = Vec::new();
    for (target, policy) in targets.iter().zip(memory.policies) {
        let id = TargetId::of(&target.name);
        let observation = Observation::of(target, *policy, context.now);
        let previous = memory.state.get(id);
        let (state, due) = decide(previous, context.now, &observation, &names, &memory.rules);
        memory.state.set(id, state);
        pending.extend(messages(target, due, context, &entropy));
    }
    let letters = |channel: &str| {
        let of_channel = pending.iter().enumerate().filter(|(_, one)| one.due.channel == channel);
        of_channel
            .map(|(index, one)| Letter {
                message: &one.message,
                due: Some(index),
            })
            .collect()
    };
    let (event, worst) = of_the_run(targets);
    let plan = Plan::new(channels, letters, event, Some(worst));
    let done = plan.run(pace, client, pace.deadline(), &entropy).await;
    let mut records = Vec::new();
    for (record, index) in done {
        if let Some(one) = index.and_then(|index| pending.get(index)).filter(|_| record.delivered) {
            memory.state.told(one.target, &one.due, context.now);
        }
        records.push(record);
    }
    records
}

/// One message for each due thing; channels that are told the same get the same message.
fn messages(
    target: &TargetReport,
    due: Vec<Due>,
    context: &Context<'_>,
    entropy: &impl Fn() -> [u8; 16],
) -> Vec<Pending> {
    let mut pending: Vec<Pending> = Vec::new();
    for due in due {
        let same = pending
            .iter()
            .find(|one| one.due.event == due.event && one.due.about == due.about);
        let message = match same {
            Some(one) => one.message.clone(),
            None => Message::due(target, &due, context, entropy()),
        };
        let target = TargetId::of(&target.name);
        pending.push(Pending { target, due, message });
    }
    pending
}

/// The channels that remember: those that somebody asked for.
fn names(channels: &Channels) -> Vec<&'static str> {
    let asked_for = [
        (slack::CHANNEL, channels.slack_webhook_url.is_some()),
        (discord::CHANNEL, channels.discord_webhook_url.is_some()),
        (teams::CHANNEL, channels.teams_webhook_url.is_some()),
        (pagerduty::CHANNEL, channels.pagerduty_routing_key.is_some()),
        (
            webhook::CHANNEL,
            channels.webhook_url.is_some() || channels.webhook_secret.is_some(),
        ),
    ];
    asked_for.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name).collect()
}

#[cfg(test)]
#[path = "remember_tests.rs"]
mod tests;
