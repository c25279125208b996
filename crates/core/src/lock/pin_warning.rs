//! What speaks against pinning a deployment as it is, but may be accepted in writing.

use std::collections::BTreeMap;

use dcap_qvl::TcbStatus;

use super::{AcceptName, Lock};
use crate::policy::tcb::end_of;
use crate::policy::{KeyProviders, WRITTEN_BY_PIN};
use crate::reference::Advisory;
use crate::toml_text::literal::one_line;
use crate::verify::Layout;

/// How long a vulnerable image is accepted once it is pinned, days.
pub(crate) const VULNERABLE_DAYS: u64 = 30;
/// Longest sentence that is written, in characters. Those of `pin` have some hundred.
const MAX_SENTENCE: usize = 500;
/// Longest sentence of vulnerabilities, in characters: each id that is cut off is not accepted.
const MAX_VULNERABILITIES: usize = 1000;

/// What speaks against pinning a deployment as it is, but may be accepted in writing (`pin --accept`): one sentence, which the lock
/// file repeats.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PinWarning {
    /// The evidence was not asked for with a nonce.
    #[error("The evidence was requested without a nonce, so nothing proves when it was made.")]
    NoNonce,
    /// The signed report data is not this run's nonce.
    #[error("The quote does not sign the nonce that was sent, so it may have been made at any time.")]
    NonceMismatch,
    /// The signed report data is this run's nonce, in a layout that was not named.
    #[error(
        "The quote signs the nonce that was sent in the layout `{0}`, which was not named, so the nonce does not count."
    )]
    OtherLayout(Layout),
    /// The platform is not up to date.
    #[error("Intel rates the platform {status}, not UpToDate{}.", in_brackets(.advisories))]
    Tcb {
        /// What Intel says.
        status: TcbStatus,
        /// Intel's advisories that apply.
        advisories: Vec<String>,
    },
    /// TDATTRIBUTES other than those of every dstack guest.
    #[error("The VM was started with other attributes than any dstack guest: {}.", hex::encode(.0))]
    TdAttributes([u8; 8]),
    /// The keys come from no KMS.
    #[error("The VM's keys come from `{}`, not from a KMS.", one_line(.0))]
    KeyProvider(String),
    /// A development image.
    #[error("{0} is a development image: it allows root login and has a serial console.")]
    DevelopmentImage(String),
    /// An image that was seen before under no known name.
    #[error("The OS image has no official name; it was seen before as: {0}.")]
    ObservedImage(String),
    /// Registers that are in no table.
    #[error("The OS image is in no table of cvm-verify: its origin is not known.")]
    UnknownImage,
    /// An image with published vulnerabilities.
    #[error("{name}{}{}.", WRITTEN_BY_PIN, ids(.vulnerabilities))]
    VulnerableImage {
        /// The image.
        name: String,
        /// The vulnerabilities.
        vulnerabilities: Vec<Advisory>,
    },
    /// Another RTMR0 than the locked one, of no listed shape, under the same image.
    #[error(
        "RTMR0, which covers the VM's shape and the ACPI tables that the host supplies, begins with {} and is no listed value; it \
         began with {} before, under the same image.",
        start(.now),
        start(.before)
    )]
    AcpiChange {
        /// The locked one.
        before: [u8; 48],
        /// The one that was measured.
        now: [u8; 48],
    },
    /// Another image hash than the locked one, for the same registers. 32 bytes each.
    #[error(
        "The lock said that the image with these registers is {}; by what this run found it is {}.",
        hex::encode(.before),
        hex::encode(.now)
    )]
    OtherImageHash {
        /// The locked one.
        before: [u8; 32],
        /// The one that this run found.
        now: [u8; 32],
    },
    /// A KMS that is in no table, where the existing lock names other key providers.
    #[error(
        "The VM's keys come from {}, a KMS in no table of cvm-verify; the lock named {}. Whoever runs a KMS can read the data of its \
         apps.",
        one_line(.now),
        one_line(.before)
    )]
    OtherKms {
        /// The locked ones.
        before: String,
        /// The one of this run.
        now: String,
    },
    /// Another app than that of the existing lock. 20 bytes each.
    #[error(
        "The lock was of the app {}; this deployment is the app {}. Nothing of that lock is taken over.",
        hex::encode(.before),
        hex::encode(.now)
    )]
    OtherApp {
        /// The locked one.
        before: [u8; 20],
        /// The one of this run.
        now: [u8; 20],
    },
    /// The evidence contains no compose document.
    #[error("The evidence contains no compose document: its hash is locked, but its content is not known.")]
    NoComposeDocument,
    /// The docker compose file is the only field of the compose document.
    #[error("The docker compose file is the only field of the compose document.")]
    NoComposeSettings,
    /// The docker compose file in the compose document cannot be read.
    #[error("No images are listed: {}.", one_line(.0))]
    UnreadableImages(String),
    /// What the lock that is there expects, was asked for, and is not shown: the keys.
    #[error(
        "The lock held {}. This run asked for it and did not find it. A lock without it no longer expects it.",
        .0.join(", ")
    )]
    NoLongerShown(Vec<&'static str>),
}

