//! All mistakes of a lock file, not only the first.

use super::LockError;

/// How many are named. A file that holds more is the wrong file.
const MAX_NAMED: usize = 20;

/// What was found wrong while a file was read.
#[derive(Default)]
pub(super) struct Mistakes(Vec<LockError>);

impl Mistakes {
    /// The value, or none and what is wrong with it noted.
    pub(super) fn keep<T>(&mut self, read: Result<T, LockError>) -> Option<T> {
        read.map_err(|error| self.0.push(error)).ok()
    }

    /// Notes more of them.
    pub(super) fn add(&mut self, errors: impl IntoIterator<Item = LockError>) {
        self.0.extend(errors);
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// An error if there is any: the first in the file, which carries the others.
    pub(super) fn refuse(mut self) -> Result<(), LockError> {
        self.0
            .sort_by_key(|error| error.place.map(|place| (place.line, place.column)));
        let more = self.0.len().saturating_sub(MAX_NAMED);
        self.0.truncate(MAX_NAMED);
        let mut all = self.0.into_iter();
        all.next().map_or(Ok(()), |first| {
            Err(LockError {
                others: all.collect(),
                unnamed: more,
                ..first
            })
        })
    }
}
