//! The names that the encrypted environment may set.

use serde_json::{Map, Value};

use super::place::{ComposePlace, item, step};
use super::settable::{LaunchScript, Settable};
use super::{ComposeFile, is_risky, is_risky_in_guest};

/// The names in `allowed_envs` that Docker, Docker Compose or a script of the guest reads: the one who sets one of them decides
/// what runs, whether or not the docker compose file refers to it. What programs in containers read is judged where `environment` hands
/// it to them, unless a script that is not known may.
pub(super) fn judge(
    members: &Map<String, Value>,
    script: LaunchScript,
    settable: &Settable,
    file: &mut ComposeFile,
) {
    const FIELD: &str = "allowed_envs";
    let names = match members.get(FIELD) {
        None | Some(Value::Null) => return,
        Some(Value::Array(names)) => names,
        Some(other) => {
            let says = "is not a list: remove it, or write the names";
            return file
                .unmeasured
                .add(ComposePlace::new(FIELD, &other.to_string(), says));
        }
    };
    for (index, name) in names.iter().enumerate() {
        let Some(name) = name.as_str() else {
            let says = "is not a name: remove it";
            file.unmeasured
                .add(ComposePlace::new(&item(FIELD, index), &name.to_string(), says));
            continue;
        };
        if script.logs_in_with(name) {
            continue;
        }
        let says = if is_risky_in_guest(name) {
            "is read by Docker, Docker Compose, a shell or a tool of the guest: take it out of `allowed_envs`"
        } else {
            "may be handed by a script before the containers to a program that loads code by it: take it out of `allowed_envs`"
        };
        if is_risky_in_guest(name) || settable.runs_unknown_script() && is_risky(name) {
            file.unmeasured
                .add(ComposePlace::new(&step(FIELD, name), name, says));
        }
    }
}
