//! The firmware of an image (`ovmf.fd`): MRTD and the memory that it accepts, from its TDVF metadata
//! (dstack, `dstack-mr/src/tdvf.rs`; Intel TDX Virtual Firmware Design Guide, "TDVF descriptor").

use sha2::{Digest, Sha384};

use super::mrtd::{Mrtd, PageOrder};
use super::registers::Digest384;
use super::td_hob::{Witness, WitnessError};
use crate::verify::digest::sha384;

/// The most bytes that a firmware file may have: 16 MiB. Real ones have 4 MiB.
pub(crate) const MAX_FIRMWARE: usize = 16 << 20;
/// The most sections that a firmware may have. Real ones have 6.
const MAX_SECTIONS: u32 = 64;
/// The most memory that all sections may cover, bytes: a bound on the work of measuring.
const MAX_COVERED: u64 = 256 << 20;
/// Bytes of a page.
const PAGE: u64 = 4096;
/// Bytes that one `TDH.MR.EXTEND` covers.
const CHUNK: usize = 256;
/// How far before the end of the file the table of GUIDs ends.
const TABLE_END: usize = 0x20;
/// GUID 96b582de-1fb2-45f7-baea-a366c55a082d: footer of the table of GUIDs.
const FOOTER: [u8; 16] = [
    0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d,
];
/// GUID e47a6535-984a-4798-865e-4685a7bf8ec2: offset of the TDX metadata, from the end of the file.
const TDX_METADATA: [u8; 16] = [
    0x35, 0x65, 0x7a, 0xe4, 0x4a, 0x98, 0x98, 0x47, 0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2,
];
/// Section types.
const CONFIGURATION_VOLUME: u32 = 1;
const TD_HOB: u32 = 2;
const TEMPORARY_MEMORY: u32 = 3;
/// Section attribute: its content is measured.
const EXTEND: u32 = 1;
/// Section attribute: its pages are added later, by the guest.
const AUGMENTED: u32 = 2;

/// A firmware with TDVF metadata.
#[derive(Debug)]
pub struct Firmware<'a> {
    bytes: &'a [u8],
    sections: Vec<FirmwareSection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FirmwareSection {
    offset: u32,
    size: u32,
    address: u64,
    memory: u64,
    kind: u32,
    attributes: u32,
}

/// Why a firmware cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FirmwareError {
    /// More bytes than accepted.
    #[error("the firmware has {0} bytes; at most {MAX_FIRMWARE} are accepted")]
    TooLarge(usize),
    /// No table, no TDX entry, or no descriptor.
    #[error("the firmware has no TDVF metadata ({0}): it is not built for TDX")]
    NoMetadata(&'static str),
    /// A section that does not describe memory.
    #[error("section {index} of the firmware's TDVF metadata {problem}")]
    Section {
        /// Counted from 0.
        index: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// The sections do not describe one memory layout.
    #[error("the firmware's TDVF metadata: {0}")]
    Witness(#[from] WitnessError),
}

impl<'a> Firmware<'a> {
    /// Finds the TDVF metadata of a firmware.
    ///
    /// # Errors
    /// [`FirmwareError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FirmwareError> {
        if bytes.len() > MAX_FIRMWARE {
            return Err(FirmwareError::TooLarge(bytes.len()));
        }
        let from_end = metadata_offset(bytes)?;
        let descriptor = bytes
            .len()
            .checked_sub(from_end)
            .and_then(|start| bytes.get(start..))
            .ok_or(FirmwareError::NoMetadata("its offset is outside the file"))?;
        let sections = read_descriptor(descriptor)?;
        let mut covered = 0_u64;
        for (index, section) in sections.iter().enumerate() {
            let refuse = |problem| Err(FirmwareError::Section { index, problem });
            covered = covered.saturating_add(section.memory);
            if section.memory % PAGE != 0 || section.address % PAGE != 0 {
                return refuse("is not a whole number of pages");
            }
            if covered > MAX_COVERED || section.address.checked_add(section.memory).is_none() {
                return refuse("covers more memory than a firmware does");
            }
            if section.attributes & !(EXTEND | AUGMENTED) != 0 {
                return refuse("has an attribute that is not known");
            }
            if section.attributes & EXTEND != 0
                && (u64::from(section.size) != section.memory || section.content(bytes).is_none())
            {
                return refuse("is measured, but its content is not in the file");
            }
        }
        Ok(Self { bytes, sections })
    }

    /// MRTD by both page orders.
    #[must_use]
    pub fn mrtd(&self) -> Mrtd {
        Mrtd {
            single_pass: self.measure(PageOrder::SinglePass),
            two_pass: self.measure(PageOrder::TwoPass),
        }
    }

    /// The digest of the configuration volume, which RTMR0 covers.
    ///
    /// # Errors
    /// [`FirmwareError::NoMetadata`] if there is none.
    pub(crate) fn configuration_volume(&self) -> Result<Digest384, FirmwareError> {
        self.sections
            .iter()
            .find(|section| section.kind == CONFIGURATION_VOLUME)
            .and_then(|section| section.content(self.bytes))
            .map(sha384)
            .ok_or(FirmwareError::NoMetadata("it has no configuration volume"))
    }

    /// The memory that the firmware accepts by itself.
    ///
    /// # Errors
    /// [`FirmwareError`].
    pub fn td_hob(&self) -> Result<Witness, FirmwareError> {
        let hob = self
            .sections
            .iter()
            .find(|section| section.kind == TD_HOB)
            .ok_or(FirmwareError::NoMetadata("it has no TD HOB section"))?;
        let accepted = self
            .sections
            .iter()
            .filter(|section| matches!(section.kind, TD_HOB | TEMPORARY_MEMORY))
            .map(|section| (section.address, section.memory))
            .collect();
        Ok(Witness::new(hob.address, accepted)?)
    }

    fn measure(&self, order: PageOrder) -> Digest384 {
        let mut mrtd = Mrtd384(Sha384::new());
        for section in &self.sections {
            let content = (section.attributes & EXTEND != 0)
                .then(|| section.content(self.bytes))
                .flatten()
                .unwrap_or_default();
            let is_added = section.attributes & AUGMENTED == 0;
            let pages = (0..section.memory / PAGE).map(|page| section.address + page * PAGE);
            match order {
                PageOrder::SinglePass => {
                    let mut contents = content.chunks(PAGE as usize);
                    for address in pages {
                        if is_added {
                            mrtd.add(address);
                        }
                        mrtd.extend(address, contents.next().unwrap_or_default());
                    }
                }
                PageOrder::TwoPass => {
                    if is_added {
                        pages.for_each(|address| mrtd.add(address));
                    }
                    mrtd.extend(section.address, content);
                }
            }
        }
        mrtd.0.finalize().into()
    }
}

impl FirmwareSection {
    fn content<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let size = usize::try_from(self.size).ok()?;
        bytes.get(start..start.checked_add(size)?)
    }
}

