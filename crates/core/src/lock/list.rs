//! Lists of sections: `[[places]]`, `[[sources]]`, `[[gpus]]`.

use super::{LockMistake, LockProblem};
use crate::toml_text::{FoundMistakes, TomlEntry, TomlProblem, TomlTable};

/// What one list of a lock file is.
pub(super) struct ListOf {
    /// What is expected if it is not a list of sections: `a list of sections: [[places]]`.
    pub expected: &'static str,
    /// Most entries.
    pub most: usize,
    /// What is wrong with more.
    pub many: LockProblem,
    /// The keys of an entry.
    pub keys: &'static [&'static [&'static str]],
}

impl ListOf {
    /// Reads every entry, and notes what is wrong. A list that is there and empty is a mistake: it would expect nothing.
    pub(super) fn read<T>(
        self,
        entry: TomlEntry<'_>,
        mistakes: &mut FoundMistakes<LockProblem>,
        one: fn(&mut TomlTable<'_>) -> Result<T, LockMistake>,
    ) -> Vec<T> {
        let wrong_type = entry.type_error(self.expected);
        let empty = entry.error(TomlProblem::EmptySection.into());
        let too_many = entry.error(self.many);
        let items = match entry.into_items() {
            Ok(items) if items.is_empty() => {
                mistakes.note(empty);
                return Vec::new();
            }
            Ok(items) if items.len() > self.most => {
                mistakes.note(too_many);
                return Vec::new();
            }
            Ok(items) => items,
            Err(_) => {
                mistakes.note(wrong_type);
                return Vec::new();
            }
        };
        let mut read = Vec::new();
        for item in items {
            let Ok(mut section) = item.into_table() else {
                mistakes.note(wrong_type.clone());
                continue;
            };
            read.extend(mistakes.keep(one(&mut section)));
            mistakes.add(section.finish(&self.keys.concat()));
        }
        read
    }
}
