//! Who is told what, and what became of it.

use tokio::time::Instant;

use super::channels::Channels;
use super::delivery::{Outcome, Pace, send};
use super::errand::{self, Errand};
use super::event::{Event, occasion};
use super::message::{Context, Message};
use crate::net::Client;
use crate::report::{AlertRecord, TargetReport, Verdict};

/// What is recorded where a channel was asked for and its secret is not there.
pub const NO_SECRET: &str = "skipped: no secret";

/// The event that is recorded where the heartbeat hears of a pass.
const PASSED: &str = "passed";

/// Tells every channel of `channels` what there is to tell of `targets`, and says what became of it.
///
/// Slack and the webhook get one message for each target that does not pass; the heartbeat gets one ping for the run. It
/// takes at most 60 seconds, whatever the receivers do. There is one record for each target and channel, with the
/// target's name first in its detail; or one for the channel where its secret cannot be used. No record holds any part
/// of a secret. Nothing here changes a verdict: it has been decided, and it is not ours.
///
/// `entropy` gives 16 bytes from the system's CSPRNG: one draw for each message, which names it, and one for each pause.
pub async fn deliver(
    client: &Client,
    channels: &Channels,
    targets: &[TargetReport],
    context: &Context<'_>,
    entropy: impl Fn() -> [u8; 16],
) -> Vec<AlertRecord> {
    deliver_at(&Pace::default(), client, channels, targets, context, entropy).await
}

/// Sends a message that says that it is a test through every channel of `channels`, and says what each answered. The
/// heartbeat gets a ping to `<url>/log`, which neither ends nor raises an alarm.
pub async fn test(
    client: &Client,
    channels: &Channels,
    context: &Context<'_>,
    entropy: impl Fn() -> [u8; 16],
) -> Vec<AlertRecord> {
    let message = Message::test(context, entropy());
    let event = message.event.as_str();
    let plan = Plan::new(channels, &[message], event, None);
    plan.run(&Pace::default(), client, &entropy).await
}

async fn deliver_at(
    pace: &Pace,
    client: &Client,
    channels: &Channels,
    targets: &[TargetReport],
    context: &Context<'_>,
    entropy: impl Fn() -> [u8; 16],
) -> Vec<AlertRecord> {
    let tell = |target: &TargetReport| {
        let event = occasion(target.verdict)?;
        Some(Message::new(target, event, context, entropy()))
    };
    let messages: Vec<Message> = targets.iter().filter_map(tell).collect();
    let worst = Verdict::worst(targets.iter().map(|target| target.verdict));
    let event = occasion(worst).map_or(PASSED, Event::as_str);
    let plan = Plan::new(channels, &messages, event, Some(worst));
    plan.run(pace, client, &entropy).await
}

/// What each channel has to do.
struct Plan {
    slack: Vec<Errand>,
    webhook: Vec<Errand>,
    heartbeat: Vec<Errand>,
}

impl Plan {
    fn new(channels: &Channels, messages: &[Message], event: &'static str, verdict: Option<Verdict>) -> Self {
        Self {
            slack: errand::slack(channels, messages, event),
            webhook: errand::webhook(channels, messages, event),
            heartbeat: errand::heartbeat(channels, event, verdict),
        }
    }

    /// The channels do not wait for each other; the messages of one channel go out in turn.
    async fn run(self, pace: &Pace, client: &Client, entropy: &impl Fn() -> [u8; 16]) -> Vec<AlertRecord> {
        let deadline = Instant::now() + pace.schedule.total;
        let (slack, webhook, heartbeat) = tokio::join!(
            run(self.slack, pace, client, deadline, entropy),
            run(self.webhook, pace, client, deadline, entropy),
            run(self.heartbeat, pace, client, deadline, entropy),
        );
        [slack, webhook, heartbeat].concat()
    }
}

async fn run(
    errands: Vec<Errand>,
    pace: &Pace,
    client: &Client,
    deadline: Instant,
    entropy: &impl Fn() -> [u8; 16],
) -> Vec<AlertRecord> {
    let mut records = Vec::new();
    for errand in errands {
        let (delivered, said) = match &errand.parcel {
            Ok(Some(parcel)) => {
                let outcome = send(client, parcel, pace, deadline, || jitter(entropy())).await;
                (outcome.result.is_ok(), describe(&outcome))
            }
            Ok(None) => (false, NO_SECRET.to_owned()),
            Err(error) => (false, format!("not sent: {error}")),
        };
        let name = errand.about.map(|name| format!("{name}: ")).unwrap_or_default();
        records.push(AlertRecord {
            channel: errand.channel.to_owned(),
            event: errand.event.to_owned(),
            delivered,
            detail: format!("{name}{said}{}", errand.note),
        });
    }
    records
}

fn describe(outcome: &Outcome) -> String {
    let tries = outcome.tries;
    match (outcome.result, tries) {
        (Ok(Some(status)), 1) => format!("accepted (status {status})"),
        (Ok(Some(status)), _) => format!("accepted (status {status}) at try {tries}"),
        (Ok(None), _) => "accepted; the rest of the answer is too long or too slow to be read".to_owned(),
        (Err(error), 0 | 1) => format!("not delivered: {error}"),
        (Err(error), _) => format!("not delivered in {tries} tries: {error}"),
    }
}

fn jitter([a, b, c, d, ..]: [u8; 16]) -> u32 {
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
