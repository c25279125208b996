//! The event `gpu-attestation`: how a guest of dstack 0.6 attested its GPUs while booting, and the record behind it
//! (dstack 0.6, `requirements.gpu_policy`).

use serde_json::Value;

use super::claims::{self, ClaimProblem};
use crate::evidence::Object;
use crate::verify::digest::sha256;

/// What the measured guest wrote about its GPUs while booting. It is historic: it says nothing about now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuBoot {
    /// How many GPUs were attested. At least one.
    pub devices: u32,
    /// Whether the payload says that debugging is disabled and that the secure boot is on; absent in version 2.
    pub modes: Option<GpuModes>,
    /// Whether the record was supplied, and what it says.
    pub record: GpuRecord,
}

/// What version 3 says of the modes of the GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GpuModes {
    /// `dbgstat` is `disabled`.
    pub debugging_is_disabled: bool,
    /// `secboot`.
    pub secure_boot: bool,
}

/// The record of the boot, against the hash in the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GpuRecord {
    /// It was not supplied.
    Absent,
    /// Its SHA-256 is the measured one, and its claims are good.
    Good,
    /// It is not the measured one. SHA-256 of both.
    OtherDigest {
        /// In the event.
        measured: [u8; 32],
        /// Of the record.
        found: [u8; 32],
    },
    /// It is the measured one, and says that something is wrong.
    BadClaims(String),
    /// It is the measured one, and has a form that is not known here.
    UnknownForm(String),
}

/// Why the event is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuBootRefusal {
    /// It has another form than the guest writes.
    #[error("the boot event `gpu-attestation` {0}")]
    Malformed(String),
    /// It says that something is not as it must be.
    #[error("the boot event `gpu-attestation` has {field} {found}; {expected} is expected")]
    Value {
        /// The field.
        field: &'static str,
        /// What it is.
        found: String,
        /// What it must be.
        expected: &'static str,
    },
}

const COMMON: [&str; 6] = [
    "version",
    "provider",
    "devices",
    "cc_mode",
    "devtools",
    "evidence_sha256",
];
const SINCE_3: [&str; 2] = ["dbgstat", "secboot"];

impl GpuBoot {
    /// Reads the payload of the event, JSON, and compares the record with it.
    pub(crate) fn of_event(payload: &[u8], record: Option<&[u8]>) -> Result<Self, GpuBootRefusal> {
        const DOCUMENT: &str = "the boot event";
        let malformed = |problem: String| GpuBootRefusal::Malformed(problem);
        let refused = |error: crate::evidence::EvidenceError| malformed(format!("is refused: {error}"));
        let text = std::str::from_utf8(payload).map_err(|_| malformed("is not UTF-8".to_owned()))?;
        let object = Object::document(DOCUMENT, text).map_err(refused)?;
        let version = object.integer("version", u32::MAX).map_err(refused)?;
        let known: Vec<&str> = match version {
            Some(2) => COMMON.to_vec(),
            Some(3) => COMMON.into_iter().chain(SINCE_3).collect(),
            other => {
                let found = other.map_or("none".to_owned(), |version| version.to_string());
                return Err(malformed(format!("has the version {found}; 2 or 3 is expected")));
            }
        };
        if let Some((name, _)) = object.members().find(|(name, _)| !known.contains(name)) {
            let name: String = name.chars().take(64).collect();
            return Err(malformed(format!("has the unknown member {name:?}")));
        }
        let devices = object.integer("devices", 1024).map_err(refused)?;
        let devices = devices
            .filter(|devices| *devices > 0)
            .ok_or_else(|| malformed("names no devices".to_owned()))?;
        let evidence_sha256 = object
            .hex_or_empty("evidence_sha256")
            .map_err(refused)?
            .ok_or_else(|| malformed("has no `evidence_sha256`".to_owned()))?;
        let found = |name: &str| object.get(name).map_err(refused);
        for (field, expected) in [
            ("provider", "\"nvidia\""),
            ("cc_mode", "\"on\""),
            ("devtools", "false"),
        ] {
            let found = found(field)?.map_or("nothing", |value| value.get());
            if found != expected {
                return Err(GpuBootRefusal::Value {
                    field,
                    found: found.chars().take(64).collect(),
                    expected,
                });
            }
        }
        let modes = match version {
            Some(3) => {
                let dbgstat = object.string("dbgstat").map_err(refused)?;
                let secboot = found("secboot")?.map(|value| value.get());
                Some(GpuModes {
                    debugging_is_disabled: dbgstat.as_deref() == Some("disabled"),
                    secure_boot: secboot == Some("true"),
                })
            }
            _ => None,
        };
        Ok(Self {
            devices,
            modes,
            record: record.map_or(GpuRecord::Absent, |record| {
                judge(record, &evidence_sha256, devices)
            }),
        })
    }
}

/// The record's bytes are compared first: nothing is read from another record than the measured one.
fn judge(record: &[u8], measured: &[u8; 32], devices: u32) -> GpuRecord {
    let found = sha256(record);
    if found != *measured {
        return GpuRecord::OtherDigest {
            measured: *measured,
            found,
        };
    }
    match claims_of(record) {
        Err(problem) => GpuRecord::UnknownForm(problem),
        Ok(claims) => judge_claims(&claims, devices),
    }
}

