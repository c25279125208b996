//! What the measured OS recorded while booting: from a [`MeasuredLog`] to [`BootClaims`].
//!
//! Only events up to the first `system-ready` are written by the measured OS alone. After it any process in
//! the guest may append (dstack-attestation.md §3.6, R1–R6), so no claim is ever taken from there.

use super::event_log::RESERVED_NAMES;
use super::{MeasuredEvent, MeasuredLog};
use crate::evidence::Object;

/// The known boot events in the one order in which they may occur, over all guest generations from 0.4 to
/// 0.6 (dstack-attestation.md §3.6; dstack-0.6.md §2.2). `gpu-attestation` has two places, that of the pre-releases of 0.6 and that
/// of 0.6.0 and later, and stands in one of them.
const GRAMMAR: [Rule; 15] = [
    Rule::required("system-preparing", Payload::Empty),
    Rule::optional("rootfs-hash", Payload::Hash),
    Rule::required("app-id", Payload::Id),
    Rule::required("compose-hash", Payload::Hash),
    Rule {
        name: "init-script-hash",
        occurrences: Occurrences::UpTo(5),
        payload: Payload::Hash,
    },
    Rule::optional("gpu-policy-hash", Payload::Hash),
    Rule::optional(GPU_ATTESTATION, Payload::JsonObject),
    Rule::required("instance-id", Payload::IdOrEmpty),
    Rule::required("boot-mr-done", Payload::Empty),
    Rule::optional("mr-kms", Payload::Hash),
    Rule::optional("os-image-hash", Payload::Hash),
    Rule::optional(GPU_ATTESTATION, Payload::JsonObject),
    Rule::required("key-provider", Payload::KeyProvider),
    Rule::optional("storage-fs", Payload::Any),
    Rule::required("system-ready", Payload::Empty),
];

/// The event that says how the GPUs were attested while booting.
const GPU_ATTESTATION: &str = "gpu-attestation";

/// Bytes of the payload of `gpu-attestation`, at most. Version 3 has about 200.
const MAX_GPU_ATTESTATION_BYTES: usize = 16 * 1024;

struct Rule {
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

impl Rule {
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

/// What the measured OS recorded while booting: the events of RTMR3 up to `system-ready`, after which the app can write its own.
/// Only a [`MeasuredLog`](super::MeasuredLog) whose boot events are complete and in order gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootClaims {
    app_id: [u8; 20],
    compose_hash: [u8; 32],
    instance_id: Option<[u8; 20]>,
    key_provider: KeyProvider,
    init_script_hashes: Vec<[u8; 32]>,
    gpu_policy_hash: Option<[u8; 32]>,
    gpu_attestation: Option<Vec<u8>>,
    mr_kms: Option<[u8; 32]>,
    unknown_events: Vec<String>,
}

impl BootClaims {
    /// The app's identity, 20 bytes. A label: judge code by the compose hash.
    #[must_use]
    pub const fn app_id(&self) -> &[u8; 20] {
        &self.app_id
    }

    /// SHA-256 of the compose document that was started.
    #[must_use]
    pub const fn compose_hash(&self) -> &[u8; 32] {
        &self.compose_hash
    }

    /// Which instance of the app, 20 bytes; absent where the app asked for none.
    #[must_use]
    pub const fn instance_id(&self) -> Option<&[u8; 20]> {
        self.instance_id.as_ref()
    }

    /// Who gave the guest its keys.
    #[must_use]
    pub const fn key_provider(&self) -> &KeyProvider {
        &self.key_provider
    }

    /// SHA-256 of each init script that ran, in their order. Guests before 0.6 record none.
    #[must_use]
    pub fn init_script_hashes(&self) -> &[[u8; 32]] {
        &self.init_script_hashes
    }

    /// SHA-256 of the app's GPU policy, as canonical JSON. Guests before 0.6 record none.
    #[must_use]
    pub const fn gpu_policy_hash(&self) -> Option<&[u8; 32]> {
        self.gpu_policy_hash.as_ref()
    }

    /// The payload of the event `gpu-attestation`, JSON: how the guest attested its GPUs. Absent if it did not.
    #[must_use]
    pub fn gpu_attestation(&self) -> Option<&[u8]> {
        self.gpu_attestation.as_deref()
    }

    /// The build of the KMS that gave the keys: its `mr_aggregated` ([`super::mr_aggregated`]) as the guest computed it. Guests
    /// of dstack 0.4.2 to 0.5 record it.
    #[must_use]
    pub const fn mr_kms(&self) -> Option<&[u8; 32]> {
        self.mr_kms.as_ref()
    }

    /// Names of boot events that this version does not know.
    #[must_use]
    pub fn unknown_events(&self) -> &[String] {
        &self.unknown_events
    }
}

/// Who gave the guest its keys (dstack-attestation.md §6.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProvider {
    /// `kms`, `local-sgx`, `none`, `tpm` …
    pub name: String,
    /// Hex, lower case: public key of the KMS root CA, or measurement of the local provider. May be empty.
    pub id: String,
}

impl std::fmt::Display for KeyProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.id.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}:{}", self.name, self.id)
        }
    }
}

