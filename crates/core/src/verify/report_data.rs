//! How an app turns the verifier's nonce into the 64 bytes of REPORTDATA (dstack, `sdk/curl/api.md`; NEAR AI,
//! `nearai-cloud-verifier`).

use std::str::FromStr;

use super::digest::{sha256, sha512_of};

crate::word_enum! {
    /// One way in which an app turns the nonce into REPORTDATA. Each binds all 256 bits of the nonce. All 64 bytes are
    /// compared, save with the last three, which leave 32 bytes to the app: those are compared with the user's value, or
    /// reported as compared with nothing.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Layout {
        /// The 32 bytes, then 32 zeros: `getQuote(Buffer)`, Go, Rust.
        Raw = "raw",
        /// The 64 hex digits as text: `getQuote(string)` in the JS and Python SDKs.
        Ascii = "ascii",
        /// 32 zeros, then the 32 bytes: old tappd clients with `raw`.
        LeftPadded = "left-padded",
        /// SHA-512 of `app-data:` and the 32 bytes: tappd's default.
        AppDataRaw = "app-data-raw",
        /// SHA-512 of `app-data:` and the 64 hex digits: tappd's default, for a string.
        AppDataAscii = "app-data-ascii",
        /// SHA-256 of the 32 bytes, then zeros.
        Sha256Raw = "sha256-raw",
        /// SHA-256 of the 64 hex digits, then zeros.
        Sha256Ascii = "sha256-ascii",
        /// The hex digits of SHA-256 of the 32 bytes, as text.
        HexSha256Raw = "hex-sha256-raw",
        /// The hex digits of SHA-256 of the 64 hex digits, as text.
        HexSha256Ascii = "hex-sha256-ascii",
        /// The 32 bytes, then 32 of the app's own: SHA-256 of its public key.
        NonceThenKey = "nonce-then-key",
        /// 32 bytes of the app's own, then the 32 bytes.
        KeyThenNonce = "key-then-nonce",
        /// The same order, as Private AI reports have it: the signing address (20 bytes and zeros, or 32), or a hash of it
        /// and of the TLS fingerprint (NEAR AI, `nearai-cloud-verifier`).
        PrivateAi = "private-ai",
    }
}

/// A name that is no layout's.
#[derive(Debug, thiserror::Error)]
#[error("there is no report-data layout {0:?}; known are auto, {known}", known = Layout::ALL.map(Layout::as_str).join(", "))]
pub struct UnknownLayout(String);

impl Layout {
    /// Whether its report data ends in 32 zeros behind bytes that the caller decides: the form of the quote of an ingress.
    #[must_use]
    pub(crate) const fn has_form_of_ingress(self) -> bool {
        match self {
            Self::Raw | Self::Sha256Raw | Self::Sha256Ascii => true,
            Self::Ascii
            | Self::LeftPadded
            | Self::AppDataRaw
            | Self::AppDataAscii
            | Self::HexSha256Raw
            | Self::HexSha256Ascii
            | Self::NonceThenKey
            | Self::KeyThenNonce
            | Self::PrivateAi => false,
        }
    }

    /// What `auto` accepts: exactly one of these two.
    pub const AUTO: [Self; 2] = [Self::Raw, Self::Ascii];

    /// Whether 32 bytes are the app's own.
    #[must_use]
    pub const fn has_key(self) -> bool {
        matches!(self, Self::NonceThenKey | Self::KeyThenNonce | Self::PrivateAi)
    }

    /// The 32 bytes of the app's own; `None` where all 64 come of the nonce.
    #[must_use]
    pub fn key_of(self, report_data: &[u8; 64]) -> Option<[u8; 32]> {
        match self {
            Self::NonceThenKey => report_data.last_chunk().copied(),
            Self::KeyThenNonce | Self::PrivateAi => report_data.first_chunk().copied(),
            _ => None,
        }
    }

    /// Whether 64 bytes are what an app with this layout has signed for a nonce, whatever its own 32 bytes are.
    #[must_use]
    pub fn holds(self, report_data: &[u8; 64], nonce: &[u8; 32]) -> bool {
        let key = self.key_of(report_data).unwrap_or_default();
        self.expected(nonce, &key) == *report_data
    }

