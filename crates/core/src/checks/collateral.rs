//! `collateral`: Intel's statements about the platform are at hand and in date.

use super::finding::sentence;
use super::tcb_status::eval_floor;
use super::{Check, Finding, QUOTE_NOT_PROVEN, Required, reasons};
use crate::policy::Policy;
use crate::report::{CheckId, Tier, rfc3339};
use crate::verify::age::Age;
use crate::verify::{Claims, CollateralServers, FORECAST, NotProven, UnusableCollateral, VerifiedQuote};

pub(super) const CHECK: Check = Check {
    id: CheckId::Collateral,
    title: "Collateral",
    proves: "Intel's signed statements about this platform are available, authentic and in date.",
    prevents: "A rating of the platform that relies on statements that Intel did not make, no longer makes, or makes about \
               another platform.",
    reasons: REASONS,
    required: Required::From(Tier::Hardware),
    harmless_warnings: &[&NOT_REFETCHED, &ENDS_SOON, &CERTIFICATE_ENDS_SOON],
    run,
    forecasts: &[&NOT_REFETCHED, &ENDS_SOON, &CERTIFICATE_ENDS_SOON],
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    MISSING "missing"
        "There is no collateral for this platform, so its patch level and revocations cannot be checked."
        "Replay a bundle that holds collateral, give it with --collateral, or let `replay` ask for it with \
         --fetch-collateral. In a live run, name another PCCS with --pccs-url: the ones that were asked do not know the \
         platform.";
    UNREACHABLE "unreachable"
        "No source of collateral answered."
        "Run again, and check this machine's DNS and network. If it cannot reach Intel's and Phala's servers, name a PCCS with \
         --pccs-url.";
    EXPIRED "expired"
        "A part of the collateral, or the machine's certificate, has ended, or ended before another part began. That is not \
         the app's fault."
        "Check this machine's clock first: if it is ahead, valid documents look expired. If it is right: a replay judges a file as of \
         the time of its recording with --at, or takes today's collateral with --fetch-collateral; in a live run, the PCCS that was \
         asked does not refresh: name another with --pccs-url. A PCK certificate that ended must be renewed by the operator of the host.";
    NOT_YET_VALID "not-yet-valid"
        "A part of the collateral becomes valid in the future. The deployment is not at fault."
        "Check this machine's clock first (of a replay: --at): if it is behind, valid documents seem to begin in the future. If it is right, \
         name another PCCS with --pccs-url.";
    TOO_OLD "too-old"
        "The collateral was fetched more than 7 days before the time of appraisal, so a later revocation could be missed."
        "Find out why no newer collateral can be fetched: the same command with --no-cache shows the answer of its source. \
         Replay a bundle as of its time of capture, without --at.";
    FETCH_TIME_AHEAD "fetch-time-ahead"
        "By its own record, the collateral was fetched after the time of appraisal, so its age is not known and a \
         revocation could be missed. A clock was wrong, or a file was changed. The deployment is not at fault."
        "Check this machine's clock. Replay a bundle as of its time of capture, without --at; if its own times contradict \
         each other, record it again.";
    MALFORMED "malformed"
        "A document of the collateral is missing, empty or cannot be read. The deployment is not at fault."
        "Run again. If this stays, name another PCCS with --pccs-url and tell the operator of this one; for a file, record \
         the collateral again.";
    NOT_SIGNED_BY_INTEL "not-signed-by-intel"
        "A document of the collateral has no valid signature of Intel: it was changed or serialized again, or another \
         party made it. The deployment is not at fault."
        "Name another PCCS with --pccs-url and tell the operator of this one. For a file, record the documents byte for byte, \
         as the PCCS answers.";
    WRONG_PLATFORM "wrong-platform"
        "A document of the collateral is signed by Intel, but is for another platform, or for SGX. The deployment is not \
         at fault."
        "Give the collateral of the machine that made the quote, for TDX. If a live run says this, name another PCCS with \
         --pccs-url.";
    CLOCK "clock"
        "This machine's clock is before the time at which this version of cvm-verify was made."
        "Set the clock.";
    OLD_SET "old-set"
        "The collateral belongs to an older TCB evaluation set than required: it lacks later advisories, or the TDX module of this \
         machine, which is newer. The deployment is not at fault."
        "Run again; if this stays, name another PCCS with --pccs-url, or ask the operator of this one to refresh it. If you set \
         min-tcb-eval-data-number, check whether Intel's standard set has reached this number.";
    NOT_REFETCHED "not-refetched"
        "The collateral was fetched longer ago than --collateral-max-age, and a newer set could not be fetched."
        "Find out why: after 7 days this is an error. The same command with --no-cache shows the answer of the collateral's \
         source.";
    ENDS_SOON "ends-soon"
        "A part of the collateral expires within 14 days."
        "Nothing yet: Intel renews collateral every few days. If this stays, the PCCS in use does not refresh its \
         collateral.";
    CERTIFICATE_ENDS_SOON "platform-certificate-ends-soon"
        "The certificate that Intel issued for this machine expires within 14 days."
        "Ask the operator of the host to renew the machine's certificate, or redeploy on another host: after it expires, \
         quotes do not verify.";
}

