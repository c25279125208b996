//! The values that a row holds: a line of text, and bytes in hex.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

/// Characters of a text in a row, at most.
const MAX_TEXT_CHARS: usize = 500;

/// A line of text: 1 to 500 characters, none of which is a control character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text(Cow<'static, str>);

impl Text {
    /// A text of the built-in rows, which was read from their document.
    pub(super) const fn fixed(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let shown = text.trim() == text && !text.is_empty() && text.chars().count() <= MAX_TEXT_CHARS;
        match shown && !text.chars().any(char::is_control) {
            true => Ok(Self(Cow::Owned(text))),
            false => Err("a text has 1 to 500 characters, no control characters, and no blanks around it"),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Bytes that are written as hex in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bytes<const N: usize>(pub [u8; N]);

impl<const N: usize> TryFrom<String> for Bytes<N> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bytes = hex::decode(&text).ok().and_then(|bytes| bytes.try_into().ok());
        match bytes {
            Some(bytes) if !text.bytes().any(|byte| byte.is_ascii_uppercase()) => Ok(Self(bytes)),
            _ => Err(format!("{N} bytes of hex in lower case are expected")),
        }
    }
}

impl<const N: usize> fmt::Display for Bytes<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
