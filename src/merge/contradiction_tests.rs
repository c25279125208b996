use proptest::prelude::*;

use super::*;
use crate::merge::{MergeError, read};
use crate::render::samples;
use cvm_verify_core::checks::{ALL, Finding};
use cvm_verify_core::report::{
    Assurance, EvidenceRecord, RequiredAssurance, SideTiers, TcbRecord, Tool, rfc3339,
};

fn passing() -> TargetReport {
    TargetReport {
        name: "app".to_owned(),
        url: None,
        evaluated_at: rfc3339(0).into(),
        checks: ALL
            .iter()
            .map(|check| check.result(&Finding::pass(""), &cvm_verify_core::policy::Policy::default()))
            .collect(),
        measurements: Box::default(),
        tcb: TcbRecord {
            expires_at: Some(rfc3339(0)),
            ..TcbRecord::default()
        }
        .into(),
        evidence: EvidenceRecord::default(),
        ..samples::pass()
    }
}

fn set(target: &mut TargetReport, id: CheckId, status: Status, reason: &str) {
    let check = target
        .checks
        .iter_mut()
        .find(|check| check.id == id)
        .expect("a check");
    check.status = status;
    check.reason = (!reason.is_empty()).then(|| reason.to_owned());
}

/// A report whose outer verdict is right.
fn report(targets: Vec<TargetReport>) -> Report {
    let tool = Tool {
        name: "cvm-verify".to_owned(),
        version: "0".to_owned(),
        git: "0".to_owned(),
    };
    Report::new(tool, Mode::Live, rfc3339(0), 0, targets)
}

/// What the reader of files says.
fn refusal(report: &Report) -> Option<String> {
    let json = serde_json::to_vec(report).expect("JSON");
    match read("a.json", &json) {
        Ok(_) => None,
        Err(MergeError::Contradiction { what, .. }) => Some(what),
        Err(other) => Some(format!("refused for another cause: {other}")),
    }
}

#[track_caller]
fn assert_refused(target: TargetReport, says: &str) {
    let what = refusal(&report(vec![target])).expect("refused");
    assert!(what.starts_with(says), "{says:?}: {what}");
}

const NO_VERDICT: &str = "the verdict does not follow from the checks of the target \"app\"";
const NO_ASSURANCE: &str = "the assurance does not follow from the checks of the target \"app\"";

#[test]
fn a_report_that_follows_from_its_checks_is_read() {
    assert_eq!(refusal(&report(vec![passing()])), None);
}

#[test]
fn a_pass_is_refused_where_a_required_check_did_not_pass() {
    use CheckId::*;
    for (id, status, reason) in [
        (ComposeHash, Status::Skip, "no-expectation"),
        (OsImage, Status::Skip, "no-reference"),
        (OsImage, Status::Warn, "acpi-unverified"),
        (OsImage, Status::Warn, "register-mismatch"),
        (ImagePins, Status::Warn, "unpinned-image"),
        (EventLog, Status::Error, "quote-not-proven"),
        (BootOrder, Status::Error, "unsupported-generation"),
    ] {
        let mut target = passing();
        set(&mut target, id, status, reason);
        assert_refused(target.clone(), NO_ASSURANCE);
        target.assurance = Assurance::Hardware;
        assert_refused(target.clone(), NO_VERDICT);
        // Said as it is, it is a report; and `hardware` does not need the check.
        target.verdict = Verdict::Inconclusive;
        assert_eq!(refusal(&report(vec![target.clone()])), None, "{id}");
        target.required = RequiredAssurance::Hardware;
        target.verdict = Verdict::Pass;
        assert_eq!(refusal(&report(vec![target])), None, "{id}");
    }
    for (id, status, reason) in [
        (Evidence, Status::Error, "unreachable"),
        (Collateral, Status::Error, "expired"),
        (QuoteSignature, Status::Error, "not-verified"),
        (TcbStatus, Status::Error, "quote-not-proven"),
        (TcbStatus, Status::Warn, "not-up-to-date"),
        (TdAttributes, Status::Warn, "service-td"),
        (Freshness, Status::Skip, "no-nonce"),
    ] {
        for required in [RequiredAssurance::Hardware, RequiredAssurance::CODE] {
            let mut target = passing();
            target.required = required;
            set(&mut target, id, status, reason);
            assert_refused(target.clone(), NO_ASSURANCE);
            target.assurance = Assurance::None;
            assert_refused(target, NO_VERDICT);
        }
    }
}

#[test]
fn a_waiver_is_a_skip_that_the_user_asked_for() {
    let mut target = passing();
    set(&mut target, CheckId::OsImage, Status::Skip, "unchecked");
    target.assurance = Assurance::Hardware;
    let says = "the waivers do not follow from the checks";
    assert_refused(target.clone(), says);
    target.waived = vec![CheckId::OsImage];
    assert_eq!(refusal(&report(vec![target.clone()])), None);
    // A waiver in the list alone waives nothing.
    set(&mut target, CheckId::OsImage, Status::Skip, "no-reference");
    assert_refused(target.clone(), says);
    set(&mut target, CheckId::OsImage, Status::Pass, "");
    assert_refused(target, says);
}

#[test]
fn checks_that_were_cut_out_repeated_or_moved_are_missed() {
    let says = "a check is missing, repeated or out of place in the checks of the target \"app\"";
    for id in CheckId::ALL {
        let mut target = passing();
        target.checks.retain(|check| check.id != id);
        assert_refused(target, says);
    }
    let mut target = passing();
    target.checks.clear();
    assert_refused(target, says);
    // The first of two would hide the second.
    let mut target = passing();
    let mut second = target.checks[0].clone();
    second.status = Status::Fail;
    target.checks.push(second);
    assert_refused(target, says);
    let mut target = passing();
    target.checks.swap(0, 1);
    assert_refused(target, says);
}

