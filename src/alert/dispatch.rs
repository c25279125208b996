//! What is sent to whom, and what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::channel::{Channel, Occasion};
use super::channel_delivery::ChannelDelivery;
use super::channels::Channels;
use super::delivery::{AlertSender, DeliveryOutcome};
use super::error::DeliveryError;
use super::event::{AlertEvent, occasion};
use super::heartbeat;
use super::list::CHANNELS;
use super::message::{Message, RunContext};
use super::outgoing::{AlertedDue, OutgoingMessage};
use cvm_verify_core::report::{AlertRecord, TargetReport, Verdict};

/// Messages of one channel that are sent without a pause.
const AT_ONCE: usize = 5;
/// Longest pause between two messages of one channel.
const MAX_GAP: Duration = Duration::from_secs(1);

/// The event that is recorded where the heartbeat hears of a pass.
const PASSED: &str = "passed";

/// Tells every channel of `channels` what there is to tell of `targets`, and says what became of it.
///
/// No state is stored: every target that does not pass is reported, in every run ([`deliver_changes`](super::deliver_changes)
/// has one). The heartbeat gets one ping for the run. It takes at most 60 seconds, whatever the receivers do. There is
/// one record for each target and channel, with the target's name first in its detail; one for each digest of more than five
/// targets that share a cause (Slack, Discord, Teams); or one for the channel where its secret cannot be used. No record holds any part of a secret. Nothing here changes a verdict: it has been decided, and
/// it is not ours.
pub async fn deliver(
    sender: &AlertSender<'_>,
    channels: &Channels,
    targets: &[TargetReport],
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    let tell = |target: &TargetReport| {
        let event = occasion(target.verdict)?;
        Some(Message::new(target, event, context, sender.delivery_id()))
    };
    let messages: Vec<Message> = worst_first(targets).into_iter().filter_map(tell).collect();
    let outgoing = messages.iter().map(|message| OutgoingMessage::new(message, None));
    let outgoing: Vec<OutgoingMessage<'_>> = outgoing.collect();
    let (event, worst) = of_the_run(targets);
    let plan = DispatchPlan::new(channels, |_| outgoing.clone(), event, Some(worst));
    plan.run_alone(sender).await
}

/// Pings the heartbeat of `channels`, where there is one, with the worst verdict of a round over all targets.
pub async fn ping(sender: &AlertSender<'_>, channels: &Channels, worst: Verdict) -> Vec<AlertRecord> {
    let channels = channels.only(heartbeat::URL);
    let event = occasion(worst).map_or(PASSED, AlertEvent::as_str);
    let plan = DispatchPlan::new(&channels, |_| Vec::new(), event, Some(worst));
    plan.run_alone(sender).await
}

/// Sends a message that says that it is a test through every channel of `channels`, and says what each answered. The
/// heartbeat gets a ping to `<url>/log`, which neither ends nor raises an alarm; PagerDuty's incident is resolved at
/// once; nothing is written into a GitHub issue, but it is checked whether the token could.
pub async fn test(
    sender: &AlertSender<'_>,
    channels: &Channels,
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    let message = Message::test(context, sender.delivery_id());
    let outgoing = |_: &str| vec![OutgoingMessage::new(&message, None)];
    let plan = DispatchPlan::new(channels, outgoing, message.event.as_str(), None);
    let sender = sender.with_one_deadline();
    let mut records = plan.run_alone(&sender).await;
    if let Some(issues) = &channels.github_issue {
        records.push(issues.probe(&sender, sender.deadline()).await);
    }
    records
}

/// The targets, those that fail first: where time is short, it is theirs.
pub(super) fn worst_first(targets: &[TargetReport]) -> Vec<&TargetReport> {
    let mut sorted: Vec<&TargetReport> = targets.iter().collect();
    sorted.sort_by_key(|target| target.verdict != Verdict::Fail);
    sorted
}

/// What the heartbeat hears.
pub(super) fn of_the_run(targets: &[TargetReport]) -> (&'static str, Verdict) {
    let worst = Verdict::worst(targets.iter().map(|target| target.verdict));
    (occasion(worst).map_or(PASSED, AlertEvent::as_str), worst)
}

/// Hears which due messages a channel took, by their numbers, as soon as it did.
pub(super) type Taken<'a> = &'a (dyn Fn(&[usize]) + Sync);

/// What each channel has to send: one list for each channel.
pub(super) struct DispatchPlan(Vec<ChannelDeliveries>);

