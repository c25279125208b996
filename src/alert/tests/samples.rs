//! Results to tell about: plain data, in the checks' own words.

use super::digest::gather;
use super::event::AlertEvent;
use super::message::{Message, RunContext};
use super::outgoing::OutgoingMessage;
use crate::render::samples;
pub(super) use crate::render::samples::MEASURED;
use cvm_verify_core::checks::Check;
use cvm_verify_core::report::{
    Assurance, CheckId, CheckResult, EvidenceRecord, Mode, Status, TargetReport, Verdict,
};

/// A run on a forge.
pub(super) fn context() -> RunContext<'static> {
    RunContext {
        now: 1_786_622_400,
        mode: Mode::Live,
        run_url: Some("https://github.com/acme/shop/actions/runs/42"),
        report_sha256: Some("5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"),
        file: None,
    }
}

/// Everything passes.
pub(super) fn pass() -> TargetReport {
    let mut target = samples::pass();
    set(&mut target, CheckId::AppId, Status::Pass, "");
    target.evidence = EvidenceRecord::default();
    target
}

/// Another compose document runs; the OS image is waived.
pub(super) fn fail() -> TargetReport {
    let mut target = pass();
    target.verdict = Verdict::Fail;
    target.assurance = Assurance::Hardware;
    target.waived = vec![CheckId::OsImage];
    set(&mut target, CheckId::OsImage, Status::Skip, "unchecked");
    set(
        &mut target,
        CheckId::ComposeHash,
        Status::Fail,
        "compose-hash-mismatch",
    );
    of(&mut target, CheckId::ComposeHash).detail =
        "The VM runs another compose document than the one expected by cvm.lock.".to_owned();
    target
}

/// Nobody said which code is expected.
pub(super) fn inconclusive() -> TargetReport {
    samples::no_expectation()
}

/// Nothing answered.
pub(super) fn unreachable() -> TargetReport {
    let mut target = samples::unreachable();
    of(&mut target, CheckId::Evidence).detail =
        "api.example.com:443: no answer in time (waiting for its response).".to_owned();
    target
}

/// What a channel makes of a failure whose every word is an untrusted party's, of a run whose address is one's, too.
pub(super) fn in_hostile_words<T>(text: &str, run: &str, show: impl FnOnce(&Message) -> T) -> T {
    let run_url = format!("https://forge.example/{run}");
    let context = RunContext {
        run_url: Some(&run_url),
        ..context()
    };
    show(&Message::new(
        &all_fail(text),
        AlertEvent::Failed,
        &context,
        [1; 16],
    ))
}

/// `count` targets of which each is as `target`, named by its name and a number.
pub(super) fn many(count: usize, target: &TargetReport) -> Vec<TargetReport> {
    let named = |number| TargetReport {
        name: format!("{}-{number}", target.name),
        ..target.clone()
    };
    (1..=count).map(named).collect()
}

/// The digest of `count` targets of which each is as `target`.
pub(super) fn digest(count: usize, target: &TargetReport) -> Message {
    let reports = many(count, target);
    let message = |target| Message::new(target, AlertEvent::Failed, &context(), [1; 16]);
    let messages: Vec<Message> = reports.iter().map(message).collect();
    let outgoing = messages.iter().map(|message| OutgoingMessage::new(message, None));
    let gathered = gather(outgoing.collect());
    assert_eq!(gathered.len(), 1);
    gathered.into_iter().next().unwrap().message.into_owned()
}

/// Many checks fail at once: as much as an alert can have to say.
pub(super) fn all_fail(text: &str) -> TargetReport {
    let mut target = fail();
    target.name = text.to_owned();
    target.url = Some(text.to_owned());
    for id in CheckId::ALL {
        let check = of(&mut target, id);
        check.status = Status::Fail;
        check.reason = Some(text.to_owned());
        check.detail = text.to_owned();
        check.fix = Some(text.to_owned());
    }
    target
}

/// Changes the outcome of a check, with the words that belong to its reason.
pub(super) fn set(target: &mut TargetReport, id: CheckId, status: Status, reason: &str) {
    let known = Check::of(id).reason(reason);
    let check = of(target, id);
    check.status = status;
    check.reason = (!reason.is_empty()).then(|| reason.to_owned());
    check.detail = known.map_or("", |known| known.means).to_owned();
    check.fix = known
        .map(|known| known.fix.to_owned())
        .filter(|fix| !fix.is_empty());
}

/// The result of a check.
pub(super) fn of(target: &mut TargetReport, id: CheckId) -> &mut CheckResult {
    samples::check_mut(target, id)
}
