//! The body of `/attestation` in every shape seen in the wild (dstack, `sdk/curl/api.md`).

use super::error::document_text;
use std::borrow::Cow;

use serde_json::{Map, Value};

use super::json::{Object, kind_of};
use super::limits::{MAX_ATTESTATION_BYTES, MAX_QUOTE_BYTES, MAX_VERSIONED_BYTES};
use super::{
    Attestation, BootEvents, Event, EventVersion, EvidenceError, GpuEvidence, QuoteBytes, Unproven, bytes,
    event_log, tpm, versioned, vm_config,
};

/// How messages call this document.
const DOCUMENT: &str = "the attestation";

/// Bytes of `report_data` that are read. 64 are right: a longer one is told as what it is.
const MAX_ECHO: usize = 1024;

impl Attestation {
    /// Parses a body. A file may also hold a bare quote: binary, hex or base64.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field.
    pub fn parse(body: &[u8]) -> Result<Self, EvidenceError> {
        let text = document_text(DOCUMENT, body, MAX_ATTESTATION_BYTES)?;
        let object = Object::document(DOCUMENT, text).map_err(|error| in_own_form(error, text))?;
        refuse_other_types(&object)?;
        let versioned = versioned_member(&object)?;
        let loose = Self::loose(&object, versioned.as_ref().map(|versioned| &versioned.quote))?;
        let attestation = loose
            .agreeing_with(versioned)
            .map_err(|what| object.malformed("attestation", differs_from(what)))?;
        Ok(Self {
            gpu: GpuEvidence::of_members(DOCUMENT, &object).transpose(),
            ..attestation
        })
    }

    /// Parses a file that holds no JSON: a bare quote or a versioned attestation, binary, hex or (the quote) base64.
    /// `None` where it is neither.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the part of a versioned attestation.
    pub fn of_bytes(file: &[u8]) -> Option<Result<Self, EvidenceError>> {
        let text = std::str::from_utf8(file).ok();
        let bytes = match text {
            // A versioned attestation may well be valid UTF-8 in its first bytes, but holds a quote, which never is.
            Some(text) => bytes::hex_up_to(text.trim(), MAX_VERSIONED_BYTES).ok(),
            None => Some(file.to_vec()),
        };
        if bytes.as_deref().is_some_and(tpm::begins_like_one) {
            return Some(Err(EvidenceError::TpmQuote { document: DOCUMENT }));
        }
        match bytes.filter(|bytes| versioned::begins_like_one(bytes)) {
            Some(bytes) => Some(versioned::parse(&bytes)),
            None => match text {
                Some(text) => QuoteBytes::of_text(text),
                None => QuoteBytes::new(file.to_vec()),
            }
            .map(|quote| Ok(Self::bare(quote))),
        }
    }

    /// The members as the SDK's `getQuote()` returns them; the quote may be left out where one is known.
    fn loose(object: &Object<'_>, known: Option<&QuoteBytes>) -> Result<Self, EvidenceError> {
        const LOG: &str = "event_log";
        let quote = parse_quote(object, known)?;
        let log = object
            .get_either(&[LOG, "eventlog"])?
            // Some proxies answer with an empty string where the guest agent has no log.
            .filter(|value| value.get() != "\"\"")
            .map(|value| event_log::text_of(DOCUMENT, LOG, value))
            .transpose()?;
        let events = log.as_deref().map(|text| {
            event_log::refuse_no_list(DOCUMENT, LOG, text)?;
            event_log::parse(DOCUMENT, LOG, text)
        });
        let events = events.transpose()?.flatten();
        Ok(Self {
            quote,
            event_log_text: log.filter(|_| events.is_some()).map(Cow::into_owned),
            event_log: events,
            log_is_of_info: false,
            boot_events: BootEvents::Complete,
            report_data_echo: object
                .hex_up_to("report_data", MAX_ECHO)?
                .filter(|echo| !echo.is_empty())
                .map(|echo| match echo.len() {
                    ..=64 => Ok(Unproven::new(echo)),
                    length => Err(object.malformed(
                        "report_data",
                        format!("is {length} bytes; at most 64 are in a quote"),
                    )),
                })
                .transpose()?,
            // Nothing relies on it: what cannot be read in one way is absent.
            vm_config: vm_config::member(object).unwrap_or_default(),
            gpu: None,
        })
    }

