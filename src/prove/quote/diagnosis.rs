//! Why dcap-qvl refused: our own reason, found in the unproven bytes.
//!
//! A reason for a refusal may come from unproven bytes; an acceptance never does. dcap-qvl's message is shown
//! to people and never decides (threats.md, "Fail or error").

use dcap_qvl::intel::{PckExtension, extract_cert_chain, parse_pck_extension, parse_pck_extension_from_pem};
use dcap_qvl::quote::{Quote, TDAttributes};
use dcap_qvl::{QeIdentity, QuoteClaims, QuoteCollateralV3, TcbInfo, TcbStatus};

use super::NotVerified;
use crate::collateral::window::{Dated, Windows};
use crate::evidence::QuoteBytes;
use crate::prove::QuoteRefusal;
use crate::prove::facts::CollateralGap;

/// Finds the reason. `verifies_at` says whether the quote would verify at another time.
pub(super) fn diagnose(
    bytes: &QuoteBytes,
    collateral: &QuoteCollateralV3,
    at: u64,
    verifies_at: impl Fn(u64) -> bool,
    error: &anyhow::Error,
) -> NotVerified {
    let quote = match Quote::parse(bytes.as_bytes()) {
        Ok(quote) => quote,
        Err(error) => return NotVerified::Refused(QuoteRefusal::Malformed(for_people(&error))),
    };
    if let Some(gap) = outside_its_dates(&quote, collateral, at, verifies_at) {
        return NotVerified::Collateral(gap);
    }
    NotVerified::Refused(
        refused_attributes(&quote)
            .or_else(|| refused_level(&quote, collateral))
            .unwrap_or_else(|| QuoteRefusal::NotVerified(for_people(error))),
    )
}

/// dcap-qvl looks neither at when a CRL was issued nor at when the root ends. Both are among the dates that it proved.
pub(super) fn outside_proven_dates(
    bytes: &QuoteBytes,
    collateral: &QuoteCollateralV3,
    at: u64,
    claims: &QuoteClaims,
) -> Option<CollateralGap> {
    let in_date = (claims.latest_issue_date..=claims.earliest_expiration_date).contains(&at);
    if in_date {
        return None;
    }
    // Which part it is, in words, comes from what is not proven.
    let parts = Quote::parse(bytes.as_bytes())
        .ok()
        .and_then(|quote| Windows::read(collateral, own_chain(&quote, collateral)).ok());
    let what = |named: fn(&Windows, u64) -> Option<&Dated>| {
        parts
            .as_ref()
            .and_then(|parts| named(parts, at))
            .map_or("collateral", |part| part.what)
    };
    Some(if at < claims.latest_issue_date {
        CollateralGap::NotYetValid {
            what: what(Windows::not_yet_valid_at),
            begins: claims.latest_issue_date,
        }
    } else {
        CollateralGap::Expired {
            what: what(Windows::expired_at),
            ended: claims.earliest_expiration_date,
        }
    })
}

/// The part that ends first, in words.
pub(super) fn ends_first(bytes: &QuoteBytes, collateral: &QuoteCollateralV3) -> Option<&'static str> {
    let quote = Quote::parse(bytes.as_bytes()).ok()?;
    let windows = Windows::read(collateral, own_chain(&quote, collateral)).ok()?;
    windows.earliest_end().map(|part| part.what)
}

/// The collateral's dates are the reason exactly where the quote verifies inside them.
fn outside_its_dates(
    quote: &Quote,
    collateral: &QuoteCollateralV3,
    at: u64,
    verifies_at: impl Fn(u64) -> bool,
) -> Option<CollateralGap> {
    let windows = Windows::read(collateral, own_chain(quote, collateral)).ok()?;
    // The last second of a CRL does not count any more, that of every other part does.
    let ended = windows
        .expired_at(at)
        .or_else(|| windows.expired_at(at.saturating_add(1)));
    let gap = if let Some(part) = ended {
        CollateralGap::Expired {
            what: part.what,
            ended: part.not_after,
        }
    } else if let Some(part) = windows.not_yet_valid_at(at) {
        CollateralGap::NotYetValid {
            what: part.what,
            begins: part.not_before,
        }
    } else {
        return None;
    };
    instant_inside(&windows).is_some_and(verifies_at).then_some(gap)
}

/// A moment at which dcap-qvl finds everything in date. It does not ask when CRLs were issued, so that documents which
/// ended before the CRLs of today were issued still have one.
fn instant_inside(windows: &Windows) -> Option<u64> {
    let documents = windows.parts().iter().filter(|part| !part.what.ends_with("CRL"));
    let start = documents.map(|part| part.not_before).max()?;
    let end = windows.earliest_end()?.not_after;
    (start < end).then(|| start + (end - start) / 2)
}

