//! Phala's own pre-launch scripts, of the built-in reference values.

use crate::reference::{ReferenceValues, ScriptRow};

/// The built-in row of the script with this hash, hex in lower case.
#[must_use]
pub fn known_prelaunch_script(sha256: &str) -> Option<&'static ScriptRow> {
    ReferenceValues::built_in().script(sha256)
}
