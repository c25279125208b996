//! What changed between two locks, in words.

use std::collections::{BTreeMap, BTreeSet};

use super::compose_settings::compact;
use super::keyed_section::Keys;
use super::{AcceptName, Lock, governance, kms, tls};
use crate::toml_text::literal::key as toml_key;

/// One locked value that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its key in the file, with its section.
    pub key: String,
    /// The value before; absent if there was none.
    pub old: Option<String>,
    /// The value now; absent if there is none.
    pub new: Option<String>,
    /// What the change means, without a full stop.
    pub means: String,
}

/// Every value that differs, in the order of the file.
#[must_use]
pub fn difference(old: &Lock, new: &Lock) -> Vec<Change> {
    let plain = |rows: &[DiffRow]| -> Vec<Change> {
        let of = |row: &DiffRow| single(row.key, row.means, (row.value)(old), (row.value)(new));
        rows.iter().filter_map(of).collect()
    };
    plain(BEFORE_SECTIONS)
        .into_iter()
        .chain(accepted(old, new))
        .chain(images(old, new))
        .chain(compose_settings(old, new))
        .chain(places(old, new))
        .chain(sources(old, new))
        .chain(plain(AFTER_SECTIONS))
        .chain(gpus(old, new))
        .chain(section(&kms::KEYS, old.kms.values(), new.kms.values()))
        .chain(section(
            &governance::KEYS,
            old.governance.values(),
            new.governance.values(),
        ))
        .chain(section(&tls::KEYS, old.tls.values(), new.tls.values()))
        .collect()
}

/// The changes in a section with one text under each key.
fn section<const N: usize>(
    keys: &Keys<N>,
    old: [Option<String>; N],
    new: [Option<String>; N],
) -> Vec<Change> {
    let values = old.into_iter().zip(new);
    let changes = keys.iter().zip(values);
    changes
        .filter_map(|((key, means), (old, new))| single(key, means, old, new))
        .collect()
}

/// The change of a value that stands alone.
fn single(key: &str, means: &str, old: Option<String>, new: Option<String>) -> Option<Change> {
    let words = [means, "it was not locked before", "it is no longer locked"];
    change(key.to_owned(), old, new, words)
}

/// Rules by image, each as one text.
fn sources(old: &Lock, new: &Lock) -> Vec<Change> {
    let by_image = |lock: &Lock| -> BTreeMap<String, String> {
        let text = |rule: &crate::policy::WrittenRule| {
            let lines = super::sources::lines(rule).into_iter().skip(1);
            let lines: Vec<String> = lines
                .map(|(key, values)| format!("{key} {}", values.join(" or ")))
                .collect();
            (rule.image.clone(), lines.join(", "))
        };
        lock.sources.iter().map(text).collect()
    };
    let words = [
        "another workflow, ref or commit built the image",
        "who built the image was not locked before",
        "who built the image is no longer locked",
    ];
    by_name("sources", &by_image(old), &by_image(new), |_| words)
}

/// A value that stands alone.
struct DiffRow {
    key: &'static str,
    /// What a change of it means.
    means: &'static str,
    value: fn(&Lock) -> Option<String>,
}

const fn row(key: &'static str, means: &'static str, value: fn(&Lock) -> Option<String>) -> DiffRow {
    DiffRow { key, means, value }
}

/// Those before `[images]`, in the order of the file.
const BEFORE_SECTIONS: &[DiffRow] = &[
    row(
        "tool",
        "another version of the program wrote the lock; this says nothing about the deployment",
        |lock| lock.tool.clone(),
    ),
    row(
        "origin",
        "it was made from another address; this says nothing about the code",
        |lock| lock.origin.clone(),
    ),
    row("compose_hash", "the app runs another compose document", |lock| {
        lock.compose_hash.map(hex::encode)
    }),
    row("app_id", "it is another app", |lock| lock.app_id.map(hex::encode)),
    row(
        "key_provider",
        "the VM's keys come from another provider, who can read its data",
        |lock| lock.key_provider.as_ref().map(ToString::to_string),
    ),
];

