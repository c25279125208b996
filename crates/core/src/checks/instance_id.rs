//! `instance-id`: the instance that answers is the expected one.

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, InCertificate, QUOTE_NOT_PROVEN, Required,
    boot_claims, reasons,
};
use crate::checks::known;
use crate::compose::UnprovenDocument;
use crate::policy::Policy;
use crate::report::{CheckId, MeasuredValue};
use crate::verify::Claims;

pub(super) const CHECK: Check = Check {
    id: CheckId::InstanceId,
    title: "Instance id",
    proves: "The instance that answered is an expected one.",
    prevents: "One good replica that answers for a bad one.",
    reasons: REASONS,
    required: Required::Never,
    is_configured: |policy| policy.instance_ids.is_some(),
    run,
    of_document: Some(of_document),
    compares: &[MeasuredValue::InstanceId],
    in_certificate: InCertificate::NotToFail,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN]:
    INSTANCE_ID_MISMATCH "instance-id-mismatch"
        "Another instance answered."
        "Give the address of the instance itself: https://<instance-id>-<port>.<gateway>; a redeployed instance has a \
         new id.";
    NO_EXPECTATION "no-expectation"
        "No instance id is expected: one instance of possibly many was sampled."
        "Give --instance-id, or the address of each instance.";
}

/// What this check will say of a deployment of this document: one that asks for no instance id gets none.
fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    let expected = policy
        .instance_ids
        .as_ref()
        .filter(|_| !document.has_instance_id())?;
    Some(
        Finding::fail(
            &INSTANCE_ID_MISMATCH,
            format!(
                "The document asks for no instance id (`no_instance_id` is true); {} expects one.",
                expected.origin
            ),
        )
        .advising("Set `no_instance_id` to false, or remove the expected instance id.")
        .against(expected.origin.clone()),
    )
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let boot = known!(boot_claims(claims));
    let actual = boot.instance_id();
    let shown = actual.map_or_else(|| "none".to_owned(), hex::encode);
    match &policy.instance_ids {
        Some(expected) if !actual.is_some_and(|actual| expected.value.contains(actual)) => {
            let list: Vec<String> = expected.value.iter().map(hex::encode).collect();
            Finding::fail(
                &INSTANCE_ID_MISMATCH,
                match list.len() {
                    1 => format!("The instance id is not the one expected by {}.", expected.origin),
                    count => format!(
                        "The instance id is none of the {count} expected by {}.",
                        expected.origin
                    ),
                },
            )
            .comparing(list.join(", or "), shown)
            .against(expected.origin.clone())
        }
        Some(expected) => Finding::pass(match expected.value.len() {
            1 => format!("The instance id is the one expected by {}.", expected.origin),
            count => format!(
                "The instance id is one of the {count} expected by {}; one replica was sampled.",
                expected.origin
            ),
        }),
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
