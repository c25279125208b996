//! GPU evidence as apps hand it over: reports of NVIDIA GPUs and switches, each with its certificate chain, and the record
//! that a guest of dstack 0.6 made while booting. Nothing of it is proven.
//!
//! Forms that are read (NVIDIA nvtrust, NVIDIA Attestation Service API; dstack 0.6, `docs/guest-api-v1.md`):
//!
//! | form | where |
//! |---|---|
//! | `{"evidence_list": [{"certificate", "evidence", "arch"}], "arch"}` | the member `nvidia_payload` of a Private AI report; the body for NVIDIA's remote attestation service |
//! | `[{"certificate", "evidence", "arch"}]` | NVIDIA's attestation SDK, serialised; also as the member `evidences` |
//! | `{"bundles": [{"vendor", "format", "evidence"}]}` | dstack's `AttestGpu`: the tool's output, hex |
//! | `boottime_gpu_evidence`: a list of the same | dstack's `Attest` |
//!
//! `certificate` is base64 of PEM, `evidence` base64 of the SPDM transcript. A `nonce` next to them is not read: only the
//! signed one counts.

use super::error::document_text;
use serde_json::value::RawValue;

use super::gpu_reports::{GpuReport, architecture, reports_of_list};
use super::json::{Object, kind_of};
use super::{EvidenceError, Unproven, bytes};

/// Bytes of a document of GPU evidence: 4 MiB. Eight GPUs and four switches have about 140 KiB.
pub const MAX_GPU_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;

/// Bytes of the record of the boot. Real ones have about 6 KB for each GPU.
const MAX_BOOT_RECORD_BYTES: usize = 1024 * 1024;

/// Bundles of one list.
const MAX_BUNDLES: usize = 8;

/// `format` of what `AttestGpu` collects for a nonce.
const ON_DEMAND: &str = "nvidia-nvattest-collect-evidence-json-v1";

/// `format` of the record of the boot.
const BOOT: &str = "nvidia-nvattest-boottime-json-v1";

/// What a deployment supplied about its GPUs.
#[derive(Debug, Clone, Default)]
pub struct GpuEvidence {
    /// A report of each GPU and switch. Absent if there is none.
    pub reports: Option<Unproven<Vec<GpuReport>>>,
    /// The record of the boot: the exact bytes that the guest hashed.
    pub boot_record: Option<Unproven<Vec<u8>>>,
    /// Why GPU evidence that stands next to this one cannot be read.
    pub problem_beside: Option<GpuProblem>,
}

/// Why there is no GPU evidence although there should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GpuProblem {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] EvidenceError),
    /// The endpoint that serves it did not answer, with a sentence without its full stop.
    #[error("{0}")]
    Unreachable(String),
}

impl GpuEvidence {
    /// Reads a document of GPU evidence.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field.
    pub fn parse(body: &[u8]) -> Result<Self, EvidenceError> {
        const DOCUMENT: &str = "the GPU evidence";
        let text = document_text(DOCUMENT, body, MAX_GPU_DOCUMENT_BYTES)?;
        if text.trim_start().starts_with('[') {
            return Ok(Self::of_reports(reports_of_list(DOCUMENT, "", text, None)?));
        }
        let object = Object::document(DOCUMENT, text)?;
        Self::of_members(DOCUMENT, &object)?.map_or_else(|| Self::of_collection(DOCUMENT, &object), Ok)
    }

    /// Reads the members of a body that hold GPU evidence, if it has any.
    pub(super) fn of_members(
        document: &'static str,
        body: &Object<'_>,
    ) -> Result<Option<Self>, EvidenceError> {
        let mut found = Self::default();
        if let Some(payload) = nested(body, "nvidia_payload")? {
            let payload = Object::at(document, body.field("nvidia_payload"), &payload)?;
            found = Self::of_collection(document, &payload)?;
        }
        for member in ["bundles", "boottime_gpu_evidence"] {
            let Some(list) = body.get(member)? else {
                continue;
            };
            for bundle in bundles(document, &body.field(member), list)? {
                found.add(document, &body.field(member), bundle)?;
            }
        }
        Ok(Some(found).filter(|found| !found.is_empty()))
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.reports.is_none() && self.boot_record.is_none()
    }

