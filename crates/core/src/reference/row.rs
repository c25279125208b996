//! A row of a file of reference values, read key by key. Every mistake in it is noted.

use std::borrow::Cow;

use chrono::NaiveDate;

use super::ReferenceProblem;
use super::value::{Bytes, Text};
use super::version::ReleaseVersion;
use crate::report::WordEnum;
use crate::toml_text::{FoundMistakes, Mistake, TomlEntry, TomlTable, UnknownKey};

/// A row of one of the tables.
pub(super) trait ReferenceRow: Sized {
    /// The name of the table: `kms` for `[[kms]]`.
    const TABLE: &'static str;

    /// Takes what the row holds; none if something is missing or wrong, which is noted.
    fn read(row: &mut RowReader<'_, '_>) -> Option<Self>;
}

/// Reads every field of a row, so that each mistake is noted, and where and when it was read. What is not in the file stands
/// behind the `;`.
macro_rules! read_row {
    ($row:ident: $($field:ident = $how:ident($key:literal)),+ $(; $fixed:ident = $value:expr)?) => {{
        $(let $field = $row.$how($key);)+
        let source = $row.required("source");
        let date: Option<super::row::Day> = $row.required("date");
        Self {
            $($field: $field?,)+
            source: source?,
            date: date?.text()?,
            $($fixed: $value,)?
        }
    }};
}
pub(super) use read_row;

/// Reads a row.
pub(super) struct RowReader<'r, 't> {
    table: TomlTable<'t>,
    /// The keys that were asked for: all that the row may hold.
    asked: Vec<&'static str>,
    mistakes: &'r mut FoundMistakes<ReferenceProblem>,
}

impl<'r, 't> RowReader<'r, 't> {
    pub(super) const fn new(table: TomlTable<'t>, mistakes: &'r mut FoundMistakes<ReferenceProblem>) -> Self {
        Self {
            table,
            asked: Vec::new(),
            mistakes,
        }
    }

    /// The value of a key that each row has.
    pub(super) fn required<T: RowValue>(&mut self, key: &'static str) -> Option<T> {
        match self.optional(key)? {
            Some(value) => Some(value),
            None => {
                let missing = self.table.missing(key, ReferenceProblem::Missing);
                self.mistakes.note(missing);
                None
            }
        }
    }

    /// The value of a key, if the row has it. None if the value is wrong.
    pub(super) fn optional<T: RowValue>(&mut self, key: &'static str) -> Option<Option<T>> {
        self.asked.push(key);
        match self.table.take(key) {
            None => Some(None),
            Some(entry) => T::read(entry, self.mistakes).map(Some),
        }
    }

    /// The value of a key, or the default without it. None if the value is wrong.
    pub(super) fn or_default<T: RowValue + Default>(&mut self, key: &'static str) -> Option<T> {
        self.optional(key).map(Option::unwrap_or_default)
    }

    /// The row, unless its values contradict each other: then it is refused.
    pub(super) fn whole<R: ReferenceRow>(
        &mut self,
        row: R,
        name: impl Fn(&R) -> &Text,
        problem: impl Fn(&R) -> Option<&'static str>,
    ) -> Option<R> {
        match problem(&row) {
            None => Some(row),
            Some(problem) => {
                self.refuse::<R>(name(&row), problem);
                None
            }
        }
    }

    /// Refuses the row of this name as a whole.
    pub(super) fn refuse<R: ReferenceRow>(&mut self, row: &Text, problem: &str) {
        let problem = ReferenceProblem::Row {
            table: R::TABLE,
            row: row.to_string(),
            problem: problem.to_owned(),
        };
        let place = Some(self.table.position());
        self.mistakes.note(Mistake {
            place,
            ..Mistake::of_file(self.table.file().path(), problem)
        });
    }

    /// What was not asked for is unknown; `taken` was asked for before.
    pub(super) fn finish(mut self, taken: &[&'static str]) {
        self.asked.extend(taken);
        self.mistakes.add(self.table.finish(&self.asked));
    }
}

/// A value that a row holds.
pub(super) trait RowValue: Sized {
    /// Reads it; none if it is wrong, which is noted.
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self>;
}

/// A value that stands as a string.
fn of_string<T, E: std::fmt::Display>(
    entry: &TomlEntry<'_>,
    mistakes: &mut FoundMistakes<ReferenceProblem>,
    read: impl FnOnce(String) -> Result<T, E>,
) -> Option<T> {
    let text = mistakes.keep(entry.string())?;
    let read = read(text.to_owned());
    mistakes.keep(read.map_err(|problem| entry.error(ReferenceProblem::Value(problem.to_string()))))
}

impl RowValue for Text {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        of_string(&entry, mistakes, Self::try_from)
    }
}

impl<const N: usize> RowValue for Bytes<N> {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        of_string(&entry, mistakes, Self::try_from)
    }
}

impl RowValue for ReleaseVersion {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        of_string(&entry, mistakes, |text| text.parse::<Self>())
    }
}

impl RowValue for bool {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        let value = entry.value().as_bool();
        mistakes.keep(value.ok_or_else(|| entry.type_error("true or false")))
    }
}

/// A day: `2026-11-25`.
pub(super) struct Day(pub NaiveDate);

impl RowValue for Day {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        of_string(&entry, mistakes, |text| {
            let day = (text.len() == 10).then(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok());
            let shown: String = text.chars().take(MAX_SHOWN).collect();
            day.flatten()
                .map(Self)
                .ok_or_else(|| format!("{shown:?} is not a date like 2026-11-25"))
        })
    }
}

impl Day {
    /// As the rows show it.
    pub(super) fn text(&self) -> Option<Text> {
        Text::try_from(self.0.to_string()).ok()
    }
}

/// Characters of a wrong value that a message shows.
const MAX_SHOWN: usize = 40;

impl<W: WordEnum> RowValue for W {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        let text = mistakes.keep(entry.string())?;
        mistakes.keep(W::named(text).ok_or_else(|| {
            entry.error(ReferenceProblem::Word {
                found: text.chars().take(MAX_SHOWN).collect(),
                words: UnknownKey::new(text, W::ALL_WORDS),
            })
        }))
    }
}

impl<T: RowValue + Clone> RowValue for Cow<'static, [T]> {
    fn read(entry: TomlEntry<'_>, mistakes: &mut FoundMistakes<ReferenceProblem>) -> Option<Self> {
        match entry.into_items() {
            Ok(items) => {
                let read: Vec<Option<T>> = items.into_iter().map(|item| T::read(item, mistakes)).collect();
                read.into_iter().collect::<Option<Vec<T>>>().map(Cow::Owned)
            }
            Err(entry) => mistakes.keep(Err(entry.type_error("a list"))),
        }
    }
}
