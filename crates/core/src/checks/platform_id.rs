//! `platform-id`: the machine is one of those that the user trusts to be in a safe place.

use super::{Check, Finding, InCertificate, QUOTE_NOT_PROVEN, Required, proven_quote, reasons};
use crate::checks::known;
use crate::policy::Policy;
use crate::report::{CheckId, MeasuredValue};
use crate::verify::Claims;

pub(super) const CHECK: Check = Check {
    id: CheckId::PlatformId,
    title: "Platform identity",
    proves: "The machine is one of those that you listed.",
    prevents: "A machine to which an attacker has physical access: taps on the memory bus (TEE.fail, WireTap, Battering RAM) \
               yield quotes that verify.",
    reasons: REASONS,
    required: Required::Never,
    is_configured: |policy| policy.platforms.is_some(),
    run,
    compares: &[MeasuredValue::PlatformId],
    harmless_skips: &[&NOT_CONFIGURED],
    in_certificate: InCertificate::NotToFail,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    PLATFORM_NOT_LISTED "platform-not-listed"
        "The machine is genuine, but it is not on your list of machines in safe places."
        "Ask the operator of the host where the VM moved to. If you trust the new machine, add its id (the value found) with \
         --platform-id.";
    NOT_CONFIGURED "not-configured"
        "No list of platforms was given: any genuine machine is accepted."
        "To exclude other machines, list those that you trust with --platform-id; the report shows the id of this machine.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let quote = known!(proven_quote(claims));
    let machine = quote.platform_id();
    let shown = format!(
        "SHA-256(PPID) {}, FMSPC {}",
        hex::encode(machine),
        hex::encode(quote.fmspc())
    );
    match &policy.platforms {
        None => Finding::skip(&NOT_CONFIGURED, "No list of platforms was given.").found(shown),
        Some(expected) if expected.value.allows(&machine, quote.fmspc()) => Finding::pass(format!(
            "The machine is on the list given by {}.",
            expected.origin
        ))
        .found(shown),
        Some(expected) => Finding::fail(
            &PLATFORM_NOT_LISTED,
            format!("The machine is not on the list given by {}.", expected.origin),
        )
        .comparing(expected.value.to_string(), shown)
        .against(expected.origin.clone()),
    }
}