    /// This evidence, and that of another document if this one has none of a kind.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            reports: self.reports.or(other.reports),
            boot_record: self.boot_record.or(other.boot_record),
            problem_beside: self.problem_beside.or(other.problem_beside),
        }
    }

    fn of_reports(reports: Vec<GpuReport>) -> Self {
        Self {
            reports: (!reports.is_empty()).then(|| Unproven::new(reports)),
            ..Self::default()
        }
    }

    /// `{"evidence_list": …, "arch": …}`, or NVIDIA's own name for the list.
    fn of_collection(document: &'static str, object: &Object<'_>) -> Result<Self, EvidenceError> {
        let Some(list) = object.get_either(&["evidence_list", "evidences"])? else {
            return Ok(Self::default());
        };
        let architecture = architecture(object)?;
        let path = object.field("evidence_list");
        reports_of_list(document, &path, list.get(), architecture.as_deref()).map(Self::of_reports)
    }

    fn add(
        &mut self,
        document: &'static str,
        path: &str,
        (format, evidence): (String, Vec<u8>),
    ) -> Result<(), EvidenceError> {
        let malformed = |problem: String| EvidenceError::Malformed {
            document,
            field: path.to_owned(),
            problem,
        };
        let is_given = match format.as_str() {
            ON_DEMAND => self.reports.is_some(),
            BOOT => self.boot_record.is_some(),
            _ => {
                let format: String = format.chars().take(80).collect();
                return Err(malformed(format!(
                    "has evidence of the format {format:?}, which this version does not read"
                )));
            }
        };
        if is_given {
            return Err(malformed(format!("has evidence of the format {format:?} twice")));
        }
        if format == BOOT {
            if evidence.len() > MAX_BOOT_RECORD_BYTES {
                return Err(malformed(format!(
                    "has a record of {} bytes; at most {MAX_BOOT_RECORD_BYTES} are read",
                    evidence.len()
                )));
            }
            self.boot_record = Some(Unproven::new(evidence));
        } else {
            self.reports = Self::parse(&evidence)?.reports;
        }
        Ok(())
    }
}

/// A member that is an object, or a string that holds one. An empty string counts as absent.
fn nested(object: &Object<'_>, name: &str) -> Result<Option<String>, EvidenceError> {
    let Some(value) = object.get(name)? else {
        return Ok(None);
    };
    match value.get().as_bytes().first() {
        Some(b'{') => Ok(Some(value.get().to_owned())),
        Some(b'"') => {
            let text = object.as_string(name, value)?;
            Ok((!text.trim().is_empty()).then_some(text))
        }
        _ => Err(object.malformed(
            name,
            format!("is {}; an object or a string expected", kind_of(value.get())),
        )),
    }
}

/// `format` and bytes of each bundle of NVIDIA's. Those of other vendors are left out.
fn bundles(
    document: &'static str,
    path: &str,
    list: &RawValue,
) -> Result<Vec<(String, Vec<u8>)>, EvidenceError> {
    let objects =
        Object::list(document, path, list.get(), MAX_BUNDLES).ok_or_else(|| EvidenceError::Malformed {
            document,
            field: path.to_owned(),
            problem: format!("is not a list of at most {MAX_BUNDLES} objects"),
        })?;
    let mut found = Vec::new();
    for object in &objects {
        let need = |name: &str| {
            object
                .string(name)?
                .ok_or_else(|| object.malformed(name, "is missing"))
        };
        if need("vendor")? != "nvidia" {
            continue;
        }
        let (format, evidence) = (need("format")?, need("evidence")?);
        let evidence = bytes::hex_up_to(&evidence, MAX_GPU_DOCUMENT_BYTES)
            .map_err(|error| object.bad_hex("evidence", &error))?;
        found.push((format, evidence));
    }
    Ok(found)
}

