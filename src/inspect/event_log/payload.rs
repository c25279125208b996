//! An event's payload in a form that people can read.

use serde_json::{Map, Value};

use super::event_type;
use crate::inspect::page::{Page, short_hex};
use cvm_verify_core::evidence::{Event, RUNTIME_EVENT_TYPE};
use cvm_verify_core::reference::ReferenceValues;

/// Members of a JSON payload that are shown.
const MAX_MEMBERS: usize = 16;

/// Characters of a text payload that are shown.
const MAX_TEXT: usize = 120;

/// Shows it.
pub(super) fn show(page: &mut Page, event: &Event) {
    let payload = event.payload.as_slice();
    if event.event_type != RUNTIME_EVENT_TYPE {
        boot_payload(page, event.event_type, payload);
    } else if let (Some(members), "key-provider") = (object(payload), event.name.as_str()) {
        for (name, value) in members.iter().take(MAX_MEMBERS) {
            page.item(format!("{name}: {}", plain(value)));
        }
        page.more(members.len().saturating_sub(MAX_MEMBERS));
    } else {
        page.item(readable(payload));
    }
}

/// Says what the payload of a boot event of dstack stands for.
pub(super) fn explain(page: &mut Page, event: &Event) {
    match event.name.as_str() {
        "key-provider" => match object(&event.payload) {
            Some(members) => key_provider(page, &members),
            None => {
                page.mark("It is not the JSON object that it should be.");
            }
        },
        "os-image-hash" => {
            let hash = <[u8; 32]>::try_from(event.payload.as_slice()).ok();
            if let Some(row) = hash.and_then(|hash| ReferenceValues::built_in().image_by_hash(&hash)) {
                page.note(format!("The hash of {} in the built-in table.", row.name));
            }
        }
        _ => {}
    }
}

fn boot_payload(page: &mut Page, event_type: u32, payload: &[u8]) {
    let name = match event_type {
        0x8000_0001 | 0x8000_0002 | 0x8000_00e0 => variable_name(payload),
        0x06 => payload.get(8..).and_then(text_in),
        0x0a | 0x8000_0007 => text_in(payload),
        _ => None,
    };
    match name {
        Some(name) => {
            page.item(name);
        }
        None if payload.is_empty() => {}
        None => {
            page.item(readable(payload));
        }
    }
    if let Some(meaning) = event_type::meaning(event_type) {
        page.note(meaning);
    }
}

/// A UEFI variable's name: GUID (16 bytes), length in characters (u64), length of the data (u64), UTF-16.
fn variable_name(payload: &[u8]) -> Option<String> {
    let length = u64::from_le_bytes(*payload.get(16..)?.first_chunk()?);
    let length = usize::try_from(length).ok().filter(|length| *length <= 64)?;
    let units = payload.get(32..32 + 2 * length)?.chunks_exact(2);
    let units: Vec<u16> = units
        .filter_map(|unit| Some(u16::from_le_bytes(*unit.first_chunk()?)))
        .collect();
    String::from_utf16(&units).ok()
}

/// Printable ASCII, a final NUL apart.
fn text_in(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    (!bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, b' '..=b'~')))
        .then(|| String::from_utf8_lossy(bytes).chars().take(MAX_TEXT).collect())
}

/// Nothing, text, or hex.
fn readable(payload: &[u8]) -> String {
    match text_in(payload) {
        None if payload.is_empty() => "(empty)".to_owned(),
        None if payload.len() <= 48 => hex::encode(payload),
        None => format!("{} ({} bytes)", short_hex(payload), payload.len()),
        Some(text) => format!("\"{text}\""),
    }
}

fn object(payload: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice(payload).ok()
}

fn key_provider(page: &mut Page, members: &Map<String, Value>) {
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let id = text("id").to_ascii_lowercase();
    match (text("name"), ReferenceValues::built_in().kms_by_id(&id)) {
        ("kms", Some(row)) => page.note(format!("{}; `--key-provider {}` names it.", row.what, row.name)),
        ("kms", None) => page.note(
            "A KMS by the public key of its root CA. It is none of the built-in table: name it with --key-provider.",
        ),
        ("none", _) => page.mark("Keys are random at every boot: nothing persists, and no KMS checked the code."),
        ("local" | "local-sgx", _) => page.mark(
            "The host's own key provider, an SGX enclave known by its measurement. `verify` needs its name (--key-provider).",
        ),
        ("tpm", _) => page.mark("A TPM that the host supplies. `verify` needs its name (--key-provider)."),
        _ => page.mark("Not one of kms, local-sgx, local, tpm, none."),
    };
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_shown_as_what_they_are() {
        assert_eq!(readable(b""), "(empty)");
        assert_eq!(readable(b"zfs"), "\"zfs\"");
        assert_eq!(readable(&[0xab; 32]), "ab".repeat(32));
        assert_eq!(readable(&[0xab; 100]), "abababab…abab (100 bytes)");
        let variable = [&[7; 16][..], &[2, 0, 0, 0, 0, 0, 0, 0], &[0; 8], b"P\0K\0"].concat();
        assert_eq!(variable_name(&variable).unwrap(), "PK");
        assert_eq!(variable_name(&variable[..34]), None);
    }
}
