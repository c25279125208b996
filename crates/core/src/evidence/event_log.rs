//! The event log as it is served (dstack, `cc-eventlog/src/tdx.rs`).

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::excerpt::json_problem;
use super::json::{Object, kind_of, refuse_flood};
use super::limits::{MAX_EVENT_NAME_BYTES, MAX_EVENTS, MAX_JSON_VALUES, MAX_PAYLOAD_BYTES};
use super::{EvidenceError, Unproven};

/// The event type of dstack's runtime events (dstack, `cc-eventlog/src/tdx.rs`).
pub const RUNTIME_EVENT_TYPE: u32 = 0x0800_0001;

/// One entry of an event log, parsed and unproven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which RTMR it was extended into, 0 to 3.
    pub imr: u8,
    /// TCG event type (TCG PC Client Platform Firmware Profile), or [`RUNTIME_EVENT_TYPE`].
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

/// How the digest of a runtime event is made (dstack, `cc-eventlog/src/runtime_events.rs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventVersion {
    /// Type, name and payload with colons between them.
    V1,
    /// Canonical JSON (RFC 8785).
    V2,
}

/// The text of an event log that is given as a list or as a string that holds a list.
pub(super) fn text_of<'a>(
    document: &'static str,
    field: &str,
    value: &'a RawValue,
) -> Result<Cow<'a, str>, EvidenceError> {
    match value.get().as_bytes().first() {
        Some(b'"') => {
            serde_json::from_str(value.get())
                .map(Cow::Owned)
                .map_err(|_| EvidenceError::Malformed {
                    document,
                    field: field.to_owned(),
                    problem: "is a string with an invalid escape".to_owned(),
                })
        }
        _ => Ok(Cow::Borrowed(value.get())),
    }
}

/// Refuses the text of an event log that holds no list. Nothing signs the text around the events, so it proves no change: an app may write its
/// log in a form of its own.
pub(super) fn refuse_no_list(document: &'static str, field: &str, text: &str) -> Result<(), EvidenceError> {
    if text.trim_start().starts_with('[') {
        return Ok(());
    }
    Err(EvidenceError::OtherType {
        document,
        field: field.to_owned(),
        problem: format!("{}; a list of events expected", holds(text)),
        below: None,
    })
}

/// What a text holds that is not a list.
fn holds(text: &str) -> String {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => format!("holds {}", kind_of(text)),
        Err(_) => "holds a text that is not JSON".to_owned(),
    }
}

/// Parses the text of an event log. One without events is absent: it says nothing, and nothing signs that it was sent.
pub(super) fn parse(
    document: &'static str,
    field: &str,
    list: &str,
) -> Result<Option<Unproven<Vec<Event>>>, EvidenceError> {
    Ok(unless_empty(events(document, field, list)?))
}

/// An event log, absent if it holds no event.
pub(super) fn unless_empty(events: Vec<Event>) -> Option<Unproven<Vec<Event>>> {
    (!events.is_empty()).then(|| Unproven::new(events))
}

fn events(document: &'static str, field: &str, list: &str) -> Result<Vec<Event>, EvidenceError> {
    let other_form = |problem: String| EvidenceError::OtherForm {
        document,
        field: field.to_owned(),
        problem,
    };
    refuse_flood(document, field, list, MAX_JSON_VALUES)?;
    if let Some(objects) = Object::list(document, field, list, MAX_EVENTS) {
        return objects.iter().map(parse_event).collect();
    }
    // Something is wrong: found by reading them one by one.
    if !list.trim_start().starts_with('[') {
        return Err(other_form(format!("{}; a list of events expected", holds(list))));
    }
    let entries: Vec<&RawValue> = serde_json::from_str(list)
        .map_err(|error| other_form(format!("cannot be read as a list: {}", json_problem(&error))))?;
    if entries.len() > MAX_EVENTS {
        return Err(EvidenceError::FieldTooLarge {
            document,
            field: field.to_owned(),
            problem: format!("has {} events; at most {MAX_EVENTS} are read", entries.len()),
        });
    }
    entries
        .into_iter()
        .enumerate()
        .map(|(index, entry)| {
            let object = Object::at(document, format!("{field}[{index}]"), entry.get())?;
            parse_event(&object)
        })
        .collect()
}