/// Why the boot events are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BootRefusal {
    /// There is no `system-ready`: the quote was taken during boot, or the log is not dstack's.
    #[error("there is no `system-ready` event, so nothing separates the boot from what an app wrote later")]
    NoSystemReady,
    /// A guest of dstack 0.3, whose log has no boundary.
    #[error("this is a guest of dstack 0.3, whose event log has no end-of-boot mark")]
    UnsupportedGeneration,
    /// A required event is missing.
    #[error("the boot event `{0}` is missing")]
    Missing(&'static str),
    /// An event occurs more often than it may.
    #[error("the boot event `{0}` occurs more than once")]
    Duplicate(&'static str),
    /// An event is not in its place.
    #[error("the boot event `{event}` comes after `{after}`")]
    OutOfOrder {
        /// The event.
        event: &'static str,
        /// The event that it must precede.
        after: &'static str,
    },
    /// A payload has another form than the guest writes.
    #[error("the payload of the boot event `{event}` {problem}")]
    BadPayload {
        /// The event.
        event: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// Something in the guest extended a boot event's name after the boot.
    #[error(
        "the reserved event `{0}` occurs again after `system-ready`: something inside the guest wrote it"
    )]
    ReservedAfterReady(String),
}

impl BootRefusal {
    /// The reason under which the `boot-order` check reports it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoSystemReady => "no-system-ready",
            Self::UnsupportedGeneration => "unsupported-generation",
            Self::Missing(_) => "missing-event",
            Self::Duplicate(_) => "duplicate-event",
            Self::OutOfOrder { .. } => "out-of-order",
            Self::BadPayload { .. } => "bad-payload",
            Self::ReservedAfterReady(_) => "reserved-after-ready",
        }
    }
}

/// Takes the claims out of a measured log.
pub(super) fn claims(log: &MeasuredLog) -> Result<BootClaims, BootRefusal> {
    let events = log.runtime_events();
    let Some(ready) = events.iter().position(|event| event.name == "system-ready") else {
        let names = |wanted: &str| events.iter().any(|event| event.name == wanted);
        let is_0_3 = names("rootfs-hash") && names("ca-cert-hash") && !names("system-preparing");
        return Err(if is_0_3 {
            BootRefusal::UnsupportedGeneration
        } else {
            BootRefusal::NoSystemReady
        });
    };
    let (boot, after) = events.split_at(ready + 1);
    if let Some(event) = after
        .iter()
        .find(|event| RESERVED_NAMES.contains(&event.name.as_str()))
    {
        return Err(BootRefusal::ReservedAfterReady(event.name.clone()));
    }
    let unknown_events = follow_grammar(boot)?;
    let payload = |name: &'static str| {
        boot.iter()
            .find(|event| event.name == name)
            .map(|event| &event.payload)
            .ok_or(BootRefusal::Missing(name))
    };
    let instance_id = payload("instance-id")?;
    Ok(BootClaims {
        app_id: fixed("app-id", payload("app-id")?)?,
        compose_hash: fixed("compose-hash", payload("compose-hash")?)?,
        instance_id: if instance_id.is_empty() {
            None
        } else {
            Some(fixed("instance-id", instance_id)?)
        },
        key_provider: parse_key_provider(payload("key-provider")?)?,
        init_script_hashes: boot
            .iter()
            .filter(|event| event.name == "init-script-hash")
            .map(|event| fixed("init-script-hash", &event.payload))
            .collect::<Result<_, _>>()?,
        gpu_policy_hash: boot
            .iter()
            .find(|event| event.name == "gpu-policy-hash")
            .map(|event| fixed("gpu-policy-hash", &event.payload))
            .transpose()?,
        gpu_attestation: boot
            .iter()
            .find(|event| event.name == GPU_ATTESTATION)
            .map(|event| event.payload.clone()),
        mr_kms: boot
            .iter()
            .find(|event| event.name == "mr-kms")
            .map(|event| fixed("mr-kms", &event.payload))
            .transpose()?,
        unknown_events,
    })
}

/// Checks order, number and payloads; returns the names of unknown events.
fn follow_grammar(boot: &[MeasuredEvent]) -> Result<Vec<String>, BootRefusal> {
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

fn check_payload(rule: &Rule, payload: &[u8]) -> Result<(), BootRefusal> {
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

fn fixed<const N: usize>(event: &'static str, payload: &[u8]) -> Result<[u8; N], BootRefusal> {
    payload.try_into().map_err(|_| BootRefusal::BadPayload {
        event,
        problem: format!("is {} bytes; {N} bytes expected", payload.len()),
    })
}

fn parse_key_provider(payload: &[u8]) -> Result<KeyProvider, BootRefusal> {
    const EVENT: &str = "key-provider";
    let bad = |problem: String| BootRefusal::BadPayload {
        event: EVENT,
        problem,
    };
    let text = std::str::from_utf8(payload).map_err(|_| bad("is not UTF-8".to_owned()))?;
    let object = Object::document("the key-provider event", text)
        .map_err(|error| bad(format!("is refused: {error}")))?;
    let string = |name: &str| {
        object
            .string(name)
            .map_err(|error| bad(format!("is refused: {error}")))?
            .ok_or_else(|| bad(format!("has no `{name}`")))
    };
    let (name, id) = (string("name")?, string("id")?);
    if name.is_empty()
        || name.len() > 64
        || !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    {
        return Err(bad(
            "has a `name` that is not of letters, digits and `-`".to_owned()
        ));
    }
    if id.len() > 1024 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad("has an `id` that is not hex".to_owned()));
    }
    Ok(KeyProvider {
        name,
        id: id.to_ascii_lowercase(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_grammar_is_reserved() {
        for rule in &GRAMMAR {
            assert!(RESERVED_NAMES.contains(&rule.name), "{}", rule.name);
        }
    }
}
