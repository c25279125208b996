//! A TOML table that is read key by key; what is left over at the end is unknown.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::literal::key as toml_key;
use super::mistake::{FileMistake, FoundMistakes, Mistake};
use super::{LineIndex, Position, TomlProblem, UnknownKey};

/// Characters of a key that a message shows.
const MAX_KEY_SHOWN: usize = 120;

/// The file that is read.
#[derive(Clone, Copy)]
pub struct TomlFile<'t> {
    path: &'t str,
    lines: &'t LineIndex<'t>,
}

impl<'t> TomlFile<'t> {
    /// A file of these lines. `path` is for messages only.
    pub(super) const fn new(path: &'t str, lines: &'t LineIndex<'t>) -> Self {
        Self { path, lines }
    }

    /// Its path, as messages name it.
    #[must_use]
    pub const fn path(self) -> &'t str {
        self.path
    }

    /// Line and column of a byte.
    #[must_use]
    pub fn position(self, byte: usize) -> Position {
        self.lines.position(byte)
    }

    /// A mistake at a byte of the file, or of the file as a whole.
    #[must_use]
    pub fn mistake_at<P>(self, byte: Option<usize>, problem: P) -> Mistake<P> {
        Mistake {
            place: byte.map(|byte| self.position(byte)),
            ..Mistake::of_file(self.path, problem)
        }
    }
}

/// A table of the file.
pub struct TomlTable<'t> {
    file: TomlFile<'t>,
    /// Its name, empty for the whole file.
    name: String,
    at: usize,
    entries: DeTable<'t>,
}

/// A value of the file.
pub struct TomlEntry<'t> {
    file: TomlFile<'t>,
    /// Its key with the table's name.
    key: String,
    /// The byte where its key stands; that of the value, for an item of a list.
    key_at: usize,
    at: usize,
    value: DeValue<'t>,
}

impl<'t> TomlTable<'t> {
    /// The whole file.
    pub(super) const fn root(file: TomlFile<'t>, entries: DeTable<'t>) -> Self {
        Self {
            file,
            name: String::new(),
            at: 0,
            entries,
        }
    }

    /// The file that it is of.
    #[must_use]
    pub const fn file(&self) -> TomlFile<'t> {
        self.file
    }

    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.file.position(self.at)
    }

    /// Whether nothing is left in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A mistake about a key that the table needs.
    pub fn missing<P>(&self, key: &str, problem: P) -> Mistake<P> {
        let mistake = self.file.mistake_at(Some(self.at), problem);
        mistake.about(&self.path_of(key))
    }

    /// A mistake about the table itself.
    fn itself<P>(&self, problem: P) -> Mistake<P> {
        self.file.mistake_at(Some(self.at), problem).about(&self.name)
    }

    /// Takes the value of a key.
    pub fn take(&mut self, key: &str) -> Option<TomlEntry<'t>> {
        let (name, value) = self.entries.remove_entry(key)?;
        Some(self.entry(&name, value))
    }

    /// Takes a table of this one.
    ///
    /// # Errors
    /// As [`TomlEntry::section`].
    pub fn section<P: FileMistake>(
        &mut self,
        key: &str,
        mistakes: &mut FoundMistakes<P>,
    ) -> Option<TomlTable<'t>> {
        mistakes.keep(self.take(key)?.section())
    }

    /// Takes the value of a key that has to be there.
    ///
    /// # Errors
    /// `missing`, without it.
    pub(crate) fn need<P>(&mut self, key: &str, missing: P) -> Result<TomlEntry<'t>, Mistake<P>> {
        let missing = self.missing(key, missing);
        self.take(key).ok_or(missing)
    }

    /// Takes the value of a key as `read` reads it.
    pub fn read<P, T>(
        &mut self,
        key: &str,
        mistakes: &mut FoundMistakes<P>,
        read: impl FnOnce(&TomlEntry<'t>) -> Result<T, Mistake<P>>,
    ) -> Option<T> {
        mistakes.keep(read(&self.take(key)?))
    }

    /// What was not taken is unknown.
    pub fn finish<P: FileMistake>(self, known: &[&'static str]) -> Vec<Mistake<P>> {
        let unknown = self.entries.keys().map(|key| {
            let problem = TomlProblem::UnknownKey(UnknownKey::new(key.get_ref(), known));
            let mistake = self.file.mistake_at(Some(key.span().start), problem.into());
            mistake.about(&self.path_of(key.get_ref()))
        });
        unknown.collect()
    }

    /// Every entry with its name.
    #[must_use]
    pub fn into_entries(mut self) -> Vec<(String, TomlEntry<'t>)> {
        std::mem::take(&mut self.entries)
            .into_iter()
            .map(|(key, value)| (key.get_ref().to_string(), self.entry(&key, value)))
            .collect()
    }

    fn entry(&self, key: &Spanned<DeString<'t>>, value: Spanned<DeValue<'t>>) -> TomlEntry<'t> {
        TomlEntry {
            file: self.file,
            key: self.path_of(key.get_ref()),
            key_at: key.span().start,
            at: value.span().start,
            value: value.into_inner(),
        }
    }

    fn path_of(&self, key: &str) -> String {
        let key: String = toml_key(key).chars().take(MAX_KEY_SHOWN).collect();
        if self.name.is_empty() {
            key
        } else {
            format!("{}.{key}", self.name)
        }
    }
}

