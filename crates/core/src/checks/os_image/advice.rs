//! What to do about an image that nothing here proves.

use super::reasons::REGISTER_MISMATCH;
use crate::checks::Finding;
use crate::reference::OsImageRow;

/// Where the hashes of releases stand.
pub(super) const RELEASE_PAGES: &str = "https://github.com/Dstack-TEE/dstack/releases (0.6 and later) or \
                             https://github.com/Dstack-TEE/meta-dstack/releases";

/// The finding, where `by` names the image: what is written there takes the place of a lock, so that pinning again changes nothing.
pub(super) fn corrected(finding: Finding, by: &str) -> Finding {
    match finding.reason {
        Some(reason) if reason.id == REGISTER_MISMATCH.id => finding.advising(format!(
            "If the VM was moved to another image on purpose, correct {by}, which takes the place of any lock; otherwise the host booted \
             another image than the one that you named: stop sending it secrets, and replace those that it has had."
        )),
        _ => finding,
    }
}

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

#[cfg(test)]
mod tests {
    use super::super::reasons::NO_DOCUMENT;
    use super::*;

    #[test]
    fn what_is_written_is_to_be_corrected_where_another_image_booted() {
        for (reason, is_corrected) in [(&REGISTER_MISMATCH, true), (&NO_DOCUMENT, false)] {
            let fix = corrected(Finding::fail(reason, "No."), "--os-image").fix;
            assert_eq!(
                fix.is_some_and(|fix| fix.contains("correct --os-image,")),
                is_corrected
            );
        }
    }
}
