//! `cvm-verify os-image`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct OsImageArgs {
    /// A folder with the unpacked files of the image, or its archive (TAR, plain or compressed with gzip).
    #[arg(value_name = "DIR|TAR")]
    pub path: PathBuf,
    /// What to print.
    #[arg(long, value_enum, default_value_t = OsImageFormat::Text)]
    pub format: OsImageFormat,
    /// A file of reference values (TOML) to look the image up in, in addition to the built-in ones.
    #[arg(long, value_name = "FILE")]
    pub reference_values: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OsImageFormat {
    /// For people, with a row for a file of reference values and entries for a lock.
    Text,
    /// cvm-verify/os-image/v1.
    Json,
}

/// After the help of `os-image`.
pub const OS_IMAGE_CODES: &str =
    "Exit codes: 0 measured, 1 the files contradict each other, 2 usage error, or the files cannot be read.";