/// The quote's own PCK chain, where the collateral has none that takes its place.
fn own_chain<'a>(quote: &'a Quote, collateral: &QuoteCollateralV3) -> Option<&'a str> {
    if collateral.pck_certificate_chain.is_some() {
        return None;
    }
    std::str::from_utf8(quote.raw_cert_chain().ok()?).ok()
}

/// The attribute bits that dcap-qvl refuses (TDX module ABI; dstack-attestation.md §2.4).
fn refused_attributes(quote: &Quote) -> Option<QuoteRefusal> {
    let attributes = TDAttributes::parse(quote.report.as_td10()?.td_attributes).ok()?;
    let service_td = quote
        .report
        .as_td15()
        .is_some_and(|report| report.mr_service_td != [0; 48]);
    let found = [
        (
            attributes.tud & 0x01 != 0,
            "DEBUG: the host can read and change the VM's memory",
        ),
        (
            attributes.tud & 0x70 != 0,
            "profiling bits: the host can observe the VM's execution",
        ),
        (attributes.reserved != 0, "reserved bits are set"),
        (
            attributes.sec.migratable,
            "MIGRATABLE: the host can move the VM's memory elsewhere",
        ),
        (
            attributes.sec.servtd_ext,
            "SERVTD_EXT: service TDs may be bound to the VM",
        ),
        (!attributes.sec.sept_ve_disable, "SEPT_VE_DISABLE is not set"),
        (
            service_td,
            "MRSERVICETD is not zero: a service TD is bound to the VM",
        ),
    ];
    found
        .into_iter()
        .find(|(refused, _)| *refused)
        .map(|(_, what)| QuoteRefusal::AttributesRefused(what.to_owned()))
}

/// Whether every TCB level is above the platform's, or the matching one is revoked.
fn refused_level(quote: &Quote, collateral: &QuoteCollateralV3) -> Option<QuoteRefusal> {
    let pck = pck_extension(quote, collateral)?;
    let tcb_info: TcbInfo = serde_json::from_str(&collateral.tcb_info).ok()?;
    let td10 = quote.report.as_td10()?;
    let launch_and_current = [
        Some(td10.tee_tcb_svn),
        quote.report.as_td15().map(|report| report.tee_tcb_svn2),
    ]
    .into_iter()
    .flatten();
    let mut statuses = Vec::new();
    for svn in launch_and_current {
        let level = tcb_info.tcb_levels.iter().find(|level| {
            level
                .shortfalls(&pck.cpu_svn, pck.pce_svn, Some(&svn))
                .is_ok_and(|short| short.is_empty())
        });
        match level {
            None => return Some(QuoteRefusal::NoMatchingTcbLevel),
            Some(level) => statuses.push(level.tcb_status),
        }
        if let Ok(Some(module)) = tcb_info.tdx_module_identity(&svn) {
            match module
                .tcb_levels
                .iter()
                .find(|level| level.shortfall(&svn).is_none())
            {
                None => return Some(QuoteRefusal::NoMatchingTcbLevel),
                Some(level) => statuses.push(level.tcb_status),
            }
        }
    }
    if let (Ok(identity), Some(isv_svn)) = (
        serde_json::from_str::<QeIdentity>(&collateral.qe_identity),
        qe_isv_svn(quote),
    ) {
        statuses.extend(
            identity
                .tcb_levels
                .iter()
                .find(|level| level.tcb.isvsvn <= isv_svn)
                .map(|level| level.tcb_status),
        );
    }
    statuses
        .contains(&TcbStatus::Revoked)
        .then_some(QuoteRefusal::Revoked)
}

/// ISVSVN of the quoting enclave: u16 at byte 258 of its SGX report.
fn qe_isv_svn(quote: &Quote) -> Option<u16> {
    Some(u16::from_le_bytes(*quote.qe_report().get(258..)?.first_chunk()?))
}

/// The platform certificate's extension: from the collateral's chain where it has one, as dcap-qvl does.
fn pck_extension(quote: &Quote, collateral: &QuoteCollateralV3) -> Option<PckExtension> {
    match &collateral.pck_certificate_chain {
        Some(pem) => parse_pck_extension_from_pem(pem.as_bytes()).ok(),
        None => parse_pck_extension(extract_cert_chain(quote).ok()?.first()?).ok(),
    }
}

/// dcap-qvl's message for people, bounded. Rendering escapes it.
fn for_people(error: &anyhow::Error) -> String {
    format!("{error:#}").chars().take(200).collect()
}
