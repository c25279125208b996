//! The evidence with its unproven values opened, to be shown.

use cvm_verify_core::evidence::{BootEvents, Event, Evidence, GpuReport, InfoRegisters, RUNTIME_EVENT_TYPE};

use cvm_verify_core::verify::{QuoteExtents, ShownDocument};
use sha2::{Digest as _, Sha256};

use super::Inspector;
use super::page::{Page, count};
use super::quote::TdReport;

/// Everything that the sections show. Nothing in it is proven.
pub(super) struct Opened<'a> {
    /// The quote with its trailing bytes.
    pub quote: &'a [u8],
    /// Where its parts lie, as far as that can be told.
    pub extents: QuoteExtents,
    /// Its TD report, where it has a whole one.
    pub report: Option<TdReport>,
    /// The event log.
    pub events: Option<&'a [Event]>,
    /// Whether the log has the events of RTMR0–2.
    pub boot_events: BootEvents,
    /// The text of the compose document.
    pub compose: Option<&'a str>,
    /// The nonce with which the evidence was requested.
    pub nonce: Option<&'a [u8; 32]>,
    /// The `report_data` next to the quote.
    pub echo: Option<&'a [u8]>,
    /// The reports of GPUs and switches, or why they cannot be read.
    pub gpu: Option<Result<&'a [GpuReport], String>>,
    /// The instance id in `/info`.
    pub instance_id: Option<&'a [u8; 20]>,
    /// What became of the measurement document in `vm_config`.
    pub document: ShownDocument<[u8; 32]>,
    /// The registers in `/info`.
    pub registers: Option<&'a InfoRegisters>,
}

/// The text of the compose document: the one whose hash the event log names, else the first.
fn compose_of<'a>(evidence: &'a Evidence, inspector: &Inspector) -> Option<&'a str> {
    let texts = || {
        evidence
            .compose_candidates()
            .map(|text| text.open(inspector).as_str())
    };
    let events = evidence.attestation.event_log.as_ref();
    let named = events.and_then(|events| boot_event(events.open(inspector), "compose-hash"));
    texts()
        .find(|text| named.is_some_and(|named| Sha256::digest(text).as_slice() == named))
        .or_else(|| texts().next())
}

/// The payload of the first runtime event of a name, if it comes before `system-ready`.
fn boot_event<'a>(events: &'a [Event], name: &str) -> Option<&'a [u8]> {
    events
        .iter()
        .filter(|event| event.imr == 3 && event.event_type == RUNTIME_EVENT_TYPE)
        .take_while(|event| event.name != "system-ready")
        .find(|event| event.name == name)
        .map(|event| event.payload.as_slice())
}

impl<'a> Opened<'a> {
    pub(super) fn new(evidence: &'a Evidence, inspector: &Inspector) -> Self {
        let quote = evidence.attestation.quote.as_bytes();
        let extents = QuoteExtents::of(quote);
        let info = evidence.info.as_ref();
        let report = TdReport::read(quote, extents);
        let document = match &report {
            Some(report) => ShownDocument::of_claims(evidence, &report.mr_td, &report.rtmr, inspector),
            None => ShownDocument::Absent { claimed: None },
        };
        let open =
            |list: &'a cvm_verify_core::evidence::Unproven<Vec<Event>>| list.open(inspector).as_slice();
        Self {
            quote,
            extents,
            report,
            document,
            events: evidence.attestation.event_log.as_ref().map(open),
            boot_events: evidence.attestation.boot_events,
            compose: compose_of(evidence, inspector),
            nonce: evidence.nonce.as_ref(),
            echo: evidence
                .attestation
                .report_data_echo
                .as_ref()
                .map(|echo| echo.open(inspector).as_slice()),
            gpu: evidence.gpu.as_ref().and_then(|gpu| match gpu {
                Ok(gpu) => Some(Ok(gpu.reports.as_ref()?.open(inspector).as_slice())),
                Err(problem) => Some(Err(format!("{problem}."))),
            }),
            instance_id: info
                .and_then(|info| info.instance_id.as_ref())
                .map(|id| id.open(inspector)),
            registers: info
                .and_then(|info| info.registers.as_ref())
                .map(|registers| registers.open(inspector)),
        }
    }

    /// What there is of it, as a field.
    pub(super) fn show_size(&self, page: &mut Page, title: &str, note: &str) {
        let events = count(self.events.map_or(0, <[_]>::len), "event");
        page.field(title, format!("a quote of {} bytes, {events}", self.quote.len()))
            .note(note);
    }

    /// The payload of the first runtime event of a name, if it comes before `system-ready`.
    pub(super) fn boot_event(&self, name: &str) -> Option<&'a [u8]> {
        boot_event(self.events?, name)
    }
}
