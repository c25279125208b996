//! The lock file `cvm.lock`: what a deployment was measured to be, written down for review.
//!
//! It is TOML, sorted and stable: pinning the same deployment twice gives the same bytes. The command
//! `pin` makes a lock. [`Lock::parse`] reads it, [`Lock::apply`] turns it into expectations, [`Lock::to_toml`] writes it.
//! [`LockFile`] is a file as a whole: one deployment, or several by name.

mod accepted;
mod apply;
mod comments;
mod compose_settings;
mod diff;
mod diff_text;
mod document;
mod error;
mod field_words;
mod file;
mod governance;
mod gpus;
mod hex_value;
mod keyed_section;
mod kms;
mod list;
mod not_shown;
mod pin;
mod pin_warning;
mod places;
mod read;
mod release;
mod remarks;
mod said;
mod sources;
mod tls;
mod write;

#[doc(hidden)]
#[cfg(any(test, feature = "test-util"))]
#[path = "tests/arbitrary.rs"]
pub mod arbitrary;
#[cfg(test)]
mod read_tests;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde_json::Value;

use crate::policy::{
    DEFAULT_TD_ATTRIBUTES, GpuPin, ImageRegisters, KeyProviders, KnownBy, LockedPlace, OsTuple, WrittenRule,
};
#[doc(hidden)]
pub use crate::toml_text::FileMistake;
#[doc(hidden)]
pub use crate::toml_text::Mistake;
#[doc(hidden)]
pub use crate::toml_text::TomlProblem;
pub use crate::toml_text::{Mistakes, Position, UnknownKey};
pub use accepted::AcceptName;
#[doc(hidden)]
pub use comments::keep_comments;
pub(crate) use document::{DocumentChanges, document_changes};
pub(crate) use error::LockMistake;
pub use error::{LockError, LockProblem};
#[doc(hidden)]
pub use field_words::field_words;
pub use file::LockFile;
pub use governance::{LockedContract, LockedGovernance};
pub use kms::LockedKms;
pub(crate) use pin_warning::VULNERABLE_DAYS;
#[doc(hidden)]
pub use remarks::{UnfoundedRemark, unfounded_remarks};
pub use said::Said;
pub use tls::LockedTls;
pub use write::Notes;

// For the program.
#[doc(hidden)]
pub use self::{
    accepted::Accepting,
    diff::{Change, difference},
    diff_text::difference_text,
    file::with_target,
    not_shown::Unasked,
    pin::{AcceptedPin, PinRefusal, Unaccepted, observed, pin},
    pin_warning::PinWarning,
    release::{ReleaseLock, with_document},
};

/// The name of the format of a [`Lock`].
#[doc(hidden)]
pub const SCHEMA: &str = "cvm-verify/lock/v1";

/// Bytes of a lock file that are read. Real ones have a few thousand.
#[doc(hidden)]
pub const MAX_LOCK_BYTES: usize = 256 * 1024;

/// What a deployment must be. A lock that was reviewed in parts may leave fields out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    /// Name and version of the program that wrote it. Informative.
    pub tool: Option<String>,
    /// The address that it was taken from: scheme, host and port. `verify` uses a `cvm.lock` that nobody named for this
    /// address alone.
    pub origin: Option<String>,
    /// SHA-256 of the compose document.
    pub compose_hash: Option<[u8; 32]>,
    /// The app's identity.
    pub app_id: Option<[u8; 20]>,
    /// Who may give the guest its keys.
    pub key_provider: Option<KeyProviders>,
    /// What was accepted in writing when the lock was taken, one sentence each.
    pub accepted: BTreeMap<AcceptName, String>,
    /// Image reference by service. Empty if none is locked.
    pub images: BTreeMap<String, String>,
    /// Every field of the compose document but the docker compose file, as `MeasuredCompose::compose_settings` gives
    /// them. Empty if none is locked: a document without any such field does not start.
    pub compose_settings: BTreeMap<String, Value>,
    /// The places of the compose document that decide code, by path.
    pub places: Vec<LockedPlace>,
    /// Who built the images: the rules that a verification expects. Empty if none was proven.
    pub sources: Vec<WrittenRule>,
    /// The OS image and the VM's shape.
    pub os_image: Option<LockedOs>,
    /// TDATTRIBUTES, 8 bytes in the order of the quote.
    pub td_attributes: Option<[u8; 8]>,
    /// MRSEAM: the TDX module.
    pub mr_seam: Option<[u8; 48]>,
    /// FMSPC: the model of the platform.
    pub fmspc: Option<[u8; 6]>,
    /// The kinds of GPU, each once, sorted. Empty if none is locked.
    pub gpus: Vec<GpuPin>,
    /// The KMS that the app's keys come from.
    pub kms: LockedKms,
    /// The contracts that govern the app.
    pub governance: LockedGovernance,
    /// How the VM bound the TLS key of its address.
    pub tls: LockedTls,
}

/// The locked OS image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedOs {
    /// MRTD, 48 bytes.
    pub mrtd: [u8; 48],
    /// RTMR0, 48 bytes. Absent in an entry that was made from the files of an image, until `pin` adds it.
    pub rtmr0: Option<[u8; 48]>,
    /// RTMR1, 48 bytes.
    pub rtmr1: [u8; 48],
    /// RTMR2, 48 bytes.
    pub rtmr2: [u8; 48],
    /// How it was known when it was locked. Absent in a lock of an earlier version.
    pub known_by: Option<KnownBy>,
    /// The last day, UTC, on which it is accepted although it has a published vulnerability.
    pub vulnerable_until: Option<NaiveDate>,
}

