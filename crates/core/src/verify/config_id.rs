//! What the host bound at launch: MRCONFIGID, 48 bytes (dstack, `dstack-types/src/mr_config.rs`).
//!
//! | first byte | the 32 bytes behind it |
//! |---|---|
//! | 01 | the compose hash |
//! | 02 | Keccak-256 of compose hash, app id (20 bytes), kind of key provider (1 byte) and id of the key provider |
//! | 03 | SHA-256 of `dstack-mr-config-v3:`, a zero byte and a document in canonical JSON |
//!
//! Every expected value is computed from what was measured, and no document that the host supplies is read. The document of 03
//! has members that may be left out; each choice of them is tried. Any that fits says nothing but what was measured.

use sha2::{Digest as _, Sha256};
use sha3::Keccak256;

use super::{BootClaims, MeasuredCompose};

/// What is in front of the document that is hashed.
const DOCUMENT_DOMAIN: &[u8] = b"dstack-mr-config-v3:\0";

/// What MRCONFIGID says, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigId {
    /// All zero: the host bound nothing.
    Unbound,
    /// 01: the compose hash.
    ComposeHash([u8; 32]),
    /// 02: a hash of compose hash, app id and key provider.
    Identity([u8; 32]),
    /// 03: the hash of a document.
    Document([u8; 32]),
    /// A known first byte, and bytes behind the 32 that are not zero.
    NonZeroTail,
    /// Another first byte.
    Unknown(u8),
}

impl ConfigId {
    /// Reads the 48 bytes.
    #[must_use]
    pub fn of(value: &[u8; 48]) -> Self {
        if *value == [0; 48] {
            return Self::Unbound;
        }
        let [tag, bytes @ ..] = value;
        let Some((hash, tail)) = bytes.split_first_chunk::<32>() else {
            return Self::Unknown(*tag);
        };
        match tag {
            1..=3 if tail.iter().any(|byte| *byte != 0) => Self::NonZeroTail,
            1 => Self::ComposeHash(*hash),
            2 => Self::Identity(*hash),
            3 => Self::Document(*hash),
            other => Self::Unknown(*other),
        }
    }
}

/// The kind of key provider that the launch configuration names.
#[derive(Clone, Copy)]
struct ProviderForm {
    /// In form 02.
    byte: u8,
    /// In form 03.
    name: &'static str,
}

fn kind_of(provider: &str) -> Option<ProviderForm> {
    let (byte, name) = match provider {
        "none" => (0, "none"),
        "local" | "local-sgx" => (1, "local"),
        "kms" => (2, "kms"),
        "tpm" => (3, "tpm"),
        _ => return None,
    };
    Some(ProviderForm { byte, name })
}

/// What a launch configuration may name, as measured.
pub struct Launch<'a> {
    boot: &'a BootClaims,
    compose: Option<&'a MeasuredCompose>,
}

impl<'a> Launch<'a> {
    /// From what was measured. The compose document says more where it was supplied.
    #[must_use]
    pub const fn new(boot: &'a BootClaims, compose: Option<&'a MeasuredCompose>) -> Self {
        Self { boot, compose }
    }

    /// The hash that form 02 must have; absent where the key provider has no kind that the form knows.
    #[must_use]
    pub fn identity(&self) -> Option<[u8; 32]> {
        let provider = self.boot.key_provider();
        let kind = kind_of(&provider.name)?;
        let id = hex::decode(&provider.id).ok()?;
        let mut hasher = Keccak256::new();
        hasher.update(self.boot.compose_hash());
        hasher.update(self.boot.app_id());
        hasher.update([kind.byte]);
        hasher.update(id);
        Some(hasher.finalize().into())
    }

    /// The members that a document of form 03 names, where its hash is that of a document that says what was measured.
    #[must_use]
    pub fn document(&self, hash: &[u8; 32]) -> Option<Vec<&'static str>> {
        let candidates = self.candidates()?;
        // Every member that may be left out doubles them: 32 at most.
        (0..1u32 << candidates.optional.len()).find_map(|choice| {
            let chosen = |place: usize| choice >> place & 1 == 1;
            let optional = candidates.optional.iter().enumerate();
            let mut members: Vec<&(&'static str, String)> = candidates
                .required
                .iter()
                .chain(
                    optional
                        .filter(|(place, _)| chosen(*place))
                        .map(|(_, member)| member),
                )
                .collect();
            // Canonical JSON has its members in the order of their names.
            members.sort_unstable_by_key(|(name, _)| *name);
            let fits = document_hash(&members) == *hash;
            fits.then(|| members.iter().map(|(name, _)| *name).collect())
        })
    }

