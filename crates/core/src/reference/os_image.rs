//! OS images: by the hash of their checksum file, and by the registers that a quote signs.

use std::sync::Arc;

use super::row::{Day, ReferenceRow, RowReader, read_row};
use super::value::{Bytes, Text};
use super::{ReferenceValues, ReleaseVersion, RowOrigin};

/// A virtual firmware, by one of its MRTDs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownFirmware {
    pub(super) name: Text,
    pub(super) mrtd: Bytes<48>,
}

/// An OS image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsImageRow {
    /// Official name, or a description if none is known.
    pub name: Text,
    /// The release; absent if it is not known.
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
    /// Whose row it is.
    pub origin: RowOrigin,
}

/// What a quote of a VM shows that booted an image. 48 bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registers {
    /// Which MRTDs belong to it.
    pub firmware: Text,
    /// RTMR1: the kernel, as QEMU up to 10.1 leaves it in memory.
    pub rtmr1: Bytes<48>,
    /// RTMR1 on QEMU 10.2 and later, if it is known and another one.
    pub rtmr1_qemu_10_2: Option<Bytes<48>>,
    /// RTMR2: the kernel's command line and the initrd.
    pub rtmr2: Bytes<48>,
    /// How well they are known.
    pub standing: Standing,
}

crate::word_enum! {
    /// How well the registers of a row are known.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum Standing {
        /// From a signed quote, or computed from the release and equal to one.
        #[default]
        Checked = "checked",
        /// One capture of a third party.
        ThirdParty = "third-party",
    }
}

crate::word_enum! {
    /// Whether an image may be accepted.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum OsClass {
        /// Official name and hash known, not a development image.
        Production = "production",
        /// Root login and serial console.
        Development = "development",
        /// A release candidate.
        Prerelease = "prerelease",
        /// Seen in captures under no official name.
        Observed = "observed",
    }
}

/// RTMR0 of a shape of VM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VmShape {
    /// RTMR0, 48 bytes.
    pub value: Bytes<48>,
    /// What the VM is: CPUs, memory, GPUs, QEMU version.
    pub shape: Text,
    /// Where the value was read.
    pub source: Text,
    /// When.
    pub date: Text,
    /// Whose row it is.
    pub origin: RowOrigin,
}

impl ReferenceRow for KnownFirmware {
    const TABLE: &'static str = "firmware";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let name = row.required("name");
        let mrtd = row.required("mrtd");
        // For people who review the file.
        let (note, source): (Option<Text>, Option<Text>) = (row.required("note"), row.required("source"));
        let date: Option<Day> = row.required("date");
        let _ = (note?, source?, date?);
        Some(Self {
            name: name?,
            mrtd: mrtd?,
        })
    }
}

impl ReferenceRow for VmShape {
    const TABLE: &'static str = "rtmr0";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        Some(
            read_row!(row: value = required("value"), shape = required("shape"); origin = RowOrigin::BuiltIn),
        )
    }
}

impl ReferenceRow for OsImageRow {
    const TABLE: &'static str = "image";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let name = row.required("name");
        let version = row.optional("version");
        let class = row.required("class");
        let os_image_hash = row.optional("os_image_hash");
        let registers = RawRegisters::read(row);
        let kernel_header_normalized = row.optional("kernel_header_normalized");
        let source = row.required("source");
        let date: Option<Day> = row.required("date");
        let name = name?;
        let registers = match registers?.registers() {
            Ok(registers) => registers,
            Err(problem) => {
                row.refuse::<Self>(&name, problem);
                return None;
            }
        };
        let read = Self {
            name,
            version: version?,
            class: class?,
            os_image_hash: os_image_hash?,
            registers,
            kernel_header_normalized: kernel_header_normalized?,
            source: source?,
            date: date?.text()?,
            origin: RowOrigin::BuiltIn,
        };
        row.whole(read, |read| &read.name, Self::problem)
    }
}

