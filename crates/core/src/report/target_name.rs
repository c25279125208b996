//! What a target may be called.

/// Longest name of a target, characters.
pub const MAX_NAME: usize = 64;

/// Whether a text may be a target's name: it is typed on command lines and is part of file names.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}
