//! What a script does with a variable.

use std::collections::BTreeMap;

use super::host_data::may_take;
use super::shown_environment::WHOLE_ENVIRONMENT;

/// What a script does with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compose::docker_compose) enum Use {
    /// It hands it to a program.
    Argument,
    /// It executes it, or may.
    Executed,
}

/// Each variable that is used, with the gravest use.
pub(in crate::compose::docker_compose) type Uses = BTreeMap<String, Use>;

/// As a name in [`Uses`]: every variable of the environment, since the script executes what a command says of all.
pub(in crate::compose::docker_compose) const EVERY_VARIABLE: &str = "*";

/// Whether a script can read a variable at all, or what counts as one.
pub(in crate::compose::docker_compose) fn reads_variables(script: &str) -> bool {
    [
        "$", "((", "[", "env", "ENV", "_SERVER", "let", "local", "set", "export", "declare", "typeset",
        "readonly", "integer", "float", "config(", "base64",
    ]
    .iter()
    .any(|word| script.contains(word))
        || may_take(script)
}

/// Notes one use.
pub(super) fn note(found: &mut Uses, name: String, how: Use) {
    if name == WHOLE_ENVIRONMENT {
        if how == Use::Executed {
            found.insert(EVERY_VARIABLE.to_owned(), how);
        }
        return;
    }
    let entry = found.entry(name).or_insert(how);
    *entry = (*entry).max(how);
}
