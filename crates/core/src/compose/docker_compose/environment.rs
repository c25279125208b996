//! Environment entries, and the names that the encrypted environment may set.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::judge::{Judge, is_nothing};
use super::place::{Place, item, shown, step};
use super::settable::{LaunchScript, Settable};
use super::variables::Template;
use super::{ComposeFile, is_risky};

/// The names of a container's environment that are set from outside.
#[derive(Debug, Clone, Default)]
pub(super) struct Environment {
    from_outside: BTreeSet<String>,
}

/// An entry of an environment.
struct Entry<'e> {
    /// The name in the container, and the text that it was taken from.
    name: &'e str,
    /// Absent where the value is that of the variable of the same name.
    value: Option<&'e str>,
}

impl Environment {
    pub(super) fn of_names(names: &BTreeSet<String>) -> Self {
        Self {
            from_outside: names.clone(),
        }
    }

    pub(super) fn outside_names(&self) -> impl Iterator<Item = String> + '_ {
        self.from_outside.iter().cloned()
    }

    /// Whether a variable of the container is set from outside.
    pub(super) fn is_from_outside(&self, name: &str) -> bool {
        self.from_outside.contains(name)
    }

    /// Adds the entries of an `environment`; a later one takes the place of an earlier one of the same name.
    pub(super) fn read(&mut self, entries: &Value, settable: &Settable) {
        let mut take = |entry: &Entry<'_>| {
            let is_set = match entry.value {
                None => settable.setter(entry.name).is_some(),
                Some(value) => Template::read(value).map_or(true, |template| {
                    template
                        .names()
                        .into_iter()
                        .any(|name| settable.setter(name).is_some())
                }),
            };
            if is_set {
                self.from_outside.insert(entry.name.to_owned());
            } else {
                self.from_outside.remove(entry.name);
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
    }
}

fn of_member<'e>(name: &'e str, value: &'e Value) -> Entry<'e> {
    let value = match value {
        Value::Null => None,
        Value::String(text) => Some(text.as_str()),
        _ => Some(""),
    };
    Entry { name, value }
}

fn of_item(text: &str) -> Entry<'_> {
    match text.split_once('=') {
        Some((name, value)) => Entry {
            name,
            value: Some(value),
        },
        None => Entry {
            name: text,
            value: None,
        },
    }
}

impl Judge<'_> {
    pub(super) fn environment(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let path = step(path, name);
                    match value {
                        Value::Object(_) | Value::Array(_) => self.unknown(&path, value),
                        value => self.entry(&path, &of_member(name, value)),
                    }
                }
            }
            Value::Array(items) => {
                for (index, each) in items.iter().enumerate() {
                    let path = item(path, index);
                    match each.as_str() {
                        Some(text) => self.entry(&path, &of_item(text)),
                        None if each.is_null() => {}
                        None => self.unknown(&path, each),
                    }
                }
            }
            value if is_nothing(value) => {}
            value => self.unknown(path, value),
        }
    }

    fn entry(&mut self, path: &str, entry: &Entry<'_>) {
        // In a list the whole item is substituted: a variable before `=` chooses the name.
        if entry.name.contains('$') && self.fixed(path, entry.name).is_none() {
            return;
        }
        let text = entry
            .value
            .map_or_else(|| format!("${{{}}}", entry.name), str::to_owned);
        let Some(place) = self.substituted(path, &text, "") else {
            return;
        };
        if is_risky(entry.name) {
            let says = format!(
                "{}; it fills `{}`, which can change what runs",
                place.says,
                shown(entry.name)
            );
            self.file.unmeasured.add(Place { says, ..place });
        } else {
            self.file.outside.add(place);
        }
    }
}

/// The names in `allowed_envs` that Docker, Docker Compose or a script of the guest reads: whoever sets one of them decides
/// what runs, whether or not the docker compose file refers to it.
pub(super) fn allowed(members: &Map<String, Value>, script: LaunchScript, file: &mut ComposeFile) {
    const FIELD: &str = "allowed_envs";
    let names = match members.get(FIELD) {
        None | Some(Value::Null) => return,
        Some(Value::Array(names)) => names,
        Some(other) => {
            let says = "is not a list: remove it, or write the names";
            return file.unmeasured.add(Place::new(FIELD, &other.to_string(), says));
        }
    };
    for (index, name) in names.iter().enumerate() {
        let Some(name) = name.as_str() else {
            let says = "is not a name: remove it";
            file.unmeasured
                .add(Place::new(&item(FIELD, index), &name.to_string(), says));
            continue;
        };
        if is_risky(name) && !script.logs_in_with(name) {
            let says = "is read by Docker, Docker Compose, a shell or a script of the guest: take it out of `allowed_envs`";
            file.unmeasured.add(Place::new(&step(FIELD, name), name, says));
        }
    }
}
