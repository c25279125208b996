//! One file per check, all of one shape: from proven facts and policy to a [`Finding`].
//!
//! Each file holds the check's id, what a pass proves, which attack it prevents, its reasons with what to do
//! about each, and one function. [`ALL`] is the list. A check sees [`Facts`] only: what is not proven is not
//! there.

mod app_id;
mod boot_order;
mod collateral;
mod compose_hash;
mod event_log;
mod evidence;
mod finding;
mod freshness;
mod image_pins;
mod instance_id;
mod key_provider;
mod launch_inputs;
mod measured_compose;
mod mr_config_id;
mod os_image;
mod phala_api;
mod platform_id;
mod quote_signature;
mod report_data;
mod tcb_status;
mod td_attributes;

pub use evidence::{EvidenceGap, EvidenceReason};
pub use finding::{Finding, Reason};
pub use image_pins::locked_images;

use crate::config::Policy;
use crate::prove::{BootClaims, Facts, Gap, VerifiedQuote};
use crate::report::{CheckId, CheckResult};

/// A check: what it is called, what it is for, and how it decides.
pub struct Check {
    /// Its name.
    pub id: CheckId,
    /// Its name in words.
    pub title: &'static str,
    /// What a pass proves.
    pub proves: &'static str,
    /// The attack that it prevents.
    pub prevents: &'static str,
    /// Every reason that it can give.
    pub reasons: &'static [&'static Reason],
    /// The decision.
    pub run: fn(&Facts, &Policy) -> Finding,
}

/// Every check, in the order of [`CheckId::ALL`].
pub const ALL: [&Check; 19] = [
    &evidence::CHECK,
    &collateral::CHECK,
    &quote_signature::CHECK,
    &tcb_status::CHECK,
    &td_attributes::CHECK,
    &freshness::CHECK,
    &report_data::CHECK,
    &event_log::CHECK,
    &boot_order::CHECK,
    &compose_hash::CHECK,
    &app_id::CHECK,
    &instance_id::CHECK,
    &os_image::CHECK,
    &key_provider::CHECK,
    &mr_config_id::CHECK,
    &image_pins::CHECK,
    &launch_inputs::CHECK,
    &platform_id::CHECK,
    &phala_api::CHECK,
];

impl Check {
    /// The check of an id.
    #[must_use]
    pub fn of(id: CheckId) -> &'static Self {
        match id {
            CheckId::Evidence => &evidence::CHECK,
            CheckId::Collateral => &collateral::CHECK,
            CheckId::QuoteSignature => &quote_signature::CHECK,
            CheckId::TcbStatus => &tcb_status::CHECK,
            CheckId::TdAttributes => &td_attributes::CHECK,
            CheckId::Freshness => &freshness::CHECK,
            CheckId::ReportData => &report_data::CHECK,
            CheckId::EventLog => &event_log::CHECK,
            CheckId::BootOrder => &boot_order::CHECK,
            CheckId::ComposeHash => &compose_hash::CHECK,
            CheckId::AppId => &app_id::CHECK,
            CheckId::InstanceId => &instance_id::CHECK,
            CheckId::OsImage => &os_image::CHECK,
            CheckId::KeyProvider => &key_provider::CHECK,
            CheckId::MrConfigId => &mr_config_id::CHECK,
            CheckId::ImagePins => &image_pins::CHECK,
            CheckId::LaunchInputs => &launch_inputs::CHECK,
            CheckId::PlatformId => &platform_id::CHECK,
            CheckId::PhalaApi => &phala_api::CHECK,
        }
    }

    /// A finding of this check as the report shows it.
    #[must_use]
    pub fn result(&self, finding: &Finding) -> CheckResult {
        CheckResult {
            id: self.id,
            status: finding.status,
            reason: finding.reason.map(|reason| reason.id.to_owned()),
            title: self.title.to_owned(),
            proves: self.proves.to_owned(),
            prevents: self.prevents.to_owned(),
            detail: finding.detail.clone(),
            expected: finding.expected.clone(),
            actual: finding.actual.clone(),
            fix: finding
                .reason
                .map(|reason| reason.fix)
                .filter(|fix| !fix.is_empty())
                .map(str::to_owned),
        }
    }
}

/// Given by every check that depends on a quote that is not proven.
pub const QUOTE_NOT_PROVEN: Reason = Reason {
    id: "quote-not-proven",
    means: "The quote could not be verified, so nothing in it was read.",
    fix: "",
};

/// Given where the event log is not proven.
pub const EVENT_LOG_NOT_PROVEN: Reason = Reason {
    id: "event-log-not-proven",
    means: "The event log does not replay to the quote, so nothing in it was read.",
    fix: "",
};

/// Given where the boot events are not proven.
pub const BOOT_ORDER_NOT_PROVEN: Reason = Reason {
    id: "boot-order-not-proven",
    means: "The boot events are refused, so no claim was taken from them.",
    fix: "",
};

fn quote_not_proven() -> Finding {
    Finding::error(&QUOTE_NOT_PROVEN, "Not determined: the quote is not verified.")
}

/// The verified quote, or the finding of a check that needs it.
fn proven_quote(facts: &Facts) -> Result<&VerifiedQuote, Finding> {
    facts.quote.as_ref().map_err(|_| quote_not_proven())
}

/// The boot claims, or the finding of a check that needs them.
fn boot_claims(facts: &Facts) -> Result<&BootClaims, Finding> {
    proven_quote(facts)?;
    if facts.log.is_err() {
        return Err(Finding::error(
            &EVENT_LOG_NOT_PROVEN,
            "Not determined: the event log is not proven.",
        ));
    }
    facts.boot.as_ref().map_err(|gap| match gap {
        Gap::Refused(_) | Gap::Absent | Gap::NotReached => Finding::error(
            &BOOT_ORDER_NOT_PROVEN,
            "Not determined: the boot events are refused.",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_the_order_of_the_ids_and_every_check_explains_itself() {
        for (check, id) in ALL.iter().zip(CheckId::ALL) {
            assert_eq!(check.id, id);
            assert_eq!(Check::of(id).id, id);
            assert!(!check.title.is_empty() && !check.proves.is_empty() && !check.prevents.is_empty());
            for reason in check.reasons {
                assert!(!reason.means.is_empty(), "{id}: {}", reason.id);
                assert!(
                    reason
                        .id
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                );
            }
        }
    }

    #[test]
    fn only_reasons_that_follow_from_another_check_have_no_fix() {
        for check in ALL {
            for reason in check.reasons {
                let follows = reason.id.ends_with("-not-proven");
                assert_eq!(reason.fix.is_empty(), follows, "{}: {}", check.id, reason.id);
            }
        }
    }
}
