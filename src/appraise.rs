//! Runs the checks and decides verdict and assurance. Pure.

use crate::checks::{self, Check, EvidenceGap, Finding, QUOTE_NOT_PROVEN};
use crate::config::Policy;
use crate::prove::{Facts, TrustRoot};
use crate::report::{
    Assurance, CheckId, CheckResult, EvidenceRecord, Measurements, Status, TargetReport, TcbRecord, Tier,
    Verdict, rfc3339,
};

/// What must be met for the hardware tier (interface.md).
const HARDWARE: [CheckId; 6] = [
    CheckId::Evidence,
    CheckId::Collateral,
    CheckId::QuoteSignature,
    CheckId::TcbStatus,
    CheckId::TdAttributes,
    CheckId::Freshness,
];

/// What must be met for the code tier, beside [`HARDWARE`].
const CODE: [CheckId; 5] = [
    CheckId::EventLog,
    CheckId::BootOrder,
    CheckId::ComposeHash,
    CheckId::OsImage,
    CheckId::ImagePins,
];

/// The lowest tier that requires a check; every higher one does, too. Absent where none does.
#[must_use]
pub fn required_from(id: CheckId) -> Option<Tier> {
    if HARDWARE.contains(&id) {
        Some(Tier::Hardware)
    } else {
        CODE.contains(&id).then_some(Tier::Code)
    }
}

/// What is known of a target beside facts and policy: it only labels the result.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The user's name for it.
    pub name: String,
    /// The address.
    pub url: Option<String>,
    /// Whose root certificate the proof rests on.
    pub root: TrustRoot,
    /// The time that was judged at, Unix seconds.
    pub at: u64,
    /// Where the collateral came from.
    pub collateral_source: Option<String>,
    /// The evidence bundle's file.
    pub bundle: Option<String>,
}

/// Judges one deployment.
#[must_use]
pub fn appraise(facts: Result<&Facts, &EvidenceGap>, policy: &Policy, subject: &Subject) -> TargetReport {
    let findings: Vec<(&Check, Finding)> = checks::ALL
        .iter()
        .map(|check| (*check, run(check, facts, policy)))
        .collect();
    let waived = findings
        .iter()
        .filter(|(_, finding)| finding.waived)
        .map(|(check, _)| check.id)
        .collect();
    let facts = facts.ok();
    TargetReport {
        name: subject.name.clone(),
        url: subject.url.clone(),
        verdict: verdict(&findings, policy),
        required: policy.required,
        assurance: assurance(&findings),
        waived,
        trust_root: subject.root.kind(),
        evaluated_at: rfc3339(subject.at),
        checks: findings
            .iter()
            .map(|(check, finding)| result(check, finding))
            .collect(),
        compose_diff: find(&findings, CheckId::ComposeHash)
            .map(|finding| finding.diff.clone())
            .unwrap_or_default(),
        measurements: facts.map(measurements).unwrap_or_default(),
        tcb: facts.map(|facts| tcb(facts, subject)).unwrap_or_default(),
        evidence: EvidenceRecord {
            signed_sha256: facts
                .and_then(|facts| facts.quote.as_ref().ok())
                .map(|quote| hex::encode(quote.signed_sha256())),
            bundle: subject.bundle.clone(),
        },
    }
}

fn result(check: &Check, finding: &Finding) -> CheckResult {
    check.result(finding)
}

fn run(check: &Check, facts: Result<&Facts, &EvidenceGap>, policy: &Policy) -> Finding {
    match facts {
        Ok(facts) => (check.run)(facts, policy),
        Err(gap) if check.id == CheckId::Evidence => gap.finding(),
        Err(_) => Finding::error(&QUOTE_NOT_PROVEN, "Not determined: there is no evidence."),
    }
}

