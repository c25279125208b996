use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::render::hostile::{hostile, is_dangerous, report_saying};
use crate::render::samples;
use cvm_verify_core::report::{AlertRecord, CheckId, Location, Mode, Report, TrustRootKind};

/// No file is in the repository.
fn outside(_: &str) -> Option<String> {
    None
}

fn shown(targets: Vec<TargetReport>) -> String {
    annotations(&samples::report(Mode::Live, targets), outside)
}

#[test]
fn a_clean_pass_says_nothing() {
    assert_eq!(shown(vec![samples::pass(), samples::pass()]), "");
}

#[test]
fn fails_come_first_then_what_could_not_be_determined() {
    assert_snapshot!(shown(vec![
        samples::pass_with_waiver(),
        samples::unreachable(),
        samples::no_expectation(),
        samples::fail(),
    ]));
}

#[test]
fn an_error_beside_a_fail_is_a_warning() {
    let mut target = samples::fail();
    samples::set(
        &mut target,
        CheckId::Evidence,
        Status::Error,
        "two-instances",
        "Two.",
    );
    let shown = shown(vec![target]);
    assert!(
        shown.starts_with("::error title=FAIL api.example.com%3A compose-hash::"),
        "{shown}"
    );
    assert!(
        shown.contains("\n::warning title=FAIL api.example.com%3A evidence::Two."),
        "{shown}"
    );
    assert_eq!(shown.lines().count(), 2);
}

#[test]
fn a_simulated_pass_and_an_undelivered_alert_are_warnings() {
    let mut target = samples::pass();
    target.trust_root = TrustRootKind::Custom;
    let mut report = samples::report(Mode::Live, vec![target]);
    report.alerts = vec![AlertRecord {
        channel: "slack".to_owned(),
        event: "recovered".to_owned(),
        delivered: false,
        detail: "HTTP 500".to_owned(),
    }];
    assert_snapshot!(annotations(&report, outside));
}

/// Different times or answers are not alike.
fn undelivered(count: u32) -> Report {
    let mut report = samples::report(Mode::Live, vec![samples::pass()]);
    let alert = |second| AlertRecord::new("slack", "failed", false, format!("a: no answer in {second} s"));
    report.alerts = (0..count).map(alert).collect();
    report
}

#[test]
fn alerts_that_are_left_out_are_counted() {
    let shown = alert_annotations(&undelivered(11));
    assert_eq!(shown.lines().count(), 10);
    assert!(shown.ends_with("::And 2 more: see the report.\n"), "{shown}");
    assert!(!alert_annotations(&undelivered(10)).contains(" more: "));
    let summary = crate::render::summary(&undelivered(80));
    assert!(summary.contains("\n\nAnd 30 more of them.\n\n"), "{summary}");
    assert!(!crate::render::summary(&undelivered(50)).contains("more of them."));
}

#[test]
fn a_fail_is_shown_at_the_line_that_holds_the_expectation() {
    let mut target = samples::fail();
    let check = samples::check_mut(&mut target, CheckId::ComposeHash);
    check.location = Some(Location {
        file: "deploy/cvm.lock".to_owned(),
        line: 7,
        key: "compose_hash".to_owned(),
    });
    let report = samples::report(Mode::Live, vec![target]);
    let inside = |file: &str| Some(format!("a,b:{file}"));
    let shown = annotations(&report, inside);
    assert!(
        shown.starts_with(
            "::error file=a%2Cb%3Adeploy/cvm.lock,line=7,title=FAIL api.example.com%3A compose-hash::"
        ),
        "{shown}"
    );
    assert!(
        annotations(&report, outside).starts_with("::error title=FAIL"),
        "{shown}"
    );
}

#[test]
fn a_warning_of_a_passing_target_is_a_notice() {
    let mut target = samples::pass();
    samples::set(
        &mut target,
        CheckId::Collateral,
        Status::Warn,
        "ends-soon",
        "It ends soon.",
    );
    let shown = shown(vec![target]);
    assert!(
        shown.starts_with("::notice title=PASS api.example.com%3A collateral::It ends soon."),
        "{shown}"
    );
    assert_eq!(shown.lines().count(), 1);
}

#[test]
fn there_are_ten_at_most_and_the_last_counts_the_others() {
    let target = |number: u32| {
        let mut target = samples::unreachable();
        let detail = format!("Status {number}.");
        samples::set(
            &mut target,
            CheckId::Evidence,
            Status::Error,
            "unreachable",
            &detail,
        );
        target
    };
    let shown = shown((501..513).map(target).collect());
    assert_eq!(shown.lines().count(), 10);
    assert!(
        shown.ends_with("::warning title=cvm-verify::And 3 more: see the job summary.\n"),
        "{shown}"
    );
}

/// A release that some instances of a fleet do not run yet must not hide that another target runs on an old host.
#[test]
fn targets_that_are_alike_share_an_annotation_and_each_other_one_comes_before_further_causes() {
    let fail = |name: &str, id, reason| {
        let mut target = samples::fail();
        target.name = name.to_owned();
        samples::set(&mut target, id, Status::Fail, reason, "Another one.");
        target
    };
    let alike = (0..20).map(|number| fail(&format!("eu-{number}"), CheckId::AppId, "app-id-mismatch"));
    let other = fail("us", CheckId::KeyProvider, "key-provider-mismatch");
    let shown = shown(alike.chain([other]).collect());
    let titles: Vec<&str> = shown
        .lines()
        .map(|line| line.split_once("title=").unwrap().1.split("::").next().unwrap())
        .collect();
    let expected = [
        "FAIL eu-0 and 19 more%3A compose-hash",
        "FAIL us%3A compose-hash",
        "FAIL eu-0 and 19 more%3A app-id",
        "FAIL us%3A key-provider",
    ];
    assert_eq!(titles, expected, "{shown}");
}

#[test]
fn what_is_not_a_pass_is_never_silent() {
    let mut target = samples::unreachable();
    samples::set(&mut target, CheckId::Evidence, Status::Pass, "none", "Fine.");
    assert!(shown(vec![target]).contains(words::UNDETERMINED));
    assert_eq!(
        shown(Vec::new()),
        "::warning title=INCONCLUSIVE::INCONCLUSIVE: nothing was verified\n"
    );
}

proptest! {
    #[test]
    fn every_line_is_a_command_of_ours(text in hostile()) {
        let mut lied = report_saying(&text);
        lied.verdict = Verdict::Pass;
        lied.trust_root = TrustRootKind::Custom;
        let report = samples::report(Mode::Live, vec![report_saying(&text), lied]);
        let shown = annotations(&report, |file| Some(file.to_owned()));
        let all: Vec<&str> = shown.lines().collect();
        prop_assert!((2..=10).contains(&all.len()), "{shown:?}");
        for line in all {
            let rest = ["::error ", "::warning ", "::notice "]
                .iter()
                .find_map(|command| line.strip_prefix(command));
            let properties = rest.and_then(|rest| rest.split_once("::")).map(|(properties, _)| properties);
            let names: Vec<Option<&str>> = properties
                .unwrap_or_default()
                .split(',')
                .map(|property| property.split_once('=').map(|(name, _)| name))
                .collect();
            let known = [vec![Some("title")], vec![Some("file"), Some("line"), Some("title")]];
            prop_assert!(known.contains(&names), "{line:?}");
            prop_assert!(!properties.unwrap_or_default().contains(':'), "{line:?}");
            prop_assert!(!line.chars().any(is_dangerous), "{line:?}");
            prop_assert!(!line.contains("##["), "{line:?}");
        }
    }
}
