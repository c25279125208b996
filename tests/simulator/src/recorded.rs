//! Evidence that was recorded from real hardware and services. Its licences differ, so it is beside the repository and not in it:
//! in the folder that `CVM_VERIFY_VECTORS` names, or `../shared/vectors`. A test that finds no such folder checks
//! nothing, which `.ci/run` says; in a folder that is there, what a test reads must be.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of all of it, where it is present.
///
/// # Panics
///
/// If `CVM_VERIFY_VECTORS` names no folder.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub fn folder() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CVM_VERIFY_VECTORS").map(PathBuf::from) {
        assert!(
            named.is_dir(),
            "CVM_VERIFY_VECTORS names no folder: {}",
            named.display()
        );
        return Some(named);
    }
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    if !beside.is_dir() {
        eprintln!("skipped: no recorded evidence; name its folder in CVM_VERIFY_VECTORS");
        return None;
    }
    Some(beside)
}

/// A recorded file, by its path in the folder.
///
/// # Panics
///
/// If the folder is there and the file is not.
pub fn bytes(path: &str) -> Option<Vec<u8>> {
    let file = folder()?.join(path);
    Some(std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// Whether a recorded file is present: lists of what was expected name some that are not kept.
pub fn is_present(path: &str) -> bool {
    folder().is_some_and(|folder| folder.join(path).is_file())
}

/// A recorded text in UTF-8.
pub fn text(path: &str) -> Option<String> {
    bytes(path).map(|bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// A recorded JSON document.
pub fn json(path: &str) -> Option<Value> {
    bytes(path).map(|bytes| serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{path}: {error}")))
}
