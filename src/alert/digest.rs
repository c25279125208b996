//! One message for many targets that share one cause, for channels that people read.
//!
//! A network that is down makes hundreds of targets inconclusive at once. Hundreds of posts are more than Slack, Discord
//! and Teams take in a minute, and more than a person reads.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::event::AlertEvent;
use super::failed_check::FailedCheck;
use super::message::{MAX_ACCEPTED, Message, short_name};
use super::named_targets::Digest;
use super::outgoing::OutgoingMessage;
use cvm_verify_core::report::Accepted;

/// Up to this many targets with one cause get a message each.
const MAX_SEPARATE: usize = 5;
/// Seconds after which reminders name the next targets where not all fit: a day.
const TURN: u64 = 86_400;

/// `outgoing` with one digest in place of those of more than five targets that share one cause: the same event, verdict and
/// labels, the same checks for the same reasons.
///
/// The messages of one target stay in order: what follows from a message comes after it.
pub(super) fn gather(outgoing: Vec<OutgoingMessage<'_>>) -> Vec<OutgoingMessage<'_>> {
    let mut sent: BTreeMap<_, usize> = BTreeMap::new();
    // The position of each message among those of its target, and what it has in common with others.
    let keys: Vec<(usize, String)> = outgoing
        .iter()
        .map(|outgoing| {
            let position = sent.entry(outgoing.message.target).or_default();
            *position += 1;
            (*position, shared(&outgoing.message))
        })
        .collect();
    let mut groups: BTreeMap<&(usize, String), Vec<usize>> = BTreeMap::new();
    for (index, key) in keys.iter().enumerate() {
        groups.entry(key).or_default().push(index);
    }
    if groups.values().all(|group| group.len() <= MAX_SEPARATE) {
        return outgoing;
    }
    let mut ordered: Vec<Vec<usize>> = groups
        .into_values()
        .flat_map(|group| {
            if group.len() > MAX_SEPARATE {
                vec![group]
            } else {
                group.into_iter().map(|index| vec![index]).collect()
            }
        })
        .collect();
    ordered.sort_by_key(|group| {
        let first = group.first().copied().unwrap_or_default();
        (keys.get(first).map(|(position, _)| *position), first)
    });
    let of_group = |group: Vec<usize>| {
        let members: Vec<&OutgoingMessage<'_>> =
            group.iter().filter_map(|index| outgoing.get(*index)).collect();
        match members.as_slice() {
            [] => None,
            [one] => Some((*one).clone()),
            [first, others @ ..] => Some(joined(first, others)),
        }
    };
    ordered.into_iter().filter_map(of_group).collect()
}

/// What the messages of a digest have in common. A message without checks is about a pass: then the cause is a sentence
/// of our own.
fn shared(message: &Message) -> String {
    let checks: Vec<_> = message.failed.iter().map(FailedCheck::line).collect();
    let cause = checks.is_empty().then_some(&message.cause);
    format!(
        "{:?}",
        (message.event, message.verdict, &message.labels, checks, cause)
    )
}

fn joined<'a>(first: &OutgoingMessage<'a>, others: &[&OutgoingMessage<'a>]) -> OutgoingMessage<'a> {
    let messages: Vec<&Message> = others.iter().map(|outgoing| outgoing.message.as_ref()).collect();
    let others = others.iter().flat_map(|outgoing| &outgoing.of);
    OutgoingMessage {
        message: Cow::Owned(summary(&first.message, &messages)),
        of: first.of.iter().chain(others).copied().collect(),
    }
}

/// The message about all of them. What the messages say alike stays; the rest is said in the words of the check.
fn summary(first: &Message, others: &[&Message]) -> Message {
    let count = others.len() + 1;
    let failed: Vec<FailedCheck> = first
        .failed
        .iter()
        .enumerate()
        .map(|(index, check)| {
            let alike = |other: &&Message| other.failed.get(index) == Some(check);
            if others.iter().all(alike) {
                check.clone()
            } else {
                check.in_own_words()
            }
        })
        .collect();
    let alike = |of: fn(&Message) -> &String| others.iter().all(|other| of(other) == of(first));
    let to_act_on = failed.first();
    let cause = to_act_on.filter(|_| !alike(|message| &message.cause));
    let next = to_act_on.filter(|_| !alike(|message| &message.next));
    let next = next.map(|check| {
        let read = || "Read the run's report: it says what to do for each target.".to_owned();
        check.fix.clone().unwrap_or_else(read)
    });
    let all = || std::iter::once(&first).chain(others);
    let mut waived: Vec<_> = all().flat_map(|message| message.waived.clone()).collect();
    waived.sort_unstable();
    waived.dedup();
    let mut accepted: Vec<Accepted> = Vec::new();
    for one in all().flat_map(|message| &message.accepted) {
        if accepted.len() < MAX_ACCEPTED && !accepted.contains(one) {
            accepted.push(one.clone());
        }
    }
    Message {
        name: format!("{count} targets"),
        url: None,
        cause: cause.map_or_else(|| first.cause.clone(), |check| check.detail.clone()),
        next: next.unwrap_or_else(|| first.next.clone()),
        failed,
        waived,
        accepted,
        digest: Some(Digest {
            names: all().map(|message| short_name(&message.name)).collect(),
            turn: match first.event {
                AlertEvent::Reminder => usize::try_from(first.at / TURN).unwrap_or_default(),
                _ => 0,
            },
        }),
        ..first.clone()
    }
}

#[cfg(test)]
#[path = "digest_tests.rs"]
mod tests;
