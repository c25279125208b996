//! Runs the checks and joins what they find, verdict and assurance to a result. Pure.

use super::tiers;
use crate::checks::{self, Check, EvidenceFailure, Finding, InCertificate, QUOTE_NOT_PROVEN};
use crate::compose::UnprovenDocument;
use crate::evidence::TlsHost;
use crate::policy::Policy;
use crate::reference::ReferenceValues;
use crate::report::{
    CheckId, CheckResult, EvidenceRecord, Measurements, Status, TargetReport, TcbRecord, TlsRoute, rfc3339,
};
use crate::verify::{Claims, Issuer, Tls, TrustRoot};

/// What is known of a target beside claims and policy: it only labels the result. Root and time are those of the claims, where there
/// are any.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The user's name for it.
    pub name: String,
    /// The address.
    pub url: Option<String>,
    /// Whose root certificate a proof would rest on.
    pub root: TrustRoot,
    /// The time that it is judged at, Unix seconds.
    pub at: u64,
    /// The evidence bundle's file.
    pub bundle: Option<String>,
}

/// Judges one deployment: runs every check on what was proven, and derives verdict and assurance from their results. Pure: the same
/// arguments give the same report.
///
/// `claims` is what [`prove`](crate::prove) found, or why there is no evidence: then every check says so, and nothing passes.
/// The verdict is [`Verdict::Pass`](crate::Verdict::Pass) only if no check fails and everything that the policy's tier requires passes or is
/// waived in writing.
#[must_use]
pub fn appraise(
    claims: Result<&Claims, &EvidenceFailure>,
    policy: &Policy,
    subject: &Subject,
) -> TargetReport {
    let mut compose_diff = Vec::new();
    let mut checks = Vec::with_capacity(checks::ALL.len());
    let mut accepted = Vec::new();
    let mut configured = Vec::new();
    for check in checks::ALL {
        let finding = bound(run(check, claims, policy), check, policy);
        if is_configured(&finding, check, policy) {
            configured.push(check.id);
        }
        checks.push(check.result(&finding, policy));
        accepted.extend(check.accepted(&finding));
        compose_diff.extend(finding.diff);
    }
    // A run over many targets keeps the report on each.
    accepted.shrink_to_fit();
    let claims = claims.ok();
    let second_release_until = claims
        .filter(|_| is_accepted(&checks, CheckId::ComposeHash))
        .and_then(|claims| checks::second_release(claims, policy))
        .map(|second| second.until.to_string());
    TargetReport {
        name: subject.name.clone(),
        url: subject.url.clone(),
        verdict: tiers::verdict(&checks, &accepted, policy.required, |id| configured.contains(&id)),
        required: policy.required,
        assurance: tiers::assurance(&checks, &accepted),
        waived: tiers::waived(&checks),
        configured,
        accepted,
        second_release_until,
        earlier_attempts: None,
        tls_route: claims.and_then(|claims| claims.tls.as_ref()).map(tls_route),
        trust_root: claims.map_or(subject.root.kind(), |claims| claims.root),
        device_root: claims.map(|claims| claims.gpu.root).unwrap_or_default(),
        evaluated_at: rfc3339(claims.map_or(subject.at, |claims| claims.at)).into(),
        checks,
        compose_diff,
        instances: None,
        sources: claims
            .map(|claims| checks::proven_sources(claims, policy))
            .unwrap_or_default(),
        measurements: claims
            .map(|claims| measurements(claims, &policy.reference))
            .unwrap_or_default()
            .into(),
        tcb: claims.map(tcb).unwrap_or_default().into(),
        evidence: EvidenceRecord {
            signed_sha256: claims
                .and_then(|claims| claims.quote.as_ref().ok())
                .map(|quote| hex::encode(quote.signed_sha256())),
            bundle: subject.bundle.clone(),
            reference_values_sha256: policy.reference.file_sha256().map(hex::encode),
        },
    }
}

