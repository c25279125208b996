//! How an OS image was known when it was locked.

use std::fmt;
use std::str::FromStr;

use crate::evidence::parse_user_hex;
use crate::reference::ReleaseVersion;
use crate::verify::MeasuredImage;

/// How an OS image was known when it was locked: a claim of the lock's author. It counts as proof if a run confirms it; otherwise
/// the image is accepted in writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownBy {
    /// Its registers are those of a row of the table.
    Row,
    /// By the measurement document under this published os_image_hash, 32 bytes.
    PublishedHash([u8; 32]),
    /// Its registers were computed from files.
    Files(FilesIdentity),
    /// The same, and the files say that it is a development image.
    DevelopmentFiles(FilesIdentity),
    /// By nothing: its registers were taken as they are.
    Unknown,
}

/// The files of an OS image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesIdentity {
    /// SHA-256 of their checksum file, 32 bytes.
    pub os_image_hash: [u8; 32],
    /// The version that their metadata names, if it is one.
    pub version: Option<ReleaseVersion>,
}

impl FilesIdentity {
    /// Of measured files.
    #[must_use]
    pub fn of(image: &MeasuredImage) -> Self {
        Self {
            os_image_hash: image.os_image_hash,
            version: image.version.parse().ok(),
        }
    }
}

/// A value that is none of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "is none of row, published-hash HASH, files HASH [VERSION], development-files HASH [VERSION], unknown"
)]
pub struct KnownByError;

impl KnownBy {
    /// The hash that it names, 32 bytes: a claim, which a run confirms or not.
    #[must_use]
    pub const fn hash(&self) -> Option<&[u8; 32]> {
        match self {
            Self::PublishedHash(hash) => Some(hash),
            Self::Files(files) | Self::DevelopmentFiles(files) => Some(&files.os_image_hash),
            Self::Row | Self::Unknown => None,
        }
    }

    /// The version that the files name: it decides which vulnerabilities the image has where no row says it.
    #[must_use]
    pub const fn version(&self) -> Option<&ReleaseVersion> {
        match self {
            Self::Files(files) | Self::DevelopmentFiles(files) => files.version.as_ref(),
            Self::Row | Self::PublishedHash(_) | Self::Unknown => None,
        }
    }
}

impl From<[u8; 32]> for FilesIdentity {
    /// Files of which no version is known.
    fn from(os_image_hash: [u8; 32]) -> Self {
        Self {
            os_image_hash,
            version: None,
        }
    }
}

impl FromStr for FilesIdentity {
    type Err = KnownByError;

    fn from_str(text: &str) -> Result<Self, KnownByError> {
        let (hash, version) = match text.trim().split_once(' ') {
            Some((hash, version)) => (hash, Some(version)),
            None => (text, None),
        };
        let version = version.map(|version| version.trim().parse().map_err(|_| KnownByError));
        Ok(Self {
            os_image_hash: parse_user_hex(hash.trim()).map_err(|_| KnownByError)?,
            version: version.transpose()?,
        })
    }
}

impl fmt::Display for FilesIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.os_image_hash))?;
        match &self.version {
            Some(version) => write!(f, " {version}"),
            None => Ok(()),
        }
    }
}

impl FromStr for KnownBy {
    type Err = KnownByError;

    fn from_str(text: &str) -> Result<Self, KnownByError> {
        let hash = |text: &str| parse_user_hex(text.trim()).map_err(|_| KnownByError);
        match text.trim().split_once(' ') {
            None if text.trim() == "row" => Ok(Self::Row),
            None if text.trim() == "unknown" => Ok(Self::Unknown),
            Some(("published-hash", rest)) => hash(rest).map(Self::PublishedHash),
            Some(("development-files", rest)) => rest.parse().map(Self::DevelopmentFiles),
            Some(("files", rest)) => rest.parse().map(Self::Files),
            _ => Err(KnownByError),
        }
    }
}

impl fmt::Display for KnownBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row => f.write_str("row"),
            Self::PublishedHash(hash) => write!(f, "published-hash {}", hex::encode(hash)),
            Self::DevelopmentFiles(files) => write!(f, "development-files {files}"),
            Self::Files(files) => write!(f, "files {files}"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files(version: Option<&str>) -> FilesIdentity {
        FilesIdentity {
            os_image_hash: [1; 32],
            version: version.map(|version| version.parse().unwrap()),
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_all_else_is_refused() {
        for known in [
            KnownBy::Row,
            KnownBy::PublishedHash([0xab; 32]),
            KnownBy::Files(files(None)),
            KnownBy::Files(files(Some("0.5.2"))),
            KnownBy::DevelopmentFiles(files(None)),
            KnownBy::DevelopmentFiles(files(Some("0.6.0-rc1"))),
            KnownBy::Unknown,
        ] {
            assert_eq!(known.to_string().parse::<KnownBy>(), Ok(known));
        }
        for text in [
            "",
            "rows",
            "row ab",
            "published-hash",
            "published-hash abcd",
            "files",
            &format!("files {} v5", "ab".repeat(32)),
            &format!("files {} 0.5.2 0.5.3", "ab".repeat(32)),
            &format!("published-hash {} 0.5.2", "ab".repeat(32)),
            "unknown x",
        ] {
            assert_eq!(text.parse::<KnownBy>(), Err(KnownByError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,90}") {
            if let Ok(known) = text.parse::<KnownBy>() {
                prop_assert_eq!(known.to_string().parse::<KnownBy>(), Ok(known));
            }
        }
    }
}
