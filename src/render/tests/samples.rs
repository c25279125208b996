//! Reports for the tests of renderers and alerts: plain data, in the checks' own words.
//!
//! They hold five checks, and those that a test sets: a new check changes no sample and no snapshot of one.

use crate::render::words::reason_of;
use cvm_verify_core::checks::{Check, Reason};
use cvm_verify_core::report::{
    Accepted, AcceptedKind, Assurance, CheckId, CheckResult, EvidenceRecord, Measurements, Mode, Report,
    RequiredAssurance, ResultFields, Status, TargetReport, TcbRecord, Tool, TrustRootKind, Verdict,
};

/// A compose hash.
pub(crate) const MEASURED: &str = "3f9a0c5e8f6d1b2a4c7e9d0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";
/// Another one.
pub(crate) const EXPECTED: &str = "91c2d4e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f70819200";

/// The checks of every sample, in the order of reports.
const CHECKS: [CheckId; 5] = [
    CheckId::Evidence,
    CheckId::QuoteSignature,
    CheckId::ComposeHash,
    CheckId::AppId,
    CheckId::OsImage,
];

/// A report of targets, made at a fixed time.
pub(crate) fn report(mode: Mode, targets: Vec<TargetReport>) -> Report {
    let tool = Tool {
        name: "cvm-verify".to_owned(),
        version: "0.1.0".to_owned(),
        git: "0123abc".to_owned(),
    };
    Report::new(tool, mode, "2026-08-13T12:00:00Z".to_owned(), 1_234, targets)
}

/// Everything passes, apart from two ids that nobody expected.
pub(crate) fn pass() -> TargetReport {
    let mut target = TargetReport {
        name: "api.example.com".to_owned(),
        url: Some("https://api.example.com/".to_owned()),
        verdict: Verdict::Pass,
        required: RequiredAssurance::CODE,
        assurance: Assurance::CODE,
        waived: Vec::new(),
        configured: Vec::new(),
        accepted: Vec::new(),
        second_release_until: None,
        earlier_attempts: None,
        tls_route: None,
        trust_root: TrustRootKind::Intel,
        device_root: cvm_verify_core::report::DeviceRootKind::Nvidia,
        evaluated_at: "2026-08-13T12:00:00Z".into(),
        checks: CHECKS.map(passed).into(),
        compose_diff: Vec::new(),
        instances: None,
        sources: Vec::new(),
        measurements: measurements().into(),
        tcb: TcbRecord {
            status: Some("UpToDate".to_owned()),
            advisory_ids: Vec::new(),
            eval_data_number: Some(17),
            fmspc: Some("b0c06f000000".to_owned()),
            platform_id: Some("cd".repeat(32)),
            expires_at: Some("2026-09-09T08:00:00Z".to_owned()),
            collateral_fetched_at: None,
            collateral_source: Some("Intel PCS".to_owned()),
        }
        .into(),
        evidence: EvidenceRecord {
            signed_sha256: Some("ab".repeat(32)),
            bundle: Some("cvm-verify/api.example.com.json".to_owned()),
            reference_values_sha256: None,
        },
    };
    set(
        &mut target,
        CheckId::AppId,
        Status::Skip,
        "no-expectation",
        "No app id is expected.",
    );
    check_mut(&mut target, CheckId::AppId).actual = Some("0a".repeat(20));
    target
}

/// The OS image is waived in writing.
pub(crate) fn pass_with_waiver() -> TargetReport {
    let mut target = pass();
    target.assurance = Assurance::Hardware;
    target.waived = vec![CheckId::OsImage];
    target.measurements.os_image = None;
    let words = "Waived: any operating system could have recorded this event log.";
    set(&mut target, CheckId::OsImage, Status::Skip, "unchecked", words);
    target
}

/// A lock accepts a development image.
pub(crate) fn pass_with_acceptance() -> TargetReport {
    let mut target = pass();
    target.assurance = Assurance::Hardware;
    target.measurements.os_image = Some("dstack-dev-0.5.8".into());
    let words =
        "MRTD and RTMR0–2 are those of cvm.lock (dstack-dev-0.5.8), which accepts a development image.";
    set(
        &mut target,
        CheckId::OsImage,
        Status::Warn,
        "development-image",
        words,
    );
    accept(
        &mut target,
        CheckId::OsImage,
        AcceptedKind::DevelopmentImage,
        "cvm.lock",
    );
    target
}

/// Adds something that was accepted in writing.
pub(crate) fn accept(target: &mut TargetReport, check: CheckId, what: AcceptedKind, by: &str) {
    check_mut(target, check);
    target.accepted.push(Accepted {
        check,
        what,
        by: by.to_owned(),
        until: None,
        reason: "dstack-dev-0.5.8 allows root login and has a serial console.".to_owned(),
    });
}

/// Another compose document runs.
pub(crate) fn fail() -> TargetReport {
    let mut target = pass();
    target.verdict = Verdict::Fail;
    target.assurance = Assurance::Hardware;
    let words = "The VM runs another compose document than the one expected by cvm.lock.";
    set(
        &mut target,
        CheckId::ComposeHash,
        Status::Fail,
        "compose-hash-mismatch",
        words,
    );
    compare(&mut target, CheckId::ComposeHash, EXPECTED, MEASURED);
    let words = "Not pinned: web uses nginx:latest. This does not meet `code`.";
    set(
        &mut target,
        CheckId::ImagePins,
        Status::Warn,
        "unpinned-image",
        words,
    );
    target
}