impl PinWarning {
    /// The name under which it is accepted.
    #[must_use]
    pub const fn name(&self) -> AcceptName {
        match self {
            Self::NoNonce | Self::NonceMismatch | Self::OtherLayout(_) => AcceptName::NoNonce,
            Self::Tcb { .. } => AcceptName::Tcb,
            Self::TdAttributes(_) => AcceptName::TdAttributes,
            Self::KeyProvider(_) => AcceptName::KeyProvider,
            Self::DevelopmentImage(_) => AcceptName::DevelopmentImage,
            Self::ObservedImage(_) | Self::UnknownImage => AcceptName::UnknownImage,
            Self::VulnerableImage { .. } => AcceptName::VulnerableImage,
            Self::AcpiChange { .. } => AcceptName::AcpiChange,
            Self::OtherImageHash { .. } => AcceptName::ImageHash,
            Self::OtherKms { .. } => AcceptName::OtherKms,
            Self::OtherApp { .. } => AcceptName::OtherApp,
            Self::NoComposeDocument | Self::NoComposeSettings | Self::UnreadableImages(_) => {
                AcceptName::UnreadCompose
            }
            Self::NoLongerShown(_) => AcceptName::NoLongerShown,
        }
    }

    /// Whether the lock that is there holds it already, so that nobody is asked again. `now` is the lock that is taken, and
    /// `at` the time that is judged at, Unix seconds.
    pub(super) fn is_held_by(&self, before: &Lock, now: &Lock, at: u64) -> bool {
        // A lock that holds a value has not accepted it: somebody may have written the value alone.
        let Some(accepted) = before.accepted.get(&self.name()) else {
            return false;
        };
        match self {
            Self::DevelopmentImage(_) | Self::ObservedImage(_) | Self::UnknownImage => {
                now.has_image_of(before)
            }
            Self::VulnerableImage { vulnerabilities, .. } => {
                let until = before.os_image.as_ref().and_then(|os| os.vulnerable_until);
                now.has_image_of(before)
                    && until.and_then(end_of).is_some_and(|end| at < end)
                    && vulnerabilities.iter().all(|one| one.is_named_in(accepted))
            }
            Self::AcpiChange { .. }
            | Self::OtherImageHash { .. }
            | Self::OtherKms { .. }
            | Self::OtherApp { .. }
            | Self::NoLongerShown(_) => false,
            Self::TdAttributes(value) => before.td_attributes == Some(*value),
            Self::KeyProvider(_) => match (&before.key_provider, &now.key_provider) {
                (Some(KeyProviders::Named(before)), Some(KeyProviders::Named(now))) => {
                    now.iter().all(|pin| before.contains(pin))
                }
                _ => false,
            },
            Self::NoNonce
            | Self::NonceMismatch
            | Self::OtherLayout(_)
            | Self::Tcb { .. }
            | Self::NoComposeDocument
            | Self::NoComposeSettings
            | Self::UnreadableImages(_) => {
                let said = accepted_sentences(std::slice::from_ref(self));
                said.iter()
                    .all(|(name, sentence)| before.accepted.get(name) == Some(sentence))
            }
        }
    }
}

/// What warnings become in a lock: by name, each of a length that is read back.
pub(super) fn accepted_sentences(warnings: &[PinWarning]) -> BTreeMap<AcceptName, String> {
    let mut accepted: BTreeMap<AcceptName, String> = BTreeMap::new();
    for warning in warnings {
        let longest = match warning {
            PinWarning::VulnerableImage { .. } => MAX_VULNERABILITIES,
            _ => MAX_SENTENCE,
        };
        let sentence = accepted.entry(warning.name()).or_default();
        let space = if sentence.is_empty() { "" } else { " " };
        *sentence = format!("{sentence}{space}{warning}")
            .chars()
            .take(longest)
            .collect();
    }
    accepted
}

fn in_brackets(advisories: &[String]) -> String {
    match advisories {
        [] => String::new(),
        advisories => format!(" ({})", one_line(&advisories.join(", "))),
    }
}

fn ids(vulnerabilities: &[Advisory]) -> String {
    let ids: Vec<&str> = vulnerabilities.iter().map(|one| one.id.as_str()).collect();
    ids.join(", ")
}

fn start(register: &[u8; 48]) -> String {
    hex::encode(register).chars().take(16).collect()
}
