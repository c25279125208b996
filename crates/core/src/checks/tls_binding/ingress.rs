//! The binding by the evidence of a dstack ingress.

use super::asked::{is_asked, open, unclear, wrong};
use super::not_bound::changed;
use super::own_quote::{OwnQuote, platform_of_own_quote};
use super::probed::probed;
use super::reasons::*;
use crate::checks::{Finding, Reason, known};
use crate::evidence::{ManifestError, Probe};
use crate::policy::Policy;
use crate::report::SideTier;
use crate::verify::{BoundIngress, Claims, IngressNotBound, IngressRefusal, Tls, UnprovenTd};

const OWN_QUOTE: OwnQuote = OwnQuote {
    of: "the quote of the ingress",
    undetermined: &INGRESS_QUOTE_UNDETERMINED,
    platform: &INGRESS_PLATFORM,
};

pub(super) fn ingress(claims: &Claims, tls: &Tls, policy: &Policy) -> Finding {
    let bound = match &tls.ingress {
        Ok(bound) => bound,
        Err(why) => return not_bound(why, tls, policy),
    };
    match platform_of_own_quote(claims.ingress.as_deref(), policy, &OWN_QUOTE) {
        Ok(accepted) => granted(bound, tls, policy).accepting(accepted),
        Err(finding) => finding,
    }
}

/// The one place that grants `endpoint-replayable`.
fn granted(bound: &BoundIngress, tls: &Tls, policy: &Policy) -> Finding {
    let probed = known!(probed(&tls.probe, policy, "The ingress has the key"));
    Finding::pass(format!(
        "The ingress of the verified VM has the TLS key: the VM quoted its certificate, at a time that is not known. An earlier \
         release could have copied the key. {}",
        probed.words
    ))
    .found(hex::encode(bound.spki_sha256()))
    .granting(SideTier::EndpointReplayable)
    .accepting(probed.accepted)
}

fn not_bound(why: &IngressNotBound, tls: &Tls, policy: &Policy) -> Finding {
    match why {
        IngressNotBound::NotAsked => open(
            policy,
            &INGRESS_UNREACHABLE,
            "The evidence of an ingress was not asked for in this run.",
        ),
        IngressNotBound::Absent => wrong(
            policy,
            &INGRESS_NO_EVIDENCE,
            "The address serves no evidence of an ingress for a certificate that a trusted CA vouches for.",
        ),
        IngressNotBound::Unreachable(why) => open(
            policy,
            &INGRESS_UNREACHABLE,
            format!("The evidence of the ingress could not be fetched: {why}."),
        ),
        IngressNotBound::Refused(refusal) => wrong(
            policy,
            reason_of(refusal),
            format!("The evidence of the ingress is refused: {refusal}."),
        ),
        IngressNotBound::QuoteNotProven(UnprovenTd::OldPlatform) => wrong(
            policy,
            &INGRESS_PLATFORM,
            "The quote of the ingress was made on a platform that is older than anything that Intel still rates.",
        ),
        IngressNotBound::QuoteNotProven(UnprovenTd::Refused) => wrong(
            policy,
            &INGRESS_QUOTE,
            "The quote of the ingress, or the event log that came with it, is refused.",
        ),
        IngressNotBound::QuoteNotProven(UnprovenTd::Undetermined) => open(
            policy,
            &INGRESS_QUOTE_UNDETERMINED,
            "The quote of the ingress could not be verified.",
        ),
        IngressNotBound::NotReached => Finding::error(
            &EVIDENCE_NOT_PROVEN,
            "Not determined: the event log of the app's own evidence is not proven.",
        ),
        IngressNotBound::OtherCode { compose_hash } => wrong(
            policy,
            &INGRESS_OTHER_COMPOSE,
            "The quote of the ingress is that of a VM with another compose document.",
        )
        .found(hex::encode(compose_hash)),
        IngressNotBound::OtherInstance => unclear(
            policy,
            &INGRESS_OTHER_CVM,
            "The quote of the ingress is that of another VM than the one that quoted the nonce.",
        ),
        IngressNotBound::OtherLaunch { differs } => unclear(
            policy,
            &INGRESS_OTHER_CVM,
            format!(
                "The ingress quoted in this instance when it was launched in another way: {}",
                changed(differs)
            ),
        )
        .advising("Restart the ingress, so that it quotes in the VM as it is now."),
        IngressNotBound::OtherMachine => wrong(
            policy,
            &INGRESS_OTHER_MACHINE,
            "The quote of the ingress is that of the same instance on another machine than the one that quoted the nonce.",
        ),
        IngressNotBound::KeyChanged { keys } => unclear(
            policy,
            &TLS_KEY_CHANGED,
            format!("{keys} TLS keys answered during this run."),
        ),
        IngressNotBound::Oracle => oracle(tls, policy),
        IngressNotBound::FormOfTheApp => open(
            policy,
            &ORACLE_32,
            "Not determined: the app quotes a hash of what it is sent, then zeros, as an ingress does. If it hashes more than the 64 hex \
             digits of a nonce, anyone can have the quote of an ingress made.",
        ),
        IngressNotBound::Recorded => Finding::skip(
            &RECORDED,
            "The recorded evidence of the ingress is bound to the VM; it is not known who holds its key now.",
        ),
    }
}

/// An app that quotes what it is sent is not at fault while nobody asks for a binding: most apps do.
fn oracle(tls: &Tls, policy: &Policy) -> Finding {
    let (reason, sentence) = match tls.probe {
        Probe::Quotes64 => (
            &ORACLE_64,
            "The endpoint quoted 64 bytes that were sent to it, unchanged.",
        ),
        _ => (
            &ORACLE_32,
            "The app quotes 32 bytes, or a text, of the caller's choice, so anyone can have the quote of an ingress made.",
        ),
    };
    match is_asked(policy) {
        true => Finding::fail(reason, sentence),
        false => Finding::skip(reason, sentence),
    }
}

fn reason_of(refusal: &IngressRefusal) -> &'static Reason {
    match refusal {
        IngressRefusal::Manifest(ManifestError::CarriageReturn(_)) => &INGRESS_MANIFEST_LINE_END,
        IngressRefusal::Manifest(ManifestError::Name(_)) => &INGRESS_MANIFEST_NAME,
        IngressRefusal::Manifest(ManifestError::Twice(_)) => &INGRESS_MANIFEST_TWICE,
        IngressRefusal::Manifest(
            ManifestError::TooLarge(_)
            | ManifestError::TooManyLines
            | ManifestError::Empty
            | ManifestError::Line(_),
        ) => &INGRESS_MANIFEST,
        IngressRefusal::FileMissing(_) | IngressRefusal::FileHash(_) => &INGRESS_FILE_HASH,
        IngressRefusal::NotListed(_) => &INGRESS_NOT_LISTED,
        IngressRefusal::QuoteEmpty => &INGRESS_QUOTE_EMPTY,
        IngressRefusal::Malformed(_) => &INGRESS_MALFORMED,
        IngressRefusal::NotBound => &INGRESS_NOT_BOUND,
        IngressRefusal::KeyDiffers => &INGRESS_KEY_DIFFERS,
    }
}
