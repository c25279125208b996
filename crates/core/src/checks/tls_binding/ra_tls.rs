//! RA-TLS: the certificate of the server carries the evidence of its VM.

use super::asked::wrong;
use super::bound::bound;
use super::not_bound::{not_bound, refused};
use super::own_quote::{OwnQuote, platform_of_own_quote};
use super::reasons::*;
use crate::checks::Finding;
use crate::policy::{KeyProviders, Policy};
use crate::verify::{Claims, NotBound, Tls};

const OWN_QUOTE: OwnQuote = OwnQuote {
    of: "the quote in the certificate",
    undetermined: &RATLS_QUOTE_UNDETERMINED,
    platform: &RATLS_PLATFORM,
};

pub(super) fn ra_tls(claims: &Claims, tls: &Tls, policy: &Policy) -> Finding {
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
