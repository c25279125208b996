use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::render::hostile::report_saying;
use crate::render::samples;
use cvm_verify_core::report::{AlertRecord, CheckId, Status, TrustRootKind};

const HOSTILE: &str = "x\r\n::error::PASS \u{1b}[2J\u{202e}##[error]\u{200b} ::add-mask::y";

fn shown(mode: Mode, targets: Vec<TargetReport>) -> String {
    text(&samples::report(mode, targets), TextStyle::default())
}

fn live(target: TargetReport) -> String {
    shown(Mode::Live, vec![target])
}

fn simulated() -> TargetReport {
    let mut target = samples::pass();
    target.trust_root = TrustRootKind::Custom;
    target
}

#[test]
fn a_pass() {
    assert_snapshot!(live(samples::pass()));
}

#[test]
fn a_pass_with_a_waiver() {
    assert_snapshot!(live(samples::pass_with_waiver()));
}

#[test]
fn a_fail() {
    assert_snapshot!(live(samples::fail()));
}

#[test]
fn a_fail_with_long_values() {
    assert_snapshot!(live(samples::replayed_quote()));
}

#[test]
fn a_missing_expectation() {
    assert_snapshot!(live(samples::no_expectation()));
}

#[test]
fn unreachable_evidence() {
    assert_snapshot!(live(samples::unreachable()));
}

#[test]
fn a_simulated_root() {
    assert_snapshot!(live(simulated()));
}

#[test]
fn a_replay() {
    assert_snapshot!(shown(Mode::Replay, vec![samples::pass()]));
}

#[test]
fn several_targets() {
    let mut second = samples::fail();
    second.name = "worker.example.com".to_owned();
    assert_snapshot!(shown(
        Mode::Live,
        vec![samples::pass(), second, samples::unreachable()]
    ));
}

#[test]
fn many_targets_with_one_cause_say_it_once_and_each_is_named() {
    let targets = (1..=9).map(|number| {
        let mut target = samples::fail();
        target.name = format!("replica-{number}.example.com");
        target
    });
    let said = shown(Mode::Live, targets.collect());
    assert_eq!(said.matches("What to do").count(), 1, "{said}");
    let more = "8 more targets have the same results as replica-1.example.com.";
    assert!(said.contains(more), "{said}");
    for number in 1..=9 {
        let line = format!("\nFAIL  replica-{number}.example.com\n");
        assert!(said.contains(&line), "{line}{said}");
    }
    assert!(said.lines().count() < 60, "{said}");
}

/// What each target that passes warns of is said once, with its advice; nobody else would say that an acceptance ends.
#[test]
fn several_passes_say_once_what_they_warn_of() {
    let targets = (1..=12).map(|number| {
        let mut target = samples::pass();
        target.name = format!("replica-{number}.example.com");
        let check = target
            .checks
            .iter_mut()
            .find(|check| check.status == Status::Pass)
            .unwrap();
        check.status = Status::Warn;
        check.detail = "The acceptance ends in 6 days.".into();
        check.fix = Some("Renew it.".to_owned());
        target
    });
    let report = samples::report(Mode::Live, targets.collect());
    let said = text(&report, TextStyle::default());
    assert_eq!(
        said.matches("The acceptance ends in 6 days.").count(),
        1,
        "{said}"
    );
    assert_eq!(said.matches("Renew it.").count(), 1, "{said}");
    assert!(said.contains("(replica-1.example.com and 11 more): "), "{said}");
    let quiet = TextStyle {
        quiet: true,
        ..TextStyle::default()
    };
    assert!(!text(&report, quiet).contains("Renew it."));
}

#[test]
fn hostile_strings() {
    assert_snapshot!(live(report_saying(HOSTILE)));
}

#[test]
fn a_narrow_page() {
    let style = TextStyle {
        width: 60,
        ..TextStyle::default()
    };
    assert_snapshot!(text(&samples::report(Mode::Live, vec![samples::fail()]), style));
}

#[test]
fn quiet_says_verdict_and_what_to_do() {
    let style = TextStyle {
        quiet: true,
        ..TextStyle::default()
    };
    let targets = vec![
        samples::pass_with_waiver(),
        samples::fail(),
        samples::no_expectation(),
    ];
    assert_snapshot!(text(&samples::report(Mode::Live, targets), style));
}