/// The stream that a TDX module hashes while a TD is built.
struct Mrtd384(Sha384);

impl Mrtd384 {
    /// `TDH.MEM.PAGE.ADD`.
    fn add(&mut self, address: u64) {
        self.block("MEM.PAGE.ADD", address);
    }

    /// `TDH.MR.EXTEND`, for each 256 bytes.
    fn extend(&mut self, address: u64, content: &[u8]) {
        for (chunk, at) in content.chunks(CHUNK).zip((address..).step_by(CHUNK)) {
            self.block("MR.EXTEND", at);
            self.0.update(chunk);
        }
    }

    /// 128 bytes: the name, padded to 16, the address, zeros.
    fn block(&mut self, name: &str, address: u64) {
        let mut block = name.as_bytes().to_vec();
        block.resize(16, 0);
        block.extend(address.to_le_bytes());
        block.resize(128, 0);
        self.0.update(&block);
    }
}

/// Walks the table of GUIDs from its end. Each entry: data, u16 length with this header, GUID.
fn metadata_offset(bytes: &[u8]) -> Result<usize, FirmwareError> {
    let none = || FirmwareError::NoMetadata("there is no table of GUIDs");
    let end = bytes.len().checked_sub(TABLE_END).ok_or_else(none)?;
    let (rest, guid) = bytes
        .get(..end)
        .and_then(<[u8]>::split_last_chunk::<16>)
        .ok_or_else(none)?;
    if *guid != FOOTER {
        return Err(none());
    }
    let (_, length) = rest.split_last_chunk::<2>().ok_or_else(none)?;
    let length = usize::from(u16::from_le_bytes(*length));
    // The length counts the footer.
    let start = end.checked_sub(length).ok_or_else(none)?;
    let mut table = bytes.get(start..end.saturating_sub(18)).ok_or_else(none)?;
    while let Some((before, guid)) = table.split_last_chunk::<16>() {
        let (_, length) = before.split_last_chunk::<2>().ok_or_else(none)?;
        let length = usize::from(u16::from_le_bytes(*length));
        let data_length = length.checked_sub(18).ok_or_else(none)?;
        let start = table.len().checked_sub(length).ok_or_else(none)?;
        let (earlier, entry) = table.split_at_checked(start).ok_or_else(none)?;
        if *guid == TDX_METADATA {
            let data = entry.get(..data_length).unwrap_or_default();
            let offset: [u8; 4] = data
                .try_into()
                .map_err(|_| FirmwareError::NoMetadata("its offset is not 4 bytes"))?;
            return usize::try_from(u32::from_le_bytes(offset)).map_err(|_| none());
        }
        table = earlier;
    }
    Err(FirmwareError::NoMetadata("the table of GUIDs has no TDX entry"))
}

/// `TDVF`, length, version 1, number of sections, sections of 32 bytes.
fn read_descriptor(bytes: &[u8]) -> Result<Vec<FirmwareSection>, FirmwareError> {
    let short = || FirmwareError::NoMetadata("its descriptor is cut off");
    let mut rest = bytes;
    if take::<4>(&mut rest).ok_or_else(short)? != *b"TDVF" {
        return Err(FirmwareError::NoMetadata("its descriptor has another signature"));
    }
    let mut word = || take(&mut rest).map(u32::from_le_bytes).ok_or_else(short);
    let (_length, version, count) = (word()?, word()?, word()?);
    if version != 1 {
        return Err(FirmwareError::NoMetadata(
            "its descriptor has another version than 1",
        ));
    }
    if count == 0 || count > MAX_SECTIONS {
        return Err(FirmwareError::NoMetadata(
            "its descriptor has no sections, or more than 64",
        ));
    }
    (0..count)
        .map(|_| FirmwareSection::read(&mut rest).ok_or_else(short))
        .collect()
}

impl FirmwareSection {
    fn read(rest: &mut &[u8]) -> Option<Self> {
        Some(Self {
            offset: u32::from_le_bytes(take(rest)?),
            size: u32::from_le_bytes(take(rest)?),
            address: u64::from_le_bytes(take(rest)?),
            memory: u64::from_le_bytes(take(rest)?),
            kind: u32::from_le_bytes(take(rest)?),
            attributes: u32::from_le_bytes(take(rest)?),
        })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*first)
}

#[cfg(test)]
#[path = "firmware_tests.rs"]
mod tests;
