//! One file per check, all of one shape: from claims and policy to a [`Finding`].
//!
//! Each file holds the check's id, what a pass proves, which attack it prevents, its reasons with what to do
//! about each, which tiers require it, and one function. The list of them is `each_check!` in
//! `report/check_id.rs`. A check sees [`Claims`](crate::verify::Claims) only: what is not proven is not there.

mod acceptance;
mod app_id;
mod boot_order;
mod check;
#[cfg(test)]
pub(crate) mod claims_for_tests;
mod collateral;
mod compose_hash;
mod document;
mod event_log;
mod evidence;
mod finding;
#[cfg(test)]
mod finding_tests;
mod forecasts;
mod freshness;
mod governance;
mod gpu;
mod image_pins;
mod instance_id;
mod judgement;
mod key_provider;
mod kms;
mod launch_inputs;
mod measured_compose;
mod mr_config_id;
mod not_proven;
mod os_image;
mod own_reference;
mod phala_api;
mod platform_id;
mod quote_signature;
mod report_data;
mod source_provenance;
mod tcb_status;
mod td_attributes;
mod tls_binding;

pub use acceptance::Acceptance;
pub use check::{Check, Heals, InCertificate, Required};
pub use document::judge_document;
pub use evidence::{EvidenceFailure, EvidenceReason};
pub use finding::{Finding, Reason};
use finding::{known, reasons};
pub use forecasts::forecasts;
use not_proven::not_compared;
pub(crate) use not_proven::{BOOT_ORDER_NOT_PROVEN, EVENT_LOG_NOT_PROVEN, NOT_COMPARED, QUOTE_NOT_PROVEN};
pub use os_image::named_os_image;
pub(crate) use source_provenance::proven_sources;
pub use source_provenance::{
    SeveralSources, Sought, for_platforms, judge_images, locked_sources, met_by_provenance, signer_problem,
    sought_in, sought_sources, statements_of_files, still_sought, with_scripts_of,
};

pub use tcb_status::tcb_exceptions;

pub(crate) use compose_hash::second_release;
pub(crate) use tls_binding::accepts_self_made;

use crate::report::{CheckId, each_check};
use not_proven::{boot_claims, proven_quote, quote_not_proven, refused_bytes};
use own_reference::own_reference_values;

macro_rules! list {
    ($($module:ident $id:ident $name:literal)*) => {
        /// Every check, in the order of [`CheckId::ALL`].
        pub const ALL: [&Check; CheckId::ALL.len()] = [$(&$module::CHECK),*];

        impl Check {
            /// The check of an id.
            #[must_use]
            pub fn of(id: CheckId) -> &'static Self {
                match id {
                    $(CheckId::$id => &$module::CHECK,)*
                }
            }
        }
    };
}
each_check!(list);

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

    /// What a check says of some of its reasons is about reasons that it has.
    #[test]
    fn forecasts_and_convictions_are_reasons_of_their_check() {
        for check in ALL {
            let convicts = check.convicts.iter().map(|(reason, _)| *reason);
            for reason in check.forecasts.iter().copied().chain(convicts) {
                assert!(check.reason(reason.id).is_some(), "{}: {}", check.id, reason.id);
            }
        }
    }

    /// A reason can have harmless explanations: the advice names them, or says why there are none, before it accuses.
    #[test]
    fn no_advice_begins_with_an_accusation() {
        const ACCUSE: [&str; 4] = ["hostile", "forged", "compromised", "someone else"];
        let mut accusing = 0;
        for check in ALL {
            for reason in check.reasons {
                let at = ACCUSE.iter().filter_map(|word| reason.fix.find(word)).min();
                let Some(at) = at else {
                    continue;
                };
                accusing += 1;
                let before = reason.fix[..at].to_lowercase();
                let is_explained = ["if ", "otherwise", ": "]
                    .iter()
                    .any(|word| before.contains(word));
                assert!(is_explained, "{}: {}: {}", check.id, reason.id, reason.fix);
            }
        }
        assert!(accusing > 20, "{accusing}");
    }

    /// What is not proven of a party is not said of it.
    #[test]
    fn no_advice_says_who_knows_the_keys_of_an_app_where_only_the_code_of_a_kms_is_another() {
        for id in ["other-build", "mr-unknown", "quote", "bootstrap"] {
            let reason = Check::of(CheckId::Kms).reason(id).unwrap();
            for word in ["hostile", "known to"] {
                assert!(!reason.fix.contains(word), "{id}: {}", reason.fix);
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
