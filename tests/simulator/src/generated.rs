//! Files of the repository that tests make.

use std::path::Path;

/// Asserts that a file holds exactly `text`. With `UPDATE_GENERATED=1` it is written instead. `tests` are the arguments of the
/// `cargo test` that does so.
///
/// # Panics
///
/// If it does not, or cannot be written.
pub fn assert_generated(file: &Path, text: &str, tests: &str) {
    if std::env::var_os("UPDATE_GENERATED").is_some_and(|value| value == "1") {
        std::fs::create_dir_all(file.parent().expect("a file is in a folder"))
            .expect("a folder that can be made");
        std::fs::write(file, text).expect("a file that can be written");
        return;
    }
    let found = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        found == text,
        "{} is out of date: run `UPDATE_GENERATED=1 cargo test {tests}` and commit it",
        file.display()
    );
}