/// What to do about unusable collateral, where more is known than its reason says.
fn advice(unusable: &UnusableCollateral) -> Option<&'static str> {
    let named = CollateralServers::Named;
    Some(match unusable {
        UnusableCollateral::Unreachable { servers, .. } if *servers == named => {
            "Repair the PCCS that --pccs-url names, or correct its URL; or leave that option out, so that Intel's and Phala's \
             servers are asked."
        }
        UnusableCollateral::NotServed { servers, .. } if *servers == named => {
            "Let the PCCS that --pccs-url names fetch the collateral of this platform; or leave that option out, so that Intel's and \
             Phala's servers are asked."
        }
        UnusableCollateral::NotServed { .. } => {
            "Name a PCCS that knows the platform with --pccs-url: Intel's and Phala's servers do not."
        }
        UnusableCollateral::Expired { what, .. } | UnusableCollateral::NoCommonMoment { what, .. }
            if *what == PCK_CERTIFICATE =>
        {
            "Check this machine's clock first (of a replay: --at): if it is ahead, valid documents look expired. If it is right, the operator of the host must \
             renew the machine's certificate, or the app moves to another host."
        }
        UnusableCollateral::Expired { .. } => {
            "Check this machine's clock first: if it is ahead, valid documents look expired. If it is right: a replay judges a file as of \
             the time of its recording with --at, or takes today's collateral with --fetch-collateral; in a live run, the PCCS that was \
             asked does not refresh: name another with --pccs-url."
        }
        UnusableCollateral::NoCommonMoment { .. } => {
            "The PCCS that was asked mixes documents of different times: name another with --pccs-url. For a file, record the \
             collateral again."
        }
        UnusableCollateral::OlderThanModule { .. } => {
            "Run again with --no-cache; if this stays, name another PCCS with --pccs-url, or ask the operator of this one to refresh it. If \
             Intel's own server says this, Intel does not rate the module yet: redeploy on another host, or wait."
        }
        _ => return None,
    })
}

/// The machine's own certificate, as a part of what a quote rests on.
const PCK_CERTIFICATE: &str = "PCK certificate";

/// What is signed holds, and says less than Intel says by now.
fn old_set(quote: &VerifiedQuote, claims: &Claims, policy: &Policy) -> Finding {
    let fault = UnusableCollateral::OldSet {
        number: quote.tcb().eval_data_number,
        floor: eval_floor(claims, policy),
    };
    let from = from(claims);
    Finding::error(&OLD_SET, format!("Not determined: {fault}.{from}"))
        .against(policy.setting("min-tcb-eval-data-number"))
}

/// Where the collateral came from, a sentence.
fn from(claims: &Claims) -> String {
    let source = claims.collateral_source.as_ref();
    source.map_or_else(String::new, |source| {
        format!(" The collateral came from {source}.")
    })
}

