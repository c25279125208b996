//! What to do about an image that nothing here proves.

use crate::reference::OsImageRow;

/// Where the hashes of releases stand.
pub(super) const RELEASE_PAGES: &str = "https://github.com/Dstack-TEE/dstack/releases (0.6 and later) or \
                             https://github.com/Dstack-TEE/meta-dstack/releases";

/// How to find the registers of an image of the table.
pub(super) fn measuring(row: &OsImageRow) -> String {
    match row.archive() {
        Some(archive) => format!(
            "Measure its published files: download {}, run `cvm-verify os-image {}`, and give it to the run with \
             --os-image-files, or pin the image: `cvm-verify pin URL --os-image-files {}`.",
            archive.url, archive.file, archive.file
        ),
        None => "Measure the published files of the image: `cvm-verify os-image FILE`.".to_owned(),
    }
}
