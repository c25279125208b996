//! A folder with the unpacked files of an image.

use std::fs::File;
use std::path::Path;

use super::{MetFiles, ReadError, WHOLE};
use cvm_verify_core::verify::image_file as name;

/// Reads the files of an image from a folder. Links are refused: what they point to is not the image's.
pub(super) fn collect(folder: &Path) -> Result<MetFiles, ReadError> {
    let mut collected = MetFiles::default();
    for file in WHOLE.iter().map(|(file, _)| *file).chain([name::INITRD]) {
        let path = folder.join(file);
        let found = match path.symlink_metadata() {
            Ok(found) => found,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ReadError::Missing(file));
            }
            Err(error) => return Err(ReadError::cannot(file, error)),
        };
        if !found.is_file() {
            return Err(ReadError::NotAFile(file.to_owned()));
        }
        let content = File::open(&path).map_err(|error| ReadError::cannot(file, error))?;
        collected.offer(file, found.len(), content)?;
    }
    Ok(collected)
}
