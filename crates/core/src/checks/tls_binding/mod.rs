//! `tls-binding`: the key of the live TLS connection is held by the VM whose evidence was verified.
//!
//! The one check that grants `endpoint`, and only for a [`BoundChannel`]; and `endpoint-replayable` for a
//! [`BoundIngress`](crate::verify::BoundIngress). While nobody asked for a binding it informs: it passes, warns or is skipped, and
//! fails nothing.

mod ingress;
mod reasons;

use reasons::*;

use super::{
    Acceptance, Check, EvidenceFailure, Finding, QUOTE_NOT_PROVEN, Reason, Required, platform_id,
    proven_quote, tcb_status,
};
use crate::evidence::{Probe, TlsHost};
use crate::policy::{KeyProviders, Origin, Policy, TlsBinding};
use crate::report::{CheckId, SideTier, Status};
use crate::verify::{BindingMode, BoundChannel, Claims, Layout, NotBound, RaTlsRefusal, Tls};

pub(super) const CHECK: Check = Check {
    id: CheckId::TlsBinding,
    title: "TLS binding",
    proves: "The server that answered at this address holds a TLS key that the verified VM itself quoted.",
    prevents: "A relay: a server that hands on the evidence of a genuine VM and runs other code. Without this check a pass says \
               nothing about who serves the address.",
    reasons: &[
        &NO_CONNECTION,
        &UNBOUND,
        &GATEWAY_TERMINATED,
        &RECORDED,
        &TLS_KEY_CHANGED,
        &RATLS_NO_EVIDENCE,
        &RATLS_MALFORMED,
        &RATLS_DUPLICATE_EXTENSION,
        &RATLS_TWO_QUOTES,
        &RATLS_KEY_TYPE,
        &RATLS_NOT_BOUND,
        &RATLS_KEY_NOT_HELD,
        &RATLS_STACK_REPORT_DATA,
        &RATLS_APP_ID,
        &RATLS_USAGE,
        &RATLS_QUOTE,
        &RATLS_QUOTE_UNDETERMINED,
        &RATLS_PLATFORM,
        &RATLS_OTHER_COMPOSE,
        &RATLS_OTHER_INSTANCE,
        &RATLS_CHAIN,
        &RATLS_OTHER_KMS,
        &NO_APP_KEY,
        &KEY_MISMATCH,
        &ingress::INGRESS_NO_EVIDENCE,
        &ingress::INGRESS_UNREACHABLE,
        &ingress::INGRESS_MANIFEST,
        &ingress::INGRESS_MANIFEST_LINE_END,
        &ingress::INGRESS_MANIFEST_NAME,
        &ingress::INGRESS_MANIFEST_TWICE,
        &ingress::INGRESS_FILE_HASH,
        &ingress::INGRESS_NOT_LISTED,
        &ingress::INGRESS_QUOTE_EMPTY,
        &ingress::INGRESS_MALFORMED,
        &ingress::INGRESS_NOT_BOUND,
        &ingress::INGRESS_QUOTE,
        &ingress::INGRESS_QUOTE_UNDETERMINED,
        &ingress::INGRESS_PLATFORM,
        &ingress::INGRESS_OTHER_COMPOSE,
        &ingress::INGRESS_OTHER_CVM,
        &ingress::INGRESS_KEY_DIFFERS,
        &ingress::ORACLE_32,
        &ORACLE_64,
        &PROBE_UNDETERMINED,
        &EVIDENCE_NOT_PROVEN,
        &QUOTE_NOT_PROVEN,
    ],
    required: Required::Grants(&[SideTier::EndpointReplayable, SideTier::Endpoint]),
    harmless_skips: &[&NO_CONNECTION, &RECORDED],
    harmless_warnings: &[],
    is_configured: is_asked,
    run,
};

/// Whether the user asked for a binding: by its mode, or by a tier that needs one.
fn is_asked(policy: &Policy) -> bool {
    policy.tls_mode() != TlsBinding::Auto || policy.required.sides().includes(SideTier::EndpointReplayable)
}