#[test]
fn alerts_that_were_not_delivered_are_told() {
    let mut report = samples::report(Mode::Live, vec![samples::pass()]);
    report.alerts = vec![AlertRecord {
        channel: "slack".to_owned(),
        event: "recovered".to_owned(),
        delivered: false,
        detail: HOSTILE.to_owned(),
    }];
    let shown = text(&report, TextStyle::default());
    assert!(
        shown.contains("\n\n  alert NOT delivered: slack, event recovered: x\\r\\n::error::"),
        "{shown}"
    );
}

#[test]
fn no_target_is_no_pass() {
    assert_eq!(
        shown(Mode::Live, Vec::new()),
        "INCONCLUSIVE: nothing was verified\n"
    );
}

#[test]
fn one_simulated_target_among_others_shows_in_the_first_line() {
    let shown = shown(Mode::Live, vec![samples::pass(), simulated()]);
    let first = "SIMULATED: not Intel's root, proves nothing about hardware (1 of 2 targets)\n";
    assert!(shown.starts_with(first), "{shown}");
    assert!(
        shown.contains(&format!(
            "\nPASS (code)  api.example.com\n  {}\n",
            banner::SIMULATED
        )),
        "{shown}"
    );
}

#[test]
fn a_simulated_replay_says_both_and_claims_nothing_genuine() {
    let shown = shown(Mode::Replay, vec![simulated()]);
    let first = format!(
        "{}\nREPLAY as of 2026-08-13T12:00:00Z\nPASS (code)",
        banner::SIMULATED
    );
    assert!(shown.starts_with(&first), "{shown}");
    assert!(!shown.contains("genuine"), "{shown}");
}

#[test]
fn colour_changes_no_word() {
    for target in [
        samples::pass(),
        samples::fail(),
        samples::unreachable(),
        report_saying(HOSTILE),
    ] {
        let report = samples::report(Mode::Live, vec![target]);
        let plain = text(&report, TextStyle::default());
        let colored = text(
            &report,
            TextStyle {
                color: true,
                ..TextStyle::default()
            },
        );
        assert_ne!(plain, colored);
        let mut stripped = colored;
        for sgr in ["0", "1", "2", "1;31", "1;32", "1;33"] {
            stripped = stripped.replace(&format!("\u{1b}[{sgr}m"), "");
        }
        let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
        assert_eq!(trimmed(&stripped), trimmed(&plain));
    }
}

#[test]
fn only_a_whole_pass_is_green() {
    let color = TextStyle {
        color: true,
        ..TextStyle::default()
    };
    for (target, start) in [
        (samples::pass(), "\u{1b}[1;32mPASS"),
        (samples::pass_with_waiver(), "\u{1b}[1;33mPASS"),
        (simulated(), "\u{1b}[1;33mSIMULATED"),
        (samples::fail(), "\u{1b}[1;31mFAIL"),
        (samples::unreachable(), "\u{1b}[1;33mINCONCLUSIVE"),
    ] {
        let shown = text(&samples::report(Mode::Live, vec![target]), color);
        assert!(shown.starts_with(start), "{shown:?}");
    }
}

#[test]
fn a_report_with_nothing_but_consequences_still_has_a_sentence() {
    let mut target = samples::unreachable();
    samples::set(&mut target, CheckId::Evidence, Status::Pass, "none", "Fine.");
    let shown = live(target);
    assert!(
        shown.contains("could not be determined: see the checks"),
        "{shown}"
    );
}

proptest! {
    #[test]
    fn no_line_acts_on_a_runner(
        hostile in "(::[a-z]{0,3}|##\\[|##vso\\[|[\t\r\n \u{1b}\u{9b}\u{202e}\u{feff}:#\\[]|[a-z]{1,9}|.){0,40}",
        width in 0_usize..140,
        quiet in any::<bool>(),
    ) {
        let report = samples::report(Mode::Replay, vec![report_saying(&hostile), report_saying(&hostile)]);
        let shown = text(&report, TextStyle { color: false, width, quiet });
        for line in shown.lines() {
            prop_assert!(!line.trim_start().starts_with("::"), "{:?}", line);
            prop_assert!(!line.contains("##[") && !line.contains("##vso["), "{:?}", line);
            prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
        }
        let verdicts = shown.lines().filter(|line| line.starts_with("PASS")).count();
        prop_assert_eq!(verdicts, 0, "{}", shown);
    }
}
