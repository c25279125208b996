//! The bytes of a quote.

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

    /// The bytes, trailing padding included.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