#[test]
fn a_report_without_targets_is_refused_whatever_it_says() {
    for verdict in [Verdict::Pass, Verdict::Inconclusive, Verdict::Fail] {
        let mut report = report(Vec::new());
        report.verdict = verdict;
        report.exit_code = verdict.exit_code();
        assert_eq!(refusal(&report).as_deref(), Some("it holds no target"));
    }
}

#[test]
fn unknown_reasons_and_reasons_of_a_pass_are_refused() {
    for (status, reason, says) in [
        (
            Status::Pass,
            "no-nonce",
            "\"no-nonce\" is not a reason for pass of the check freshness",
        ),
        (
            Status::Skip,
            "",
            "\"none\" is not a reason for skip of the check freshness",
        ),
        (
            Status::Skip,
            "because",
            "\"because\" is not a reason for skip of the check freshness",
        ),
        // Another check's.
        (
            Status::Warn,
            "advisory",
            "\"advisory\" is not a reason for warn of the check freshness",
        ),
    ] {
        let mut target = passing();
        set(&mut target, CheckId::Freshness, status, reason);
        assert_refused(target, says);
    }
}

#[test]
fn an_error_of_a_check_that_the_user_configured_is_no_pass() {
    use CheckId::*;
    for (id, reason) in [
        (Kms, "no-host"),
        (Governance, "rpc"),
        (SourceProvenance, "unreachable"),
        (TlsBinding, "recorded"),
        (Gpu, "gpu-nras-unreachable"),
        (LaunchInputs, "no-compose-document"),
        (PhalaApi, "unreachable"),
    ] {
        let mut target = passing();
        set(&mut target, id, Status::Error, reason);
        // Nobody asked for it: the error informs, and worsens nothing.
        assert_eq!(refusal(&report(vec![target.clone()])), None, "{id}");
        target.configured = vec![id];
        assert_refused(target.clone(), NO_VERDICT);
        target.verdict = Verdict::Inconclusive;
        assert_eq!(refusal(&report(vec![target.clone()])), None, "{id}");
        target.configured.clear();
        assert_refused(target, NO_VERDICT);
    }
}

/// A report that does not say what was configured proves nothing of its errors.
#[test]
fn a_report_without_the_list_of_what_was_configured_is_refused() {
    let mut json = serde_json::to_value(report(vec![passing()])).expect("JSON");
    let target = json["targets"][0].as_object_mut().expect("a target");
    target.remove("configured");
    match read("a.json", json.to_string().as_bytes()) {
        Err(MergeError::NotAReport { problem, .. }) => assert!(problem.contains("configured"), "{problem}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_verdict_that_is_worse_than_its_checks_is_refused() {
    let mut target = passing();
    target.verdict = Verdict::Inconclusive;
    assert_refused(target.clone(), NO_VERDICT);
    target.verdict = Verdict::Fail;
    assert_refused(target, NO_VERDICT);
}

/// No check of this name grants that: the word in the report is not believed.
#[test]
fn a_tier_beside_code_follows_from_the_check_that_can_grant_it() {
    let mut target = passing();
    let endpoint = SideTiers::NONE.with(SideTier::Endpoint);
    target.assurance = Assurance::Code(endpoint);
    assert_refused(target.clone(), NO_ASSURANCE);
    let os_image = target
        .checks
        .iter_mut()
        .find(|check| check.id == CheckId::OsImage);
    os_image.expect("a check").grants = Some(SideTier::Endpoint);
    assert_eq!(
        refusal(&report(vec![target])).unwrap(),
        "\"endpoint\" is not a tier that the check os-image can grant with pass of the target \"app\""
    );
}

proptest! {
    /// Whatever the results are: what is read as a pass has every requirement met or waived, and nothing failed.
    #[test]
    fn no_report_is_read_as_a_pass_that_its_checks_do_not_give(
        edits in proptest::collection::vec((0..CheckId::ALL.len(), 0..5_usize, 0..12_usize), 0..4),
        required in prop_oneof![Just(RequiredAssurance::Hardware), Just(RequiredAssurance::CODE)],
        honest in any::<bool>(),
    ) {
        let mut target = passing();
        target.required = required;
        for (place, status, reason) in edits {
            let check = &mut target.checks[place];
            check.status = [Status::Pass, Status::Warn, Status::Fail, Status::Error, Status::Skip][status];
            let reasons = Check::of(check.id).reasons;
            check.reason = (check.status != Status::Pass).then(|| reasons[reason % reasons.len()].id.to_owned());
        }
        if honest {
            target.assurance = assurance(&target.checks, &target.accepted);
            target.waived = waived(&target.checks);
        }
        if refusal(&report(vec![target.clone()])).is_none() {
            for check in &target.checks {
                prop_assert_ne!(check.status, Status::Fail);
                let tier = cvm_verify_core::tiers::required_from(check.id);
                if tier.is_some_and(|tier| tier <= required.tier()) {
                    let fine = match check.status {
                        Status::Pass => true,
                        Status::Warn => !["acpi-unverified", "unpinned-image"].contains(&check.reason.as_deref().unwrap_or("")),
                        Status::Skip => target.waived.contains(&check.id),
                        Status::Fail | Status::Error => false,
                    };
                    prop_assert!(fine, "{:?}", check);
                }
            }
        }
    }
}
