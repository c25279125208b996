//! Where the parts of a quote lie (Intel TDX DCAP Quoting Library API, A.3 and A.4), as far as its bytes tell.

use crate::verify::little_endian::{u16_at, u32_at};

/// The TEE type of TDX, in the quote's header.
pub(super) const TDX: u32 = 0x81;
/// The header of a quote, bytes.
const HEADER: usize = 48;
/// v5 only: u16 body type, u32 body size.
const BODY_DESCRIPTOR: usize = 6;

/// Version and extents of a quote that may be broken, in bytes. Each part is absent if the bytes do not tell. It refuses nothing: what
/// may be verified is said by [`QuoteLayout`](super::QuoteLayout).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuoteExtents {
    /// The first two bytes.
    pub version: Option<u16>,
    /// Type and size that a v5 quote names for its body.
    pub named_body: Option<(u16, u32)>,
    /// Offset and length of the TD report.
    pub body: Option<(usize, usize)>,
    /// Offset and length of the signature data, without its own length field.
    pub signature: Option<(usize, usize)>,
}

impl QuoteExtents {
    /// Reads them.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let version = u16_at(bytes, 0);
        let is_tdx = u32_at(bytes, 4) == Some(TDX);
        let named_body = match version {
            Some(5) => u16_at(bytes, HEADER).zip(u32_at(bytes, HEADER + 2)),
            _ => None,
        };
        let body = match (version, named_body) {
            (Some(4), _) if is_tdx => Some((HEADER, 584)),
            (Some(5), Some((2, 584))) => Some((HEADER + BODY_DESCRIPTOR, 584)),
            (Some(5), Some((3, 648))) => Some((HEADER + BODY_DESCRIPTOR, 648)),
            (Some(5), Some((4, 885))) => Some((HEADER + BODY_DESCRIPTOR, 885)),
            _ => None,
        };
        let signature = body.and_then(|(start, length)| {
            let length_at = start + length;
            let length = usize::try_from(u32_at(bytes, length_at)?).ok()?;
            Some((length_at + 4, length))
        });
        Self {
            version,
            named_body,
            body,
            signature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A quote of zeros with this version, TEE type and, for version 5, kind and length of its body.
    fn quote(version: u16, tee: u32, body: Option<(u16, u32)>) -> Vec<u8> {
        let mut bytes = vec![0; 1200];
        bytes[..2].copy_from_slice(&version.to_le_bytes());
        bytes[4..8].copy_from_slice(&tee.to_le_bytes());
        if let Some((kind, length)) = body {
            bytes[HEADER..HEADER + 2].copy_from_slice(&kind.to_le_bytes());
            bytes[HEADER + 2..HEADER + 6].copy_from_slice(&length.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn body_and_signature_are_where_the_version_has_them() {
        let signature =
            |bytes: &mut Vec<u8>, at: usize| bytes[at..at + 4].copy_from_slice(&9u32.to_le_bytes());
        let mut four = quote(4, TDX, None);
        signature(&mut four, 48 + 584);
        let found = QuoteExtents::of(&four);
        assert_eq!(
            (found.body, found.signature),
            (Some((48, 584)), Some((48 + 584 + 4, 9)))
        );
        assert_eq!(QuoteExtents::of(&quote(4, 0, None)).body, None);
        for (kind, length) in [(2, 584), (3, 648), (4, 885)] {
            let mut five = quote(5, TDX, Some((kind, length)));
            let length = usize::try_from(length).unwrap();
            signature(&mut five, 54 + length);
            let found = QuoteExtents::of(&five);
            assert_eq!(found.body, Some((54, length)));
            assert_eq!(found.signature, Some((54 + length + 4, 9)));
        }
        assert_eq!(QuoteExtents::of(&quote(5, TDX, Some((2, 648)))).body, None);
    }
}
