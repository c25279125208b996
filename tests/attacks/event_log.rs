//! The replay of the event log: T5 to T8, T11 and T12.

use cvm_verify_core::report::{CheckId, Status, Verdict};
use simulator::{Cvm, Event, EventLogForm, EventVersion, Guest, Lie, QuoteFormat, World, event_log};

use crate::judge::Trial;

/// Tampering on the way: the registers keep the honest values.
fn tampered(edit: impl Fn(&mut Vec<Event>) + Send + Sync + 'static) -> Trial {
    Trial::lying(|cvm| cvm.edit_log_after_quote(edit))
}

/// A guest that really measured this: the log replays.
pub fn measured(edit: impl Fn(&mut Vec<Event>) + Send + Sync + 'static) -> Trial {
    Trial::lying(|cvm| cvm.edit_log_before_quote(edit))
}

pub fn position(log: &[Event], name: &str) -> usize {
    log.iter().position(|event| event.event == name).unwrap()
}

pub fn named<'a>(log: &'a mut [Event], name: &str) -> &'a mut Event {
    log.iter_mut().find(|event| event.event == name).unwrap()
}

/// The runtime events of a CVM, in their order.
pub fn boot_events(cvm: &Cvm) -> Vec<String> {
    cvm.measured_log()
        .into_iter()
        .filter(|event| event.imr == 3)
        .map(|event| event.event)
        .collect()
}

#[test]
fn the_healthy_baseline_passes() {
    let judged = Trial::healthy().judge();
    judged.passes();
    judged.proves(CheckId::EventLog).proves(CheckId::BootOrder);
}

#[test]
fn every_generation_version_and_quote_format_passes() {
    for guest in Guest::ALL {
        for version in [EventVersion::V1, EventVersion::V2] {
            for format in QuoteFormat::ALL {
                let mut cvm = Cvm::of_generation(&World::default(), guest);
                cvm.event_version = version;
                cvm.quote.format = format;
                Trial::of(cvm).judge().passes();
            }
        }
    }
}

#[test]
fn t05_a_deleted_a_moved_or_an_added_event_fails_event_log() {
    for lie in [Lie::DeletedEvent, Lie::ReorderedEvents, Lie::AddedEvent] {
        let judged = Trial::lying(|cvm| lie.apply(cvm)).judge();
        judged.fails(CheckId::EventLog, "rtmr-mismatch");
        judged.says(CheckId::ComposeHash, Status::Error, "event-log-not-proven");
    }
}

#[test]
fn t05_no_log_at_all_is_inconclusive() {
    let trial = Trial::healthy().with(|trial| {
        trial.cvm.body.event_log = EventLogForm::Absent;
        trial.info = false;
    });
    trial.judge().leaves_open(CheckId::EventLog, "no-event-log");
}

/// Who only left something out is not called a liar, and proves nothing.
#[test]
fn t05_a_log_of_rtmr3_alone_is_inconclusive_and_says_what_is_missing() {
    // Some forms keep three of the events of RTMR0.
    let kept: [&[u32]; 2] = [&[3], &[0, 3]];
    for kept in kept {
        let judged = tampered(move |log| log.retain(|event| kept.contains(&event.imr))).judge();
        judged.leaves_open(CheckId::EventLog, "no-boot-events");
        judged.says(CheckId::ComposeHash, Status::Error, "event-log-not-proven");
        let check = judged.0.check(CheckId::EventLog).unwrap();
        assert!(
            check
                .detail
                .contains("of RTMR3, which replay, and none of RTMR1 and RTMR2")
        );
        assert!(
            check
                .fix
                .as_deref()
                .unwrap_or_default()
                .contains("`event_log` unchanged")
        );
    }
    // With a change in RTMR3 it is a change.
    tampered(|log| {
        log.retain(|event| event.imr == 3);
        *named(log, "compose-hash") = Event::runtime("compose-hash", &[0x66; 32]);
    })
    .judge()
    .fails(CheckId::EventLog, "rtmr-mismatch");
}

