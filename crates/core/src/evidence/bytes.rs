//! Byte strings in text: hex as people and machines write it, and base64.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// Why a text is not the byte string that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HexError {
    /// A character that is not a hex digit.
    #[error("is not hex: character {position} is not a hex digit")]
    NotHex {
        /// Position of the first offending character, from 1.
        position: usize,
    },
    /// An odd number of digits.
    #[error("has an odd number of hex digits ({digits})")]
    Odd {
        /// How many.
        digits: usize,
    },
    /// The wrong number of bytes.
    #[error("has {} hex digits; {} expected ({expected} bytes)", actual * 2, expected * 2)]
    Length {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
    /// More bytes than are ever needed.
    #[error("is {actual} bytes; at most {limit} are read")]
    TooLong {
        /// The limit.
        limit: usize,
        /// How many there are.
        actual: usize,
    },
    /// Neither hex nor base64.
    #[error("is neither hex nor base64")]
    NeitherHexNorBase64,
}

/// Decodes hex in either case, with or without `0x`, of at most `limit` bytes.
pub(crate) fn hex_up_to(text: &str, limit: usize) -> Result<Vec<u8>, HexError> {
    let digits = strip_prefix(text);
    if digits.len() / 2 <= limit
        && let Some(bytes) = decode(digits)
    {
        return Ok(bytes);
    }
    if let Some(position) = digits.bytes().position(|byte| !byte.is_ascii_hexdigit()) {
        return Err(HexError::NotHex {
            position: position + 1 + (text.len() - digits.len()),
        });
    }
    if !digits.len().is_multiple_of(2) {
        return Err(HexError::Odd { digits: digits.len() });
    }
    if digits.len() / 2 > limit {
        return Err(HexError::TooLong {
            limit,
            actual: digits.len() / 2,
        });
    }
    // Within the limit, of hex digits alone and an even number of them: decoded above.
    Err(HexError::NotHex { position: 1 })
}

/// The value of each hex digit; `0xff` for every other byte.
#[expect(
    clippy::indexing_slicing,
    reason = "the compiler evaluates it: an index out of bounds would not build"
)]
const DIGITS: [u8; 256] = {
    let mut digits = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        digits[b"0123456789abcdef"[value] as usize] = value as u8;
        digits[b"0123456789ABCDEF"[value] as usize] = value as u8;
        value += 1;
    }
    digits
};

/// Decodes an even number of hex digits in one pass. Evidence is mostly hex, and built for size `hex::decode` took
/// more time than anything else but the signatures.
fn decode(digits: &str) -> Option<Vec<u8>> {
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let value = |digit: u8| DIGITS.get(usize::from(digit)).copied().unwrap_or(0xff);
    let mut seen = 0;
    let bytes = pairs
        .iter()
        .map(|[high, low]| {
            let (high, low) = (value(*high), value(*low));
            seen |= high | low;
            high << 4 | low & 0xf
        })
        .collect();
    (seen <= 0xf).then_some(bytes)
}

/// Decodes hex of exactly `N` bytes, in either case, with or without `0x`.
pub(crate) fn hex_exact<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let length = |actual| HexError::Length { expected: N, actual };
    let bytes = hex_up_to(text, N).map_err(|error| match error {
        HexError::TooLong { actual, .. } => length(actual),
        error => error,
    })?;
    let actual = bytes.len();
    bytes.try_into().map_err(|_| length(actual))
}

/// Parses hex that a person wrote: surrounding blanks, upper case and `0x` are tolerated.
///
/// # Errors
/// [`HexError`] if it is not exactly `N` bytes of hex.
pub fn parse_user_hex<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    hex_exact(text.trim())
}

/// Parses hex of 1 to `limit` bytes that a person wrote, as [`parse_user_hex`].
///
/// # Errors
/// [`HexError`].
pub fn parse_user_hex_up_to(text: &str, limit: usize) -> Result<Vec<u8>, HexError> {
    let bytes = hex_up_to(text.trim(), limit)?;
    if bytes.is_empty() {
        return Err(HexError::Length {
            expected: limit,
            actual: 0,
        });
    }
    Ok(bytes)
}

/// Decodes a quote: hex in any form, or base64 in any alphabet (some apps return base64, which for a v4
/// quote begins with `BAACAIE`). Text of hex digits alone is hex.
pub(crate) fn hex_or_base64(text: &str, limit: usize) -> Result<Vec<u8>, HexError> {
    let text = text.trim();
    if let Ok(bytes) = hex_up_to(text, limit) {
        return Ok(bytes);
    }
    let digits = strip_prefix(text);
    if digits.len() != text.len() || digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return hex_up_to(text, limit);
    }
    if text.len() / 4 * 3 > limit + 3 {
        return Err(HexError::TooLong {
            limit,
            actual: text.len() / 4 * 3,
        });
    }
    let bytes = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD]
        .into_iter()
        .find_map(|engine| engine.decode(text).ok())
        .ok_or(HexError::NeitherHexNorBase64)?;
    if bytes.len() > limit {
        return Err(HexError::TooLong {
            limit,
            actual: bytes.len(),
        });
    }
    Ok(bytes)
}

/// Hex digits without the one `0x` that may be before them.
pub(crate) fn strip_prefix(text: &str) -> &str {
    text.strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_mistake_in_hex_is_named() {
        assert_eq!(hex_exact::<2>("abc").unwrap_err(), HexError::Odd { digits: 3 });
        assert_eq!(
            hex_exact::<2>("0xzz00").unwrap_err(),
            HexError::NotHex { position: 3 }
        );
        assert_eq!(
            hex_exact::<2>("ab").unwrap_err(),
            HexError::Length {
                expected: 2,
                actual: 1
            }
        );
        assert_eq!(
            hex_up_to("aabb", 1).unwrap_err(),
            HexError::TooLong { limit: 1, actual: 2 }
        );
        assert_eq!(
            hex_or_base64("%%%", 9).unwrap_err(),
            HexError::NeitherHexNorBase64
        );
    }

    proptest! {
        #[test]
        fn any_text_decodes_as_the_hex_crate_says(text in "(0x)?([0-9a-fA-F]{2}){0,20}.?.?") {
            let digits = text.strip_prefix("0x").unwrap_or(&text);
            prop_assert_eq!(hex_up_to(&text, 64).ok(), hex::decode(digits).ok());
        }

        #[test]
        fn bytes_survive_every_spelling(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let lower = hex::encode(&bytes);
            for text in [lower.clone(), lower.to_uppercase(), format!("0x{lower}"), format!("0X{}", lower.to_uppercase())] {
                prop_assert_eq!(&hex_up_to(&text, 64).unwrap(), &bytes);
                prop_assert_eq!(&hex_or_base64(&text, 64).unwrap(), &bytes);
            }
        }

        #[test]
        fn a_quote_in_base64_is_decoded(tail in proptest::collection::vec(any::<u8>(), 60..64)) {
            let bytes = [&[4, 0, 2, 0, 0x81, 0, 0, 0, 0xff][..], &tail].concat();
            for text in [STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
                prop_assert_eq!(&hex_or_base64(&text, 128).unwrap(), &bytes);
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = hex_up_to(&text, 16);
            let _ = hex_exact::<20>(&text);
            let _ = hex_or_base64(&text, 16);
        }
    }
}
