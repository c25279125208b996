//! What the entries of an environment decide.

use serde_json::Value;

use super::absent_value::is_absent;
use super::environment::{Environment, EnvironmentEntry, carried_in, of_item, of_member};
use super::judge::Judge;
use super::place::{ComposePlace, item, shown, step};
use super::shell;

impl Judge<'_> {
    pub(super) fn environment(&mut self, path: &str, value: &Value, environment: &Environment) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let path = step(path, name);
                    match value {
                        Value::Object(_) | Value::Array(_) => self.unknown(&path, value),
                        value => self.entry(&path, &of_member(name, value), environment),
                    }
                }
            }
            Value::Array(items) => {
                for (index, each) in items.iter().enumerate() {
                    let path = item(path, index);
                    match each.as_str() {
                        Some(text) => self.entry(&path, &of_item(text), environment),
                        None if each.is_null() => {}
                        None => self.unknown(&path, each),
                    }
                }
            }
            value if is_absent(value) => {}
            value => self.unknown(path, value),
        }
    }

    fn entry(&mut self, path: &str, entry: &EnvironmentEntry<'_>, environment: &Environment) {
        // In a list the whole item is substituted: a variable before `=` chooses the name.
        let name = if entry.name.contains('$') {
            let Some(name) = self.fixed(path, entry.name) else {
                return;
            };
            name
        } else {
            entry.name.to_owned()
        };
        let text = entry
            .value
            .map_or_else(|| format!("${{{}}}", entry.name), str::to_owned);
        let Some(place) = self.substituted(path, &text, "") else {
            return self.carrier(path, &name, &text, environment);
        };
        if environment.is_risky(&name) {
            let says = format!(
                "{}; it fills `{}`, which can change what runs",
                place.says,
                shown(&name)
            );
            self.file.unmeasured.add(ComposePlace { says, ..place });
        } else {
            self.file.outside.add(place);
        }
    }

    /// A fixed value that names a variable from outside: a program that expands it executes that variable.
    fn carrier(&mut self, path: &str, name: &str, text: &str, environment: &Environment) {
        // Where programs load code from. A proxy only passes on what is authenticated by itself.
        let is_proxy = shell::is_of_proxy(name);
        let is_address = text
            .split("://")
            .next()
            .is_some_and(|scheme| scheme.bytes().all(|byte| byte.is_ascii_alphabetic()));
        if !is_proxy && is_address && environment.is_risky(name) && shell::is_unprotected(text) {
            let says = format!(
                "`{}` says from where code comes, and the host can answer for an address without TLS: use `https://`",
                shown(name)
            );
            self.file.unmeasured.add(ComposePlace::new(path, text, says));
        }
        let carried = carried_in(text, self.settable);
        let outside = carried.iter().find(|name| environment.is_from_outside(name));
        if let Some(outside) = outside
            && environment.is_risky(name)
        {
            let says = format!(
                "holds `$${}`, which is set from outside; it fills `{}`, which can change what runs: write the value",
                shown(outside),
                shown(name)
            );
            self.file.unmeasured.add(ComposePlace::new(path, text, says));
        }
    }
}
