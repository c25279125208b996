//! The value of `--insecure-trust-root`: which built-in certificate a file replaces.

use std::path::PathBuf;
use std::str::FromStr;

/// A built-in root certificate that can be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltInRoot {
    /// Intel's SGX root CA, for quotes and collateral.
    Intel,
    /// NVIDIA's device identity root, for GPUs and switches.
    Nvidia,
    /// NVIDIA's intermediates, for the tokens of its remote attestation service.
    Nras,
}

/// A file that takes the place of a built-in root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplacedRoot {
    pub which: BuiltInRoot,
    pub path: PathBuf,
}

/// A value without a file.
#[derive(Debug, thiserror::Error)]
#[error("the file is missing; write FILE for Intel's root, or nvidia=FILE for NVIDIA's")]
pub struct NoFile;

impl BuiltInRoot {
    /// Whose it is.
    pub const fn owner(self) -> &'static str {
        match self {
            Self::Intel => "Intel",
            Self::Nvidia => "NVIDIA",
            Self::Nras => "NVIDIA's attestation service",
        }
    }
}

impl FromStr for ReplacedRoot {
    type Err = NoFile;

    fn from_str(text: &str) -> Result<Self, NoFile> {
        let named = [
            ("intel=", BuiltInRoot::Intel),
            ("nvidia=", BuiltInRoot::Nvidia),
            ("nras=", BuiltInRoot::Nras),
        ];
        let (which, path) = named
            .into_iter()
            .find_map(|(prefix, which)| Some((which, text.strip_prefix(prefix)?)))
            .unwrap_or((BuiltInRoot::Intel, text));
        if path.is_empty() {
            return Err(NoFile);
        }
        Ok(Self {
            which,
            path: PathBuf::from(path),
        })
    }
}
