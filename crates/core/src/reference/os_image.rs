//! OS images: by the hash of their checksum file, and by the registers that a quote signs.

use std::sync::Arc;

use serde::Deserialize;

use super::value::{Bytes, Text};
use super::{ReferenceValues, ReleaseVersion};

/// A virtual firmware, by one of its MRTDs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownFirmware {
    pub(super) name: Text,
    pub(super) mrtd: Bytes<48>,
    #[serde(rename = "note")]
    _note: Text,
    #[serde(rename = "source")]
    _source: Text,
    pub(super) date: Text,
}

/// An OS image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsImageRow {
    /// Official name, or a description where none is known.
    pub name: Text,
    /// The release; absent where it is not known.
    pub version: Option<ReleaseVersion>,
    /// Whether it may be accepted.
    pub class: OsClass,
    /// SHA-256 of the image's checksum file, 32 bytes; absent for some observed rows.
    pub os_image_hash: Option<Bytes<32>>,
    /// What a quote of a VM shows that booted it; absent for an image that is known by its hash alone.
    pub registers: Option<Registers>,
    /// Whether the shipped kernel has a header that no QEMU rewrites: there is then one RTMR1.
    pub kernel_header_normalized: Option<bool>,
    /// Where the values were read.
    pub source: Text,
    /// When.
    pub date: Text,
}

/// What a quote of a VM shows that booted an image. 48 bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    /// Which MRTDs belong to it.
    pub firmware: Text,
    /// RTMR1: the kernel, as QEMU up to 10.1 leaves it in memory.
    pub rtmr1: Bytes<48>,
    /// RTMR1 on QEMU 10.2 and later, where it is known and another one.
    pub rtmr1_qemu_10_2: Option<Bytes<48>>,
    /// RTMR2: the kernel's command line and the initrd.
    pub rtmr2: Bytes<48>,
    /// How well they are known.
    pub standing: Standing,
}

/// How well the registers of a row are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// From a signed quote, or computed from the release and equal to one.
    #[default]
    Checked,
    /// One capture of a third party.
    ThirdParty,
}

/// Whether an image may be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OsClass {
    /// Official name and hash known, not a development image.
    Production,
    /// Root login and serial console.
    Development,
    /// A release candidate.
    Prerelease,
    /// Seen in captures under no official name.
    Observed,
}

/// RTMR0 of a shape of VM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmShape {
    /// RTMR0, 48 bytes.
    pub value: Bytes<48>,
    /// What the VM is: CPUs, memory, GPUs, QEMU version.
    pub shape: Text,
    /// Where the value was read.
    pub source: Text,
    /// When.
    pub date: Text,
}

/// A row as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawImage {
    name: Text,
    version: Option<ReleaseVersion>,
    class: OsClass,
    os_image_hash: Option<Bytes<32>>,
    firmware: Option<Text>,
    rtmr1: Option<Bytes<48>>,
    rtmr1_qemu_10_2: Option<Bytes<48>>,
    rtmr2: Option<Bytes<48>>,
    kernel_header_normalized: Option<bool>,
    #[serde(default)]
    registers: Standing,
    source: Text,
    date: Text,
}

impl RawImage {
    /// What it calls itself.
    pub(super) const fn name(&self) -> &Text {
        &self.name
    }

    /// The row, or what it lacks.
    pub(super) fn row(self) -> Result<OsImageRow, String> {
        let registers = match (self.firmware, self.rtmr1, self.rtmr2) {
            (Some(firmware), Some(rtmr1), Some(rtmr2)) => Some(Registers {
                firmware,
                rtmr1,
                rtmr1_qemu_10_2: self.rtmr1_qemu_10_2,
                rtmr2,
                standing: self.registers,
            }),
            (None, None, None) if self.rtmr1_qemu_10_2.is_none() => None,
            _ => {
                return Err("`firmware`, `rtmr1` and `rtmr2` are given together, or none of them".to_owned());
            }
        };
        let named = matches!(
            self.class,
            OsClass::Production | OsClass::Development | OsClass::Prerelease
        );
        if named && (self.os_image_hash.is_none() || self.version.is_none()) {
            return Err("a row with an official name has a `version` and an `os_image_hash`".to_owned());
        }
        if self.os_image_hash.is_none() && registers.is_none() {
            return Err("neither an `os_image_hash` nor registers are given".to_owned());
        }
        if self.kernel_header_normalized == Some(true) && self.rtmr1_qemu_10_2.is_some() {
            return Err("a normalised kernel has one RTMR1: leave `rtmr1_qemu_10_2` out".to_owned());
        }
        Ok(OsImageRow {
            name: self.name,
            version: self.version,
            class: self.class,
            os_image_hash: self.os_image_hash,
            registers,
            kernel_header_normalized: self.kernel_header_normalized,
            source: self.source,
            date: self.date,
        })
    }
}

