//! `app-id`: the app that answers is the expected one.

use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, InCertificate, QUOTE_NOT_PROVEN, Required,
    boot_claims, reasons,
};
use crate::checks::known;
use crate::policy::Policy;
use crate::report::{CheckId, MeasuredValue};
use crate::verify::Claims;

pub(super) const CHECK: Check = Check {
    id: CheckId::AppId,
    title: "App id",
    proves: "The app behind this address is the one with the expected id.",
    prevents: "An address that leads to another app. (`compose-hash` checks the code; an app id is only a label.)",
    reasons: REASONS,
    required: Required::Never,
    // The id in the address may be the instance's.
    harmless_skips: &[&NO_EXPECTATION],
    is_configured: |policy| policy.app_id.is_some() || policy.address_id.is_some(),
    run,
    compares: &[MeasuredValue::AppId],
    in_certificate: InCertificate::NotToFail,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN]:
    APP_ID_MISMATCH "app-id-mismatch"
        "Another app answers at this address."
        "Check the URL. If the app was created again, it has a new id: correct --app-id, or write the lock again with `cvm-verify pin URL \
         --accept other-app`.";
    ADDRESS_MISMATCH "address-mismatch"
        "The id in the address, 40 hex digits at the beginning of its first label, is neither the app's nor the instance's that answered."
        "Check the address. If it is right, what answers there leads to another app: ask the operator of the gateway, and of any proxy \
         before it, where this name leads. If the digits are no id, such as those of a commit, verify the app at another name.";
    NO_EXPECTATION "no-expectation"
        "No app id is expected."
        "Give --app-id, or pin it: `cvm-verify pin URL`.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let boot = known!(boot_claims(claims));
    let actual = boot.app_id();
    if let Some(id) = policy.address_id
        && id != *actual
        && Some(&id) != boot.instance_id()
    {
        return Finding::fail(
            &ADDRESS_MISMATCH,
            "The id in the address belongs to neither this app nor this instance.",
        )
        .comparing(hex::encode(id), hex::encode(actual))
        .against(policy.setting("url"));
    }
    match &policy.app_id {
        Some(expected) if expected.value != *actual => Finding::fail(
            &APP_ID_MISMATCH,
            format!("The app id is not the one expected by {}.", expected.origin),
        )
        .comparing(hex::encode(expected.value), hex::encode(actual))
        .against(expected.origin.clone()),
        Some(expected) => Finding::pass(format!("The app id is the one expected by {}.", expected.origin)),
        None if policy.address_id == Some(*actual) => Finding::pass("The app id is the one in the address."),
        None => Finding::skip(&NO_EXPECTATION, "No app id is expected.").found(hex::encode(actual)),
    }
}
