//! Hashes and the digests of events.

use ring::digest::{Context, SHA256};
use sha2::{Digest as _, Sha384};

use crate::evidence::EventVersion;

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha256_of_parts([bytes])
}

/// SHA-256 of parts, one behind the other. ring's needs a third of the instructions of `sha2`'s where the processor has none for it.
pub(super) fn sha256_of_parts<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    parts.into_iter().for_each(|part| hash.update(part));
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}

/// SHA-384.
pub fn sha384(bytes: &[u8]) -> [u8; 48] {
    Sha384::digest(bytes).into()
}

/// Extends a register: SHA-384(register ‖ digest).
pub fn extend(register: &[u8; 48], digest: &[u8; 48]) -> [u8; 48] {
    let mut hasher = Sha384::new();
    hasher.update(register);
    hasher.update(digest);
    hasher.finalize().into()
}

/// What is hashed for a runtime event (dstack, `cc-eventlog/src/runtime_events.rs`).
///
/// V1: event type 0x08000001 little endian, `:`, name, `:`, payload. V2: RFC 8785 JSON of name, payload
/// and type; serde_json escapes strings exactly as RFC 8785 does.
pub fn runtime_preimage(version: EventVersion, name: &str, payload: &[u8]) -> Vec<u8> {
    match version {
        EventVersion::V1 => [&[0x01, 0x00, 0x00, 0x08, b':'], name.as_bytes(), b":", payload].concat(),
        EventVersion::V2 => format!(
            r#"{{"name":{},"payload":"{}","type":134217729}}"#,
            serde_json::Value::from(name),
            hex::encode(payload)
        )
        .into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(version: EventVersion, name: &str, payload: &[u8]) -> String {
        hex::encode(sha384(&runtime_preimage(version, name, payload)))
    }

    #[test]
    fn digests_are_the_documented_ones() {
        // dstack, `cc-eventlog/src/runtime_events.rs`.
        assert_eq!(
            digest(EventVersion::V1, "system-preparing", b""),
            "f9974020ef507068183313d0ca808e0d1ca9b2d1ad0c61f5784e7157c362c06536f5ddacdad4451693f48fcc72fff624"
        );
        assert_eq!(
            digest(EventVersion::V1, "system-ready", b""),
            "1a76b2a80a0be71eae59f80945d876351a7a3fb8e9fd1ff1cede5734aa84ea11fd72b4edfbb6f04e5a85edd114c751bd"
        );
        assert_eq!(
            digest(EventVersion::V2, "compose-hash", &[0xab, 0xcd]),
            "9dde1673f544faa94b921825209593ddde08d0baf9cd6990175dffaf3081f1bb10311d56de189491feb33842a050ad7b"
        );
        assert_eq!(
            digest(EventVersion::V2, "system-ready", b""),
            "8c748e7cf5aa7ef37f036bd15cb78308279511a408bcd2aab352802cccd79cf07d7d5e4d174c5b311f2d98f35f53ccd6"
        );
    }
}
