//! Whether all parts of the collateral are valid at one time: the time of appraisal.

use dcap_qvl::quote::Quote;
use dcap_qvl::{QuoteClaims, QuoteCollateralV3};

use super::documents::malformed;
use crate::verify::UnusableCollateral;
use crate::verify::validity::{Dated, Windows};

/// The part that is out of date at a time, Unix seconds; or that cannot be read. `own_chain` is the PCK chain that the
/// quote brings, PEM.
pub(super) fn fault(
    collateral: &QuoteCollateralV3,
    own_chain: Option<&str>,
    at: u64,
) -> Option<UnusableCollateral> {
    let windows = match Windows::read(collateral, own_chain) {
        Ok(windows) => windows,
        Err(error) => return Some(malformed(error.what, format!("it is not {}", error.expected))),
    };
    if let (Some(first), Some(last)) = (windows.earliest_end(), windows.latest_start())
        && first.not_after < last.not_before
    {
        return Some(UnusableCollateral::NoCommonMoment {
            what: first.what,
            ended: first.not_after,
            other: last.what,
            begins: last.not_before,
        });
    }
    // The last second of a CRL does not count any more, that of every other part does.
    let ended = windows.expired_at(at).or_else(|| {
        windows
            .expired_at(at.saturating_add(1))
            .filter(|part| part.what.ends_with("CRL"))
    });
    if let Some(part) = ended {
        return Some(UnusableCollateral::Expired {
            what: part.what,
            ended: part.not_after,
        });
    }
    windows
        .not_yet_valid_at(at)
        .map(|part| UnusableCollateral::NotYetValid {
            what: part.what,
            begins: part.not_before,
        })
}

/// The same for collateral with which a quote verified. dcap-qvl looks neither at when a CRL was issued nor at when the
/// root ends; both are among the dates that it proved.
pub(super) fn outside_proven(
    claims: &QuoteClaims,
    collateral: &QuoteCollateralV3,
    own_chain: Option<&str>,
    at: u64,
) -> Option<UnusableCollateral> {
    // Which part it is, in words, comes from what is not proven.
    let what = |named: fn(&Windows, u64) -> Option<&Dated>| {
        let parts = Windows::read(collateral, own_chain).ok();
        parts
            .as_ref()
            .and_then(|parts| named(parts, at))
            .map_or("collateral", |part| part.what)
    };
    if at > claims.earliest_expiration_date {
        return Some(UnusableCollateral::Expired {
            what: what(Windows::expired_at),
            ended: claims.earliest_expiration_date,
        });
    }
    (at < claims.latest_issue_date).then(|| UnusableCollateral::NotYetValid {
        what: what(Windows::not_yet_valid_at),
        begins: claims.latest_issue_date,
    })
}

/// The part that ends first, in words.
pub(super) fn ends_first(collateral: &QuoteCollateralV3, own_chain: Option<&str>) -> Option<&'static str> {
    let windows = Windows::read(collateral, own_chain).ok()?;
    windows.earliest_end().map(|part| part.what)
}

/// The quote's own PCK chain, PEM, where it brings one.
pub(super) fn own_chain(quote: &Quote) -> Option<&str> {
    std::str::from_utf8(quote.raw_cert_chain().ok()?).ok()
}
