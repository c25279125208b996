//! Which messages become one, and what it says.

use super::*;
use crate::alert::event::AlertEvent;
use crate::alert::samples::{self, of};
use cvm_verify_core::report::{Accepted, CheckId, TargetReport};

fn messages(targets: &[TargetReport], event: AlertEvent) -> Vec<Message> {
    let message = |target| Message::new(target, event, &samples::context(), [1; 16]);
    targets.iter().map(message).collect()
}

fn outgoing(messages: &[Message]) -> Vec<OutgoingMessage<'_>> {
    let numbered = messages.iter().enumerate();
    numbered
        .map(|(index, message)| OutgoingMessage::new(message, Some(index)))
        .collect()
}

fn names(outgoing: &[OutgoingMessage<'_>]) -> Vec<String> {
    outgoing.iter().map(|one| one.message.name.clone()).collect()
}

#[test]
fn up_to_five_targets_with_one_cause_stay_apart_and_six_are_one() {
    let five = messages(&samples::many(5, &samples::fail()), AlertEvent::Failed);
    assert_eq!(gather(outgoing(&five)).len(), 5);
    let six = messages(&samples::many(6, &samples::fail()), AlertEvent::Failed);
    let gathered = gather(outgoing(&six));
    assert_eq!(names(&gathered), ["6 targets"]);
    let due: Vec<Option<usize>> = gathered[0].of.iter().map(|about| about.due).collect();
    assert_eq!(due, (0..6).map(Some).collect::<Vec<_>>());
}

#[test]
fn targets_with_another_cause_another_event_or_a_label_are_not_in_it() {
    let mut targets = samples::many(6, &samples::fail());
    targets.insert(2, samples::unreachable());
    let mut replaced = samples::fail();
    samples::set(
        &mut replaced,
        CheckId::ComposeHash,
        cvm_verify_core::report::Status::Fail,
        "event-missing",
    );
    targets.push(replaced);
    let mut simulated = samples::fail();
    simulated.trust_root = cvm_verify_core::report::TrustRootKind::Custom;
    targets.push(simulated);
    let mut all = messages(&targets, AlertEvent::Failed);
    all.extend(messages(
        &samples::many(1, &samples::fail()),
        AlertEvent::Reminder,
    ));
    let gathered = gather(outgoing(&all));
    assert_eq!(gathered.len(), 5, "{:?}", names(&gathered));
    assert_eq!(gathered[0].message.name, "6 targets");
    assert!(
        gathered[1..]
            .iter()
            .all(|one| one.of.len() == 1 && one.message.digest.is_none())
    );
}

#[test]
fn it_names_the_cause_the_count_the_targets_and_the_next_step() {
    let message = samples::digest(300, &samples::fail());
    assert_eq!(
        message.title(),
        "FAIL 300 targets: The VM runs another compose document than the one expected by cvm.lock."
    );
    assert!(message.next.starts_with("If you deployed a new version, run"));
    let digest = message.digest.unwrap();
    assert_eq!((digest.names.len(), digest.turn), (300, 0));
    let line = digest.line(1000, str::to_owned);
    assert!(
        line.contains(" of 300 targets: api.example.com-1, api.example.com-2,"),
        "{line}"
    );
    assert_eq!(message.url, None);
}

#[test]
fn a_reminder_names_others_the_next_day() {
    let reminded = |now: u64| {
        let context = samples::context();
        let context = crate::alert::message::RunContext { now, ..context };
        let targets = samples::many(300, &samples::fail());
        let messages: Vec<Message> = targets
            .iter()
            .map(|target| Message::new(target, AlertEvent::Reminder, &context, [1; 16]))
            .collect();
        let gathered = gather(outgoing(&messages));
        gathered[0]
            .message
            .digest
            .clone()
            .unwrap()
            .line(1000, str::to_owned)
    };
    assert_ne!(reminded(TURN), reminded(2 * TURN));
    assert_eq!(reminded(TURN), reminded(TURN + 1));
}

#[test]
fn what_was_found_of_one_target_is_not_said_of_all() {
    let mut targets = samples::many(6, &samples::unreachable());
    for target in &mut targets {
        let name = target.name.clone();
        of(target, CheckId::Evidence).detail = format!("{name}:443: no answer in time.");
    }
    let messages = messages(&targets, AlertEvent::Inconclusive);
    let message = &gather(outgoing(&messages))[0].message;
    assert!(!message.cause.contains(":443"), "{}", message.cause);
    let known = cvm_verify_core::checks::Check::of(CheckId::Evidence)
        .reasons
        .iter();
    let known = known.copied().find(|reason| reason.id == "unreachable").unwrap();
    assert_eq!(
        (message.cause.as_str(), message.next.as_str()),
        (known.means, known.fix)
    );
}

#[test]
fn what_follows_for_a_target_comes_after_what_it_follows_from() {
    let targets = samples::many(6, &samples::fail());
    let passing: Vec<TargetReport> = samples::many(7, &samples::pass()).into_iter().rev().collect();
    let recovered = messages(&passing, AlertEvent::Recovered);
    let failed = messages(&targets, AlertEvent::Failed);
    // The seventh target has only recovered, and is before all others.
    let mut all = outgoing(&recovered[..1]);
    all.extend(outgoing(&failed));
    all.extend(outgoing(&recovered[1..]));
    let order: Vec<(AlertEvent, usize)> = gather(all)
        .iter()
        .map(|one| (one.message.event, one.of.len()))
        .collect();
    assert_eq!(
        order,
        [
            (AlertEvent::Recovered, 1),
            (AlertEvent::Failed, 6),
            (AlertEvent::Recovered, 6)
        ]
    );
}

#[test]
fn what_any_of_its_targets_accepted_is_said_once() {
    let mut targets = samples::many(6, &samples::fail());
    let accepted = Accepted {
        check: CheckId::OsImage,
        what: cvm_verify_core::report::AcceptedKind::DevelopmentImage,
        by: "cvm.lock".to_owned(),
        until: None,
        reason: "The operator reads its memory.".to_owned(),
    };
    for target in &mut targets[..2] {
        target.accepted = vec![accepted.clone()];
    }
    let messages = messages(&targets, AlertEvent::Failed);
    let gathered = gather(outgoing(&messages));
    assert_eq!(gathered[0].message.accepted, [accepted]);
    assert!(gathered[0].message.accepted().is_some());
}
