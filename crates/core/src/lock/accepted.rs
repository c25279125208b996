//! `[accepted]`: what the owner accepted in writing when a lock was taken, by name.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::{DEFAULT_TD_ATTRIBUTES, Lock, LockMistake, LockProblem};
use crate::policy::{KeyProviders, KnownBy};
use crate::reference::{OsClass, ReferenceValues};
use crate::toml_text::literal::quoted;
use crate::toml_text::{FoundMistakes, TomlEntry, TomlTable};

/// Bytes of a sentence that are read.
const MAX_SENTENCE_BYTES: usize = 4096;

crate::word_enum! {
    /// What `pin --accept` takes: what may be pinned although it is not as a production deployment should be.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum AcceptName {
        /// An image that allows root login and has a serial console.
        DevelopmentImage = "development-image",
        /// An image with a published vulnerability.
        VulnerableImage = "vulnerable-image",
        /// An image that is in no table, or was seen before under no official name.
        UnknownImage = "unknown-image",
        /// Another RTMR0 than the locked one, under the same image.
        AcpiChange = "acpi-change",
        /// Another image hash than the locked one, for the same registers.
        ImageHash = "image-hash",
        /// A platform that Intel rates lower than UpToDate.
        Tcb = "tcb",
        /// TDATTRIBUTES other than those of every dstack guest.
        TdAttributes = "td-attributes",
        /// Keys that come from no KMS.
        KeyProvider = "key-provider",
        /// Evidence that signs no nonce of this run.
        NoNonce = "no-nonce",
        /// A KMS that is in no table, in place of the locked one.
        OtherKms = "other-kms",
        /// Another app than that of the existing lock.
        OtherApp = "other-app",
        /// A compose document that was not supplied, or could not be read as a whole.
        UnreadCompose = "unread-compose",
        /// What the lock that is there expects, and the deployment does not show any more.
        NoLongerShown = "no-longer-shown",
    }
}

/// A name that `--accept` does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is not something that can be accepted; these can: {}",
    AcceptName::WORDS.join(", ")
)]
pub struct UnknownAcceptName {
    name: String,
}

impl FromStr for AcceptName {
    type Err = UnknownAcceptName;

    fn from_str(text: &str) -> Result<Self, UnknownAcceptName> {
        let name = text.trim();
        Self::of_word(name).ok_or_else(|| UnknownAcceptName {
            name: name.chars().take(40).collect(),
        })
    }
}

/// What becomes of an acceptance in `verify`.
enum InVerify {
    /// A verdict that relies on it names it.
    Named,
    /// It was a question of the change of a lock: a verdict does not repeat it.
    Recorded,
    /// The lock only notes it: this option accepts it.
    ByOption(&'static str),
}

impl AcceptName {
    const fn in_verify(self) -> InVerify {
        match self {
            Self::Tcb => InVerify::ByOption("--accept-tcb STATUS:until=YYYY-MM-DD"),
            Self::NoNonce => InVerify::ByOption("--freshness unchecked"),
            Self::DevelopmentImage
            | Self::VulnerableImage
            | Self::UnknownImage
            | Self::AcpiChange
            | Self::ImageHash
            | Self::TdAttributes
            | Self::KeyProvider => InVerify::Named,
            Self::OtherKms | Self::OtherApp | Self::UnreadCompose | Self::NoLongerShown => InVerify::Recorded,
        }
    }

    /// The option that `verify` needs as well: the lock only notes what was accepted under this name. Absent where the lock is enough.
    #[must_use]
    pub const fn option_of_verify(self) -> Option<&'static str> {
        match self.in_verify() {
            InVerify::ByOption(option) => Some(option),
            InVerify::Named | InVerify::Recorded => None,
        }
    }

    /// Whether a verdict names what was accepted under this name.
    #[must_use]
    pub const fn is_named_by_verdicts(self) -> bool {
        matches!(self.in_verify(), InVerify::Named)
    }
}

/// What a person accepts when a lock is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Accepting {
    /// `--accept-observed`: whatever it is.
    pub all: bool,
    /// `--accept`: by name.
    pub names: BTreeSet<AcceptName>,
}

impl Accepting {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// Whether it holds a name.
    #[must_use]
    pub fn accepts(&self, name: AcceptName) -> bool {
        self.all || self.names.contains(&name)
    }
}

/// Reads `[accepted]` of a lock whose other values were read.
pub(super) fn read(
    section: TomlTable<'_>,
    lock: &Lock,
    mistakes: &mut FoundMistakes<LockProblem>,
) -> BTreeMap<AcceptName, String> {
    let entries = section.into_entries().into_iter();
    entries
        .filter_map(|(name, entry)| mistakes.keep(accepted(&name, &entry, lock)))
        .collect()
}