impl LockedOs {
    /// The registers that it holds with their names, in the order of the file.
    fn named(&self) -> impl Iterator<Item = (&'static str, &[u8; 48])> {
        [
            Some(("mrtd", &self.mrtd)),
            self.rtmr0.as_ref().map(|rtmr0| ("rtmr0", rtmr0)),
            Some(("rtmr1", &self.rtmr1)),
            Some(("rtmr2", &self.rtmr2)),
        ]
        .into_iter()
        .flatten()
    }

    /// Those of the image alone.
    const fn image(&self) -> ImageRegisters {
        ImageRegisters {
            mrtd: self.mrtd,
            rtmr1: self.rtmr1,
            rtmr2: self.rtmr2,
        }
    }

    /// All four; absent where RTMR0 is not locked yet.
    #[must_use]
    pub fn tuple(&self) -> Option<OsTuple> {
        Some(OsTuple {
            mrtd: self.mrtd,
            rtmr: [self.rtmr0?, self.rtmr1, self.rtmr2],
        })
    }
}

impl Lock {
    /// Whether it holds the same OS image as another lock: MRTD, RTMR1 and RTMR2. The VM's shape is not part of it.
    fn has_image_of(&self, other: &Self) -> bool {
        let image = |lock: &Self| lock.os_image.as_ref().map(LockedOs::image);
        self.os_image.is_some() && image(self) == image(other)
    }

    /// Takes over what another lock of the same deployment knows: an accepted change of RTMR0 or of the image's hash, what is
    /// accepted as no longer shown, the key providers in addition to the one that is there, and the address if this one was taken from
    /// a file without one.
    fn keep_decisions(&mut self, before: &Self) {
        if self.origin.is_none() {
            self.origin.clone_from(&before.origin);
        }
        let tuple = |lock: &Self| lock.os_image.as_ref().and_then(LockedOs::tuple);
        if let Some(sentence) = before.accepted.get(&AcceptName::AcpiChange)
            && tuple(self).is_some()
            && tuple(self) == tuple(before)
        {
            self.accepted.insert(AcceptName::AcpiChange, sentence.clone());
        }
        let hash = |lock: &Self| {
            let known_by = lock.os_image.as_ref()?.known_by.as_ref()?;
            known_by.hash().copied()
        };
        if let Some(sentence) = before.accepted.get(&AcceptName::ImageHash)
            && self.has_image_of(before)
            && hash(self) == hash(before)
            && !self.accepted.contains_key(&AcceptName::ImageHash)
        {
            self.accepted.insert(AcceptName::ImageHash, sentence.clone());
        }
        // What was accepted of app and KMS holds as long as they are the locked ones: then there is no such finding.
        let has_kms_of = |other: &Self| match (&self.key_provider, &other.key_provider) {
            (Some(KeyProviders::Named(now)), Some(KeyProviders::Named(old))) => {
                now.iter().all(|pin| old.contains(pin))
            }
            _ => false,
        };
        for (name, is_kept) in [
            (AcceptName::OtherApp, self.app_id == before.app_id),
            (AcceptName::OtherKms, has_kms_of(before)),
        ] {
            if let Some(sentence) = before.accepted.get(&name).filter(|_| is_kept) {
                self.accepted.entry(name).or_insert_with(|| sentence.clone());
            }
        }
        if let Some(sentence) = before.accepted.get(&AcceptName::NoLongerShown)
            && not_shown::lacks_the_same(before, self)
        {
            self.accepted.insert(AcceptName::NoLongerShown, sentence.clone());
        }
        self.keep_alternatives(before);
    }

    /// Takes over the lists of another lock that name what this one does: what was measured is one of the key providers or owners that
    /// a person expects, as in a replacement.
    pub fn keep_alternatives(&mut self, other: &Self) {
        if let (Some(KeyProviders::Named(own)), Some(KeyProviders::Named(all))) =
            (&self.key_provider, &other.key_provider)
            && own.iter().all(|pin| all.contains(pin))
        {
            self.key_provider.clone_from(&other.key_provider);
        }
        let is_app = self.app_id == other.app_id;
        let (own, other) = (&mut self.governance, &other.governance);
        let is_chain = own.chain_id == other.chain_id;
        let is_kms = own.kms_contract == other.kms_contract;
        for (own, all, is_same) in [
            (&mut own.app.owners, &other.app.owners, is_chain && is_app),
            (&mut own.kms.owners, &other.kms.owners, is_chain && is_kms),
        ] {
            // Who may own one contract says nothing of another.
            if is_same && !own.is_empty() && own.iter().all(|owner| all.contains(owner)) {
                own.clone_from(all);
            }
        }
    }

    /// Takes over the reasons that another lock gives for places that are the same in path and text.
    pub fn keep_reasons(&mut self, before: &Self) {
        places::keep_reasons(&mut self.places, &before.places);
    }

    /// Whether it expects nothing at all. Images and reviewed places alone expect nothing: the compose hash binds them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let bare = Self {
            tool: self.tool.clone(),
            origin: self.origin.clone(),
            accepted: self.accepted.clone(),
            images: self.images.clone(),
            places: self.places.clone(),
            ..Self::default()
        };
        *self == bare
    }
}

/// The version in what a lock says it was written by: `cvm-verify 0.7.0`.
fn read_tool(tool: &str) -> Option<String> {
    let (_, version) = tool.rsplit_once(' ')?;
    Some(version.chars().take(40).collect())
}
