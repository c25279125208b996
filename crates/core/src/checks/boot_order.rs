//! `boot-order`: the measured OS wrote the claims, in the order in which it boots.

use super::{
    Check, EVENT_LOG_NOT_PROVEN, Finding, Heals, InCertificate, QUOTE_NOT_PROVEN, Required, os_image,
    proven_quote, reasons,
};
use crate::policy::Policy;
use crate::report::{CheckId, Tier};
use crate::verify::{BootRefusal, Claims, NotProven};

pub(super) const CHECK: Check = Check {
    id: CheckId::BootOrder,
    title: "Boot order",
    proves: "App id, compose hash and key provider were recorded by the OS while booting, once, in order.",
    prevents: "A program in the VM that appends a second, better-looking compose hash after the boot.",
    reasons: REASONS,
    required: Required::From(Tier::Code),
    harmless_warnings: &[&UNKNOWN_EVENT],
    run,
    convicts: &[
        (&DUPLICATE_EVENT, Heals::Never),
        (&OUT_OF_ORDER, Heals::Never),
        (&BAD_PAYLOAD, Heals::Never),
    ],
    in_certificate: InCertificate::ToBeMet,
    ..Check::BASE
};

const NOT_DSTACK: &str = "No release of dstack boots like this. Compare the OS image with an official one. If you did not deploy another image on purpose, treat the \
     host as hostile.";

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN]:
    NO_SYSTEM_READY "no-system-ready"
        "No event marks the end of the boot, so any program in the VM could have written the claims."
        "Run again when the app has started; if this stays, the VM does not run dstack.";
    UNSUPPORTED_GENERATION "unsupported-generation"
        "The guest runs dstack 0.3, whose event log does not mark the end of the boot."
        "Upgrade the OS image to dstack 0.5.13, 0.6.3 or later.";
    MISSING_EVENT "missing-event"
        "A required boot event is missing."
        NOT_DSTACK;
    DUPLICATE_EVENT "duplicate-event"
        "A boot event occurs more often than it may."
        NOT_DSTACK;
    OUT_OF_ORDER "out-of-order"
        "A boot event is out of order."
        NOT_DSTACK;
    BAD_PAYLOAD "bad-payload"
        "A boot event's payload has another form than dstack writes."
        NOT_DSTACK;
    RESERVED_AFTER_READY "reserved-after-ready"
        "Something inside the VM wrote a boot event's name after the boot. A verifier that uses the last event of each \
         name would accept it; an honest app writes no such event."
        "Find out which container does that. If it is your app, give its event a name of its own (such as `my-app-config`): the \
         names of boot events, `compose-hash` among them, are reserved. If it is not, a program in the VM is hostile.";
    UNKNOWN_EVENT "unknown-event"
        "The boot events include one that this version does not know."
        "Update cvm-verify: new releases of dstack add boot events. If the newest version does not know it, compare the OS \
         image with an official one, or prove the image: by name with --os-image, or with newer --reference-values.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if let Err(finding) = proven_quote(claims) {
        return finding;
    }
    let refusal = match &claims.boot {
        Ok(boot) if boot.unknown_events().is_empty() => {
            return Finding::pass("The boot events are complete, unique and in order.");
        }
        Ok(boot) => return unknown_events(boot.unknown_events(), claims, policy),
        Err(NotProven::Absent | NotProven::NotReached) => {
            return Finding::error(
                &EVENT_LOG_NOT_PROVEN,
                "Not determined: the event log is not proven.",
            );
        }
        Err(NotProven::Refused(refusal)) => refusal,
    };
    let detail = format!("The boot events are refused: {refusal}.");
    match refusal {
        BootRefusal::UnsupportedGeneration => Finding::error(&UNSUPPORTED_GENERATION, detail),
        BootRefusal::NoSystemReady => Finding::fail(&NO_SYSTEM_READY, detail),
        BootRefusal::Missing(_) => Finding::fail(&MISSING_EVENT, detail),
        BootRefusal::Duplicate(_) => Finding::fail(&DUPLICATE_EVENT, detail),
        BootRefusal::OutOfOrder { .. } => Finding::fail(&OUT_OF_ORDER, detail),
        BootRefusal::BadPayload { .. } => Finding::fail(&BAD_PAYLOAD, detail),
        BootRefusal::ReservedAfterReady(_) => Finding::fail(&RESERVED_AFTER_READY, detail),
    }
}

/// An OS image that is itself proven may write an event that this version does not know yet. One that is not proven may be a
/// later release, in which the event decides something: that is an error and not a failure, also if the image is waived.
fn unknown_events(names: &[String], claims: &Claims, policy: &Policy) -> Finding {
    let names = names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    if os_image::is_proven(claims, policy) {
        Finding::warn(
            &UNKNOWN_EVENT,
            format!("The OS image is proven; its boot has unknown events: {names}."),
        )
    } else {
        Finding::error(
            &UNKNOWN_EVENT,
            format!(
                "Not determined: the OS image is not proven, and its boot has events that this version does not know: {names}."
            ),
        )
    }
}
