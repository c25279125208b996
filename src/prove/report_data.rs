//! How an app turns the verifier's nonce into the 64 bytes of REPORTDATA (dstack-attestation.md §1.a).

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha512};

use super::digest::sha256;

/// One way in which an app turns the nonce into REPORTDATA. Each binds all 256 bits of the nonce, and all
/// 64 bytes are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// The 32 bytes, then 32 zeros: `getQuote(Buffer)`, Go, Rust.
    Raw,
    /// The 64 hex digits as text: `getQuote(string)` in the JS and Python SDKs.
    Ascii,
    /// 32 zeros, then the 32 bytes: old tappd clients with `raw`.
    LeftPadded,
    /// SHA-512 of `app-data:` and the 32 bytes: tappd's default.
    AppDataRaw,
    /// SHA-512 of `app-data:` and the 64 hex digits: tappd's default, for a string.
    AppDataAscii,
    /// SHA-256 of the 32 bytes, then zeros.
    Sha256Raw,
    /// SHA-256 of the 64 hex digits, then zeros.
    Sha256Ascii,
    /// The hex digits of SHA-256 of the 32 bytes, as text.
    HexSha256Raw,
    /// The hex digits of SHA-256 of the 64 hex digits, as text.
    HexSha256Ascii,
}

/// A name that is no layout's.
#[derive(Debug, thiserror::Error)]
#[error("there is no report-data layout {0:?}; known are auto, {known}", known = Layout::ALL.map(Layout::as_str).join(", "))]
pub struct UnknownLayout(String);

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 9] = [
        Self::Raw,
        Self::Ascii,
        Self::LeftPadded,
        Self::AppDataRaw,
        Self::AppDataAscii,
        Self::Sha256Raw,
        Self::Sha256Ascii,
        Self::HexSha256Raw,
        Self::HexSha256Ascii,
    ];

    /// What `auto` accepts: exactly one of these two.
    pub const AUTO: [Self; 2] = [Self::Raw, Self::Ascii];

    /// The name as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Ascii => "ascii",
            Self::LeftPadded => "left-padded",
            Self::AppDataRaw => "app-data-raw",
            Self::AppDataAscii => "app-data-ascii",
            Self::Sha256Raw => "sha256-raw",
            Self::Sha256Ascii => "sha256-ascii",
            Self::HexSha256Raw => "hex-sha256-raw",
            Self::HexSha256Ascii => "hex-sha256-ascii",
        }
    }

    /// The 64 bytes that an app with this layout has signed for a nonce.
    #[must_use]
    pub fn expected(self, nonce: &[u8; 32]) -> [u8; 64] {
        let ascii = hex::encode(nonce);
        match self {
            Self::Raw => right_padded(nonce),
            Self::Ascii => right_padded(ascii.as_bytes()),
            Self::LeftPadded => {
                let mut data = [0; 64];
                data.iter_mut()
                    .rev()
                    .zip(nonce.iter().rev())
                    .for_each(|(to, from)| *to = *from);
                data
            }
            Self::AppDataRaw => app_data(nonce),
            Self::AppDataAscii => app_data(ascii.as_bytes()),
            Self::Sha256Raw => right_padded(&sha256(nonce)),
            Self::Sha256Ascii => right_padded(&sha256(ascii.as_bytes())),
            Self::HexSha256Raw => right_padded(hex::encode(sha256(nonce)).as_bytes()),
            Self::HexSha256Ascii => right_padded(hex::encode(sha256(ascii.as_bytes())).as_bytes()),
        }
    }

    /// The layout that gives these 64 bytes, if any does.
    #[must_use]
    pub fn that_gives(report_data: &[u8; 64], nonce: &[u8; 32]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.expected(nonce) == *report_data)
    }
}

/// Up to 64 bytes, padded with zeros on the right as the guest agent does.
pub(super) fn right_padded(bytes: &[u8]) -> [u8; 64] {
    let mut data = [0; 64];
    data.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    data
}

fn app_data(data: &[u8]) -> [u8; 64] {
    let mut hasher = Sha512::new();
    hasher.update(b"app-data:");
    hasher.update(data);
    hasher.finalize().into()
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(text: &str) -> Result<Self, UnknownLayout> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.as_str() == text)
            .ok_or_else(|| UnknownLayout(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_gives_its_own_bytes() {
        let nonce = [0xab; 32];
        for layout in Layout::ALL {
            assert_eq!(Layout::that_gives(&layout.expected(&nonce), &nonce), Some(layout));
            assert_eq!(layout.as_str().parse::<Layout>().unwrap(), layout);
        }
    }

    #[test]
    fn raw_is_the_nonce_and_zeros_and_ascii_its_digits() {
        let nonce = [0xab; 32];
        assert_eq!(
            Layout::Raw.expected(&nonce),
            *[[0xab; 32], [0; 32]].concat().first_chunk::<64>().unwrap()
        );
        assert_eq!(&Layout::Ascii.expected(&nonce)[..4], b"abab");
        assert_eq!(&Layout::LeftPadded.expected(&nonce)[..32], [0; 32]);
    }
}
