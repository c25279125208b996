//! The published files of an OS image, from a folder or a TAR archive.
//!
//! Only the files that are measured are kept. The initrd, which may be large, is hashed while it is read. Nothing is written
//! anywhere, and no name of an archive is ever used as a path.

mod archive;
mod folder;
#[cfg(test)]
mod tests;

use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256, Sha384};

pub use archive::{MAX_ENTRIES, MAX_UNPACKED};

use crate::bounded_io;
use cvm_verify_core::verify::{
    ImageError, ImageFiles, Initrd, MAX_INITRD, MeasuredImage, image_file as name, image_limit as limit,
};

/// The files that are kept whole, and the most bytes of each.
const WHOLE: [(&str, u64); 5] = [
    (name::CHECKSUM_FILE, limit::CHECKSUM_FILE),
    (name::DIGEST, limit::DIGEST),
    (name::METADATA, limit::METADATA),
    (name::FIRMWARE, limit::FIRMWARE),
    (name::KERNEL, limit::KERNEL),
];

/// Why the files of an image cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system or the archive.
    #[error("{what} cannot be read: {error}")]
    Cannot {
        /// A file's name, or `the archive`.
        what: String,
        /// Why.
        error: io::Error,
    },
    /// A file that is needed.
    #[error("{0} is not among the files of the image")]
    Missing(&'static str),
    /// A link, a device, or a folder of that name.
    #[error("{0} is not a regular file; links are not followed")]
    NotAFile(String),
    /// Two entries of one name: which of them is meant is not defined.
    #[error("the archive has {0} twice")]
    Twice(String),
    /// A path that is absolute or has `..`.
    #[error("the archive has the path {0}, which leaves its folder")]
    Outside(String),
    /// A name that is not in the header of its entry.
    #[error(
        "the archive has an entry whose name or size is in an extended header; unpack it, and give the folder"
    )]
    Extended,
    /// More bytes than accepted.
    #[error("{file} has more than {limit} bytes: this is not the file of an OS image")]
    TooLarge {
        /// Its name.
        file: String,
        /// How many are accepted.
        limit: u64,
    },
    /// More entries than accepted.
    #[error("the archive has more than {MAX_ENTRIES} entries: this is not an OS image")]
    TooManyEntries,
    /// A compression that is not read.
    #[error("the archive is compressed with {0}, which is not read; unpack it, and give the folder")]
    Compression(&'static str),
    /// Its first header is none of an archive.
    #[error("it is not a TAR archive, plain or compressed with gzip, and not the folder of an OS image")]
    NotAnArchive,
    /// What the files say of each other.
    #[error("{0}")]
    Image(#[from] ImageError),
}

impl ReadError {
    /// Whether the files were read and contradict each other.
    #[must_use]
    pub const fn is_contradiction(&self) -> bool {
        matches!(self, Self::Image(_))
    }

    fn cannot(what: &str, error: io::Error) -> Self {
        Self::Cannot {
            what: what.to_owned(),
            error,
        }
    }
}

/// Measures the image in a folder, or in a TAR archive (plain or compressed with gzip).
///
/// # Errors
/// [`ReadError`].
pub fn measure(path: &Path) -> Result<MeasuredImage, ReadError> {
    match path.is_dir() {
        true => folder::collect(path)?.measure(),
        false if bounded_io::is_special(path) => Err(ReadError::NotAFile("the archive".to_owned())),
        false => measure_archive(
            std::fs::File::open(path).map_err(|error| ReadError::cannot("the archive", error))?,
        ),
    }
}

/// Measures the image in a TAR archive, plain or compressed with gzip.
///
/// # Errors
/// [`ReadError`].
pub fn measure_archive(archive: impl Read) -> Result<MeasuredImage, ReadError> {
    archive::collect(archive)?.measure()
}

/// The files that were met so far.
#[derive(Default)]
struct MetFiles {
    whole: [Option<Vec<u8>>; WHOLE.len()],
    initrd: Option<Initrd>,
}

impl MetFiles {
    /// Reads a file where it is one of those that are measured. `size` is how many bytes it says that it has.
    fn offer(&mut self, file: &str, size: u64, mut content: impl Read) -> Result<(), ReadError> {
        if file == name::INITRD {
            within(file, size, MAX_INITRD)?;
            let initrd = initrd(&mut content)?;
            return match self.initrd.replace(initrd) {
                None => Ok(()),
                Some(_) => Err(ReadError::Twice(file.to_owned())),
            };
        }
        let Some(((_, limit), slot)) = WHOLE
            .iter()
            .zip(&mut self.whole)
            .find(|((known, _), _)| *known == file)
        else {
            return Ok(());
        };
        within(file, size, *limit)?;
        let mut bytes = Vec::new();
        content
            .take(limit + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| ReadError::cannot(file, error))?;
        within(file, bytes.len() as u64, *limit)?;
        match slot.replace(bytes) {
            None => Ok(()),
            Some(_) => Err(ReadError::Twice(file.to_owned())),
        }
    }

    fn measure(self) -> Result<MeasuredImage, ReadError> {
        let [checksum_file, digest, metadata, firmware, kernel] = &self.whole;
        let needed = |file, bytes: &'_ Option<Vec<u8>>| match bytes {
            Some(bytes) => Ok(bytes.clone()),
            None => Err(ReadError::Missing(file)),
        };
        Ok(MeasuredImage::measure(&ImageFiles {
            checksum_file: &needed(name::CHECKSUM_FILE, checksum_file)?,
            digest: &needed(name::DIGEST, digest)?,
            metadata: &needed(name::METADATA, metadata)?,
            firmware: &needed(name::FIRMWARE, firmware)?,
            kernel: &needed(name::KERNEL, kernel)?,
            initrd: self.initrd.ok_or(ReadError::Missing(name::INITRD))?,
        })?)
    }
}

fn within(file: &str, size: u64, limit: u64) -> Result<(), ReadError> {
    if size > limit {
        return Err(ReadError::TooLarge {
            file: file.to_owned(),
            limit,
        });
    }
    Ok(())
}

/// Hashes an initrd without holding it.
fn initrd(content: &mut impl Read) -> Result<Initrd, ReadError> {
    let (mut sha256, mut sha384, mut size) = (Sha256::new(), Sha384::new(), 0_u64);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ReadError::cannot(name::INITRD, error)),
        };
        let part = buffer.get(..count).unwrap_or_default();
        sha256.update(part);
        sha384.update(part);
        size += part.len() as u64;
        within(name::INITRD, size, MAX_INITRD)?;
    }
    Ok(Initrd {
        sha256: sha256.finalize().into(),
        sha384: sha384.finalize().into(),
        size,
    })
}
