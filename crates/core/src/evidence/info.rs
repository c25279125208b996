//! The body of `/info` in its shapes from dstack 0.4 to 0.6 (dstack, `sdk/curl/api.md`; dstack 0.6, `docs/guest-api-v1.md`).

use super::error::document_text;
use serde_json::value::RawValue;

use super::json::{Object, kind_of, refuse_flood};
use super::limits::{MAX_COMPOSE_BYTES, MAX_COMPOSE_FILE_BYTES, MAX_INFO_BYTES, MAX_JSON_VALUES};
use super::{Event, EvidenceError, Unproven, event_log, vm_config};

/// How messages call this document.
const DOCUMENT: &str = "the info";

/// The body of `/info`, parsed and unproven.
#[derive(Debug, Clone, Default)]
pub struct Info {
    /// Which instance answered, 20 bytes; to notice a gateway that picked another one.
    pub instance_id: Option<Unproven<[u8; 20]>>,
    /// Registers as the guest agent shows them; to notice another instance, never used as measurements.
    pub registers: Option<Unproven<InfoRegisters>>,
    /// The compose document, exact text.
    pub app_compose: Option<Unproven<String>>,
    /// Whether a compose document was supplied as an object in the place of its text. Its hash says nothing then.
    pub app_compose_is_object: bool,
    /// Why the compose document was not read, where it is larger than is read from a CVM: it is as if absent.
    pub compose_problem: Option<EvidenceError>,
    /// The event log, unless it is the attestation's once more; used where the attestation has none.
    pub event_log: Option<Unproven<Vec<Event>>>,
    /// The text of `vm_config`; used where the attestation has none.
    pub vm_config: Option<Unproven<String>>,
}

/// MRTD and RTMR0–2 as `/info` shows them: unsigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InfoRegisters {
    /// 48 bytes.
    pub mrtd: [u8; 48],
    /// 48 bytes each.
    pub rtmr: [[u8; 48]; 3],
}

impl Info {
    /// Parses a body.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field.
    pub fn parse(body: &[u8]) -> Result<Self, EvidenceError> {
        Self::parse_beside(body, None)
    }

    /// Whether there is nothing in it that a verification uses.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self {
            instance_id: None,
            registers: None,
            app_compose: None,
            app_compose_is_object: false,
            compose_problem: None,
            event_log: None,
            vm_config: None,
        } = self
        else {
            return false;
        };
        true
    }

    /// The same beside an attestation with an event log of this text. A guest sends its log in both: what was parsed
    /// there is not parsed here again.
    pub(super) fn parse_beside(body: &[u8], log: Option<&str>) -> Result<Self, EvidenceError> {
        let text = document_text(DOCUMENT, body, MAX_INFO_BYTES)?;
        let object = Object::document(DOCUMENT, text)?;
        let instance_id = object.hex_or_empty("instance_id")?.map(Unproven::new);
        let top_level = compose_field(&object)?;
        let mut info = match tcb_info_text(&object)? {
            Some(TcbInfoText::Inline(text)) => parse_tcb_info(text, log)?,
            Some(TcbInfoText::Quoted(text)) => parse_tcb_info(&text, log)?,
            None => Self::default(),
        };
        info.instance_id = instance_id;
        info.app_compose_is_object |= top_level.is_object;
        info.vm_config = vm_config::member(&object)?.or(info.vm_config);
        info.compose_problem = top_level.problem.or(info.compose_problem);
        info.app_compose = match (top_level.text, info.app_compose) {
            (Some(top), Some(nested)) if top != nested => {
                return Err(object.malformed("app_compose", "differs from `tcb_info.app_compose`"));
            }
            // The other one of the two was not read.
            _ if info.compose_problem.is_some() => None,
            (top, nested) => top.or(nested),
        };
        Ok(info)
    }
}

enum TcbInfoText<'a> {
    Inline(&'a str),
    Quoted(String),
}

