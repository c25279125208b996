//! The body of `/attestation` in every shape seen in the wild (dstack-attestation.md §1.a).

use super::json::Object;
use super::limits::{MAX_ATTESTATION_BYTES, MAX_QUOTE_BYTES};
use super::{Event, EvidenceError, QuoteBytes, Unproven, bytes, event_log};

/// How messages call this document.
const DOCUMENT: &str = "the attestation";

/// The body of `/attestation`, parsed and unproven.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The quote.
    pub quote: QuoteBytes,
    /// The event log, where one was sent.
    pub event_log: Option<Unproven<Vec<Event>>>,
    /// The `report_data` beside the quote, at most 64 bytes. Nobody signed it.
    pub report_data_echo: Option<Unproven<Vec<u8>>>,
}

impl Attestation {
    /// Parses a body. A file may also hold a bare quote: binary, hex or base64.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field.
    pub fn parse(body: &[u8]) -> Result<Self, EvidenceError> {
        if body.len() > MAX_ATTESTATION_BYTES {
            return Err(EvidenceError::TooLarge {
                document: DOCUMENT,
                size: body.len(),
                limit: MAX_ATTESTATION_BYTES,
            });
        }
        let text = std::str::from_utf8(body).map_err(|error| EvidenceError::NotJson {
            document: DOCUMENT,
            problem: format!("byte {} is not UTF-8", error.valid_up_to() + 1),
        })?;
        let object = Object::document(DOCUMENT, text)?;
        Ok(Self {
            quote: parse_quote(&object)?,
            event_log: object
                .get_either(&["event_log", "eventlog"])?
                // Some proxies answer with an empty string where the guest agent has no log.
                .filter(|value| value.get() != "\"\"")
                .map(|value| event_log::parse(DOCUMENT, "event_log", value))
                .transpose()?
                .map(Unproven::new),
            report_data_echo: object
                .hex_up_to("report_data", 64)?
                .filter(|echo| !echo.is_empty())
                .map(Unproven::new),
        })
    }

    /// Wraps a bare quote, as some tools save it.
    #[must_use]
    pub const fn bare(quote: QuoteBytes) -> Self {
        Self {
            quote,
            event_log: None,
            report_data_echo: None,
        }
    }
}

fn parse_quote(object: &Object<'_>) -> Result<QuoteBytes, EvidenceError> {
    let text = object
        .string("quote")?
        .filter(|text| !text.is_empty())
        .ok_or(EvidenceError::NoQuote { document: DOCUMENT })?;
    bytes::hex_or_base64(&text, MAX_QUOTE_BYTES)
        .map_err(|error| object.bad_hex("quote", &error))
        .and_then(|bytes| QuoteBytes::new(bytes).ok_or_else(|| object.malformed("quote", "is too long")))
}
