//! The names without a dot by which a container finds others: Docker's name server answers for these, and asks the host for all else.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::names_in_reach::{self, Names, NamesInReach};
use super::shell::is_machine;

/// The network of containers that name none.
const DEFAULT: &str = "default";

/// The names of a file's containers.
#[derive(Debug, Default)]
pub(super) struct ContainerNames {
    by_network: BTreeMap<String, Rc<Names>>,
    everywhere: Rc<Names>,
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
            let named = ["container_name", "hostname"].map(|key| container.get(key)?.as_str());
            let own = named.into_iter().flatten().chain([service.as_str()]).map(lower);
            let own: Vec<Rc<str>> = own.collect();
            for network in networks(container) {
                let settings = container
                    .get("networks")
                    .and_then(|networks| networks.get(network));
                let aliases = texts(settings.and_then(|settings| settings.get("aliases"))).map(lower);
                let names: Vec<Rc<str>> = own.iter().cloned().chain(aliases).collect();
                everywhere.extend(names.iter().cloned());
                by_network.entry(network.to_owned()).or_default().extend(names);
            }
            everywhere.extend(own);
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
        let found = container.map_or_else(
            || NamesInReach {
                networks: vec![Rc::clone(&self.everywhere)],
                given: BTreeMap::new(),
            },
            |container| self.found_by(container),
        );
        names_in_reach::within(found, judge)
    }

    fn found_by(&self, container: &Map<String, Value>) -> NamesInReach {
        let is_of_another = mode(container).is_some_and(|mode| mode.starts_with("service:"));
        let networks = match is_of_another {
            true => vec![Rc::clone(&self.everywhere)],
            false => networks(container)
                .into_iter()
                .filter_map(|network| self.by_network.get(network).cloned())
                .collect(),
        };
        let links = texts(container.get("links")).filter_map(|link| link.split_once(':'));
        let mut given: BTreeMap<Rc<str>, bool> = links.map(|(_, name)| (lower(name), true)).collect();
        for (name, address) in given_addresses(container) {
            let address = address.trim().trim_matches(['[', ']']);
            let is_inside = address == "host-gateway" || !is_machine(address);
            // Of several addresses each may be taken.
            given
                .entry(lower(name))
                .and_modify(|before| *before &= is_inside)
                .or_insert(is_inside);
        }
        NamesInReach { networks, given }
    }
}

fn lower(name: &str) -> Rc<str> {
    name.trim().to_ascii_lowercase().into()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A long name on many networks takes no more memory than one.
    #[test]
    fn t80_a_name_is_kept_once_and_an_alias_counts_on_its_network() {
        let long = "n".repeat(1024);
        let root = json!({ "services": { long.as_str(): { "networks": { "a": { "aliases": ["x"] }, "b": null } } } });
        let names = ContainerNames::of(root.as_object().unwrap());
        let kept = |network: &str| names.by_network[network].get(long.as_str()).unwrap();
        assert!(Rc::ptr_eq(kept("a"), kept("b")));
        assert!(names.by_network["a"].contains("x") && !names.by_network["b"].contains("x"));
        assert_eq!((names.by_network["a"].len(), names.everywhere.len()), (2, 2));
    }
}
