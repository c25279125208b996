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
pub(crate) struct TextPage {
    text: String,
    color: bool,
    width: usize,
}

impl TextPage {
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
        self.pieces(lead, indent, ink, &pieces(text));
    }

    /// The same of an advice: a command between backticks is never broken, so that it can be copied. Only for the program's own
    /// words: a long piece may reach beyond the width.
    pub(crate) fn advice(&mut self, lead: &str, indent: usize, ink: Ink, text: &str) {
        self.pieces(lead, indent, ink, &pieces_of_advice(text));
    }

    fn pieces(&mut self, lead: &str, indent: usize, ink: Ink, pieces: &[String]) {
        let mut start = lead.to_owned();
        for line in wrap(pieces, self.width.saturating_sub(indent).max(MIN_COLUMN)) {
            let inked = self.ink(ink, &line);
            // Writing to a string cannot fail.
            let _ = writeln!(self.text, "{start}{inked}");
            start = " ".repeat(indent);
        }
    }
}

/// Joins pieces to lines of at most `width` characters. A longer piece stays whole, on a line of its own. At least one line.
fn wrap(pieces: &[String], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces {
        let room = width.saturating_sub(line.chars().count());
        if !line.is_empty() && piece.chars().count() >= room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(piece);
    }
    lines.push(line);
    lines
}

/// What a line is made of: words, and options joined with the word that follows. A hash can be copied, and so can an option with its
/// value.
fn pieces(text: &str) -> Vec<String> {
    joined(text, |word, _| {
        usize::from(word.starts_with("--") && word.ends_with(|c: char| c.is_ascii_alphanumeric()))
    })
}

/// The same, and each command between backticks as one piece.
fn pieces_of_advice(text: &str) -> Vec<String> {
    let is_mark = |word: &str| word.matches('`').count() % 2 == 1;
    joined(text, |word, behind| {
        let is_option = word.starts_with("--") && word.ends_with(|c: char| c.is_ascii_alphanumeric());
        match is_mark(word) {
            true => behind
                .iter()
                .position(|word| is_mark(word))
                .map_or(0, |at| at.saturating_add(1)),
            false => usize::from(is_option),
        }
    })
}

/// The words of a text, each joined with as many of the words behind it as `more` says.
fn joined(text: &str, more: impl Fn(&str, &[&str]) -> usize) -> Vec<String> {
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let mut pieces = Vec::new();
    let mut rest = words.as_slice();
    while let [word, behind @ ..] = rest {
        let (piece, next) = behind.split_at(more(word, behind).min(behind.len()));
        pieces.push([&[*word], piece].concat().join(" "));
        rest = next;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_stay_whole() {
        assert_eq!(wrap(&pieces("aa bb cc"), 5), ["aa bb", "cc"]);
        assert_eq!(wrap(&pieces("a 0123456789 b"), 5), ["a", "0123456789", "b"]);
        assert_eq!(wrap(&pieces(""), 5), [""]);
    }

    #[test]
    fn an_option_stays_with_its_value() {
        for pieces in [pieces, pieces_of_advice] {
            assert_eq!(
                wrap(&pieces("write --hash ab now"), 11),
                ["write", "--hash ab", "now"]
            );
            assert_eq!(wrap(&pieces("use --hash, then"), 11), ["use --hash,", "then"]);
            assert_eq!(wrap(&pieces("a --hash"), 11), ["a --hash"]);
        }
    }

    #[test]
    fn a_command_of_an_advice_is_never_broken() {
        assert_eq!(
            wrap(
                &pieces_of_advice("If so, run `go pin --to a` and see (`go on`). Or not."),
                12
            ),
            [
                "If so, run",
                "`go pin --to a`",
                "and see",
                "(`go on`).",
                "Or not."
            ]
        );
        assert_eq!(
            wrap(&pieces_of_advice("one ` mark and more"), 10),
            ["one ` mark", "and more"]
        );
        // Nobody else's words do that.
        assert_eq!(wrap(&pieces("`a b c d e`"), 6), ["`a b c", "d e`"]);
    }

    #[test]
    fn without_colour_no_escape_is_written() {
        assert_eq!(TextPage::new(80, false).ink(Ink::Red, "x"), "x");
        assert_eq!(
            TextPage::new(80, true).ink(Ink::Red, "x"),
            "\u{1b}[1;31mx\u{1b}[0m"
        );
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_word(text in "[a-z `-]{0,80}", width in 1_usize..30) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            prop_assert_eq!(words(&wrap(&pieces_of_advice(&text), width).join(" ")), words(&text));
        }
    }
}
