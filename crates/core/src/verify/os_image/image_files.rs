//! The registers of an OS image, from its published files (dstack, `dstack-mr/src`).
//!
//! The files are bound to the published `os_image_hash`: it is the SHA-256 of the checksum file, which lists the others. The
//! root file system is not read: its hash is part of the kernel command line.

use serde::Deserialize;

use super::document_error::DocumentError;
use super::firmware::{Firmware, FirmwareError, MAX_FIRMWARE};
use super::kernel::{KernelError, MAX_KERNEL, patched_digest, plain_digest};
use super::measurement_document::{MAX_CHECKSUM_FILE, listed_hash};
use super::mrtd::Mrtd;
use super::registers::{AcpiDigests, Digest384, command_line_digest, rtmr0, rtmr1, rtmr2};
use super::td_hob::{MemoryError, Witness};
use crate::evidence::json_problem;
use crate::verify::digest::sha256;

/// Names of the files that are measured, as they are in the checksum file and in an archive.
pub mod name {
    /// The list of all files' SHA-256.
    pub const CHECKSUM_FILE: &str = "sha256sum.txt";
    /// Hex of the checksum file's SHA-256.
    pub const DIGEST: &str = "digest.txt";
    /// Version, kernel command line, flags.
    pub const METADATA: &str = "metadata.json";
    /// The firmware.
    pub const FIRMWARE: &str = "ovmf.fd";
    /// The kernel.
    pub const KERNEL: &str = "bzImage";
    /// The initrd.
    pub const INITRD: &str = "initramfs.cpio.gz";
}

/// The most bytes that the files may have which are held in memory.
pub mod limit {
    /// `sha256sum.txt`. Real ones have about 1 KiB.
    pub const CHECKSUM_FILE: u64 = super::MAX_CHECKSUM_FILE as u64;
    /// `digest.txt`, bytes: real ones have 64 digits and a line end.
    pub const DIGEST: u64 = 256;
    /// `metadata.json`. Real ones have about 500 bytes.
    pub const METADATA: u64 = super::MAX_METADATA as u64;
    /// `ovmf.fd`. Real ones have 4 MiB.
    pub const FIRMWARE: u64 = super::MAX_FIRMWARE as u64;
    /// `bzImage`. Real ones have about 15 MiB.
    pub const KERNEL: u64 = super::MAX_KERNEL as u64;
}

/// The most bytes that the metadata may have.
pub(crate) const MAX_METADATA: usize = 64 * 1024;
/// The most bytes that an initrd may have: 256 MiB.
pub const MAX_INITRD: u64 = 256 << 20;
/// A memory size, bytes, for which QEMU up to 10.1 places the initrd where it places it for every size that is measured:
/// 2 GiB exactly, or 2816 MiB and more.
const USUAL_MEMORY: u64 = 0x8000_0000;

/// The files of an image.
#[derive(Debug, Clone, Copy)]
pub struct ImageFiles<'a> {
    /// `sha256sum.txt`.
    pub checksum_file: &'a [u8],
    /// `digest.txt`.
    pub digest: &'a [u8],
    /// `metadata.json`.
    pub metadata: &'a [u8],
    /// `ovmf.fd`.
    pub firmware: &'a [u8],
    /// `bzImage`.
    pub kernel: &'a [u8],
    /// `initramfs.cpio.gz`, which is too large to be held in memory.
    pub initrd: Initrd,
}

/// What is needed of an initrd, computed while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Initrd {
    /// Its SHA-256, for the checksum file.
    pub sha256: [u8; 32],
    /// Its SHA-384, for RTMR2.
    pub sha384: Digest384,
    /// Bytes.
    pub size: u64,
}

/// What the files of an image are measured as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuredImage {
    /// SHA-256 of the checksum file.
    pub os_image_hash: [u8; 32],
    /// The version that the metadata names.
    pub version: String,
    /// Whether the metadata says that this is a development image.
    pub is_development: bool,
    /// MRTD by page order.
    pub mrtd: Mrtd,
    /// RTMR1.
    pub rtmr1: KernelRegister,
    /// RTMR2.
    pub rtmr2: Digest384,
    td_hob: Witness,
    configuration_volume: Digest384,
}

