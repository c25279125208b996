//! How much of a text changed, in words.

use cvm_verify_core::compose::{TextDiff, UnseenDifference};

/// How much of a text changed.
pub(super) fn lines(diff: &TextDiff) -> String {
    match (diff.only, diff.changed_lines()) {
        (Some(UnseenDifference::LineEnds), _) => "only in line ends".to_owned(),
        (Some(UnseenDifference::FinalLineEnd), _) => "only in the line ends at its very end".to_owned(),
        (Some(UnseenDifference::ByteOrderMark), _) => "only in a byte order mark".to_owned(),
        (None, 1) => "1 line".to_owned(),
        (None, count) => format!("{count} lines"),
    }
}
