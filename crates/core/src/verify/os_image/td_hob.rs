//! The TD HOB: the memory layout that QEMU describes to the firmware, which measures it into RTMR0
//! (dstack 0.6, `dstack-mr/src`).
//!
//! The firmware's part of it, which pages it accepts by itself, is the *witness*; the rest follows from the memory size.

use super::registers::Digest384;
use crate::verify::digest::sha384;

/// Bytes of a page.
const PAGE: u64 = 4096;
/// How many ranges a witness may have (dstack 0.6, `measurement.tdx.cbor` of an image).
const MAX_RANGES: u64 = 64;
/// From this memory size on, bytes, QEMU places memory above 4 GiB: 2816 MiB.
pub(super) const SPLIT_FROM: u64 = 0xB000_0000;
/// What QEMU keeps below 4 GiB of a split memory, bytes: 2 GiB.
pub(super) const BELOW_4G: u64 = 0x8000_0000;
/// Where the rest of a split memory begins: 4 GiB.
const ABOVE_4G: u64 = 0x1_0000_0000;
/// Resource type of memory that the firmware has accepted (`EFI_RESOURCE_SYSTEM_MEMORY`).
const ACCEPTED: u32 = 0;
/// Resource type of memory that is not accepted yet (`EFI_RESOURCE_MEMORY_UNACCEPTED`).
const UNACCEPTED: u32 = 7;

/// Which memory the firmware accepts by itself, and where its HOB list lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Where the HOB list begins, a guest physical address.
    hob: u64,
    /// Start and length of each accepted range, bytes; ascending, without overlap.
    accepted: Vec<(u64, u64)>,
}

/// Why the bytes of a witness are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// A number that is cut off, or longer than 10 bytes.
    #[error("the TD HOB witness has an incomplete or overlong number")]
    Number,
    /// More than 64 ranges.
    #[error("the TD HOB witness has {0} ranges; at most {MAX_RANGES} are accepted")]
    TooManyRanges(u64),
    /// Bytes behind the last range.
    #[error("the TD HOB witness has bytes after its last range")]
    TrailingBytes,
    /// Ranges that are empty, overlap or do not fit into 64 bits.
    #[error("the TD HOB witness has ranges that are empty, overlap or leave the address space")]
    Ranges,
}

/// Why no layout follows from a memory size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    /// Between 2 GiB and 2816 MiB, or below 2 GiB: the layout is not defined by the reference.
    #[error(
        "the layout of a VM with {0} bytes of memory is not defined: only 2 GiB exactly, and 2816 MiB or more, are"
    )]
    Undefined(u64),
    /// A witness range beyond the memory.
    #[error("the firmware's memory ranges do not fit into {0} bytes of memory")]
    TooSmall(u64),
}

impl Witness {
    /// Reads a witness: unsigned LEB128 numbers `base page, HOB delta, count`, then `start delta, pages` for each range, all
    /// in pages of 4096 bytes.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessError> {
        let mut rest = bytes;
        let base = number(&mut rest)?;
        let hob_delta = number(&mut rest)?;
        let count = number(&mut rest)?;
        if count > MAX_RANGES {
            return Err(WitnessError::TooManyRanges(count));
        }
        let address = |delta: u64| {
            base.checked_add(delta)
                .and_then(|page| page.checked_mul(PAGE))
                .ok_or(WitnessError::Ranges)
        };
        let hob = address(hob_delta)?;
        let mut accepted = Vec::new();
        for _ in 0..count {
            let start = address(number(&mut rest)?)?;
            let length = number(&mut rest)?.checked_mul(PAGE).ok_or(WitnessError::Ranges)?;
            accepted.push((start, length));
        }
        if !rest.is_empty() {
            return Err(WitnessError::TrailingBytes);
        }
        Self::new(hob, accepted)
    }

    /// A witness from addresses in bytes, in any order, as a firmware's TDVF sections give them.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn new(hob: u64, mut accepted: Vec<(u64, u64)>) -> Result<Self, WitnessError> {
        if accepted.len() as u64 > MAX_RANGES {
            return Err(WitnessError::TooManyRanges(accepted.len() as u64));
        }
        accepted.sort_unstable();
        let mut free_from = 0;
        for (start, length) in &accepted {
            let end = start.checked_add(*length).ok_or(WitnessError::Ranges)?;
            if *length == 0 || *start < free_from {
                return Err(WitnessError::Ranges);
            }
            free_from = end;
        }
        Ok(Self { hob, accepted })
    }

    /// The digest of the TD HOB of a VM with this much memory, bytes.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn digest(&self, memory_size: u64) -> Result<Digest384, MemoryError> {
        if memory_size != BELOW_4G && memory_size < SPLIT_FROM {
            return Err(MemoryError::Undefined(memory_size));
        }
        let mut resources = Vec::new();
        let mut free_from = 0;
        for (start, length) in &self.accepted {
            if *start > free_from {
                resources.push((UNACCEPTED, free_from, start - free_from));
            }
            resources.push((ACCEPTED, *start, *length));
            free_from = start + length;
        }
        // The firmware lies below 2 GiB; what it accepts beyond the memory is not a layout.
        if free_from > BELOW_4G {
            return Err(MemoryError::TooSmall(memory_size));
        }
        if free_from < BELOW_4G {
            resources.push((UNACCEPTED, free_from, BELOW_4G - free_from));
        }
        if memory_size >= SPLIT_FROM {
            resources.push((UNACCEPTED, ABOVE_4G, memory_size - BELOW_4G));
        }
        Ok(sha384(&self.hob_list(&resources)))
    }

    /// The hand-off block and one resource descriptor for each range (UEFI PI specification, volume 3).
    fn hob_list(&self, resources: &[(u32, u64, u64)]) -> Vec<u8> {
        const HAND_OFF: (u16, u16) = (1, 56);
        const RESOURCE: (u16, u16) = (3, 48);
        let total = u64::from(HAND_OFF.1) + resources.len() as u64 * u64::from(RESOURCE.1);
        let header = |(kind, length): (u16, u16)| {
            let mut bytes = kind.to_le_bytes().to_vec();
            bytes.extend(length.to_le_bytes());
            bytes.extend(0_u32.to_le_bytes());
            bytes
        };
        let mut list = header(HAND_OFF);
        list.extend(9_u32.to_le_bytes()); // version
        list.extend(0_u32.to_le_bytes()); // boot mode
        list.extend([0; 32]); // memory and free memory, top and bottom
        list.extend(self.hob.wrapping_add(total).wrapping_add(8).to_le_bytes()); // end of the list
        for (kind, start, length) in resources {
            list.extend(header(RESOURCE));
            list.extend([0; 16]); // owner
            list.extend(kind.to_le_bytes());
            list.extend(7_u32.to_le_bytes()); // present, initialized, tested
            list.extend(start.to_le_bytes());
            list.extend(length.to_le_bytes());
        }
        list
    }
}

