//! Lists of sections: `[[places]]`, `[[sources]]`, `[[gpus]]`.

use toml::de::DeValue;

use super::mistakes::Mistakes;
use super::section::{Entry, Section};
use super::{LockError, LockProblem};

/// What one list of a lock file is.
pub(super) struct ListOf {
    /// What stands where it is not a list of sections: `a list of sections: [[places]]`.
    pub expected: &'static str,
    /// Most entries.
    pub most: usize,
    /// What is wrong with more.
    pub many: LockProblem,
    /// The keys of an entry.
    pub keys: &'static [&'static str],
}

impl ListOf {
    /// Reads every entry, and notes what is wrong. A list that is there and empty is a mistake: it would expect nothing.
    pub(super) fn read<T>(
        self,
        entry: Entry<'_>,
        mistakes: &mut Mistakes,
        one: fn(&mut Section<'_>) -> Result<T, LockError>,
    ) -> Vec<T> {
        let wrong_type = entry.type_error(self.expected);
        let empty = entry.error(LockProblem::EmptySection);
        let too_many = entry.error(self.many);
        let (source, name) = (entry.source, entry.key.clone());
        let DeValue::Array(items) = entry.value else {
            mistakes.add([wrong_type]);
            return Vec::new();
        };
        if items.is_empty() || items.len() > self.most {
            mistakes.add([if items.is_empty() { empty } else { too_many }]);
            return Vec::new();
        }
        let mut read = Vec::new();
        for item in items {
            let at = item.span().start;
            let DeValue::Table(entries) = item.into_inner() else {
                mistakes.add([wrong_type.clone()]);
                continue;
            };
            let mut section = Section::of_item(source, name.clone(), at, entries);
            read.extend(mistakes.keep(one(&mut section)));
            mistakes.add(section.finish(self.keys));
        }
        read
    }
}
