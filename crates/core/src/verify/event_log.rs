//! Replay of the event log: from an unproven list to a [`MeasuredLog`] (dstack, `cc-eventlog/src`).

use super::digest::{extend, runtime_preimage, sha384};
use super::{Prover, VerifiedQuote};
use crate::evidence::{BootEvents, Event, RUNTIME_EVENT_TYPE, Unproven};

/// The runtime events of an event log that replays to RTMR3 of a verified quote, and to the others where it has their
/// events.
///
/// Every digest of IMR3 was recomputed from name and payload, so both are what was measured.
#[derive(Debug, Clone)]
pub struct MeasuredLog {
    runtime: Vec<MeasuredEvent>,
    boot_events: BootEvents,
    rtmr3_at_boot_mr_done: Option<[u8; 48]>,
}

/// One runtime event whose name and payload are measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuredEvent {
    /// Its name.
    pub name: String,
    /// Its payload, bytes.
    pub payload: Vec<u8>,
}

impl MeasuredLog {
    /// The events of IMR3 in their order.
    #[must_use]
    pub fn runtime_events(&self) -> &[MeasuredEvent] {
        &self.runtime
    }

    /// RTMR3 as it was after the first `boot-mr-done`: what a KMS judges. 48 bytes; absent if there is no such event.
    #[must_use]
    pub(crate) const fn rtmr3_at_boot_mr_done(&self) -> Option<&[u8; 48]> {
        self.rtmr3_at_boot_mr_done.as_ref()
    }

    /// Whether RTMR0–2 were replayed too.
    #[must_use]
    pub const fn boot_events(&self) -> BootEvents {
        self.boot_events
    }
}

/// Why an event log is refused. `event` counts from 0 in the order of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogRefusal {
    /// The events do not give the register that the hardware signed.
    #[error("the events do not replay to RTMR{imr} of the quote")]
    RtmrMismatch {
        /// Which register.
        imr: u8,
        /// The quote's value.
        quote: [u8; 48],
        /// What the events give.
        replayed: [u8; 48],
    },
    /// The events of RTMR3 are as measured, and those of the boot were left out.
    #[error("it holds the {runtime} events of RTMR3, which replay, and none of RTMR1 and RTMR2")]
    NoBootEvents {
        /// How many events of RTMR3 there are.
        runtime: usize,
    },
    /// A runtime event's digest is not that of its name and payload: the payload was swapped.
    #[error("event {event} ({name}): the supplied digest is not that of its name and payload")]
    DigestMismatch {
        /// Which event.
        event: usize,
        /// Its name, escaped.
        name: String,
    },
    /// A boot event without a digest cannot be replayed.
    #[error("event {event} of IMR{imr} has no digest")]
    MissingDigest {
        /// Which event.
        event: usize,
        /// Its register.
        imr: u8,
    },
    /// IMR3 holds runtime events only, and no other register holds any.
    #[error("event {event} has type {event_type:#010x}, which does not belong into IMR{imr}")]
    WrongEventType {
        /// Which event.
        event: usize,
        /// Its register.
        imr: u8,
        /// Its type.
        event_type: u32,
    },
    /// A boot event of another register that bears the name of a runtime event.
    #[error("event {event} of IMR{imr} has a reserved name: {name}")]
    ReservedName {
        /// Which event.
        event: usize,
        /// Its register.
        imr: u8,
        /// Its name.
        name: String,
    },
    /// A boot-time name that could be split in two ways (V1 digests have no lengths).
    #[error("event {event} has the name {name}, which is not of letters, digits, `.`, `_`, `-`")]
    BadName {
        /// Which event.
        event: usize,
        /// Its name, escaped.
        name: String,
    },
    /// The supplied V2 preimage is not the canonical one.
    #[error("event {event} ({name}): the supplied preimage is not that of its name and payload")]
    PreimageMismatch {
        /// Which event.
        event: usize,
        /// Its name, escaped.
        name: String,
    },
}

/// Replays a log against a verified quote. RTMR3 must always replay; RTMR0–2 where the log has their events.
pub(super) fn replay(
    events: &Unproven<Vec<Event>>,
    boot_events: BootEvents,
    quote: &VerifiedQuote,
    prover: &Prover,
) -> Result<MeasuredLog, LogRefusal> {
    let events = events.open(prover);
    let (registers, mut log) = replay_registers(events)?;
    log.boot_events = boot_events;
    let has_boot_events = events.iter().any(|event| matches!(event.imr, 1 | 2));
    let fits: Vec<bool> = registers
        .iter()
        .zip(quote.rtmrs())
        .map(|(replayed, quoted)| replayed == quoted)
        .collect();
    let only_rtmr3 = fits.last() == Some(&true) && fits.contains(&false);
    if boot_events == BootEvents::Complete && !has_boot_events && only_rtmr3 {
        return Err(LogRefusal::NoBootEvents {
            runtime: log.runtime.len(),
        });
    }
    for ((imr, replayed), quoted) in (0u8..).zip(registers).zip(quote.rtmrs()) {
        let left_out = imr < 3 && boot_events == BootEvents::Stripped;
        if replayed != *quoted && !left_out {
            return Err(LogRefusal::RtmrMismatch {
                imr,
                quote: *quoted,
                replayed,
            });
        }
    }
    Ok(log)
}