/// The same of this verification alone: a lock that was taken from the app's address serves for other sources too, which have no
/// connection to it.
fn is_asked_of_any_source(policy: &Policy) -> bool {
    policy.tls_binding != TlsBinding::Auto || policy.required.sides().includes(SideTier::EndpointReplayable)
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let Some(tls) = &claims.tls else {
        let sentence = "The evidence did not come over a TLS connection to the app's own address.";
        return match is_asked_of_any_source(policy) {
            true => Finding::error(&NO_CONNECTION, sentence).against(asked_by(policy)),
            false => Finding::skip(&NO_CONNECTION, sentence),
        };
    };
    if let Err(finding) = proven_quote(claims) {
        return finding;
    }
    let finding = match policy.tls_mode() {
        TlsBinding::RaTls => ra_tls(claims, tls, policy),
        TlsBinding::AppKey => app_key(tls, policy),
        TlsBinding::Ingress => ingress::ingress(claims, tls, policy),
        TlsBinding::Auto if tls.is_of_dstack => ra_tls(claims, tls, policy),
        TlsBinding::Auto if tls.quotes_its_key() => app_key(tls, policy),
        TlsBinding::Auto if tls.is_of_ingress() => ingress::ingress(claims, tls, policy),
        TlsBinding::Auto if is_tls_key_expected(tls, policy) => app_key(tls, policy),
        TlsBinding::Auto => unbound(tls, policy),
    };
    match tls.spki_sha256 {
        Some(spki) if finding.actual.is_none() => finding.found(hex::encode(spki)),
        _ => finding,
    }
}

/// Whether the 32 bytes beside the nonce should be those of the TLS key. Without a mode they may be of another key of the app's,
/// which the user may even have named.
fn is_tls_key_expected(tls: &Tls, policy: &Policy) -> bool {
    let is_of_private_ai = policy.report_data.layout == Some(Layout::PrivateAi);
    let is_looked_at = is_asked(policy) || (policy.report_data.layout.is_none() && tls.quotes_another_key());
    is_looked_at && tls.may_quote_a_key && policy.report_data.key.is_none() && !is_of_private_ai
}

/// Where a binding is asked for.
fn asked_by(policy: &Policy) -> Option<Origin> {
    let mode = policy.setting("tls-binding");
    mode.or_else(|| policy.setting("require-assurance"))
}

/// Something does not hold: a failure if a binding was asked for, and for information otherwise.
fn wrong(policy: &Policy, reason: &'static Reason, sentence: impl Into<String>) -> Finding {
    match is_asked(policy) {
        true => Finding::fail(reason, sentence).against(asked_by(policy)),
        false => Finding::warn(reason, sentence),
    }
}

/// Something could not be determined.
fn open(policy: &Policy, reason: &'static Reason, sentence: impl Into<String>) -> Finding {
    match is_asked(policy) {
        true => Finding::error(reason, sentence).against(asked_by(policy)),
        false => Finding::skip(reason, sentence),
    }
}

fn unbound(tls: &Tls, policy: &Policy) -> Finding {
    match tls.host {
        TlsHost::Gateway => open(
            policy,
            &GATEWAY_TERMINATED,
            "TLS for this name ends in a dstack gateway, which chooses the VM of the app that answers. That the answers come from \
             the verified VM is not proven.",
        ),
        TlsHost::Passthrough | TlsHost::Other => open(
            policy,
            &UNBOUND,
            "Nothing binds the key of this TLS connection to the VM.",
        ),
    }
}

fn ra_tls(claims: &Claims, tls: &Tls, policy: &Policy) -> Finding {
    // A recording does not show who holds the key now. It does show whose chain the certificate came with.
    if matches!(tls.ra_tls, Err(NotBound::Recorded))
        && is_kms_named(claims, policy)
        && let Err(refusal) = &tls.kms
    {
        return refused(refusal, policy);
    }
    let channel = match &tls.ra_tls {
        Ok(channel) => channel,
        Err(NotBound::Absent) => {
            return wrong(
                policy,
                &RATLS_NO_EVIDENCE,
                "The certificate carries no evidence of a VM.",
            );
        }
        Err(why) => return not_bound(why, policy),
    };
    let locked = policy
        .locked_tls
        .as_ref()
        .and_then(|locked| locked.kms.as_deref());
    if (is_kms_named(claims, policy) || locked.is_some())
        && let Err(refusal) = &tls.kms
    {
        return refused(refusal, policy);
    }
    let booted_with = claims
        .boot
        .as_ref()
        .ok()
        .map(|boot| boot.key_provider().id.as_str());
    if locked.is_some_and(|locked| booted_with.is_none_or(|id| !id.eq_ignore_ascii_case(locked))) {
        return wrong(
            policy,
            &RATLS_OTHER_KMS,
            "The certificate chains up to another KMS than the one in the lock.",
        )
        .found(booted_with.unwrap_or_default());
    }
    let accepted = match platform_of_own_quote(claims.certificate.as_deref(), policy, &OWN_QUOTE) {
        Ok(accepted) => accepted,
        Err(finding) => return finding,
    };
    bound(channel, tls, policy).accepting(accepted)
}

