//! Whether the log gives the registers of the quote. Unproven, since the quote is: the prover has its own, strict replay.

use crate::inspect::page::Page;
use cvm_verify_core::evidence::{Event, RUNTIME_EVENT_TYPE};
use cvm_verify_core::verify::digest::{extend, runtime_preimage, sha384};

/// What the log gives.
pub(super) struct Replay {
    /// One result for each register.
    pub registers: [Register; 4],
}

/// What the events of one register give.
#[derive(Clone, Copy)]
pub(super) enum Register {
    /// This value.
    Value([u8; 48]),
    /// Nothing: an event that cannot be recomputed has no digest.
    NoDigest,
}

impl Replay {
    /// Replays. Digests of RTMR3 are recomputed, others taken as supplied (dstack, `cc-eventlog/src/tdx.rs`).
    pub(super) fn of(events: &[Event]) -> Self {
        let mut registers = [Register::Value([0; 48]); 4];
        for event in events {
            if let Some(register) = registers.get_mut(usize::from(event.imr)) {
                let digest = match event.event_type {
                    RUNTIME_EVENT_TYPE => Some(digest_of(event)),
                    _ => event.digest,
                };
                *register = register.extended_by(digest);
            }
        }
        Self { registers }
    }
}

impl Register {
    fn extended_by(self, digest: Option<[u8; 48]>) -> Self {
        match (self, digest) {
            (Self::Value(value), Some(digest)) => Self::Value(extend(&value, &digest)),
            _ => Self::NoDigest,
        }
    }

    /// Compares it with the quote's register.
    pub(super) fn show(self, page: &mut Page, quoted: Option<&[u8; 48]>) {
        match (self, quoted) {
            (_, None) => page.note("There is no quoted register to compare it with."),
            (Self::NoDigest, _) => page.mark("Cannot be replayed: an event has no digest."),
            (Self::Value(value), Some(quoted)) if value == *quoted => {
                page.note("Replays to the register in the quote (unproven, as the quote is).")
            }
            (Self::Value(value), Some(_)) => page.mark(format!(
                "Does not replay to the register in the quote: it gives {}.",
                hex::encode(value)
            )),
        };
    }
}

/// The digest of a runtime event, from its name and payload (dstack, `cc-eventlog/src/runtime_events.rs`).
pub(super) fn digest_of(event: &Event) -> [u8; 48] {
    sha384(&runtime_preimage(event.version, &event.name, &event.payload))
}
