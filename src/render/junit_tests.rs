use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::render::hostile::{hostile, report_saying};
use crate::render::samples;
use cvm_verify_core::report::{CheckId, TrustRootKind};

fn shown(targets: Vec<TargetReport>) -> String {
    junit(&samples::report(Mode::Live, targets))
}

/// The start tags of an element, as they are written.
fn tags<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let open = format!("<{name} ");
    let of = |rest: &'a str| rest.split_once('>').map(|(tag, _)| tag);
    text.split(open.as_str()).skip(1).filter_map(of).collect()
}

/// A count in a start tag.
fn count(tag: &str, attribute: &str) -> usize {
    let (_, rest) = tag.split_once(&format!("{attribute}=\"")).unwrap();
    rest.split_once('"').unwrap().0.parse().unwrap()
}

/// Reads a document without comments, CDATA and doctypes; says what is wrong with it.
fn parse(text: &str) -> Result<(), String> {
    let body = text
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .ok_or("no declaration")?;
    let mut open: Vec<&str> = Vec::new();
    for piece in body.split('<').skip(1) {
        let (tag, content) = piece.split_once('>').ok_or(format!("unclosed tag {piece:?}"))?;
        if content.contains('>') || (open.is_empty() && !content.trim().is_empty()) {
            return Err(format!("stray text {content:?}"));
        }
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return Err(format!("</{name}> closes nothing"));
            }
            continue;
        }
        let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
        if tag.matches('"').count() % 2 == 1 || !name.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
            return Err(format!("odd tag {tag:?}"));
        }
        if !attributes.ends_with('/') {
            open.push(name);
        }
    }
    let entities = body.split('&').skip(1);
    let known = |rest: &str| {
        ["amp;", "lt;", "gt;", "quot;", "apos;"]
            .iter()
            .any(|name| rest.starts_with(name))
    };
    match entities.into_iter().find(|rest| !known(rest)) {
        Some(rest) => Err(format!("odd entity in {rest:?}")),
        None if open.is_empty() => Ok(()),
        None => Err(format!("unclosed {open:?}")),
    }
}

/// Whether a reader of this file alone would see red.
fn is_red(text: &str) -> bool {
    let all = tags(text, "testsuites");
    count(all[0], "failures") + count(all[0], "errors") > 0
}

#[test]
fn a_fail() {
    assert_snapshot!(shown(vec![samples::fail()]));
}

#[test]
fn several_targets() {
    let mut simulated = samples::pass();
    simulated.trust_root = TrustRootKind::Custom;
    assert_snapshot!(shown(vec![
        samples::pass_with_waiver(),
        samples::no_expectation(),
        simulated
    ]));
}

#[test]
fn what_follows_from_unreachable_evidence_is_an_error_too() {
    let target = samples::unreachable();
    let all = target.checks.len();
    let text = shown(vec![target]);
    assert_eq!(count(tags(&text, "testsuites")[0], "errors"), all);
}

#[test]
fn a_file_is_red_exactly_where_the_verdict_is_no_pass() {
    let mut undetermined = samples::no_expectation();
    samples::set(
        &mut undetermined,
        CheckId::ComposeHash,
        Status::Pass,
        "none",
        "Fine.",
    );
    let mut contradictory = undetermined.clone();
    contradictory.verdict = Verdict::Fail;
    let mut not_required = samples::pass();
    samples::set(
        &mut not_required,
        CheckId::InstanceId,
        Status::Error,
        "quote-not-proven",
        "Not determined.",
    );
    for target in [
        samples::pass(),
        samples::pass_with_waiver(),
        not_required,
        samples::fail(),
        samples::no_expectation(),
        samples::unreachable(),
        samples::replayed_quote(),
        undetermined,
        contradictory,
    ] {
        let is_pass = target.verdict == Verdict::Pass;
        let text = shown(vec![target]);
        assert_eq!(parse(&text), Ok(()));
        assert_eq!(is_red(&text), !is_pass, "{text}");
    }
    assert!(is_red(&shown(Vec::new())));
}

#[test]
fn a_requirement_that_is_not_met_is_an_error_and_a_mere_warning_is_not() {
    let mut target = samples::fail();
    samples::set(
        &mut target,
        CheckId::TcbStatus,
        Status::Warn,
        "advisory",
        "INTEL-SA-1 applies.",
    );
    let text = shown(vec![target]);
    let types: Vec<&str> = tags(&text, "error");
    assert_eq!(types.len(), 1, "{text}");
    assert!(types[0].contains("type=\"unpinned-image\""), "{text}");
    assert!(text.contains("<system-out>WARN: INTEL-SA-1 applies."), "{text}");
}

proptest! {
    #[test]
    fn hostile_text_stays_text(text in hostile()) {
        let calm = shown(vec![report_saying("calm")]);
        let shown = shown(vec![report_saying(&text)]);
        prop_assert_eq!(parse(&shown), Ok(()));
        prop_assert_eq!(shown.matches('<').count(), calm.matches('<').count());
        prop_assert_eq!(shown.lines().count(), calm.lines().count());
        prop_assert!(!shown.contains("]]>"));
        let (all, suite) = (tags(&shown, "testsuites"), tags(&shown, "testsuite"));
        for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            prop_assert_eq!(count(all[0], attribute), tags(&shown, element).len());
            prop_assert_eq!(count(suite[0], attribute), tags(&shown, element).len());
        }
    }
}
