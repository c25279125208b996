//! The names without a dot by which a container finds others: Docker's name server answers for these, and asks the host for all else.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::config_language::mounted_configs;
use super::names_in_reach::{self, GivenName, Names, NamesInReach};
use super::settable::Settable;
use super::shell::is_machine;
use super::variables::Template;

/// The network of containers that name none.
const DEFAULT: &str = "default";

/// The names of a file's containers.
pub(super) struct ContainerNames<'f> {
    settable: &'f Settable,
    by_network: BTreeMap<&'f str, Rc<Names>>,
    /// By service: the names on each of its networks, which a container has that shares them.
    of_services: BTreeMap<&'f str, Rc<[Rc<Names>]>>,
    /// By config: what the containers find that mount it.
    of_configs: BTreeMap<&'f str, Vec<Rc<NamesInReach>>>,
}

impl<'f> ContainerNames<'f> {
    /// Of the root of a file.
    pub(super) fn of(root: &'f Map<String, Value>, settable: &'f Settable) -> Self {
        let containers = || {
            let sections = ["services", "jobs"].into_iter();
            let containers = sections
                .filter_map(|section| root.get(section)?.as_object())
                .flatten();
            containers.filter_map(|(name, container)| Some((name, container.as_object()?)))
        };
        let mut names = Self {
            settable,
            by_network: BTreeMap::new(),
            of_services: BTreeMap::new(),
            of_configs: BTreeMap::new(),
        };
        let mut by_network: BTreeMap<&str, Names> = BTreeMap::new();
        for (service, container) in containers().filter(|(_, container)| may_start(container)) {
            // Only newer versions of Docker answer for `hostname`, too.
            let name = container.get("container_name").and_then(Value::as_str);
            let name = name.map(|name| names.written(name));
            let service = names.written(service);
            for network in networks(container) {
                let settings = container
                    .get("networks")
                    .and_then(|networks| networks.get(network));
                let aliases = texts(settings.and_then(|settings| settings.get("aliases")));
                let aliases = aliases.map(|alias| names.written(alias));
                let has_service = settings.and_then(|settings| settings.get("use_service_name_alias"))
                    != Some(&Value::Bool(false));
                let service = has_service.then(|| Rc::clone(&service));
                by_network
                    .entry(network)
                    .or_default()
                    .extend(service.into_iter().chain(name.clone()).chain(aliases));
            }
        }
        let by_network = by_network.into_iter();
        names.by_network = by_network
            .map(|(network, names)| (network, Rc::new(names)))
            .collect();
        let of_services =
            containers().map(|(service, container)| (service.as_str(), names.on_networks(container)));
        names.of_services = of_services.collect();
        let mut of_configs: BTreeMap<&str, Vec<Rc<NamesInReach>>> = BTreeMap::new();
        for (_, container) in containers() {
            let before = container
                .get("pre_start")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let configs = before
                .filter_map(Value::as_object)
                .chain([container])
                .flat_map(mounted_configs);
            let mut in_reach = None;
            for (config, _) in configs {
                let in_reach = in_reach.get_or_insert_with(|| Rc::new(names.in_reach_of(container)));
                of_configs.entry(config).or_default().push(Rc::clone(in_reach));
            }
        }
        names.of_configs = of_configs;
        names
    }

    /// Judges a container with what it finds.
    pub(super) fn within<T>(&self, container: &Map<String, Value>, judge: impl FnOnce() -> T) -> T {
        names_in_reach::within(vec![Rc::new(self.in_reach_of(container))], judge)
    }

    /// Judges a config with what each of the containers finds that mount it.
    pub(super) fn within_config<T>(&self, config: &str, judge: impl FnOnce() -> T) -> T {
        names_in_reach::within(self.of_configs.get(config).cloned().unwrap_or_default(), judge)
    }

