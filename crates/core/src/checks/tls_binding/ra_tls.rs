//! RA-TLS: the certificate of the server carries the evidence of its VM.

use super::asked::{open, wrong};
use super::bound::bound;
use super::not_bound::not_bound;
use super::own_quote::{OwnQuote, platform_of_own_quote};
use super::reasons::*;
use crate::checks::{Acceptance, Finding, known};
use crate::policy::{Expected, KeyProviders, Policy};
use crate::report::AcceptedKind;
use crate::verify::{BindingMode, BootClaims, Claims, Issuer, NotBound, Tls};

const OWN_QUOTE: OwnQuote = OwnQuote {
    of: "the quote in the certificate",
    undetermined: &RATLS_QUOTE_UNDETERMINED,
    platform: &RATLS_PLATFORM,
};

pub(super) fn ra_tls(claims: &Claims, tls: &Tls, policy: &Policy) -> Finding {
    let bound_key = match &tls.ra_tls {
        Ok(channel) => Ok(channel),
        // A recording does not show who holds the key now. It does show whose chain the certificate came with.
        Err(NotBound::Recorded) => Err(&NotBound::Recorded),
        Err(NotBound::Absent) => {
            return wrong(
                policy,
                &RATLS_NO_EVIDENCE,
                "The certificate carries no evidence of a VM.",
            );
        }
        Err(why) => return not_bound(why, policy),
    };
    let locked = policy.locked_tls.as_ref();
    let locked = locked.and_then(|locked| locked.kms.as_deref());
    let booted_with = claims.boot.as_ref().ok().map(BootClaims::key_provider);
    let is_of = |kms: &str| booted_with.is_some_and(|provider| provider.id.eq_ignore_ascii_case(kms));
    // Roots rotate: the user may name the locked one and the one that the VM booted with.
    let is_named = |kms: &str| policy.key_provider_ids().any(|id| id.eq_ignore_ascii_case(kms));
    let are_named = |kms: &str| is_named(kms) && policy.key_provider_ids().any(is_of);
    if locked.is_some_and(|kms| !is_of(kms) && !are_named(kms)) {
        return wrong(
            policy,
            &RATLS_OTHER_KMS,
            "The certificate chains up to another KMS than the one in the lock.",
        )
        .found(
            booted_with
                .map(|provider| provider.id.clone())
                .unwrap_or_default(),
        );
    }
    let channel = match bound_key {
        Ok(channel) => channel,
        Err(why) => return not_bound(why, policy),
    };
    let self_made = match channel.mode() {
        BindingMode::RaTls(Issuer::Td) => match accepts_self_made(claims, policy) {
            Ok(accepted) => Some(accepted),
            Err(why) => return open(policy, &RATLS_NO_KMS, why),
        },
        BindingMode::RaTls(Issuer::Kms) | BindingMode::AppKey(_) => None,
    };
    let accepted = known!(platform_of_own_quote(
        claims.certificate.as_deref(),
        policy,
        &OWN_QUOTE
    ));
    bound(channel, tls, policy)
        .accepting(accepted)
        .accepting(self_made)
}

/// A certificate that no KMS signed holds if the policy names the key provider, and so accepts in writing that there is none; a
/// sentence if it does not.
pub(crate) fn accepts_self_made(claims: &Claims, policy: &Policy) -> Result<Acceptance, String> {
    let provider = claims.boot.as_ref().ok().map(BootClaims::key_provider);
    let name = provider
        .map(|provider| provider.name.as_str())
        .unwrap_or_default();
    let Some(Expected { value, origin }) = &policy.key_provider else {
        return Err(not_accepted(name));
    };
    match value {
        KeyProviders::Named(_) if provider.is_some_and(|one| value.names(&one.name, &one.id)) => {
            let reason = format!(
                "The VM's keys come from `{name}`, so no KMS signed the certificate: only the VM's quote vouches for its \
                 key."
            );
            Ok(Acceptance::new(AcceptedKind::SelfMadeCertificate, origin, reason))
        }
        KeyProviders::Named(_) | KeyProviders::AnyKms | KeyProviders::Unchecked => Err(not_accepted(name)),
    }
}

fn not_accepted(name: &str) -> String {
    format!(
        "The VM's keys come from `{name}`, so no KMS signed the certificate, and the policy does not name this key provider."
    )
}