/// One unsigned LEB128 number of at most 10 bytes.
fn number(rest: &mut &[u8]) -> Result<u64, WitnessError> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let (first, behind) = rest.split_first().ok_or(WitnessError::Number)?;
        *rest = behind;
        let part = u64::from(first & 0x7f);
        let shifted = part.checked_shl(shift).filter(|shifted| shifted >> shift == part);
        value |= shifted.ok_or(WitnessError::Number)?;
        if first & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WitnessError::Number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OF_DSTACK: &str = "80100904000609020b021010";

    #[test]
    fn the_witness_of_dstacks_firmware_is_read() {
        let witness = Witness::parse(&hex::decode(OF_DSTACK).unwrap()).unwrap();
        assert_eq!(witness.hob, 0x80_9000);
        assert_eq!(
            witness.accepted,
            [
                (0x80_0000, 0x6000),
                (0x80_9000, 0x2000),
                (0x80_b000, 0x2000),
                (0x81_0000, 0x1_0000)
            ]
        );
    }

    #[test]
    fn damaged_witnesses_are_refused_for_their_own_reason() {
        for (hex, error) in [
            ("", WitnessError::Number),
            ("8010", WitnessError::Number),
            ("801009ff", WitnessError::Number),
            ("80100941", WitnessError::TooManyRanges(65)),
            ("8010090100060000", WitnessError::TrailingBytes),
            ("80100901000000", WitnessError::TrailingBytes),
            ("801009010000", WitnessError::Ranges),
            ("80100902000601ff01", WitnessError::Ranges),
            ("ffffffffffffffffff7f0000", WitnessError::Number),
            ("ffffffffffffffffff010000", WitnessError::Ranges),
        ] {
            assert_eq!(Witness::parse(&hex::decode(hex).unwrap()), Err(error), "{hex}");
        }
    }

    #[test]
    fn a_memory_size_without_a_defined_layout_is_named() {
        let witness = Witness::parse(&hex::decode(OF_DSTACK).unwrap()).unwrap();
        for size in [0, 1 << 30, BELOW_4G - 1, BELOW_4G + 1, 0xAFFF_FFFF] {
            assert_eq!(witness.digest(size), Err(MemoryError::Undefined(size)));
        }
        assert_ne!(witness.digest(BELOW_4G), witness.digest(SPLIT_FROM));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, size: u64) {
            if let Ok(witness) = Witness::parse(&bytes) {
                let _ = witness.digest(size);
                let _ = witness.digest(SPLIT_FROM);
            }
        }
    }

    #[test]
    fn a_witness_has_up_to_64_ranges() {
        // Of no length each; what is left over says that the number was accepted.
        assert_eq!(
            Witness::parse(&hex::decode("80100940").unwrap()),
            Err(WitnessError::Number)
        );
        assert_eq!(
            Witness::parse(&hex::decode("80100941").unwrap()),
            Err(WitnessError::TooManyRanges(65))
        );
    }

    #[test]
    fn what_is_accepted_ends_with_the_memory_below_4_gib() {
        let digest = |length: u64| {
            let witness = Witness {
                hob: 0x80_9000,
                accepted: vec![(0, length)],
            };
            let resources = [(ACCEPTED, 0, length)];
            (witness.digest(BELOW_4G), sha384(&witness.hob_list(&resources)))
        };
        let (whole, alone) = digest(BELOW_4G);
        assert_eq!(whole, Ok(alone), "nothing is left to accept");
        let (part, alone) = digest(BELOW_4G - PAGE);
        assert!(
            part.is_ok_and(|digest| digest != alone),
            "a page is left to accept"
        );
        assert_eq!(digest(BELOW_4G + PAGE).0, Err(MemoryError::TooSmall(BELOW_4G)));
    }
}
