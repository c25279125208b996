//! Reference values: what OS images, key management services, start-up scripts and variables are known to be.
//!
//! [`ReferenceValues`] is all of it; [`OsImageRow`] is one of its rows.
//!
//! Each table is a file of `data/`, one row per fact with its source and its date; `built_in.rs` is made from them
//! (`tests/rust_source.rs`). A user adds rows with `--reference-values FILE` ([`ReferenceValues::with_file`]); no added row weakens a
//! built-in one.

mod add;
mod advisory;
mod archive;
#[rustfmt::skip]
mod built_in;
mod document;
mod error;
mod file;
mod kms;
mod kms_image;
mod limits;
mod nearest;
mod os_image;
mod risky_name;
mod row;
#[cfg(test)]
#[path = "tests/rust_source.rs"]
mod rust_source;
mod script;
mod value;
mod version;

use std::fmt;
use std::sync::{Arc, LazyLock};

use chrono::NaiveDate;

use crate::report::day;

pub(crate) use advisory::Advisory;
pub use error::{ReferenceError, ReferenceProblem};
pub(crate) use kms_image::KmsImageRow;
pub(crate) use os_image::VmShape;
pub use os_image::{OsClass, OsImageRow, Registers, Standing};
pub(crate) use risky_name::{RiskyName, RiskyNameMatch, RiskyNameReaders};
pub(crate) use script::ScriptRow;
pub use version::ReleaseVersion;

// For the program.
#[doc(hidden)]
pub use self::{
    advisory::Grade,
    kms::{GovernedBy, KmsRow},
    limits::MAX_FILE_BYTES,
    script::ScriptText,
};

use os_image::KnownFirmware;

/// After how many days reference values are old.
const OLD_AFTER_DAYS: i64 = 180;

static BUILT_IN: LazyLock<Arc<ReferenceValues>> =
    LazyLock::new(|| Arc::new(ReferenceValues::of_built_in_rows()));

/// What is known. The built-in tables, and the rows of a user's file.
#[derive(Clone)]
#[cfg_attr(test, derive(PartialEq))]
pub struct ReferenceValues {
    updated: NaiveDate,
    firmware: Vec<KnownFirmware>,
    images: Vec<Arc<OsImageRow>>,
    shapes: Vec<VmShape>,
    advisories: Vec<Advisory>,
    scripts: Vec<ScriptRow>,
    kms: Vec<KmsRow>,
    kms_images: Vec<KmsImageRow>,
    risky_names: Vec<RiskyName>,
    file_sha256: Option<[u8; 32]>,
    file_name: Option<String>,
}

impl Default for ReferenceValues {
    /// The built-in tables.
    fn default() -> Self {
        Self::clone(Self::built_in())
    }
}

/// Whose row it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RowOrigin {
    /// It comes with the program.
    #[default]
    BuiltIn,
    /// It is of the user's file: what relies on it is accepted in writing.
    File,
}

impl ReferenceValues {
    /// The built-in tables.
    #[must_use]
    pub fn built_in() -> &'static Arc<Self> {
        &BUILT_IN
    }

    /// The rows that a test has read from the documents of `data/`: nothing is parsed when the program starts.
    fn of_built_in_rows() -> Self {
        Self {
            updated: built_in::UPDATED.unwrap_or_default(),
            firmware: built_in::FIRMWARE.to_vec(),
            images: built_in::IMAGES.iter().cloned().map(Arc::new).collect(),
            shapes: built_in::SHAPES.to_vec(),
            advisories: built_in::ADVISORIES.to_vec(),
            scripts: built_in::SCRIPTS.to_vec(),
            kms: built_in::KMS.to_vec(),
            kms_images: built_in::KMS_IMAGES.to_vec(),
            risky_names: built_in::RISKY_NAMES.to_vec(),
            file_sha256: None,
            file_name: None,
        }
    }

    #[cfg(test)]
    fn empty() -> Self {
        Self {
            updated: NaiveDate::MIN,
            firmware: Vec::new(),
            images: Vec::new(),
            shapes: Vec::new(),
            advisories: Vec::new(),
            scripts: Vec::new(),
            kms: Vec::new(),
            kms_images: Vec::new(),
            risky_names: Vec::new(),
            file_sha256: None,
            file_name: None,
        }
    }

    /// The day on which their sources were last read.
    #[must_use]
    pub const fn updated(&self) -> NaiveDate {
        self.updated
    }

    /// SHA-256 of the user's file; absent for the built-in tables alone.
    #[must_use]
    pub const fn file_sha256(&self) -> Option<&[u8; 32]> {
        self.file_sha256.as_ref()
    }

    /// How messages call the user's file; absent for the built-in tables alone.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// How many days old they are at a time in Unix seconds, where that is more than half a year.
    #[must_use]
    pub(crate) fn days_old(&self, at: u64) -> Option<i64> {
        let days = (day(at)? - self.updated).num_days();
        (days > OLD_AFTER_DAYS).then_some(days)
    }
}

/// The user's file and the date say which tables they are. A policy's description is made of it.
impl fmt::Debug for ReferenceValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReferenceValues")
            .field("updated", &self.updated)
            .field("file_sha256", &self.file_sha256.map(hex::encode))
            .finish()
    }
}

#[cfg(test)]
mod tests;
