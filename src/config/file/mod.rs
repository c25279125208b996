//! The policy file `cvm-verify.toml`: targets, what each must be, and defaults for all.
//!
//! [`PolicyFile::read`] reads it and collects every mistake; the keys are tables of their own, `keys/`.

mod error;
mod images;
mod keys;
mod read;
mod shape;
mod table;

#[cfg(test)]
mod contract_tests;
#[cfg(test)]
#[path = "tests/page.rs"]
mod page;
#[cfg(test)]
mod read_tests;
#[cfg(test)]
#[path = "tests/schema.rs"]
mod schema;

pub use error::{FileProblem, PolicyMistake, PolicyMistakes};
#[cfg(test)]
pub(crate) use keys::NOT_KEYS;
pub(crate) use keys::{
    OptionGroup, PIN_OPTIONS, PolicyKey, REPLAY_OPTIONS, RewordedOption, SWITCHES, SwitchOption, Typed,
    file_keys, keys, keys_without_option,
};
pub(crate) use shape::ValueShape;

use super::Settings;
use cvm_verify_core::toml_text::Position;

/// The name of the file that is looked for in the working folder.
pub const FILE_NAME: &str = "cvm-verify.toml";

/// Bytes of a policy file that are read. Real ones have a few thousand.
pub const MAX_FILE_BYTES: usize = 256 * 1024;

/// What a policy file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its path, as the user gave it.
    pub path: String,
    /// `[defaults]`.
    pub defaults: Settings,
    /// Every `[[target]]`, in the order of the file. Their names differ.
    pub targets: Vec<FileTarget>,
}

/// A `[[target]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileTarget {
    /// Its name.
    pub name: String,
    /// Where it begins.
    pub place: Position,
    /// What it sets itself, without the defaults.
    pub settings: Settings,
}
