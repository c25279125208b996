//! From quote bytes to a [`VerifiedQuote`].
//!
//! | step | file | a fault is |
//! |---|---|---|
//! | what the bytes are | `layout` | the quote's |
//! | its own signatures, up to the trusted root, and the TD's attributes | `own_signatures`, `attributes` | the quote's |
//! | everything, with the collateral, at one time | `shorter_chains`, dcap-qvl, `dates` | see below |
//! | who is to blame where that refused | `blame`: `documents`, `platform`, `dates`, `tcb_level` | the machine's or the collateral's |
//!
//! dcap-qvl does the cryptography of an acceptance; this module is the only place that talks to it. The steps around it
//! check what it does not (trailing bytes, PCE id, the tail of the QE's report data, when CRLs begin, when the root ends),
//! and find our own reason when it refuses, never by matching message text.

mod attributes;
mod blame;
pub(crate) mod certificate;
mod dates;
mod documents;
mod eval_floor;
mod extents;
mod layout;
mod own_signatures;
mod platform;
mod qe_report;
mod set;
mod shorter_chains;
mod signature_cache;
#[cfg(test)]
mod simulated_tests;
mod tcb;
mod tcb_level;
mod verified;

pub use eval_floor::built_in_eval_floor;
pub use extents::QuoteExtents;
pub use layout::QuoteLayout;
pub use set::judge_collateral;
pub use signature_cache::SignatureCache;
pub use tcb::{TcbMoment, TcbRating, TcbVerdict, severity};
pub use tcb_level::{Component, ShortOf};
pub use verified::VerifiedQuote;

use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{Policy, QuoteClaims, QuoteCollateralV3, TcbStatus};
use serde::Deserialize;

use super::not_proven::{FORECAST, UnusableCollateral};
use super::{QuoteRefusal, TrustRoot};
use crate::evidence::QuoteBytes;
use crate::recent::Recent;
use own_signatures::SelfProven;
use signature_cache::Remembering;

/// What is between quote bytes and a verified quote.
pub(super) enum NotVerified {
    /// The quote is refused.
    Refused(QuoteRefusal),
    /// The collateral does not serve.
    Collateral(UnusableCollateral),
}

/// dcap-qvl's claims, unjudged: TCB status and advisories are for the `tcb-status` check, which has the
/// user's dated exceptions. dcap-qvl itself refuses `Revoked`.
struct ClaimsOnly;

impl Policy for ClaimsOnly {
    fn validate(&self, _claims: &QuoteClaims) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Our own checks, which come before the collateral: what the bytes are, and whether the quote's own signatures hold.
fn own_proof(bytes: &QuoteBytes, root: &TrustRoot) -> Result<(QuoteLayout, SelfProven), QuoteRefusal> {
    let bytes = bytes.as_bytes();
    let layout = QuoteLayout::of(bytes)?;
    layout.refuse_trailing_bytes(bytes)?;
    Ok((layout, own_signatures::check(bytes, layout, root)?))
}

/// What can be said of a quote without collateral: that it is refused. `Ok` accepts nothing.
pub(super) fn refuse_alone(bytes: &QuoteBytes, root: &TrustRoot) -> Result<(), QuoteRefusal> {
    let (_, own) = own_proof(bytes, root)?;
    own.machine.map(|_| ()).ok_or_else(blame::no_chain)
}

/// Verifies a quote at a time, Unix seconds.
pub(super) fn verify(
    bytes: &QuoteBytes,
    collateral: &QuoteCollateralV3,
    root: &TrustRoot,
    at: u64,
) -> Result<VerifiedQuote, NotVerified> {
    let (layout, own) = own_proof(bytes, root).map_err(NotVerified::Refused)?;
    let verifier = match root {
        TrustRoot::Intel => QuoteVerifier::new_prod(),
        TrustRoot::Custom(der) => QuoteVerifier::new(der.clone()),
    }
    .with_config::<Remembering>();
    let given = collateral;
    let collateral = &*shorter_chains::beside_own_chain(given, own.machine.is_some());
    let own_chain = dates::own_chain(&own.quote);
    let verified = |collateral| verifier.verify_with_policy(bytes.as_bytes(), collateral, at, &ClaimsOnly);
    let claims = verified(shorter_chains::shortened(collateral, own_chain, root))
        .or_else(|_| verified(collateral.clone()))
        .map_err(|error| blame::find(&own, given, root, at, &error))?;
    if let Some(Err(unusable)) = blame::collateral_machine(&own, given, root) {
        return Err(NotVerified::Collateral(unusable));
    }
    same_pce(&claims, collateral).map_err(NotVerified::Collateral)?;
    if let Some(unusable) = dates::outside_proven(&claims, collateral, own_chain, at) {
        return Err(NotVerified::Collateral(unusable));
    }
    let soon = claims.earliest_expiration_date < at.saturating_add(FORECAST);
    let ends_first = soon.then(|| dates::ends_first(collateral, own_chain)).flatten();
    let quote = VerifiedQuote::new(claims, layout.signed_part(bytes.as_bytes()))
        .map_err(NotVerified::Refused)?
        .naming_the_end(ends_first);
    if quote.tcb().status == TcbStatus::UpToDate {
        return Ok(quote);
    }
    let short_of = own.machine.as_deref().map(|machine| {
        tcb_level::short_of_up_to_date(
            &collateral.tcb_info,
            &collateral.qe_identity,
            machine,
            &own.quote,
            &own.qe,
        )
    });
    Ok(quote.short_of(short_of.unwrap_or_default()))
}

/// The PCE ids of the last TCB infos, by their texts: all quotes of a platform bring one.
static PCE_IDS: Recent<String, String> = Recent::new();

/// The PCE id of the machine's certificate is the one that the TCB info is for: dcap-qvl does not compare them.
fn same_pce(claims: &QuoteClaims, collateral: &QuoteCollateralV3) -> Result<(), UnusableCollateral> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct PceIdOnly {
        pce_id: String,
    }

    let text = &collateral.tcb_info;
    let read = |text: &String| serde_json::from_str(text).map(|PceIdOnly { pce_id }| pce_id);
    let signed = PCE_IDS
        .of(text.clone(), text.len(), read)
        .map_err(|_| documents::malformed(documents::TCB_INFO, "`pceId` is missing"))?;
    let own = hex::encode(&claims.platform.pck.pce_id);
    if signed.eq_ignore_ascii_case(&own) {
        return Ok(());
    }
    Err(documents::wrong_platform(
        documents::TCB_INFO,
        format!(
            "it is for the PCE id {}, and the machine's certificate says {own}",
            documents::bounded(&signed)
        ),
    ))
}
