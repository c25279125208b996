//! How an application turns the nonce of the query into the 64 bytes of REPORTDATA.

use std::{fmt, sync::Arc};

use sha2::{Digest as _, Sha256, Sha512};

/// What the application computes from a query.
type Compute = dyn Fn(&str) -> [u8; 64] + Send + Sync;

/// The application's way with the nonce. "Nonce" is the hex decoding of the query's `reportData`, "text" is the query as it came.
#[derive(Clone)]
pub enum ReportDataLayout {
    /// Nonce, then zeros.
    Raw,
    /// The text itself: 64 ASCII digits for a nonce of 32 bytes.
    Ascii,
    /// The text in upper case.
    AsciiUpper,
    /// `0x` and the first 62 characters of the text.
    AsciiWith0x,
    /// SHA-512("app-data:" ‖ nonce), tappd's default.
    Sha512AppData,
    /// SHA-512("app-data:" ‖ text).
    Sha512AppDataOfText,
    /// SHA-256(nonce), then zeros.
    Sha256,
    /// SHA-256(text), then zeros.
    Sha256OfText,
    /// The 64 hex digits of SHA-256(nonce).
    Sha256HexAscii,
    /// The 64 hex digits of SHA-256(text).
    Sha256OfTextHexAscii,
    /// Zeros, then the nonce, as tappd's `raw` pads.
    LeftPadded,
    /// SHA-256 of a key, then the nonce in bytes 32 to 64: `SHA-256(SPKI) ‖ nonce`.
    KeyThenNonce([u8; 32]),
    /// Nonce, then SHA-256 of a key.
    NonceThenKey([u8; 32]),
    /// 32 zeros, then the nonce: the right bytes in the wrong half.
    NonceInSecondHalf,
    /// Nonce, zeros, and 1 as the last byte.
    NonZeroTail,
    /// The first 16 bytes of the nonce, then zeros.
    HalfNonce,
    /// Always these bytes: a constant, a binding without a nonce (RA-TLS, ingress), or an old nonce.
    Fixed([u8; 64]),
    /// Anything else.
    Custom(Arc<Compute>),
}

impl ReportDataLayout {
    /// `SHA-512("ratls-cert:" ‖ SPKI DER)`: what an RA-TLS certificate binds.
    pub fn ra_tls(spki_der: &[u8]) -> Self {
        Self::Fixed(
            Sha512::new()
                .chain_update("ratls-cert:")
                .chain_update(spki_der)
                .finalize()
                .into(),
        )
    }

    /// An old quote: the raw layout of a nonce of the past.
    pub fn replay_of(nonce: &[u8]) -> Self {
        Self::Fixed(padded(nonce))
    }

    /// REPORTDATA for the text of a query.
    pub fn apply(&self, text: &str) -> [u8; 64] {
        let nonce = hex::decode(text).unwrap_or_default();
        match self {
            Self::Raw => padded(&nonce),
            Self::Ascii => padded(text.as_bytes()),
            Self::AsciiUpper => padded(text.to_ascii_uppercase().as_bytes()),
            Self::AsciiWith0x => padded(format!("0x{text}").as_bytes()),
            Self::Sha512AppData => Sha512::new()
                .chain_update("app-data:")
                .chain_update(&nonce)
                .finalize()
                .into(),
            Self::Sha512AppDataOfText => Sha512::new()
                .chain_update("app-data:")
                .chain_update(text)
                .finalize()
                .into(),
            Self::Sha256 => padded(&Sha256::digest(&nonce)),
            Self::Sha256OfText => padded(&Sha256::digest(text)),
            Self::Sha256HexAscii => padded(hex::encode(Sha256::digest(&nonce)).as_bytes()),
            Self::Sha256OfTextHexAscii => padded(hex::encode(Sha256::digest(text)).as_bytes()),
            Self::LeftPadded => {
                let kept = &nonce[..nonce.len().min(64)];
                let mut out = [0; 64];
                out[64 - kept.len()..].copy_from_slice(kept);
                out
            }
            Self::KeyThenNonce(key_hash) => padded(&[&key_hash[..], &nonce].concat()),
            Self::NonceThenKey(key_hash) => padded(&[&padded(&nonce)[..32], key_hash].concat()),
            Self::NonceInSecondHalf => padded(&[&[0; 32][..], &nonce].concat()),
            Self::NonZeroTail => {
                let mut out = padded(&nonce);
                out[63] = 1;
                out
            }
            Self::HalfNonce => padded(&nonce[..nonce.len().min(16)]),
            Self::Fixed(bytes) => *bytes,
            Self::Custom(compute) => compute(text),
        }
    }
}

impl fmt::Debug for ReportDataLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ReportDataLayout({} for an empty query)",
            hex::encode(self.apply(""))
        )
    }
}

/// What the JSON beside the quote claims as `report_data`. Nobody signs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Echo {
    /// The 128 hex digits of what was quoted.
    Quoted,
    /// The raw layout of the query: a lie when something else was quoted.
    Query,
    /// No such member.
    Absent,
    /// This text.
    Text(String),
}

/// Right-padded with zeros, or cut to 64 bytes.
pub(crate) fn padded(bytes: &[u8]) -> [u8; 64] {
    let kept = bytes.len().min(64);
    let mut out = [0; 64];
    out[..kept].copy_from_slice(&bytes[..kept]);
    out
}
