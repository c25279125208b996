//! `report-data`: what stands next to the quote, and what the user expects inside it.

use super::{
    Check, Finding, Heals, NOT_COMPARED, QUOTE_NOT_PROVEN, Required, not_compared, proven_quote, reasons,
};
use crate::checks::known;
use crate::policy::Policy;
use crate::report::CheckId;
use crate::verify::{Claims, Echo};

pub(super) const CHECK: Check = Check {
    id: CheckId::ReportData,
    title: "Report data",
    proves: "The report data in the JSON answer, and the one you expect, is the one that was signed.",
    prevents: "A JSON answer that shows a fresh nonce with an old quote.",
    reasons: REASONS,
    required: Required::NotToFail,
    is_configured: |policy| policy.report_data.value.is_some() || policy.report_data.key.is_some(),
    run,
    convicts: &[(&ECHO_MISMATCH, Heals::UnlessExpectedRuns)],
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN, &NOT_COMPARED]:
    ECHO_MISMATCH "echo-mismatch"
        "The unsigned `report_data` of the JSON answer differs from the signed one in the quote."
        "If the app, or a proxy before it, builds or changes the answer, return the SDK's object unchanged; otherwise treat the host as hostile.";
    VALUE_MISMATCH "value-mismatch"
        "The signed report data is not the value given with --report-data-value."
        "If the value that your app binds has changed, give the new one; otherwise find out what made this quote: it is for another value.";
    KEY_MISMATCH "key-mismatch"
        "The 32 bytes that are signed with the nonce are not those given with --report-data-key."
        "If the app has a new key, as it has after each boot unless it derives it, give the new value; otherwise \
         find out what made this quote: it is for another key.";
    KEY_NOT_COMPARED "key-not-compared"
        "The layout leaves 32 bytes of the report data to the app, and no option says which they must be."
        "Give --report-data-key: the SHA-256 of the key that the app shows you, or its signing address. Without it the quote \
         is fresh, but the key in it was not compared with anything.";
    NO_ECHO "no-echo"
        "The answer has no `report_data` member, and none is expected: nothing to compare."
        "Nothing: `freshness` checks the signed report data. To require a value of your own, give --report-data-value.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let quote = known!(proven_quote(claims));
    if claims.echo == Echo::Differs {
        return Finding::fail(
            &ECHO_MISMATCH,
            "The `report_data` of the answer is not the one in the quote.",
        )
        .found(hex::encode(quote.report_data()));
    }
    let layout = policy.report_data.layout;
    let key = layout.and_then(|layout| layout.key_of(quote.report_data()));
    match (key, policy.report_data.key) {
        (Some(found), Some(key)) if found != key => {
            return Finding::fail(
                &KEY_MISMATCH,
                "What is signed with the nonce is not the expected key.",
            )
            .comparing(hex::encode(key), hex::encode(found))
            .against(policy.setting("report-data-key"));
        }
        (Some(_), None) if claims.tls.as_ref().is_some_and(|tls| tls.app_key.is_ok()) => {}
        (Some(found), None) if policy.report_data.value.is_none() => {
            return Finding::warn(
                &KEY_NOT_COMPARED,
                "The 32 bytes after or before the nonce are signed, and are not compared with anything.",
            )
            .found(hex::encode(found));
        }
        _ => {}
    }
    match policy.report_data.value {
        Some(value) if value != *quote.report_data() => Finding::fail(
            &VALUE_MISMATCH,
            "The signed report data is not the expected value.",
        )
        .comparing(hex::encode(value), hex::encode(quote.report_data()))
        .against(policy.setting("report-data-value")),
        _ => not_compared(CheckId::ReportData, policy).unwrap_or_else(|| compared(claims, policy, key)),
    }
}

/// The finding where nothing differs. `key` is what the layout leaves to the app.
fn compared(claims: &Claims, policy: &Policy, key: Option<[u8; 32]>) -> Finding {
    match policy.report_data.value {
        None if key.is_some() && policy.report_data.key.is_some() => {
            Finding::pass("The expected key is signed with the nonce.")
        }
        None if key.is_some() => Finding::pass("The key of this connection is signed with the nonce."),
        Some(_) => Finding::pass("The signed report data is the expected value."),
        None if claims.echo == Echo::Equal => {
            Finding::pass("The `report_data` of the answer is the one that was signed.")
        }
        None => Finding::skip(&NO_ECHO, "The answer has no `report_data` member."),
    }
}
