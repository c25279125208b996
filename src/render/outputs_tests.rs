use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::dotenv::dotenv;
use super::super::github_output::{Delimiter, github_output};
use super::*;
use crate::render::hostile::{hostile, report_saying};
use crate::render::samples;
use cvm_verify_core::report::Mode;

const PATHS: Paths = Paths {
    report_json: Some("out dir/report.json"),
    summary: Some("out/summary.md"),
    junit: None,
    evidence: Some("out/evidence"),
    statement: Some("out/statement.json"),
    predicate: Some("out/predicate.json"),
    statements: Some(r#"[{"name":"shop"}]"#),
};

fn of(targets: Vec<TargetReport>) -> Vec<Output> {
    outputs(&samples::report(Mode::Live, targets), &PATHS)
}

fn value(outputs: &[Output], name: &str) -> String {
    outputs
        .iter()
        .find(|output| output.name() == name)
        .unwrap()
        .value()
        .to_owned()
}

/// Reads `name<<DELIMITER` as the runner does (actions/runner, `FileCommandManager`).
fn read(text: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut lines = text.split('\n');
    while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
        let (name, delimiter) = line.split_once("<<").unwrap();
        let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
        pairs.push((name.to_owned(), value.join("\n")));
    }
    pairs
}

#[test]
fn the_outputs_of_a_fail() {
    assert_snapshot!(github_output(
        &of(vec![samples::fail()]),
        &Delimiter::new([0xab; 16])
    ));
}

#[test]
fn the_outputs_of_a_fail_for_gitlab() {
    assert_snapshot!(dotenv(&of(vec![samples::fail()])));
}

#[test]
fn several_targets_give_the_union_the_lowest_and_what_they_share() {
    let mut other = samples::replayed_quote();
    other.measurements.app_id = Some("0b".repeat(20).into());
    let outputs = of(vec![samples::pass(), samples::fail(), other]);
    assert_eq!(value(&outputs, "failed-checks"), "freshness,compose-hash");
    assert_eq!(value(&outputs, "assurance"), "none");
    assert_eq!(value(&outputs, "app-id"), "");
    assert_eq!(value(&outputs, "compose-hash"), samples::MEASURED);
    assert_eq!(value(&outputs, "tcb-status"), "UpToDate");
}

#[test]
fn no_target_is_inconclusive_and_knows_nothing() {
    let outputs = of(Vec::new());
    assert_eq!(value(&outputs, "verdict"), "inconclusive");
    assert_eq!(value(&outputs, "exit-code"), "3");
    assert_eq!(value(&outputs, "assurance"), "none");
    assert_eq!(value(&outputs, "app-id"), "");
}

#[test]
fn the_status_of_alerts_is_one_of_five_words() {
    let alert = |delivered| AlertRecord {
        channel: "slack".to_owned(),
        event: "failed".to_owned(),
        delivered,
        detail: String::new(),
    };
    let skipped = || AlertRecord {
        detail: crate::alert::NO_SECRET.to_owned(),
        ..alert(false)
    };
    let mut said = std::collections::BTreeSet::new();
    for (alerts, word) in [
        (vec![], "none"),
        (vec![alert(true)], "delivered"),
        (vec![alert(false)], "failed"),
        (vec![alert(true), alert(false)], "partial"),
        (vec![skipped()], "skipped"),
        (vec![alert(true), skipped()], "delivered"),
        (vec![alert(false), skipped()], "failed"),
    ] {
        let mut report = samples::report(Mode::Live, vec![samples::pass()]);
        report.alerts = alerts;
        assert_eq!(value(&outputs(&report, &PATHS), "alert-status"), word);
        said.insert(word);
    }
    assert_eq!(said, ALERT_STATUSES.into_iter().collect());
    let action = include_str!("../../action.yml");
    let described = action.split_once("\n  alert-status:").unwrap().1;
    let described = described.split_once("value:").unwrap().0;
    let words: Vec<&str> = described.split('`').skip(1).step_by(2).collect();
    assert_eq!(words, ALERT_STATUSES, "action.yml describes other words");
}

#[test]
fn a_value_that_holds_the_delimiter_is_left_empty() {
    let delimiter = Delimiter::new([7; 16]);
    let path = format!("cvm_verify_{}", "07".repeat(16));
    let paths = Paths {
        junit: Some(&path),
        ..PATHS
    };
    let report = samples::report(Mode::Live, vec![samples::pass()]);
    let pairs = read(&github_output(&outputs(&report, &paths), &delimiter));
    assert_eq!(pairs.len(), 19);
    assert!(pairs.contains(&("junit-path".to_owned(), String::new())));
}

#[test]
fn no_dotenv_name_is_a_variable_that_the_program_reads() {
    let text = dotenv(&of(vec![samples::pass()]));
    assert!(text.lines().count() <= 20);
    assert!(
        text.lines().all(|line| line.starts_with("CVM_VERIFY_RESULT_")),
        "{text}"
    );
}

proptest! {
    #[test]
    fn the_runner_reads_the_outputs_and_nothing_else(text in hostile(), random: [u8; 16]) {
        let paths = Paths {
            report_json: Some(&text),
            summary: Some(&text),
            junit: Some(&text),
            evidence: Some(&text),
            statement: Some(&text),
            predicate: Some(&text),
            statements: Some(&text),
        };
        let mut report = samples::report(Mode::Live, vec![report_saying(&text)]);
        report.tool.version.clone_from(&text);
        let outputs = outputs(&report, &paths);
        let file = github_output(&outputs, &Delimiter::new(random));
        let expected: Vec<(String, String)> =
            outputs.iter().map(|output| (output.name().to_owned(), output.value().to_owned())).collect();
        prop_assert_eq!(read(&file), expected);
        prop_assert_eq!(file.lines().count(), 3 * 19);
        for output in &outputs {
            prop_assert!(!output.value().chars().any(char::is_control));
            let is_path = output.name().ends_with("-path") || ["report-json", "statements"].contains(&output.name());
            let hash = output.value().strip_prefix("sha256:").filter(|_| output.name() == "subject-digest");
            let word = hash.unwrap_or(output.value());
            prop_assert!(is_path || word.chars().all(|c| c.is_ascii_alphanumeric() || "-.+,".contains(c)));
        }
        let env = dotenv(&outputs);
        prop_assert!(env.lines().count() <= 19 && !env.contains([' ', '$', '"', '\'', '`', '\\', '#']));
    }
}

/// A step that was copied from a test job, with the test's root, gates nothing.
#[test]
fn a_simulation_says_so_in_the_first_line() {
    let mut target = samples::pass();
    assert_eq!(value(&of(vec![target.clone()]), "simulated"), "");
    target.device_root = cvm_verify_core::report::DeviceRootKind::Custom;
    let outputs = of(vec![samples::pass(), target]);
    let text = dotenv(&outputs);
    assert!(
        text.starts_with("CVM_VERIFY_RESULT_SIMULATED=true\nCVM_VERIFY_RESULT_VERDICT=pass\n"),
        "{text}"
    );
    assert!(text.lines().count() <= 20, "GitLab takes no more");
    let github = github_output(&outputs, &Delimiter::new([0xab; 16]));
    assert_eq!(read(&github)[0], ("simulated".to_owned(), "true".to_owned()));
}
