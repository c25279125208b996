//! A day of monitoring in milliseconds: eight targets, verified every five minutes, and two channels. The sequence of
//! messages is the snapshot.

use std::collections::BTreeMap;

use super::*;
use crate::alert::event::AlertEvent;
use crate::alert::samples::{self, set};
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{CheckId, Status, TargetReport, Verdict, rfc3339};

/// 2026-08-13T00:00:00Z.
const MIDNIGHT: u64 = 1_786_579_200;
const MINUTE: u64 = 60;
const STEP: u64 = 5 * MINUTE;
const HOUR: u64 = 60 * MINUTE;
/// Until after the first reminder.
const END: u64 = 27 * HOUR;

const CHANNELS: [&str; 2] = ["slack", "webhook"];

fn unavailable(id: CheckId, reason: &str) -> TargetReport {
    let mut report = samples::unreachable();
    set(&mut report, CheckId::Evidence, Status::Pass, "");
    set(&mut report, id, Status::Error, reason);
    report
}

fn other_fail() -> TargetReport {
    let mut report = samples::pass();
    report.verdict = Verdict::Fail;
    set(&mut report, CheckId::AppId, Status::Fail, "app-id-mismatch");
    report
}

fn ends_soon() -> TargetReport {
    let mut report = samples::pass();
    let reason = "platform-certificate-ends-soon";
    set(&mut report, CheckId::Collateral, Status::Warn, reason);
    report
}

/// What `name` is found to be, `since` seconds after midnight in round `round`.
fn found(name: &str, since: u64, round: u64) -> TargetReport {
    let between = |from: u64, to: u64| (from..to).contains(&since);
    match name {
        "healthy" => samples::pass(),
        // One round in four, and never three in a row.
        "flapping" if round % 4 == 1 => samples::unreachable(),
        // Two rounds in three, and never three in a row, from 04:00 to 10:00.
        "silent-two-of-three" if between(4 * HOUR, 10 * HOUR) && !round.is_multiple_of(3) => {
            samples::unreachable()
        }
        // Rests on a certificate that ends soon.
        "ends-soon" if since >= HOUR => ends_soon(),
        // From 06:00 to 09:00.
        "pccs-down" if between(6 * HOUR, 9 * HOUR) => unavailable(CheckId::Collateral, "unreachable"),
        "lies-every-third-time" if since >= 2 * HOUR && round.is_multiple_of(3) => samples::fail(),
        // It fails, fails otherwise, and is well again: nobody could tell the webhook.
        "while-the-webhook-is-down" if between(12 * HOUR + 10 * MINUTE, 12 * HOUR + 20 * MINUTE) => {
            samples::fail()
        }
        "while-the-webhook-is-down" if between(12 * HOUR + 20 * MINUTE, 12 * HOUR + 30 * MINUTE) => {
            other_fail()
        }
        "fails-into-the-outage" if between(11 * HOUR + 50 * MINUTE, 12 * HOUR) => samples::fail(),
        "fails-into-the-outage" if between(12 * HOUR, 15 * HOUR) => other_fail(),
        _ => samples::pass(),
    }
}

const TARGETS: [&str; 8] = [
    "healthy",
    "flapping",
    "silent-two-of-three",
    "ends-soon",
    "pccs-down",
    "lies-every-third-time",
    "while-the-webhook-is-down",
    "fails-into-the-outage",
];

/// The webhook is down from 12:00 to 13:00.
fn is_up(channel: &str, since: u64) -> bool {
    channel != "webhook" || !(12 * HOUR..13 * HOUR).contains(&since)
}

struct Sent {
    since: u64,
    channel: String,
    target: &'static str,
    due: Due,
}

