//! How an inspection looks: sections of aligned fields with explanations. Everything on it is escaped here.

use std::fmt::Display;

use serde::Serialize;

use crate::render::escape::terminal;
use crate::render::page::{Ink, TextPage as Lines};

/// Columns before a value.
const VALUE: usize = 26;

/// Columns before an explanation.
const NOTE: usize = 28;

/// Characters of one value. The longest honest one is a `key-provider` payload of about 210.
const MAX_VALUE: usize = 400;

/// Characters of one line of a text.
const MAX_LINE: usize = 2_000;

/// Lines of all texts together that are shown. A compose document has some hundred.
const MAX_TEXT_LINES: usize = 5_000;

/// The page so far, as text for people and in parts for machines.
pub(super) struct Page {
    lines: Lines,
    sections: Vec<Section>,
    text_lines: usize,
}

/// A section, for machines. Its values are whole, and not escaped but by the format that they are written in.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    title: String,
    fields: Vec<Field>,
}

#[derive(Debug, Serialize)]
struct Field {
    name: String,
    values: Vec<String>,
    notes: Vec<Note>,
}

#[derive(Debug, Serialize)]
struct Note {
    text: String,
    /// Whether it is worth a second look.
    marked: bool,
}

impl Page {
    /// A page with its first lines. Explanations are wrapped at `width`. Values are not: people copy them.
    pub(super) fn new(first: &str, second: &str, width: usize) -> Self {
        let mut page = Self {
            lines: Lines::new(width, false),
            sections: Vec::new(),
            text_lines: 0,
        };
        for line in [first, second] {
            page.lines.hanging("", 0, Ink::Plain, line);
        }
        page
    }

    fn last_field(&mut self) -> Option<&mut Field> {
        self.sections.last_mut()?.fields.last_mut()
    }

    /// A text of several lines, whole, each line behind a bar: no line of an untrusted party's begins where a field stands.
    pub(super) fn block(&mut self, name: &str, text: &str) {
        self.lines.blank();
        self.push(&format!("  {}:", safe(name)));
        let mut lines = text.lines();
        for line in lines.by_ref().take(MAX_TEXT_LINES - self.text_lines) {
            self.push(&format!("  | {}", terminal(&cut(line, MAX_LINE))));
            self.text_lines += 1;
        }
        match lines.count() {
            0 => {}
            more => self.push(&format!(
                "  … and {more} more lines; --format json has all of them"
            )),
        }
        if let Some(section) = self.sections.last_mut() {
            section.fields.push(Field {
                name: name.to_owned(),
                values: vec![text.to_owned()],
                notes: Vec::new(),
            });
        }
    }

    /// Begins a section.
    pub(super) fn section(&mut self, title: &str) {
        self.lines.blank();
        self.push(title);
        self.sections.push(Section {
            title: title.to_owned(),
            fields: Vec::new(),
        });
    }

    /// A field and its value.
    pub(super) fn field(&mut self, name: &str, value: impl Display) -> &mut Self {
        let value = value.to_string();
        let line = format!("  {:<width$} {}", safe(name), safe(&value), width = VALUE - 3);
        self.push(&line);
        if let Some(section) = self.sections.last_mut() {
            section.fields.push(Field {
                name: name.to_owned(),
                values: vec![value],
                notes: Vec::new(),
            });
        }
        self
    }

    /// A field whose value is one of several lines.
    pub(super) fn item(&mut self, value: impl Display) -> &mut Self {
        let value = value.to_string();
        let line = format!("{:VALUE$}{}", "", safe(&value));
        self.push(&line);
        if let Some(field) = self.last_field() {
            field.values.push(value);
        }
        self
    }

    /// The items of a list, at most `most` of them.
    pub(super) fn items<T: Display>(&mut self, items: impl IntoIterator<Item = T>, most: usize) {
        let mut items = items.into_iter();
        for item in items.by_ref().take(most) {
            self.item(item);
        }
        self.more(items.count());
    }

    /// Says how many items were left out, if any.
    pub(super) fn more(&mut self, count: usize) {
        if count > 0 {
            self.item(format!("… and {count} more"));
        }
    }

    /// Explains the field above.
    pub(super) fn note(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.wrapped(' ', text.as_ref());
        self
    }

    /// Explains the field above, and marks it.
    pub(super) fn mark(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.wrapped('!', text.as_ref());
        self
    }

    /// [`Page::mark`] or [`Page::note`].
    pub(super) fn note_or_mark(&mut self, marked: bool, text: impl AsRef<str>) -> &mut Self {
        self.wrapped(if marked { '!' } else { ' ' }, text.as_ref());
        self
    }

    /// A note where it `is_usual`, and a mark otherwise.
    pub(super) fn note_if(&mut self, is_usual: bool, note: &str, mark: &str) -> &mut Self {
        self.note_or_mark(!is_usual, if is_usual { note } else { mark })
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        self.lines.into_text()
    }

    /// Its sections.
    pub(super) fn into_sections(self) -> Vec<Section> {
        self.sections
    }

    fn wrapped(&mut self, margin: char, text: &str) {
        if let Some(field) = self.last_field() {
            field.notes.push(Note {
                text: text.to_owned(),
                marked: margin == '!',
            });
        }
        // A note may quote several values, so that it is longer than one.
        let text = terminal(&cut(text, 3 * MAX_VALUE)).into_owned();
        let lead = format!("{margin}{:width$}", "", width = NOTE - 1);
        self.lines.hanging(&lead, NOTE, Ink::Plain, &text);
    }

    fn push(&mut self, line: &str) {
        self.lines.line(Ink::Plain, line);
    }
}

/// A value as it may be printed.
fn safe(value: &str) -> String {
    terminal(&cut(value, MAX_VALUE)).into_owned()
}

/// At most `most` characters of a text, and how many are missing.
pub(super) fn cut(text: &str, most: usize) -> String {
    let mut kept: String = text.chars().take(most).collect();
    let missing = text.chars().count().saturating_sub(most);
    if missing > 0 {
        kept.push_str(&format!(" … and {missing} more characters"));
    }
    kept
}

/// Bytes in hex; of more than 16 the first eight and the last four digits.
pub(super) fn short_hex(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    match (digits.get(..8), digits.get(digits.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) if bytes.len() > 16 => format!("{first}…{last}"),
        _ => digits,
    }
}

/// `1 event`, `2 events`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_align_notes_wrap_and_marks_stand_in_the_margin() {
        let mut page = Page::new("first", "second", 110);
        page.section("TITLE");
        page.field("Name", "value").note("word ".repeat(30)).mark("look");
        page.items(["a", "b", "c"], 2);
        insta::assert_snapshot!(page.finish());
    }

    #[test]
    fn a_long_value_is_cut_and_nothing_leaves_its_line() {
        let mut page = Page::new("", "", 110);
        page.field("a\nb", "x".repeat(1000))
            .item("\x1b[2J\n")
            .note("\r\n!");
        let text = page.finish();
        assert!(text.contains("… and 600 more characters"));
        assert!(text.contains("a\\nb") && text.contains("\\u{1b}[2J\\n") && text.contains("\\r\\n!"));
        assert_eq!(text.lines().count(), 5);
    }
}