/// Whether two texts in JSON differ in nothing but the blanks between their parts, so that they say the same. Where a
/// string has an escape the answer is no: it is for a parser to compare.
pub(super) fn same_but_for_blanks(one: &str, other: &str) -> bool {
    let blank = |text: &'_ u8| matches!(text, b' ' | b'\n' | b'\r' | b'\t');
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        while let Some((_, rest)) = one.split_first().filter(|(first, _)| blank(first)) {
            one = rest;
        }
        while let Some((_, rest)) = other.split_first().filter(|(first, _)| blank(first)) {
            other = rest;
        }
        let length = match one {
            [] => return other.is_empty(),
            [b'"', inside @ ..] => match inside.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
                Some(end) if inside.get(end) == Some(&b'"') => end + 2,
                _ => return false,
            },
            _ => 1,
        };
        let (Some((part, rest)), Some((other_part, other_rest))) =
            (one.split_at_checked(length), other.split_at_checked(length))
        else {
            return false;
        };
        if part != other_part {
            return false;
        }
        (one, other) = (rest, other_rest);
    }
}

fn parse_event(object: &Object<'_>) -> Result<Event, EvidenceError> {
    let required = |name: &str| object.other_form(name, "is missing");
    let imr = object
        .integer("imr", 3)?
        .and_then(|imr| u8::try_from(imr).ok())
        .ok_or_else(|| required("imr"))?;
    let event_type = object
        .integer("event_type", u32::MAX)?
        .ok_or_else(|| required("event_type"))?;
    let name = object.string("event")?.unwrap_or_default();
    if name.len() > MAX_EVENT_NAME_BYTES {
        return Err(object.too_large(
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
        version: parse_version(object)?,
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// JSON lists that are often nearly the same.
    fn list() -> impl Strategy<Value = String> {
        proptest::collection::vec(r#"( |\n|"[a \\]{0,3}"|[0-9]|,|\{|\}|:|true){0,4}"#, 0..4)
            .prop_map(|parts| format!("[{}]", parts.concat()))
    }

    #[test]
    fn blanks_between_the_parts_make_no_difference_and_blanks_inside_them_do() {
        let compact = r#"[{"imr":0,"event":"a b"},{}]"#;
        let pretty = "[\n  {\n    \"imr\": 0,\n    \"event\": \"a b\"\n  },\n  {}\n]\n";
        assert!(same_but_for_blanks(compact, pretty) && same_but_for_blanks(pretty, compact));
        for other in [
            r#"[{"imr":0,"event":"ab"},{}]"#,
            r#"[{"imr":0,"event":"a  b"},{}]"#,
            r#"[{"imr":1,"event":"a b"},{}]"#,
            r#"[{"imr":0,"event":"a b"},{}]]"#,
            r#"[{"imr":0,"event":"a b"}"#,
            "",
        ] {
            assert!(!same_but_for_blanks(compact, other), "{other}");
            assert!(!same_but_for_blanks(other, compact), "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_the_same_says_the_same(one in list(), other in list()) {
            let read = |text: &str| serde_json::from_str::<Value>(text);
            if let (Ok(read_one), Ok(read_other)) = (read(&one), read(&other))
                && same_but_for_blanks(&one, &other)
            {
                prop_assert_eq!(&read_one, &read_other);
                let events = |text: &str| events("test", "event_log", text);
                prop_assert_eq!(events(&one), events(&other));
            }
        }

        #[test]
        fn a_list_that_is_written_in_two_ways_is_the_same(names in proptest::collection::vec("[a-z ,:{}]{0,6}", 0..4)) {
            let value = Value::from_iter(names.iter().map(|name| serde_json::json!({"event": name, "imr": [1, true]})));
            let pretty = format!("{value:#}");
            prop_assert!(same_but_for_blanks(&value.to_string(), &pretty));
        }

        #[test]
        fn the_quick_way_reads_as_the_slow_one(text in r#"\[(\{"imr":[0-4],"event_type":1(,"event":"[a\\n]{0,2}")?\},?){0,3}\]"#) {
            let quick = Object::list("test", "event_log", &text, MAX_EVENTS);
            let slow = serde_json::from_str::<Vec<&RawValue>>(&text).map(|entries| entries.len()).ok();
            prop_assert_eq!(quick.map(|objects| objects.len()), slow);
        }
    }
}
