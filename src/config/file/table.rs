//! Which keys a table of the policy file takes, and what to write instead of another.

use super::FileProblem;
use super::keys::{NOT_KEYS, PolicyKey, keys};
use crate::config::SettingLevel;
use cvm_verify_core::toml_text::literal::key as toml_key;
use cvm_verify_core::toml_text::{UnknownKey, nearest};

/// Where a table of keys stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Defaults,
    Target,
}

impl Table {
    /// Which level its keys are of.
    pub(super) const fn level(self) -> SettingLevel {
        match self {
            Self::Defaults => SettingLevel::Defaults,
            Self::Target => SettingLevel::Target,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Defaults => "[defaults]",
            Self::Target => "a [[target]]",
        }
    }

    pub(super) fn takes(self, key: &PolicyKey) -> bool {
        match self {
            Self::Defaults => key.in_defaults(),
            Self::Target => key.in_target(),
        }
    }
}

/// What is wrong with a name at the root of the file.
pub(super) fn unknown_at_the_root(name: &str) -> FileProblem {
    let fix = match (PolicyKey::named(name), nearest(name, ["defaults", "target"])) {
        _ if is_option(&spelled(name)) => not_a_key(&spelled(name)),
        (Some(key), _) if key.in_defaults() => "write it below [defaults], or in a [[target]]".to_owned(),
        (Some(_), _) => "write it in a [[target]]".to_owned(),
        (None, Some("target")) => "did you mean [[target]]?".to_owned(),
        (None, Some(near)) => format!("did you mean [{near}]?"),
        (None, None) => "a file holds [defaults] and [[target]]".to_owned(),
    };
    FileProblem::UnknownKey {
        key: short_key(name),
        fix,
    }
}

/// What is wrong with a name that is not a key of a table.
pub(super) fn unknown(name: &str, table: Table) -> FileProblem {
    let spelled = spelled(name);
    if let Some(key) = keys().filter_map(PolicyKey::secret).find(|key| *key == spelled) {
        return FileProblem::Secret { key };
    }
    let known: Vec<&'static str> = keys()
        .filter(|key| table.takes(key))
        .map(|key| key.name)
        .collect();
    let near = UnknownKey::new(name, &known).near;
    FileProblem::UnknownKey {
        key: short_key(name),
        fix: match near {
            _ if is_option(&spelled) => not_a_key(&spelled),
            Some(near) => format!("did you mean {near}?"),
            None => format!("docs/policy-file.md lists the keys of {}", table.name()),
        },
    }
}

/// A name as keys and options are written.
fn spelled(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// Whether that is an option and no key.
fn is_option(spelled: &str) -> bool {
    NOT_KEYS.iter().any(|(_, names)| names.contains(&spelled))
}

fn not_a_key(spelled: &str) -> String {
    format!("it is an option of the command line, not a key: remove it here and give --{spelled}")
}

/// What is wrong with a key that is in the other table.
pub(super) fn misplaced(key: &'static PolicyKey, table: Table) -> FileProblem {
    let fix = match table {
        Table::Defaults => "each [[target]] has its own",
        Table::Target => "it is about the whole run: write it below [defaults]",
    };
    FileProblem::Misplaced {
        key: key.name,
        here: table.name(),
        fix: fix.to_owned(),
    }
}

fn short_key(name: &str) -> String {
    toml_key(&name.chars().take(60).collect::<String>())
}