fn accepted(name: &str, entry: &TomlEntry<'_>, lock: &Lock) -> Result<(AcceptName, String), LockMistake> {
    let known: AcceptName = name
        .parse()
        .map_err(|_| entry.error(LockProblem::UnknownAcceptance(AcceptName::WORDS.join(", "))))?;
    let sentence = entry.string()?.to_owned();
    if sentence.trim().is_empty() || sentence.len() > MAX_SENTENCE_BYTES {
        return Err(entry.error(LockProblem::AcceptanceText(MAX_SENTENCE_BYTES)));
    }
    match lock.lacks(known) {
        Some(why) => Err(entry.error(LockProblem::NotHeld(why))),
        None => Ok((known, sentence)),
    }
}

/// The line that begins the section.
pub(super) const SECTION: &str = "[accepted]";

pub(super) const HEADER: &str = "
# Accepted in writing when this lock was taken (`cvm-verify pin --accept`). Review each of these lines: a production
# deployment has none. A verdict that relies on one of them says so. `tcb` and `no-nonce` are only notes: `verify` needs
# --accept-tcb STATUS:until=YYYY-MM-DD and --freshness unchecked as well.
[accepted]
";

/// The section, empty if nothing was accepted.
pub(super) fn write(accepted: &BTreeMap<AcceptName, String>) -> String {
    if accepted.is_empty() {
        return String::new();
    }
    let lines: String = accepted
        .iter()
        .map(|(name, sentence)| format!("{name} = {}\n", quoted(sentence)))
        .collect();
    format!("{HEADER}{lines}")
}

impl Lock {
    /// The acceptances that do nothing by these tables, and why: what they accept is not there. Another version may have other tables, so
    /// that they are no mistakes.
    #[doc(hidden)]
    #[must_use]
    pub fn needless_acceptances(&self, reference: &ReferenceValues) -> Vec<(AcceptName, String)> {
        let needless = |name: &AcceptName| Some((*name, self.is_needless(*name, reference)?));
        self.accepted.keys().filter_map(needless).collect()
    }

    fn is_needless(&self, name: AcceptName, reference: &ReferenceValues) -> Option<String> {
        let os = self.os_image.as_ref()?;
        let row = reference.image_of(&os.mrtd, &os.rtmr1, &os.rtmr2);
        match name {
            AcceptName::UnknownImage => row
                .filter(|row| row.class == OsClass::Production && !row.is_third_party())
                .map(|row| format!("the image is {}, a release", row.name)),
            AcceptName::AcpiChange => {
                let shape = reference.shape_of(os.rtmr0.as_ref()?)?;
                Some(format!("its rtmr0 is in the table of VM shapes: {shape}"))
            }
            // The others are refused where the lock does not hold them, decide nothing in `verify`, or depend on no table.
            AcceptName::DevelopmentImage
            | AcceptName::ImageHash
            | AcceptName::Tcb
            | AcceptName::TdAttributes
            | AcceptName::KeyProvider
            | AcceptName::NoNonce
            | AcceptName::OtherKms
            | AcceptName::OtherApp
            | AcceptName::UnreadCompose
            | AcceptName::NoLongerShown => None,
            // Its sentence limits what `os_image.vulnerable_until` accepts: without the line, that day accepts what becomes known later,
            // too.
            AcceptName::VulnerableImage => None,
        }
    }