fn a_day() -> Vec<Sent> {
    let policy = Policy::default().fingerprint();
    let mut state = State::default();
    let mut sent = Vec::new();
    for round in 0..=END / STEP {
        let since = round * STEP;
        let now = MIDNIGHT + since;
        for target in TARGETS {
            let mut report = found(target, since, round);
            report.name = target.to_owned();
            let id = TargetId::of(target);
            let observation = Observation::of(&report, policy, now);
            let (mut next, due) = decide(state.get(id), now, &observation, &CHANNELS, &Rules::default());
            for due in due {
                if is_up(&due.channel, since) {
                    next.record(&due, now);
                    let channel = due.channel.clone();
                    sent.push(Sent {
                        since,
                        channel,
                        target,
                        due,
                    });
                }
            }
            state.set(id, next);
        }
        // Each round is a process of its own, as in cron.
        state = State::parse(state.to_json().as_bytes()).unwrap();
    }
    sent
}

fn line(sent: &Sent) -> String {
    let about = |failure: &Failure, late: bool| {
        let checks: Vec<String> = failure
            .failing
            .iter()
            .map(|one| format!("{}/{}", one.check, one.reason))
            .collect();
        let when = if late {
            format!(", found at {}", rfc3339(failure.at).get(11..16).unwrap())
        } else {
            String::new()
        };
        format!("{}{when}", checks.join(" "))
    };
    let what = match &sent.due.about {
        About::Failure { failure, late, .. } | About::Reminder { failure, late } => about(failure, *late),
        About::Recovery => "passes".to_owned(),
        About::Forecast(forecast) => forecast.to_string(),
        other @ (About::PassUnderAnotherPolicy { .. }
        | About::PassAtAnotherAddress { .. }
        | About::Exchanged { .. }
        | About::Departed { .. }) => {
            format!("{other:?}")
        }
    };
    let (hours, minutes) = (sent.since / HOUR, sent.since % HOUR / MINUTE);
    format!(
        "{hours:02}:{minutes:02} {:7} {:12} {:25} {what}",
        sent.channel, sent.due.event, sent.target
    )
}

#[test]
fn a_day_of_alerts() {
    let sent = a_day();
    insta::assert_snapshot!(sent.iter().map(line).collect::<Vec<_>>().join("\n"));
}

/// The same properties that the snapshot shows, in numbers: anyone who changes the snapshot must still keep them.
#[test]
fn no_duplicate_no_lost_failure_no_false_recovery() {
    let mut open: BTreeMap<(String, &str), Vec<FailureKey>> = BTreeMap::new();
    let sent = a_day();
    for Sent {
        channel,
        target,
        due,
        since,
    } in &sent
    {
        let known = open.entry((channel.clone(), target)).or_default();
        match &due.about {
            About::Failure { failure, .. } => {
                assert!(!known.contains(&failure.key), "{target} at {since}: a duplicate");
                known.push(failure.key);
            }
            About::Recovery => {
                assert!(!known.is_empty(), "{target} at {since}: recovered from nothing");
                known.clear();
            }
            About::Reminder { .. } => assert!(!known.is_empty()),
            About::Forecast(_) => assert_eq!(*target, "ends-soon"),
            other @ (About::PassUnderAnotherPolicy { .. }
            | About::PassAtAnotherAddress { .. }
            | About::Exchanged { .. }
            | About::Departed { .. }) => {
                panic!("{other:?}")
            }
        }
    }
    for target in ["healthy", "flapping"] {
        assert!(!sent.iter().any(|sent| sent.target == target), "{target}");
    }
    for channel in CHANNELS {
        let silent = sent
            .iter()
            .filter(|sent| sent.channel == channel && sent.target == "silent-two-of-three");
        assert_eq!(silent.count(), 2, "{channel}: told once, and its end");
        let alerts = [
            "silent-two-of-three",
            "pccs-down",
            "while-the-webhook-is-down",
            "fails-into-the-outage",
        ];
        for target in alerts {
            let events: Vec<AlertEvent> = sent
                .iter()
                .filter(|sent| sent.channel == channel && sent.target == target)
                .map(|sent| sent.due.event)
                .collect();
            assert!(
                matches!(
                    events.first(),
                    Some(AlertEvent::Failed | AlertEvent::Inconclusive)
                ),
                "{channel} {target}"
            );
            assert_eq!(events.last(), Some(&AlertEvent::Recovered), "{channel} {target}");
        }
    }
}
