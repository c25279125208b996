//! `tcb-status`: the platform is patched.

use crate::checks::known;
use dcap_qvl::TcbStatus;

use super::{Acceptance, Check, Finding, InCertificate, QUOTE_NOT_PROVEN, Required, proven_quote, reasons};
use crate::policy::{Policy, TcbException};
use crate::report::{AcceptedKind, CheckId, Tier, day, rfc3339};
use crate::verify::{
    Claims, EarlyTcb, FORECAST, ShortOf, TcbMoment, TcbRating, TcbVerdict, built_in_eval_floor, severity,
};

pub(super) const CHECK: Check = Check {
    id: CheckId::TcbStatus,
    title: "Platform TCB",
    proves: "Intel rates the platform's firmware, TDX module and quoting enclave as up to date.",
    prevents: "Attacks on platforms with known vulnerabilities, and PCCSs that serve older sets to hide newer advisories.",
    reasons: REASONS,
    required: Required::From(Tier::Hardware),
    harmless_warnings: &[&EARLY_SET_REFUSES, &ADVISORY, &PLATFORM_CHANGED],
    run,
    forecasts: &[&EXCEPTION_ENDS_SOON, &EARLY_SET_REFUSES],
    in_certificate: InCertificate::ToBeMet,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    NOT_UP_TO_DATE "not-up-to-date"
        "Intel rates the platform lower than UpToDate."
        "What helps depends on the status, and the result names it: OutOfDate needs a patched host; ConfigurationNeeded another \
         setting of the host; SWHardeningNeeded a newer OS image, or an app that needs no mitigation; TDRelaunchAdvised a restart \
         of the VM. To continue until then, accept it until a date: --accept-tcb STATUS:until=YYYY-MM-DD, or `accept-tcb` in the policy file.";
    EXCEPTION_ENDED "exception-ended"
        "The exception that accepted this status has ended."
        "Look at the advisories again; then redeploy on a patched host, or renew the exception.";
    EVAL_DATA_NUMBER "eval-data-number-too-low"
        "The collateral belongs to an older TCB evaluation set than required, which lacks later advisories. The deployment \
         is not at fault."
        "Run again; if this stays, name another PCCS with --pccs-url, or ask the operator of this one to refresh it.";
    ACCEPTED_EXCEPTION "accepted-exception"
        "The platform is not up to date; a dated exception accepts it."
        "Redeploy on a patched host before the exception ends.";
    EXCEPTION_ENDS_SOON "exception-ends-soon"
        "The platform is not up to date; the exception that accepts it ends within 14 days."
        "Redeploy on a patched host before the end; after it this check fails.";
    EARLY_SET_REFUSES "early-set-refuses"
        "The platform is up to date according to Intel's current set of TCB levels, but not according to the next one."
        "Redeploy on a patched host in the weeks before Intel's next set becomes the standard one.";
    ADVISORY "advisory"
        "The platform is up to date, but Intel names advisories that apply to it."
        "Read the advisories: they may require a measure that a quote cannot show.";
    PLATFORM_CHANGED "platform-changed"
        "The platform is another model than the locked one."
        "If the deployment moved to another host on purpose, run `cvm-verify pin` and review the difference.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let quote = known!(proven_quote(claims));
    let tcb = quote.tcb();
    let floor = eval_floor(claims, policy);
    if tcb.eval_data_number < floor {
        // Collateral never comes from the deployment: the check `collateral` says whose it is.
        return Finding::error(
            &EVAL_DATA_NUMBER,
            "Not determined: the collateral belongs to an older evaluation set than required.",
        )
        .comparing(
            format!("evaluation data number of at least {floor}"),
            tcb.eval_data_number.to_string(),
        )
        .against(policy.setting("min-tcb-eval-data-number"));
    }
    let advisories = list(&tcb.advisory_ids);
    if tcb.status != TcbStatus::UpToDate {
        return not_up_to_date(tcb, quote.shortfalls(), claims.at, policy);
    }
    if let Some(forecast) = early_refusal(&claims.early) {
        let advised = match tcb.advisory_ids.as_slice() {
            [] => String::new(),
            _ => format!(" Intel names {advisories}."),
        };
        return Finding::warn(
            &EARLY_SET_REFUSES,
            format!("The platform is up to date, but {forecast}.{advised}"),
        );
    }
    let locked = policy.locked_platform.as_ref();
    if let Some((lock, fmspc)) = locked.and_then(|locked| Some((&locked.lock, locked.fmspc?)))
        && fmspc != *quote.fmspc()
    {
        return Finding::warn(
            &PLATFORM_CHANGED,
            format!("The platform is up to date, but not the model in {lock}."),
        )
        .comparing(
            format!("FMSPC {}", hex::encode(fmspc)),
            format!("FMSPC {}", hex::encode(quote.fmspc())),
        )
        .against(lock.key(&["platform", "fmspc"]));
    }
    if tcb.advisory_ids.is_empty() {
        let unknown = match &claims.early {
            EarlyTcb::Unavailable(_) => " Intel's early set, which would warn in advance, was not available.",
            _ => "",
        };
        let needless = match policy.tcb.exceptions.first() {
            Some(exception) => format!(" The exception of {} is not needed: remove it.", exception.by()),
            None => String::new(),
        };
        Finding::pass(format!(
            "The platform is up to date (evaluation data number {}).{unknown}{needless}",
            tcb.eval_data_number
        ))
    } else {
        Finding::warn(
            &ADVISORY,
            format!("The platform is up to date; Intel names {advisories}."),
        )
    }
}

