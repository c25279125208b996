//! Which key providers are accepted: what `--key-provider` and a lock say.

use std::fmt;
use std::str::FromStr;

use super::key_provider::{KeyProviderPin, PinError};
use crate::reference::ReferenceValues;

/// Most key providers in one expectation. Roots rotate one at a time.
pub(crate) const MAX_KEY_PROVIDERS: usize = 16;

/// Which key providers are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyProviders {
    /// Any of these. Never empty.
    Named(Vec<KeyProviderPin>),
    /// A KMS of any operator: a waiver.
    AnyKms,
    /// Any at all: a waiver.
    Unchecked,
}

/// Why a value of `--key-provider` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProvidersError {
    /// One of them is none.
    #[error(transparent)]
    Pin(#[from] PinError),
    /// `kms` or `unchecked` beside others.
    #[error("`{0}` accepts more than the other values of this list: write it alone, or leave it out")]
    NotAlone(&'static str),
    /// One that is there twice.
    #[error("{0} is there twice")]
    Twice(String),
    /// Too many.
    #[error("there are {0} key providers; at most {MAX_KEY_PROVIDERS} are taken")]
    TooMany(usize),
}

impl KeyProvidersError {
    /// Whether the text may be the name of a KMS that other reference values know.
    #[must_use]
    pub fn may_be_a_name(&self) -> bool {
        matches!(self, Self::Pin(error) if error.may_be_a_name())
    }
}

impl KeyProviders {
    /// Whether a provider of this name and id (hex, lower case) is one of those that are named.
    #[must_use]
    pub fn names(&self, name: &str, id: &str) -> bool {
        let is_it = |pin: &KeyProviderPin| pin.name == name && pin.id.as_deref().is_none_or(|own| own == id);
        match self {
            Self::Named(pins) => pins.iter().any(is_it),
            Self::AnyKms | Self::Unchecked => false,
        }
    }
}

impl From<KeyProviderPin> for KeyProviders {
    fn from(pin: KeyProviderPin) -> Self {
        Self::Named(vec![pin])
    }
}

impl FromStr for KeyProviders {
    type Err = KeyProvidersError;

    /// With the names of the built-in reference values.
    fn from_str(text: &str) -> Result<Self, KeyProvidersError> {
        Self::parse(text, ReferenceValues::built_in())
    }
}

impl KeyProviders {
    /// Reads `unchecked`, `kms`, or key providers with commas between them, each as [`KeyProviderPin`] reads it, with the
    /// names that reference values know.
    ///
    /// # Errors
    /// [`KeyProvidersError`].
    pub fn parse(text: &str, reference: &ReferenceValues) -> Result<Self, KeyProvidersError> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        match parts.as_slice() {
            ["kms"] => return Ok(Self::AnyKms),
            ["unchecked"] => return Ok(Self::Unchecked),
            parts if parts.len() > MAX_KEY_PROVIDERS => return Err(KeyProvidersError::TooMany(parts.len())),
            _ => {}
        }
        let mut pins: Vec<KeyProviderPin> = Vec::new();
        for part in parts {
            if let Some(alone) = ["kms", "unchecked"].into_iter().find(|word| *word == part) {
                return Err(KeyProvidersError::NotAlone(alone));
            }
            let pin = KeyProviderPin::parse(part, reference)?;
            if pins.contains(&pin) {
                return Err(KeyProvidersError::Twice(
                    pin.to_string().chars().take(80).collect(),
                ));
            }
            pins.push(pin);
        }
        Ok(Self::Named(pins))
    }
}

impl fmt::Display for KeyProviders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AnyKms => f.write_str("kms"),
            Self::Unchecked => f.write_str("unchecked"),
            Self::Named(pins) => {
                let pins: Vec<String> = pins.iter().map(ToString::to_string).collect();
                f.write_str(&pins.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn several_ids_are_taken_and_a_waiver_stands_alone() {
        let both: KeyProviders = "kms:0xAB, phala".parse().unwrap();
        assert!(both.names("kms", "ab") && !both.names("kms", "cd") && !both.names("local-sgx", "ab"));
        assert!(both.names("kms", &ReferenceValues::built_in().kms()[0].id));
        assert_eq!(both.to_string().parse::<KeyProviders>().unwrap(), both);
        assert_eq!("kms".parse(), Ok(KeyProviders::AnyKms));
        assert_eq!(" unchecked ".parse(), Ok(KeyProviders::Unchecked));
        assert_eq!(
            "kms:ab,kms".parse::<KeyProviders>(),
            Err(KeyProvidersError::NotAlone("kms"))
        );
        assert_eq!(
            "unchecked,phala".parse::<KeyProviders>(),
            Err(KeyProvidersError::NotAlone("unchecked"))
        );
        assert!(matches!(
            "kms:ab,".parse::<KeyProviders>(),
            Err(KeyProvidersError::Pin(_))
        ));
        assert!(matches!(
            "".parse::<KeyProviders>(),
            Err(KeyProvidersError::Pin(_))
        ));
        assert_eq!(
            "kms:ab,kms:0xAB".parse::<KeyProviders>(),
            Err(KeyProvidersError::Twice("kms:ab".to_owned()))
        );
        let many = vec!["kms:ab"; 17].join(",");
        assert_eq!(many.parse::<KeyProviders>(), Err(KeyProvidersError::TooMany(17)));
        assert!("none".parse::<KeyProviders>().unwrap().names("none", ""));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_is_written_alike(text in ".{0,60}") {
            if let Ok(read) = text.parse::<KeyProviders>() {
                prop_assert_eq!(read.to_string().parse::<KeyProviders>(), Ok(read));
            }
        }
    }
}
