//! The names without a dot by which a container finds others: Docker's name server answers for these, and asks the host for all else.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::shell::is_machine;

type Names = BTreeSet<String>;

/// The network of containers that name none.
const DEFAULT: &str = "default";

/// The names of a file's containers.
#[derive(Debug, Default)]
pub(super) struct ContainerNames {
    by_network: BTreeMap<String, Rc<Names>>,
    everywhere: Rc<Names>,
}

/// What a container finds by a name.
#[derive(Debug, Default)]
struct Found {
    networks: Vec<Rc<Names>>,
    /// The names that the container itself gives an address or another name, and whether what is behind each is inside.
    given: BTreeMap<String, bool>,
}

thread_local! {
    /// What is found while a container is judged. Outside of one, as in the scripts before the containers, that is nothing.
    static FOUND: RefCell<Found> = RefCell::default();
}

/// Whether a name leads to another container of the file.
pub(super) fn is_container(name: &str) -> bool {
    FOUND.with_borrow(|found| match found.given.get(name) {
        Some(is_inside) => *is_inside,
        None => found.networks.iter().any(|names| names.contains(name)),
    })
}

impl ContainerNames {
    /// Of the root of a file.
    pub(super) fn of(root: &Map<String, Value>) -> Self {
        let mut by_network: BTreeMap<String, Names> = BTreeMap::new();
        let mut everywhere = Names::new();
        for (service, container) in ["services", "jobs"]
            .into_iter()
            .filter_map(|section| root.get(section)?.as_object())
            .flatten()
        {
            let Some(container) = container.as_object() else {
                continue;
            };
            let names = own_names(service, container);
            for network in networks(container) {
                by_network
                    .entry(network.to_owned())
                    .or_default()
                    .extend(names.iter().cloned());
            }
            everywhere.extend(names);
        }
        let by_network = by_network
            .into_iter()
            .map(|(network, names)| (network, Rc::new(names)));
        Self {
            by_network: by_network.collect(),
            everywhere: Rc::new(everywhere),
        }
    }

    /// Judges a container with what it finds, or what several containers share.
    pub(super) fn within<T>(&self, container: Option<&Map<String, Value>>, judge: impl FnOnce() -> T) -> T {
        /// Ends it, also where judging panics.
        struct Outer(Found);
        impl Drop for Outer {
            fn drop(&mut self) {
                FOUND.set(std::mem::take(&mut self.0));
            }
        }
        let found = container.map_or_else(
            || Found {
                networks: vec![Rc::clone(&self.everywhere)],
                given: BTreeMap::new(),
            },
            |container| self.found_by(container),
        );
        let _outer = Outer(FOUND.replace(found));
        judge()
    }

    fn found_by(&self, container: &Map<String, Value>) -> Found {
        let is_of_another = mode(container).is_some_and(|mode| mode.starts_with("service:"));
        let networks = match is_of_another {
            true => vec![Rc::clone(&self.everywhere)],
            false => networks(container)
                .into_iter()
                .filter_map(|network| self.by_network.get(network).cloned())
                .collect(),
        };
        let links = texts(container.get("links")).filter_map(|link| link.split_once(':'));
        let mut given: BTreeMap<String, bool> = links.map(|(_, name)| (lower(name), true)).collect();
        for (name, address) in given_addresses(container) {
            let address = address.trim().trim_matches(['[', ']']);
            let is_inside = address == "host-gateway" || !is_machine(address);
            // Of several addresses each may be taken.
            given
                .entry(lower(name))
                .and_modify(|before| *before &= is_inside)
                .or_insert(is_inside);
        }
        Found { networks, given }
    }
}

fn lower(name: &str) -> String {
    name.trim().to_ascii_lowercase()
}

fn mode(container: &Map<String, Value>) -> Option<&str> {
    container.get("network_mode").and_then(Value::as_str)
}

/// The networks on which Docker answers for names: none where the container has that of the VM or of a container elsewhere.
fn networks(container: &Map<String, Value>) -> Vec<&str> {
    if mode(container).is_some() {
        return Vec::new();
    }
    match container.get("networks") {
        Some(Value::Object(networks)) if !networks.is_empty() => {
            networks.keys().map(String::as_str).collect()
        }
        Some(Value::Array(networks)) if !networks.is_empty() => {
            networks.iter().filter_map(Value::as_str).collect()
        }
        _ => vec![DEFAULT],
    }
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str)
}

/// The names of a container on its networks.
fn own_names(service: &str, container: &Map<String, Value>) -> Names {
    let on_networks = container.get("networks").and_then(Value::as_object);
    let on_networks = on_networks.into_iter().flat_map(Map::values);
    let aliases = on_networks.flat_map(|network| texts(network.get("aliases")));
    let named = ["container_name", "hostname"]
        .into_iter()
        .filter_map(|key| container.get(key)?.as_str());
    std::iter::once(service)
        .chain(aliases)
        .chain(named)
        .map(lower)
        .collect()
}

/// The names to which a container gives addresses: `NAME:ADDRESS`, `NAME=ADDRESS`, and members.
fn given_addresses(container: &Map<String, Value>) -> Vec<(&str, &str)> {
    match container.get("extra_hosts") {
        Some(Value::Object(hosts)) => {
            let addresses = |value| match value {
                &Value::Array(_) => texts(Some(value)).collect(),
                _ => value.as_str().into_iter().collect::<Vec<_>>(),
            };
            let pairs = hosts.iter().flat_map(|(name, value)| {
                addresses(value)
                    .into_iter()
                    .map(move |address| (name.as_str(), address))
            });
            pairs.collect()
        }
        hosts => texts(hosts)
            .filter_map(|entry| entry.split_once(['=', ':']))
            .collect(),
    }
}
