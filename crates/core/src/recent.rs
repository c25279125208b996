//! The last results of a pure function, by its whole input: the instances of a release have one compose document, and the quotes
//! of a machine bring the same certificates.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many results are held.
const HELD: usize = 8;

/// The result for a larger input is not held, in bytes.
const MAX_INPUT: usize = 64 * 1024;

/// The last successes of a function of `I`, each with its input, for all threads. No result depends on it.
pub struct Recent<I, T> {
    held: Mutex<VecDeque<(I, T)>>,
}

impl<I: PartialEq, T: Clone> Default for Recent<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I: PartialEq, T: Clone> Recent<I, T> {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            held: Mutex::new(VecDeque::new()),
        }
    }

    /// What `compute` makes of an input of `bytes` bytes, or has made of an equal one.
    ///
    /// # Errors
    /// That of `compute`, which is not held.
    pub fn of<E>(&self, input: I, bytes: usize, compute: impl FnOnce(&I) -> Result<T, E>) -> Result<T, E> {
        let known = |held: &VecDeque<(I, T)>| {
            let found = held.iter().find(|(known, _)| *known == input);
            found.map(|(_, result)| result.clone())
        };
        if let Some(result) = known(&self.held()) {
            return Ok(result);
        }
        let result = compute(&input)?;
        if bytes <= MAX_INPUT {
            let mut held = self.held();
            held.truncate(HELD - 1);
            held.push_front((input, result.clone()));
        }
        Ok(result)
    }

    /// Nothing is computed while it is locked, so that a panic leaves it whole.
    fn held(&self) -> MutexGuard<'_, VecDeque<(I, T)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// The length of a text that is not empty, and how often it was computed.
    fn length(of: &Recent<String, usize>, text: &str, computed: &Cell<u32>) -> Result<usize, ()> {
        of.of(text.to_owned(), text.len(), |text| {
            computed.set(computed.get() + 1);
            if text.is_empty() { Err(()) } else { Ok(text.len()) }
        })
    }

    #[test]
    fn an_equal_input_is_computed_once_and_an_error_each_time() {
        let (recent, computed) = (Recent::new(), Cell::new(0));
        for _ in 0..3 {
            assert_eq!(length(&recent, "ab", &computed), Ok(2));
            assert_eq!(length(&recent, "abc", &computed), Ok(3));
        }
        assert_eq!(computed.get(), 2);
        for _ in 0..3 {
            assert_eq!(length(&recent, "", &computed), Err(()));
        }
        assert_eq!(computed.get(), 5);
    }

    #[test]
    fn few_are_held_and_no_large_one() {
        let (recent, computed) = (Recent::new(), Cell::new(0));
        let large = "x".repeat(MAX_INPUT + 1);
        for _ in 0..2 {
            assert_eq!(length(&recent, &large, &computed), Ok(MAX_INPUT + 1));
        }
        assert_eq!((computed.get(), recent.held().len()), (2, 0));
        for size in 1..100 {
            assert_eq!(length(&recent, &"x".repeat(size), &computed), Ok(size));
        }
        assert_eq!(recent.held().len(), HELD);
        computed.set(0);
        assert_eq!(length(&recent, &"x".repeat(99), &computed), Ok(99));
        assert_eq!(length(&recent, "x", &computed), Ok(1));
        assert_eq!(computed.get(), 1);
    }
}
