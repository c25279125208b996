//! The environment of a container: its entries, and which of its names are set from outside.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::risky_names::{ENV, is_risky};
use super::settable::Settable;
use super::shell::{HOST_DATA, HOSTNAME, names_in, said_by_entry};
use super::variables::Template;

/// The names of a container's environment that are set from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    from_outside: BTreeSet<String>,
    /// Fixed entries in whose value `$NAME` of the container stands, by name: a program that expands it carries the value on.
    carriers: BTreeMap<String, BTreeSet<String>>,
    /// What fixed entries say of addresses and of who looks at them, as names of variables.
    said: BTreeSet<String>,
    /// Whether a shell that is started in the container may be interactive, and then executes the file that `ENV` names.
    pub(super) is_interactive: bool,
    /// Whether a fixed entry has the client of a network let others of that network log in (`tailscale up --ssh`).
    lets_others_in: bool,
}

/// An entry of an environment.
pub(super) struct EnvironmentEntry<'e> {
    /// The name in the container, and the text that it was taken from.
    pub(super) name: &'e str,
    /// Absent where the value is that of the variable of the same name.
    pub(super) value: Option<&'e str>,
}

impl Environment {
    /// Adds what is known of the environment of another container.
    pub(super) fn extend(&mut self, other: &Self) {
        self.from_outside.extend(other.from_outside.iter().cloned());
    }

    /// Whether a variable of this name changes what runs in the container.
    pub(super) fn is_risky(&self, name: &str) -> bool {
        is_risky(name)
            || self.is_interactive && name == ENV
            || self.lets_others_in && matches!(name, "TS_AUTHKEY" | "TS_AUTH_KEY")
    }

    /// Adds what a file says of addresses that is mounted.
    pub(super) fn add_addresses(&mut self, said: &[String]) {
        self.said.extend(said.iter().cloned());
    }

    /// What its entries say of addresses.
    pub(super) const fn addresses(&self) -> &BTreeSet<String> {
        &self.said
    }

    /// Says this of addresses, and nothing else.
    pub(super) fn set_addresses(&mut self, addresses: BTreeSet<String>) {
        self.said = addresses;
    }

    pub(super) fn outside_names(&self) -> impl Iterator<Item = String> + '_ {
        self.from_outside.iter().cloned()
    }

    /// Whether a variable of the container is set from outside. What the host can choose anywhere counts as one.
    pub(super) fn is_from_outside(&self, name: &str) -> bool {
        name == HOST_DATA || self.from_outside.contains(name) || self.said.contains(name)
    }

    /// Adds the name of the container, which its programs read as `HOSTNAME` and from files.
    pub(super) fn read_host_name(&mut self, container: &Map<String, Value>, settable: &Settable) {
        let is_set = |key: &&str| {
            let text = container.get(*key).and_then(Value::as_str).unwrap_or_default();
            Template::read(text).map_or(true, |template| {
                let mut names = template.names().into_iter();
                names.any(|name| settable.setter(name).is_some())
            })
        };
        if ["hostname", "domainname"].iter().any(is_set) {
            self.from_outside.insert(HOSTNAME.to_owned());
        }
    }

    /// Adds the entries of an `environment`; a later one takes the place of an earlier one of the same name.
    pub(super) fn read(&mut self, entries: &Value, settable: &Settable) {
        let mut lets_others_in = self.lets_others_in;
        let mut take = |entry: &EnvironmentEntry<'_>| {
            lets_others_in |= entry.value.is_some_and(|value| value.contains("--ssh"));
            let is_set = match entry.value {
                None => settable.setter(entry.name).is_some(),
                Some(value) => Template::read(value).map_or(true, |template| {
                    template
                        .names()
                        .into_iter()
                        .any(|name| settable.setter(name).is_some())
                }),
            };
            // In a list the name is substituted, too.
            let name = Template::read(entry.name).map_or_else(
                |_| entry.name.to_owned(),
                |template| template.evaluate(&|name| settable.value(name)),
            );
            self.carriers.remove(&name);
            if is_set {
                self.from_outside.insert(name);
                return;
            }
            self.from_outside.remove(&name);
            let value = entry.value.unwrap_or_default();
            if let Ok(template) = Template::read(value) {
                let value = template.evaluate(&|name| settable.value(name));
                self.said.extend(said_by_entry(&name, &value));
            }
            let carried = carried_in(value, settable);
            if !carried.is_empty() {
                self.carriers.insert(name, carried);
            }
        };
        match entries {
            Value::Object(members) => {
                for (name, value) in members {
                    take(&of_member(name, value));
                }
            }
            Value::Array(items) => {
                for text in items.iter().filter_map(Value::as_str) {
                    take(&of_item(text));
                }
            }
            _ => {}
        }
        self.lets_others_in = lets_others_in;
        // Each round reaches one step further.
        while let Some(name) = self.carrier_from_outside() {
            self.carriers.remove(&name);
            self.from_outside.insert(name);
        }
    }

    fn carrier_from_outside(&self) -> Option<String> {
        let holds = |names: &BTreeSet<String>| names.iter().any(|name| self.from_outside.contains(name));
        let found = self.carriers.iter().find(|(_, names)| holds(names));
        found.map(|(name, _)| name.clone())
    }
}

/// The variables of the container that stand in a value after substitution: `$$NAME` for a shell, `%(ENV_NAME)s` for supervisord.
pub(super) fn carried_in(value: &str, settable: &Settable) -> BTreeSet<String> {
    let Ok(template) = Template::read(value) else {
        return BTreeSet::new();
    };
    let text = template.evaluate(&|name| settable.value(name));
    let mut names = names_in(&text);
    let expansions = text.split("%(ENV_").skip(1);
    names.extend(
        expansions
            .filter_map(|rest| rest.split_once(')'))
            .map(|(name, _)| name.to_owned()),
    );
    names
}

/// An entry of a mapping.
pub(super) fn of_member<'e>(name: &'e str, value: &'e Value) -> EnvironmentEntry<'e> {
    let value = match value {
        Value::Null => None,
        Value::String(text) => Some(text.as_str()),
        _ => Some(""),
    };
    EnvironmentEntry { name, value }
}

/// An entry of a list.
pub(super) fn of_item(text: &str) -> EnvironmentEntry<'_> {
    match text.split_once('=') {
        Some((name, value)) => EnvironmentEntry {
            name,
            value: Some(value),
        },
        None => EnvironmentEntry {
            name: text,
            value: None,
        },
    }
}