#[test]
fn t05_an_empty_log_proves_nothing_and_convicts_nobody() {
    tampered(Vec::clear)
        .judge()
        .leaves_open(CheckId::EventLog, "no-event-log")
        .accuses_no_deployment(&"an empty log");
}

#[test]
fn t06_a_swapped_payload_with_the_old_digest_fails_event_log() {
    Trial::lying(|cvm| Lie::ForgedEventLog.apply(cvm))
        .judge()
        .fails(CheckId::EventLog, "digest-mismatch");
}

#[test]
fn t06_a_swapped_payload_without_a_digest_fails_event_log() {
    Trial::lying(|cvm| Lie::ForgedStrippedLog.apply(cvm))
        .judge()
        .fails(CheckId::EventLog, "rtmr-mismatch");
}

#[test]
fn t06_a_swapped_payload_with_a_digest_of_its_own_fails_event_log() {
    tampered(|log| {
        let event = named(log, "compose-hash");
        *event = Event::runtime("compose-hash", &[0x66; 32]);
    })
    .judge()
    .fails(CheckId::EventLog, "rtmr-mismatch");
}

#[test]
fn t06_a_short_digest_is_refused_and_never_padded() {
    // The register is the one that zero-padding gives.
    let trial = Trial::lying(|cvm| Lie::ShortDigest.apply(cvm));
    trial.judge().fails(CheckId::Evidence, "malformed-field");
    // Without the digest the register is seen not to be that of name and payload.
    let stripped = trial.with(|trial| trial.cvm.body.stripped_log = true);
    stripped.judge().fails(CheckId::EventLog, "rtmr-mismatch");
}

#[test]
fn t06_a_boot_event_without_a_digest_fails_event_log() {
    tampered(|log| log[0].digest.clear())
        .judge()
        .fails(CheckId::EventLog, "missing-digest");
}

#[test]
fn t07_an_opaque_event_in_rtmr3_fails_event_log() {
    Trial::lying(|cvm| Lie::OpaqueComposeHash.apply(cvm))
        .judge()
        .fails(CheckId::EventLog, "wrong-event-type");
}

#[test]
fn t07_an_opaque_event_that_was_really_measured_fails_event_log_too() {
    measured(|log| named(log, "compose-hash").event_type = 1)
        .judge()
        .fails(CheckId::EventLog, "wrong-event-type");
}

#[test]
fn t08_a_runtime_event_of_another_register_fails_event_log() {
    Trial::lying(|cvm| Lie::ForeignRegisterEvent.apply(cvm))
        .judge()
        .fails(CheckId::EventLog, "wrong-event-type");
}

#[test]
fn t08_a_reserved_name_in_another_register_fails_event_log_before_and_after_the_real_one() {
    for name in boot_events(&Trial::healthy().cvm) {
        for (imr, first) in [(0, true), (0, false), (1, false), (2, true)] {
            let forged = Event {
                event: name.clone(),
                ..Event::boot(imr, 1, [0x66; 48], &[0x66; 32])
            };
            measured(move |log| {
                let at = if first { 0 } else { log.len() };
                log.insert(at, forged.clone());
            })
            .judge()
            .fails(CheckId::EventLog, "reserved-name");
        }
    }
}

#[test]
fn t11_a_name_split_at_another_colon_fails() {
    // Shown as measured, the name is refused; split elsewhere, the payload is.
    Trial::lying(|cvm| Lie::ResplitEvent.apply(cvm))
        .judge()
        .fails(CheckId::BootOrder, "bad-payload");
    measured(|log| *named(log, "compose-hash") = Event::runtime("compose-hash:A", &[0x66; 30]))
        .judge()
        .fails(CheckId::EventLog, "bad-event-name");
    measured(|log| *named(log, "compose-hash") = Event::runtime("compose-hash:A", &[0x66; 30]))
        .with(|trial| {
            trial.cvm.edit_log_after_quote(|log| {
                let event = named(log, "compose-hash:A");
                event.event = "compose-hash".to_owned();
                event.payload.splice(0..0, *b"A:");
            })
        })
        .with(|trial| trial.info = false)
        .judge()
        .fails(CheckId::ComposeHash, "compose-hash-mismatch");
}