impl<'t> TomlEntry<'t> {
    /// The value.
    #[must_use]
    pub const fn value(&self) -> &DeValue<'t> {
        &self.value
    }

    /// The file that it is of.
    #[must_use]
    pub const fn file(&self) -> TomlFile<'t> {
        self.file
    }

    /// Where the value stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.file.position(self.at)
    }

    /// A mistake about this value.
    pub fn error<P>(&self, problem: P) -> Mistake<P> {
        self.unnamed_error(problem).about(&self.key)
    }

    /// A mistake where the value stands; the problem names the key.
    pub fn unnamed_error<P>(&self, problem: P) -> Mistake<P> {
        self.file.mistake_at(Some(self.at), problem)
    }

    /// A mistake where the key stands; the problem names the key.
    pub fn key_error<P>(&self, problem: P) -> Mistake<P> {
        self.file.mistake_at(Some(self.key_at), problem)
    }

    /// A mistake that says what the value must be.
    pub(crate) fn type_error<P: FileMistake>(&self, expected: &'static str) -> Mistake<P> {
        let problem = TomlProblem::Type {
            expected,
            found: self.value.type_str(),
        };
        self.error(problem.into())
    }

    /// The value as a string.
    ///
    /// # Errors
    /// [`TomlProblem::Type`].
    pub fn string<P: FileMistake>(&self) -> Result<&str, Mistake<P>> {
        self.value.as_str().ok_or_else(|| self.type_error("a string"))
    }

    /// The value as a table with something in it.
    ///
    /// # Errors
    /// [`TomlProblem::Type`], [`TomlProblem::EmptySection`].
    pub fn section<P: FileMistake>(self) -> Result<TomlTable<'t>, Mistake<P>> {
        let empty = TomlProblem::EmptySection;
        match self.into_table() {
            Ok(table) if table.is_empty() => Err(table.itself(empty.into())),
            Ok(table) => Ok(table),
            Err(entry) => Err(entry.type_error("a section")),
        }
    }

    /// The value as a table, or the entry as it is.
    ///
    /// # Errors
    /// The entry, whose value is another one.
    pub fn into_table(self) -> Result<TomlTable<'t>, Self> {
        match self.value {
            DeValue::Table(entries) => Ok(TomlTable {
                file: self.file,
                name: self.key,
                at: self.at,
                entries,
            }),
            value => Err(Self { value, ..self }),
        }
    }

    /// The items of a list, each with the list's key, or the entry as it is.
    ///
    /// # Errors
    /// The entry, whose value is another one.
    pub fn into_items(self) -> Result<Vec<Self>, Self> {
        match self.value {
            DeValue::Array(items) => Ok(items
                .into_iter()
                .map(|item| Self {
                    file: self.file,
                    key: self.key.clone(),
                    key_at: item.span().start,
                    at: item.span().start,
                    value: item.into_inner(),
                })
                .collect()),
            value => Err(Self { value, ..self }),
        }
    }
}
