//! `instance-id`: the instance that answers is the expected one.

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Reason, boot_claims,
};
use crate::config::Policy;
use crate::prove::Facts;
use crate::report::CheckId;

pub(super) const CHECK: Check = Check {
    id: CheckId::InstanceId,
    title: "Instance id",
    proves: "The instance that answered is the expected one.",
    prevents: "One good replica that answers for a bad one.",
    reasons: &[
        &INSTANCE_ID_MISMATCH,
        &NO_EXPECTATION,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ],
    run,
};

const INSTANCE_ID_MISMATCH: Reason = Reason {
    id: "instance-id-mismatch",
    means: "Another instance answered.",
    fix: "Give the address of the instance itself: https://<instance-id>-<port>.<gateway>; a redeployed instance has a \
          new id.",
};
const NO_EXPECTATION: Reason = Reason {
    id: "no-expectation",
    means: "No instance id is expected: one instance of possibly many was sampled.",
    fix: "Give --instance-id, or the address of each instance.",
};

fn run(facts: &Facts, policy: &Policy) -> Finding {
    let boot = match boot_claims(facts) {
        Ok(boot) => boot,
        Err(finding) => return finding,
    };
    let actual = boot.instance_id();
    let shown = actual.map_or_else(|| "none".to_owned(), hex::encode);
    match &policy.instance_id {
        Some(expected) if Some(&expected.value) != actual => Finding::fail(
            &INSTANCE_ID_MISMATCH,
            format!("The instance id is not the one expected by {}.", expected.origin),
        )
        .comparing(hex::encode(expected.value), shown),
        Some(expected) => Finding::pass(format!(
            "The instance id is the one expected by {}.",
            expected.origin
        )),
        None if actual.is_some() && policy.address_id.as_ref() == actual => {
            Finding::pass("The instance id is the one in the address.")
        }
        None => Finding::skip(
            &NO_EXPECTATION,
            "No instance id is expected; one replica was sampled.",
        )
        .found(shown),
    }
}
