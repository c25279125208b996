//! Why a key is not bound to the VM.

use super::asked::{is_asked_for_endpoint, open, unclear, wrong};
use super::reasons::*;
use crate::checks::Finding;
use crate::policy::Policy;
use crate::verify::{NotBound, RaTlsRefusal, UnprovenTd};

/// Nothing binds the key. `ingress` is not advised to who asked for more than it can give.
pub(super) fn nothing(policy: &Policy) -> Finding {
    let finding = open(
        policy,
        &UNBOUND,
        "Nothing binds the key of this TLS connection to the VM.",
    );
    match is_asked_for_endpoint(policy) {
        true => finding.advising(UNBOUND_ENDPOINT),
        false => finding,
    }
}

/// What changed since an earlier launch of an instance, in words.
pub(super) fn changed(differs: &[&str]) -> String {
    format!(
        "{} changed since then. MRSEAM is the TDX module of the host, RTMR0 the VM's size and devices, mr-kms the build of the KMS that \
         gave the keys, gpu-attestation the GPUs of that boot. A VM with a new firmware, kernel or OS image has another MRTD, RTMR1 or \
         RTMR2.",
        differs.join(", ")
    )
}

pub(super) fn not_bound(why: &NotBound, policy: &Policy) -> Finding {
    match why {
        NotBound::Absent => nothing(policy),
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
        NotBound::QuoteNotProven(UnprovenTd::Refused) => wrong(
            policy,
            &RATLS_QUOTE,
            "The evidence in the certificate is refused.",
        ),
        NotBound::QuoteNotProven(UnprovenTd::OldPlatform) => wrong(
            policy,
            &RATLS_PLATFORM,
            "The quote in the certificate was made on a platform that is older than anything that Intel still rates.",
        ),
        NotBound::QuoteNotProven(UnprovenTd::Undetermined) => open(
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
            "The certificate is that of another instance than the one that quoted the nonce.",
        ),
        NotBound::OtherLaunch {
            differs,
            is_same_machine,
        } => wrong(
            policy,
            &RATLS_OTHER_INSTANCE,
            format!(
                "The certificate was made by this instance when it was launched in another way, on {}: {}",
                match is_same_machine {
                    true => "the same machine",
                    false => "another machine",
                },
                changed(differs)
            ),
        ),
        NotBound::OtherMachine => wrong(
            policy,
            &RATLS_OTHER_MACHINE,
            "The quote in the certificate was made on another machine than the one that quoted the nonce.",
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
            "The recorded certificate is bound to the VM; it is not known who holds its key now.",
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
        RaTlsRefusal::Expired { .. } | RaTlsRefusal::NotYetValid { .. } => &RATLS_OUTSIDE_VALIDITY,
        RaTlsRefusal::Chain(_) => &RATLS_CHAIN,
        RaTlsRefusal::OtherKms => &RATLS_OTHER_KMS,
    };
    let sentence = format!("The certificate is refused: {refusal}.");
    match refusal {
        // Whose clock is wrong is not known.
        RaTlsRefusal::NotYetValid { .. } => unclear(policy, reason, sentence),
        _ => wrong(policy, reason, sentence),
    }
}
