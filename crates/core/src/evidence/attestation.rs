//! An attestation, as every form of it is read: parsed and unproven.

use super::{Event, EvidenceError, GpuEvidence, QuoteBytes, Unproven};

/// The body of `/attestation`, parsed and unproven.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// The quote.
    pub quote: QuoteBytes,
    /// The event log, where one was sent.
    pub event_log: Option<Unproven<Vec<Event>>>,
    /// The event log's own text, to know a second copy of it.
    pub(super) event_log_text: Option<String>,
    /// Whether the event log is not its own and comes from `/info`: any instance may have answered that.
    pub(crate) log_is_of_info: bool,
    /// Whether the event log holds the events of RTMR0–2.
    pub boot_events: BootEvents,
    /// The `report_data` next to the quote, at most 64 bytes. Nobody signed it.
    pub report_data_echo: Option<Unproven<Vec<u8>>>,
    /// The text of `vm_config`, which the host writes, where it was sent.
    pub vm_config: Option<Unproven<String>>,
    /// GPU evidence in the same body, or why it cannot be read: nothing else relies on it.
    pub(super) gpu: Option<Result<GpuEvidence, EvidenceError>>,
}

impl Attestation {
    /// Wraps a bare quote, as some tools save it.
    #[must_use]
    pub const fn bare(quote: QuoteBytes) -> Self {
        Self {
            quote,
            event_log: None,
            event_log_text: None,
            log_is_of_info: false,
            boot_events: BootEvents::Complete,
            report_data_echo: None,
            vm_config: None,
            gpu: None,
        }
    }
}

/// Whether an event log holds the events of RTMR0–2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootEvents {
    /// It does, and they must replay.
    Complete,
    /// The form of the evidence leaves them out, so RTMR0–2 are known from the quote alone (dstack,
    /// `dstack-attest/src/attestation.rs`).
    Stripped,
}
