//! Whether a shell of a container may be interactive: then it executes the file that `ENV` names (POSIX, `sh`).

use serde_json::{Map, Value};

use super::absent_value::is_absent;
use super::shell;

/// Whether a shell of the container may be an interactive one: it has a terminal or an input, or a shell is started so.
pub(super) fn is_interactive(container: &Map<String, Value>) -> bool {
    let is_set = |key: &&str| container.get(*key).is_some_and(|value| !is_absent(value));
    if ["stdin_open", "tty"].iter().any(is_set) {
        return true;
    }
    let words = ["entrypoint", "command"].map(|key| container.get(key).map(all_text).unwrap_or_default());
    let others = ["healthcheck", "post_start", "pre_stop"].into_iter();
    let others = others.filter_map(|key| container.get(key)).map(all_text);
    std::iter::once(words.join(" "))
        .chain(others)
        .any(|text| shell::starts_interactive_shell(&text))
}

/// Every text of a value, with spaces between.
fn all_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(all_text).collect::<Vec<_>>().join(" "),
        Value::Object(members) => members.values().map(all_text).collect::<Vec<_>>().join(" "),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}
