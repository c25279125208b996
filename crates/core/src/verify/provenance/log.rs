//! What the library leaves open about log entries: which log signed the checkpoint, of which size, and for which time.

use serde_json::Value;
use sigstore_verify::types::bundle::TransparencyLogEntry;
use sigstore_verify::types::{KindVersion, Sha256Hash};

use super::root::Instance;
use super::{Refusal, strict_json};

/// Values of a logged body in JSON: one has about 15.
const MAX_BODY_VALUES: usize = 256;
/// The kinds of log entries of an envelope, and their versions.
const KNOWN_KINDS: [(&str, &str); 2] = [("dsse", "0.0.1"), ("hashedrekord", "0.0.2")];

/// An entry of a transparency log that is proven to be in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// The log's name, from its signed checkpoint.
    pub origin: String,
    /// The entry's index in the tree of that checkpoint.
    pub index: u64,
}

/// Judges an entry before the library does.
pub(super) fn judge(entry: &TransparencyLogEntry, instance: &Instance) -> Result<LogRecord, Refusal> {
    let id = Sha256Hash::try_from(entry.log_id.key_id.as_bytes())
        .map_err(|_| Refusal::Malformed("the id of a log is not 32 bytes"))?;
    let key = instance.log_keys.key(&id).ok_or(Refusal::UnknownLog)?;
    let log = instance
        .root
        .tlogs
        .iter()
        .find(|log| log.log_id.key_id == entry.log_id.key_id)
        .ok_or(Refusal::UnknownLog)?;
    let proof = entry.inclusion_proof.as_ref().ok_or(Refusal::NoInclusionProof)?;
    let checkpoint = proof.checkpoint.checkpoint().ok_or(Refusal::NoInclusionProof)?;
    if proof.tree_size != checkpoint.tree_size() || proof.root_hash != *checkpoint.root_hash() {
        return Err(Refusal::InclusionInvalid);
    }
    // The library takes the entry's own index under version 2 of the log; the proof's must not be another.
    if entry.kind_version == KindVersion::HashedRekordV002 && proof.log_index != entry.log_index {
        return Err(Refusal::InclusionInvalid);
    }
    let origin = checkpoint.origin();
    let host = origin.split(" - ").next().unwrap_or_default();
    if host != host_of(&log.base_url) {
        return Err(Refusal::CheckpointInvalid);
    }
    let hint = id.as_bytes().get(..4);
    // Under version 2 of the log its name is part of the key's hint (c2sp.org/signed-note).
    let is_named = |name: &str| entry.kind_version != KindVersion::HashedRekordV002 || name == host;
    let signed = checkpoint.signatures().iter().any(|line| {
        hint == Some(line.key_id.as_bytes().as_slice())
            && is_named(&line.name)
            && key.verify(checkpoint.signed_data(), &line.signature).is_ok()
    });
    if !signed {
        return Err(Refusal::CheckpointInvalid);
    }
    Ok(LogRecord {
        origin: origin.to_owned(),
        index: proof.log_index.get(),
    })
}

/// The logged body must be of the kind and version that the entry says: the library reads it by what the entry says.
pub(super) fn is_of_its_kind(entry: &TransparencyLogEntry) -> Result<(), Refusal> {
    let body = entry.canonicalized_body.as_bytes();
    let value =
        strict_json::read(body, MAX_BODY_VALUES).ok_or(Refusal::Malformed("the body of its log entry"))?;
    let word = |name: &str| value.get(name).and_then(Value::as_str);
    match (word("kind"), word("apiVersion")) {
        (Some(kind), Some(version))
            if (kind, version) == (entry.kind_version.kind(), entry.kind_version.version()) =>
        {
            Ok(())
        }
        (Some(kind), Some(version)) if !KNOWN_KINDS.contains(&(kind, version)) => Err(Refusal::Unsupported(
            "a log entry whose body is of another kind than it says",
        )),
        _ => Err(Refusal::LogEntryMismatch),
    }
}

fn host_of(base_url: &str) -> &str {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or_default()
}