/// Those after `[[sources]]`.
const AFTER_SECTIONS: &[DiffRow] = &[
    row(
        "os_image.mrtd",
        "the firmware changed: another OS image, or a host that loads it in another way",
        |lock| lock.os_image.as_ref().map(|os| hex::encode(os.mrtd)),
    ),
    row(
        "os_image.rtmr0",
        "the VM's size, its devices or the host's ACPI tables changed",
        |lock| lock.os_image.as_ref()?.rtmr0.map(hex::encode),
    ),
    row("os_image.rtmr1", "the kernel changed: another OS image", |lock| {
        lock.os_image.as_ref().map(|os| hex::encode(os.rtmr1))
    }),
    row(
        "os_image.rtmr2",
        "the kernel command line or the initrd changed: another OS image",
        |lock| lock.os_image.as_ref().map(|os| hex::encode(os.rtmr2)),
    ),
    row(
        "os_image.known_by",
        "the OS image was known in another way when it was locked",
        |lock| Some(lock.os_image.as_ref()?.known_by.as_ref()?.to_string()),
    ),
    row(
        "os_image.vulnerable_until",
        "a vulnerable image is accepted until another day",
        |lock| Some(lock.os_image.as_ref()?.vulnerable_until?.to_string()),
    ),
    row(
        "platform.td_attributes",
        "the VM runs in another mode: look for debugging or profiling",
        |lock| lock.td_attributes.map(hex::encode),
    ),
    row(
        "platform.mr_seam",
        "the platform's TDX module is another version",
        |lock| lock.mr_seam.map(hex::encode),
    ),
    row("platform.fmspc", "the platform is another model", |lock| {
        lock.fmspc.map(hex::encode)
    }),
];

/// The change of one value, with what it means that it changed, was added, was removed.
fn change<W: Into<String>>(
    key: String,
    old: Option<String>,
    new: Option<String>,
    [changed, added, removed]: [W; 3],
) -> Option<Change> {
    let means = match (&old, &new) {
        _ if old == new => return None,
        (None, _) => added,
        (_, None) => removed,
        _ => changed,
    };
    let means = means.into();
    Some(Change { key, old, new, means })
}

fn accepted(old: &Lock, new: &Lock) -> Vec<Change> {
    let of = |name: AcceptName| {
        let of = |lock: &Lock| lock.accepted.get(&name).cloned();
        let added = match name.option_of_verify() {
            None if name.is_named_by_verdicts() => {
                "this is accepted in writing now: a verdict that relies on it says so".to_owned()
            }
            None => "this is accepted in writing now: a verdict does not repeat it".to_owned(),
            Some(option) => format!("this is noted in writing now: `verify` needs {option} as well"),
        };
        let words = [
            "another thing is accepted in writing".to_owned(),
            added,
            "this is no longer accepted in writing".to_owned(),
        ];
        change(format!("accepted.{name}"), of(old), of(new), words)
    };
    AcceptName::ALL.into_iter().filter_map(of).collect()
}

fn images(old: &Lock, new: &Lock) -> Vec<Change> {
    by_name("images", &old.images, &new.images, |service| {
        [
            format!("a new image for service `{service}`"),
            format!("a new service `{service}`"),
            format!("the service `{service}` was removed"),
        ]
    })
}

fn compose_settings(old: &Lock, new: &Lock) -> Vec<Change> {
    let texts = |lock: &Lock| -> BTreeMap<String, String> {
        let settings = lock.compose_settings.iter();
        settings
            .map(|(name, value)| (name.clone(), compact(value)))
            .collect()
    };
    by_name("compose", &texts(old), &texts(new), |name| {
        ["changed", "was added", "was removed"].map(|verb| format!("{} {verb}", what(name)))
    })
}

