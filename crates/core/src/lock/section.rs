//! A TOML table that is read key by key; what is left over at the end is unknown.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{LockError, LockProblem};
use crate::evidence::parse_user_hex;
use crate::toml_text::literal::key as toml_key;
use crate::toml_text::{LineIndex, nearest};

/// The file that is read.
#[derive(Clone, Copy)]
pub(super) struct Source<'t> {
    path: &'t str,
    lines: &'t LineIndex<'t>,
}

/// For errors about a file as a whole.
static NO_LINES: LineIndex<'static> = LineIndex::NONE;

impl<'t> Source<'t> {
    /// A file of these lines.
    pub(super) const fn new(path: &'t str, lines: &'t LineIndex<'t>) -> Self {
        Self { path, lines }
    }

    /// A file whose text says nothing about the error.
    pub(super) fn without_text(path: &'t str) -> Self {
        Self {
            path,
            lines: &NO_LINES,
        }
    }

    /// Its text.
    pub(super) const fn text(self) -> &'t str {
        self.lines.text()
    }

    /// An error about the whole file.
    pub(super) fn error(self, problem: LockProblem) -> LockError {
        LockError {
            path: self.path.to_owned(),
            place: None,
            key: None,
            problem,
            others: Vec::new(),
            unnamed: 0,
        }
    }

    /// An error at a byte of the file.
    pub(super) fn error_at(self, byte: usize, key: Option<String>, problem: LockProblem) -> LockError {
        LockError {
            place: Some(self.lines.position(byte)),
            key,
            ..self.error(problem)
        }
    }
}

/// A table of the file.
pub(super) struct Section<'t> {
    source: Source<'t>,
    /// Its name, empty for the whole file.
    name: String,
    at: usize,
    entries: DeTable<'t>,
}

/// A value of the file.
pub(super) struct Entry<'t> {
    pub(super) source: Source<'t>,
    /// Its key with the section's name.
    pub(super) key: String,
    at: usize,
    pub(super) value: DeValue<'t>,
}

impl<'t> Section<'t> {
    /// The whole file.
    pub(super) fn root(source: Source<'t>, entries: DeTable<'t>) -> Self {
        Self {
            source,
            name: String::new(),
            at: 0,
            entries,
        }
    }

    /// A section that is an item of a list.
    pub(super) fn of_item(source: Source<'t>, name: String, at: usize, entries: DeTable<'t>) -> Self {
        Self {
            source,
            name,
            at,
            entries,
        }
    }

    /// An error about a key that the section needs.
    pub(super) fn missing(&self, key: &str, problem: LockProblem) -> LockError {
        let key = Some(self.path_of(key));
        self.source.error_at(self.at, key, problem)
    }

    /// Takes the value of a key.
    pub(super) fn take(&mut self, key: &str) -> Option<Entry<'t>> {
        let value = self.entries.remove(key)?;
        Some(self.entry(key, value))
    }

    /// Takes the value of a key as hex of `N` bytes.
    pub(super) fn take_hex<const N: usize>(&mut self, key: &str) -> Result<Option<[u8; N]>, LockError> {
        self.take(key).map(|entry| entry.hex()).transpose()
    }

    /// Takes a section of the whole file.
    pub(super) fn take_section(&mut self, key: &str) -> Result<Option<Section<'t>>, LockError> {
        self.take(key).map(Entry::section).transpose()
    }

    /// Takes a key that the section needs.
    pub(super) fn need_hex<const N: usize>(&mut self, key: &str) -> Result<[u8; N], LockError> {
        self.take_hex(key)?
            .ok_or_else(|| self.missing(key, LockProblem::Missing))
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self, known: &'static [&'static str]) -> Vec<LockError> {
        let unknown = self.entries.keys().map(|key| {
            let problem = LockProblem::UnknownKey {
                near: nearest(key.get_ref(), known.iter().copied()),
                known,
            };
            let path = self.path_of(key.get_ref());
            self.source.error_at(key.span().start, Some(path), problem)
        });
        unknown.collect()
    }

    /// Every entry with its name.
    pub(super) fn into_entries(mut self) -> Vec<(String, Entry<'t>)> {
        std::mem::take(&mut self.entries)
            .into_iter()
            .map(|(key, value)| {
                let name = name_of(&key);
                let entry = self.entry(&name, value);
                (name, entry)
            })
            .collect()
    }

    fn entry(&self, key: &str, value: Spanned<DeValue<'t>>) -> Entry<'t> {
        let Range { start, .. } = value.span();
        Entry {
            source: self.source,
            key: self.path_of(key),
            at: start,
            value: value.into_inner(),
        }
    }

    fn path_of(&self, key: &str) -> String {
        let key: String = toml_key(key).chars().take(120).collect();
        if self.name.is_empty() {
            key
        } else {
            format!("{}.{key}", self.name)
        }
    }
}

fn name_of(key: &Spanned<DeString<'_>>) -> String {
    key.get_ref().to_string()
}

impl<'t> Entry<'t> {
    /// An error about this value.
    pub(super) fn error(&self, problem: LockProblem) -> LockError {
        self.source.error_at(self.at, Some(self.key.clone()), problem)
    }

    /// An error that says what the value must be.
    pub(super) fn type_error(&self, expected: &'static str) -> LockError {
        self.error(LockProblem::Type {
            expected,
            found: self.value.type_str(),
        })
    }

    /// The line where the value stands.
    pub(super) fn line(&self) -> usize {
        self.source.lines.position(self.at).line
    }

    /// The value as a string.
    pub(super) fn string(&self) -> Result<&str, LockError> {
        self.value.as_str().ok_or_else(|| self.type_error("a string"))
    }

    /// The value as hex of `N` bytes, in any case, with or without `0x`.
    pub(super) fn hex<const N: usize>(&self) -> Result<[u8; N], LockError> {
        parse_user_hex(self.string()?).map_err(|problem| self.error(problem.into()))
    }

    /// The value as a section with something in it.
    pub(super) fn section(self) -> Result<Section<'t>, LockError> {
        let wrong_type = self.type_error("a section");
        let empty = self.error(LockProblem::EmptySection);
        match self.value {
            DeValue::Table(entries) if entries.is_empty() => Err(empty),
            DeValue::Table(entries) => Ok(Section {
                source: self.source,
                name: self.key,
                at: self.at,
                entries,
            }),
            _ => Err(wrong_type),
        }
    }
}