struct ChannelDeliveries {
    all: Vec<ChannelDelivery>,
    /// What is recorded where its secret is not there.
    no_secret: String,
}

impl DispatchPlan {
    /// `outgoing` gives those of a channel, by its name.
    pub(super) fn new<'a>(
        channels: &'a Channels,
        outgoing: impl Fn(&str) -> Vec<OutgoingMessage<'a>>,
        event: &'static str,
        verdict: Option<Verdict>,
    ) -> Self {
        let deliveries = |channel: &&Channel| ChannelDeliveries {
            all: (channel.deliveries)(&Occasion {
                channels,
                outgoing: outgoing(channel.name),
                event,
                verdict,
            }),
            no_secret: channels.no_secret(channel),
        };
        Self(CHANNELS.iter().map(deliveries).collect())
    }

    /// The channels do not wait for each other; the messages of one channel go out in turn.
    pub(super) async fn run(
        self,
        sender: &AlertSender<'_>,
        deadline: Instant,
        taken: Taken<'_>,
    ) -> Vec<AlertRecord> {
        let channels = self.0.into_iter();
        let channels = channels.map(|deliveries| run(deliveries, sender, deadline, taken));
        join_all(channels).await.concat()
    }

    /// [`DispatchPlan::run`], for what no state remembers.
    pub(super) async fn run_alone(self, sender: &AlertSender<'_>) -> Vec<AlertRecord> {
        self.run(sender, sender.deadline(), &|_| {}).await
    }
}

async fn run(
    deliveries: ChannelDeliveries,
    sender: &AlertSender<'_>,
    deadline: Instant,
    taken: Taken<'_>,
) -> Vec<AlertRecord> {
    let mut done = Vec::new();
    let mut missed = BTreeSet::new();
    // Why nothing more is sent here: the server asked to be left alone for longer than there is time.
    let mut refused = None;
    let ChannelDeliveries {
        all: deliveries,
        no_secret,
    } = deliveries;
    let all = deliveries.len();
    for (index, delivery) in deliveries.into_iter().enumerate() {
        // What follows from a message makes no sense to a channel that missed it; it is due again with it.
        let in_order = |about: &&AlertedDue| about.due.is_none() || !missed.contains(&about.target);
        let of: Vec<AlertedDue> = delivery.of.iter().filter(in_order).copied().collect();
        if of.is_empty() && !delivery.of.is_empty() {
            continue;
        }
        let (delivered, said) = match (&delivery.request, refused) {
            (Ok(Some(_)), Some(error)) => (false, format!("not sent: {error}")),
            (Ok(Some(request)), None) => {
                tokio::time::sleep(pause_before(
                    index,
                    all,
                    deadline.saturating_duration_since(Instant::now()),
                ))
                .await;
                let outcome = sender.send(request, deadline).await;
                refused = outcome.result.err().filter(DeliveryError::ends_the_channel);
                (outcome.result.is_ok(), describe(&outcome))
            }
            (Ok(None), _) => (false, no_secret.clone()),
            (Err(error), _) => (false, format!("not sent: {error}")),
        };
        let name = delivery.about.map(|name| format!("{name}: "));
        let said = format!("{}{said}{}", name.unwrap_or_default(), delivery.note);
        done.push(AlertRecord::new(
            delivery.channel,
            delivery.event,
            delivered,
            said,
        ));
        if delivered {
            let due: Vec<usize> = of.iter().filter_map(|about| about.due).collect();
            taken(&due);
        } else {
            missed.extend(of.iter().map(|about| about.target));
        }
    }
    done
}

/// The pause before message number `index` of `all` of one channel. The first five go out at once. The others are spread
/// over half of the `time` that is left, at most a second apart; the other half is for answers and second tries.
fn pause_before(index: usize, all: usize, time: Duration) -> Duration {
    let left = u32::try_from(all.saturating_sub(index)).unwrap_or(u32::MAX);
    if index < AT_ONCE {
        Duration::ZERO
    } else {
        (time / left.max(1) / 2).min(MAX_GAP)
    }
}

fn describe(outcome: &DeliveryOutcome) -> String {
    let tries = outcome.tries;
    match (outcome.result, tries) {
        (Ok(Some(status)), 1) => format!("accepted (status {status})"),
        (Ok(Some(status)), _) => format!("accepted (status {status}) at try {tries}"),
        (Ok(None), _) => "accepted; the rest of the answer is too slow to be read".to_owned(),
        (Err(error), 0 | 1) => format!("not delivered: {error}"),
        (Err(error), _) => format!("not delivered in {tries} tries: {error}"),
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
