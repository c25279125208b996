//! Alerts that are about no target: a run verified nothing, or a running `watch` goes on by an old policy.
//!
//! With stored state they follow the rules of a target that is inconclusive: one message about the beginning, one each day, one about
//! the end.

use std::time::Duration;

use tokio::time::Instant;

use super::channels::Channels;
use super::deliver_changes::{Issues, Pending, plan, run};
use super::delivery::AlertSender;
use super::dispatch::DispatchPlan;
use super::event::AlertEvent;
use super::heartbeat;
use super::incident::{About, Due, Failure, Observation, Rules, State, TargetId, decide};
use super::message::{Message, REMINDER, RunContext};
use super::no_secret::lacks_secret;
use super::outgoing::OutgoingMessage;
use super::pagerduty;
use super::sanitize::sanitize;
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{AlertRecord, Verdict, rfc3339};

/// Longest cause, in characters.
const MAX_CAUSE: usize = 400;
/// Longest text on what was asked, in characters.
const MAX_ABOUT: usize = 120;
/// How long the issues may be looked for: the other channels wait for what they remember. What is written to them has the sender's time.
const ISSUES_TIME: Duration = Duration::from_secs(4);
/// What an alert says first when something else is wrong than was reported.
const CHANGED: &str = "CHANGED: the cause is another one than the one reported before";
/// The same, of the last one that is reported.
const CHANGED_OFTEN: &str =
    "CHANGED: the cause changes from run to run; further changes are reported with the reminder only";

/// What such an alert is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSubject {
    /// Its incident in PagerDuty.
    incident: TargetId,
    /// Its place in the stored state.
    stored: TargetId,
    /// Whether its incident in PagerDuty is its own, so that its end may be reported there.
    is_alone: bool,
    /// What it is asked to verify, for people: in brackets, or empty.
    about: String,
    words: &'static Words,
}

#[derive(Debug, PartialEq, Eq)]
struct Words {
    /// What stands in place of a target's name.
    name: &'static str,
    /// What stands before the cause.
    trouble: &'static str,
    /// That it is over.
    end: &'static str,
    /// How often in a row it must be found wrong before that is reported.
    after: u32,
}

const RUN: Words = Words {
    name: "this run",
    trouble: "Nothing was verified",
    end: "The run verified its targets",
    after: 1,
};

const WATCH: Words = Words {
    name: "watch",
    trouble: "It does not run, so nothing is verified",
    end: "It runs",
    after: 1,
};

/// A policy that is replaced file by file is wrong for a moment.
const POLICY: Words = Words {
    name: "the policy of watch",
    trouble: "The policy on disk is refused, and targets are verified by the previous one",
    end: "The policy on disk is valid and in use",
    after: 3,
};

/// What to do when it is over.
const NOTHING: &str = "Nothing to do. Alerts about its targets are separate messages.";

/// What is wrong. `cause` may quote what the user wrote; `next` is ours.
#[derive(Debug, Clone, Copy)]
pub struct Trouble<'a> {
    /// Why.
    pub cause: &'a str,
    /// What to do about it.
    pub next: &'a str,
}

impl RunSubject {
    /// A run. `job` is what tells it from others of the same CI, and is empty outside of one: there every machine has the same incident in
    /// PagerDuty. `asked` is what tells it from others that share its stored state.
    #[must_use]
    pub fn run(job: &[String], asked: &[String]) -> Self {
        Self {
            incident: TargetId::of_job(RUN.name, job),
            stored: TargetId::of_job(RUN.name, asked),
            is_alone: !job.is_empty(),
            about: String::new(),
            words: &RUN,
        }
    }

    /// A `watch` that was asked this.
    #[must_use]
    pub fn watch(asked: &[String]) -> Self {
        Self::of_watch(&WATCH, asked)
    }

    /// The policy of a `watch` that was asked this.
    #[must_use]
    pub fn policy(asked: &[String]) -> Self {
        Self::of_watch(&POLICY, asked)
    }

    fn of_watch(words: &'static Words, asked: &[String]) -> Self {
        let id = TargetId::of_job(words.name, asked);
        Self {
            incident: id,
            stored: id,
            is_alone: true,
            about: String::new(),
            words,
        }
    }

    /// The same, with what it is asked to verify: for people, who may have many such jobs.
    #[must_use]
    pub fn about(self, asked: &str) -> Self {
        let asked = sanitize(asked, MAX_ABOUT);
        let about = match asked.is_empty() {
            true => String::new(),
            false => format!(" ({asked})"),
        };
        Self { about, ..self }
    }

