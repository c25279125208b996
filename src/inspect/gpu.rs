//! Reports of GPUs and switches, field by field, and the tokens of NVIDIA's remote attestation service.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Inspector;
use super::nras_claims::meaning;
use super::opened::Opened;
use super::page::{Page, count, short_hex};
use cvm_verify_core::evidence::{Bundle, GpuEvidence, GpuReport};
use cvm_verify_core::verify::digest::sha256;
use cvm_verify_core::verify::gpu::{DERIVED_NONCE, Opaque, SpdmTranscript, certificate_names};

/// Measurements that are shown, of each device that is shown in full.
const MEASUREMENTS: usize = 4;

/// Tokens that are shown, of each answer.
const TOKENS: usize = 3;

/// Claims that are shown, of each token.
const CLAIMS: usize = 40;

/// Shows the reports: the first of a GPU and the first of a switch in full, the others by their nonce.
pub(super) fn section(page: &mut Page, opened: &Opened<'_>, bundle: Option<&Bundle>) {
    let reports = match &opened.gpu {
        None => return,
        Some(Err(problem)) => {
            page.section("GPU REPORTS");
            page.field("Reports", "cannot be read").mark(problem);
            return;
        }
        Some(Ok(reports)) => *reports,
    };
    devices(page, reports, opened.nonce);
    for answer in bundle
        .and_then(|bundle| bundle.gpu.as_ref()?.nras.as_ref())
        .iter()
        .flat_map(|nras| &nras.answers)
    {
        page.field("NVIDIA's answer", answer.kind.as_str()).note(
            "Tokens of NVIDIA's remote attestation service, decoded. `inspect` does not check their signatures.",
        );
        tokens(page, &answer.body);
    }
}

/// Shows GPU evidence that stands beside no quote.
pub(super) fn alone(page: &mut Page, gpu: &GpuEvidence, inspector: &Inspector) {
    if let Some(reports) = &gpu.reports {
        devices(page, reports.open(inspector), None);
    }
    if let Some(record) = &gpu.boot_record {
        let record = record.open(inspector);
        page.section("GPU RECORD OF THE BOOT");
        page.field("Record", format!("{} bytes", record.len()))
            .note("What a guest of dstack 0.6 attested of its GPUs while it booted.");
        page.field("SHA-256", hex::encode(sha256(record)))
            .note("The boot event `gpu-attestation` of a proven event log names it.");
    }
}

/// Shows tokens that stand beside no evidence.
pub(super) fn tokens_alone(page: &mut Page, body: &str) {
    page.section("TOKENS OF NVIDIA'S SERVICE");
    tokens(page, body);
}

fn devices(page: &mut Page, reports: &[GpuReport], nonce: Option<&[u8; 32]>) {
    page.section("GPU REPORTS");
    page.field("Reports", count(reports.len(), "device"));
    let mut shown: Vec<&str> = Vec::new();
    for (index, report) in reports.iter().enumerate() {
        let is_first = !shown.contains(&report.architecture.as_str());
        device(page, index + 1, report, is_first, nonce);
        shown.push(&report.architecture);
    }
}

fn device(page: &mut Page, number: usize, report: &GpuReport, in_full: bool, nonce: Option<&[u8; 32]>) {
    let name = format!("Device {number}");
    page.field(&name, &report.architecture);
    if in_full {
        page.note(
            "The name that the sender gives: HOPPER and BLACKWELL are GPUs, LS10 is an NVSwitch. The \
            certificate decides.",
        );
    }
    let transcript = match SpdmTranscript::parse(&report.transcript) {
        Ok(transcript) => transcript,
        Err(problem) => {
            page.field("Report", format!("{} bytes", report.transcript.len()))
                .mark(problem.to_string());
            return;
        }
    };
    nonce_field(page, &transcript, nonce);
    if !in_full {
        return;
    }
    match certificate_names(&report.chain) {
        Ok(names) => {
            page.field("Certificates", count(names.len(), "certificate"))
                .note("The first is the device's own; the last must be NVIDIA's device root.");
            page.items(names, 8);
        }
        Err(problem) => {
            page.field("Certificates", "cannot be read")
                .mark(problem.to_string());
        }
    }
    page.field("Slot", transcript.slot)
        .note("Which certificate chain of the device the request named.");
    page.field("Device nonce", short_hex(&transcript.device_nonce))
        .note("A random number of the device; it is not your nonce.");
    page.field("Measurements", count(transcript.measurements.len(), "measurement")).note(
        "Measurements of firmware, driver and configuration by index, each a SHA-384. NVIDIA publishes golden values for \
         most.",
    );
    let measurements = transcript.measurements.iter().map(|(index, measurement)| {
        format!(
            "{index}: type {}, {}",
            measurement.kind,
            short_hex(&measurement.value)
        )
    });
    page.items(measurements, MEASUREMENTS);
    opaque(page, &transcript.opaque);
    page.field("Signature", short_hex(&transcript.signature))
        .note("ECDSA P-384 over SHA-384 of request and response, r and s.");
}

