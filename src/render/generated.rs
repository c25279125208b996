//! Files in the repository that are made from the program's own types and words.

use std::path::Path;

/// Asserts that a file of the repository holds exactly `text`. With `UPDATE_GENERATED=1` it is written instead.
pub(super) fn assert_generated(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        return;
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        found == text,
        "{path} is out of date: run `UPDATE_GENERATED=1 cargo test --lib render` and commit it"
    );
}
