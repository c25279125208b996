//! Delivery about targets that left the policy file while they failed: each channel that knows of the failure hears of it once.

use std::sync::{Mutex, PoisonError};

use super::channels::Channels;
use super::deliver_changes::Issues;
use super::delivery::AlertSender;
use super::dispatch::DispatchPlan;
use super::event::AlertEvent;
use super::github_issue;
use super::incident::{About, Departed, Due, State, TargetId};
use super::message::{Message, RunContext};
use super::outgoing::OutgoingMessage;
use cvm_verify_core::report::AlertRecord;

/// Tells the channels which targets with an open incident left the policy file, and ends those incidents in the state. What a
/// channel did not take is due again in the next run.
pub async fn deliver_departed(
    sender: &AlertSender<'_>,
    channels: &Channels,
    departed: &[Departed],
    state: &mut State,
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    let remembering = channels.remembering();
    let names: Vec<&str> = remembering.iter().map(String::as_str).collect();
    let mut pending: Vec<(TargetId, Due, Message)> = Vec::new();
    for one in departed {
        for due in state.departure(one.target, &names) {
            if let About::Departed { failure } = &due.about {
                let message =
                    Message::departure(one.target, &one.name, failure, context, sender.delivery_id());
                pending.push((one.target, due, message));
            }
        }
    }
    let mut records = Vec::new();
    if !pending.is_empty() {
        let outgoing = |channel: &str| {
            let of_channel = pending.iter().enumerate();
            let of_channel = of_channel.filter(|(_, (_, due, _))| due.kind() == channel);
            of_channel
                .map(|(index, (_, _, message))| OutgoingMessage::new(message, Some(index)))
                .collect()
        };
        let plan = DispatchPlan::new(channels, outgoing, AlertEvent::Changed.as_str(), None);
        let of_channels = Mutex::new(&mut *state);
        let taken = |indices: &[usize]| {
            let mut state = of_channels.lock().unwrap_or_else(PoisonError::into_inner);
            for (target, due, _) in indices.iter().filter_map(|index| pending.get(*index)) {
                state.record(*target, due, context.now);
            }
        };
        records.extend(plan.run(sender, sender.deadline(), &taken).await);
        let of_issues = |one: &&(TargetId, Due, Message)| one.1.channel == github_issue::CHANNEL;
        if pending.iter().any(|one| of_issues(&one)) {
            let mut issues = Issues::open(channels, sender, sender.deadline()).await;
            for (target, due, message) in pending.iter().filter(of_issues) {
                records.extend(issues.close(*target, state, due, message, context).await);
            }
        }
    }
    for one in departed {
        state.depart(one.target, context.now);
    }
    records
}