    /// Two forms of one piece of evidence must say the same, else two readers could believe two things: each part of the
    /// loose form is compared, as far as it is there. What it does not have is taken from the versioned form, and its log
    /// has the boot events or is not needed.
    ///
    /// # Errors
    /// The member that differs, as the SDK calls it.
    fn agreeing_with(mut self, versioned: Option<Self>) -> Result<Self, &'static str> {
        let Some(versioned) = versioned else {
            return Ok(self);
        };
        if self.quote != versioned.quote {
            return Err("quote");
        }
        let logs = (&self.event_log, &versioned.event_log);
        if let (Some(loose), Some(other)) = logs
            && !loose.same_by(other, same_runtime_events)
        {
            return Err("event_log");
        }
        let echoes = (&self.report_data_echo, &versioned.report_data_echo);
        if let (Some(loose), Some(other)) = echoes
            && !loose.same_by(other, same_but_for_padding)
        {
            return Err("report_data");
        }
        let configs = (&self.vm_config, &versioned.vm_config);
        if let (Some(loose), Some(other)) = configs
            && !loose.same_by(other, same_config)
        {
            return Err("vm_config");
        }
        let is_whole = |log: &Unproven<Vec<Event>>| log.same_by(log, |events, _| has_boot_events(events));
        if versioned.event_log.is_some() && !self.event_log.as_ref().is_some_and(is_whole) {
            self.event_log = versioned.event_log;
            self.event_log_text = None;
            self.boot_events = versioned.boot_events;
        }
        Ok(Self {
            report_data_echo: self.report_data_echo.or(versioned.report_data_echo),
            vm_config: self.vm_config.or(versioned.vm_config),
            ..self
        })
    }

    /// A quote, the JSON text of its event log and a versioned attestation out of a `document`, each binary and as far as
    /// it is there; `None` where there is neither a quote nor an attestation. What differs from the attestation is told as
    /// the SDK calls it.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the part.
    pub(crate) fn of_parts(
        quote: Option<&[u8]>,
        event_log: Option<&[u8]>,
        versioned: Option<&[u8]>,
        document: &'static str,
    ) -> Result<Option<Result<Self, &'static str>>, EvidenceError> {
        const LOG: &str = "event_log";
        let malformed = |field: &str, problem: String| EvidenceError::Malformed {
            document,
            field: field.to_owned(),
            problem,
        };
        let too_long = || malformed("quote", format!("has more than {MAX_QUOTE_BYTES} bytes"));
        let versioned = versioned.map(versioned::parse).transpose()?;
        let quote = match quote {
            Some(quote) => Some(QuoteBytes::new(quote.to_vec()).ok_or_else(too_long)?),
            None => versioned.as_ref().map(|versioned| versioned.quote.clone()),
        };
        let Some(quote) = quote else { return Ok(None) };
        let events = event_log.filter(|log| !log.is_empty()).map(|log| {
            let text = std::str::from_utf8(log).map_err(|_| malformed(LOG, "is not UTF-8".to_owned()))?;
            event_log::parse(document, LOG, text)
        });
        let loose = Self {
            event_log: events.transpose()?.flatten(),
            ..Self::bare(quote)
        };
        Ok(Some(loose.agreeing_with(versioned)))
    }
}

/// What is said of a versioned attestation, where a member is not what it says.
pub(super) fn differs_from(member: &str) -> String {
    format!("differs from the `{member}` beside it")
}

/// The member `attestation`, which the guest agent fills in where `Attest` is asked.
fn versioned_member(object: &Object<'_>) -> Result<Option<Attestation>, EvidenceError> {
    object
        .hex_up_to("attestation", MAX_VERSIONED_BYTES)?
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| versioned::parse(&bytes))
        .transpose()
}

/// Whether a log holds events of the boot. The ACPI entries of RTMR0 are left where the rest is stripped.
fn has_boot_events(log: &[Event]) -> bool {
    log.iter().any(|event| matches!(event.imr, 1 | 2))
}

/// Whether a log has the same runtime events as another one: names, payloads and the way their digests are made.
fn same_runtime_events(one: &[Event], other: &[Event]) -> bool {
    fn runtime(events: &[Event]) -> impl Iterator<Item = (&str, &[u8], EventVersion)> {
        events
            .iter()
            .filter(|event| event.imr == 3)
            .map(|event| (event.name.as_str(), event.payload.as_slice(), event.version))
    }
    runtime(one).eq(runtime(other))
}

/// Whether report data is the beginning of other report data, of which zeros are the rest.
fn same_but_for_padding(short: &[u8], long: &[u8]) -> bool {
    long.strip_prefix(short)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == 0))
}

/// Whether `vm_config` is the `config` of a versioned attestation. Apps write an object anew, one without members says nothing, and guests of
/// 0.5 have the whole `.sys-config.json` there, with `vm_config` as a member (dstack 0.5, `dstack-attest/src/attestation.rs`).
fn same_config(loose: &str, config: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let (one, other) = (read(loose), read(config));
    let within = other.as_ref().and_then(|other| match other.get("vm_config")? {
        Value::String(text) => read(text),
        value => Some(value.clone()),
    });
    let says_nothing = |value: &Option<Value>| {
        value
            .as_ref()
            .is_some_and(|value| *value == Value::Object(Map::new()))
    };
    loose == config
        || says_nothing(&one)
        || says_nothing(&other)
        || one.is_some() && (one == other || one == within)
}

