//! What a change of a field of the compose document means in this case.

use serde_json::Value;

use crate::compose::{is_risky, known_prelaunch_script};
use crate::report::and_more;

/// Names that one sentence lists.
const MAX_NAMES: usize = 12;

/// What the change of a field of the compose document means in this case, where more can be said than its name does.
#[must_use]
pub fn field_words(name: &str, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    match name {
        "allowed_envs" => Some(variables(old, new)),
        "pre_launch_script" => script(old, new),
        _ => exposure(name, old, new),
    }
}

fn variables(old: Option<&Value>, new: Option<&Value>) -> String {
    let names = |value: Option<&Value>| -> Vec<String> {
        let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let (old, new) = (names(old), names(new));
    let missing_in = |from: &[String], other: &[String]| -> Vec<String> {
        from.iter()
            .filter(|name| !other.contains(name))
            .cloned()
            .collect()
    };
    let mut said = Vec::new();
    for name in missing_in(&new, &old) {
        let risk = if is_risky(&name) {
            ", which can change what runs"
        } else {
            ""
        };
        said.push(format!("`{name}` was added{risk}"));
    }
    for name in missing_in(&old, &new) {
        said.push(format!("`{name}` was removed"));
    }
    if said.is_empty() {
        return "the names are the same".to_owned();
    }
    let more = and_more(";", said.len().saturating_sub(MAX_NAMES));
    said.truncate(MAX_NAMES);
    format!("{}{more}", said.join("; "))
}

fn script(old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    let known = |value: Option<&Value>| {
        let hash = value
            .and_then(Value::as_str)
            .and_then(|text| text.strip_prefix("sha256:"));
        hash.and_then(known_prelaunch_script)
    };
    let name = |value: Option<&Value>| match (value, known(value)) {
        (None, _) => "none".to_owned(),
        (_, Some(script)) => format!("Phala's {}", script.version),
        (_, None) => "a script in no table".to_owned(),
    };
    let is_known = known(old).is_some() || known(new).is_some();
    is_known.then(|| format!("{} -> {}", name(old), name(new)))
}

/// What the guest shows or does where the flag is missing is not said: only what the document says.
fn exposure(name: &str, old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    let (on, off) = match name {
        "public_logs" => (
            "everyone can now read the containers' logs",
            "the containers' logs are no longer public",
        ),
        "public_sysinfo" => (
            "everyone can now read the VM's load and disks",
            "the VM's load and disks are no longer public",
        ),
        "public_tcbinfo" => (
            "everyone can now read the VM's measurements",
            "the VM's measurements are no longer public, which verifiers may need",
        ),
        "no_instance_id" => (
            "the VMs of the app can no longer be distinguished",
            "each VM now has an id of its own",
        ),
        "secure_time" => (
            "the VM now boots only with authenticated time",
            "the VM now uses the time of its host without authentication",
        ),
        _ => return None,
    };
    match (old.and_then(Value::as_bool), new.and_then(Value::as_bool)) {
        (old, Some(true)) if old != Some(true) => Some(on.to_owned()),
        (old, Some(false)) if old != Some(false) => Some(off.to_owned()),
        _ => None,
    }
}