fn places(old: &Lock, new: &Lock) -> Vec<Change> {
    let by_path = |lock: &Lock| {
        let texts = lock.places.iter().map(|place| {
            let text = format!("{} {:?}", hex::encode(place.sha256), place.reason);
            (place.path.clone(), text)
        });
        grouped(texts)
    };
    let words = [
        "a place that decides which code runs has another text or another reason",
        "another place decides which code runs",
        "a place no longer decides which code runs",
    ];
    by_name("places", &by_path(old), &by_path(new), |_| words)
}

/// Each kind of GPU, by everything but its measurements.
fn gpus(old: &Lock, new: &Lock) -> Vec<Change> {
    let by_kind = |lock: &Lock| {
        let pins = lock.gpus.iter();
        grouped(pins.map(|pin| (pin.kind.join(" "), hex::encode(pin.measurements))))
    };
    let words = [
        "GPUs of the same kind measure another firmware or driver",
        "there are GPUs of another kind: chip, driver, vBIOS or mode",
        "there are no GPUs of this kind any more",
    ];
    by_name("gpus", &by_kind(old), &by_kind(new), |_| words)
}

/// The texts of each name, joined.
fn grouped(texts: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut grouped: BTreeMap<String, String> = BTreeMap::new();
    for (name, text) in texts {
        let entry = grouped.entry(name).or_default();
        entry.push_str(if entry.is_empty() { "" } else { ", " });
        entry.push_str(&text);
    }
    grouped
}

/// The names of a section whose text differs, with the words of [`change`] for each.
fn by_name<W: Into<String>>(
    section: &str,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    words: impl Fn(&str) -> [W; 3],
) -> Vec<Change> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let of = |name: &String| {
        let key = format!("{section}.{}", toml_key(name));
        change(key, old.get(name).cloned(), new.get(name).cloned(), words(name))
    };
    names.into_iter().filter_map(of).collect()
}

/// What a field of the compose document is (dstack, `dstack-types/src/lib.rs`, `AppCompose`).
fn what(field: &str) -> &'static str {
    match field {
        "pre_launch_script" => "the pre-launch script, which runs as root before the containers,",
        "init_script" => "the init script, which runs as root before Docker,",
        "bash_script" => "the script that is the app",
        "allowed_envs" => "the list of variables that may be set from outside",
        "public_logs" | "public_sysinfo" | "public_tcbinfo" => "what the VM shows to everyone",
        "kms_enabled" | "local_key_provider_enabled" | "key_provider" | "key_provider_id" => {
            "the choice of the key provider"
        }
        "gateway_enabled" | "tproxy_enabled" | "port_policy" => "how the gateway reaches the app",
        "requirements" => "what the app requires of its VM",
        "runner" | "snapshotter" => "what starts the containers",
        "secure_time" => "whether the VM boots only with authenticated time",
        "no_instance_id" => "whether each VM has an id of its own",
        "name" => "the app's display name",
        _ => "a field of the compose document",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::arbitrary;
    use super::*;

    #[test]
    fn each_field_that_changes_is_named_alone_and_in_the_order_of_the_file() {
        let old = arbitrary::example();
        let changed = arbitrary::changed_in_each_field(&old);
        let keys: Vec<&str> = changed.iter().map(|(key, _)| *key).collect();
        for (key, new) in &changed {
            let found = difference(&old, new);
            let found: Vec<&str> = found.iter().map(|change| change.key.as_str()).collect();
            assert_eq!(found, [*key]);
        }
        let all = arbitrary::all_changed(&old);
        let found = difference(&old, &all);
        let found: Vec<&str> = found.iter().map(|change| change.key.as_str()).collect();
        assert_eq!(found, keys);
        assert_eq!(difference(&old, &old), []);
    }

    proptest! {
        #[test]
        fn equal_locks_do_not_differ_and_others_do(old in arbitrary::lock(), new in arbitrary::lock()) {
            prop_assert_eq!(difference(&old, &old), []);
            prop_assert_eq!(difference(&old, &new).is_empty(), old == new);
        }
    }
}
