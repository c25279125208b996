//! The few DER encodings (X.690) that certificates and CRLs are made of.
//!
//! Written by hand, because a simulator must be able to emit what a correct builder refuses to.

use std::time::Duration;

use der::{DateTime, asn1::ObjectIdentifier};

/// Tag of BOOLEAN.
pub(crate) const BOOLEAN: u8 = 0x01;
/// Tag of ENUMERATED.
pub(crate) const ENUMERATED: u8 = 0x0a;
/// Tag of OCTET STRING.
pub(crate) const OCTET_STRING: u8 = 0x04;

/// One element: tag, definite length, content.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let len = content.len();
    if len < 0x80 {
        out.push(len as u8);
    } else {
        let bytes = len.to_be_bytes();
        let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1);
        out.push(0x80 | (bytes.len() - first) as u8);
        out.extend_from_slice(&bytes[first..]);
    }
    out.extend_from_slice(content);
    out
}

pub(crate) fn sequence(items: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &items.concat())
}

pub(crate) fn set(items: &[Vec<u8>]) -> Vec<u8> {
    element(0x31, &items.concat())
}

/// Context-specific, constructed: `[number] EXPLICIT`.
pub(crate) fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    element(0xa0 | number, content)
}

/// Context-specific, primitive: `[number] IMPLICIT`.
pub(crate) fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    element(0x80 | number, content)
}

/// A dotted object identifier.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    element(0x06, ObjectIdentifier::new_unwrap(dotted).as_bytes())
}

/// A non-negative INTEGER from big-endian bytes.
pub(crate) fn unsigned(big_endian: &[u8]) -> Vec<u8> {
    let significant = big_endian
        .iter()
        .position(|b| *b != 0)
        .map_or(&[0u8][..], |i| &big_endian[i..]);
    let mut content = Vec::with_capacity(significant.len() + 1);
    if significant[0] & 0x80 != 0 {
        content.push(0);
    }
    content.extend_from_slice(significant);
    element(0x02, &content)
}

pub(crate) fn integer(value: u64) -> Vec<u8> {
    unsigned(&value.to_be_bytes())
}

pub(crate) fn boolean(value: bool) -> Vec<u8> {
    element(BOOLEAN, &[if value { 0xff } else { 0 }])
}

pub(crate) fn octet_string(content: &[u8]) -> Vec<u8> {
    element(OCTET_STRING, content)
}

/// A BIT STRING of whole bytes.
pub(crate) fn bit_string(content: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], content].concat())
}

pub(crate) fn utf8_string(text: &str) -> Vec<u8> {
    element(0x0c, text.as_bytes())
}

pub(crate) fn printable_string(text: &str) -> Vec<u8> {
    element(0x13, text.as_bytes())
}

/// Time as RFC 5280 wants it: UTCTime until 2049, GeneralizedTime from 2050.
pub(crate) fn time(unix_seconds: u64) -> Vec<u8> {
    let digits: String = rfc3339(unix_seconds)
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    if digits.as_str() < "2050" {
        element(0x17, format!("{}Z", &digits[2..]).as_bytes())
    } else {
        element(0x18, format!("{digits}Z").as_bytes())
    }
}

/// GeneralizedTime in any year, as timestamps have it.
pub(crate) fn generalized_time(unix_seconds: u64) -> Vec<u8> {
    let text = rfc3339(unix_seconds);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    element(0x18, format!("{digits}Z").as_bytes())
}

/// `2026-08-13T10:45:38Z`, the form of dates in TCB info and QE identity.
pub(crate) fn rfc3339(unix_seconds: u64) -> String {
    DateTime::from_unix_duration(Duration::from_secs(unix_seconds))
        .expect("a date before the year 10000")
        .to_string()
}

/// PEM armour with lines of 64 characters.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    for line in text.as_bytes().chunks(64) {
        out.push_str(&String::from_utf8_lossy(line));
        out.push('\n');
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_integers_are_minimal() {
        assert_eq!(element(4, &[0; 0x7f])[..2], [4, 0x7f]);
        assert_eq!(element(4, &[0; 0x80])[..3], [4, 0x81, 0x80]);
        assert_eq!(element(4, &[0; 0x100])[..4], [4, 0x82, 1, 0]);
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(0x80), [2, 2, 0, 0x80]);
    }

    #[test]
    fn time_changes_its_form_in_2050() {
        assert_eq!(rfc3339(1_786_617_938), "2026-08-13T10:45:38Z");
        assert_eq!(time(1_786_617_938), element(0x17, b"260813104538Z"));
        assert_eq!(time(2_524_608_000), element(0x18, b"20500101000000Z"));
    }
}
