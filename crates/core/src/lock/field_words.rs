//! What a change of a field of the compose document means in this case.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::compose::{LaunchScript, is_risky, known_prelaunch_script, launch_script_of};
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
    let (added, removed) = (names_without(new, old), names_without(old, new));
    let count = added.len() + removed.len();
    if count == 0 {
        return "the names are the same".to_owned();
    }
    let added = added.into_iter().map(|name| {
        let risk = if is_risky(name) {
            ", which can change what runs"
        } else {
            ""
        };
        format!("`{name}` was added{risk}")
    });
    let removed = removed.into_iter().map(|name| format!("`{name}` was removed"));
    let said: Vec<String> = added.chain(removed).take(MAX_NAMES).collect();
    let more = and_more(";", count.saturating_sub(MAX_NAMES));
    format!("{}{more}", said.join("; "))
}

/// The names of a list that another list does not have, in their order. A host chooses how many there are.
fn names_without<'v>(list: Option<&'v Value>, other: Option<&'v Value>) -> Vec<&'v str> {
    fn names(value: Option<&Value>) -> impl Iterator<Item = &str> {
        let items = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().filter_map(Value::as_str)
    }
    let other: BTreeSet<&str> = names(other).collect();
    names(list).filter(|name| !other.contains(name)).collect()
}

fn script(old: Option<&Value>, new: Option<&Value>) -> Option<String> {
    let known = |value: Option<&Value>| {
        let hash = value
            .and_then(Value::as_str)
            .and_then(|text| text.strip_prefix("sha256:"));
        hash.and_then(known_prelaunch_script)
    };
    // The guest runs no script then.
    let is_empty = |value: Option<&Value>| value.is_some() && launch_script_of(value) == LaunchScript::None;
    let name = |value: Option<&Value>| match (value, known(value)) {
        (None, _) => "none".to_owned(),
        (_, Some(script)) => format!("Phala's {}", script.version),
        _ if is_empty(value) => "an empty field".to_owned(),
        (_, None) => "a script in no table".to_owned(),
    };
    let says_more = |value| known(value).is_some() || is_empty(value);
    (says_more(old) || says_more(new)).then(|| format!("{} -> {}", name(old), name(new)))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::reference::ReferenceValues;

    fn words(name: &str, old: &Value, new: &Value) -> Option<String> {
        field_words(name, Some(old), Some(new))
    }

    #[test]
    fn names_are_told_in_their_order_and_a_risky_one_as_such() {
        let (old, new) = (json!(["A", "B", 1]), json!(["C", "B", "LD_PRELOAD", "B"]));
        assert_eq!(
            words("allowed_envs", &old, &new).unwrap(),
            "`C` was added; `LD_PRELOAD` was added, which can change what runs; `A` was removed"
        );
        assert_eq!(
            words("allowed_envs", &old, &old).unwrap(),
            "the names are the same"
        );
    }

    /// Each name compared with each would not end.
    #[test]
    fn as_many_names_as_a_document_holds_are_compared() {
        let names = |from: u32| Value::from_iter((from..from + 400_000).map(|at| format!("SOME_NAME_{at}")));
        let said = words("allowed_envs", &names(0), &names(200_000)).unwrap();
        assert!(said.starts_with("`SOME_NAME_400000` was added; "), "{said}");
        assert!(said.ends_with("and 399988 more"), "{said}");
    }

    #[test]
    fn a_script_is_told_by_its_name_and_an_empty_one_as_an_empty_field() {
        let script = &ReferenceValues::built_in().scripts()[0];
        let known = json!(format!("sha256:{}", script.sha256));
        let phalas = format!("Phala's {}", script.version);
        let nothing = json!("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        let unknown = json!(format!("sha256:{}", "0".repeat(64)));
        let of = |old, new| field_words("pre_launch_script", old, new);
        for (old, new, says) in [
            (&known, &nothing, format!("{phalas} -> an empty field")),
            (&nothing, &known, format!("an empty field -> {phalas}")),
            (&known, &Value::Null, format!("{phalas} -> an empty field")),
            (&known, &unknown, format!("{phalas} -> a script in no table")),
            (
                &nothing,
                &unknown,
                "an empty field -> a script in no table".to_owned(),
            ),
        ] {
            assert_eq!(of(Some(old), Some(new)), Some(says));
        }
        assert_eq!(of(None, Some(&nothing)).unwrap(), "none -> an empty field");
        assert_eq!(of(Some(&unknown), None), None);
    }
}
