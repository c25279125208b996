//! `event-log`: the event log is the one that the hardware measured.

use super::{
    Check, Finding, Heals, InCertificate, QUOTE_NOT_PROVEN, Required, quote_not_proven, reasons,
    refused_bytes,
};
use crate::evidence::BootEvents;
use crate::policy::Policy;
use crate::report::{CheckId, Tier};
use crate::verify::{Claims, InfoOrigin, LogRefusal, NotProven};

pub(super) const CHECK: Check = Check {
    id: CheckId::EventLog,
    title: "Event log",
    proves: "The event log is what the hardware measured: names and payloads in RTMR3, digests in RTMR0–2.",
    prevents: "A log that shows the expected compose hash while the machine started something else.",
    reasons: REASONS,
    required: Required::From(Tier::Code),
    run,
    convicts: &[
        (&RTMR_MISMATCH, Heals::Never),
        (&DIGEST_MISMATCH, Heals::Never),
        (&WRONG_EVENT_TYPE, Heals::Never),
        (&RESERVED_NAME, Heals::Never),
        (&PREIMAGE_MISMATCH, Heals::Never),
    ],
    in_certificate: InCertificate::ToBeMet,
    ..Check::BASE
};

const HOSTILE: &str = "The log was changed after the machine wrote it, or is not of the same VM and moment as the quote. If the app builds or \
     keeps its answer, let it return the SDK's getQuote() object unchanged, with the log of that call. If it does, treat the host as \
     hostile.";

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    NO_EVENT_LOG "no-event-log"
        "The evidence contains no event log."
        "Return the SDK's getQuote() object unchanged: it holds `event_log` and `quote`.";
    NO_BOOT_EVENTS "no-boot-events"
        "The event log has the events of RTMR3, and they are as measured. The events of the boot (RTMR0–2) were left out, so it is \
         not known which system started."
        "If the app builds its answer itself, return the SDK's `event_log` unchanged, with the entries whose `imr` is 0, 1 and 2: \
         that is for the developer of the app. If a tool saved or converted the evidence, give what the guest agent answered. If \
         the guest agent itself leaves them out, deploy a newer dstack image. If it came from Phala Cloud's API, ask the app \
         (--source app).";
    RTMR_MISMATCH "rtmr-mismatch"
        "The events do not give the registers that the hardware signed."
        HOSTILE;
    DIGEST_MISMATCH "digest-mismatch"
        "An event's digest is not that of its name and payload."
        HOSTILE;
    MISSING_DIGEST "missing-digest"
        "A boot event has no digest, so it cannot be replayed."
        "Return the guest agent's event log unchanged: only events of RTMR3 may be stripped of digests.";
    WRONG_EVENT_TYPE "wrong-event-type"
        "RTMR3 holds an event that is not a runtime event, or another register holds one."
        HOSTILE;
    RESERVED_NAME "reserved-name"
        "An event of RTMR0–2 has a name that is reserved for RTMR3."
        HOSTILE;
    BAD_EVENT_NAME "bad-event-name"
        "The name of a boot event has characters that make it ambiguous."
        HOSTILE;
    PREIMAGE_MISMATCH "preimage-mismatch"
        "An event's preimage is not that of its name and payload."
        HOSTILE;
}

fn run(claims: &Claims, _policy: &Policy) -> Finding {
    let refusal = match &claims.log {
        Ok(log) => {
            let count = log.runtime_events().len();
            return Finding::pass(match log.boot_events() {
                BootEvents::Complete => {
                    format!("The log replays to all four RTMRs ({count} events in RTMR3).")
                }
                BootEvents::Stripped => format!(
                    "The log replays to RTMR3 ({count} events). This form of evidence omits the boot events: RTMR0–2 are read \
                     from the quote, and `os-image` checks them."
                ),
            });
        }
        Err(NotProven::NotReached) => return quote_not_proven(),
        Err(NotProven::Absent) => {
            return Finding::error(
                &NO_EVENT_LOG,
                match claims.info {
                    InfoOrigin::OtherLog => {
                        "The evidence contains no event log but that of /info, which is not that of the quote."
                    }
                    _ => "The evidence contains no event log.",
                },
            );
        }
        Err(NotProven::Refused(refusal)) => refusal,
    };
    let reason = match refusal {
        LogRefusal::NoBootEvents { .. } => {
            return Finding::error(
                &NO_BOOT_EVENTS,
                format!("The event log is not complete: {refusal}."),
            );
        }
        LogRefusal::RtmrMismatch { .. } => &RTMR_MISMATCH,
        LogRefusal::DigestMismatch { .. } => &DIGEST_MISMATCH,
        LogRefusal::MissingDigest { .. } => &MISSING_DIGEST,
        LogRefusal::WrongEventType { .. } => &WRONG_EVENT_TYPE,
        LogRefusal::ReservedName { .. } => &RESERVED_NAME,
        LogRefusal::BadName { .. } => &BAD_EVENT_NAME,
        LogRefusal::PreimageMismatch { .. } => &PREIMAGE_MISMATCH,
    };
    let detail = format!("The event log is refused: {refusal}.");
    let finding = refused_bytes(claims.asked, reason, detail);
    match refusal {
        LogRefusal::RtmrMismatch { quote, replayed, .. } => {
            finding.comparing(hex::encode(quote), hex::encode(replayed))
        }
        _ => finding,
    }
}
