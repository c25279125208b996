//! The boot events in the one order in which they may occur, each with the form of its payload.

use super::key_provider::parse_key_provider;
use super::refusal::BootRefusal;
use crate::evidence::Object;
use crate::verify::MeasuredEvent;

/// The known boot events in the one order in which they may occur, over all guest generations from 0.4 to
/// 0.6 (dstack, `dstack-util/src/system_setup.rs`). `gpu-attestation` has two places, that of the pre-releases of 0.6 and that
/// of 0.6.0 and later, and is in one of them.
const GRAMMAR: [EventRule; 15] = [
    EventRule::required("system-preparing", Payload::Empty),
    EventRule::optional("rootfs-hash", Payload::Hash),
    EventRule::required("app-id", Payload::Id),
    EventRule::required("compose-hash", Payload::Hash),
    EventRule {
        name: "init-script-hash",
        occurrences: Occurrences::UpTo(5),
        payload: Payload::Hash,
    },
    EventRule::optional("gpu-policy-hash", Payload::Hash),
    EventRule::optional(GPU_ATTESTATION, Payload::JsonObject),
    EventRule::required("instance-id", Payload::IdOrEmpty),
    EventRule::required("boot-mr-done", Payload::Empty),
    EventRule::optional("mr-kms", Payload::Hash),
    EventRule::optional("os-image-hash", Payload::Hash),
    EventRule::optional(GPU_ATTESTATION, Payload::JsonObject),
    EventRule::required("key-provider", Payload::KeyProvider),
    EventRule::optional("storage-fs", Payload::Any),
    EventRule::required("system-ready", Payload::Empty),
];

/// The event that says how the GPUs were attested while booting.
pub(super) const GPU_ATTESTATION: &str = "gpu-attestation";

/// Bytes of the payload of `gpu-attestation`, at most. Version 3 has about 200.
const MAX_GPU_ATTESTATION_BYTES: usize = 16 * 1024;

struct EventRule {
    name: &'static str,
    occurrences: Occurrences,
    payload: Payload,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Occurrences {
    Once,
    AtMostOnce,
    UpTo(usize),
}

#[derive(Clone, Copy)]
enum Payload {
    Empty,
    Hash,
    Id,
    IdOrEmpty,
    KeyProvider,
    JsonObject,
    Any,
}

impl EventRule {
    const fn required(name: &'static str, payload: Payload) -> Self {
        Self {
            name,
            occurrences: Occurrences::Once,
            payload,
        }
    }

    const fn optional(name: &'static str, payload: Payload) -> Self {
        Self {
            name,
            occurrences: Occurrences::AtMostOnce,
            payload,
        }
    }
}

/// Checks order, number and payloads; returns the names of unknown events.
pub(super) fn follow_grammar(boot: &[MeasuredEvent]) -> Result<Vec<String>, BootRefusal> {
    let mut unknown = Vec::new();
    let mut last = 0;
    let mut counts = [0usize; GRAMMAR.len()];
    for event in boot {
        // Of several places, the first that is not behind what was read already; if all are, the last.
        let places = || {
            GRAMMAR
                .iter()
                .enumerate()
                .filter(|(_, rule)| rule.name == event.name)
        };
        let Some((place, rule)) = places()
            .find(|(place, _)| *place >= last)
            .or_else(|| places().next_back())
        else {
            unknown.push(event.name.clone());
            continue;
        };
        // However many places a name has, its occurrences are counted together.
        let counted = places().next().map_or(place, |(first, _)| first);
        if let Some(count) = counts.get_mut(counted) {
            *count += 1;
            let most = if let Occurrences::UpTo(most) = rule.occurrences {
                most
            } else {
                1
            };
            if *count > most {
                return Err(BootRefusal::Duplicate(rule.name));
            }
        }
        if place < last {
            let after = GRAMMAR.get(last).map_or("", |rule| rule.name);
            return Err(BootRefusal::OutOfOrder {
                event: rule.name,
                after,
            });
        }
        last = place;
        check_payload(rule, &event.payload)?;
    }
    if let Some((rule, _)) = GRAMMAR
        .iter()
        .zip(counts)
        .find(|(rule, count)| rule.occurrences == Occurrences::Once && *count == 0)
    {
        return Err(BootRefusal::Missing(rule.name));
    }
    Ok(unknown)
}

fn check_payload(rule: &EventRule, payload: &[u8]) -> Result<(), BootRefusal> {
    let expected = match rule.payload {
        Payload::Empty if !payload.is_empty() => "no bytes",
        Payload::Hash if payload.len() != 32 => "32 bytes",
        Payload::Id if payload.len() != 20 => "20 bytes",
        Payload::IdOrEmpty if !matches!(payload.len(), 0 | 20) => "20 bytes or none",
        Payload::KeyProvider => return parse_key_provider(payload).map(|_| ()),
        Payload::JsonObject => return json_object(rule.name, payload),
        _ => return Ok(()),
    };
    Err(BootRefusal::BadPayload {
        event: rule.name,
        problem: format!("is {} bytes; {expected} expected", payload.len()),
    })
}

fn json_object(event: &'static str, payload: &[u8]) -> Result<(), BootRefusal> {
    let bad = |problem: String| BootRefusal::BadPayload { event, problem };
    if payload.len() > MAX_GPU_ATTESTATION_BYTES {
        let size = payload.len();
        return Err(bad(format!(
            "is {size} bytes; at most {MAX_GPU_ATTESTATION_BYTES} are expected"
        )));
    }
    let text = std::str::from_utf8(payload).map_err(|_| bad("is not UTF-8".to_owned()))?;
    Object::document("the event", text)
        .map(|_| ())
        .map_err(|error| bad(format!("is refused: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::event_log::RESERVED_NAMES;

    #[test]
    fn a_record_of_gpus_has_a_limit_and_is_read_at_it() {
        let read = |size: usize| json_object("gpu-attestation", format!("{:<size$}", "{}").as_bytes());
        assert_eq!(read(MAX_GPU_ATTESTATION_BYTES), Ok(()));
        let size = MAX_GPU_ATTESTATION_BYTES + 1;
        assert_eq!(
            read(size),
            Err(BootRefusal::BadPayload {
                event: "gpu-attestation",
                problem: format!("is {size} bytes; at most {MAX_GPU_ATTESTATION_BYTES} are expected"),
            })
        );
    }

    #[test]
    fn every_name_of_the_grammar_is_reserved() {
        for rule in &GRAMMAR {
            assert!(RESERVED_NAMES.contains(&rule.name), "{}", rule.name);
        }
    }

    #[test]
    fn each_payload_has_the_length_of_its_rule() {
        let problem = |name: &str, payload: &[u8]| {
            let rule = GRAMMAR.iter().find(|rule| rule.name == name).unwrap();
            check_payload(rule, payload)
                .err()
                .map(|refusal| refusal.to_string())
        };
        for (name, good, bad, expected) in [
            ("system-ready", &[][..], &[0][..], "no bytes expected"),
            ("compose-hash", &[0; 32], &[0; 31], "32 bytes expected"),
            ("app-id", &[0; 20], &[0; 21], "20 bytes expected"),
            ("instance-id", &[0; 20], &[0; 19], "20 bytes or none expected"),
            ("instance-id", &[], &[0], "20 bytes or none expected"),
            (
                "key-provider",
                br#"{"name":"none","id":""}"#,
                b"{}",
                "has no `name`",
            ),
        ] {
            assert_eq!(problem(name, good), None, "{name}");
            let found = problem(name, bad).unwrap();
            assert!(found.contains(expected), "{name}: {found}");
        }
    }
}
