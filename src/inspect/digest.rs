//! Hashes.

use sha2::{Digest as _, Sha256, Sha384};

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-384.
pub(super) fn sha384(bytes: &[u8]) -> [u8; 48] {
    Sha384::digest(bytes).into()
}

/// SHA-256 of a text, hex.
pub(super) fn sha256_hex(text: &str) -> String {
    hex::encode(sha256(text.as_bytes()))
}
