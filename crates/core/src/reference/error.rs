//! Why a file of reference values is refused: where, what, and what to do.

use super::limits::MAX_ROWS;
use crate::toml_text::{FileMistake, Mistakes, TomlProblem, UnknownKey};

/// Why a file of reference values is refused: every mistake in it, in the order of the file. It shows the first 20.
pub type ReferenceError = Mistakes<ReferenceProblem>;

/// What is wrong with a file of reference values. If it is about a key, the text goes on after the key's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceProblem {
    /// Not a file that can be read as TOML, a key that the table does not have, or a value of another type.
    #[error(transparent)]
    Toml(#[from] TomlProblem),
    /// A key that the table needs.
    #[error("is missing")]
    Missing,
    /// A value that its key does not take.
    #[error("is refused: {0}")]
    Value(String),
    /// A word that its key does not take.
    #[error("is {found:?}, which is not one of its values")]
    Word {
        /// What it is; the first 40 characters.
        found: String,
        /// What it may be.
        words: UnknownKey,
    },
    /// Too many rows.
    #[error("the file has {0} rows; at most {MAX_ROWS} are read")]
    TooManyRows(usize),
    /// No row at all.
    #[error("the file has no row")]
    NoRow,
    /// A row that is not well formed.
    #[error("the row {row:?} of [[{table}]] is refused: {problem}")]
    Row {
        /// The table.
        table: &'static str,
        /// What it calls itself.
        row: String,
        /// What is wrong.
        problem: String,
    },
    /// A row that says something else than one that is already there.
    #[error("the row {row:?} of [[{table}]] contradicts another row ({other}): {problem}")]
    Contradiction {
        /// The table.
        table: &'static str,
        /// What it calls itself.
        row: String,
        /// The row that is already there.
        other: String,
        /// What differs.
        problem: &'static str,
    },
}

impl FileMistake for ReferenceProblem {
    const NAMED: usize = 20;

    fn fix(&self) -> String {
        let fix = match self {
            Self::Toml(TomlProblem::UnknownKey(unknown)) => return unknown.fix(),
            Self::Toml(TomlProblem::TooLarge { .. } | TomlProblem::NotUtf8 | TomlProblem::OtherKind(_)) => {
                "Check that this is the right file."
            }
            Self::Toml(TomlProblem::Empty) | Self::NoRow => {
                "Write `updated` and a row, such as [[image]] or [[kms]]."
            }
            Self::Toml(TomlProblem::MergeConflict(_)) => "Keep one side and remove the markers.",
            Self::Toml(TomlProblem::TooDeep) => "No key takes more than a list of tables.",
            Self::Toml(TomlProblem::NotToml(_)) => "Repair the line.",
            Self::Toml(TomlProblem::Type { .. } | TomlProblem::EmptySection) => "Correct it.",
            Self::Word { words, .. } => return words.fix_of_value(),
            Self::Contradiction { .. } => "A file adds rows and changes none: remove the row.",
            Self::TooManyRows(_) => "Remove the rows that no deployment needs.",
            Self::Missing | Self::Value(_) | Self::Row { .. } => return String::new(),
        };
        fix.to_owned()
    }

    fn may_follow_from_another(&self) -> bool {
        matches!(
            self,
            Self::Missing | Self::NoRow | Self::Row { .. } | Self::Contradiction { .. }
        )
    }
}
