//! Which names without a dot lead to a container, while a container is judged: what its commands, scripts and entries ask is looked up
//! deep in the readers of scripts. `container_names.rs` reads them from a file.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Names in lower case. A long name of a container on many networks is kept once.
pub(super) type Names = BTreeSet<Rc<str>>;

/// What a container finds by a name.
#[derive(Debug, Default)]
pub(super) struct NamesInReach {
    /// Those of the containers on each of its networks.
    pub(super) networks: Vec<Rc<Names>>,
    /// The names that the container itself gives an address or another name, and whether what is behind each is inside.
    pub(super) given: BTreeMap<Rc<str>, bool>,
}

thread_local! {
    /// Outside of a container, as in the scripts before the containers, there are none.
    static IN_REACH: RefCell<NamesInReach> = RefCell::default();
}

/// Whether a name leads to another container of the file.
pub(super) fn is_container(name: &str) -> bool {
    IN_REACH.with_borrow(|reach| match reach.given.get(name) {
        Some(is_inside) => *is_inside,
        None => reach.networks.iter().any(|names| names.contains(name)),
    })
}

/// Judges with these names.
pub(super) fn within<T>(names: NamesInReach, judge: impl FnOnce() -> T) -> T {
    /// Ends it, also where judging panics.
    struct NamesBefore(NamesInReach);
    impl Drop for NamesBefore {
        fn drop(&mut self) {
            IN_REACH.set(std::mem::take(&mut self.0));
        }
    }
    let _before = NamesBefore(IN_REACH.replace(names));
    judge()
}
