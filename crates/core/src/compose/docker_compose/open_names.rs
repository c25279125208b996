//! Names of containers that hold a variable from outside. Whoever sets it may give one container the name of another, so that programs ask
//! it instead: a name does not decide code if no value makes it one that a program of the document may ask a container for. For every other
//! name the host answers already.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::container_names::{given_addresses, texts};
use super::place::{item, step};
use super::settable::Settable;
use super::variables::Template;

/// The places of names that hold a variable and cannot become the name of another container.
#[derive(Debug, Default)]
pub(super) struct OpenNames(BTreeSet<String>);

/// How far a name is fixed by the document.
enum NameText {
    Fixed,
    /// It holds a variable that something outside sets.
    Open(OpenName),
    /// Docker Compose refuses its substitution, or a dollar sign is left in it.
    NotKnown,
}

/// What is fixed of a name before and behind its variables, in lower case.
struct OpenName {
    before: String,
    behind: String,
}

/// Names under which programs of a file may look for a container.
#[derive(Default)]
struct AskedNames {
    /// By each name, the container that has it; none where several have, or where another one only names it.
    names: Vec<(String, Option<usize>)>,
    /// Containers to which Docker Compose gives a name: `PROJECT-SERVICE-N`.
    numbered: Vec<(String, usize)>,
}

impl OpenNames {
    /// Of the containers of a file, each with the section and the name of its place.
    pub(super) fn of(root: &Map<String, Value>, settable: &Settable) -> Self {
        let containers: Vec<(&str, &str, &Map<String, Value>)> = ["services", "jobs"]
            .into_iter()
            .flat_map(|section| {
                let containers = root.get(section).and_then(Value::as_object).into_iter().flatten();
                containers.filter_map(move |(name, container)| {
                    Some((section, name.as_str(), container.as_object()?))
                })
            })
            .collect();
        let is_open = |text: &str| !matches!(NameText::of(text, settable), NameText::Fixed);
        let is_any_open = containers
            .iter()
            .any(|(_, _, container)| names_of(container, "").iter().any(|(_, name)| is_open(name)));
        if !is_any_open
            || !settable.gives_plain_names()
            || containers.iter().any(|(_, _, c)| names_another(c))
        {
            return Self::default();
        }
        let asked = AskedNames::of(&containers, settable);
        let project = settable.project(root);
        let mut harmless = BTreeSet::new();
        for (at, (section, name, container)) in containers.iter().enumerate() {
            for (place, text) in names_of(container, &step(section, name)) {
                if let NameText::Open(open) = NameText::of(text, settable)
                    && !asked.may_be(&open, at, project.as_deref())
                {
                    harmless.insert(place);
                }
            }
        }
        Self(harmless)
    }

    /// Whether a name at a place cannot become that of another container.
    pub(super) fn are_harmless_at(&self, path: &str) -> bool {
        self.0.contains(path)
    }
}

impl AskedNames {
    fn of(containers: &[(&str, &str, &Map<String, Value>)], settable: &Settable) -> Self {
        let mut asked = Self::default();
        for (at, (_, service, container)) in containers.iter().enumerate() {
            let service = service.to_ascii_lowercase();
            asked.names.push((service.clone(), Some(at)));
            for (_, name) in names_of(container, "") {
                if matches!(NameText::of(name, settable), NameText::Fixed) {
                    asked.names.push((settable.fixed(name), Some(at)));
                }
            }
            if container.get("container_name").is_none() {
                asked.numbered.push((service, at));
            }
            // A container may ask for a name of its `links` or `extra_hosts`, whichever container has it.
            let links =
                texts(container.get("links")).map(|link| link.split_once(':').unwrap_or((link, link)).1);
            let given = given_addresses(container).into_iter().map(|(name, _)| name);
            let names = links.chain(given).map(|name| (settable.fixed(name), None));
            asked.names.extend(names);
        }
        asked
    }

    /// Whether a name of a container may become one of these that is not its own.
    fn may_be(&self, open: &OpenName, of: usize, project: Option<&str>) -> bool {
        let is_other = |at: &Option<usize>| *at != Some(of);
        let fits = |name: &str| {
            name.len() >= open.before.len() + open.behind.len()
                && name.starts_with(&open.before)
                && name.ends_with(&open.behind)
        };
        let fits_numbered = |service: &str| {
            let may_end = open.behind.is_empty() || open.behind.ends_with(|c: char| c.is_ascii_digit());
            let begins = |separator: char| {
                project.is_none_or(|project| {
                    let start = format!("{project}{separator}{service}{separator}");
                    start.starts_with(&open.before) || open.before.starts_with(&start)
                })
            };
            may_end && (begins('-') || begins('_'))
        };
        self.names.iter().any(|(name, at)| is_other(at) && fits(name))
            || self
                .numbered
                .iter()
                .any(|(service, at)| *at != of && fits_numbered(service))
    }
}

/// The names that a container writes down for itself, each with its place.
fn names_of<'c>(container: &'c Map<String, Value>, path: &str) -> Vec<(String, &'c str)> {
    let keys = ["container_name", "hostname"].into_iter();
    let mut names: Vec<(String, &str)> = keys
        .filter_map(|key| Some((step(path, key), container.get(key)?.as_str()?)))
        .collect();
    let networks = container.get("networks").and_then(Value::as_object);
    for (network, settings) in networks.into_iter().flatten() {
        let path = step(&step(&step(path, "networks"), network), "aliases");
        let aliases = settings.get("aliases").and_then(Value::as_array);
        let aliases = aliases.into_iter().flatten().enumerate();
        names.extend(aliases.filter_map(|(at, alias)| Some((item(&path, at), alias.as_str()?))));
    }
    names
}

impl NameText {
    fn of(text: &str, settable: &Settable) -> Self {
        let Ok(template) = Template::read(text) else {
            return Self::NotKnown;
        };
        let is_set = |name: &str| settable.setter(name).is_some();
        let open = template.open(&is_set, &|name| settable.value(name));
        if open.has_dollar {
            return Self::NotKnown;
        }
        if !open.is_open {
            return Self::Fixed;
        }
        let before = open.text.split("${").next().unwrap_or_default();
        let behind = open.text.rsplit('}').next().unwrap_or_default();
        Self::Open(OpenName {
            before: before.trim_start().to_ascii_lowercase(),
            behind: behind.trim_end().to_ascii_lowercase(),
        })
    }
}

/// Whether a container joins another one that it names by `container:`.
fn names_another(container: &Map<String, Value>) -> bool {
    let keys = [
        "cgroup",
        "ipc",
        "network_mode",
        "pid",
        "userns_mode",
        "uts",
        "volumes_from",
        "external_links",
    ];
    let mut values = keys
        .into_iter()
        .flat_map(|key| texts(container.get(key)).map(move |text| (key, text)));
    values.any(|(key, text)| text.starts_with("container:") || key == "external_links")
}