/// The registers that a list of events gives, and its runtime events. The list that is replayed is the list
/// that is believed (T12).
fn replay_registers(events: &[Event]) -> Result<([[u8; 48]; 4], MeasuredLog), LogRefusal> {
    let mut registers = [[0; 48]; 4];
    let mut runtime = Vec::new();
    let mut booting = true;
    let mut rtmr3_at_boot_mr_done = None;
    for (index, event) in events.iter().enumerate() {
        if (event.imr == 3) != (event.event_type == RUNTIME_EVENT_TYPE) {
            return Err(LogRefusal::WrongEventType {
                event: index,
                imr: event.imr,
                event_type: event.event_type,
            });
        }
        let digest = if event.imr == 3 {
            let digest = runtime_digest(index, event, booting)?;
            booting &= event.name != "system-ready";
            runtime.push(MeasuredEvent {
                name: event.name.clone(),
                payload: event.payload.clone(),
            });
            digest
        } else {
            boot_digest(index, event)?
        };
        if let Some(register) = registers.get_mut(usize::from(event.imr)) {
            *register = extend(register, &digest);
            if event.imr == 3 && event.name == "boot-mr-done" {
                rtmr3_at_boot_mr_done.get_or_insert(*register);
            }
        }
    }
    let log = MeasuredLog {
        runtime,
        boot_events: BootEvents::Complete,
        rtmr3_at_boot_mr_done,
    };
    Ok((registers, log))
}

/// The digest of an event of IMR0–2: as given, since its payload may be stripped. The registers are judged
/// by `os-image`.
fn boot_digest(index: usize, event: &Event) -> Result<[u8; 48], LogRefusal> {
    if RESERVED_NAMES.contains(&event.name.as_str()) {
        return Err(LogRefusal::ReservedName {
            event: index,
            imr: event.imr,
            name: event.name.clone(),
        });
    }
    event.digest.ok_or(LogRefusal::MissingDigest {
        event: index,
        imr: event.imr,
    })
}

/// The digest of an event of IMR3: always recomputed (T6).
///
/// V1 digests have no lengths, so `("a:b", "c")` and `("a", "b:c")` hash alike (T11). Up to `system-ready`
/// names are therefore strict; later events are the app's own and carry no claims, save that
/// `BootClaims` refuses reserved names among them.
fn runtime_digest(index: usize, event: &Event, booting: bool) -> Result<[u8; 48], LogRefusal> {
    let named = || event.name.escape_default().take(64).collect::<String>();
    if booting && !is_plain_name(&event.name) {
        return Err(LogRefusal::BadName {
            event: index,
            name: named(),
        });
    }
    let preimage = runtime_preimage(event.version, &event.name, &event.payload);
    if event
        .preimage
        .as_ref()
        .is_some_and(|supplied| *supplied != preimage)
    {
        return Err(LogRefusal::PreimageMismatch {
            event: index,
            name: named(),
        });
    }
    let digest = sha384(&preimage);
    if event.digest.is_some_and(|supplied| supplied != digest) {
        return Err(LogRefusal::DigestMismatch {
            event: index,
            name: named(),
        });
    }
    Ok(digest)
}

/// `[A-Za-z0-9._-]{1,64}`.
fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

/// Names that carry claims, or carried them in 0.3. None may occur outside its place.
pub const RESERVED_NAMES: [&str; 16] = [
    "system-preparing",
    "rootfs-hash",
    "app-id",
    "compose-hash",
    "init-script-hash",
    "gpu-policy-hash",
    "gpu-attestation",
    "instance-id",
    "boot-mr-done",
    "mr-kms",
    "os-image-hash",
    "key-provider",
    "storage-fs",
    "system-ready",
    "upgraded-app-id",
    "ca-cert-hash",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::EventVersion;

    fn runtime(name: &str, payload: &[u8]) -> Event {
        Event {
            imr: 3,
            event_type: RUNTIME_EVENT_TYPE,
            digest: None,
            name: name.to_owned(),
            payload: payload.to_vec(),
            version: EventVersion::V1,
            preimage: None,
        }
    }

    #[test]
    fn an_empty_log_gives_zero_registers() {
        assert_eq!(replay_registers(&[]).unwrap().0, [[0; 48]; 4]);
    }

    #[test]
    fn an_app_may_name_its_later_events_as_it_likes() {
        let events = [runtime("system-ready", b""), runtime("my app: started", b"x")];
        assert_eq!(replay_registers(&events).unwrap().1.runtime_events().len(), 2);
        let refusal = replay_registers(&[runtime("a:b", b"x")]).unwrap_err();
        assert!(matches!(refusal, LogRefusal::BadName { .. }), "{refusal}");
    }
}
