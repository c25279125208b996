//! Which machines a deployment may run on (`--platform-id`).

use std::fmt;
use std::str::FromStr;

use crate::evidence::parse_user_hex;

/// One machine, or one model of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlatformId {
    /// One machine: SHA-256 of its PPID, the 16-byte provisioning id in Intel's platform certificate.
    Machine([u8; 32]),
    /// A model: FMSPC, 6 bytes. Every machine of the model has it.
    Model([u8; 6]),
}

/// Machines and models; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformList(Vec<PlatformId>);

/// Why a text names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// Another length, a prefix among it, or no hex.
    #[error(
        "{0:?} names no platform: write all 64 hex digits of SHA-256(PPID) for one machine, or the 12 of an FMSPC for a \
         model; a prefix is not enough"
    )]
    Form(String),
    /// No entry at all: nothing could ever match.
    #[error("the list of platforms is empty; leave it out to allow any")]
    Empty,
}

impl PlatformList {
    /// A list of platforms.
    ///
    /// # Errors
    /// `PlatformError::Empty`.
    pub fn new(ids: Vec<PlatformId>) -> Result<Self, PlatformError> {
        if ids.is_empty() {
            return Err(PlatformError::Empty);
        }
        Ok(Self(ids))
    }

    /// The entries, in the user's order.
    pub(super) fn ids(&self) -> &[PlatformId] {
        &self.0
    }

    /// Whether a platform is on the list, compared over the full length. `machine` is SHA-256 of the PPID.
    #[must_use]
    pub(crate) fn allows(&self, machine: &[u8; 32], fmspc: &[u8; 6]) -> bool {
        self.0.iter().any(|id| match id {
            PlatformId::Machine(expected) => expected == machine,
            PlatformId::Model(expected) => expected == fmspc,
        })
    }
}

impl FromStr for PlatformId {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        parse_user_hex(text)
            .map(Self::Machine)
            .or_else(|_| parse_user_hex(text).map(Self::Model))
            .map_err(|_| PlatformError::Form(text.trim().chars().take(80).collect()))
    }
}

impl fmt::Display for PlatformId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Machine(hash) => write!(f, "SHA-256(PPID) {}", hex::encode(hash)),
            Self::Model(fmspc) => write!(f, "FMSPC {}", hex::encode(fmspc)),
        }
    }
}

impl fmt::Display for PlatformList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, id) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { ", or " };
            write!(f, "{between}{id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_list_is_refused() {
        assert_eq!(PlatformList::new(Vec::new()), Err(PlatformError::Empty));
    }

    proptest! {
        #[test]
        fn only_whole_ids_are_read(digits in "[0-9a-f]{0,80}") {
            let read = digits.parse::<PlatformId>();
            match digits.len() {
                64 => prop_assert!(matches!(read, Ok(PlatformId::Machine(_)))),
                12 => prop_assert!(matches!(read, Ok(PlatformId::Model(_)))),
                _ => prop_assert!(matches!(read, Err(PlatformError::Form(_)))),
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,100}") {
            let _ = text.parse::<PlatformId>();
        }
    }
}
