//! What changed from one text to another, as a unified diff: bounded in lines, width and time, printable ASCII.

mod edits;
mod unified;
mod visible_part;

use edits::{LineEdit, edits};
use unified::unified;
pub(crate) use visible_part::visible_part;

/// Lines of a diff that are shown.
pub const MAX_DIFF_LINES: usize = 40;

/// What changed from one text to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDiff {
    /// The unified diff, printable ASCII: at most [`MAX_DIFF_LINES`] lines and one that says how many are left out.
    pub lines: Vec<String>,
    /// Lines of the old text that are not in the new one.
    pub removed: usize,
    /// Lines of the new text that are not in the old one.
    pub added: usize,
    /// What is the only difference, where it is one that nobody sees.
    pub only: Option<UnseenDifference>,
}

/// A difference of bytes that an editor does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnseenDifference {
    /// CRLF here, LF there.
    LineEnds,
    /// One ends with a line end, the other does not, or with more of them.
    FinalLineEnd,
    /// One begins with a byte order mark.
    ByteOrderMark,
}

impl TextDiff {
    /// Compares two texts. Takes time in proportion to their length, at most 2^20 comparisons of lines, and memory of at
    /// most twice their length and 16 MiB.
    #[must_use]
    pub fn of(old: &str, new: &str) -> Self {
        let edits = edits(old, new);
        let count =
            |wanted: fn(&LineEdit<'_>) -> bool| edits.listed.iter().filter(|edit| wanted(edit)).count();
        let (removed, added) = (
            count(|edit| matches!(edit, LineEdit::Removed(_))) + edits.more_removed,
            count(|edit| matches!(edit, LineEdit::Added(_))) + edits.more_added,
        );
        Self {
            lines: unified(&edits),
            removed,
            added,
            only: unseen(old, new),
        }
    }

    /// How many lines changed, as people count: a replaced line is one.
    #[must_use]
    pub fn changed_lines(&self) -> usize {
        self.removed.max(self.added)
    }
}

fn unseen(old: &str, new: &str) -> Option<UnseenDifference> {
    let unix = |text: &str| text.replace("\r\n", "\n");
    let end = |text: &str| text.trim_end_matches(['\r', '\n']).to_owned();
    let mark = |text: &str| text.trim_start_matches('\u{feff}').to_owned();
    if old == new {
        None
    } else if unix(old) == unix(new) {
        Some(UnseenDifference::LineEnds)
    } else if end(old) == end(new) {
        Some(UnseenDifference::FinalLineEnd)
    } else if mark(old) == mark(new) {
        Some(UnseenDifference::ByteOrderMark)
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