impl OsImageRow {
    /// Whether the registers of the row are those of a capture of somebody else's.
    #[must_use]
    pub fn is_third_party(&self) -> bool {
        self.registers
            .as_ref()
            .is_some_and(|registers| registers.standing == Standing::ThirdParty)
    }
}

impl Registers {
    /// Whether a register is RTMR1 of the image, on any QEMU.
    pub(super) fn has_rtmr1(&self, rtmr1: &[u8; 48]) -> bool {
        self.rtmr1.0 == *rtmr1
            || self
                .rtmr1_qemu_10_2
                .as_ref()
                .is_some_and(|other| other.0 == *rtmr1)
    }
}

impl ReferenceValues {
    /// All images.
    #[must_use]
    pub fn images(&self) -> &[Arc<OsImageRow>] {
        &self.images
    }

    /// The image of an `os_image_hash`.
    #[must_use]
    pub fn image_by_hash(&self, os_image_hash: &[u8; 32]) -> Option<&Arc<OsImageRow>> {
        let same = |row: &&Arc<OsImageRow>| {
            row.os_image_hash
                .as_ref()
                .is_some_and(|hash| hash.0 == *os_image_hash)
        };
        self.images.iter().find(same)
    }

    /// The image of an official name, with its hash.
    #[must_use]
    pub fn image_by_name(&self, name: &str) -> Option<([u8; 32], &Arc<OsImageRow>)> {
        let row = self.images.iter().find(|row| row.name.as_str() == name)?;
        Some((row.os_image_hash.as_ref()?.0, row))
    }

    /// The image that registers belong to, proven or not. RTMR0 is not part of it: see [`ReferenceValues::shape_of`].
    #[must_use]
    pub fn image_of(&self, mrtd: &[u8; 48], rtmr1: &[u8; 48], rtmr2: &[u8; 48]) -> Option<&Arc<OsImageRow>> {
        let mut rows = self.of_kernel(mrtd, rtmr2).into_iter();
        rows.find(|(_, registers)| registers.has_rtmr1(rtmr1))
            .map(|(row, _)| row)
    }

    /// An image that registers belong to but for RTMR1, which differs between QEMU up to 10.1 and later where the kernel is not
    /// normalised, and of which the table has not both.
    #[must_use]
    pub fn image_but_for_rtmr1(&self, mrtd: &[u8; 48], rtmr2: &[u8; 48]) -> Option<&Arc<OsImageRow>> {
        let mut rows = self.of_kernel(mrtd, rtmr2).into_iter();
        rows.find(|(row, registers)| {
            row.kernel_header_normalized != Some(true) && registers.rtmr1_qemu_10_2.is_none()
        })
        .map(|(row, _)| row)
    }

    fn of_kernel(&self, mrtd: &[u8; 48], rtmr2: &[u8; 48]) -> Vec<(&Arc<OsImageRow>, &Registers)> {
        let rows = self.images.iter().filter_map(|row| {
            let registers = row.registers.as_ref()?;
            let is_firmware =
                |firmware: &KnownFirmware| firmware.name == registers.firmware && firmware.mrtd.0 == *mrtd;
            (registers.rtmr2.0 == *rtmr2 && self.firmware.iter().any(is_firmware)).then_some((row, registers))
        });
        rows.collect()
    }

    /// The MRTDs that belong to an image, one for each order in which QEMU adds pages; 48 bytes each.
    #[must_use]
    pub fn mrtds_of(&self, row: &OsImageRow) -> Vec<[u8; 48]> {
        let Some(registers) = &row.registers else {
            return Vec::new();
        };
        self.firmware
            .iter()
            .filter(|firmware| firmware.name == registers.firmware)
            .map(|firmware| firmware.mrtd.0)
            .collect()
    }

    /// The shape of VM that an RTMR0 value was seen with, where it is listed.
    #[must_use]
    pub fn shape_of(&self, rtmr0: &[u8; 48]) -> Option<&str> {
        self.shapes
            .iter()
            .find(|row| row.value.0 == *rtmr0)
            .map(|row| row.shape.as_str())
    }

    /// All shapes.
    #[must_use]
    pub fn shapes(&self) -> &[VmShape] {
        &self.shapes
    }
}
