//! What the user set, by key and level: options, a target of the policy file, its defaults.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cvm_verify_core::policy::Origin;

/// Keys that say the same thing in different ways. A level that gives one of them replaces all of a lower level.
const ALTERNATIVES: [&[&str]; 2] = [
    &["compose-hash", "app-compose-file", "docker-compose"],
    &["kms-compose-hash", "kms-compose-file"],
];

/// Keys of a mode whose word `unchecked` waives what the keys that begin with its name expect, such as `gpu-count`.
const MODES: [&str; 3] = ["gpu", "governance", "kms"];

/// Keys of such a name that expect nothing.
const EXPECT_NOTHING: [&str; 3] = ["gpu-path", "gpu-verifier", "governance-chain-id"];

/// A value as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenValue {
    /// The text; a number in decimal.
    pub text: String,
    /// Who wrote it.
    pub origin: Origin,
    /// At which level.
    pub level: SettingLevel,
}

/// Where values are written: each level is over those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingLevel {
    /// `[defaults]` of the policy file.
    Defaults,
    /// A `[[target]]` of the policy file.
    Target,
    /// An option, or its variable.
    Option,
}

/// One level of settings: values by key, which is the option's name without its dashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    values: BTreeMap<&'static str, Vec<WrittenValue>>,
    /// Keys that were given, but with a mistake.
    flawed: BTreeSet<&'static str>,
}

impl Settings {
    /// Sets a key. Without any value it stays unset.
    pub fn set(&mut self, key: &'static str, values: Vec<WrittenValue>) {
        if !values.is_empty() {
            self.values.insert(key, values);
        }
    }

    /// Leaves a key out.
    pub(crate) fn unset(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// Notes the values of an option under its key: its name without the dashes.
    pub(crate) fn give(&mut self, option: &'static str, values: impl IntoIterator<Item = String>) {
        self.set(option.trim_start_matches('-'), written(option, values));
    }

    /// Notes that a key was given with a mistake, which has been told.
    pub fn set_flawed(&mut self, key: &'static str) {
        self.flawed.insert(key);
    }

    /// Whether a key was given with a mistake: what follows from its absence is not worth telling.
    #[must_use]
    pub fn is_flawed(&self, key: &str) -> bool {
        self.flawed.contains(key)
    }

    /// Every value of a key.
    #[must_use]
    pub fn all(&self, key: &str) -> &[WrittenValue] {
        self.values.get(key).map_or(&[], Vec::as_slice)
    }

    /// The value of a key that has one at most.
    #[must_use]
    pub fn one(&self, key: &str) -> Option<&WrittenValue> {
        self.all(key).first()
    }

    /// Where each key is written.
    #[must_use]
    pub fn origins(&self) -> BTreeMap<&'static str, Origin> {
        let first =
            |(key, values): (&&'static str, &Vec<WrittenValue>)| Some((*key, values.first()?.origin.clone()));
        self.values.iter().filter_map(first).collect()
    }

    /// These settings, and those of a lower level where these say nothing. What these expect, a lower level does not waive.
    #[must_use]
    pub fn over(&self, lower: &Self) -> Self {
        let mut joined = lower.clone();
        for alternatives in ALTERNATIVES {
            if alternatives
                .iter()
                .any(|key| self.values.contains_key(key) || self.flawed.contains(key))
            {
                for key in alternatives {
                    joined.values.remove(key);
                    joined.flawed.remove(key);
                }
            }
        }
        for mode in MODES {
            if joined.one(mode).is_some_and(|value| value.text == "unchecked") && self.has_any_below(mode) {
                joined.values.remove(mode);
            }
        }
        for key in &self.flawed {
            joined.values.remove(key);
            joined.flawed.insert(key);
        }
        for (key, values) in &self.values {
            joined.flawed.remove(key);
            joined.values.insert(key, values.clone());
        }
        joined
    }

    /// Whether a key is given whose name begins with that of this mode.
    fn has_any_below(&self, mode: &str) -> bool {
        let mut given = self.values.keys().chain(&self.flawed);
        given.any(|key| {
            let is_below = key.strip_prefix(mode).is_some_and(|rest| rest.starts_with('-'));
            is_below && !EXPECT_NOTHING.contains(key)
        })
    }
}

/// Values that were given by an option.
pub(crate) fn written(option: &'static str, values: impl IntoIterator<Item = String>) -> Vec<WrittenValue> {
    let values = values.into_iter().map(|text| WrittenValue {
        text,
        origin: Origin::Option(option),
        level: SettingLevel::Option,
    });
    values.collect()
}

/// Where a file is that a setting names: relative to the policy file where it is there.
pub(crate) fn path_of(value: &WrittenValue) -> PathBuf {
    match &value.origin {
        Origin::File { path, .. } => Path::new(path)
            .parent()
            .unwrap_or(Path::new(""))
            .join(&value.text),
        _ => PathBuf::from(&value.text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> Settings {
        let mut settings = Settings::default();
        for (key, text) in pairs {
            let written = WrittenValue {
                text: (*text).to_owned(),
                origin: Origin::Option("--test"),
                level: SettingLevel::Option,
            };
            settings.set(key, vec![written]);
        }
        settings
    }

    fn text<'a>(settings: &'a Settings, key: &str) -> Option<&'a str> {
        settings.one(key).map(|written| written.text.as_str())
    }

    #[test]
    fn a_higher_level_replaces_a_value_and_keeps_the_others() {
        let joined = of(&[("app-id", "high")]).over(&of(&[("app-id", "low"), ("lock", "low")]));
        assert_eq!(text(&joined, "app-id"), Some("high"));
        assert_eq!(text(&joined, "lock"), Some("low"));
        assert_eq!(text(&joined, "url"), None);
    }

    #[test]
    fn a_compose_hash_replaces_a_compose_file_of_a_lower_level() {
        let joined = of(&[("compose-hash", "high")]).over(&of(&[("app-compose-file", "low")]));
        assert_eq!(text(&joined, "compose-hash"), Some("high"));
        assert_eq!(text(&joined, "app-compose-file"), None);
    }

    #[test]
    fn what_is_expected_ends_a_waiver_of_a_lower_level() {
        for (mode, key) in [
            ("gpu", "gpu-count"),
            ("kms", "kms-host"),
            ("governance", "governance-app-owner"),
        ] {
            let joined = of(&[(key, "1")]).over(&of(&[(mode, "unchecked")]));
            assert_eq!((text(&joined, mode), text(&joined, key)), (None, Some("1")));
            // The waiver of a higher level stands, and so does another mode.
            let joined = of(&[(mode, "unchecked")]).over(&of(&[(key, "1")]));
            assert_eq!(text(&joined, mode), Some("unchecked"));
            for key in EXPECT_NOTHING {
                let joined = of(&[(key, "1")]).over(&of(&[(mode, "unchecked")]));
                assert_eq!(text(&joined, mode), Some("unchecked"), "{key}");
            }
            let joined = of(&[(key, "1")]).over(&of(&[(mode, "required")]));
            assert_eq!(text(&joined, mode), Some("required"));
        }
    }

    #[test]
    fn a_mistake_does_not_let_a_lower_level_shine_through() {
        let mut high = Settings::default();
        high.set_flawed("lock");
        let joined = high.over(&of(&[("lock", "low")]));
        assert!(joined.is_flawed("lock"));
        assert_eq!(text(&joined, "lock"), None);
        let joined = of(&[("lock", "top")]).over(&joined);
        assert!(!joined.is_flawed("lock"));
    }
}
