//! A TAR archive as the releases of dstack publish it: plain or compressed with gzip, all files in one folder.

use std::collections::HashSet;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType, PaxExtensions};

use super::{MetFiles, ReadError};

/// The most entries that an archive may have. Real ones have about 12.
pub const MAX_ENTRIES: usize = 4096;
/// The most bytes that an archive may have once it is decompressed: 8 GiB. Real ones have less than 2.
pub const MAX_UNPACKED: u64 = 8 << 30;
/// The most bytes of an extended header.
const MAX_EXTENDED: u64 = 64 * 1024;

/// Reads the files of an image from an archive. It is read to its end: a second file of one name is refused.
pub(super) fn collect(mut archive: impl Read) -> Result<MetFiles, ReadError> {
    let cannot = |error| ReadError::cannot("the archive", error);
    let mut head = Vec::new();
    archive.by_ref().take(6).read_to_end(&mut head).map_err(cannot)?;
    let compression = match head.as_slice() {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => return Err(ReadError::Compression("zstd")),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return Err(ReadError::Compression("xz")),
        [b'B', b'Z', b'h', ..] => return Err(ReadError::Compression("bzip2")),
        _ => None,
    };
    let whole = io::Cursor::new(head).chain(archive);
    match compression {
        Some(_) => entries(Limited::new(MultiGzDecoder::new(whole))),
        None => entries(Limited::new(whole)),
    }
}

fn entries(content: impl Read) -> Result<MetFiles, ReadError> {
    let cannot = |error| ReadError::cannot("the archive", error);
    let mut collected = MetFiles::default();
    let mut names = HashSet::new();
    let mut archive = Archive::new(content);
    // Raw: no header is applied to the entry behind it.
    for (index, entry) in archive.entries().map_err(cannot)?.raw(true).enumerate() {
        if index >= MAX_ENTRIES {
            return Err(ReadError::TooManyEntries);
        }
        let mut entry = match entry {
            // The library quotes what it found in place of a header.
            Err(error) if index == 0 && error.kind() == io::ErrorKind::Other => {
                return Err(ReadError::NotAnArchive);
            }
            entry => entry.map_err(cannot)?,
        };
        match entry.header().entry_type() {
            EntryType::XHeader | EntryType::XGlobalHeader => {
                harmless_extensions(&mut entry)?;
                continue;
            }
            EntryType::GNULongName | EntryType::GNULongLink | EntryType::GNUSparse => {
                return Err(ReadError::Extended);
            }
            _ => {}
        }
        let path = inner_path(&entry)?;
        match entry.header().entry_type() {
            EntryType::Directory => continue,
            EntryType::Regular => {}
            _ => return Err(ReadError::NotAFile(path.join("/"))),
        }
        if !names.insert(path.join("/")) {
            return Err(ReadError::Twice(path.join("/")));
        }
        // The files of an image are in the archive's root, or in the one folder of it.
        if let [file] | [_, file] = path.as_slice() {
            let size = entry.header().entry_size().map_err(cannot)?;
            collected.offer(file, size, &mut entry)?;
        }
    }
    Ok(collected)
}

/// The components of an entry's path, without `.`.
fn inner_path(entry: &Entry<'_, impl Read>) -> Result<Vec<String>, ReadError> {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    if path.starts_with('/') || path.split('/').any(|part| part == "..") {
        return Err(ReadError::Outside(path));
    }
    Ok(path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .map(str::to_owned)
        .collect())
}

/// Extended headers of times and owners change nothing. Those of names, sizes and links are refused.
fn harmless_extensions(entry: &mut Entry<'_, impl Read>) -> Result<(), ReadError> {
    let cannot = |error| ReadError::cannot("the archive", error);
    if entry.header().entry_size().map_err(cannot)? > MAX_EXTENDED {
        return Err(ReadError::Extended);
    }
    let mut bytes = Vec::new();
    entry.take(MAX_EXTENDED).read_to_end(&mut bytes).map_err(cannot)?;
    for extension in PaxExtensions::new(&bytes) {
        let extension = extension.map_err(cannot)?;
        let key = extension.key_bytes();
        if matches!(key, b"path" | b"linkpath" | b"size") || key.starts_with(b"GNU.sparse") {
            return Err(ReadError::Extended);
        }
    }
    Ok(())
}

/// A reader that ends with an error where too much comes out of it.
pub(super) struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R> Limited<R> {
    const fn new(inner: R) -> Self {
        Self::with(inner, MAX_UNPACKED)
    }

    /// With another limit, bytes.
    pub(super) const fn with(inner: R, left: u64) -> Self {
        Self { inner, left }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::other(format!(
                "it has more than {MAX_UNPACKED} bytes once it is decompressed"
            ))
        })?;
        Ok(count)
    }
}
