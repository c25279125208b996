//! The kernel of an image (`bzImage`): the digest that the firmware takes of it before it runs it.
//!
//! It is the PE Authenticode digest with SHA-384. Up to 10.1, QEMU edits the kernel's setup header before the guest sees it
//! (dstack, `dstack-mr/src/kernel.rs`; QEMU commit a7542a38f399).

use sha2::{Digest, Sha384};

use super::registers::Digest384;
use super::td_hob::{BELOW_4G, SPLIT_FROM};

/// The most bytes that a kernel may have: 64 MiB.
pub(crate) const MAX_KERNEL: usize = 64 << 20;
/// What QEMU reserves for ACPI tables at the end of low memory, bytes.
const ACPI_RESERVE: u64 = 0x2_8000;

/// Why a kernel cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// More bytes than accepted.
    #[error("the kernel has {0} bytes; at most {MAX_KERNEL} are accepted")]
    TooLarge(usize),
    /// Not a Linux kernel with a setup header.
    #[error("the kernel is not a Linux bzImage: {0}")]
    NotLinux(&'static str),
    /// Not a PE file.
    #[error("the kernel is not a PE file: {0}")]
    NotPe(&'static str),
    /// An initrd that does not fit below 4 GiB.
    #[error("an initrd of {initrd} bytes does not fit into {memory} bytes of memory")]
    NoRoom {
        /// Bytes of the initrd.
        initrd: u32,
        /// Bytes of memory.
        memory: u64,
    },
}

/// The digest of a kernel as it is in the file: what QEMU 10.2 and later measures, and every QEMU of an image whose kernel
/// header is normalized.
///
/// # Errors
/// [`KernelError`].
pub fn plain_digest(kernel: &[u8]) -> Result<Digest384, KernelError> {
    if kernel.len() > MAX_KERNEL {
        return Err(KernelError::TooLarge(kernel.len()));
    }
    authenticode(kernel)
}

/// The digest of a kernel as QEMU up to 10.1 edits it, for a VM with this much memory, bytes.
///
/// # Errors
/// [`KernelError`].
pub fn patched_digest(kernel: &[u8], initrd_size: u32, memory: u64) -> Result<Digest384, KernelError> {
    if kernel.len() > MAX_KERNEL {
        return Err(KernelError::TooLarge(kernel.len()));
    }
    let mut copy = kernel.to_vec();
    patch(&mut copy, initrd_size, memory)?;
    authenticode(&copy)
}

/// What QEMU's `fw_cfg` loader writes into the setup header (Linux x86 boot protocol).
fn patch(kernel: &mut [u8], initrd_size: u32, memory: u64) -> Result<(), KernelError> {
    const INITRD_MAX: u32 = 0x37ff_ffff;
    if kernel.len() < 0x1000 {
        return Err(KernelError::NotLinux("it is shorter than 4096 bytes"));
    }
    if read::<4>(kernel, 0x202) != Some(*b"HdrS") {
        return Err(KernelError::NotLinux(
            "the setup header's signature `HdrS` is missing",
        ));
    }
    let u16_at = |kernel: &[u8], at| read(kernel, at).map_or(0, u16::from_le_bytes);
    let u32_at = |kernel: &[u8], at| read(kernel, at).map_or(0, u32::from_le_bytes);
    let protocol = u16_at(kernel, 0x206);
    let load_flags = read::<1>(kernel, 0x211).map_or(0, u8::from_le_bytes);
    // Where the command line lies, and how far behind the setup code.
    let (command_line, behind_setup): (u32, u32) = if protocol < 0x200 || load_flags & 1 == 0 {
        (0x9_a000, 0xa000)
    } else {
        (0x2_0000, 0x1_0000)
    };
    if protocol >= 0x200 {
        write(kernel, 0x210, &[0xb0]);
    }
    if protocol >= 0x201 {
        write(kernel, 0x211, &[load_flags | 0x80]);
        write(kernel, 0x224, &(behind_setup - 0x200).to_le_bytes());
    }
    if protocol >= 0x202 {
        write(kernel, 0x228, &command_line.to_le_bytes());
    } else {
        write(kernel, 0x20, &0xa33f_u16.to_le_bytes());
        let [low, high, ..] = behind_setup.to_le_bytes();
        write(kernel, 0x22, &[low, high]);
    }
    if initrd_size == 0 {
        return Ok(());
    }
    let highest = if protocol >= 0x20c {
        if u16_at(kernel, 0x236) & 0x40 != 0 {
            u32::MAX
        } else {
            INITRD_MAX
        }
    } else if protocol >= 0x203 {
        match u32_at(kernel, 0x22c) {
            0 => INITRD_MAX,
            highest => highest,
        }
    } else {
        INITRD_MAX
    };
    let no_room = || KernelError::NoRoom {
        initrd: initrd_size,
        memory,
    };
    let low = if memory < SPLIT_FROM { memory } else { BELOW_4G };
    let available = low
        .checked_sub(ACPI_RESERVE)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(no_room)?;
    let highest = u64::from(highest).min(available - 1);
    let address = highest.checked_sub(u64::from(initrd_size)).ok_or_else(no_room)? & !0xfff;
    let address = u32::try_from(address).map_err(|_| no_room())?;
    write(kernel, 0x218, &address.to_le_bytes());
    write(kernel, 0x21c, &initrd_size.to_le_bytes());
    Ok(())
}

/// The Authenticode digest of a PE file (Windows Authenticode Portable Executable Signature Format): without checksum,
/// certificate entry and certificates, sections by their place in the file, padded to 8 bytes.
fn authenticode(bytes: &[u8]) -> Result<Digest384, KernelError> {
    let cut = || KernelError::NotPe("its headers are cut off");
    let usize_of = |value: u32| usize::try_from(value).map_err(|_| cut());
    if read::<2>(bytes, 0) != Some(*b"MZ") {
        return Err(KernelError::NotPe("it does not begin with `MZ`"));
    }
    let pe = usize_of(u32::from_le_bytes(read(bytes, 0x3c).ok_or_else(cut)?))?;
    let at = |base: usize, more: usize| base.checked_add(more).ok_or_else(cut);
    if read::<4>(bytes, pe) != Some(*b"PE\0\0") {
        return Err(KernelError::NotPe(
            "there is no PE signature where its header says",
        ));
    }
    let count = u16::from_le_bytes(read(bytes, at(pe, 6)?).ok_or_else(cut)?);
    let optional_size = u16::from_le_bytes(read(bytes, at(pe, 20)?).ok_or_else(cut)?);
    let optional = at(pe, 24)?;
    let directories = match u16::from_le_bytes(read(bytes, optional).ok_or_else(cut)?) {
        0x20b => at(optional, 112)?,
        0x10b => at(optional, 96)?,
        _ => {
            return Err(KernelError::NotPe(
                "its optional header has an unknown magic number",
            ));
        }
    };
    let checksum = at(optional, 64)?;
    let header_size = usize_of(u32::from_le_bytes(
        read(bytes, at(optional, 60)?).ok_or_else(cut)?,
    ))?;
    // The number of directories stands right before them; the certificates are the fifth.
    let directory_count = u32::from_le_bytes(read(bytes, directories - 4).ok_or_else(cut)?);
    if directory_count < 5 {
        return Err(KernelError::NotPe("it has no entry for certificates"));
    }
    let certificates = at(directories, 4 * 8)?;
    let certificates_size = usize_of(u32::from_le_bytes(
        read(bytes, at(certificates, 4)?).ok_or_else(cut)?,
    ))?;

    let mut hash = Sha384::new();
    let part = |from: usize, to: usize| bytes.get(from..to).ok_or_else(cut);
    hash.update(part(0, checksum)?);
    hash.update(part(at(checksum, 4)?, certificates)?);
    hash.update(part(at(certificates, 8)?, header_size)?);

    let table = at(optional, usize::from(optional_size))?;
    let mut sections = Vec::new();
    for index in 0..usize::from(count) {
        let header = at(table, index * 40)?;
        let size = usize_of(u32::from_le_bytes(read(bytes, at(header, 16)?).ok_or_else(cut)?))?;
        let start = usize_of(u32::from_le_bytes(read(bytes, at(header, 20)?).ok_or_else(cut)?))?;
        if size > 0 {
            sections.push((start, size));
        }
    }
    sections.sort_unstable();
    let mut hashed = header_size;
    for (start, size) in sections {
        if start < hashed {
            return Err(KernelError::NotPe("its sections overlap"));
        }
        let end = at(start, size)?;
        hash.update(part(start, end)?);
        hashed = hashed.checked_add(size).ok_or_else(cut)?;
    }
    if certificates_size > 0 {
        let end = bytes
            .len()
            .checked_sub(certificates_size)
            .filter(|end| *end >= hashed)
            .ok_or(KernelError::NotPe(
                "its certificates are larger than what follows its sections",
            ))?;
        hash.update(part(hashed, end)?);
    }
    let padding = bytes.len().next_multiple_of(8) - bytes.len();
    hash.update([0_u8; 8].get(..padding).unwrap_or_default());
    Ok(hash.finalize().into())
}

fn read<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Writes if there is room: the caller has checked the length.
fn write(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at + value.len()) {
        place.copy_from_slice(value);
    }
}

#[cfg(test)]
#[path = "kernel_tests.rs"]
mod tests;
