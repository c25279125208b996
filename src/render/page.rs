//! Lines on a page of fixed width: wrapping, indentation, colour. Knows nothing of reports.

use std::fmt::Write as _;

/// Narrower than this is not wrapped for: words would stand one to a line.
const MIN_COLUMN: usize = 24;

/// The colours in use. Words carry the meaning; colour only repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As it is.
    Plain,
    /// Headings.
    Bold,
    /// What need not be read.
    Dim,
    /// Right.
    Green,
    /// To be looked at, or not determined.
    Yellow,
    /// Wrong.
    Red,
}

impl Ink {
    /// The parameters of the SGR sequence that switches it on.
    const fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("1"),
            Self::Dim => Some("2"),
            Self::Green => Some("1;32"),
            Self::Yellow => Some("1;33"),
            Self::Red => Some("1;31"),
        }
    }
}

/// A page that is written line by line. What is put on it must be escaped already.
#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    color: bool,
    width: usize,
}

impl Page {
    /// An empty page. `width` is in characters.
    pub(crate) const fn new(width: usize, color: bool) -> Self {
        Self {
            text: String::new(),
            color,
            width,
        }
    }

    /// The page as written so far.
    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// `text` in a colour, where the page has colours.
    pub(crate) fn ink(&self, ink: Ink, text: &str) -> String {
        match ink.sgr() {
            Some(sgr) if self.color => format!("\u{1b}[{sgr}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }

    /// An empty line.
    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// One line, never wrapped.
    pub(crate) fn line(&mut self, ink: Ink, text: &str) {
        let line = self.ink(ink, text);
        self.text.push_str(line.trim_end_matches(' '));
        self.text.push('\n');
    }

    /// A paragraph, each of its lines indented by `indent`.
    pub(crate) fn paragraph(&mut self, indent: usize, ink: Ink, text: &str) {
        self.hanging(&" ".repeat(indent), indent, ink, text);
    }

    /// A paragraph that begins behind `lead`, which is `indent` characters wide (colours apart), and whose further
    /// lines are indented by as much.
    pub(crate) fn hanging(&mut self, lead: &str, indent: usize, ink: Ink, text: &str) {
        let mut start = lead.to_owned();
        for line in wrap(text, self.width.saturating_sub(indent).max(MIN_COLUMN)) {
            let inked = self.ink(ink, &line);
            // Writing to a string cannot fail.
            let _ = writeln!(self.text, "{start}{inked}");
            start = " ".repeat(indent);
        }
    }
}

/// Breaks `text` at spaces into lines of at most `width` characters. A longer word stays whole, so that a hash can be
/// copied, and so does an option with its value. At least one line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        let room = width.saturating_sub(line.chars().count());
        if !line.is_empty() && piece.chars().count() >= room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&piece);
    }
    lines.push(line);
    lines
}

/// What a line is made of: words, and options joined with the word that follows.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut joins = false;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match pieces.last_mut() {
            Some(last) if joins => {
                last.push(' ');
                last.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
        joins = !joins && word.starts_with("--") && word.ends_with(|c: char| c.is_ascii_alphanumeric());
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("a 0123456789 b", 5), ["a", "0123456789", "b"]);
        assert_eq!(wrap("", 5), [""]);
    }

    #[test]
    fn an_option_stays_with_its_value() {
        assert_eq!(wrap("write --hash ab now", 11), ["write", "--hash ab", "now"]);
        assert_eq!(wrap("use --hash, then", 11), ["use --hash,", "then"]);
    }

    #[test]
    fn without_colour_no_escape_is_written() {
        assert_eq!(Page::new(80, false).ink(Ink::Red, "x"), "x");
        assert_eq!(Page::new(80, true).ink(Ink::Red, "x"), "\u{1b}[1;31mx\u{1b}[0m");
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_word(text in "[a-z -]{0,80}", width in 1_usize..30) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&wrap(&text, width).join(" ")), words(&text));
        }
    }
}
