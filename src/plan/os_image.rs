//! Which OS image settings expect, and by which reference values.

use std::sync::Arc;

use super::named_files::FilesOfPlan;
use super::reader::SettingsReader;
use crate::config::path_of;
use cvm_verify_core::policy::{
    OsImageError, OsImageOption, OsImagePolicy, PublishedImage, parse_os_image_of,
};
use cvm_verify_core::reference::ReferenceValues;

impl SettingsReader<'_> {
    /// Which image is expected, by a word, a hash, registers, or files that are measured here.
    pub(super) fn os_image(
        &mut self,
        reference: &ReferenceValues,
        files: &mut FilesOfPlan,
    ) -> Option<OsImageOption> {
        let option = self.parsed("os-image", |text| parse_os_image_of(text, reference));
        let Some(value) = self.settings.one("os-image-files") else {
            return option;
        };
        let files = files.image_files(&path_of(value));
        let Some(files) = self.kept_of_file("os-image-files", value, files) else {
            return option;
        };
        let expected = match option.clone() {
            None if self.settings.one("os-image").is_some() => return None,
            None => Ok(PublishedImage::of_files(files.clone(), reference)),
            Some(OsImageOption::Policy(policy)) => match *policy {
                OsImagePolicy::Published(named) => named.with_files(files.clone()),
                _ => Err(OsImageError::NeedlessFiles),
            },
            Some(OsImageOption::Lock) => Err(OsImageError::NeedlessFiles),
        };
        // Files and an image of two levels that contradict each other: the higher level counts.
        let image_level = self.settings.one("os-image").map(|image| image.level);
        let expected = match (expected, image_level) {
            (Err(_), Some(level)) if level > value.level => return option,
            (Err(_), Some(level)) if level < value.level => Ok(PublishedImage::of_files(files, reference)),
            (expected, _) => expected,
        };
        let expected = self.kept("os-image-files", value, expected)?;
        Some(OsImageOption::Policy(Box::new(OsImagePolicy::Published(
            expected,
        ))))
    }

    /// The reference values that settings name, or the built-in ones.
    pub(super) fn reference(&mut self, files: &mut FilesOfPlan) -> Arc<ReferenceValues> {
        let built_in = || Arc::clone(ReferenceValues::built_in());
        let Some(value) = self.settings.one("reference-values") else {
            return built_in();
        };
        let read = files.reference(&path_of(value));
        self.kept_of_file("reference-values", value, read)
            .unwrap_or_else(built_in)
    }
}
