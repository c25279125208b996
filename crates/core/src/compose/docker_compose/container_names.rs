//! The names without a dot by which a container finds others: Docker's name server answers for these, and asks the host for all else.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::config_language::mounted_configs;
use super::names_in_reach::{self, GivenName, Names, NamesInReach};
use super::settable::Settable;
use super::shell::is_machine;
use super::start_order::StartOrder;
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
    order: Rc<StartOrder>,
}

impl<'f> ContainerNames<'f> {
    /// Of the root of a file.
    pub(super) fn of(root: &'f Map<String, Value>, settable: &'f Settable) -> Self {
        let of_section = |section: &str| {
            let containers = root.get(section).and_then(Value::as_object).into_iter().flatten();
            containers.filter_map(|(name, container)| Some((name.as_str(), container.as_object()?)))
        };
        let containers = || of_section("services").chain(of_section("jobs"));
        let mut names = Self {
            settable,
            by_network: BTreeMap::new(),
            of_services: BTreeMap::new(),
            of_configs: BTreeMap::new(),
            order: Rc::new(StartOrder::of(of_section("services"))),
        };
        let mut by_network: BTreeMap<&str, Names> = BTreeMap::new();
        let project = settable.project(root);
        let running = (0..)
            .zip(containers())
            .filter(|(_, (_, container))| may_start(container));
        for (at, (service, container)) in running {
            // Only newer versions of Docker answer for `hostname`, too.
            let name = match container.get("container_name") {
                Some(name) => name.as_str().and_then(|name| names.fixed(name)),
                // Docker Compose, pkg/compose/convergence.go, `getContainerName`.
                None => project
                    .as_deref()
                    .map(|project| names.written(&format!("{project}-{service}-1"))),
            };
            let service = names.written(service);
            for network in networks(container) {
                let settings = container
                    .get("networks")
                    .and_then(|networks| networks.get(network));
                let aliases = texts(settings.and_then(|settings| settings.get("aliases")));
                let aliases = aliases.filter_map(|alias| names.fixed(alias));
                let has_service = settings.and_then(|settings| settings.get("use_service_name_alias"))
                    != Some(&Value::Bool(false));
                let service = has_service.then(|| Rc::clone(&service));
                let on_network = by_network.entry(network).or_default();
                for name in service.into_iter().chain(name.clone()).chain(aliases) {
                    on_network.entry(name).or_default().push(at);
                }
            }
        }
        let by_network = by_network.into_iter();
        names.by_network = by_network
            .map(|(network, names)| (network, Rc::new(names)))
            .collect();
        let of_services = containers().map(|(service, container)| (service, names.on_networks(container)));
        names.of_services = of_services.collect();
        let mut of_configs: BTreeMap<&str, Vec<Rc<NamesInReach>>> = BTreeMap::new();
        for (at, (_, container)) in containers().enumerate() {
            let before = container.get("pre_start").and_then(Value::as_array);
            let before = before.into_iter().flatten().filter_map(Value::as_object);
            let before: Vec<&str> = before
                .flat_map(mounted_configs)
                .map(|(config, _)| config)
                .collect();
            let own: Vec<&str> = mounted_configs(container).map(|(config, _)| config).collect();
            for (configs, is_before) in [(before, true), (own, false)] {
                let mut in_reach = None;
                for config in configs {
                    let in_reach = in_reach.get_or_insert_with(|| {
                        Rc::new(NamesInReach {
                            is_before,
                            ..names.in_reach_of(at, container)
                        })
                    });
                    of_configs.entry(config).or_default().push(Rc::clone(in_reach));
                }
            }
        }
        names.of_configs = of_configs;
        names
    }

    /// Judges the container at a position of the file with what it finds.
    pub(super) fn within<T>(
        &self,
        at: usize,
        container: &Map<String, Value>,
        judge: impl FnOnce() -> T,
    ) -> T {
        names_in_reach::within(vec![Rc::new(self.in_reach_of(at, container))], judge)
    }

    /// Judges a config with what each of the containers finds that mount it.
    pub(super) fn within_config<T>(&self, config: &str, judge: impl FnOnce() -> T) -> T {
        names_in_reach::within(self.of_configs.get(config).cloned().unwrap_or_default(), judge)
    }

    fn in_reach_of(&self, at: usize, container: &Map<String, Value>) -> NamesInReach {
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
        NamesInReach {
            networks,
            given,
            own: at,
            is_before: false,
            order: Rc::clone(&self.order),
        }
    }

    fn on_networks(&self, container: &Map<String, Value>) -> Rc<[Rc<Names>]> {
        let networks = networks(container).into_iter();
        networks
            .filter_map(|network| self.by_network.get(network).cloned())
            .collect()
    }

    /// A name as Docker reads it, where nothing outside sets it: what else a container is called is not known.
    fn fixed(&self, name: &str) -> Option<Rc<str>> {
        let template = Template::read(name).ok()?;
        let mut names = template.names().into_iter();
        let is_fixed = names.all(|name| self.settable.setter(name).is_none());
        is_fixed.then(|| self.written(name))
    }

    /// A name as Docker reads it.
    fn written(&self, name: &str) -> Rc<str> {
        self.settable.fixed(name).into()
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

pub(super) fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let text = value.and_then(Value::as_str);
    let items = value.and_then(Value::as_array).into_iter().flatten();
    text.into_iter().chain(items.filter_map(Value::as_str))
}

/// The names to which a container gives addresses: `NAME:ADDRESS`, `NAME=ADDRESS`, and members.
pub(super) fn given_addresses(container: &Map<String, Value>) -> Vec<(&str, &str)> {
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
        let kept = |network: &str| names.by_network[network].get_key_value(long.as_str()).unwrap().0;
        assert!(Rc::ptr_eq(kept("a"), kept("b")));
        assert!(names.by_network["a"].contains_key("x") && !names.by_network["b"].contains_key("x"));
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
                names.within(0, container, || {
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
