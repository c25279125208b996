//! The SPDM measurement transcript of an NVIDIA GPU or switch (DMTF DSP0274, version 1.1, §10.11).
//!
//! It is the request that was sent to the device, then the device's response, whose signature over both is at the end.
//! All numbers are little endian.

use std::collections::BTreeMap;

use crate::evidence::MAX_GPU_REPORT_BYTES;

/// Bytes of the signature: r and s of P-384.
pub(super) const SIGNATURE: usize = 96;
/// SPDM 1.1.
const VERSION: u8 = 0x11;
/// Request code `GET_MEASUREMENTS`.
const GET_MEASUREMENTS: u8 = 0xe0;
/// Response code `MEASUREMENTS`.
const MEASUREMENTS: u8 = 0x60;
/// Measurement specification: DMTF.
const DMTF: u8 = 1;
/// Bytes of a measurement: SHA-384.
const DIGEST: usize = 48;

/// A transcript, parsed. Nothing in it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpdmTranscript {
    /// The nonce of the request, 32 bytes.
    pub nonce: [u8; 32],
    /// The slot of the certificate chain that the request names.
    pub slot: u8,
    /// The device's own nonce, 32 bytes.
    pub device_nonce: [u8; 32],
    /// Measurements by their index, which starts at 1.
    pub measurements: BTreeMap<u8, Measurement>,
    /// The device's own data: see [`super::Opaque`].
    pub opaque: Vec<u8>,
    /// The signature, r and s.
    pub signature: [u8; SIGNATURE],
}

/// One measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurement {
    /// DMTF value type: bit 7 tells a raw value from a digest, the rest what was measured.
    pub kind: u8,
    /// The value.
    pub value: [u8; DIGEST],
}

/// Why bytes are not a transcript.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpdmError {
    /// More bytes than accepted.
    #[error("its SPDM report has {0} bytes; at most {MAX_GPU_REPORT_BYTES} are read")]
    TooLarge(usize),
    /// Fewer bytes than its fields need.
    #[error("its SPDM report ends inside its {0}")]
    CutOff(&'static str),
    /// A field with another value than the protocol has.
    #[error("its SPDM report has {found:#04x} as {field}; {expected:#04x} is expected")]
    Field {
        /// The field's name.
        field: &'static str,
        /// What it is.
        found: u16,
        /// What it must be.
        expected: u16,
    },
    /// Blocks that do not fill the record.
    #[error("its SPDM report has {0} bytes after the last measurement")]
    Record(usize),
    /// A measurement that occurs twice, or has index 0.
    #[error("its SPDM report has measurement {0} twice, or under an index that does not exist")]
    Index(u8),
    /// Bytes between the opaque data and the signature.
    #[error("its SPDM report has {0} bytes too many")]
    TrailingBytes(usize),
}

impl SpdmTranscript {
    /// Parses a transcript. Nothing is proven by it.
    ///
    /// # Errors
    /// [`SpdmError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SpdmError> {
        if bytes.len() > MAX_GPU_REPORT_BYTES {
            return Err(SpdmError::TooLarge(bytes.len()));
        }
        let (mut rest, signature) = bytes
            .split_last_chunk::<SIGNATURE>()
            .ok_or(SpdmError::CutOff("signature"))?;
        expect(&mut rest, "the version of the request", VERSION)?;
        expect(&mut rest, "the code of the request", GET_MEASUREMENTS)?;
        // A signed answer, with all measurements.
        expect(&mut rest, "the attributes of the request", 1)?;
        expect(&mut rest, "the requested measurement", 0xff)?;
        let nonce = take(&mut rest, "nonce")?;
        let [slot] = take(&mut rest, "slot")?;
        expect(&mut rest, "the version of the response", VERSION)?;
        expect(&mut rest, "the code of the response", MEASUREMENTS)?;
        let _parameters: [u8; 2] = take(&mut rest, "parameters")?;
        let [blocks] = take(&mut rest, "number of measurements")?;
        let [low, middle, high] = take(&mut rest, "length of the measurements")?;
        let length = u32::from_le_bytes([low, middle, high, 0]);
        let length = usize::try_from(length).map_err(|_| SpdmError::CutOff("measurements"))?;
        let (record, behind) = rest
            .split_at_checked(length)
            .ok_or(SpdmError::CutOff("measurements"))?;
        let measurements = read_blocks(record, blocks)?;
        rest = behind;
        let device_nonce = take(&mut rest, "device's nonce")?;
        let length = usize::from(u16::from_le_bytes(take(&mut rest, "length of the opaque data")?));
        let (opaque, behind) = rest
            .split_at_checked(length)
            .ok_or(SpdmError::CutOff("opaque data"))?;
        if !behind.is_empty() {
            return Err(SpdmError::TrailingBytes(behind.len()));
        }
        Ok(Self {
            nonce,
            slot,
            device_nonce,
            measurements,
            opaque: opaque.to_vec(),
            signature: *signature,
        })
    }

    /// What the signature of a transcript covers: every byte before it.
    #[must_use]
    pub(super) fn signed_part(bytes: &[u8]) -> &[u8] {
        bytes
            .split_last_chunk::<SIGNATURE>()
            .map_or(&[], |(signed, _)| signed)
    }
}

