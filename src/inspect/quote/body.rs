//! Where the parts of a quote lie. More lenient than the prover's `QuoteLayout`: it shows what it can of a broken quote.

/// Version and extents, in bytes. Each part is absent where the bytes do not tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Extents {
    /// The first two bytes.
    pub version: Option<u16>,
    /// Type and size that a v5 quote names for its body.
    pub named_body: Option<(u16, u32)>,
    /// Offset and length of the TD report.
    pub body: Option<(usize, usize)>,
    /// Offset and length of the signature data, without its own length field.
    pub signature: Option<(usize, usize)>,
}

impl Extents {
    /// Reads them.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let version = u16_at(bytes, 0);
        let is_tdx = u32_at(bytes, 4) == Some(0x81);
        let named_body = match version {
            Some(5) => u16_at(bytes, 48).zip(u32_at(bytes, 50)),
            _ => None,
        };
        let body = match (version, named_body) {
            (Some(4), _) if is_tdx => Some((48, 584)),
            (Some(5), Some((2, 584))) => Some((54, 584)),
            (Some(5), Some((3, 648))) => Some((54, 648)),
            (Some(5), Some((4, 885))) => Some((54, 885)),
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

/// A little-endian number.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// A little-endian number.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}