    /// Why the lock does not hold what it accepts under a name, a phrase; absent if it does. What depends on a table of images
    /// counts as held where this version's table has no row: a later version may have one.
    pub(super) fn lacks(&self, name: AcceptName) -> Option<String> {
        let os = self.os_image.as_ref();
        let row = os.and_then(|os| ReferenceValues::built_in().image_of(&os.mrtd, &os.rtmr1, &os.rtmr2));
        match name {
            AcceptName::DevelopmentImage
            | AcceptName::UnknownImage
            | AcceptName::AcpiChange
            | AcceptName::ImageHash
                if os.is_none() =>
            {
                Some("it has no [os_image]".to_owned())
            }
            // Its files say that it is one, whatever a table says.
            AcceptName::DevelopmentImage
                if os.is_some_and(|os| matches!(os.known_by, Some(KnownBy::DevelopmentFiles(_)))) =>
            {
                None
            }
            AcceptName::DevelopmentImage => row
                .filter(|row| row.class != OsClass::Development)
                .map(|row| format!("its registers are those of {}", row.name)),
            AcceptName::VulnerableImage => os
                .is_none_or(|os| os.vulnerable_until.is_none())
                .then(|| "it has no os_image.vulnerable_until, the last day of that acceptance".to_owned()),
            AcceptName::TdAttributes => self
                .td_attributes
                .is_none_or(|value| value == DEFAULT_TD_ATTRIBUTES)
                .then(|| "its td_attributes are those of every dstack guest".to_owned()),
            AcceptName::KeyProvider => match &self.key_provider {
                Some(KeyProviders::Named(pins)) if pins.iter().any(|pin| pin.name != "kms") => None,
                _ => Some("its key_provider is a KMS, or is not there".to_owned()),
            },
            AcceptName::OtherKms => match &self.key_provider {
                Some(KeyProviders::Named(pins)) if pins.iter().any(|pin| pin.name == "kms") => None,
                _ => Some("its key_provider names no KMS".to_owned()),
            },
            AcceptName::OtherApp => self.app_id.is_none().then(|| "it has no app_id".to_owned()),
            AcceptName::UnknownImage
            | AcceptName::AcpiChange
            | AcceptName::ImageHash
            | AcceptName::Tcb
            | AcceptName::NoNonce
            | AcceptName::UnreadCompose
            | AcceptName::NoLongerShown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock of a release that accepts an unknown image accepts nothing.
    #[test]
    fn an_acceptance_of_what_the_tables_say_is_not_there_is_needless() {
        let reference = ReferenceValues::built_in();
        let mut rows = reference.images().iter();
        let is_release = |row: &&std::sync::Arc<crate::reference::OsImageRow>| {
            row.class == OsClass::Production && row.registers.is_some() && !row.is_third_party()
        };
        let row = rows.find(is_release).unwrap();
        let registers = row.registers.as_ref().unwrap();
        let [firmware, ..] = reference.mrtds_of(row)[..] else {
            panic!("a firmware");
        };
        let lock = |accepted: &[&str]| {
            let lines: String = accepted
                .iter()
                .map(|name| format!("{name} = \"Because.\"\n"))
                .collect();
            let text = format!(
                "schema = \"cvm-verify/lock/v1\"\n[os_image]\nmrtd = \"{}\"\nrtmr0 = \"{}\"\nrtmr1 = \"{}\"\nrtmr2 = \"{}\"\n\
                 [accepted]\n{lines}",
                hex::encode(firmware),
                "ab".repeat(48),
                hex::encode(registers.rtmr1.0),
                hex::encode(registers.rtmr2.0),
            );
            Lock::parse(&text, "cvm.lock").unwrap()
        };
        let needless = lock(&["unknown-image", "acpi-change", "no-nonce"]).needless_acceptances(reference);
        assert_eq!(
            needless,
            [(
                AcceptName::UnknownImage,
                format!("the image is {}, a release", row.name)
            )]
        );
        assert!(lock(&["tcb"]).needless_acceptances(reference).is_empty());
    }

    /// Whoever removed that line alone would accept every vulnerability until the day that stays in the lock.
    #[test]
    fn the_sentence_that_limits_what_a_day_accepts_is_never_needless() {
        let reference = ReferenceValues::built_in();
        let mut seen = 0;
        for row in reference.images() {
            let (Some(registers), [firmware, ..]) = (&row.registers, &reference.mrtds_of(row)[..]) else {
                continue;
            };
            let text = format!(
                "schema = \"cvm-verify/lock/v1\"\n[os_image]\nmrtd = \"{}\"\nrtmr0 = \"{}\"\nrtmr1 = \"{}\"\nrtmr2 = \"{}\"\n\
                 vulnerable_until = \"2026-12-01\"\n[accepted]\nvulnerable-image = \"CVE-2024-1: nothing of it is used.\"\n",
                hex::encode(firmware),
                "ab".repeat(48),
                hex::encode(registers.rtmr1.0),
                hex::encode(registers.rtmr2.0),
            );
            let lock = Lock::parse(&text, "cvm.lock").unwrap();
            assert_eq!(lock.needless_acceptances(reference), [], "{}", row.name);
            seen += 1;
        }
        assert!(seen > 1, "{seen}");
    }

    #[test]
    fn every_name_is_read_back_and_another_lists_them() {
        for name in AcceptName::ALL {
            assert_eq!(name.as_str().parse(), Ok(name));
        }
        let error = "dev-image".parse::<AcceptName>().unwrap_err().to_string();
        assert!(
            error.contains(
                "development-image, vulnerable-image, unknown-image, acpi-change, image-hash, tcb, td-attributes"
            ),
            "{error}"
        );
    }
}