/// The lowest evaluation data number that is accepted.
pub(super) fn eval_floor(claims: &Claims, policy: &Policy) -> u32 {
    built_in_eval_floor(claims.at).max(policy.tcb.min_eval_data_number.unwrap_or(0))
}

/// What the next set will say, where it is no longer `UpToDate`.
fn early_refusal(early: &EarlyTcb) -> Option<String> {
    match early {
        EarlyTcb::Judged(next) if next.status != TcbStatus::UpToDate => Some(format!(
            "Intel's early set (evaluation data number {}) rates it {}",
            next.eval_data_number, next.status
        )),
        EarlyTcb::Refused(why) => Some(format!("Intel's early set refuses it: {why}")),
        EarlyTcb::Judged(_) | EarlyTcb::Nothing | EarlyTcb::Unavailable(_) => None,
    }
}

/// Every rating that is not `UpToDate` needs an exception of its own. The worst one without an exception is named.
fn not_up_to_date(tcb: &TcbVerdict, short: &[ShortOf], at: u64, policy: &Policy) -> Finding {
    let mut low: Vec<&TcbRating> = tcb
        .ratings
        .iter()
        .filter(|rating| rating.status != TcbStatus::UpToDate)
        .collect();
    low.sort_by_key(|rating| std::cmp::Reverse(severity(rating.status)));
    let mut held: Vec<(&TcbRating, &TcbException)> = Vec::new();
    for rating in low {
        let status = rating.status.to_string();
        match exception_of(rating, policy) {
            Some(exception) if at < exception.ends => held.push((rating, exception)),
            Some(exception) => {
                // The end is the first second after the last day.
                let last = day(exception.ends.saturating_sub(1)).map(|day| day.to_string());
                let detail = format!(
                    "{}; the exception of {} ended with {}.",
                    said(rating, tcb),
                    exception.by(),
                    last.unwrap_or_default()
                );
                return Finding::fail(&EXCEPTION_ENDED, detail)
                    .comparing("UpToDate", status)
                    .against(exception.origin.clone())
                    .advising(format!(
                        "{} Or look at the advisories again, and renew the exception of {}.",
                        remedy(rating.status),
                        exception.by()
                    ));
            }
            None => {
                let remedy = remedy(rating.status);
                let narrow = too_narrow(rating, policy);
                let lacks = narrow.as_ref().map(|(exception, missing)| {
                    format!(
                        " The exception of {} does not cover {}.",
                        exception.by(),
                        list(missing)
                    )
                });
                let detail = format!(
                    "{}.{}{}",
                    said(rating, tcb),
                    lacks.unwrap_or_default(),
                    what_is_short(short)
                );
                let finding = Finding::fail(&NOT_UP_TO_DATE, detail).comparing("UpToDate", &status);
                if let Some((exception, missing)) = narrow {
                    return finding.against(exception.origin.clone()).advising(format!(
                        "{remedy} Or read {}, and add what you accept to `advisories=` of the exception of {}.",
                        list(&missing),
                        exception.by()
                    ));
                }
                return finding.advising(match TcbException::until(&status, at) {
                    Some(exception) => format!(
                        "{remedy} To continue until then, accept it until a date: --accept-tcb {exception}, or `accept-tcb` in the policy file."
                    ),
                    None => format!("{remedy} Nothing accepts this status."),
                });
            }
        }
    }
    accepted(&held, tcb, at)
}

