//! Lists of GPU reports: for each GPU or switch its SPDM transcript and its certificate chain.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::EvidenceError;
use super::json::Object;

/// The most GPUs of one deployment.
pub(crate) const MAX_GPUS: usize = 16;

/// The most switches of one deployment.
pub(crate) const MAX_SWITCHES: usize = 8;

/// Bytes of a report: 64 KiB. Real ones have about 4.1 KB.
pub(crate) const MAX_GPU_REPORT_BYTES: usize = 64 * 1024;

/// Bytes of a certificate chain as PEM: 32 KiB. Real ones have 4.8 KB.
pub(crate) const MAX_GPU_CHAIN_BYTES: usize = 32 * 1024;

/// Characters of an architecture's name.
const MAX_ARCHITECTURE: usize = 32;

/// The architecture of NVIDIA's switches, by the name that NVIDIA's tools use.
const SWITCH: &str = "LS10";

/// The report of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpuReport {
    /// The architecture, as the sender names it: `HOPPER`, `BLACKWELL`, `LS10`.
    pub architecture: String,
    /// The SPDM transcript: request, response and signature.
    pub transcript: Vec<u8>,
    /// The certificate chain, PEM, leaf first.
    pub chain: Vec<u8>,
}

/// The architecture that a list or a report names.
pub(super) fn architecture(object: &Object<'_>) -> Result<Option<String>, EvidenceError> {
    let name = object.string("arch")?;
    match &name {
        Some(name) if name.len() > MAX_ARCHITECTURE => {
            Err(object.malformed("arch", format!("is longer than {MAX_ARCHITECTURE} characters")))
        }
        _ => Ok(name),
    }
}

/// The reports of a list of objects, each with `evidence`, `certificate` and, unless `architecture_of_all` names it, `arch`.
pub(super) fn reports_of_list(
    document: &'static str,
    path: &str,
    text: &str,
    architecture_of_all: Option<&str>,
) -> Result<Vec<GpuReport>, EvidenceError> {
    const MOST: usize = MAX_GPUS + MAX_SWITCHES;
    let malformed = |problem: String| EvidenceError::Malformed {
        document,
        field: if path.is_empty() {
            "(the whole document)"
        } else {
            path
        }
        .to_owned(),
        problem,
    };
    let objects = Object::list(document, path, text, MOST)
        .ok_or_else(|| malformed(format!("is not a list of at most {MOST} objects")))?;
    let mut reports = Vec::new();
    for object in &objects {
        let name = architecture(object)?.or_else(|| architecture_of_all.map(str::to_owned));
        reports.push(GpuReport {
            architecture: name.ok_or_else(|| object.malformed("arch", "is missing"))?,
            transcript: base64_of(object, "evidence", MAX_GPU_REPORT_BYTES)?,
            chain: base64_of(object, "certificate", MAX_GPU_CHAIN_BYTES)?,
        });
    }
    let switches = reports.iter().filter(|report| report.is_of_switch()).count();
    let gpus = reports.len() - switches;
    if gpus > MAX_GPUS || switches > MAX_SWITCHES {
        return Err(malformed(format!(
            "has {gpus} GPUs and {switches} switches; at most {MAX_GPUS} and {MAX_SWITCHES} are read"
        )));
    }
    Ok(reports)
}

impl GpuReport {
    /// Whether the sender says that it is of a switch.
    fn is_of_switch(&self) -> bool {
        self.architecture == SWITCH
    }
}

fn base64_of(object: &Object<'_>, name: &str, limit: usize) -> Result<Vec<u8>, EvidenceError> {
    let text = object
        .text(name)?
        .ok_or_else(|| object.malformed(name, "is missing"))?;
    // Four characters for three bytes, and some line ends at most.
    if text.len() > limit.saturating_mul(2) {
        return Err(object.malformed(name, format!("is longer than {limit} bytes in base64")));
    }
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|_| object.malformed(name, "is not base64"))?;
    if bytes.len() > limit {
        return Err(object.malformed(
            name,
            format!("is {} bytes; at most {limit} are read", bytes.len()),
        ));
    }
    Ok(bytes)
}