/// Nobody said which code is expected.
pub(crate) fn no_expectation() -> TargetReport {
    let mut target = pass();
    target.verdict = Verdict::Inconclusive;
    target.assurance = Assurance::Hardware;
    let words =
        format!("No compose hash is expected. To expect this one, write down: --compose-hash {MEASURED}");
    set(
        &mut target,
        CheckId::ComposeHash,
        Status::Skip,
        "no-expectation",
        &words,
    );
    check_mut(&mut target, CheckId::ComposeHash).actual = Some(MEASURED.to_owned());
    target
}

/// Nothing answered.
pub(crate) fn unreachable() -> TargetReport {
    let mut target = pass();
    target.verdict = Verdict::Inconclusive;
    target.assurance = Assurance::None;
    target.measurements = Box::default();
    target.tcb = TcbRecord::default().into();
    target.evidence = EvidenceRecord::default();
    for id in CHECKS {
        let words = "Not determined: there is no evidence.";
        set(&mut target, id, Status::Error, "quote-not-proven", words);
    }
    let words = "GET https://api.example.com/attestation: connection refused.";
    set(
        &mut target,
        CheckId::Evidence,
        Status::Error,
        "unreachable",
        words,
    );
    target
}

/// A quote whose report data holds another nonce, with registers in full.
pub(crate) fn replayed_quote() -> TargetReport {
    let mut target = pass();
    target.verdict = Verdict::Fail;
    target.assurance = Assurance::None;
    let words = "The signed report data does not contain the nonce that was sent.";
    set(
        &mut target,
        CheckId::Freshness,
        Status::Fail,
        "nonce-mismatch",
        words,
    );
    let expected = format!("{}{} (raw)", "5c".repeat(32), "00".repeat(32));
    compare(&mut target, CheckId::Freshness, &expected, &"e7".repeat(64));
    target
}

/// One result of a target. A check that the sample does not hold is added where it belongs, passed.
pub(crate) fn check_mut(target: &mut TargetReport, id: CheckId) -> &mut CheckResult {
    let checks = &mut target.checks;
    let at = checks
        .iter()
        .position(|check| check.id >= id)
        .unwrap_or(checks.len());
    if checks.get(at).is_none_or(|check| check.id != id) {
        checks.insert(at, passed(id));
    }
    &mut checks[at]
}

/// Gives a check another outcome, with the fix that belongs to the reason.
pub(crate) fn set(target: &mut TargetReport, id: CheckId, status: Status, reason: &str, detail: &str) {
    let check = check_mut(target, id);
    check.status = status;
    check.reason = (status != Status::Pass).then(|| reason.to_owned());
    check.detail = detail.to_owned();
    check.expected = None;
    check.actual = None;
    check.fix = None;
    let fix = |reason: &Reason| (!reason.fix.is_empty()).then(|| reason.fix.to_owned());
    check.fix = reason_of(check).and_then(fix);
}

/// What a check expected and found.
pub(crate) fn compare(target: &mut TargetReport, id: CheckId, expected: &str, actual: &str) {
    let check = check_mut(target, id);
    check.expected = Some(expected.to_owned());
    check.actual = Some(actual.to_owned());
}

fn measurements() -> Measurements {
    let register = |byte: &str| Some(byte.repeat(48).into());
    Measurements {
        mrtd: register("f0"),
        rtmr0: register("a0"),
        rtmr1: register("a1"),
        rtmr2: register("a2"),
        rtmr3: register("a3"),
        report_data: Some("5c".repeat(64).into()),
        td_attributes: Some("0000001000000000".into()),
        xfam: Some("e702060000000000".into()),
        mr_config_id: register("00"),
        mr_seam: register("5e"),
        compose_hash: Some(MEASURED.into()),
        app_id: Some("0a".repeat(20).into()),
        instance_id: Some("1d".repeat(20).into()),
        key_provider: Some(format!("kms:30593013{}0a5e8b1c", "06072a8648ce3d02".repeat(5)).into()),
        os_image: Some("dstack-0.5.5".into()),
    }
}

/// A passing result, in words like the check's.
fn passed(id: CheckId) -> CheckResult {
    let check = Check::of(id);
    CheckResult::from(ResultFields {
        id,
        status: Status::Pass,
        reason: None,
        title: check.title.into(),
        proves: check.proves.into(),
        prevents: check.prevents.into(),
        detail: found(id).to_owned(),
        expected: None,
        location: None,
        actual: None,
        fix: None,
        grants: None,
    })
}

/// What the checks of every sample say when they pass.
const fn found(id: CheckId) -> &'static str {
    match id {
        CheckId::Evidence => "The evidence is well formed.",
        CheckId::QuoteSignature => "The quote is signed by genuine Intel TDX hardware.",
        CheckId::ComposeHash => "The compose hash is the one expected by cvm.lock.",
        CheckId::AppId => "The app id is the one expected by cvm.lock.",
        CheckId::OsImage => "MRTD and RTMR0–2 are those of cvm.lock (dstack-0.5.5).",
        _ => "As expected.",
    }
}