/// RTMR1, which depends on whether QEMU edits the kernel's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelRegister {
    /// Of the kernel as it is in the file: QEMU 10.2 and later; every QEMU where the header is normalized.
    pub plain: Digest384,
    /// Of the kernel as QEMU up to 10.1 edits it, with 2 GiB of memory or 2816 MiB and more; absent where the header is
    /// normalized.
    pub patched: Option<Digest384>,
}

/// A register that is not the one of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherRegister {
    /// `MRTD`, `RTMR1` or `RTMR2`.
    pub name: &'static str,
    /// The image's; where it has several, the one of the newest QEMU.
    pub expected: Digest384,
}

impl KernelRegister {
    /// Whether a register is one of the two.
    #[must_use]
    pub fn contains(&self, rtmr1: &Digest384) -> bool {
        self.plain == *rtmr1 || self.patched.as_ref() == Some(rtmr1)
    }
}

/// Why the files of an image cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// More bytes than accepted.
    #[error("{file} has {bytes} bytes; at most {limit} are accepted")]
    TooLarge {
        /// Its name.
        file: &'static str,
        /// How many it has.
        bytes: u64,
        /// How many are accepted.
        limit: u64,
    },
    /// `digest.txt` is not 64 hex digits.
    #[error("digest.txt is not the hex of 32 bytes")]
    Digest,
    /// `digest.txt` names another checksum file.
    #[error(
        "digest.txt is {listed}, the SHA-256 of sha256sum.txt is {found}: the files are not of one release"
    )]
    OtherChecksumFile {
        /// Hex of 32 bytes.
        listed: String,
        /// Hex of 32 bytes.
        found: String,
    },
    /// The checksum file.
    #[error("sha256sum.txt: {0}")]
    ChecksumFile(DocumentError),
    /// A file that the checksum file does not list.
    #[error("sha256sum.txt does not list {0}, so that nothing binds it to the release")]
    NotListed(&'static str),
    /// Another file than the listed one.
    #[error("{file} has SHA-256 {found}, sha256sum.txt lists {listed}: the file was changed or cut off")]
    OtherFile {
        /// Its name.
        file: &'static str,
        /// Hex of 32 bytes.
        listed: String,
        /// Hex of 32 bytes.
        found: String,
    },
    /// The metadata.
    #[error("metadata.json: {0}")]
    Metadata(String),
    /// The firmware.
    #[error("{0}")]
    Firmware(#[from] FirmwareError),
    /// The kernel.
    #[error("{0}")]
    Kernel(#[from] KernelError),
}

/// The members of `metadata.json` that are needed. Others are the image builder's.
#[derive(Deserialize)]
struct Metadata {
    cmdline: String,
    version: String,
    #[serde(default)]
    is_dev: bool,
    #[serde(default)]
    kernel_header_normalized: bool,
}

impl MeasuredImage {
    /// Checks the files against each other and measures them.
    ///
    /// # Errors
    /// [`ImageError`], which names the file at fault.
    #[doc(hidden)]
    pub fn measure(files: &ImageFiles<'_>) -> Result<Self, ImageError> {
        within(
            name::CHECKSUM_FILE,
            files.checksum_file.len() as u64,
            MAX_CHECKSUM_FILE as u64,
        )?;
        within(name::METADATA, files.metadata.len() as u64, MAX_METADATA as u64)?;
        within(name::INITRD, files.initrd.size, MAX_INITRD)?;
        let os_image_hash = bound_hash(files)?;
        for (file, found) in [
            (name::METADATA, sha256(files.metadata)),
            (name::FIRMWARE, sha256(files.firmware)),
            (name::KERNEL, sha256(files.kernel)),
            (name::INITRD, files.initrd.sha256),
        ] {
            listed(files.checksum_file, file, &found)?;
        }
        let metadata: Metadata = serde_json::from_slice(files.metadata)
            .map_err(|error| ImageError::Metadata(json_problem(&error)))?;
        if metadata.cmdline.trim().is_empty() {
            return Err(ImageError::Metadata("`cmdline` is empty".to_owned()));
        }
        let firmware = Firmware::parse(files.firmware)?;
        let plain = rtmr1(&plain_digest(files.kernel)?);
        let patched = if metadata.kernel_header_normalized {
            None
        } else {
            let size = u32::try_from(files.initrd.size).unwrap_or(u32::MAX);
            Some(rtmr1(&patched_digest(files.kernel, size, USUAL_MEMORY)?))
        };
        Ok(Self {
            os_image_hash,
            version: metadata.version,
            is_development: metadata.is_dev,
            mrtd: firmware.mrtd(),
            rtmr1: KernelRegister { plain, patched },
            rtmr2: rtmr2(&command_line_digest(&metadata.cmdline), &files.initrd.sha384),
            td_hob: firmware.td_hob()?,
            configuration_volume: firmware.configuration_volume()?,
        })
    }

    /// The first register that is not the image's, of MRTD, RTMR2 and RTMR1 of a VM, on any QEMU; absent if it booted the
    /// image. RTMR1, which alone depends on the VM's memory, is named only where the others are the image's.
    #[doc(hidden)]
    #[must_use]
    pub fn other_register(
        &self,
        mrtd: &Digest384,
        rtmr1: &Digest384,
        rtmr2: &Digest384,
    ) -> Option<OtherRegister> {
        let other = |name, expected: &Digest384| {
            Some(OtherRegister {
                name,
                expected: *expected,
            })
        };
        if self.mrtd.order_of(mrtd).is_none() {
            other("MRTD", &self.mrtd.single_pass)
        } else if self.rtmr2 != *rtmr2 {
            other("RTMR2", &self.rtmr2)
        } else if !self.rtmr1.contains(rtmr1) {
            other("RTMR1", &self.rtmr1.plain)
        } else {
            None
        }
    }

    /// RTMR0 of a VM with this much memory, bytes, and these ACPI tables.
    ///
    /// # Errors
    /// [`MemoryError`].
    #[doc(hidden)]
    pub fn rtmr0(&self, memory_size: u64, acpi: &AcpiDigests) -> Result<Digest384, MemoryError> {
        Ok(rtmr0(
            &self.td_hob.digest(memory_size)?,
            &self.configuration_volume,
            acpi,
        ))
    }
}

fn within(file: &'static str, bytes: u64, limit: u64) -> Result<(), ImageError> {
    if bytes > limit {
        return Err(ImageError::TooLarge { file, bytes, limit });
    }
    Ok(())
}

/// SHA-256 of the checksum file, where `digest.txt` says the same.
fn bound_hash(files: &ImageFiles<'_>) -> Result<[u8; 32], ImageError> {
    let mut listed = [0; 32];
    hex::decode_to_slice(files.digest.trim_ascii(), &mut listed).map_err(|_| ImageError::Digest)?;
    let found = sha256(files.checksum_file);
    if listed == found {
        Ok(found)
    } else {
        Err(ImageError::OtherChecksumFile {
            listed: hex::encode(listed),
            found: hex::encode(found),
        })
    }
}

fn listed(checksum_file: &[u8], file: &'static str, found: &[u8; 32]) -> Result<(), ImageError> {
    let listed = listed_hash(checksum_file, file)
        .map_err(ImageError::ChecksumFile)?
        .ok_or(ImageError::NotListed(file))?;
    if listed == *found {
        Ok(())
    } else {
        Err(ImageError::OtherFile {
            file,
            listed: hex::encode(listed),
            found: hex::encode(found),
        })
    }
}

#[cfg(test)]
#[path = "image_files_tests.rs"]
mod tests;