/// `tcb_info` is a string that holds JSON on the wire; some SDKs hand back the object. With
/// `public_tcbinfo: false` it is an empty string.
fn tcb_info_text<'a>(object: &Object<'a>) -> Result<Option<TcbInfoText<'a>>, EvidenceError> {
    let Some(value) = object.get("tcb_info")? else {
        return Ok(None);
    };
    match value.get().as_bytes().first() {
        Some(b'{') => Ok(Some(TcbInfoText::Inline(value.get()))),
        Some(b'"') => {
            let text = object.as_string("tcb_info", value)?;
            Ok((!text.trim().is_empty()).then_some(TcbInfoText::Quoted(text)))
        }
        _ => Err(object.malformed(
            "tcb_info",
            format!("is {}; an object or a string expected", kind_of(value.get())),
        )),
    }
}

fn parse_tcb_info(text: &str, known_log: Option<&str>) -> Result<Info, EvidenceError> {
    const LOG: &str = "tcb_info.event_log";
    refuse_flood(DOCUMENT, "tcb_info", text, MAX_JSON_VALUES)?;
    let object = Object::at(DOCUMENT, "tcb_info".to_owned(), text)?;
    let registers = match (
        object.hex_or_empty("mrtd")?,
        object.hex_or_empty("rtmr0")?,
        object.hex_or_empty("rtmr1")?,
        object.hex_or_empty("rtmr2")?,
    ) {
        (Some(mrtd), Some(rtmr0), Some(rtmr1), Some(rtmr2)) => Some(Unproven::new(InfoRegisters {
            mrtd,
            rtmr: [rtmr0, rtmr1, rtmr2],
        })),
        _ => None,
    };
    let event_log = object
        .get("event_log")?
        .filter(|value| value.get() != "\"\"")
        .map(|value: &RawValue| event_log::text_of(DOCUMENT, LOG, value))
        .transpose()?
        .filter(|text| !known_log.is_some_and(|known| event_log::same_but_for_blanks(known, text)))
        .map(|text| event_log::parse(DOCUMENT, LOG, &text))
        .transpose()?
        .flatten();
    let compose = compose_field(&object)?;
    Ok(Info {
        instance_id: None,
        registers,
        app_compose: compose.text,
        app_compose_is_object: compose.is_object,
        compose_problem: compose.problem,
        event_log,
        vm_config: vm_config::member(&object)?,
    })
}

/// What a member `app_compose` is.
#[derive(Default)]
struct ComposeField {
    text: Option<Unproven<String>>,
    is_object: bool,
    problem: Option<EvidenceError>,
}

/// `app_compose` must be the document's own text. An object in its place was re-serialised by someone, so
/// that its hash says nothing: it is treated as absent (dstack, `dstack-types/src/lib.rs`, `AppCompose`), and a report says so.
fn compose_field(object: &Object<'_>) -> Result<ComposeField, EvidenceError> {
    let Some(value) = object.get("app_compose")? else {
        return Ok(ComposeField::default());
    };
    if !value.get().starts_with('"') {
        return Ok(ComposeField {
            is_object: value.get().starts_with('{'),
            ..ComposeField::default()
        });
    }
    let text = object.as_string("app_compose", value)?;
    Ok(match text.len() {
        0 => ComposeField::default(),
        size if size > MAX_COMPOSE_BYTES => ComposeField {
            problem: Some(EvidenceError::ComposeTooLarge {
                size,
                limit: MAX_COMPOSE_BYTES,
            }),
            ..ComposeField::default()
        },
        _ => ComposeField {
            text: Some(Unproven::new(text)),
            ..ComposeField::default()
        },
    })
}

/// A compose document that the user has as a file: its exact bytes.
pub(super) fn compose_text(bytes: &[u8]) -> Result<Unproven<String>, EvidenceError> {
    let text = document_text("the compose document", bytes, MAX_COMPOSE_FILE_BYTES)?;
    Ok(Unproven::new(text.to_owned()))
}
