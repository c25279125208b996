//! This program: its version, and the commit that it was built from.

use cvm_verify_core::report::Tool;

/// This program.
pub(super) fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git: env!("CVM_VERIFY_GIT").to_owned(),
    }
}