/// What a report will say of a deployment of this document, as far as it alone decides that: the results of those checks, in the order
/// of [`CheckId::ALL`], and whether each keeps the verdict from [`Verdict::Pass`](crate::Verdict::Pass).
#[must_use]
pub fn forecast(document: &UnprovenDocument, policy: &Policy) -> Vec<(CheckResult, bool)> {
    let judged = |(id, finding): (CheckId, Finding)| {
        let check = Check::of(id);
        let finding = bound(finding, check, policy);
        let result = check.result(&finding, policy);
        let is_configured = is_configured(&finding, check, policy);
        let is_open = tiers::is_open(&result, &check.accepted(&finding), policy.required, is_configured);
        let keeps_from_pass = is_open || result.status == Status::Fail;
        (result, keeps_from_pass)
    };
    checks::judge_document(document, policy)
        .into_iter()
        .map(judged)
        .collect()
}

/// Whether the user wrote down what is expected of a check. An error against something that is written down is about that, whatever
/// the tier; so is one of a check whose requirement is demanded.
fn is_configured(finding: &Finding, check: &Check, policy: &Policy) -> bool {
    let is_demanded = policy.demanded.contains(&check.id) && tiers::required_from(check.id).is_some();
    let is_against = finding.status == Status::Error && (finding.origin.is_some() || is_demanded);
    is_against || (check.is_configured)(policy)
}

/// A warning that is short of the check's requirement, where the tier asks for less and the user demands it: an error, or the demand
/// would bind nothing.
fn bound(mut finding: Finding, check: &Check, policy: &Policy) -> Finding {
    let is_above = tiers::required_from(check.id).is_some_and(|from| from > policy.required.tier());
    let is_short = finding.status == Status::Warn
        && finding.accepted.is_empty()
        && !check.is_met_by(finding.status, finding.reason.map(|reason| reason.id));
    if !(is_above && is_short && policy.demanded.contains(&check.id)) {
        return finding;
    }
    finding.status = Status::Error;
    match policy.strictness(check.id) {
        Some(origin) => {
            finding.detail += &format!(" It is required by {origin}.");
            finding.against(origin.clone())
        }
        None => finding,
    }
}

/// Whether a check has nothing against the deployment.
fn is_accepted(checks: &[CheckResult], id: CheckId) -> bool {
    let mut checks = checks.iter();
    checks.any(|check| check.id == id && matches!(check.status, Status::Pass | Status::Warn))
}

fn run(check: &Check, claims: Result<&Claims, &EvidenceFailure>, policy: &Policy) -> Finding {
    match claims {
        Ok(claims) => (check.run)(claims, policy),
        Err(failure) => (check.without_evidence)(failure, policy)
            .unwrap_or_else(|| Finding::error(&QUOTE_NOT_PROVEN, "Not determined: there is no evidence.")),
    }
}

/// Whether a VM meets the policy, as far as the evidence in its TLS certificate shows: whether it may be sent what is not for
/// everyone. Nothing fails, what the tier or the user requires of its compose hash and of everything that is proven before it is
/// met, the certificate is of the VM's KMS, or self-made with a key provider that the policy names, and something shows that the
/// VM did not make up its compose hash: the OS image, or the KMS that signed the certificate.
///
/// # Errors
/// The first check that does not hold, and its sentence.
pub fn meets_policy_so_far(own: &Claims, issuer: Issuer, policy: &Policy) -> Result<(), String> {
    if issuer == Issuer::Td {
        checks::accepts_self_made(own, policy).map_err(|why| format!("{}: {why}", CheckId::TlsBinding))?;
    }
    // A VM may log any compose hash and any key provider, if its operating system is not known. Only the signature of a KMS that
    // the policy accepts shows that somebody looked at that system. What the user waived shows nothing.
    // Where the tier requires no known system and the user names no code, there is nothing to speak for.
    let mut shows_code = !policy.names_code()
        && tiers::required_from(CheckId::OsImage).is_none_or(|from| from > policy.required.tier());
    let mut unknown_system = String::new();
    for check in checks::ALL {
        if check.in_certificate == InCertificate::NotAsked {
            continue;
        }
        let id = check.id;
        let finding = (check.run)(own, policy);
        let result = check.result(&finding, policy);
        let accepted = check.accepted(&finding);
        let is_needed = check.in_certificate == InCertificate::ToBeMet
            && ((check.is_configured)(policy)
                || tiers::required_from(id).is_some_and(|from| from <= policy.required.tier()));
        if result.status == Status::Fail || (is_needed && tiers::is_short(&result, &accepted)) {
            return Err(format!("{id}: {}", result.detail));
        }
        let holds = !tiers::is_short(&result, &accepted) && !tiers::is_waived(&result);
        match id {
            CheckId::OsImage => {
                shows_code |= holds;
                unknown_system.clone_from(&result.detail);
            }
            CheckId::KeyProvider => shows_code |= holds && issuer == Issuer::Kms,
            _ => {}
        }
    }
    match shows_code {
        true => Ok(()),
        false => Err(format!(
            "{}: no known OS image and no accepted KMS speak for the compose hash. {unknown_system}",
            CheckId::OsImage
        )),
    }
}

