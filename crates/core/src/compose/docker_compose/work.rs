//! How much reading one document may cause. A text is read once for each program that may execute it, in each container that mounts it,
//! and again for each text around it, so that the length of a document says nothing of the time that it takes.

use std::cell::Cell;

/// How many bytes of commands, scripts and arguments are looked at for one document, each as often as it is looked at. Real documents
/// take below a hundredth of it; a release build looks at the whole of it in a few seconds.
pub(super) const MAX_WORK: usize = 48 * 1024 * 1024;

thread_local! {
    /// What is left for the document that is being read. Outside of a document there is no bound.
    static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
}

#[cfg(test)]
thread_local! {
    static USED: Cell<usize> = const { Cell::new(0) };
}

/// A document whose texts cause more work than [`MAX_WORK`].
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuchWork;

/// Reads a document. What `read` returns counts for nothing where its work was not done to the end.
pub(super) fn of_document<T>(read: impl FnOnce() -> T) -> Result<T, TooMuchWork> {
    within(MAX_WORK, read)
}

/// What `read` returns, and the work that it took.
#[cfg(test)]
pub(super) fn used_by<T>(read: impl FnOnce() -> T) -> (T, usize) {
    let before = USED.get();
    (read(), USED.get() - before)
}

/// A bound that holds already stays.
pub(super) fn within<T>(work: usize, read: impl FnOnce() -> T) -> Result<T, TooMuchWork> {
    /// Ends the bound, also where reading panics.
    struct Bound(Option<usize>);
    impl Drop for Bound {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let outer = Bound(LEFT.get());
    LEFT.set(Some(outer.0.map_or(work, |left| left.min(work))));
    let found = read();
    let is_done = !is_used_up();
    drop(outer);
    is_done.then_some(found).ok_or(TooMuchWork)
}

/// Notes that so many bytes are looked at. Where it says `false` the document is not judged, and whoever asks may return anything.
pub(super) fn may_read(bytes: usize) -> bool {
    // A text without a byte is looked at, too.
    let left = LEFT.get().map(|left| left.saturating_sub(bytes.max(1)));
    LEFT.set(left);
    #[cfg(test)]
    USED.set(USED.get().saturating_add(bytes.max(1)));
    !is_used_up()
}

pub(super) fn is_used_up() -> bool {
    LEFT.get() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_all_of_it_is_not_done_and_the_next_document_has_its_own() {
        let read = |bytes: usize| within(10, || (may_read(bytes), may_read(0)));
        assert_eq!(read(8), Ok((true, true)));
        assert_eq!(read(9), Err(TooMuchWork));
        assert_eq!(read(usize::MAX), Err(TooMuchWork));
        assert_eq!(read(8), Ok((true, true)));
        assert!(may_read(usize::MAX), "outside of a document");
    }

    #[test]
    fn a_panic_ends_the_bound() {
        let panicked = std::panic::catch_unwind(|| within(10, || panic!("while it is read")));
        assert!(panicked.is_err());
        assert!(may_read(usize::MAX) && !is_used_up());
    }
}
