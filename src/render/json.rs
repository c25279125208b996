//! The report for machines: `cvm-verify/report/v1`.

use std::fmt::Write as _;

use serde::Serialize;

use super::escape::{is_plain, opens_command};
use cvm_verify_core::report::Report;

/// The report as indented JSON, with a final newline.
///
/// It may be printed to a terminal or a CI log: characters that act or deceive, and openings of workflow commands,
/// are written as JSON's own `\uXXXX`. A parser reads the same values.
#[must_use]
pub fn json(report: &Report) -> String {
    safe(report)
}

/// Any document of ours by the same rule.
pub(crate) fn safe(document: &impl Serialize) -> String {
    // Serialising plain structs with string keys cannot fail; an empty document would be refused by every reader.
    let mut text = escaped(&serde_json::to_string_pretty(document).unwrap_or_default());
    text.push('\n');
    text
}

/// Any document of ours on one line, without a line feed.
pub(crate) fn safe_line(document: &impl Serialize) -> String {
    escaped(&serde_json::to_string(document).unwrap_or_default())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 1);
    for (position, c) in text.char_indices() {
        let rest = text.get(position..).unwrap_or_default();
        if (c == '\n' || is_plain(c)) && !opens_command(rest) {
            safe.push(c);
        } else {
            // Outside strings JSON is ASCII without `#`, so this is inside one, and no part of an escape.
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        }
    }
    safe
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