fn claims_of(record: &[u8]) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(record).map_err(|_| "it is not UTF-8".to_owned())?;
    // Names that occur twice are refused; below, the guest's own tool wrote what is read.
    Object::document("the record of the boot", text).map_err(|error| error.to_string())?;
    let mut value: Value = serde_json::from_str(text).map_err(|_| "it is not JSON".to_owned())?;
    match value.get_mut("claims").map(Value::take) {
        Some(Value::Array(claims)) => Ok(claims),
        _ => Err("it has no list `claims`".to_owned()),
    }
}

/// The first claim that convicts, or else the first one that is not known.
fn judge_claims(claims: &[Value], devices: u32) -> GpuRecord {
    if claims.len() != devices as usize {
        return GpuRecord::BadClaims(format!(
            "it has the claims of {} devices, and the event names {devices}",
            claims.len()
        ));
    }
    let mut unknown = None;
    for (index, claims) in claims.iter().enumerate() {
        let Some(problem): Option<ClaimProblem> = claims::worst_problem(claims) else {
            continue;
        };
        let sentence = format!("GPU {}: {problem}", index + 1);
        if problem.convicts() {
            return GpuRecord::BadClaims(sentence);
        }
        unknown.get_or_insert(sentence);
    }
    unknown.map_or(GpuRecord::Good, GpuRecord::UnknownForm)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn version_3() -> Value {
        json!({"version": 3, "provider": "nvidia", "devices": 8, "cc_mode": "on", "devtools": false, "dbgstat": "disabled",
               "secboot": true, "evidence_sha256": "11".repeat(32)})
    }

    fn read(event: &Value) -> Result<GpuBoot, GpuBootRefusal> {
        GpuBoot::of_event(event.to_string().as_bytes(), None)
    }

    #[test]
    fn versions_2_and_3_are_read_and_no_other() {
        let read_3 = read(&version_3()).unwrap();
        assert_eq!((read_3.devices, read_3.record), (8, GpuRecord::Absent));
        let modes = read_3.modes.unwrap();
        assert!(modes.debugging_is_disabled && modes.secure_boot);
        let mut event = version_3();
        let members = event.as_object_mut().unwrap();
        members.insert("version".to_owned(), 2.into());
        assert!(
            matches!(read(&event), Err(GpuBootRefusal::Malformed(_))),
            "version 2 has no dbgstat"
        );
        let members = event.as_object_mut().unwrap();
        members.remove("dbgstat");
        members.remove("secboot");
        assert_eq!(read(&event).unwrap().modes, None);
        event["version"] = 4.into();
        assert!(read(&event).unwrap_err().to_string().contains("version 4"));
    }

    #[test]
    fn each_member_counts() {
        for (name, value) in [
            ("provider", json!("amd")),
            ("cc_mode", json!("off")),
            ("cc_mode", json!("devtools")),
            ("devtools", json!(true)),
            ("devtools", json!("false")),
            ("devices", json!(0)),
            ("devices", json!("8")),
            ("evidence_sha256", json!("11")),
            ("evidence_sha256", json!(null)),
            ("more", json!(1)),
        ] {
            let mut event = version_3();
            event[name] = value;
            assert!(read(&event).is_err(), "{event}");
        }
        for (name, value) in [
            ("dbgstat", json!("enabled")),
            ("secboot", json!(false)),
            ("secboot", json!("true")),
        ] {
            let mut event = version_3();
            event[name] = value;
            let modes = read(&event).unwrap().modes.unwrap();
            assert!(!(modes.debugging_is_disabled && modes.secure_boot), "{event}");
        }
    }

    #[test]
    fn a_record_is_compared_byte_for_byte() {
        let record = b"{\"claims\":[]}\n";
        let mut event = version_3();
        event["evidence_sha256"] = hex::encode(sha256(record)).into();
        let of = |record: &[u8]| {
            GpuBoot::of_event(event.to_string().as_bytes(), Some(record))
                .unwrap()
                .record
        };
        assert!(matches!(of(record), GpuRecord::BadClaims(problem) if problem.contains("0 devices")));
        let two = b"{\"claims\":[{},{}]}";
        let mut event = event.clone();
        event["evidence_sha256"] = hex::encode(sha256(two)).into();
        let read = GpuBoot::of_event(event.to_string().as_bytes(), Some(two)).unwrap();
        assert!(matches!(read.record, GpuRecord::BadClaims(problem) if problem.contains("2 devices")));
        assert!(matches!(of(b"{\"claims\":[]}"), GpuRecord::OtherDigest { .. }));
    }

    proptest! {
        #[test]
        fn no_payload_panics(payload in proptest::collection::vec(any::<u8>(), 0..200), text in ".{0,60}") {
            let _ = GpuBoot::of_event(&payload, Some(&payload));
            let _ = GpuBoot::of_event(format!("{{\"version\":{text}}}").as_bytes(), None);
        }
    }
}
