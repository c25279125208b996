//! Every format of a report in which a stranger chose the texts.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::cell::LazyCell;

use cvm_verify::render::{
    Delimiter, Paths, TextStyle, annotations, dotenv, github_output, json, junit, outputs, summary, text,
};
use cvm_verify_core::report::{Mode, Report, Status, TargetReport, Tool, Verdict};
use cvm_verify_fuzz::deployment::Deployment;
use cvm_verify_fuzz::input::parts;
use cvm_verify_fuzz::printed::{assert_harmless, assert_no_command};

thread_local! {
    static HEALTHY: LazyCell<TargetReport> = LazyCell::new(|| Deployment::healthy().report());
}

fn json_problem(mut target: TargetReport, name: &str, told: &str) -> Report {
    let told = || told.to_owned();
    target.verdict = Verdict::Fail;
    target.name = name.to_owned();
    target.url = Some(told());
    for (index, check) in target.checks.iter_mut().enumerate() {
        check.status = [Status::Fail, Status::Error, Status::Warn, Status::Pass][index % 4];
        check.reason = (index % 4 < 3).then(told);
        check.detail = told();
        check.expected = Some(told());
        check.actual = Some(told());
        check.fix = Some(told());
    }
    let tcb = &mut *target.tcb;
    for value in [
        &mut target.measurements.app_id,
        &mut target.measurements.compose_hash,
        &mut target.measurements.os_image,
        &mut target.measurements.key_provider,
    ] {
        *value = Some(told().into());
    }
    for value in [
        &mut tcb.status,
        &mut tcb.collateral_source,
        &mut tcb.expires_at,
        &mut target.evidence.bundle,
    ] {
        *value = Some(told());
    }
    tcb.advisory_ids = vec![told()];
    let tool = Tool {
        name: "cvm-verify".to_owned(),
        version: String::new(),
        git: String::new(),
    };
    Report::new(
        tool,
        Mode::Live,
        "2026-10-01T12:00:00Z".to_owned(),
        1,
        vec![target],
    )
}

cvm_verify_fuzz::fuzz_target!(|data: &[u8]| {
    let [name, told] = parts(data).map(String::from_utf8_lossy);
    let report = json_problem(HEALTHY.with(|healthy| TargetReport::clone(healthy)), &name, &told);

    let style = TextStyle {
        color: false,
        ..TextStyle::default()
    };
    let printed = text(&report, style);
    assert_harmless(&printed);
    assert_no_command(&printed);

    let noted = annotations(&report, |file| Some(file.to_owned()));
    assert_harmless(&noted);
    for line in noted.lines() {
        let known = ["::error ", "::warning ", "::notice "];
        assert!(known.iter().any(|command| line.starts_with(command)), "{line:?}");
    }

    let page = summary(&report);
    // Our own warning sign asks for its coloured form; a stranger's is never written so.
    assert_harmless(&page.replace("\u{26a0}\u{fe0f}", ""));
    assert!(page.len() <= 1024 * 1024, "GitHub takes no more");

    let document = json(&report);
    assert_harmless(&document);
    let read: Report = serde_json::from_str(&document).expect("its own JSON");
    assert_eq!(read, report, "JSON loses nothing");

    assert_harmless(&junit(&report));

    let all = outputs(&report, &Paths::default());
    for output in &all {
        assert!(!output.value().chars().any(char::is_control), "{output:?}");
    }
    assert_eq!(
        github_output(&all, &Delimiter::new([7; 16])).lines().count(),
        3 * all.len()
    );
    for line in dotenv(&all).lines() {
        assert!(line.starts_with("CVM_VERIFY_RESULT_"), "{line:?}");
    }
});