/// The registers of a row as they are written.
struct RawRegisters {
    firmware: Option<Text>,
    rtmr1: Option<Bytes<48>>,
    rtmr1_qemu_10_2: Option<Bytes<48>>,
    rtmr2: Option<Bytes<48>>,
    standing: Standing,
}

impl RawRegisters {
    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let firmware = row.optional("firmware");
        let rtmr1 = row.optional("rtmr1");
        let rtmr1_qemu_10_2 = row.optional("rtmr1_qemu_10_2");
        let rtmr2 = row.optional("rtmr2");
        let standing = row.or_default("registers");
        Some(Self {
            firmware: firmware?,
            rtmr1: rtmr1?,
            rtmr1_qemu_10_2: rtmr1_qemu_10_2?,
            rtmr2: rtmr2?,
            standing: standing?,
        })
    }

    /// All of them or none.
    fn registers(self) -> Result<Option<Registers>, &'static str> {
        match (self.firmware, self.rtmr1, self.rtmr2) {
            (Some(firmware), Some(rtmr1), Some(rtmr2)) => Ok(Some(Registers {
                firmware,
                rtmr1,
                rtmr1_qemu_10_2: self.rtmr1_qemu_10_2,
                rtmr2,
                standing: self.standing,
            })),
            (None, None, None) if self.rtmr1_qemu_10_2.is_none() => Ok(None),
            _ => Err("`firmware`, `rtmr1` and `rtmr2` are given together, or none of them"),
        }
    }
}

impl OsImageRow {
    /// What is wrong with the row.
    fn problem(&self) -> Option<&'static str> {
        let named = matches!(
            self.class,
            OsClass::Production | OsClass::Development | OsClass::Prerelease
        );
        let second_rtmr1 = |registers: &Registers| registers.rtmr1_qemu_10_2.is_some();
        if named && (self.os_image_hash.is_none() || self.version.is_none()) {
            Some("a row with an official name has a `version` and an `os_image_hash`")
        } else if self.os_image_hash.is_none() && self.registers.is_none() {
            Some("neither an `os_image_hash` nor registers are given")
        } else if self.kernel_header_normalized == Some(true)
            && self.registers.as_ref().is_some_and(second_rtmr1)
        {
            Some("a normalised kernel has one RTMR1: leave `rtmr1_qemu_10_2` out")
        } else if matches!(self.class, OsClass::Production | OsClass::Development)
            && self.name.contains("-dev-") != (self.class == OsClass::Development)
        {
            Some("the name and the `class` disagree on whether it is a development image")
        } else {
            None
        }
    }

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

#[doc(hidden)]
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
    pub(crate) fn image_by_name(&self, name: &str) -> Option<([u8; 32], &Arc<OsImageRow>)> {
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

    /// Whether a register, by its name in a lock, is one that the image of a row has.
    pub(crate) fn has_register(&self, row: &OsImageRow, name: &str, value: &[u8; 48]) -> bool {
        let Some(registers) = &row.registers else {
            return false;
        };
        match name {
            "mrtd" => self.mrtds_of(row).contains(value),
            "rtmr1" => registers.has_rtmr1(value),
            "rtmr2" => registers.rtmr2.0 == *value,
            _ => false,
        }
    }

    /// The shape of VM that an RTMR0 value was seen with, where it is listed.
    #[must_use]
    pub fn shape_of(&self, rtmr0: &[u8; 48]) -> Option<&str> {
        self.shape_row(rtmr0).map(|row| row.shape.as_str())
    }

    /// The row of an RTMR0 value, where it is listed.
    #[must_use]
    pub(crate) fn shape_row(&self, rtmr0: &[u8; 48]) -> Option<&VmShape> {
        self.shapes.iter().find(|row| row.value.0 == *rtmr0)
    }

    /// All shapes.
    #[must_use]
    pub fn shapes(&self) -> &[VmShape] {
        &self.shapes
    }
}
