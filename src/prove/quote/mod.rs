//! From quote bytes to a [`VerifiedQuote`].
//!
//! dcap-qvl does the cryptography; this module is the only place that talks to it. It checks what dcap-qvl
//! does not (trailing bytes, PCE id, the tail of the QE's report data, when CRLs begin, when the root ends), and finds our own reason when
//! dcap-qvl refuses (`diagnosis`), never by matching message text.

mod diagnosis;
mod layout;
mod signatures;
mod verified;

pub use layout::QuoteLayout;
pub use signatures::forget_signatures;
pub use verified::{TcbVerdict, VerifiedQuote};

use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::{Policy, QuoteClaims, QuoteCollateralV3};
use serde::Deserialize;

use super::facts::{CollateralGap, FORECAST};
use super::{QuoteRefusal, TrustRoot};
use crate::evidence::QuoteBytes;
use signatures::Remembering;

/// What stands between quote bytes and a verified quote.
pub(super) enum NotVerified {
    /// The quote is refused.
    Refused(QuoteRefusal),
    /// The collateral does not serve at this time; the quote would verify at another.
    Collateral(CollateralGap),
}

/// dcap-qvl's claims, unjudged: TCB status and advisories are for the `tcb-status` check, which has the
/// user's dated exceptions. dcap-qvl itself refuses `Revoked`.
struct ClaimsOnly;

impl Policy for ClaimsOnly {
    fn validate(&self, _claims: &QuoteClaims) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Our own checks of the bytes that come before any cryptography.
pub(super) fn precheck(bytes: &QuoteBytes) -> Result<QuoteLayout, QuoteRefusal> {
    let layout = QuoteLayout::of(bytes.as_bytes())?;
    layout.refuse_trailing_bytes(bytes.as_bytes())?;
    Ok(layout)
}

/// Verifies a quote at a time, Unix seconds.
pub(super) fn verify(
    bytes: &QuoteBytes,
    collateral: &QuoteCollateralV3,
    root: &TrustRoot,
    at: u64,
) -> Result<VerifiedQuote, NotVerified> {
    let layout = precheck(bytes).map_err(NotVerified::Refused)?;
    let verifier = match root {
        TrustRoot::Intel => QuoteVerifier::new_prod(),
        TrustRoot::Custom(der) => QuoteVerifier::new(der.clone()),
    }
    .with_config::<Remembering>();
    match verifier.verify_with_policy(bytes.as_bytes(), collateral, at, &ClaimsOnly) {
        Ok(claims) => {
            own_checks(&claims, collateral).map_err(NotVerified::Refused)?;
            if let Some(gap) = diagnosis::outside_proven_dates(bytes, collateral, at, &claims) {
                return Err(NotVerified::Collateral(gap));
            }
            let soon = claims.earliest_expiration_date < at.saturating_add(FORECAST);
            let ends_first = soon.then(|| diagnosis::ends_first(bytes, collateral)).flatten();
            VerifiedQuote::new(claims, layout.signed_part(bytes.as_bytes()))
                .map(|quote| quote.naming_the_end(ends_first))
                .map_err(NotVerified::Refused)
        }
        Err(error) => {
            let verifies_at = |time| {
                verifier
                    .verify_with_policy(bytes.as_bytes(), collateral, time, &ClaimsOnly)
                    .is_ok_and(|claims| own_checks(&claims, collateral).is_ok())
            };
            Err(diagnosis::diagnose(bytes, collateral, at, verifies_at, &error))
        }
    }
}

/// What dcap-qvl leaves to its caller.
fn own_checks(claims: &QuoteClaims, collateral: &QuoteCollateralV3) -> Result<(), QuoteRefusal> {
    /// The member of the signed TCB info that dcap-qvl does not compare (dstack-attestation.md §2.6).
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct PceIdOnly {
        pce_id: String,
    }

    let signed: PceIdOnly = serde_json::from_str(&collateral.tcb_info)
        .map_err(|_| QuoteRefusal::NotVerified("the TCB info names no PCE id".to_owned()))?;
    let ours = hex::encode(&claims.platform.pck.pce_id);
    if !signed.pce_id.eq_ignore_ascii_case(&ours) {
        return Err(QuoteRefusal::NotVerified(format!(
            "the platform certificate's PCE id is {ours}, the TCB info is for {}",
            signed.pce_id.chars().take(16).collect::<String>()
        )));
    }
    // Intel's quoting enclave writes its hash to the first half and leaves the second zero.
    if claims
        .qe
        .report
        .report_data
        .iter()
        .skip(32)
        .any(|byte| *byte != 0)
    {
        return Err(QuoteRefusal::NotVerified(
            "the quoting enclave's report data has an unexpected tail".to_owned(),
        ));
    }
    Ok(())
}
