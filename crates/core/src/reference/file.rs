//! A user's file of reference values: `--reference-values FILE`.

use sha2::{Digest as _, Sha256};

use super::document::ReferenceDocument;
use super::{ReferenceError, ReferenceValues};

impl ReferenceValues {
    /// These values and the rows of a file of at most [`MAX_FILE_BYTES`](super::MAX_FILE_BYTES) and
    /// `MAX_ROWS`, named by its SHA-256. `name` is how messages call it.
    ///
    /// # Errors
    /// [`ReferenceError`]: every mistake with its line and column. A row that contradicts one that is already there is a mistake.
    pub fn with_file(&self, name: &str, bytes: &[u8]) -> Result<Self, ReferenceError> {
        let document = ReferenceDocument::parse(name, bytes)?.of_user();
        let updated = self.updated.max(document.updated);
        let mut values = self.clone();
        values.add(document)?;
        values.updated = updated;
        values.file_sha256 = Some(Sha256::digest(bytes).into());
        values.file_name = Some(name.to_owned());
        Ok(values)
    }

    /// These values and rows as if they were built in, for tests of what is built in.
    ///
    /// # Errors
    /// [`ReferenceError`].
    #[cfg(any(test, feature = "test-util"))]
    pub fn with_built_in_rows(&self, text: &str) -> Result<Self, ReferenceError> {
        let mut values = self.clone();
        values.add(ReferenceDocument::parse("rows of a test", text.as_bytes())?)?;
        Ok(values)
    }
}
