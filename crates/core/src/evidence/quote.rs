//! The bytes of a quote.

use super::bytes::hex_or_base64;
use super::limits::MAX_QUOTE_BYTES;

/// The bytes of a quote as they were sent, at most [`MAX_QUOTE_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteBytes(Vec<u8>);

impl QuoteBytes {
    /// Accepts bytes up to the limit.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() <= MAX_QUOTE_BYTES).then_some(Self(bytes))
    }

    /// Reads a quote as other tools save it: hex or base64, surrounding blanks allowed.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        hex_or_base64(text, MAX_QUOTE_BYTES)
            .ok()
            .filter(|bytes| !bytes.is_empty())
            .and_then(Self::new)
    }

    /// The bytes, trailing padding included.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