    /// The 64 bytes that an app with this layout has signed for a nonce, and, where the layout has them, 32 bytes of
    /// its own.
    #[must_use]
    pub fn expected(self, nonce: &[u8; 32], key: &[u8; 32]) -> [u8; 64] {
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
            Self::NonceThenKey => right_padded(&[*nonce, *key].concat()),
            Self::KeyThenNonce | Self::PrivateAi => right_padded(&[*key, *nonce].concat()),
        }
    }

    /// What is expected for a nonce, for people: hex, with dots for 32 bytes of the app's own that nobody named.
    #[must_use]
    pub(crate) fn expected_text(self, nonce: &[u8; 32], key: Option<&[u8; 32]>) -> String {
        let nonce_text = hex::encode(nonce);
        match (self, key) {
            (Self::NonceThenKey, None) => format!("{nonce_text}…"),
            (Self::KeyThenNonce | Self::PrivateAi, None) => format!("…{nonce_text}"),
            (_, key) => hex::encode(self.expected(nonce, key.unwrap_or(&[0; 32]))),
        }
    }

    /// The layout that gives these 64 bytes, if any does.
    #[must_use]
    pub fn that_gives(report_data: &[u8; 64], nonce: &[u8; 32]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.holds(report_data, nonce))
    }
}

/// Up to 64 bytes, padded with zeros on the right as the guest agent does.
pub(super) fn right_padded(bytes: &[u8]) -> [u8; 64] {
    let mut data = [0; 64];
    data.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    data
}

fn app_data(data: &[u8]) -> [u8; 64] {
    sha512_of([b"app-data:", data])
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
        let (nonce, key) = ([0xab; 32], [0xcd; 32]);
        for layout in Layout::ALL {
            let expected = layout.expected(&nonce, &key);
            assert!(layout.holds(&expected, &nonce));
            assert!(!layout.holds(&expected, &[0xac; 32]));
            assert_eq!(layout.key_of(&expected), layout.has_key().then_some(key));
            let first = match layout {
                Layout::PrivateAi => Layout::KeyThenNonce,
                layout => layout,
            };
            assert_eq!(Layout::that_gives(&expected, &nonce), Some(first));
            assert_eq!(layout.as_str().parse::<Layout>().unwrap(), layout);
        }
    }

    #[test]
    fn raw_is_the_nonce_and_zeros_and_ascii_its_digits() {
        let (nonce, key) = ([0xab; 32], [0xcd; 32]);
        assert_eq!(
            Layout::Raw.expected(&nonce, &key),
            *[[0xab; 32], [0; 32]].concat().first_chunk::<64>().unwrap()
        );
        assert_eq!(&Layout::Ascii.expected(&nonce, &key)[..4], b"abab");
        assert_eq!(&Layout::LeftPadded.expected(&nonce, &key)[..32], [0; 32]);
    }

    /// None of the nonce's 256 bits is left open by any layout.
    #[test]
    fn every_bit_of_the_nonce_counts() {
        let (nonce, key) = ([0xab; 32], [0xcd; 32]);
        for layout in Layout::ALL {
            let expected = layout.expected(&nonce, &key);
            for bit in 0..256 {
                let mut other = nonce;
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!layout.holds(&expected, &other), "{layout}: bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_expected_is_shown_with_dots_for_a_key_that_nobody_named() {
        let (nonce, key) = ([0xab; 32], [0xcd; 32]);
        let (nonce_text, key_text) = ("ab".repeat(32), "cd".repeat(32));
        let shown = |layout: Layout, key| layout.expected_text(&nonce, key);
        assert_eq!(shown(Layout::NonceThenKey, None), format!("{nonce_text}…"));
        assert_eq!(shown(Layout::KeyThenNonce, None), format!("…{nonce_text}"));
        assert_eq!(
            shown(Layout::NonceThenKey, Some(&key)),
            format!("{nonce_text}{key_text}")
        );
        assert_eq!(
            shown(Layout::Raw, None),
            format!("{nonce_text}{}", "00".repeat(32))
        );
    }
}