/// Whose own quote is judged, and for which reasons.
struct OwnQuote {
    /// For people: "Of …".
    of: &'static str,
    undetermined: &'static Reason,
    platform: &'static Reason,
}

const OWN_QUOTE: OwnQuote = OwnQuote {
    of: "the quote in the certificate",
    undetermined: &RATLS_QUOTE_UNDETERMINED,
    platform: &RATLS_PLATFORM,
};

/// The platform of the quote that binds a key, by the policy for platforms: it may be older than the quote of this run.
fn platform_of_own_quote(
    own: Option<&Claims>,
    policy: &Policy,
    whose: &OwnQuote,
) -> Result<Vec<Acceptance>, Finding> {
    let Some(own) = own else {
        let sentence = format!("Not determined: {} was not verified.", whose.of);
        return Err(open(policy, whose.undetermined, sentence));
    };
    let mut accepted = Vec::new();
    for check in [&tcb_status::CHECK, &platform_id::CHECK] {
        let finding = (check.run)(own, policy);
        let is_harmless = |reason: &Reason| check.harmless_warnings.iter().any(|known| known.id == reason.id);
        let is_fine = match (finding.status, finding.reason) {
            (Status::Pass, _) => true,
            (Status::Warn, Some(reason)) => is_harmless(reason),
            (Status::Skip, _) => check.id == CheckId::PlatformId,
            (Status::Warn | Status::Fail | Status::Error, _) => false,
        };
        if !is_fine && finding.accepted.is_empty() {
            let sentence = format!("Of {}, {} says: {}", whose.of, check.id, finding.detail);
            return Err(match finding.status {
                Status::Error => open(policy, whose.undetermined, sentence),
                _ => wrong(policy, whose.platform, sentence),
            });
        }
        accepted.extend(finding.accepted);
    }
    Ok(accepted)
}

fn app_key(tls: &Tls, policy: &Policy) -> Finding {
    match &tls.app_key {
        Ok(channel) => bound(channel, tls, policy),
        Err(NotBound::Absent) => {
            let sentence = if tls.app_key_layout.is_some() {
                "The app quoted a key beside the nonce, but no trusted CA vouches for the certificate."
            } else {
                "The report data has no room for a key beside the nonce."
            };
            wrong(policy, &NO_APP_KEY, sentence)
        }
        Err(why) => not_bound(why, policy),
    }
}

/// The one place that grants `endpoint`.
fn bound(channel: &BoundChannel, tls: &Tls, policy: &Policy) -> Finding {
    if let Probe::Unknown(why) = &tls.probe {
        return open(
            policy,
            &PROBE_UNDETERMINED,
            format!("The key is bound, but {why}"),
        );
    }
    let how = match channel.mode() {
        BindingMode::RaTls => "its certificate carries that VM's quote of the key".to_owned(),
        BindingMode::AppKey(layout) => {
            format!("the quote for this run's nonce holds the hash of the key (layout `{layout}`)")
        }
    };
    let probed = match tls.probe {
        Probe::NoneSeen => " No quoting of foreign values was seen.",
        Probe::NotSent => " Whether the app quotes foreign values was not asked.",
        _ => "",
    };
    Finding::pass(format!(
        "The server holds a TLS key of the verified VM: {how}.{probed}"
    ))
    .found(hex::encode(channel.spki_sha256()))
    .granting(SideTier::Endpoint)
}

/// The certificate of a VM was refused before anything was sent to the server, so there is no evidence of the app itself.
pub(crate) fn refused_certificate(gap: &EvidenceFailure, policy: &Policy) -> Finding {
    match &gap.certificate {
        Some(why) => not_bound(why, policy),
        None => Finding::error(&QUOTE_NOT_PROVEN, "Not determined: there is no evidence."),
    }
}

