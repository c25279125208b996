//! `VersionedAttestation`: what the guest agent of dstack 0.5.6 and later answers to `Attest`, quote and events in one
//! byte string (dstack, `dstack-attest/src/{attestation,v1}.rs`).
//!
//! The first byte decides: `0x00` is V0 ([`scale`]), the head of a MessagePack map is V1 ([`msgpack`]).

mod msgpack;
mod reader;
mod scale;
#[cfg(test)]
mod tests;

use sha2::{Digest as _, Sha512};

use super::attestation::BootEvents;
use super::limits::{
    MAX_EVENT_NAME_BYTES, MAX_EVENTS, MAX_PAYLOAD_BYTES, MAX_VERSIONED_BYTES, MAX_VM_CONFIG_BYTES,
};
use super::{
    Attestation, Event, EventVersion, EvidenceError, QuoteBytes, RUNTIME_EVENT_TYPE, Unproven, event_log, tpm,
};
use reader::ReadProblem;

/// How messages call this document.
const DOCUMENT: &str = "the versioned attestation";

/// Bytes of the `vm_config` text and of a pod's payload.
const MAX_TEXT_BYTES: usize = MAX_VM_CONFIG_BYTES;

/// Payload of the ACPI entries that a stripped log keeps of RTMR0 (dstack, `dstack-attest/src/attestation.rs`).
const ACPI_DATA: &[u8] = b"ACPI DATA";

/// The parts of an attestation that a verdict can rely on, in either encoding.
struct Parts {
    quote: Vec<u8>,
    /// The platform's event log. Its entries of IMR3 may be stripped and are not used.
    platform_events: Vec<Event>,
    /// What is replayed to RTMR3.
    runtime_events: Vec<Event>,
    report_data: [u8; 64],
    /// Of `dstack-pod` alone: what the report data is the hash of.
    report_data_payload: Option<String>,
    /// The text of `vm_config`.
    config: String,
}

/// Whether bytes begin like a versioned attestation: SCALE with its version and its platform, or a MessagePack map whose first key is a
/// text. A quote begins with its version, 4 or 5, and a picture with other bytes behind the first.
pub(super) fn begins_like_one(bytes: &[u8]) -> bool {
    let is_text = |byte: Option<&u8>| matches!(byte, None | Some(0xa0..=0xbf | 0xd9..=0xdb));
    match bytes.first() {
        Some(0x00) => scale::begins_like_one(bytes),
        // An empty map is one that holds nothing.
        Some(0x80) => true,
        Some(0x81..=0x8f) => is_text(bytes.get(1)),
        Some(0xde) => is_text(bytes.get(3)),
        Some(0xdf) => is_text(bytes.get(5)),
        _ => false,
    }
}

/// Parses the bytes.
pub(super) fn parse(bytes: &[u8]) -> Result<Attestation, EvidenceError> {
    if bytes.len() > MAX_VERSIONED_BYTES {
        return Err(EvidenceError::TooLarge {
            document: DOCUMENT,
            size: bytes.len(),
            limit: MAX_VERSIONED_BYTES,
        });
    }
    if tpm::begins_like_one(bytes) {
        return Err(EvidenceError::TpmQuote { document: DOCUMENT });
    }
    let parts = match bytes.first() {
        Some(0x00) => scale::parse(bytes),
        Some(0x80..=0x8f | 0xde | 0xdf) => msgpack::parse(bytes),
        None => Err(malformed("(its first byte)", "is missing: it is empty")),
        Some(other) => Err(malformed(
            "(its first byte)",
            format!("is {other:#04x}; 0x00 (version 0) or a MessagePack map (version 1) expected"),
        )),
    }?;
    attestation(parts)
}

