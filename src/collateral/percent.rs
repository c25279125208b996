//! Percent-decoding of the issuer chains that a PCS sends in response headers (RFC 3986, section 2.1).

/// Why a header value is not percent-encoded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PercentError {
    /// A `%` that two hex digits do not follow.
    #[error("a % at byte {at} that is not followed by two hex digits")]
    Digits {
        /// Offset in the encoded text, bytes.
        at: usize,
    },
    /// Something that is not ASCII, encoded or not: PEM never is.
    #[error("a byte that is not ASCII")]
    NotAscii,
}

/// Decodes `%XX`; everything else stands for itself, `+` too (base64 uses it).
pub(super) fn decode(text: &str) -> Result<String, PercentError> {
    let mut decoded = String::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        let byte = if byte == b'%' {
            let mut digit = || bytes.next().and_then(|(_, byte)| hex_value(byte));
            match (digit(), digit()) {
                (Some(high), Some(low)) => high * 16 + low,
                _ => return Err(PercentError::Digits { at }),
            }
        } else {
            byte
        };
        if !byte.is_ascii() {
            return Err(PercentError::NotAscii);
        }
        decoded.push(char::from(byte));
    }
    Ok(decoded)
}

fn hex_value(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_decoded_and_a_plus_stays_a_plus() {
        assert_eq!(decode("a%20b%2Bc+d%0a").as_deref(), Ok("a b+c+d\n"));
    }

    #[test]
    fn half_an_escape_is_refused_with_its_place() {
        for (text, at) in [
            ("ab%", 2),
            ("%4", 0),
            ("a%zz", 1),
            ("%4g", 0),
            ("%%41", 0),
            ("%+1", 0),
        ] {
            assert_eq!(decode(text), Err(PercentError::Digits { at }), "{text}");
        }
        assert_eq!(decode("%ff"), Err(PercentError::NotAscii));
        assert_eq!(decode("é"), Err(PercentError::NotAscii));
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(text in "[ -~\r\n]{0,200}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&encoded), Ok(text));
        }

        #[test]
        fn no_input_panics_or_grows(text in ".{0,200}") {
            if let Ok(decoded) = decode(&text) {
                prop_assert!(decoded.len() <= text.len());
                prop_assert!(decoded.is_ascii());
            }
        }
    }
}