/// What `--accept-tcb` has to say for this platform, for 30 days from `at` on, Unix seconds: an exception for each rating that is not
/// `UpToDate`. Empty if the policy needs none, and for a status that is never accepted.
#[must_use]
pub fn tcb_exceptions(claims: &Claims, policy: &Policy, at: u64) -> Vec<String> {
    let Ok(quote) = &claims.quote else {
        return Vec::new();
    };
    let ratings = quote.tcb().ratings.iter();
    let low: Vec<&TcbRating> = ratings
        .filter(|rating| rating.status != TcbStatus::UpToDate)
        .collect();
    let is_held = |rating: &&TcbRating| exception_of(rating, policy).is_some_and(|held| at < held.ends);
    if low.iter().all(is_held) {
        return Vec::new();
    }
    let mut exceptions: Vec<String> = low
        .iter()
        .filter_map(|rating| TcbException::until(&rating.status.to_string(), at))
        .collect();
    exceptions.sort_unstable();
    exceptions.dedup();
    exceptions
}

/// The longest-lived exception that covers status and advisories of a rating.
fn exception_of<'p>(rating: &TcbRating, policy: &'p Policy) -> Option<&'p TcbException> {
    let covers = |exception: &&TcbException| {
        let advisories = exception.advisories.as_ref();
        exception.status == rating.status
            && advisories.is_none_or(|list| rating.advisory_ids.iter().all(|id| list.contains(id)))
    };
    policy
        .tcb
        .exceptions
        .iter()
        .filter(covers)
        .max_by_key(|exception| exception.ends)
}

/// The exception for the status of a rating that lacks the fewest of its advisories, and those. None covers all of them.
fn too_narrow<'p>(rating: &TcbRating, policy: &'p Policy) -> Option<(&'p TcbException, Vec<String>)> {
    let lacking = |exception: &'p TcbException| {
        let listed = exception.advisories.as_ref()?;
        let missing = rating.advisory_ids.iter().filter(|id| !listed.contains(id));
        (exception.status == rating.status).then(|| (exception, missing.cloned().collect()))
    };
    let narrow = policy.tcb.exceptions.iter().filter_map(lacking);
    narrow.min_by_key(|(_, missing): &(_, Vec<String>)| missing.len())
}

