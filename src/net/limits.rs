//! How much one request may cost.

use std::time::Duration;

use tokio::time::Instant;

/// Bounds of one request (T48). The body is counted as it arrives; nothing is decompressed, so these are the bytes
/// that a parser sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes.
    pub max_body: usize,
    /// Largest sum of header names and values, in bytes. The HTTP library itself stops reading at 100 headers or about
    /// 400 KiB, so a larger value than that has no effect.
    pub max_headers: usize,
    /// From the call to the last byte of the body: name look-up, connection and slow bodies included.
    pub total: Duration,
}

impl Limits {
    /// Headers, in bytes: 64 KiB (docs/threats.md, T48).
    pub const MAX_HEADERS: usize = 64 * 1024;
    /// The whole exchange: 30 s (docs/threats.md, T48).
    pub const TOTAL: Duration = Duration::from_secs(30);

    /// The default limits with a body of at most `max_body` bytes.
    pub fn body(max_body: usize) -> Self {
        Self {
            max_body,
            max_headers: Self::MAX_HEADERS,
            total: Self::TOTAL,
        }
    }

    /// The same, with no more time than until then.
    pub(crate) fn until(self, ends: Instant) -> Self {
        self.within(ends.saturating_duration_since(Instant::now()))
    }

    /// The same, with this much time, which may be more than the default.
    pub(crate) fn lasting(self, total: Duration) -> Self {
        Self { total, ..self }
    }

    /// The same, with no more time than `left`.
    pub fn within(self, left: Duration) -> Self {
        Self {
            total: self.total.min(left),
            ..self
        }
    }
}
