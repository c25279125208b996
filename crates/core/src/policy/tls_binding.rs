//! How the key of the TLS connection must be bound to the VM.

use std::fmt;
use std::str::FromStr;

/// How the key of the TLS connection must be bound to the VM (docs/tls.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsBinding {
    /// Whichever way is found. It informs, unless a tier of `endpoint` is required.
    #[default]
    Auto,
    /// The app's certificate carries the VM's quote of its key.
    RaTls,
    /// The app's quote for the nonce holds the hash of its key.
    AppKey,
    /// The evidence of a dstack ingress lists the certificate. It can be replayed.
    Ingress,
}

/// How the VM bound the key when a lock was taken. A verification asks for the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedBinding {
    /// In which way: never [`TlsBinding::Auto`].
    pub mode: TlsBinding,
    /// The KMS's SubjectPublicKeyInfo at the end of the certificate's chain, DER in hex.
    pub kms: Option<String>,
}

/// A name that is not the name of a mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is none of {known}", known = TlsBinding::ALL.map(TlsBinding::as_str).join(", "))]
pub struct UnknownTlsBinding;

impl TlsBinding {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Auto, Self::RaTls, Self::AppKey, Self::Ingress];

    /// The names, as users write them.
    pub const NAMES: [&str; 4] = ["auto", "ratls", "app-key", "ingress"];

    /// The name as users write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::RaTls => "ratls",
            Self::AppKey => "app-key",
            Self::Ingress => "ingress",
        }
    }
}

impl fmt::Display for TlsBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TlsBinding {
    type Err = UnknownTlsBinding;

    fn from_str(text: &str) -> Result<Self, UnknownTlsBinding> {
        let mut all = Self::ALL.into_iter();
        all.find(|mode| mode.as_str() == text).ok_or(UnknownTlsBinding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_has_its_name() {
        for (mode, name) in TlsBinding::ALL.into_iter().zip(TlsBinding::NAMES) {
            assert_eq!(mode.as_str(), name);
            assert_eq!(name.parse(), Ok(mode));
        }
        assert_eq!("RATLS".parse::<TlsBinding>(), Err(UnknownTlsBinding));
    }
}
