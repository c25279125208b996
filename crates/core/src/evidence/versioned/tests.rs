//! Both encodings against a test-only encoder, and what a hostile host makes of them.

use proptest::prelude::*;
use simulator::versioned::Versioned;
use simulator::{Cvm, Event as Written, World};

use super::*;

struct Reading;

impl crate::evidence::OpensUnproven for Reading {}

fn versioned() -> Versioned {
    Versioned::of(&Cvm::healthy(&World::default()).evidence("00"))
}

/// Name and payload of the events of IMR3.
fn runtime(attestation: &Attestation) -> Vec<(String, Vec<u8>, EventVersion)> {
    let events = attestation.event_log.as_ref().unwrap().open(&Reading);
    events
        .iter()
        .filter(|event| event.imr == 3)
        .map(|event| (event.name.clone(), event.payload.clone(), event.version))
        .collect()
}

#[track_caller]
fn refused(bytes: &[u8], field: &str, problem: &str) {
    let error = parse(bytes).unwrap_err();
    assert!(matches!(error, EvidenceError::Malformed { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains(&format!("`{field}` ")) && text.contains(problem),
        "{text}"
    );
}

#[test]
fn both_encodings_say_the_same() {
    let mut written = versioned();
    let scale = parse(&written.scale()).unwrap();
    for bin in [false, true] {
        written.bin = bin;
        let msgpack = parse(&written.msgpack()).unwrap();
        assert_eq!(msgpack.quote, scale.quote);
        assert_eq!(runtime(&msgpack), runtime(&scale));
        assert_eq!(
            msgpack.report_data_echo.unwrap().open(&Reading),
            &written.report_data
        );
    }
    assert_eq!(scale.quote.as_bytes(), written.quote);
    assert_eq!(scale.boot_events, BootEvents::Stripped);
}

#[test]
fn a_log_with_its_boot_events_must_replay_whole() {
    let mut written = versioned();
    written
        .platform_events
        .insert(0, Written::boot(1, 4, [7; 48], b"kernel"));
    assert_eq!(parse(&written.scale()).unwrap().boot_events, BootEvents::Complete);
    assert_eq!(
        parse(&written.msgpack()).unwrap().boot_events,
        BootEvents::Complete
    );
}

#[test]
fn the_stacks_events_count_and_not_the_platforms() {
    let mut written = versioned();
    written
        .platform_events
        .push(Written::runtime("compose-hash", &[0xee; 32]));
    written.runtime_events = vec![Written::runtime("app-id", b"x")];
    for bytes in [written.scale(), written.msgpack()] {
        let found = runtime(&parse(&bytes).unwrap());
        assert_eq!(found, [("app-id".to_owned(), b"x".to_vec(), EventVersion::V1)]);
    }
}

#[test]
fn the_version_of_an_event_is_read() {
    let mut written = versioned();
    written.runtime_events = vec![Written::runtime_v2("app-id", b"x")];
    let found = runtime(&parse(&written.msgpack()).unwrap());
    assert_eq!(found[0].2, EventVersion::V2);
    written.runtime_events[0].version = Some(3);
    refused(
        &written.msgpack(),
        "stack.data.runtime_events[0].version",
        "neither 1 nor 2",
    );
}

#[test]
fn a_pods_report_data_is_the_hash_of_its_payload() {
    let mut written = versioned();
    written.report_data_payload = Some("{\"nonce\":1}".to_owned());
    refused(&written.msgpack(), "stack.data.report_data", "is not the SHA-512");
    let mut hasher = Sha512::new();
    hasher.update(b"app-data:{\"nonce\":1}");
    written.report_data = hasher.finalize().to_vec();
    parse(&written.msgpack()).unwrap();
}

#[test]
fn other_platforms_are_named() {
    for platform in ["gcp-tdx", "nitro-enclave", "sev-snp", "aws-nitro-tpm"] {
        let written = Versioned {
            platform: platform.to_owned(),
            ..versioned()
        };
        for bytes in [written.scale(), written.msgpack()] {
            let error = parse(&bytes).unwrap_err();
            assert!(
                matches!(error, EvidenceError::UnsupportedPlatform { .. }),
                "{error}"
            );
            assert!(error.to_string().contains(platform), "{error}");
        }
    }
}

#[test]
fn every_cut_and_every_appendix_is_refused() {
    let written = versioned();
    for bytes in [written.scale(), written.msgpack()] {
        for end in 0..bytes.len() {
            assert!(parse(&bytes[..end]).is_err(), "cut at {end}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(
            parse(&longer)
                .unwrap_err()
                .to_string()
                .contains("followed by 1 bytes")
        );
    }
}

#[test]
fn a_first_byte_of_no_version_is_refused() {
    for first in [0x01, 0x04, 0x7f, 0x90, 0xc0, 0xdd, 0xff] {
        refused(&[first, 0], "(its first byte)", "expected");
    }
    refused(&[], "(its first byte)", "empty");
}

/// P20: a few bytes that announce gigabytes cost nothing.
#[test]
fn lengths_that_lie_allocate_nothing() {
    // SCALE: a quote, and then a log, of 2^30 - 1.
    refused(&[0, 0, 0xfe, 0xff, 0xff, 0xff], "quote", "ends too early");
    refused(
        &[0, 0, 4, 7, 0xfe, 0xff, 0xff, 0xff],
        "event_log",
        "ends too early",
    );
    // Big-integer mode, and a number that is longer than it needs to be.
    refused(&[0, 0, 0x03, 0, 0, 0, 1], "quote", "never used");
    refused(&[0, 0, 0x01, 0x00], "quote", "never used");
    // MessagePack: maps and lists of 2^32 - 1.
    let all = [0xff; 4];
    refused(
        &[&[0xdf][..], &all].concat(),
        "(the whole document)",
        "too many members",
    );
    let unknown = |value: &[u8]| [&[0x81, 0xa1, b'x'][..], value].concat();
    for head in [0xdd, 0xdf, 0xdb, 0xc6, 0xc9] {
        refused(
            &unknown(&[&[head][..], &all].concat()),
            "(the whole document)",
            "ends too early",
        );
    }
}

/// P20: depth costs no stack, since nothing recurses.
#[test]
fn deep_nesting_is_skipped_or_refused_without_recursion() {
    let deep = [&[0x81, 0xa1, b'x'][..], &vec![0x91; 9_000_000]].concat();
    refused(&deep, "(the whole document)", "ends too early");
    let closed = [&[0x81, 0xa1, b'x'][..], &vec![0x91; 9_000_000], &[0xc0]].concat();
    refused(&closed, "version", "is missing");
}

#[test]
fn more_than_ten_mebibytes_are_not_read() {
    let error = parse(&vec![0; MAX_VERSIONED_BYTES + 1]).unwrap_err();
    assert!(matches!(error, EvidenceError::TooLarge { .. }), "{error}");
}

#[test]
fn a_member_that_occurs_twice_is_refused() {
    let mut bytes = versioned().msgpack();
    bytes[0] = 0x84;
    bytes.extend([0xa7]);
    bytes.extend(b"version");
    bytes.push(1);
    refused(&bytes, "(the whole document)", "more than once");
}

fn arbitrary_event() -> impl Strategy<Value = Written> {
    let version = prop_oneof![Just(None), Just(Some(2))];
    (".{0,20}", prop::collection::vec(any::<u8>(), 0..300), version).prop_map(|(name, payload, version)| {
        Written {
            version,
            ..Written::runtime(&name, &payload)
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        events in prop::collection::vec(arbitrary_event(), 0..20),
        quote in prop::collection::vec(any::<u8>(), 1..6000),
        report_data: [u8; 32],
        bin: bool,
    ) {
        let written = Versioned {
            quote,
            runtime_events: events,
            report_data: [report_data, report_data].concat(),
            bin,
            ..versioned()
        };
        let expected: Vec<_> = written.runtime_events.iter().map(|event| {
            let version = if event.version == Some(2) { EventVersion::V2 } else { EventVersion::V1 };
            (event.event.clone(), event.payload.clone(), version)
        }).collect();
        let found = parse(&written.msgpack()).unwrap();
        prop_assert_eq!(found.quote.as_bytes(), &written.quote);
        prop_assert_eq!(runtime(&found), expected.clone());
        let echo = found.report_data_echo.unwrap();
        prop_assert_eq!(echo.open(&Reading), &written.report_data);
        // V0 has no versions of events.
        let v1 = |(name, payload, _)| (name, payload, EventVersion::V1);
        let found = parse(&written.scale()).unwrap();
        prop_assert_eq!(found.quote.as_bytes(), &written.quote);
        prop_assert_eq!(runtime(&found), expected.into_iter().map(v1).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_panic(first in prop_oneof![Just(0u8), 0x80u8..=0x8f, Just(0xde), Just(0xdf), any::<u8>()],
                      rest in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&[vec![first], rest].concat());
    }

    #[test]
    fn no_changed_byte_panics(index: prop::sample::Index, byte: u8, msgpack: bool) {
        let written = versioned();
        let mut bytes = if msgpack { written.msgpack() } else { written.scale() };
        let index = index.index(bytes.len());
        bytes[index] = byte;
        let _ = parse(&bytes);
    }
}
