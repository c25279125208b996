//! The text of a document, as the parser is given it.
//!
//! libyaml reads a NUL behind the last character and its port reads nothing there, which ends the program in two
//! situations: a block scalar whose last line has no line break, and a tag that a comma follows. So the parser always
//! gets a final line break, which [`remove_added_break`] takes from a block scalar again, and never gets such a tag
//! ([`refuse_tag_before_comma`]).

use std::io::{self, BufRead, Read};

use libyaml_safer::{Encoding, Error, Mark, ScalarStyle, Scanner, TokenData};

use super::problem::YamlProblem;

/// How many bytes the parser is given at once: it keeps what it is given as characters of four bytes.
const CHUNK: usize = 4096;

/// Stands for a comma. It may not follow a tag, and means nothing in any other place.
const NEUTRAL: u8 = b'^';

/// How many bytes the search for tags before commas may scan again.
const MAX_SEARCH: usize = 4 * 1024 * 1024;

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
///
/// Most commas behind a `!` are inside a text, where another character in their place changes no token. So all of them
/// are replaced by one that may not follow a tag, and the scanner says whether one does.
pub(super) fn refuse_tag_before_comma(text: &str) -> Result<(), YamlProblem> {
    let mut neutral = text.as_bytes().to_vec();
    let mut found = false;
    for (_, comma) in Candidates::of(text) {
        if let Some(byte) = neutral.get_mut(comma) {
            (*byte, found) = (NEUTRAL, true);
        }
    }
    let neutral = match String::from_utf8(neutral) {
        Ok(neutral) if found => neutral,
        _ => return Ok(()),
    };
    let mut flow_level = 0_usize;
    let mut reached = Mark::default();
    for token in scanner(&neutral) {
        let token = match token {
            Ok(token) => token,
            Err(error) => {
                return match tag_of(&error) {
                    Some(tag) if Candidates::begins_at(text, tag) => Err(tag_without_value(text, tag)),
                    _ => refuse_one_by_one(text, || YamlProblem::of_parser(&error, reached)),
                };
            }
        };
        reached = token.end_mark;
        match token.data {
            TokenData::FlowSequenceStart | TokenData::FlowMappingStart => flow_level += 1,
            TokenData::FlowSequenceEnd | TokenData::FlowMappingEnd => {
                flow_level = flow_level.saturating_sub(1);
            }
            // Between brackets a comma ends a plain text.
            TokenData::Scalar {
                style: ScalarStyle::Plain,
                ..
            } if flow_level > 0 => {
                let (start, end) = (token.start_mark.index as usize, token.end_mark.index as usize);
                if text.get(start..end) != neutral.get(start..end) {
                    return refuse_one_by_one(text, || {
                        let says = "a `!` in a text between brackets that has no quotation marks";
                        YamlProblem::at(token.start_mark, says, "quote the text")
                    });
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The same, each candidate on its own. The text before it is scanned again for each, so there may be few.
fn refuse_one_by_one(text: &str, too_many: impl FnOnce() -> YamlProblem) -> Result<(), YamlProblem> {
    let mut budget = MAX_SEARCH;
    for (tag, comma) in Candidates::of(text) {
        match budget.checked_sub(comma) {
            Some(left) => budget = left,
            None => return Err(too_many()),
        }
        let mut until = text.get(..comma).unwrap_or_default().to_owned();
        until.push(char::from(NEUTRAL));
        let error = scanner(&until).find_map(Result::err);
        if error.and_then(|error| tag_of(&error)) == Some(tag) {
            return Err(tag_without_value(text, tag));
        }
    }
    Ok(())
}

/// Where the tag begins that is followed by what may not follow a tag.
fn tag_of(error: &Error) -> Option<usize> {
    (error.context() == Some("while scanning a tag"))
        .then(|| error.context_mark().map(|mark| mark.index as usize))
        .flatten()
}

fn tag_without_value(text: &str, at: usize) -> YamlProblem {
    let fix = "write the value behind the tag, or quote the text that begins with `!`";
    YamlProblem::at_byte(text, at, "a tag without a value", fix)
}

fn scanner(text: &str) -> Scanner<Input<'_>> {
    let mut scanner = Scanner::new();
    scanner.set_encoding(Encoding::Utf8);
    scanner.set_input(Input::new(text));
    scanner
}

/// The places of a text where a tag may end at a comma: a `!`, then no blank, then a comma. No token begins with `!`
/// right behind a letter or a digit.
struct Candidates<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next comma or blank, and the next `>` or blank: good for every `!` before them.
    comma: usize,
    close: usize,
}

impl<'a> Candidates<'a> {
    fn of(text: &'a str) -> Self {
        Self {
            bytes: text.as_bytes(),
            at: 0,
            comma: 0,
            close: 0,
        }
    }

    /// Whether one begins at this byte.
    fn begins_at(text: &'a str, at: usize) -> bool {
        let mut from = Self::of(text);
        from.at = at;
        text.as_bytes().get(at) == Some(&b'!') && from.next().is_some_and(|(tag, _)| tag == at)
    }

    /// The next byte from `from` on that is `wanted` or a blank.
    fn next_of(&self, from: usize, wanted: u8) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        let found = rest
            .iter()
            .position(|byte| *byte == wanted || byte.is_ascii_whitespace());
        from + found.unwrap_or(rest.len())
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
            // A tag in angle brackets may hold commas.
            let end = if self.bytes.get(mark + 1) == Some(&b'<') {
                if self.close <= mark {
                    self.close = self.next_of(mark, b'>');
                }
                self.close + 1
            } else {
                if self.comma <= mark {
                    self.comma = self.next_of(mark, b',');
                }
                self.comma
            };
            if self.bytes.get(end) == Some(&b',') {
                return Some((mark, end));
            }
        }
    }
}
