//! Options of `reference` and `completions`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use clap_complete::Shell;

#[derive(Debug, Args)]
pub struct ReferenceArgs {
    /// Which table.
    #[arg(value_name = "TABLE", value_enum)]
    pub table: ReferenceTable,
    /// A file of reference values (TOML), whose rows are listed too.
    #[arg(long, value_name = "FILE")]
    pub reference_values: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReferenceTable {
    /// OS images, with their vulnerabilities: --os-image takes their names and hashes.
    OsImages,
    /// Key management services: --key-provider takes their names.
    Kms,
    /// Texts of the pre-launch script.
    Scripts,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell: its completion script is printed.
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}
