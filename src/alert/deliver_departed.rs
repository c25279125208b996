//! Delivery about targets that left the policy file while they failed: each channel that knows of the failure hears of it once.

use super::channels::Channels;
use super::deliver_changes::{Issues, Pending, plan, run};
use super::delivery::AlertSender;
use super::event::AlertEvent;
use super::github_issue;
use super::incident::{About, Departed, State};
use super::message::{Message, RunContext};
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
    let mut pending: Vec<Pending> = Vec::new();
    for one in departed {
        for due in state.departure(one.target, &names) {
            if let About::Departed { failure } = &due.about {
                let message =
                    Message::departure(one.target, &one.name, failure, context, sender.delivery_id());
                let target = one.target;
                pending.push(Pending { target, due, message });
            }
        }
    }
    let mut records = Vec::new();
    if !pending.is_empty() {
        let plan = plan(&pending, channels, AlertEvent::Changed.as_str(), None);
        let deadline = sender.deadline();
        records.extend(run(plan, &pending, state, sender, deadline, context.now).await);
        let is_of_issues = |one: &&Pending| one.due.channel == github_issue::CHANNEL;
        if pending.iter().any(|one| is_of_issues(&one)) {
            let mut issues = Issues::open(channels, sender, sender.deadline()).await;
            for one in pending.iter().filter(is_of_issues) {
                records.extend(issues.close(one, state, context).await);
            }
        }
    }
    for one in departed {
        state.depart(one.target, context.now);
    }
    records
}