fn attestation(parts: Parts) -> Result<Attestation, EvidenceError> {
    if parts.quote.is_empty() {
        return Err(EvidenceError::NoQuote {
            document: DOCUMENT,
            below: None,
        });
    }
    let quote = QuoteBytes::new(parts.quote).ok_or_else(|| malformed("quote", "is too long"))?;
    if let Some(payload) = parts.report_data_payload {
        let mut hasher = Sha512::new();
        hasher.update(b"app-data:");
        hasher.update(payload);
        if <[u8; 64]>::from(hasher.finalize()) != parts.report_data {
            return Err(malformed(
                "stack.data.report_data",
                "is not the SHA-512 of \"app-data:\" and `report_data_payload`",
            ));
        }
    }
    let mut events: Vec<Event> = parts
        .platform_events
        .into_iter()
        .filter(|event| event.imr != 3)
        .collect();
    let is_stripped = events.iter().all(|event| event.payload == ACPI_DATA);
    events.extend(parts.runtime_events);
    // Without any event there is no log that could be stripped: another one beside it is whole, or is not taken.
    let boot_events = match is_stripped && !events.is_empty() {
        true => BootEvents::Stripped,
        false => BootEvents::Complete,
    };
    Ok(Attestation {
        quote,
        event_log: event_log::unless_empty(events),
        event_log_text: None,
        log_is_of_info: false,
        boot_events,
        report_data_echo: Some(Unproven::new(parts.report_data.to_vec())),
        vm_config: (!parts.config.is_empty()).then(|| Unproven::new(parts.config)),
        gpu: None,
    })
}

/// An event as both encodings carry it.
struct RawEvent {
    imr: u32,
    event_type: u32,
    digest: Vec<u8>,
    name: String,
    payload: Vec<u8>,
    version: EventVersion,
}

impl RawEvent {
    /// A runtime event: name and payload are all of it, its digest is recomputed.
    fn runtime(name: String, payload: Vec<u8>, version: EventVersion) -> Self {
        Self {
            imr: 3,
            event_type: RUNTIME_EVENT_TYPE,
            digest: Vec::new(),
            name,
            payload,
            version,
        }
    }

    fn checked(self, path: &str) -> Result<Event, EvidenceError> {
        let imr = u8::try_from(self.imr)
            .ok()
            .filter(|imr| *imr <= 3)
            .ok_or_else(|| {
                malformed(
                    format!("{path}.imr"),
                    format!("is {}; a whole number from 0 to 3 expected", self.imr),
                )
            })?;
        let digest = match self.digest.len() {
            0 => None,
            length => Some(self.digest.try_into().map_err(|_| {
                malformed(
                    format!("{path}.digest"),
                    format!("is {length} bytes; 48, or none, expected"),
                )
            })?),
        };
        Ok(Event {
            imr,
            event_type: self.event_type,
            digest,
            name: self.name,
            payload: self.payload,
            version: self.version,
            preimage: None,
        })
    }
}

fn malformed(field: impl Into<String>, problem: impl Into<String>) -> EvidenceError {
    EvidenceError::Malformed {
        document: DOCUMENT,
        field: field.into(),
        problem: problem.into(),
    }
}

fn too_large(field: impl Into<String>, problem: String) -> EvidenceError {
    EvidenceError::FieldTooLarge {
        document: DOCUMENT,
        field: field.into(),
        problem,
    }
}

/// What a reader met, at a field.
fn at(field: impl Into<String>) -> impl FnOnce(ReadProblem) -> EvidenceError {
    |problem| match problem {
        ReadProblem::TooLong { .. } => too_large(field, problem.to_string()),
        problem => malformed(field, problem.to_string()),
    }
}

fn unsupported(kind: &str) -> EvidenceError {
    EvidenceError::UnsupportedPlatform {
        document: DOCUMENT,
        kind: kind.chars().take(64).collect(),
    }
}

/// The count of a list of events, before anything is allocated for it.
fn event_count(path: &str, count: usize) -> Result<usize, EvidenceError> {
    if count > MAX_EVENTS {
        return Err(too_large(
            path,
            format!("has {count} events; at most {MAX_EVENTS} are read"),
        ));
    }
    Ok(count)
}