    fn candidates(&self) -> Option<DocumentMembers> {
        let boot = self.boot;
        let provider = boot.key_provider();
        let kind = kind_of(&provider.name)?;
        let text = |bytes: &[u8]| format!("\"{}\"", hex::encode(bytes));
        let mut required = vec![
            ("compose_hash", text(boot.compose_hash())),
            ("key_provider", format!("\"{}\"", kind.name)),
            ("version", "3".to_owned()),
        ];
        let mut optional = vec![("app_id", text(boot.app_id()))];
        if let Some(instance_id) = boot.instance_id() {
            optional.push(("instance_id", text(instance_id)));
        }
        if let Some(hash) = boot.gpu_policy_hash() {
            optional.push(("gpu_policy_hash", text(hash)));
        }
        let provider_id =
            (!provider.id.is_empty()).then(|| ("key_provider_id", format!("\"{}\"", provider.id)));
        let scripts: Vec<String> = boot.init_script_hashes().iter().map(|hash| text(hash)).collect();
        let scripts = ("init_script_hashes", format!("[{}]", scripts.join(",")));
        let manifest = self.compose.map(ManifestVersion::of).unwrap_or_default();
        match provider_id {
            Some(member) if manifest.pins_key_provider => required.push(member),
            Some(member) => optional.push(member),
            None => {}
        }
        match manifest.is_version_3 {
            Some(true) => required.push(scripts),
            Some(false) => {}
            None => optional.push(scripts),
        }
        Some(DocumentMembers { required, optional })
    }
}

/// The members of a document: name and JSON text.
struct DocumentMembers {
    required: Vec<(&'static str, String)>,
    optional: Vec<(&'static str, String)>,
}

/// What of the compose document decides on the members.
#[derive(Default)]
struct ManifestVersion {
    /// `manifest_version` is the text "3", or a higher number: the document then names the init scripts. Absent if it is not known.
    is_version_3: Option<bool>,
    /// `key_provider_id` is not empty: the document then names it.
    pins_key_provider: bool,
}

impl ManifestVersion {
    fn of(compose: &MeasuredCompose) -> Self {
        let Ok(members) = compose.members() else {
            return Self::default();
        };
        let version = members.get("manifest_version");
        let number = version.and_then(|version| version.as_u64().or_else(|| version.as_str()?.parse().ok()));
        let id = members.get("key_provider_id").and_then(serde_json::Value::as_str);
        Self {
            is_version_3: Some(number.is_some_and(|number| number >= 3)),
            pins_key_provider: id.is_some_and(|id| !id.is_empty()),
        }
    }
}

fn document_hash(members: &[&(&'static str, String)]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(DOCUMENT_DOMAIN);
    for (place, (name, value)) in members.iter().enumerate() {
        hasher.update(if place == 0 { "{\"" } else { ",\"" });
        hasher.update(name);
        hasher.update("\":");
        hasher.update(value);
    }
    hasher.update("}");
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_value_has_one_meaning_and_none_panics(bytes in proptest::collection::vec(any::<u8>(), 48), tag in 0u8..6) {
            let mut value: [u8; 48] = bytes.try_into().unwrap();
            value[0] = tag;
            let tail_is_zero = value[33..].iter().all(|byte| *byte == 0);
            match ConfigId::of(&value) {
                ConfigId::Unbound => prop_assert_eq!(value, [0; 48]),
                ConfigId::ComposeHash(hash) => prop_assert_eq!((tag, &hash[..], tail_is_zero), (1, &value[1..33], true)),
                ConfigId::Identity(hash) => prop_assert_eq!((tag, &hash[..], tail_is_zero), (2, &value[1..33], true)),
                ConfigId::Document(hash) => prop_assert_eq!((tag, &hash[..], tail_is_zero), (3, &value[1..33], true)),
                ConfigId::NonZeroTail => prop_assert!((1..=3).contains(&tag) && !tail_is_zero),
                ConfigId::Unknown(found) => prop_assert!(found == tag && !(1..=3).contains(&tag)),
            }
        }

        #[test]
        fn a_tail_of_zeros_is_read(hash in any::<[u8; 32]>(), tag in 1u8..4) {
            let mut value = [0; 48];
            value[0] = tag;
            value[1..33].copy_from_slice(&hash);
            let expected = match tag {
                1 => ConfigId::ComposeHash(hash),
                2 => ConfigId::Identity(hash),
                _ => ConfigId::Document(hash),
            };
            prop_assert_eq!(ConfigId::of(&value), expected);
        }
    }
}
