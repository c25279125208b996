use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::render::hostile::{hostile, is_dangerous, report_saying};
use crate::render::samples;
use cvm_verify_core::report::{AlertRecord, Mode, TrustRootKind};

const HOSTILE: &str =
    "x\r\n::error::PASS | PASS | </details> <img src=//x> ![](http://x.example) @org/team #1 \u{2705}";

fn shown(mode: Mode, targets: Vec<TargetReport>) -> String {
    summary(&samples::report(mode, targets))
}

fn live(target: TargetReport) -> String {
    shown(Mode::Live, vec![target])
}

fn simulated() -> TargetReport {
    let mut target = samples::pass();
    target.trust_root = TrustRootKind::Custom;
    target
}

fn named(name: &str, mut target: TargetReport) -> TargetReport {
    target.name = name.to_owned();
    target
}

#[test]
fn a_pass() {
    assert_snapshot!(live(samples::pass()));
}

#[test]
fn a_fail() {
    assert_snapshot!(live(samples::fail()));
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
fn a_simulated_replay() {
    assert_snapshot!(shown(Mode::Replay, vec![simulated()]));
}

#[test]
fn several_targets_the_worst_first() {
    let targets = vec![
        samples::pass_with_waiver(),
        samples::unreachable(),
        named("worker.example.com", samples::fail()),
        simulated(),
    ];
    assert_snapshot!(shown(Mode::Live, targets));
}

#[test]
fn hostile_strings() {
    assert_snapshot!(live(report_saying(HOSTILE)));
}

#[test]
fn no_target_is_no_pass() {
    assert!(shown(Mode::Live, Vec::new()).starts_with("### \u{2753} INCONCLUSIVE: nothing was verified\n"));
}

#[test]
fn cause_and_next_step_are_the_first_two_lines() {
    for target in [
        samples::fail(),
        samples::no_expectation(),
        samples::unreachable(),
        samples::replayed_quote(),
    ] {
        let cause = markdown(&words::detail(&target, super::super::cause::causes(&target)[0]));
        for targets in [vec![target.clone()], vec![samples::pass(), target]] {
            let shown = shown(Mode::Live, targets);
            let mut lines = shown.lines().filter(|line| !line.is_empty());
            let first = lines.next().unwrap();
            assert!(first.contains(&cause), "{first}");
            let second = lines.next().unwrap();
            assert!(second.starts_with("**What to do:** "), "{second}");
        }
    }
}

#[test]
fn only_a_whole_pass_has_the_mark_of_a_pass() {
    for (target, first) in [
        (samples::pass(), "### \u{2705} PASS (code): "),
        (
            samples::pass_with_waiver(),
            "### \u{26a0}\u{fe0f} PASS (code; waived: os-image; ",
        ),
        (simulated(), "**SIMULATED: "),
        (samples::fail(), "### \u{274c} FAIL: "),
        (samples::unreachable(), "### \u{2753} INCONCLUSIVE ("),
    ] {
        let shown = live(target);
        assert!(shown.starts_with(first), "{shown}");
    }
    assert!(live(simulated()).contains("### \u{26a0}\u{fe0f} PASS (code): the checks pass against a root"));
}

#[test]
fn only_a_pass_under_intels_root_is_said_to_prove_anything() {
    assert!(!live(simulated()).contains("<sub>Proves:"));
    assert!(!live(samples::unreachable()).contains("<sub>Proves:"));
    let failed = live(samples::fail());
    let row = failed
        .lines()
        .find(|line| line.contains("**compose-hash** |"))
        .unwrap();
    assert!(row.contains("<sub>A pass would prove: "), "{row}");
}

#[test]
fn an_alert_that_was_not_delivered_is_told_and_a_skipped_one_is_no_warning() {
    let mut report = samples::report(Mode::Live, vec![samples::pass()]);
    let alert = |delivered| AlertRecord {
        channel: "slack".to_owned(),
        event: "recovered".to_owned(),
        delivered,
        detail: "HTTP 500 @here".to_owned(),
    };
    report.alerts = vec![alert(true), alert(false)];
    let shown = summary(&report);
    let line = "\u{26a0}\u{fe0f} **alert NOT delivered:** slack, event recovered: HTTP 500 @<wbr>here\n";
    assert_eq!(shown.matches("alert").count(), 1);
    assert!(shown.contains(line), "{shown}");
    report.alerts[1].detail = crate::alert::NO_SECRET.to_owned();
    assert!(summary(&report).contains("\u{2796} **alert skipped:** slack, event recovered: no secret\n"));
    assert_eq!(
        crate::render::annotations(&report, |_| None),
        "::notice title=alert skipped::slack, event recovered: no secret\n"
    );
}

#[test]
fn whole_targets_are_cut_and_all_verdicts_stay() {
    let lie = "\u{1b}".repeat(300);
    let many = |count| (0..count).map(|i| named(&format!("t{i}.example.com"), told_by_in(&lie, i)));
    let report = samples::report(Mode::Live, many(400).collect());
    let shown = summary(&report);
    assert!(shown.len() <= LIMIT && shown.len() > LIMIT / 2, "{}", shown.len());
    for target in &report.targets {
        assert!(
            shown.contains(&format!("| <b>{}</b>", target.name)),
            "{}",
            target.name
        );
    }
    // What was accepted is above the checks.
    let whole = ["| Check", "#### Accepted"]
        .map(|start| shown.matches(&format!("</summary>\n\n{start}")).count())
        .iter()
        .sum::<usize>();
    assert!(shown.contains(&format!("\n{} targets are not shown in detail: ", 400 - whole)));
    assert_eq!(
        shown.matches("<details").count(),
        shown.matches("</details>").count()
    );
}

/// A target full of lies whose name is its own; every second passes.
fn told_by_in(lie: &str, index: usize) -> TargetReport {
    if index.is_multiple_of(2) {
        report_saying(lie)
    } else {
        samples::pass()
    }
}

#[test]
fn thousands_of_targets_are_counted() {
    let lie = "\u{1b}".repeat(300);
    let targets = (0..5_000).map(|index| TargetReport {
        name: lie.clone(),
        ..told_by_in("x", index)
    });
    let shown = shown(Mode::Live, targets.collect());
    assert!(shown.len() <= LIMIT);
    assert!(shown.contains(" FAIL, 0 INCONCLUSIVE, 2500 PASS.\n"));
    assert!(shown.ends_with("</sub>\n"));
}

proptest! {
    #[test]
    fn nothing_of_a_stranger_acts(text in hostile(), replay in any::<bool>()) {
        let mode = if replay { Mode::Replay } else { Mode::Live };
        let calm = shown(mode, vec![report_saying("calm"), report_saying("calm")]);
        let shown = shown(mode, vec![report_saying(&text), report_saying(&text)]);
        for c in shown.chars() {
            prop_assert!(c == '\n' || c == '\u{fe0f}' || !is_dangerous(c), "{shown:?}");
        }
        prop_assert!(!shown.contains("##["), "{shown:?}");
        prop_assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{shown:?}");
        // GitLab carries out a line of a comment that begins with a slash, as the owner of the token.
        prop_assert!(!shown.lines().any(|line| line.trim_start().starts_with('/')), "{shown:?}");
        // Whatever it says, lines, rows, cells and elements are ours.
        prop_assert_eq!(shown.lines().count(), calm.lines().count());
        prop_assert_eq!(shown.matches('|').count(), calm.matches('|').count());
        prop_assert_eq!(shown.matches("<details").count(), calm.matches("<details").count());
        prop_assert_eq!(shown.matches("<img").count() + shown.matches("](").count(), 0);
        prop_assert_eq!(shown.matches('\u{2705}').count(), calm.matches('\u{2705}').count());
    }
}
