//! The body of `/attestation` in every shape seen in the wild (dstack, `sdk/curl/api.md`).

use super::error::document_text;
use std::borrow::Cow;

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
        let has_quote = object.get("quote")?.is_some_and(|quote| quote.get() != "\"\"");
        let attestation = match versioned {
            Some(versioned) if has_quote => Self::loose(&object)?.agreeing_with(versioned, &object),
            Some(versioned) => Ok(versioned),
            None => Self::loose(&object),
        }?;
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

    /// The members as the SDK's `getQuote()` returns them.
    fn loose(object: &Object<'_>) -> Result<Self, EvidenceError> {
        const LOG: &str = "event_log";
        let quote = parse_quote(object)?;
        let log = object
            .get_either(&[LOG, "eventlog"])?
            // Some proxies answer with an empty string where the guest agent has no log.
            .filter(|value| value.get() != "\"\"")
            .map(|value| event_log::text_of(DOCUMENT, LOG, value))
            .transpose()?;
        let events = log.as_deref().map(|text| event_log::parse(DOCUMENT, LOG, text));
        Ok(Self {
            quote,
            event_log: events.transpose()?.map(Unproven::new),
            event_log_text: log.map(Cow::into_owned),
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

    /// Two forms of one piece of evidence must say the same, else two readers could believe two things. The loose form
    /// is used then: it has the boot events.
    fn agreeing_with(self, versioned: Self, object: &Object<'_>) -> Result<Self, EvidenceError> {
        let differs =
            |what: &str| object.malformed("attestation", format!("differs from the `{what}` beside it"));
        if self.quote != versioned.quote {
            return Err(differs("quote"));
        }
        let Some(log) = self.event_log else {
            return Ok(versioned);
        };
        if versioned
            .event_log
            .as_ref()
            .is_some_and(|other| !log.same_by(other, same_runtime_events))
        {
            return Err(differs("event_log"));
        }
        let echoes = (&self.report_data_echo, &versioned.report_data_echo);
        if let (Some(loose), Some(other)) = echoes
            && !loose.same_by(other, same_but_for_padding)
        {
            return Err(differs("report_data"));
        }
        Ok(Self {
            event_log: Some(log),
            vm_config: self.vm_config.or(versioned.vm_config),
            ..self
        })
    }

    /// Parses a versioned attestation that stands alone, binary.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the part.
    pub(crate) fn of_versioned(bytes: &[u8]) -> Result<Self, EvidenceError> {
        versioned::parse(bytes)
    }

    /// A quote, and the JSON text of its event log next to it, out of a `document`.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the part.
    pub(crate) fn of_parts(
        quote: &[u8],
        event_log: Option<&[u8]>,
        document: &'static str,
    ) -> Result<Self, EvidenceError> {
        const LOG: &str = "event_log";
        let malformed = |field: &str, problem: String| EvidenceError::Malformed {
            document,
            field: field.to_owned(),
            problem,
        };
        let too_long = || malformed("quote", format!("has more than {MAX_QUOTE_BYTES} bytes"));
        let quote = QuoteBytes::new(quote.to_vec()).ok_or_else(too_long)?;
        let events = event_log.map(|log| {
            let text = std::str::from_utf8(log).map_err(|_| malformed(LOG, "is not UTF-8".to_owned()))?;
            event_log::parse(document, LOG, text)
        });
        Ok(Self {
            event_log: events.transpose()?.map(Unproven::new),
            ..Self::bare(quote)
        })
    }
}

/// The member `attestation`, which the guest agent fills in where `Attest` is asked.
fn versioned_member(object: &Object<'_>) -> Result<Option<Attestation>, EvidenceError> {
    object
        .hex_up_to("attestation", MAX_VERSIONED_BYTES)?
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| versioned::parse(&bytes))
        .transpose()
}

/// Whether two logs have the same runtime events: names, payloads and the way their digests are made.
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

/// The quote: the SDK's `quote`, or `intel_quote` as private AI gateways call it.
fn parse_quote(object: &Object<'_>) -> Result<QuoteBytes, EvidenceError> {
    const OTHER_NAME: &str = "intel_quote";
    let of = |name: &str| -> Result<Option<QuoteBytes>, EvidenceError> {
        let Some(text) = object.string(name)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        bytes::hex_or_base64(&text, MAX_QUOTE_BYTES)
            .map_err(|error| object.bad_hex(name, &error))
            .and_then(|bytes| QuoteBytes::new(bytes).ok_or_else(|| object.malformed(name, "is too long")))
            .map(Some)
    };
    match (of("quote")?, of(OTHER_NAME)?) {
        (Some(quote), Some(other)) if quote != other => {
            Err(object.malformed(OTHER_NAME, "differs from the `quote` beside it"))
        }
        (Some(quote), _) | (None, Some(quote)) => Ok(quote),
        (None, None) => Err(EvidenceError::NoQuote {
            document: DOCUMENT,
            below: quote_below(object),
        }),
    }
}

/// A body that is JSON and no object is an app's own form.
fn in_own_form(error: EvidenceError, text: &str) -> EvidenceError {
    match error {
        EvidenceError::Malformed {
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