/// All ratings that are low are accepted, each until the end of its own exception.
fn accepted(held: &[(&TcbRating, &TcbException)], tcb: &TcbVerdict, at: u64) -> Finding {
    let mut parts: Vec<String> = held
        .iter()
        .map(|(rating, exception)| {
            format!(
                "{}; accepted until {}.",
                said(rating, tcb),
                rfc3339(exception.ends)
            )
        })
        .collect();
    // The launch and now may be rated alike.
    parts.dedup();
    let ends_soon = held
        .iter()
        .any(|(_, exception)| exception.ends < at.saturating_add(FORECAST));
    let reason = if ends_soon {
        &EXCEPTION_ENDS_SOON
    } else {
        &ACCEPTED_EXCEPTION
    };
    let mut accepted: Vec<Acceptance> = Vec::new();
    for (rating, exception) in held {
        let one = Acceptance::new(
            AcceptedKind::Tcb,
            exception.by(),
            format!("{}.", said(rating, tcb)),
        )
        .until(exception.ends);
        if !accepted.contains(&one) {
            accepted.push(one);
        }
    }
    // The worst is first.
    let finding = match held.first() {
        Some((worst, _)) => Finding::warn(reason, parts.join(" ")).advising(format!(
            "Before the exception ends: {}",
            uncapitalized(remedy(worst.status))
        )),
        None => Finding::warn(reason, parts.join(" ")),
    };
    finding.accepting(accepted)
}

/// What the user can do about a status.
const fn remedy(status: TcbStatus) -> &'static str {
    match status {
        TcbStatus::OutOfDate | TcbStatus::UpToDate => {
            "Redeploy on a patched host: only the operator of this one can update its firmware, microcode and TDX module."
        }
        TcbStatus::OutOfDateConfigurationNeeded => {
            "Redeploy on a host that is patched and set up as Intel's advisories say: only the operator of this one can update its \
             firmware and change its settings."
        }
        TcbStatus::ConfigurationNeeded => {
            "Ask the operator of the host to change its settings (in the BIOS) as Intel's advisories say: it is patched, and nothing \
             inside the VM helps. Or redeploy on another host."
        }
        TcbStatus::SWHardeningNeeded => {
            "Read the advisories: the host is patched, and the software in the VM must do the rest. Redeploy with a newer OS image, \
             and build the app with the mitigations that they name; another host does not help. A quote cannot show it, so accept the \
             status once it is done."
        }
        TcbStatus::ConfigurationAndSWHardeningNeeded => {
            "Ask the operator of the host to change its settings (in the BIOS) as Intel's advisories say, or redeploy on another host; \
             and redeploy with a newer OS image and an app that has the mitigations that they name."
        }
        TcbStatus::TDRelaunchAdvised => {
            "Stop the VM and start it again on this host: its TDX module was updated after the VM was launched. Restarting the \
             containers is not enough."
        }
        TcbStatus::TDRelaunchAdvisedConfigurationNeeded => {
            "Stop the VM and start it again on this host, whose TDX module was updated after the VM was launched; and ask its operator to \
             change its settings (in the BIOS) as Intel's advisories say."
        }
        TcbStatus::Revoked => {
            "Redeploy on another host and replace every secret that this one has held: Intel assumes that its keys are known."
        }
    }
}

/// A sentence of ours that goes on after a colon.
fn uncapitalized(sentence: &str) -> String {
    let (first, rest) = sentence.split_at_checked(1).unwrap_or((sentence, ""));
    format!("{}{rest}", first.to_ascii_lowercase())
}

/// What Intel says of one rating, without a full stop. Which of the two it is, is said if they differ.
fn said(rating: &TcbRating, tcb: &TcbVerdict) -> String {
    let alike = tcb
        .ratings
        .iter()
        .all(|other| other.status == rating.status && other.advisory_ids == rating.advisory_ids);
    let when = match rating.moment {
        _ if alike => "",
        TcbMoment::Launch => " as it was when the VM was launched",
        TcbMoment::Current => " as it is now",
    };
    let with = match rating.advisory_ids.as_slice() {
        [] => String::new(),
        ids => format!(" ({})", list(ids)),
    };
    format!("Intel rates the platform{when} {}{with}", rating.status)
}

/// What the operator must update, in a sentence; empty where no version is too low.
fn what_is_short(short: &[ShortOf]) -> String {
    let sentences: Vec<String> = short.iter().map(ToString::to_string).collect();
    match sentences.as_slice() {
        [] => String::new(),
        _ => format!(" Too old: {}.", sentences.join("; ")),
    }
}

fn list(advisories: &[String]) -> String {
    advisories.join(", ")
}
