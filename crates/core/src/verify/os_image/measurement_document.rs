//! The measurement document of an OS image: `measurement.tdx.cbor`, which a dstack 0.6 guest shows next to its evidence
//! (dstack 0.6, `dstack-mr/src`).
//!
//! Nobody signed it. It is bound to a published `os_image_hash` by the image's checksum file, and it proves something only
//! where the registers that follow from it are those of a verified quote.

use super::document_error::{DocumentError, FILE_NAME};
use super::measurement_fields::MeasurementFields;
use super::mrtd::Mrtd;
use super::registers::{AcpiDigests, CONFIGURATION_VOLUME, Digest384, rtmr0, rtmr1, rtmr2};
use super::td_hob::{MemoryError, Witness};
use crate::verify::digest::sha256;

/// The most bytes that a document may have. Real ones have about 600.
pub const MAX_DOCUMENT: usize = 16 * 1024;
/// The most bytes that a checksum file may have. Real ones have about 1 KiB.
pub(crate) const MAX_CHECKSUM_FILE: usize = 64 * 1024;

/// A measurement document that belongs to an `os_image_hash`, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasurementDocument {
    /// SHA-256 of the checksum file that lists the document.
    os_image_hash: [u8; 32],
    version: u64,
    mrtd: Mrtd,
    rtmr1: Digest384,
    is_header_normalized: bool,
    rtmr2: Digest384,
    td_hob: Witness,
}

impl MeasurementDocument {
    /// Reads a document and binds it to the hash of the checksum file that lists it. The hash itself is as good as the
    /// place that published it.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub fn read(checksum_file: &[u8], document: &[u8]) -> Result<Self, DocumentError> {
        limit("checksum file", checksum_file, MAX_CHECKSUM_FILE)?;
        limit("measurement document", document, MAX_DOCUMENT)?;
        let listed = listed_hash(checksum_file, FILE_NAME)?.ok_or(DocumentError::NotListed)?;
        let found = sha256(document);
        if listed != found {
            return Err(DocumentError::OtherDocument {
                listed: hex::encode(listed),
                found: hex::encode(found),
            });
        }
        let fields = MeasurementFields::parse(document)?;
        Ok(Self {
            os_image_hash: sha256(checksum_file),
            version: fields.version,
            mrtd: fields.mrtd,
            rtmr1: rtmr1(&fields.kernel),
            is_header_normalized: fields.is_header_normalized,
            rtmr2: rtmr2(&fields.command_line, &fields.initrd),
            td_hob: Witness::parse(&fields.td_hob)?,
        })
    }

    /// SHA-256 of the checksum file: the hash that a release page publishes, where the document is that release's.
    #[must_use]
    pub const fn os_image_hash(&self) -> &[u8; 32] {
        &self.os_image_hash
    }

    /// The document's version, 3 or 4.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// MRTD, by page order.
    #[must_use]
    pub const fn mrtd(&self) -> &Mrtd {
        &self.mrtd
    }

    /// Whether RTMR1 is the same for each QEMU: the kernel's header is normalized, so that none edits it.
    #[must_use]
    pub const fn is_header_normalized(&self) -> bool {
        self.is_header_normalized
    }

    /// RTMR1; of a kernel whose header is not normalized, that of QEMU 10.2 and later.
    #[must_use]
    pub const fn rtmr1(&self) -> &Digest384 {
        &self.rtmr1
    }

    /// RTMR2.
    #[must_use]
    pub const fn rtmr2(&self) -> &Digest384 {
        &self.rtmr2
    }

    /// RTMR0 of a VM with this much memory, bytes, and these ACPI tables.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn rtmr0(&self, memory_size: u64, acpi: &AcpiDigests) -> Result<Digest384, MemoryError> {
        Ok(rtmr0(
            &self.td_hob.digest(memory_size)?,
            &CONFIGURATION_VOLUME,
            acpi,
        ))
    }
}

fn limit(what: &'static str, bytes: &[u8], limit: usize) -> Result<(), DocumentError> {
    if bytes.len() > limit {
        return Err(DocumentError::TooLarge {
            what,
            bytes: bytes.len(),
            limit,
        });
    }
    Ok(())
}

/// The SHA-256 that a checksum file lists for a file. Every line is read: a file with a line that is not understood is refused.
///
/// # Errors
/// [`DocumentError::ChecksumLine`], [`DocumentError::ListedTwice`].
pub fn listed_hash(checksum_file: &[u8], name: &str) -> Result<Option<[u8; 32]>, DocumentError> {
    let text = std::str::from_utf8(checksum_file).map_err(|_| DocumentError::ChecksumLine(1))?;
    let mut found = None;
    for (index, line) in text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate() {
        let wrong = || DocumentError::ChecksumLine(index + 1);
        let (digits, file) = line.split_once("  ").ok_or_else(wrong)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(digits, &mut hash).map_err(|_| wrong())?;
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) || file.is_empty() {
            return Err(wrong());
        }
        if file == name && found.replace(hash).is_some() {
            return Err(DocumentError::ListedTwice);
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "measurement_document_tests.rs"]
mod tests;
