//! Which names without a dot lead to a container, while a container is judged: what its commands, scripts and entries ask is looked up
//! deep in the readers of scripts. `container_names.rs` reads them from a file.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::start_order::StartOrder;
use super::work;

/// Names in lower case, with the containers that have them. A long name of a container on many networks is kept once.
pub(super) type Names = BTreeMap<Rc<str>, Vec<usize>>;

/// Where a name leads that a container itself writes down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GivenName {
    /// To an address of this machine or of a network of containers.
    Inside,
    /// To another machine.
    Outside,
    /// To what has this name on the container's networks.
    Linked(Rc<str>),
}

/// What a container finds by a name.
#[derive(Debug, Default)]
pub(super) struct NamesInReach {
    /// Those of the containers on each of its networks.
    pub(super) networks: Rc<[Rc<Names>]>,
    /// The names that it writes down. They come first.
    pub(super) given: BTreeMap<Rc<str>, GivenName>,
    /// Its position in the file.
    pub(super) own: usize,
    /// Whether what is judged runs before it starts.
    pub(super) is_before: bool,
    pub(super) order: Rc<StartOrder>,
}

impl NamesInReach {
    fn leads_to_a_container(&self, name: &str) -> bool {
        match self.given.get(name) {
            Some(GivenName::Inside) => true,
            Some(GivenName::Outside) => false,
            Some(GivenName::Linked(other)) => self.is_on_a_network(other),
            None => self.is_on_a_network(name),
        }
    }

    fn is_on_a_network(&self, name: &str) -> bool {
        // A document that has more of this than is looked at is not judged.
        work::may_read(self.networks.len())
            && self
                .networks
                .iter()
                .filter_map(|names| names.get(name))
                .any(|holders| holders.iter().any(|holder| self.may_run(*holder)))
    }

    /// Whether a container may run when this one asks for it, as far as the order shows in which they start.
    fn may_run(&self, holder: usize) -> bool {
        let is_before = self.is_before || IS_BEFORE.get();
        !(is_before && holder == self.own || self.order.is_down(holder, self.own))
    }
}

thread_local! {
    /// Those of each container that executes what is judged. Of none, as in the scripts before the containers, no name leads anywhere.
    static IN_REACH: RefCell<Vec<Rc<NamesInReach>>> = RefCell::default();
    /// Whether what is judged runs before the container starts whose names these are.
    static IS_BEFORE: Cell<bool> = const { Cell::new(false) };
}

/// Whether a name leads to another container of the file, from wherever it is asked.
pub(super) fn is_container(name: &str) -> bool {
    IN_REACH.with_borrow(|containers| {
        !containers.is_empty() && containers.iter().all(|names| names.leads_to_a_container(name))
    })
}

/// Judges what runs before the container starts.
pub(super) fn before_it_starts<T>(judge: impl FnOnce() -> T) -> T {
    /// Ends it, also where judging panics.
    struct BeforeContainers(bool);
    impl Drop for BeforeContainers {
        fn drop(&mut self) {
            IS_BEFORE.set(self.0);
        }
    }
    let _before = BeforeContainers(IS_BEFORE.replace(true));
    judge()
}

/// Judges what these containers execute.
pub(super) fn within<T>(containers: Vec<Rc<NamesInReach>>, judge: impl FnOnce() -> T) -> T {
    /// Ends it, also where judging panics.
    struct NamesBefore(Vec<Rc<NamesInReach>>);
    impl Drop for NamesBefore {
        fn drop(&mut self) {
            IN_REACH.set(std::mem::take(&mut self.0));
        }
    }
    let _before = NamesBefore(IN_REACH.replace(containers));
    judge()
}
