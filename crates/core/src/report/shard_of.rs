//! What the shards of a run have in common, so that `merge` can tell whether they shared one list of targets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a shard is a part of: all targets of its run, and what each is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
pub struct ShardOf {
    /// SHA-256 of the names of all targets of the run, hex.
    #[serde(with = "hex")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
    pub targets_sha256: [u8; 32],
    /// SHA-256 of the policies of all targets of the run, by name, hex.
    #[serde(with = "hex")]
    #[cfg_attr(any(test, feature = "schema"), schemars(with = "String"))]
    pub policies_sha256: [u8; 32],
}

impl ShardOf {
    /// Of all targets of a run, each with the fingerprint of the policy that it is judged by. Their order does not matter.
    #[must_use]
    pub fn new<'a>(targets: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let mut targets: Vec<(&str, String)> = targets.into_iter().collect();
        targets.sort();
        Self {
            targets_sha256: hash(targets.iter().map(|(name, _)| *name)),
            policies_sha256: hash(targets.iter().flat_map(|(name, policy)| [*name, policy.as_str()])),
        }
    }

    /// Whether these are the names of all targets of the run.
    #[must_use]
    pub fn are_its_targets(&self, names: &BTreeSet<&str>) -> bool {
        self.targets_sha256 == hash(names.iter().copied())
    }
}

/// Each text with its length, so that no list is read as another.
fn hash<'a>(texts: impl Iterator<Item = &'a str>) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"cvm-verify/shard-of/v1\n");
    for text in texts {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Freshness, Policy};

    #[test]
    fn names_and_policies_are_told_apart_and_their_order_does_not_matter() {
        let usual = Policy::default().fingerprint().to_string();
        let other = Policy {
            freshness: Freshness::Unchecked,
            ..Policy::default()
        };
        let other = other.fingerprint().to_string();
        let of = |targets: &[(&'static str, &String)]| {
            ShardOf::new(targets.iter().map(|(name, policy)| (*name, (*policy).clone())))
        };
        let first = of(&[("a", &usual), ("b", &other)]);
        assert_eq!(first, of(&[("b", &other), ("a", &usual)]));
        let swapped = of(&[("a", &other), ("b", &usual)]);
        assert_eq!(first.targets_sha256, swapped.targets_sha256);
        assert_ne!(first.policies_sha256, swapped.policies_sha256);
        for names in [&["a"][..], &["ab"], &["a", "c"], &["a", "b", "b"]] {
            let targets: Vec<_> = names.iter().map(|name| (*name, &usual)).collect();
            assert_ne!(of(&targets).targets_sha256, first.targets_sha256, "{names:?}");
        }
    }
}
