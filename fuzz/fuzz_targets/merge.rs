//! Reports of other jobs of a run, which `merge` joins: what it reads does not contradict itself.
#![cfg_attr(feature = "libfuzzer", no_main)]

use cvm_verify::merge::read;
use cvm_verify::render::json;
use cvm_verify_core::report::{Report, Status, Verdict};
use cvm_verify_fuzz::printed::assert_harmless;

cvm_verify_fuzz::fuzz_target!(|file: &[u8]| {
    let report = match read("report.json", file) {
        Ok(report) => report,
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("report.json"), "{text:?}");
            assert_harmless(&text);
            return;
        }
    };
    for target in &report.targets {
        let fails = target.checks.iter().any(|check| check.status == Status::Fail);
        assert!(
            target.verdict != Verdict::Pass || !fails,
            "a target passes with a check that fails: {target:?}"
        );
        assert!(
            report.verdict != Verdict::Pass || target.verdict == Verdict::Pass,
            "a report passes with a target that does not: {target:?}"
        );
    }
    let again: Report = serde_json::from_str(&json(&report)).expect("its own JSON");
    assert_eq!(again, report, "JSON loses nothing");
    assert_eq!(read("report.json", json(&report).as_bytes()).ok(), Some(report));
});
