//! Where the files of a release are published (the release pages of dstack, meta-dstack and private-ml-sdk).

use super::{OsClass, OsImageRow, ReleaseVersion};

/// The archive with the files of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageArchive {
    /// Its address.
    pub url: String,
    /// Its name.
    pub file: String,
    /// Whether guests of the image show its measurement document.
    pub has_document: bool,
}

impl OsImageRow {
    /// The archive of a release; absent for what was never released under its name.
    #[doc(hidden)]
    #[must_use]
    pub fn archive(&self) -> Option<ImageArchive> {
        let version = self.version.as_ref()?;
        if self.class == OsClass::Observed
            || !self.name.starts_with("dstack-")
            || !self.name.ends_with(&version.to_string())
        {
            return None;
        }
        let at_least = |text: &str| {
            text.parse::<ReleaseVersion>()
                .is_ok_and(|first| *version >= first)
        };
        // Pre-releases of 0.6.0 are older than 0.6.0, and published with it.
        let is_of_0_6 = at_least("0.6.0") || version.to_string().starts_with("0.6.");
        let file = format!("{}.tar.gz", self.name);
        let base = if is_of_0_6 {
            format!("https://github.com/Dstack-TEE/dstack/releases/download/mkosi-os-v{version}")
        } else if self.name.starts_with("dstack-nvidia-") && !at_least("0.5.6") {
            format!("https://github.com/nearai/private-ml-sdk/releases/download/v{version}")
        } else {
            format!("https://github.com/Dstack-TEE/meta-dstack/releases/download/v{version}")
        };
        Some(ImageArchive {
            url: format!("{base}/{file}"),
            file,
            has_document: is_of_0_6,
        })
    }
}
