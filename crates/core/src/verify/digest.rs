//! Hashes and the digests of events.

use ring::digest::{Algorithm, Context, SHA256, SHA384, SHA512};

use crate::evidence::EventVersion;

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    of_parts(&SHA256, [bytes])
}

/// SHA-384.
pub fn sha384(bytes: &[u8]) -> [u8; 48] {
    of_parts(&SHA384, [bytes])
}

/// SHA-512 of parts, one behind the other.
pub fn sha512_of<const N: usize>(parts: [&[u8]; N]) -> [u8; 64] {
    of_parts(&SHA512, parts)
}

/// Extends a register: SHA-384(register ‖ digest).
pub fn extend(register: &[u8; 48], digest: &[u8; 48]) -> [u8; 48] {
    of_parts(&SHA384, [register, digest])
}

/// The hash, of `LENGTH` bytes, of parts. ring's needs fewer instructions than that of `sha2` where the processor has none for it.
fn of_parts<const N: usize, const LENGTH: usize>(
    algorithm: &'static Algorithm,
    parts: [&[u8]; N],
) -> [u8; LENGTH] {
    let mut context = Context::new(algorithm);
    parts.into_iter().for_each(|part| context.update(part));
    let mut hash = [0; LENGTH];
    hash.copy_from_slice(context.finish().as_ref());
    hash
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