/// How TLS is terminated: what was proven first, and then what the certificate and the name say.
fn tls_route(tls: &Tls) -> TlsRoute {
    if tls.carries_its_evidence() {
        TlsRoute::AppRatls
    } else if tls.quotes_its_key() {
        TlsRoute::AppKey
    } else if tls.is_bound_ingress() {
        TlsRoute::Ingress
    } else if tls.host == TlsHost::Gateway {
        TlsRoute::Gateway
    } else {
        TlsRoute::Unknown
    }
}

fn measurements(claims: &Claims, reference: &ReferenceValues) -> Measurements {
    let hex = |bytes: &[u8]| Some(hex_text(bytes).into());
    let mut shown = Measurements::default();
    if let Ok(quote) = &claims.quote {
        let [rtmr0, rtmr1, rtmr2, rtmr3] = quote.rtmrs().map(|register| hex(register));
        shown = Measurements {
            mrtd: hex(quote.mrtd()),
            rtmr0,
            rtmr1,
            rtmr2,
            rtmr3,
            report_data: hex(quote.report_data()),
            td_attributes: hex(quote.td_attributes()),
            xfam: hex(quote.xfam()),
            mr_config_id: hex(quote.mr_config_id()),
            mr_seam: hex(quote.mr_seam()),
            os_image: claims.os(reference).map(|os| os.row().name.as_str().into()),
            ..shown
        };
    }
    if let Ok(boot) = &claims.boot {
        shown.compose_hash = hex(boot.compose_hash());
        shown.app_id = hex(boot.app_id());
        shown.instance_id = Some(boot.instance_id().map(hex::encode).unwrap_or_default().into());
        shown.key_provider = Some(boot.key_provider().to_string().into());
    }
    shown
}

/// Bytes as hex. `hex::encode` makes it digit by digit, which for each target's measurements takes six times as long.
fn hex_text(bytes: &[u8]) -> String {
    let mut digits = vec![0; 2 * bytes.len()];
    let encoded = hex::encode_to_slice(bytes, &mut digits).ok();
    encoded
        .and_then(|()| String::from_utf8(digits).ok())
        .unwrap_or_default()
}

fn tcb(claims: &Claims) -> TcbRecord {
    let Ok(quote) = &claims.quote else {
        return TcbRecord::default();
    };
    let tcb = quote.tcb();
    TcbRecord {
        status: Some(tcb.status.to_string()),
        advisory_ids: tcb.advisory_ids.clone(),
        eval_data_number: Some(tcb.eval_data_number),
        fmspc: Some(hex::encode(quote.fmspc())),
        platform_id: Some(hex::encode(quote.platform_id())),
        expires_at: Some(rfc3339(quote.expires_at())),
        collateral_fetched_at: claims.collateral_fetched_at.map(rfc3339),
        collateral_source: claims.collateral_source.clone(),
    }
}

#[cfg(test)]
#[path = "appraise_tests.rs"]
mod tests;
