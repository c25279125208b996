//! `tls-binding`: the key of the live TLS connection is held by the VM whose evidence was verified.
//!
//! The one check that grants `endpoint`, and only for a [`BoundChannel`](crate::verify::BoundChannel); and `endpoint-replayable` for a
//! [`BoundIngress`](crate::verify::BoundIngress). While nobody asked for a binding it informs: it passes, warns or is skipped, and
//! fails nothing.

mod asked;
mod bound;
mod ingress;
mod not_bound;
mod own_quote;
mod probed;
mod ra_tls;
mod reasons;

use super::{Check, Finding, Required, proven_quote};
use crate::evidence::TlsHost;
use crate::policy::{Policy, TlsBinding};
use crate::report::{CheckId, SideTier};
use crate::verify::{Claims, Layout, NotBound, Tls};
use asked::{asked_by, is_asked, is_asked_of_any_source, open, wrong};
use bound::bound;
use not_bound::not_bound;
pub(crate) use ra_tls::accepts_self_made;
use ra_tls::ra_tls;
use reasons::*;

pub(super) const CHECK: Check = Check {
    id: CheckId::TlsBinding,
    title: "TLS binding",
    proves: "The server that answered at this address holds a TLS key that the verified VM itself quoted.",
    prevents: "A relay: a server that forwards the evidence of a genuine VM and runs other code. Without this check a pass \
               says nothing about who serves the address.",
    reasons: REASONS,
    required: Required::Grants(&[SideTier::EndpointReplayable, SideTier::Endpoint]),
    harmless_skips: &[&NO_CONNECTION, &RECORDED],
    is_configured: is_asked,
    // The certificate of a VM may have been refused before anything was sent to the server.
    without_evidence: |failure, policy| Some(not_bound(failure.certificate.as_ref()?, policy)),
    run,
    ..Check::BASE
};

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

/// Whether the 32 bytes with the nonce should be those of the TLS key. Without a mode they may be of another key of the app's,
/// which the user may even have named.
fn is_tls_key_expected(tls: &Tls, policy: &Policy) -> bool {
    let is_of_private_ai = policy.report_data.layout == Some(Layout::PrivateAi);
    let is_looked_at = is_asked(policy) || (policy.report_data.layout.is_none() && tls.quotes_another_key());
    is_looked_at && tls.may_quote_a_key && policy.report_data.key.is_none() && !is_of_private_ai
}

fn unbound(tls: &Tls, policy: &Policy) -> Finding {
    match tls.host {
        TlsHost::Gateway => open(
            policy,
            &GATEWAY_TERMINATED,
            "TLS for this name ends in a dstack gateway, which chooses the VM of the app that answers. That the answers come from \
             the verified VM is not proven.",
        ),
        TlsHost::Passthrough | TlsHost::Other => not_bound::nothing(policy),
    }
}

fn app_key(tls: &Tls, policy: &Policy) -> Finding {
    match &tls.app_key {
        Ok(channel) => bound(channel, tls, policy),
        Err(NotBound::Absent) => {
            let sentence = if tls.app_key_layout.is_some() {
                "The app quoted a key with the nonce, but no trusted CA vouches for the certificate."
            } else {
                "The layout of the report data has no place for a key."
            };
            wrong(policy, &NO_APP_KEY, sentence)
        }
        Err(why) => not_bound(why, policy),
    }
}