    /// Its place in the stored state.
    #[must_use]
    pub const fn stored(&self) -> TargetId {
        self.stored
    }
}

/// Whether it is no news on `channels` that all is as it should be.
pub fn is_quiet(state: &State, channels: &Channels, subject: &RunSubject) -> bool {
    let remembering = channels.remembering();
    let names: Vec<&str> = remembering.iter().map(String::as_str).collect();
    state.is_quiet(subject.stored, &names)
}

/// Takes the state of `subject` further, and says what is due on `channels`. Without `trouble` it is as it should be.
pub fn weigh_run(
    state: &mut State,
    channels: &Channels,
    subject: &RunSubject,
    trouble: Option<Trouble<'_>>,
    now: u64,
) -> Vec<Due> {
    let previous = state.get(subject.stored).cloned();
    if previous.is_none() && trouble.is_none() {
        return Vec::new();
    }
    let remembering = channels.remembering();
    let names: Vec<&str> = remembering.iter().map(String::as_str).collect();
    let failure = trouble.map(|trouble| Failure::without_checks(subject.stored, trouble.cause, now));
    let observation = Observation {
        at: now,
        failure,
        // What a target is judged by says nothing here.
        policy: Policy::default().fingerprint(),
        asked: None,
        forecasts: Vec::new(),
        entry: None,
        weighed: false,
    };
    let rules = Rules {
        inconclusive_after: subject.words.after,
        ..Rules::default()
    };
    let previous = previous.unwrap_or_default();
    let (next, due) = decide(Some(&previous), now, &observation, &names, &rules);
    state.set(subject.stored, next);
    due
}

/// Takes the state of `subject` further, which may be remembered by an issue on GitHub, and sends what is due. Where nothing is remembered
/// and nothing is wrong, PagerDuty hears of it; where something is, the heartbeat hears of a failure.
pub async fn tell_of_run(
    sender: &AlertSender<'_>,
    channels: &Channels,
    subject: &RunSubject,
    trouble: Option<Trouble<'_>>,
    state: &mut State,
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    let id = subject.stored;
    let until = sender.deadline();
    let mut issues = Issues::find(channels, sender, until, ISSUES_TIME, context.now).await;
    if let (None, Some(stored)) = (state.get(id), issues.stored(id)) {
        state.set(id, stored.clone());
    }
    if state.get(id).is_none() && trouble.is_none() {
        return judged_again(sender, channels, subject, context).await;
    }
    let due = weigh_run(state, channels, subject, trouble, context.now);
    let is_quiet =
        trouble.is_none() && due.is_empty() && state.get(id).is_none_or(|stored| stored.failure().is_none());
    let pending = pending(sender, subject, trouble, due, state, context);
    let for_others = match channels.github_issue {
        // The issue comes last, and needs time.
        Some(_) => until - until.saturating_duration_since(Instant::now()) / 3,
        None => until,
    };
    let mut records = send(sender, channels, trouble, &pending, state, for_others, context).await;
    if is_quiet {
        // A run that could not use the state may have begun an incident.
        records.extend(judged_again(sender, channels, subject, context).await);
    }
    let standing = |failure: &Failure| Message::of_failure(subject, trouble, failure, context, [0; 16]);
    let settled = issues.settle_as(id, &standing, state, &pending, context.now);
    records.extend(settled.await);
    records
}

/// The messages on what is due. What no message may say is noted in `state`.
fn pending(
    sender: &AlertSender<'_>,
    subject: &RunSubject,
    trouble: Option<Trouble<'_>>,
    due: Vec<Due>,
    state: &mut State,
    context: &RunContext<'_>,
) -> Vec<Pending> {
    let mut pending: Vec<Pending> = Vec::new();
    for due in due {
        // Another machine may still verify nothing. A person ends it.
        if due.about == About::Recovery && !subject.is_alone && due.kind() == pagerduty::CHANNEL {
            state.record(subject.stored, &due, context.now);
            continue;
        }
        let message = Message::of_run(subject, trouble, &due, context, sender.delivery_id());
        pending.push(Pending {
            target: subject.stored,
            due,
            message,
        });
    }
    pending
}

/// Sends them to all channels but the issues, until `deadline`.
async fn send(
    sender: &AlertSender<'_>,
    channels: &Channels,
    trouble: Option<Trouble<'_>>,
    pending: &[Pending],
    state: &mut State,
    deadline: Instant,
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    let verdict = trouble.map(|_| Verdict::Inconclusive);
    let channels = match verdict {
        Some(_) => channels.clone(),
        None => channels.clone().with(heartbeat::URL, None),
    };
    let event = match verdict {
        Some(_) => AlertEvent::Inconclusive,
        None => AlertEvent::Recovered,
    };
    let plan = plan(pending, &channels, event.as_str(), verdict);
    run(plan, pending, state, sender, deadline, context.now).await
}

