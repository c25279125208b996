//! The form of a Sigstore bundle, read strictly: what follows may rely on one certificate, one envelope and one signature.

use serde_json::Value;
use sigstore_verify::types::{Bundle, DsseEnvelope, KindVersion, SignatureContent};

use super::{Refusal, strict_json};

/// Largest bundle, in bytes.
pub const MAX_BUNDLE: usize = 1024 * 1024;
/// Values of a bundle in JSON: one has about 60.
const MAX_VALUES: usize = 4096;
/// Most log entries, and most timestamps.
const MAX_ENTRIES: usize = 32;
/// Largest checkpoint of a log, in bytes, and most signatures under one.
const MAX_CHECKPOINT: usize = 64 * 1024;
const MAX_SIGNATURE_LINES: usize = 32;
/// The two names of version 0.3.
const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];
/// What the envelope holds.
const STATEMENT: &str = "application/vnd.in-toto+json";

/// A bundle of the one supported form; nothing in it is proven.
pub(super) struct ParsedBundle {
    pub(super) bundle: Bundle,
    /// The leaf, DER.
    pub(super) leaf: Vec<u8>,
}

impl ParsedBundle {
    /// # Errors
    /// [`Refusal::Malformed`] or [`Refusal::Unsupported`].
    pub(super) fn read(text: &[u8]) -> Result<Self, Refusal> {
        if text.len() > MAX_BUNDLE {
            return Err(Refusal::Malformed("it is larger than 1 MiB"));
        }
        let value = strict_json::read(text, MAX_VALUES).ok_or(Refusal::Malformed("it is not JSON"))?;
        supported(&value)?;
        within_limits(&value)?;
        let bundle: Bundle =
            serde_json::from_value(value).map_err(|_| Refusal::Malformed("a field is not of its type"))?;
        for entry in &bundle.verification_material.tlog_entries {
            if !matches!(
                entry.kind_version,
                KindVersion::DsseV001 | KindVersion::HashedRekordV002
            ) {
                return Err(Refusal::Unsupported("a log entry that is not of an envelope"));
            }
        }
        let leaf = bundle
            .signing_certificate()
            .ok_or(Refusal::Unsupported("it has no certificate"))?
            .as_bytes()
            .to_vec();
        let form = Self { bundle, leaf };
        form.envelope()?;
        Ok(form)
    }

    pub(super) fn envelope(&self) -> Result<&DsseEnvelope, Refusal> {
        match &self.bundle.content {
            SignatureContent::DsseEnvelope(envelope) => Ok(envelope),
            _ => Err(Refusal::Unsupported("it signs bytes, not a statement")),
        }
    }
}

fn supported(bundle: &Value) -> Result<(), Refusal> {
    let media_type = bundle
        .get("mediaType")
        .and_then(Value::as_str)
        .ok_or(Refusal::Malformed("it has no mediaType"))?;
    if !MEDIA_TYPES.contains(&media_type) {
        return Err(Refusal::Unsupported("a version other than 0.3"));
    }
    let material = bundle
        .get("verificationMaterial")
        .ok_or(Refusal::Malformed("it has no verificationMaterial"))?;
    if material.get("publicKey").is_some() || material.get("x509CertificateChain").is_some() {
        return Err(Refusal::Unsupported(
            "a key or a chain instead of one certificate",
        ));
    }
    if bundle.get("messageSignature").is_some() {
        return Err(Refusal::Unsupported("it signs bytes, not a statement"));
    }
    let envelope = bundle
        .get("dsseEnvelope")
        .ok_or(Refusal::Malformed("it has no dsseEnvelope"))?;
    if envelope.get("payloadType").and_then(Value::as_str) != Some(STATEMENT) {
        return Err(Refusal::Unsupported("its payload is not an in-toto statement"));
    }
    match envelope
        .get("signatures")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    {
        Some([_]) => Ok(()),
        Some(_) => Err(Refusal::Malformed("its envelope has not one signature")),
        None => Err(Refusal::Malformed("its envelope has no signatures")),
    }
}

fn within_limits(bundle: &Value) -> Result<(), Refusal> {
    let list = |pointer: &str| bundle.pointer(pointer).and_then(Value::as_array);
    let entries = list("/verificationMaterial/tlogEntries");
    let timestamps = list("/verificationMaterial/timestampVerificationData/rfc3161Timestamps");
    if entries.is_some_and(|list| list.len() > MAX_ENTRIES)
        || timestamps.is_some_and(|list| list.len() > MAX_ENTRIES)
    {
        return Err(Refusal::Malformed(
            "it has more than 32 log entries or timestamps",
        ));
    }
    for entry in entries.into_iter().flatten() {
        let Some(note) = entry
            .pointer("/inclusionProof/checkpoint/envelope")
            .and_then(Value::as_str)
        else {
            continue;
        };
        let mut parts = note.split("\n\n");
        let (Some(_), signatures, None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(Refusal::CheckpointInvalid);
        };
        let lines = signatures.map_or(0, |text| text.lines().count());
        if note.len() > MAX_CHECKPOINT || lines > MAX_SIGNATURE_LINES {
            return Err(Refusal::Malformed("a checkpoint is too large"));
        }
    }
    Ok(())
}