fn not_bound(why: &NotBound, policy: &Policy) -> Finding {
    match why {
        NotBound::Absent => open(
            policy,
            &UNBOUND,
            "Nothing binds the key of this TLS connection to the VM.",
        ),
        NotBound::NotReached => Finding::error(
            &EVIDENCE_NOT_PROVEN,
            "Not determined: the event log of the app's own evidence is not proven.",
        ),
        NotBound::Refused(refusal) => refused(refusal, policy),
        NotBound::KeyNotHeld => wrong(
            policy,
            &RATLS_KEY_NOT_HELD,
            "The server presents the certificate of a VM and did not sign the handshake with its key.",
        ),
        NotBound::QuoteNotProven { is_refused: true } => wrong(
            policy,
            &RATLS_QUOTE,
            "The evidence in the certificate is refused.",
        ),
        NotBound::QuoteNotProven { is_refused: false } => open(
            policy,
            &RATLS_QUOTE_UNDETERMINED,
            "The evidence in the certificate could not be verified.",
        ),
        NotBound::OtherCode { compose_hash } => wrong(
            policy,
            &RATLS_OTHER_COMPOSE,
            "The certificate is that of a VM with another compose document.",
        )
        .found(hex::encode(compose_hash)),
        NotBound::OtherInstance => wrong(
            policy,
            &RATLS_OTHER_INSTANCE,
            "The certificate is that of another instance, or of another boot, than the one that quoted the nonce.",
        ),
        NotBound::KeyMismatch { quoted } => wrong(
            policy,
            &KEY_MISMATCH,
            format!(
                "The app quotes the key {} with the nonce, and another TLS key answered: something ends TLS between you and the \
                 app. That is a proxy of your network, a CDN, the gateway, or a relay.",
                hex::encode(quoted)
            ),
        )
        .found(format!("quoted: {}", hex::encode(quoted))),
        NotBound::KeyChanged { keys } => wrong(
            policy,
            &TLS_KEY_CHANGED,
            format!("{keys} TLS keys answered during this run."),
        ),
        NotBound::Recorded => Finding::skip(
            &RECORDED,
            "The recorded certificate is bound to the VM; who holds its key now is not known.",
        ),
        NotBound::Oracle => wrong(
            policy,
            &ORACLE_64,
            "The endpoint quoted 64 bytes that were sent to it, unchanged.",
        ),
    }
}

fn refused(refusal: &RaTlsRefusal, policy: &Policy) -> Finding {
    let reason = match refusal {
        RaTlsRefusal::Malformed(_) => &RATLS_MALFORMED,
        RaTlsRefusal::DuplicateExtension(_) => &RATLS_DUPLICATE_EXTENSION,
        RaTlsRefusal::NoEvidence => &RATLS_NO_EVIDENCE,
        RaTlsRefusal::TwoQuotes => &RATLS_TWO_QUOTES,
        RaTlsRefusal::KeyType => &RATLS_KEY_TYPE,
        RaTlsRefusal::NotBound => &RATLS_NOT_BOUND,
        RaTlsRefusal::StackReportData => &RATLS_STACK_REPORT_DATA,
        RaTlsRefusal::AppId => &RATLS_APP_ID,
        RaTlsRefusal::Usage(_) => &RATLS_USAGE,
        RaTlsRefusal::Chain(_) => &RATLS_CHAIN,
        RaTlsRefusal::OtherKms => &RATLS_OTHER_KMS,
    };
    wrong(policy, reason, format!("The certificate is refused: {refusal}."))
}

/// Whether the VM booted with a KMS, and the policy names one by its key. A VM with another provider, which the policy names
/// beside it, has no KMS that its certificate could chain up to.
fn is_kms_named(claims: &Claims, policy: &Policy) -> bool {
    if !claims
        .boot
        .as_ref()
        .is_ok_and(|boot| boot.key_provider().name == "kms")
    {
        return false;
    }
    match policy.key_provider.as_ref().map(|expected| &expected.value) {
        Some(KeyProviders::Named(pins)) => pins.iter().any(|pin| pin.name == "kms" && pin.id.is_some()),
        Some(KeyProviders::AnyKms | KeyProviders::Unchecked) | None => false,
    }
}