/// How many GPUs the host says that the VM has: `num_gpus` of the text of `vm_config`, JSON. Nothing vouches for it. What cannot
/// be read says nothing.
pub(crate) fn claimed_gpus(vm_config: &str) -> Option<u32> {
    let object = Object::document("vm_config", vm_config).ok()?;
    object.integer("num_gpus", 1024).ok()?
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::gpu_reports::MAX_GPU_REPORT_BYTES;
    use super::*;

    fn device(arch: &str) -> Value {
        json!({"arch": arch, "certificate": STANDARD.encode("chain"), "evidence": STANDARD.encode("report"), "nonce": "00"})
    }

    fn count(body: &Value) -> Option<usize> {
        struct Test;
        impl super::super::OpensUnproven for Test {}
        let evidence = GpuEvidence::parse(body.to_string().as_bytes()).unwrap();
        evidence.reports.map(|reports| reports.open(&Test).len())
    }

    fn refusal(body: &Value) -> String {
        GpuEvidence::parse(body.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn every_form_gives_the_same_reports() {
        let list = json!([device("HOPPER"), device("LS10")]);
        let payload = json!({"nonce": "00", "evidence_list": list, "arch": "HOPPER"});
        let tool = json!({"evidences": list, "result_code": 0});
        let hex = hex::encode(tool.to_string());
        let bundle = json!([{"vendor": "nvidia", "format": ON_DEMAND, "evidence": hex}, {"vendor": "other"}]);
        for body in [
            list.clone(),
            payload.clone(),
            tool,
            json!({"nvidia_payload": payload.to_string()}),
            json!({"nvidia_payload": payload}),
            json!({"bundles": bundle}),
        ] {
            assert_eq!(count(&body), Some(2), "{body}");
        }
    }

    #[test]
    fn a_gateway_without_gpus_has_none() {
        for body in [
            json!({"nvidia_payload": ""}),
            json!({"nvidia_payload": "{}"}),
            json!({"nvidia_payload": null}),
            json!({"nvidia_payload": {"evidence_list": []}}),
            json!({"bundles": []}),
            json!([]),
        ] {
            assert_eq!(count(&body), None, "{body}");
        }
    }

    #[test]
    fn what_is_too_much_or_missing_is_named() {
        let many = |arch: &str, number: usize| Value::Array(vec![device(arch); number]);
        assert!(refusal(&many("HOPPER", 17)).contains("17 GPUs"));
        assert!(refusal(&many("LS10", 9)).contains("9 switches"));
        assert!(refusal(&many("HOPPER", 25)).contains("at most 24"));
        assert!(refusal(&json!([{"certificate": "", "evidence": ""}])).contains("arch"));
        assert!(refusal(&json!([{"arch": "HOPPER", "certificate": "*", "evidence": ""}])).contains("base64"));
        let long = STANDARD.encode(vec![0; MAX_GPU_REPORT_BYTES + 1]);
        assert!(
            refusal(&json!([{"arch": "HOPPER", "certificate": "", "evidence": long}])).contains("evidence")
        );
        let bundle = json!({"vendor": "nvidia", "format": "nvidia-v9", "evidence": "00"});
        assert!(refusal(&json!({"bundles": [bundle]})).contains("nvidia-v9"));
    }

    #[test]
    fn the_hosts_claim_is_read_where_it_can_be() {
        assert_eq!(claimed_gpus(r#"{"num_gpus":8}"#), Some(8));
        assert_eq!(claimed_gpus(r#"{"num_gpus":0}"#), Some(0));
        for silent in ["", "{}", "{", r#"{"num_gpus":"8"}"#, "[]"] {
            assert_eq!(claimed_gpus(silent), None, "{silent}");
        }
    }

    proptest! {
        #[test]
        fn no_document_panics(body in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,200}") {
            let _ = GpuEvidence::parse(&body);
            let _ = GpuEvidence::parse(format!("[{{\"arch\":{text}}}]").as_bytes());
            let _ = GpuEvidence::parse(format!("{{\"nvidia_payload\":{text}}}").as_bytes());
        }
    }
}