#[test]
fn t11_names_of_other_characters_fail_event_log() {
    let long = "a".repeat(65);
    for name in ["", "a b", "a:b", "über", "a\u{0}", "a\"b", long.as_str()] {
        let name = name.to_owned();
        measured(move |log| {
            let at = position(log, "boot-mr-done");
            log.insert(at, Event::runtime(&name, b""));
        })
        .judge()
        .fails(CheckId::EventLog, "bad-event-name");
    }
}

#[test]
fn t11_the_apps_late_events_cannot_be_split_into_a_claim() {
    // Measured after the boot under a name with a colon, shown under the reserved name.
    let payload = [0x66; 32];
    Trial::lying(move |cvm| {
        cvm.app_events
            .push(("compose-hash:A".to_owned(), payload.to_vec()));
        cvm.edit_log_after_quote(|log| {
            let event = named(log, "compose-hash:A");
            event.event = "compose-hash".to_owned();
            event.payload.splice(0..0, *b"A:");
        });
    })
    .judge()
    .fails(CheckId::BootOrder, "reserved-after-ready");
}

#[test]
fn t12_v2_events_labelled_v1_fail_event_log() {
    // With the preimage beside it, with its digest alone, and with neither.
    let lie = || Trial::lying(|cvm| Lie::MislabelledVersion.apply(cvm));
    let without = |what: fn(&mut Event)| {
        lie().with(|trial| {
            trial.cvm.edit_log_after_quote(move |log| {
                log.iter_mut().filter(|event| event.imr == 3).for_each(what);
            })
        })
    };
    lie().judge().fails(CheckId::EventLog, "preimage-mismatch");
    without(|event| event.preimage = None)
        .judge()
        .fails(CheckId::EventLog, "digest-mismatch");
    without(|event| {
        event.preimage = None;
        event.digest.clear();
    })
    .judge()
    .fails(CheckId::EventLog, "rtmr-mismatch");
}

#[test]
fn t12_v1_events_labelled_v2_fail_event_log() {
    tampered(|log| named(log, "compose-hash").version = Some(2))
        .judge()
        .fails(CheckId::EventLog, "digest-mismatch");
}

#[test]
fn t12_a_supplied_preimage_must_be_the_canonical_one() {
    Trial::lying(|cvm| {
        cvm.event_version = EventVersion::V2;
        cvm.edit_log_after_quote(|log| {
            let forged = event_log::preimage_v2("compose-hash", &[0x66; 32]);
            named(log, "compose-hash").preimage = Some(forged);
        });
    })
    .judge()
    .fails(CheckId::EventLog, "preimage-mismatch");
}

#[test]
fn t12_other_versions_are_refused() {
    Trial::lying(|cvm| Lie::UnknownVersion.apply(cvm))
        .judge()
        .fails(CheckId::Evidence, "malformed-field");
    for version in [0, 3, 11, u32::MAX] {
        tampered(move |log| named(log, "compose-hash").version = Some(version))
            .judge()
            .fails(CheckId::Evidence, "malformed-field");
    }
}

#[test]
fn a_log_that_moves_events_between_registers_fails_event_log() {
    for imr in [0, 1, 2] {
        tampered(move |log| named(log, "compose-hash").imr = imr)
            .judge()
            .fails(CheckId::EventLog, "wrong-event-type");
    }
}

#[test]
fn a_proven_quote_without_its_log_proves_no_code() {
    let judged = tampered(Vec::clear).judge();
    judged
        .concludes(Verdict::Inconclusive)
        .proves(CheckId::QuoteSignature);
    for id in [
        CheckId::ComposeHash,
        CheckId::AppId,
        CheckId::KeyProvider,
        CheckId::ImagePins,
    ] {
        judged.says(id, Status::Error, "event-log-not-proven");
    }
    assert_eq!(judged.0.measurements.compose_hash, None);
}
