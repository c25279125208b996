//! A user's file of reference values: `--reference-values FILE`.

use sha2::{Digest as _, Sha256};

use super::document::{MAX_FILE_BYTES, ReferenceDocument, ReferenceError};
use super::{OsClass, ReferenceValues};

impl ReferenceValues {
    /// These values and the rows of a file, named by its SHA-256. `name` is how messages call it.
    ///
    /// # Errors
    /// [`ReferenceError`]: it cannot be read, or a row of it contradicts one that is already there.
    pub fn with_file(&self, name: &str, bytes: &[u8]) -> Result<Self, ReferenceError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(ReferenceError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ReferenceError::NotText)?;
        let document = ReferenceDocument::parse(name, text)?;
        let updated = self.updated.max(document.updated);
        let mut values = self.clone();
        values.add(document)?;
        values.updated = updated;
        values.file_sha256 = Some(Sha256::digest(bytes).into());
        Ok(values)
    }

    /// Production images with the registers of which somebody can be sure: those that `--os-image known` accepts where no
    /// advisory speaks against it.
    pub fn production_images(&self) -> impl Iterator<Item = &super::OsImageRow> {
        self.images
            .iter()
            .map(AsRef::as_ref)
            .filter(|row: &&super::OsImageRow| {
                row.class == OsClass::Production && row.registers.is_some() && !row.is_third_party()
            })
    }
}
