//! The event log as it is served (dstack-attestation.md §3.1).

use serde_json::value::RawValue;

use super::EvidenceError;
use super::json::{Object, kind_of};
use super::limits::{MAX_EVENT_NAME_BYTES, MAX_EVENTS, MAX_PAYLOAD_BYTES};

/// The event type of dstack's runtime events (dstack-attestation.md §3.1).
pub const RUNTIME_EVENT_TYPE: u32 = 0x0800_0001;

/// One entry of an event log, parsed and unproven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which RTMR it was extended into, 0 to 3.
    pub imr: u8,
    /// TCG event type, or [`RUNTIME_EVENT_TYPE`].
    pub event_type: u32,
    /// The digest as supplied; absent where the log is stripped.
    pub digest: Option<[u8; 48]>,
    /// Name of a runtime event; boot events have none, or a label.
    pub name: String,
    /// Payload bytes; empty where the log is stripped.
    pub payload: Vec<u8>,
    /// How the digest of a runtime event is made.
    pub version: EventVersion,
    /// The V2 preimage as supplied.
    pub preimage: Option<Vec<u8>>,
}

/// How the digest of a runtime event is made (dstack-attestation.md §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventVersion {
    /// Type, name and payload with colons between them.
    V1,
    /// Canonical JSON (RFC 8785).
    V2,
}

/// Parses an event log given as a list or as a string that holds a list.
pub(super) fn parse(
    document: &'static str,
    field: &str,
    value: &RawValue,
) -> Result<Vec<Event>, EvidenceError> {
    let malformed = |problem: String| EvidenceError::Malformed {
        document,
        field: field.to_owned(),
        problem,
    };
    let text;
    let list = match value.get().as_bytes().first() {
        Some(b'"') => {
            text = serde_json::from_str::<String>(value.get())
                .map_err(|_| malformed("is a string with an invalid escape".to_owned()))?;
            text.as_str()
        }
        _ => value.get(),
    };
    if !list.trim_start().starts_with('[') {
        return Err(malformed(format!(
            "is {}; a list of events expected",
            kind_of(list)
        )));
    }
    let entries: Vec<&RawValue> = serde_json::from_str(list)
        .map_err(|error| malformed(format!("cannot be read as a list: {error}")))?;
    if entries.len() > MAX_EVENTS {
        return Err(malformed(format!(
            "has {} events; at most {MAX_EVENTS} are read",
            entries.len()
        )));
    }
    entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| parse_event(document, &format!("{field}[{index}]"), entry))
        .collect()
}

fn parse_event(document: &'static str, path: &str, value: &RawValue) -> Result<Event, EvidenceError> {
    let object = Object::at(document, path.to_owned(), value.get())?;
    let required = |name: &str| object.malformed(name, "is missing");
    let imr = object
        .integer("imr", 3)?
        .and_then(|imr| u8::try_from(imr).ok())
        .ok_or_else(|| required("imr"))?;
    let event_type = object
        .integer("event_type", u32::MAX)?
        .ok_or_else(|| required("event_type"))?;
    let name = object.string("event")?.unwrap_or_default();
    if name.len() > MAX_EVENT_NAME_BYTES {
        return Err(object.malformed(
            "event",
            format!("is {} bytes; at most {MAX_EVENT_NAME_BYTES} are read", name.len()),
        ));
    }
    Ok(Event {
        imr,
        event_type,
        digest: object.hex_or_empty("digest")?,
        name,
        payload: object
            .hex_up_to("event_payload", MAX_PAYLOAD_BYTES)?
            .unwrap_or_default(),
        version: parse_version(&object)?,
        preimage: object.hex_up_to("preimage", 2 * MAX_PAYLOAD_BYTES + 1024)?,
    })
}

/// 1 or 2, as a number or as `v1` / `v2`; absent means 1.
fn parse_version(object: &Object<'_>) -> Result<EventVersion, EvidenceError> {
    let Some(value) = object.get("version")? else {
        return Ok(EventVersion::V1);
    };
    match value.get() {
        "1" | "\"v1\"" => Ok(EventVersion::V1),
        "2" | "\"v2\"" => Ok(EventVersion::V2),
        _ => Err(object.malformed("version", "is neither 1 nor 2")),
    }
}