/// Any `fail` fails. Otherwise every requirement of the tier must be met or waived in writing, and what the
/// user configured must have been determined; what is left is inconclusive.
fn verdict(findings: &[(&Check, Finding)], policy: &Policy) -> Verdict {
    if findings.iter().any(|(_, finding)| finding.status == Status::Fail) {
        return Verdict::Fail;
    }
    let met =
        |id: CheckId| find(findings, id).is_some_and(|finding| finding.meets_requirement() || finding.waived);
    let configured_errors = findings
        .iter()
        .any(|(check, finding)| finding.status == Status::Error && is_configured(check.id, policy));
    let required = match policy.required {
        Tier::Hardware => HARDWARE.to_vec(),
        Tier::Code => [&HARDWARE[..], &CODE].concat(),
    };
    if required.into_iter().all(met) && !configured_errors {
        Verdict::Pass
    } else {
        Verdict::Inconclusive
    }
}

/// Whether the user asked for a check by giving it something to compare with.
fn is_configured(id: CheckId, policy: &Policy) -> bool {
    match id {
        CheckId::ComposeHash => policy.compose_hash.is_some() || policy.docker_compose.is_some(),
        CheckId::AppId => policy.app_id.is_some() || policy.address_id.is_some(),
        CheckId::InstanceId => policy.instance_id.is_some(),
        CheckId::KeyProvider => policy.key_provider.is_some(),
        CheckId::ReportData => policy.report_data.value.is_some(),
        CheckId::OsImage => !matches!(policy.os_image, crate::config::OsImagePolicy::Known),
        _ => false,
    }
}

fn find<'a>(findings: &'a [(&Check, Finding)], id: CheckId) -> Option<&'a Finding> {
    findings
        .iter()
        .find(|(check, _)| check.id == id)
        .map(|(_, finding)| finding)
}

/// The highest tier whose requirements are met without waivers.
fn assurance(findings: &[(&Check, Finding)]) -> Assurance {
    let met = |id: &CheckId| find(findings, *id).is_some_and(Finding::meets_requirement);
    let may_not_fail = [CheckId::ReportData, CheckId::KeyProvider];
    let failed = |id: &CheckId| find(findings, *id).is_none_or(|finding| finding.status == Status::Fail);
    if may_not_fail.iter().any(failed) || !HARDWARE.iter().all(met) {
        Assurance::None
    } else if CODE.iter().all(met) {
        Assurance::Code
    } else {
        Assurance::Hardware
    }
}

fn measurements(facts: &Facts) -> Measurements {
    let mut shown = Measurements::default();
    if let Ok(quote) = &facts.quote {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = quote.rtmrs().map(|register| Some(hex::encode(register)));
        shown = Measurements {
            mrtd: Some(hex::encode(quote.mrtd())),
            rtmr0,
            rtmr1,
            rtmr2,
            rtmr3,
            report_data: Some(hex::encode(quote.report_data())),
            td_attributes: Some(hex::encode(quote.td_attributes())),
            xfam: Some(hex::encode(quote.xfam())),
            mr_config_id: Some(hex::encode(quote.mr_config_id())),
            mr_seam: Some(hex::encode(quote.mr_seam())),
            os_image: facts.os.map(|os| os.row().name.clone()),
            ..shown
        };
    }
    if let Ok(boot) = &facts.boot {
        shown.compose_hash = Some(hex::encode(boot.compose_hash()));
        shown.app_id = Some(hex::encode(boot.app_id()));
        shown.instance_id = Some(boot.instance_id().map(hex::encode).unwrap_or_default());
        shown.key_provider = Some(boot.key_provider().to_string());
    }
    shown
}

fn tcb(facts: &Facts, subject: &Subject) -> TcbRecord {
    let Ok(quote) = &facts.quote else {
        return TcbRecord::default();
    };
    let tcb = quote.tcb();
    TcbRecord {
        status: Some(tcb.status.to_string()),
        advisory_ids: tcb.advisory_ids.clone(),
        eval_data_number: Some(tcb.eval_data_number),
        fmspc: Some(hex::encode(quote.fmspc())),
        expires_at: Some(rfc3339(quote.expires_at())),
        collateral_source: subject.collateral_source.clone(),
    }
}
