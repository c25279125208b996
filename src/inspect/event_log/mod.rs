//! The event log: what was measured into the RTMRs, by whom and what it means (dstack, `cc-eventlog/src`).

mod event_type;
mod meaning;
mod payload;
mod replay;

use super::opened::Opened;
use super::page::{Page, count, short_hex};
use cvm_verify_core::evidence::{BootEvents, Event, EventVersion, RUNTIME_EVENT_TYPE};
use meaning::EventPlace;
use replay::Replay;

/// Events of one register that are shown. Real ones have at most 14.
const MAX_EVENTS: usize = 100;

/// What each register's events are, in the order of the registers.
const REGISTERS: [&str; 4] = [
    "firmware configuration, VM shape, ACPI tables",
    "kernel",
    "kernel command line, initial file system",
    "dstack's own events, then the app's",
];

/// Shows the log by register.
pub(super) fn section(page: &mut Page, opened: &Opened<'_>) {
    page.section("EVENT LOG");
    let Some(events) = opened.events else {
        page.field("Events", "none").note(
            "There is no event log, so it is not known what the registers are hashes of, and nothing says which app runs.",
        );
        return;
    };
    page.field("Events", events.len()).note(
        "The list of everything that was measured. Anyone could have written it: it counts only if its replay gives the \
         registers that the hardware signed.",
    );
    let replay = Replay::of(events);
    for (imr, (register, title)) in (0u8..).zip(replay.registers.iter().zip(REGISTERS)) {
        let of_register: Vec<(usize, &Event)> = events
            .iter()
            .enumerate()
            .filter(|(_, event)| event.imr == imr)
            .collect();
        page.field(
            &format!("RTMR{imr}"),
            format!("{}: {title}", count(of_register.len(), "event")),
        );
        if imr < 3 && opened.boot_events == BootEvents::Stripped {
            page.note("This form of evidence omits all or most boot events: the register is known only from the quote.");
        } else {
            register.show(
                page,
                opened
                    .report
                    .as_ref()
                    .and_then(|report| report.rtmr.get(usize::from(imr))),
            );
        }
        let mut place = EventPlace::default();
        for (index, event) in of_register.iter().take(MAX_EVENTS) {
            show(page, *index, event, &mut place);
        }
        page.more(of_register.len().saturating_sub(MAX_EVENTS));
        if imr == 3 {
            place.end(page);
        }
    }
}

fn show(page: &mut Page, index: usize, event: &Event, place: &mut EventPlace) {
    let runtime = event.event_type == RUNTIME_EVENT_TYPE;
    let digest = match &event.digest {
        Some(digest) => short_hex(digest),
        None => "no digest".to_owned(),
    };
    let title = if runtime {
        event.name.clone()
    } else {
        event_type::name(event.event_type)
    };
    page.field(&format!("  #{index}"), format!("{title:<34} {digest}"));
    if runtime != (event.imr == 3) {
        page.mark(format!(
            "The type {:#010x} does not belong into RTMR{}: dstack's events are all in RTMR3, and nothing else is.",
            event.event_type, event.imr
        ));
    }
    if !runtime && !event.name.is_empty() {
        page.note(format!("labelled {}", event.name));
    }
    if runtime
        && event
            .digest
            .is_some_and(|digest| digest != replay::digest_of(event))
    {
        page.mark("Its digest is not that of its name and payload: one of them was changed.");
    }
    if runtime && event.version == EventVersion::V2 {
        page.note("Digest of version 2: over canonical JSON.");
    }
    payload::show(page, event);
    if runtime && event.imr == 3 {
        place.explain(page, event);
        payload::explain(page, event);
        place.boundary(page, event);
    }
}