fn nonce_field(page: &mut Page, transcript: &SpdmTranscript, nonce: Option<&[u8; 32]>) {
    let signed = &transcript.nonce;
    let field = page.field("Signed nonce", hex::encode(signed));
    match nonce {
        None => field.note("The evidence names no nonce to compare it with."),
        Some(nonce) if nonce == signed => field.note("The nonce with which the evidence was requested."),
        Some(nonce) if sha256(&[DERIVED_NONCE, nonce].concat()) == *signed => {
            field.note("Derived from the nonce with which the evidence was requested.")
        }
        Some(_) => field.mark(
            "Not the nonce with which the evidence was requested: it is recorded, or from another verifier.",
        ),
    };
}

fn opaque(page: &mut Page, bytes: &[u8]) {
    match Opaque::parse(bytes) {
        Err(problem) => {
            page.field("Opaque data", format!("{} bytes", bytes.len()))
                .mark(problem.to_string());
        }
        Ok(Opaque::Unread) => {
            page.field("Opaque data", format!("{} bytes", bytes.len()))
                .mark("A newer format (NVDAOD) that this version does not read.");
        }
        Ok(Opaque::Fields(fields)) => {
            page.field("Opaque data", count(fields.named().count(), "field"))
                .note("The device's description of itself. The signature covers it.");
            let text = |value: &[u8]| {
                let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
                let text = std::str::from_utf8(value.get(..end)?).ok()?;
                let is_text = text.len() > 2 && text.chars().all(|c| c.is_ascii_graphic());
                is_text.then(|| text.to_owned())
            };
            for (kind, name, value) in fields.named() {
                let shown = text(value).unwrap_or_else(|| short_hex(value));
                page.item(format!("{kind} {name}: {shown}"));
            }
            if let Some(vbios) = fields.vbios() {
                page.item(format!("vBIOS in words: {vbios}"));
            }
            if fields.is_protected_pcie() {
                page.item(
                    "protected PCIe is on: the links between the GPUs are not encrypted, and the switches \
                    are trusted",
                );
            }
        }
    }
}

/// Whether a file is an answer of the service, or one token: a token with an algorithm and a claim that only this service makes.
pub(super) fn is_answer(body: &str) -> bool {
    let is_of_service = |(header, claims): (Value, Map<String, Value>)| {
        header.get("alg").is_some()
            && claims
                .keys()
                .any(|name| name.starts_with("x-nvidia-") || name == "hwmodel")
    };
    texts_of_tokens(body.trim())
        .filter_map(decoded)
        .any(is_of_service)
}

/// What has the form of a token, in an answer or as a bare text.
fn texts_of_tokens(body: &str) -> impl Iterator<Item = &str> {
    let parts = body.split('"').map(str::trim);
    parts.filter(|part| part.split('.').count() == 3)
}

/// Header and claims of a token.
fn decoded(token: &str) -> Option<(Value, Map<String, Value>)> {
    let mut parts = token.split('.');
    let mut part =
        || -> Option<Value> { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok() };
    let header = part()?;
    match part()? {
        Value::Object(claims) => Some((header, claims)),
        _ => None,
    }
}

/// The tokens of an answer, decoded and not verified.
fn tokens(page: &mut Page, body: &str) {
    let mut left_out = 0;
    for (index, token) in texts_of_tokens(body).enumerate() {
        if index >= TOKENS {
            left_out += 1;
            continue;
        }
        let Some((header, claims)) = decoded(token) else {
            continue;
        };
        page.field("Token", header.to_string()).note(
            "Algorithm and key. Only ES384 with a key that a pinned certificate of NVIDIA's has counts.",
        );
        page.items(
            claims.iter().map(|(name, value)| match meaning(name) {
                Some(meaning) => format!("{name}: {value} – {meaning}"),
                None => format!("{name}: {value}"),
            }),
            CLAIMS,
        );
    }
    page.more(left_out);
}