    fn in_reach_of(&self, container: &'f Map<String, Value>) -> NamesInReach {
        let shared = mode(container).and_then(|mode| mode.strip_prefix("service:"));
        let networks = match shared {
            Some(service) => self.of_services.get(service).cloned().unwrap_or_default(),
            None => self.on_networks(container),
        };
        let links = texts(container.get("links")).map(|link| link.split_once(':').unwrap_or((link, link)));
        let links = links.map(|(other, name)| (self.written(name), GivenName::Linked(self.written(other))));
        let mut given: BTreeMap<Rc<str>, GivenName> = links.collect();
        for (name, address) in given_addresses(container) {
            let address = address.trim().trim_matches(['[', ']']);
            let is_inside = address == "host-gateway" || !is_machine(address);
            // Of several addresses each may be taken.
            given
                .entry(self.written(name))
                .and_modify(|before| {
                    if !is_inside {
                        *before = GivenName::Outside;
                    }
                })
                .or_insert(if is_inside {
                    GivenName::Inside
                } else {
                    GivenName::Outside
                });
        }
        NamesInReach { networks, given }
    }

    fn on_networks(&self, container: &'f Map<String, Value>) -> Rc<[Rc<Names>]> {
        let networks = networks(container).into_iter();
        networks
            .filter_map(|network| self.by_network.get(network).cloned())
            .collect()
    }

    /// A name as Docker reads it. One that the host can set decides code by itself.
    fn written(&self, name: &str) -> Rc<str> {
        let text = match Template::read(name) {
            Ok(template) => template.evaluate(&|name| self.settable.value(name)),
            Err(_) => name.to_owned(),
        };
        text.trim().to_ascii_lowercase().into()
    }
}

fn mode(container: &Map<String, Value>) -> Option<&str> {
    container.get("network_mode").and_then(Value::as_str)
}

/// The networks on which Docker answers a container for names: none where it has the network of the VM, and none where it asks the host
/// for a name in one of the host's domains first.
fn networks(container: &Map<String, Value>) -> Vec<&str> {
    let mut options = texts(container.get("dns_opt"));
    if mode(container).is_some() || options.any(|option| option.contains("ndots")) {
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

/// Whether the file starts a container: with a profile, which nobody names, or with none of it, it never has a name.
fn may_start(container: &Map<String, Value>) -> bool {
    let is_none = |count: &Value| count.as_u64() == Some(0) || count.as_str() == Some("0");
    let replicas = container.get("deploy").and_then(|deploy| deploy.get("replicas"));
    let has_profile = texts(container.get("profiles")).next().is_some();
    !has_profile && !container.get("scale").into_iter().chain(replicas).any(is_none)
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let text = value.and_then(Value::as_str);
    let items = value.and_then(Value::as_array).into_iter().flatten();
    text.into_iter().chain(items.filter_map(Value::as_str))
}

/// The names to which a container gives addresses: `NAME:ADDRESS`, `NAME=ADDRESS`, and members.
fn given_addresses(container: &Map<String, Value>) -> Vec<(&str, &str)> {
    match container.get("extra_hosts") {
        Some(Value::Object(hosts)) => {
            let pairs = hosts
                .iter()
                .flat_map(|(name, value)| texts(Some(value)).map(move |address| (name.as_str(), address)));
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
        let settable = Settable::unknown();
        let names = ContainerNames::of(root.as_object().unwrap(), &settable);
        let kept = |network: &str| names.by_network[network].get(long.as_str()).unwrap();
        assert!(Rc::ptr_eq(kept("a"), kept("b")));
        assert!(names.by_network["a"].contains("x") && !names.by_network["b"].contains("x"));
    }

    /// Each look-up on many networks counts as work: a document that asks for too much of it is not judged.
    #[test]
    fn t80_look_ups_on_many_networks_are_bounded() {
        let networks: Vec<String> = (0..1000).map(|at| format!("n{at}")).collect();
        let root = json!({ "services": { "web": { "networks": networks } } });
        let settable = Settable::unknown();
        let names = ContainerNames::of(root.as_object().unwrap(), &settable);
        let container = root["services"]["web"].as_object().unwrap();
        let looks = |times: usize| {
            crate::compose::docker_compose::work::within(10_000, || {
                names.within(container, || {
                    (0..times)
                        .filter(|_| names_in_reach::is_container("other"))
                        .count()
                })
            })
        };
        assert_eq!(looks(9), Ok(0));
        assert!(looks(10).is_err());
    }
}
