//! Images of dstack's KMS, by the digest of their release.

use super::ReferenceValues;
use super::row::{ReferenceRow, RowReader, read_row};
use super::value::Text;

/// An image of a release of a KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsImageRow {
    /// Name and version: `dstack-kms 0.6.6`.
    pub name: Text,
    /// Digest of the image, `sha256:` and 64 hex digits in lower case.
    pub digest: Text,
    /// What is known to be wrong with it, a sentence; absent if nothing is.
    pub weakness: Option<Text>,
    /// Where it was read.
    pub source: Text,
    /// When.
    pub date: Text,
}

impl ReferenceRow for KmsImageRow {
    const TABLE: &'static str = "kms_image";

    fn read(row: &mut RowReader<'_, '_>) -> Option<Self> {
        let read = read_row!(row:
            name = required("name"),
            digest = required("digest"),
            weakness = optional("weakness")
        );
        row.whole(read, |read| &read.name, Self::problem)
    }
}

impl KmsImageRow {
    /// What is wrong with the row.
    fn problem(&self) -> Option<&'static str> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let digits = self.digest.strip_prefix("sha256:");
        match digits.is_some_and(|digits| digits.len() == 64 && digits.bytes().all(is_hex)) {
            true => None,
            false => Some("`digest` is `sha256:` and 64 hex digits in lower case"),
        }
    }
}

#[doc(hidden)]
impl ReferenceValues {
    /// The release that an image reference names by its digest, `…@sha256:` and 64 hex digits. Where it is pulled from does not matter: the
    /// digest is that of its content.
    #[must_use]
    pub fn kms_image(&self, image: &str) -> Option<&KmsImageRow> {
        let (_, digest) = image.rsplit_once('@')?;
        self.kms_images.iter().find(|row| row.digest.as_str() == digest)
    }
}
