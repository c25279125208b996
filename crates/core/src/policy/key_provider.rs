//! Which key provider is expected.

use std::fmt;
use std::str::FromStr;

use crate::evidence::strip_prefix;
use crate::reference::ReferenceValues;

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
    "{text:?} is not a key provider: {problem}. Write NAME, NAME:HEXID, or the name of a known KMS ({known}); or `kms` or \
     `unchecked` alone, which are waivers"
)]
pub struct PinError {
    text: String,
    problem: &'static str,
    known: String,
}

impl PinError {
    /// Whether the text may be the name of a KMS that other reference values know.
    #[must_use]
    pub fn may_be_a_name(&self) -> bool {
        let part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        self.problem == UNKNOWN_NAME && !self.text.is_empty() && self.text.bytes().all(part)
    }
}

const UNKNOWN_NAME: &str = "its name is none of kms, local-sgx, local, tpm, none";

impl FromStr for KeyProviderPin {
    type Err = PinError;

    /// With the names of the built-in reference values.
    fn from_str(text: &str) -> Result<Self, PinError> {
        Self::parse(text, ReferenceValues::built_in())
    }
}

impl KeyProviderPin {
    /// Reads a provider as users write it, with the names that reference values know.
    ///
    /// # Errors
    /// [`PinError`].
    pub fn parse(text: &str, reference: &ReferenceValues) -> Result<Self, PinError> {
        let text = text.trim();
        let error = |problem| PinError {
            text: text.chars().take(80).collect(),
            problem,
            known: reference
                .kms()
                .iter()
                .map(|row| row.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
        };
        if let Some(row) = reference.kms_named(text) {
            return Ok(Self {
                name: "kms".to_owned(),
                id: Some(row.id.to_string()),
            });
        }
        let (name, id) = text
            .split_once(':')
            .map_or((text, None), |(name, id)| (name, Some(id)));
        if !["kms", "local", "local-sgx", "tpm", "none"].contains(&name) {
            return Err(error(UNKNOWN_NAME));
        }
        let id = match id.map(|id| strip_prefix(id).to_ascii_lowercase()) {
            None if name == "kms" => return Err(error("a KMS is identified only by its id")),
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
        for row in ReferenceValues::built_in().kms() {
            assert_eq!(row.id.len(), 2 * 91, "{}", row.name);
            let pin: KeyProviderPin = row.name.parse().unwrap();
            assert_eq!(pin.id.as_deref(), Some(row.id.as_str()));
        }
    }

    #[test]
    fn a_kms_needs_an_id_and_empty_ids_are_refused() {
        assert_eq!(
            "kms".parse::<KeyProviderPin>().unwrap_err().problem,
            "a KMS is identified only by its id"
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