/// Tells every channel of `channels` that a run ended before a verdict, and why, with no state stored; the heartbeat hears of a failure.
pub async fn nothing_verified(
    sender: &AlertSender<'_>,
    channels: &Channels,
    subject: &RunSubject,
    trouble: Trouble<'_>,
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    let message = Message::trouble(subject, trouble, context, sender.delivery_id());
    let outgoing = |_: &str| vec![OutgoingMessage::new(&message, None)];
    let plan = DispatchPlan::new(channels, outgoing, message.event.as_str(), message.verdict);
    plan.run_alone(sender).await
}

/// Resolves the incident of [`nothing_verified`] in PagerDuty, the one channel where that stays open: this run of the job gave a verdict.
/// A key without an open incident is ignored there. The records of what was not delivered.
async fn judged_again(
    sender: &AlertSender<'_>,
    channels: &Channels,
    subject: &RunSubject,
    context: &RunContext<'_>,
) -> Vec<AlertRecord> {
    if !subject.is_alone {
        return Vec::new();
    }
    let message = Message::end_of_trouble(subject, context, sender.delivery_id());
    let outgoing = |channel: &str| match channel == pagerduty::CHANNEL {
        true => vec![OutgoingMessage::new(&message, None)],
        false => Vec::new(),
    };
    let channels = channels.clone().with(heartbeat::URL, None).with_issues(None);
    let plan = DispatchPlan::new(&channels, outgoing, message.event.as_str(), None);
    let mut records = plan.run_alone(sender).await;
    records.retain(|record| !record.delivered && !lacks_secret(record));
    records
}

impl Message {
    /// What is `due` on `subject`.
    fn of_run(
        subject: &RunSubject,
        trouble: Option<Trouble<'_>>,
        due: &Due,
        context: &RunContext<'_>,
        delivery_id: [u8; 16],
    ) -> Self {
        let (failure, label) = match &due.about {
            About::Failure { failure, .. } => (failure, None),
            About::Exchanged { failure, last, .. } => {
                (failure, Some(if *last { CHANGED_OFTEN } else { CHANGED }))
            }
            About::Reminder { failure, .. } => (failure, Some(REMINDER)),
            _ => return Self::end_of_trouble(subject, context, delivery_id),
        };
        let message = Self {
            event: due.event,
            ..Self::of_failure(subject, trouble, failure, context, delivery_id)
        };
        message.labelled(label.map(str::to_owned))
    }

    /// What is wrong now, or was when `failure` was found: its cause is not kept.
    fn of_failure(
        subject: &RunSubject,
        trouble: Option<Trouble<'_>>,
        failure: &Failure,
        context: &RunContext<'_>,
        delivery_id: [u8; 16],
    ) -> Self {
        let found = format!(
            "found at {}; the log of that time names the cause",
            rfc3339(failure.at)
        );
        let trouble = trouble.unwrap_or(Trouble {
            cause: &found,
            next: "Read that log.",
        });
        Self::trouble(subject, trouble, context, delivery_id)
    }

    fn trouble(
        subject: &RunSubject,
        trouble: Trouble<'_>,
        context: &RunContext<'_>,
        delivery_id: [u8; 16],
    ) -> Self {
        let Words {
            name, trouble: what, ..
        } = subject.words;
        Self {
            verdict: Some(Verdict::Inconclusive),
            target: subject.incident,
            name: (*name).to_owned(),
            cause: format!("{what}{}: {}", subject.about, sanitize(trouble.cause, MAX_CAUSE)),
            next: trouble.next.to_owned(),
            ..Self::about(AlertEvent::Inconclusive, context, delivery_id)
        }
    }

    fn end_of_trouble(subject: &RunSubject, context: &RunContext<'_>, delivery_id: [u8; 16]) -> Self {
        // The targets may fail: no verdict is told.
        Self {
            target: subject.incident,
            name: subject.words.name.to_owned(),
            cause: format!("{}{}.", subject.words.end, subject.about),
            next: NOTHING.to_owned(),
            ..Self::about(AlertEvent::Recovered, context, delivery_id)
        }
    }
}

#[cfg(test)]
#[path = "run_incident_tests.rs"]
mod tests;
