//! `freshness`: the quote was made for this run.

use super::{Check, Finding, Heals, QUOTE_NOT_PROVEN, Required, proven_quote, reasons};
use crate::checks::known;
use crate::policy::{Freshness, Policy, TlsBinding};
use crate::report::{CheckId, Tier};
use crate::verify::{Claims, Layout};

pub(super) const CHECK: Check = Check {
    id: CheckId::Freshness,
    title: "Freshness",
    proves: "The quote was made after this run asked for it: this run's random nonce is signed inside.",
    prevents: "Replaying an old quote of a deployment that no longer exists. (Not relaying: see the verdict line.)",
    reasons: REASONS,
    required: Required::From(Tier::Hardware),
    run,
    convicts: &[(&NONCE_MISMATCH, Heals::UnlessExpectedRuns)],
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    NONCE_MISMATCH "nonce-mismatch"
        "The signed report data does not contain this run's nonce: the quote was made for someone else, or earlier."
        "If an answer of /attestation can come from a cache (a CDN, a proxy, the app), turn that cache off. If the app signs \
         its own data instead of the nonce, use --freshness unchecked. Otherwise an old quote is being replayed: treat the \
         host as hostile.";
    OTHER_LAYOUT "other-layout"
        "The signed report data contains this run's nonce in a layout that the policy does not accept. The quote is not a \
         replay, but the policy does not say what the other bytes mean."
        "If the app is meant to sign the nonce in this layout, name it with --report-data. Otherwise have the app quote the 32 \
         bytes of the nonce: see docs/expose-endpoints.md.";
    NO_NONCE "no-nonce"
        "The evidence was requested without a nonce, so nothing proves when it was made."
        "Verify the app's own /attestation: the guest agent and Phala Cloud's API sign no nonce. For a recording, replay a \
         bundle that such a run wrote, or give the nonce with --nonce. Or waive this with --freshness unchecked.";
    UNCHECKED "unchecked"
        "Waived with --freshness unchecked."
        "Remove `--freshness unchecked` once the app signs the verifier's nonce.";
}

/// The layouts that are accepted if the policy names none. A layout with a key is one of them only if `tls-binding` compares that
/// key with the key of the connection.
///
/// A key other than the connection's does not make the quote older: the nonce was not known before the request. A party that can
/// have 64 bytes of its choice quoted can also have the nonce quoted in the layout `raw`. So the nonce after such a key is fresh,
/// and `tls-binding` says that another key answered.
fn default_layouts(claims: &Claims, policy: &Policy) -> Vec<Layout> {
    let tls = claims.tls.as_ref();
    let is_compared = tls.is_some_and(|tls| tls.quotes_its_key() || tls.quotes_another_key())
        || policy.tls_mode() == TlsBinding::AppKey;
    let with_key = tls.filter(|_| is_compared).and_then(|tls| tls.app_key_layout);
    Layout::AUTO.into_iter().chain(with_key).collect()
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if policy.freshness == Freshness::Unchecked {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::Freshness),
            "Waived: the quote may have been made at any time.",
        );
    }
    let quote = known!(proven_quote(claims));
    let Some(nonce) = claims.nonce else {
        return Finding::skip(
            &NO_NONCE,
            "The evidence contains no nonce, so nothing proves when it was made.",
        );
    };
    let accepted = accepted_layouts(claims, policy);
    let expected: Vec<String> = accepted
        .iter()
        .map(|layout| {
            let text = layout.expected_text(&nonce, policy.report_data.key.as_ref());
            format!("{text} ({layout})")
        })
        .collect();
    let finding = match binding(claims, policy) {
        Binding::Accepted(layout) => {
            return Finding::pass(format!(
                "The quote signs the nonce of this evidence (layout `{layout}`)."
            ));
        }
        Binding::OtherLayout(layout) => Finding::error(
            &OTHER_LAYOUT,
            format!(
                "The signed report data contains the nonce that was sent, in the layout `{layout}`, which the policy does not \
                 accept. If the app is meant to sign this layout, add --report-data {layout}."
            ),
        )
        .against(policy.report_data.layout.and_then(|_| policy.setting("report-data"))),
        Binding::Absent => Finding::fail(
            &NONCE_MISMATCH,
            "The signed report data does not contain the nonce that was sent.",
        ),
    };
    finding.comparing(expected.join(" or "), hex::encode(quote.report_data()))
}

fn accepted_layouts(claims: &Claims, policy: &Policy) -> Vec<Layout> {
    match policy.report_data.layout {
        Some(layout) => vec![layout],
        None => default_layouts(claims, policy),
    }
}

/// Whether the quote signs the nonce of this evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// In a layout that the policy accepts.
    Accepted(Layout),
    /// In another one.
    OtherLayout(Layout),
    /// It does not, or no quote is proven, or no nonce was sent.
    Absent,
}

/// Whether the quote signs the nonce of this evidence, whatever was waived.
pub(super) fn binding(claims: &Claims, policy: &Policy) -> Binding {
    let (Ok(quote), Some(nonce)) = (&claims.quote, &claims.nonce) else {
        return Binding::Absent;
    };
    let data = quote.report_data();
    let mut accepted = accepted_layouts(claims, policy).into_iter();
    match accepted.find(|layout| layout.holds(data, nonce)) {
        Some(layout) => Binding::Accepted(layout),
        None => Layout::that_gives(data, nonce).map_or(Binding::Absent, Binding::OtherLayout),
    }
}
