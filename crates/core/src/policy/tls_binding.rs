//! How the key of the TLS connection must be bound to the VM.

use std::str::FromStr;

crate::word_enum! {
    /// How the key of the TLS connection must be bound to the VM (docs/tls.md).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum TlsBinding {
        /// Whichever way is found. It informs, unless a tier of `endpoint` is required.
        #[default]
        Auto = "auto",
        /// The app's certificate carries the VM's quote of its key.
        RaTls = "ratls",
        /// The app's quote for the nonce holds the hash of its key.
        AppKey = "app-key",
        /// The evidence of a dstack ingress lists the certificate. It can be replayed.
        Ingress = "ingress",
    }
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
#[error("it is none of {known}", known = TlsBinding::WORDS.join(", "))]
pub struct UnknownTlsBinding;

impl FromStr for TlsBinding {
    type Err = UnknownTlsBinding;

    fn from_str(text: &str) -> Result<Self, UnknownTlsBinding> {
        Self::of_word(text).ok_or(UnknownTlsBinding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mode_has_its_name() {
        for (mode, name) in TlsBinding::ALL.into_iter().zip(TlsBinding::WORDS) {
            assert_eq!(mode.as_str(), name);
            assert_eq!(name.parse(), Ok(mode));
        }
        assert_eq!("RATLS".parse::<TlsBinding>(), Err(UnknownTlsBinding));
    }
}
