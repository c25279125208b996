//! How an OS image was known when it was locked.

use std::fmt;
use std::str::FromStr;

use crate::evidence::parse_user_hex;

/// How an OS image was known when it was locked: a claim of the lock's author. It counts as proof if a run confirms it; otherwise
/// the image is accepted in writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownBy {
    /// Its registers are those of a row of the table.
    Row,
    /// By the measurement document under this published os_image_hash, 32 bytes.
    PublishedHash([u8; 32]),
    /// Its registers were computed from files; SHA-256 of their checksum file, 32 bytes.
    Files([u8; 32]),
    /// The same, and the files say that it is a development image.
    DevelopmentFiles([u8; 32]),
    /// By nothing: its registers were taken as they are.
    Unknown,
}

/// A value that is none of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is none of row, published-hash HASH, files HASH, development-files HASH, unknown")]
pub struct KnownByError;

impl KnownBy {
    /// The hash that it names, 32 bytes: a claim, which a run confirms or not.
    #[must_use]
    pub const fn hash(&self) -> Option<&[u8; 32]> {
        match self {
            Self::PublishedHash(hash) | Self::Files(hash) | Self::DevelopmentFiles(hash) => Some(hash),
            Self::Row | Self::Unknown => None,
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
            Some(("development-files", rest)) => hash(rest).map(Self::DevelopmentFiles),
            Some(("files", rest)) => hash(rest).map(Self::Files),
            _ => Err(KnownByError),
        }
    }
}

impl fmt::Display for KnownBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row => f.write_str("row"),
            Self::PublishedHash(hash) => write!(f, "published-hash {}", hex::encode(hash)),
            Self::DevelopmentFiles(hash) => write!(f, "development-files {}", hex::encode(hash)),
            Self::Files(hash) => write!(f, "files {}", hex::encode(hash)),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_all_else_is_refused() {
        for known in [
            KnownBy::Row,
            KnownBy::PublishedHash([0xab; 32]),
            KnownBy::Files([1; 32]),
            KnownBy::DevelopmentFiles([1; 32]),
            KnownBy::Unknown,
        ] {
            assert_eq!(known.to_string().parse(), Ok(known));
        }
        for text in [
            "",
            "rows",
            "row ab",
            "published-hash",
            "published-hash abcd",
            "files",
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
