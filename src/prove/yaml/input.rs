//! The text of a document, as the parser is given it.
//!
//! libyaml reads a NUL behind the last character and its port reads nothing there, which ends the program in two
//! situations: a block scalar whose last line has no line break, and a tag that a comma follows. So the parser always
//! gets a final line break, which [`remove_added_break`] takes from a block scalar again, and never gets such a tag
//! ([`refuse_tag_before_comma`]).

use std::io::{self, BufRead, Read};

use libyaml_safer::{Encoding, Mark, Scanner, TokenData};

use super::problem::YamlProblem;

/// How many bytes the parser is given at once: it keeps what it is given as characters of four bytes.
const CHUNK: usize = 4096;

/// How many bytes the search for tags before commas may scan. Few documents hold any text that could be one.
const MAX_SEARCH: usize = 16 * 1024 * 1024;

/// A text and a final line break, where it has none.
pub(super) struct Input<'a> {
    /// What the parser has not consumed of the text.
    rest: &'a str,
    /// What it has not consumed of the added line break.
    added: &'static [u8],
}

impl<'a> Input<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let added: &[u8] = if is_open(text) { b"\n" } else { b"" };
        Self { rest: text, added }
    }
}

/// Whether the last line has no line break.
fn is_open(text: &str) -> bool {
    !text.is_empty() && !text.ends_with(['\n', '\r'])
}

/// The text without a last line that holds nothing but spaces. `None` for a text without such a line.
pub(super) fn without_last_spaces(text: &str) -> Option<&str> {
    let trimmed = text.trim_end_matches(' ');
    (trimmed.len() < text.len() && !is_open(trimmed)).then_some(trimmed)
}

/// Takes the added line break from a block scalar that ends with the text.
pub(super) fn remove_added_break(text: &str, end: Mark, scalar: &mut String) {
    let reaches_added = end.index > text.len() as u64;
    if is_open(text) && reaches_added && without_last_spaces(text).is_none() && scalar.ends_with('\n') {
        scalar.pop();
    }
}

impl BufRead for Input<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest.is_empty() {
            return Ok(self.added);
        }
        let mut end = self.rest.len().min(CHUNK);
        while !self.rest.is_char_boundary(end) {
            end += 1;
        }
        Ok(self.rest.as_bytes().get(..end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        if self.rest.is_empty() {
            self.added = self.added.get(amount..).unwrap_or_default();
        } else {
            self.rest = self.rest.get(amount..).unwrap_or_default();
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut from = self.fill_buf()?;
        let read = from.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

/// Refuses a tag that a comma follows, such as `[!!str, a]`.
pub(super) fn refuse_tag_before_comma(text: &str) -> Result<(), YamlProblem> {
    let mut budget = MAX_SEARCH;
    for (tag, comma) in Candidates::of(text) {
        let problem = |says: &str| {
            YamlProblem::at_byte(
                text,
                tag,
                says,
                "write the value behind the tag, or quote the text that begins with `!`",
            )
        };
        budget = budget
            .checked_sub(comma)
            .ok_or_else(|| problem("the document holds too much text of the form `!…,`"))?;
        if is_tag(text.get(..comma).unwrap_or_default(), tag as u64) {
            return Err(problem("a tag without a value"));
        }
    }
    Ok(())
}

/// Whether the last token of a text is a tag that begins at this byte.
fn is_tag(text: &str, at: u64) -> bool {
    let mut scanner = Scanner::new();
    scanner.set_encoding(Encoding::Utf8);
    scanner.set_input(Input::new(text));
    scanner
        .map_while(Result::ok)
        .any(|token| token.start_mark.index == at && matches!(token.data, TokenData::Tag { .. }))
}

/// The places of a text where a tag may end at a comma: a `!`, then no blank, then a comma. No token begins with `!`
/// right behind a letter or a digit.
struct Candidates<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Candidates<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
        }
    }
}

impl Iterator for Candidates<'_> {
    type Item = (usize, usize);

    fn next(&mut self) -> Option<(usize, usize)> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let mark = self.at + rest.iter().position(|byte| *byte == b'!')?;
            self.at = mark + 1;
            let before = mark.checked_sub(1).and_then(|before| self.bytes.get(before));
            if before.is_some_and(u8::is_ascii_alphanumeric) {
                continue;
            }
            let behind = self.bytes.get(mark..)?;
            // A tag in angle brackets may hold commas.
            let end = if behind.get(1) == Some(&b'<') {
                let close = behind
                    .iter()
                    .position(|byte| *byte == b'>' || byte.is_ascii_whitespace());
                close.map_or(behind.len(), |close| close + 1)
            } else {
                let end = behind
                    .iter()
                    .position(|byte| *byte == b',' || byte.is_ascii_whitespace());
                end.unwrap_or(behind.len())
            };
            if behind.get(end) == Some(&b',') {
                return Some((mark, mark + end));
            }
        }
    }
}
