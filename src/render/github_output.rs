//! The outputs as GitHub reads them from the file `GITHUB_OUTPUT`.

use std::fmt::Write as _;

use super::outputs::Output;

/// The line that ends a value: random, so that nobody can have written it beforehand (threat T52).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimiter(String);

impl Delimiter {
    /// From 16 random bytes of the operating system, fresh for each file.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        Self(format!("cvm_verify_{}", hex::encode(random)))
    }
}

/// The text to append to the file `GITHUB_OUTPUT`: `name<<DELIMITER`, the value, the delimiter.
///
/// A value that holds the delimiter, which nobody can know, is left empty.
#[must_use]
pub fn github_output(outputs: &[Output], delimiter: &Delimiter) -> String {
    let end = &delimiter.0;
    let mut text = String::new();
    for output in outputs {
        let value = Some(output.value()).filter(|value| !value.contains(end.as_str()));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{}<<{end}\n{}\n{end}",
            output.name(),
            value.unwrap_or_default()
        );
    }
    text
}
