//! Where the parts of a quote lie (Intel TDX DCAP Quoting Library API, A.3 and A.4).

use super::extents::{QuoteExtents, TDX};
use crate::verify::QuoteRefusal;
use crate::verify::little_endian::{u16_at, u32_at};

/// Signature and attestation key: ECDSA P-256, 64 bytes each.
const SIGNATURE_AND_KEY: usize = 128;
/// Certification data begins with u16 type and u32 size.
const CERTIFICATION_HEADER: usize = 6;
/// The quoting enclave's report, 384 bytes, and its signature, 64 bytes.
const QE_REPORT_AND_SIGNATURE: usize = 448;
/// Type of the certification data that is a quoting enclave's report. dcap-qvl does not look at it.
const QE_REPORT_CERTIFICATION: u16 = 6;
/// Intel's quoting enclave.
const INTEL_QE_VENDOR: [u8; 16] = [
    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
];

/// Version and extents of a TDX quote, read from unproven bytes: good enough to refuse, never to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuoteLayout {
    /// 4 or 5.
    pub version: u16,
    /// Offset of the TD report body, bytes.
    pub body: usize,
    /// Bytes of header and body: what the attestation key signs.
    pub signed: usize,
    /// Bytes up to the end of the certificate chain, which ends the signature data.
    pub end: usize,
}

impl QuoteLayout {
    /// Reads version, type and extents.
    ///
    /// # Errors
    /// `malformed` or `not-tdx`.
    pub fn of(bytes: &[u8]) -> Result<Self, QuoteRefusal> {
        let malformed = |problem: String| QuoteRefusal::Malformed(problem);
        let version =
            u16_at(bytes, 0).ok_or_else(|| malformed(format!("it is only {} bytes long", bytes.len())))?;
        let key_type = u16_at(bytes, 2);
        let tee_type = u32_at(bytes, 4);
        if version == 3 {
            return Err(QuoteRefusal::NotTdx(
                "an SGX enclave (quote version 3)".to_owned(),
            ));
        }
        if version != 4 && version != 5 {
            return Err(malformed(format!("its version is {version}; 4 or 5 expected")));
        }
        match tee_type {
            Some(TDX) => {}
            Some(0) => return Err(QuoteRefusal::NotTdx("an SGX enclave".to_owned())),
            Some(other) => return Err(QuoteRefusal::NotTdx(format!("TEE type {other:#x}"))),
            None => return Err(malformed(format!("it is only {} bytes long", bytes.len()))),
        }
        if key_type != Some(2) {
            return Err(malformed("its attestation key is not ECDSA P-256".to_owned()));
        }
        if bytes.get(12..28) != Some(&INTEL_QE_VENDOR[..]) {
            return Err(malformed("its quoting enclave is not Intel's".to_owned()));
        }
        let extents = QuoteExtents::of(bytes);
        let (body, body_len) = match (extents.body, extents.named_body) {
            (Some(found), _) => found,
            (None, _) if u16_at(bytes, 48) == Some(1) => {
                return Err(QuoteRefusal::NotTdx("an SGX enclave (body type 1)".to_owned()));
            }
            (None, Some((kind, size))) => {
                return Err(malformed(format!(
                    "its body type is {kind} with {size} bytes; 2 with 584, 3 with 648 or 4 with 885 expected"
                )));
            }
            (None, None) => return Err(malformed("it ends inside its header".to_owned())),
        };
        let signed = body + body_len;
        let end = end_of_signature_data(bytes, signed)?;
        Ok(Self {
            version,
            body,
            signed,
            end,
        })
    }

    /// Real quotes are padded with zeros (70 to over 3,000 of them); anything else is refused (T20), also where a length
    /// field of the signature data, which nobody signs, covers it.
    pub(super) fn refuse_trailing_bytes(self, bytes: &[u8]) -> Result<(), QuoteRefusal> {
        let tail = bytes.get(self.end..).unwrap_or_default();
        if tail.iter().any(|byte| *byte != 0) {
            return Err(QuoteRefusal::TrailingBytes { count: tail.len() });
        }
        Ok(())
    }

    /// Header and body.
    pub(super) fn signed_part(self, bytes: &[u8]) -> &[u8] {
        bytes.get(..self.signed).unwrap_or_default()
    }
}

/// Follows the length fields of the signature data to its innermost end. Each part must hold the next.
fn end_of_signature_data(bytes: &[u8], signed: usize) -> Result<usize, QuoteRefusal> {
    let malformed = |problem: &str| QuoteRefusal::Malformed(problem.to_owned());
    let sized = |size_at: usize, limit: usize| {
        let size = usize::try_from(u32_at(bytes, size_at)?).ok()?;
        size_at
            .checked_add(4)?
            .checked_add(size)
            .filter(|end| *end <= limit)
    };
    let signature_end =
        sized(signed, bytes.len()).ok_or_else(|| malformed("it ends inside its signature"))?;
    let outer = signed + 4 + SIGNATURE_AND_KEY;
    if u16_at(bytes, outer) != Some(QE_REPORT_CERTIFICATION) {
        return Err(malformed(
            "its certification data is not a report of a quoting enclave",
        ));
    }
    let outer_end = sized(outer + 2, signature_end)
        .ok_or_else(|| malformed("it ends inside the report of its quoting enclave"))?;
    let authentication = outer + CERTIFICATION_HEADER + QE_REPORT_AND_SIGNATURE;
    u16_at(bytes, authentication)
        .map(|len| authentication + 2 + usize::from(len))
        .and_then(|inner| sized(inner + 2, outer_end))
        .ok_or_else(|| malformed("it ends inside its certificate chain"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quote_of_zeros_is_malformed_and_an_empty_one_too() {
        for bytes in [&[0; 5000][..], &[], &[4]] {
            assert_eq!(QuoteLayout::of(bytes).unwrap_err().reason(), "malformed");
        }
    }

    #[test]
    fn an_sgx_quote_is_not_tdx() {
        assert_eq!(
            QuoteLayout::of(&[3, 0, 2, 0, 0, 0, 0, 0]).unwrap_err().reason(),
            "not-tdx"
        );
        assert_eq!(
            QuoteLayout::of(&[4, 0, 2, 0, 0, 0, 0, 0]).unwrap_err().reason(),
            "not-tdx"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1200)) {
            if let Ok(layout) = QuoteLayout::of(&bytes) {
                let _ = layout.refuse_trailing_bytes(&bytes);
            }
        }
    }
}