/// The quote: the SDK's `quote`, or `intel_quote` as private AI gateways call it, or else the known one.
fn parse_quote(object: &Object<'_>, known: Option<&QuoteBytes>) -> Result<QuoteBytes, EvidenceError> {
    const OTHER_NAME: &str = "intel_quote";
    let of = |name: &str| -> Result<Option<QuoteBytes>, EvidenceError> {
        let Some(text) = object.string(name)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        // It is what is signed: no form of an app's own is a quote.
        bytes::hex_or_base64(&text, MAX_QUOTE_BYTES)
            .map_err(|error| match object.bad_hex(name, &error) {
                EvidenceError::OtherForm { problem, .. } => object.malformed(name, problem),
                other => other,
            })
            .and_then(|bytes| QuoteBytes::new(bytes).ok_or_else(|| object.malformed(name, "is too long")))
            .map(Some)
    };
    match (of("quote")?, of(OTHER_NAME)?) {
        (Some(quote), Some(other)) if quote != other => {
            Err(object.malformed(OTHER_NAME, "differs from the `quote` beside it"))
        }
        (Some(quote), _) | (None, Some(quote)) => Ok(quote),
        (None, None) => known.cloned().ok_or_else(|| EvidenceError::NoQuote {
            document: DOCUMENT,
            below: quote_below(object),
        }),
    }
}

/// A body that is JSON and no object is an app's own form.
fn in_own_form(error: EvidenceError, text: &str) -> EvidenceError {
    match error {
        EvidenceError::OtherForm {
            document,
            field,
            problem,
        } if !text.trim_start().starts_with('{') => EvidenceError::OtherType {
            document,
            field,
            problem,
            below: None,
        },
        error => error,
    }
}

/// Refuses members whose JSON type is another one than the SDK's, before anything of them is read. Apps wrap what the SDK
/// returns. The wrapper is not signed, so this is an error and not a failure.
fn refuse_other_types(object: &Object<'_>) -> Result<(), EvidenceError> {
    const TEXT: (&str, &str) = ("\"", "a string expected");
    const LOG: (&str, &str) = ("\"[", "a list of events expected");
    for (name, (begins, expected)) in [
        ("quote", TEXT),
        ("intel_quote", TEXT),
        ("attestation", TEXT),
        ("report_data", TEXT),
        ("event_log", LOG),
        ("eventlog", LOG),
    ] {
        let other = object
            .get(name)?
            .filter(|value| !value.get().starts_with(|c: char| begins.contains(c)));
        if let Some(value) = other {
            return Err(EvidenceError::OtherType {
                document: DOCUMENT,
                field: object.field(name),
                problem: format!("is {}; {expected}", kind_of(value.get())),
                below: quote_below(object),
            });
        }
    }
    Ok(())
}

/// The path of a member that looks like a quote, one level below where the SDK has it.
fn quote_below(object: &Object<'_>) -> Option<String> {
    object
        .members()
        .filter(|(_, value)| value.get().starts_with('{'))
        .find_map(|(name, value)| {
            let inner = Object::at(DOCUMENT, object.field(name), value.get()).ok()?;
            ["quote", "intel_quote"].into_iter().find_map(|quote| {
                let value = inner.get(quote).ok()??;
                (value.get().starts_with('"') && value.get() != "\"\"").then(|| inner.field(quote))
            })
        })
}

/// The app's information inside a body of `/attestation`, as private AI gateways answer both in one; as it is written.
pub(super) fn info_within(body: &[u8]) -> Option<&[u8]> {
    #[derive(serde::Deserialize)]
    struct Within<'b> {
        #[serde(borrow)]
        info: Option<&'b serde_json::value::RawValue>,
    }
    let within: Within<'_> = serde_json::from_slice(body).ok()?;
    let info = within.info?.get();
    info.starts_with('{').then_some(info.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::same_config;

    #[test]
    fn a_config_is_the_same_in_each_form_that_guests_write() {
        let config = r#"{"cpu_count":2,"image":"a"}"#;
        for same in [
            config,
            r#"{ "image": "a", "cpu_count": 2 }"#,
            "{}",
            r#"{"kms_urls":[],"vm_config":"{\"cpu_count\":2,\"image\":\"a\"}"}"#,
            r#"{"vm_config":{"cpu_count":2,"image":"a"}}"#,
        ] {
            assert!(same_config(config, same), "{same}");
        }
        for other in [
            r#"{"cpu_count":3,"image":"a"}"#,
            r#"{"kms_urls":[],"vm_config":"{\"cpu_count\":3}"}"#,
            r#"{"kms_urls":[]}"#,
            "x",
            "",
        ] {
            assert!(!same_config(config, other), "{other}");
        }
    }
}