fn read_blocks(record: &[u8], count: u8) -> Result<BTreeMap<u8, Measurement>, SpdmError> {
    const WHAT: &str = "measurements";
    let mut rest = record;
    let mut measurements = BTreeMap::new();
    for _ in 0..count {
        let [index] = take(&mut rest, WHAT)?;
        expect(&mut rest, "a measurement's specification", DMTF)?;
        let size = u16::from_le_bytes(take(&mut rest, WHAT)?);
        let [kind] = take(&mut rest, WHAT)?;
        let value_size = u16::from_le_bytes(take(&mut rest, WHAT)?);
        for (field, found, expected) in [
            ("a measurement's size", value_size, DIGEST as u16),
            ("a measurement block's size", size, DIGEST as u16 + 3),
        ] {
            if found != expected {
                return Err(SpdmError::Field {
                    field,
                    found,
                    expected,
                });
            }
        }
        let value = take(&mut rest, WHAT)?;
        if index == 0 || measurements.insert(index, Measurement { kind, value }).is_some() {
            return Err(SpdmError::Index(index));
        }
    }
    if rest.is_empty() {
        Ok(measurements)
    } else {
        Err(SpdmError::Record(rest.len()))
    }
}

fn take<const N: usize>(rest: &mut &[u8], what: &'static str) -> Result<[u8; N], SpdmError> {
    let (first, behind) = rest.split_first_chunk::<N>().ok_or(SpdmError::CutOff(what))?;
    *rest = behind;
    Ok(*first)
}

fn expect(rest: &mut &[u8], field: &'static str, expected: u8) -> Result<(), SpdmError> {
    let [found] = take(rest, field)?;
    if found == expected {
        Ok(())
    } else {
        Err(SpdmError::Field {
            field,
            found: u16::from(found),
            expected: u16::from(expected),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A transcript of two measurements and this opaque data, with a signature of zeros.
    fn transcript(opaque: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x11, 0xe0, 1, 0xff];
        bytes.extend([7; 32]);
        bytes.extend([0, 0x11, 0x60, 0, 0, 2, 110, 0, 0]);
        for index in [1, 2] {
            bytes.extend([index, 1, 51, 0, 1, 48, 0]);
            bytes.extend([index; 48]);
        }
        bytes.extend([8; 32]);
        bytes.extend(u16::try_from(opaque.len()).unwrap().to_le_bytes());
        bytes.extend(opaque);
        bytes.extend([0; SIGNATURE]);
        bytes
    }

    #[test]
    fn every_field_is_where_the_layout_has_it() {
        let parsed = SpdmTranscript::parse(&transcript(b"opaque")).unwrap();
        assert_eq!((parsed.nonce, parsed.device_nonce), ([7; 32], [8; 32]));
        assert_eq!(parsed.measurements[&2].value, [2; 48]);
        assert_eq!(parsed.opaque, b"opaque");
    }

    #[test]
    fn a_cut_anywhere_is_refused_and_so_is_a_byte_too_many() {
        let whole = transcript(b"opaque");
        for length in 0..whole.len() {
            assert!(SpdmTranscript::parse(&whole[..length]).is_err(), "{length}");
        }
        assert!(SpdmTranscript::parse(&[&whole[..], &[0]].concat()).is_err());
        assert_eq!(
            SpdmTranscript::parse(&vec![0; MAX_GPU_REPORT_BYTES + 1]),
            Err(SpdmError::TooLarge(MAX_GPU_REPORT_BYTES + 1))
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = SpdmTranscript::parse(&bytes);
        }

        #[test]
        fn no_change_panics(at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = transcript(&[1; 20]);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = SpdmTranscript::parse(&bytes);
        }
    }

    #[test]
    fn a_report_is_read_up_to_its_limit() {
        let at = SpdmTranscript::parse(&[0; MAX_GPU_REPORT_BYTES]).map(drop);
        assert!(!matches!(at, Err(SpdmError::TooLarge(_))), "{at:?}");
        let beyond = SpdmTranscript::parse(&[0; MAX_GPU_REPORT_BYTES + 1]).map(drop);
        assert!(matches!(beyond, Err(SpdmError::TooLarge(size)) if size == MAX_GPU_REPORT_BYTES + 1));
    }
}
