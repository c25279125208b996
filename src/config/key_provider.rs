//! Which key provider is expected, and the built-in table of KMS ids.

use std::fmt;
use std::str::FromStr;

use crate::evidence::strip_prefix;

/// A KMS whose root key is known.
#[derive(Debug)]
pub struct KmsRow {
    /// The name that users write.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// DER SubjectPublicKeyInfo of its root CA (P-256), hex.
    pub id: &'static str,
}

/// Every P-256 SubjectPublicKeyInfo begins with these 27 bytes.
macro_rules! p256_spki {
    ($point:literal) => {
        concat!("3059301306072a8648ce3d020106082a8648ce3d03010703420004", $point)
    };
}

/// Root keys of KMSs that are run by known parties (dstack-attestation.md §6.1). Keys that were merely seen in
/// captures are not here.
pub const KMS_IDS: [KmsRow; 2] = [
    KmsRow {
        name: "phala",
        what: "Phala Cloud's off-chain KMS",
        id: p256_spki!(
            "8844eb42ccdf8c52fd4f174f362fcb9bbd19c45fd48f1edec2d8f1ca23536ec1a74021b4cee610c074f8294d431b2b7fee2c39e5333fdaf0a4522d43fb159d9f"
        ),
    },
    KmsRow {
        name: "phala-base",
        what: "Phala's KMS governed on Base (kms-base-prod5)",
        id: p256_spki!(
            "8bf84f52911056474c207cb50b4e8010d984f8975ea57b8f0c8b17502181c283e93a68a9864ad19f629508cc699f125be3871ec2e26ab0597e5bca4e29b7425f"
        ),
    },
];

/// The key provider that is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProviderPin {
    /// `kms`, `local-sgx`, `none`, `tpm` …
    pub name: String,
    /// Hex, lower case; absent where any id of that name is accepted.
    pub id: Option<String>,
}

/// Why a value of `--key-provider` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no key provider: {problem}. Write NAME, NAME:HEXID, or the name of a known KMS ({})",
    known()
)]
pub struct PinError {
    text: String,
    problem: &'static str,
}

fn known() -> String {
    KMS_IDS.map(|row| row.name).join(", ")
}

impl FromStr for KeyProviderPin {
    type Err = PinError;

    fn from_str(text: &str) -> Result<Self, PinError> {
        let text = text.trim();
        let error = |problem| PinError {
            text: text.chars().take(80).collect(),
            problem,
        };
        if let Some(row) = KMS_IDS.iter().find(|row| row.name == text) {
            return Ok(Self {
                name: "kms".to_owned(),
                id: Some(row.id.to_owned()),
            });
        }
        let (name, id) = text
            .split_once(':')
            .map_or((text, None), |(name, id)| (name, Some(id)));
        if !["kms", "local", "local-sgx", "tpm", "none"].contains(&name) {
            return Err(error("its name is none of kms, local-sgx, local, tpm, none"));
        }
        let id = match id.map(|id| strip_prefix(id).to_ascii_lowercase()) {
            None if name == "kms" => return Err(error("a KMS is known by its id alone")),
            None => None,
            Some(id) if id.is_empty() => return Err(error("its id is empty")),
            Some(id) if !id.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                return Err(error("its id is not hex"));
            }
            Some(id) => Some(id),
        };
        Ok(Self {
            name: name.to_owned(),
            id,
        })
    }
}

impl fmt::Display for KeyProviderPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            None => f.write_str(&self.name),
            Some(id) => write!(f, "{}:{id}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_kms_ids_are_p256_keys() {
        for row in &KMS_IDS {
            assert_eq!(row.id.len(), 2 * 91, "{}", row.name);
            let pin: KeyProviderPin = row.name.parse().unwrap();
            assert_eq!(pin.id.as_deref(), Some(row.id));
        }
    }

    #[test]
    fn a_kms_needs_an_id_and_empty_ids_are_refused() {
        assert_eq!(
            "kms".parse::<KeyProviderPin>().unwrap_err().problem,
            "a KMS is known by its id alone"
        );
        assert_eq!(
            "kms:".parse::<KeyProviderPin>().unwrap_err().problem,
            "its id is empty"
        );
        assert_eq!(
            "kms:zz".parse::<KeyProviderPin>().unwrap_err().problem,
            "its id is not hex"
        );
        // The prefix is one: behind it, `0x` is no hex.
        for twice in ["kms:0x0xab", "kms:0X0xab", "local-sgx:0x0Xab"] {
            let error = twice.parse::<KeyProviderPin>().expect_err(twice);
            assert_eq!(error.problem, "its id is not hex", "{twice}");
        }
        for once in ["kms:0xAB", "kms:0Xab", "kms:ab"] {
            assert_eq!(once.parse::<KeyProviderPin>().unwrap().to_string(), "kms:ab");
        }
        assert!("vault".parse::<KeyProviderPin>().is_err());
        assert_eq!("local-sgx".parse::<KeyProviderPin>().unwrap().id, None);
        assert_eq!(
            "local-sgx:0xAB".parse::<KeyProviderPin>().unwrap().to_string(),
            "local-sgx:ab"
        );
    }
}