/// The finding of collateral that does not serve.
fn unusable(why: &UnusableCollateral, claims: &Claims) -> Finding {
    let reason = match why {
        UnusableCollateral::Missing | UnusableCollateral::NotServed { .. } => &MISSING,
        UnusableCollateral::Unreachable { .. } => &UNREACHABLE,
        UnusableCollateral::Expired { .. } | UnusableCollateral::NoCommonMoment { .. } => &EXPIRED,
        UnusableCollateral::Malformed { .. } => &MALFORMED,
        UnusableCollateral::NotSignedByIntel { .. } => &NOT_SIGNED_BY_INTEL,
        UnusableCollateral::WrongPlatform { .. } => &WRONG_PLATFORM,
        UnusableCollateral::NotYetValid { .. } => &NOT_YET_VALID,
        UnusableCollateral::TooOld { .. } => &TOO_OLD,
        UnusableCollateral::FetchedAhead { .. } => &FETCH_TIME_AHEAD,
        UnusableCollateral::OldSet { .. } | UnusableCollateral::OlderThanModule { .. } => &OLD_SET,
        UnusableCollateral::Clock { .. } => &CLOCK,
    };
    let at = match why {
        UnusableCollateral::Expired { .. } | UnusableCollateral::NotYetValid { .. } => {
            format!(" It was judged at {}.", rfc3339(claims.at))
        }
        _ => String::new(),
    };
    // Nothing came from anywhere.
    let from = match why {
        UnusableCollateral::Missing
        | UnusableCollateral::NotServed { .. }
        | UnusableCollateral::Unreachable { .. } => String::new(),
        _ => from(claims),
    };
    let finding = Finding::error(reason, format!("{}{at}{from}", sentence(&why.to_string())));
    match advice(why) {
        Some(advice) => finding.advising(advice),
        None => finding,
    }
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if let Err(why) = &claims.collateral {
        return unusable(why, claims);
    }
    if let Ok(quote) = &claims.quote
        && quote.tcb().eval_data_number < eval_floor(claims, policy)
    {
        return old_set(quote, claims, policy);
    }
    let overdue = claims
        .collateral_fetched_at
        .filter(|fetched| Age::of(*fetched, claims.at).exceeds(policy.collateral_max_age.seconds()));
    match (&claims.quote, overdue) {
        (Ok(quote), Some(fetched))
            if quote.ends_first() != Some(PCK_CERTIFICATE) || !ends_soon(quote, claims) =>
        {
            Finding::warn(
                &NOT_REFETCHED,
                format!(
                    "The collateral is in date until {}, but it was fetched at {}, and no newer set could be fetched.",
                    rfc3339(quote.expires_at()),
                    rfc3339(fetched)
                ),
            )
        }
        (Ok(quote), _) if ends_soon(quote, claims) => Finding::warn(
            match quote.ends_first() {
                Some(PCK_CERTIFICATE) => &CERTIFICATE_ENDS_SOON,
                _ => &ENDS_SOON,
            },
            format!(
                "The collateral is in date; its first part{} ends at {}.",
                quote
                    .ends_first()
                    .map(|part| format!(", the {part},"))
                    .unwrap_or_default(),
                rfc3339(quote.expires_at())
            ),
        ),
        (Ok(quote), _) => Finding::pass(format!(
            "The collateral is in date until {}.",
            rfc3339(quote.expires_at())
        )),
        (Err(NotProven::Absent | NotProven::NotReached | NotProven::Refused(_)), _) => Finding::error(
            &QUOTE_NOT_PROVEN,
            "Not determined: the quote is refused, so the collateral was not checked with it.",
        ),
    }
}

/// Whether the first part of what the quote relies on ends within the time of a forecast.
fn ends_soon(quote: &VerifiedQuote, claims: &Claims) -> bool {
    quote.expires_at() < claims.at.saturating_add(FORECAST)
}
