//! What an expected image is accepted with: an image that is not a production image of the reference values is what somebody
//! wrote down, and no proof.

use std::fmt;

use crate::checks::Acceptance;
use crate::policy::{KnownBy, LockOrigin, Origin, VulnerableAcceptance};
use crate::reference::{OsClass, OsImageRow};
use crate::report::AcceptedKind;

/// What an option or a lock says of an image next to its registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenAcceptance<'a> {
    /// Where it is written.
    pub(super) by: &'a str,
    /// The lock that it is written in.
    pub(super) lock: Option<&'a LockOrigin>,
    /// Until when, and as what, an image with a published vulnerability is accepted.
    pub(super) vulnerable: Option<&'a VulnerableAcceptance>,
    /// How the image was known when it was locked.
    pub(super) known_by: Option<&'a KnownBy>,
    /// What the owner accepted of another RTMR0, one sentence.
    pub(super) acpi_change: Option<&'a str>,
    /// Whether it accepts that the image is a development image. Registers in an option or in the policy file do.
    pub(super) accepts_development: bool,
}

/// What is known of an image whose registers are written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownImage<'a> {
    /// What the table says of it.
    pub(super) row: Option<&'a OsImageRow>,
    /// Whether a third party alone says that the registers are the row's.
    pub(super) is_third_party: bool,
    /// Whether the hash that the lock writes next to the registers is confirmed.
    pub(super) hash: WrittenHash,
    /// Whether the row alone says what the image is.
    pub(super) rests_on_row: bool,
}

/// Whether a hash that a lock writes next to registers is confirmed; 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenHash {
    /// None is written, or a row decides without it.
    None,
    /// The guest's measurement document under this hash, or the row of this hash, has the registers of the quote.
    Confirmed([u8; 32]),
    /// Nothing in this run says so.
    Claimed([u8; 32]),
}

impl KnownImage<'_> {
    /// The end of the sentence that the registers are those of `origin`.
    pub(super) fn suffix(&self, origin: &str) -> String {
        let name = self.row.map(|row| row.name.as_str());
        match (self.hash, name) {
            (WrittenHash::None, None) => ".".to_owned(),
            (WrittenHash::None, Some(name)) => format!(" ({name})."),
            (WrittenHash::Confirmed(hash), None) => format!(" (image {}).", hex::encode(hash)),
            (WrittenHash::Confirmed(hash), Some(name)) => format!(" ({name}, image {}).", hex::encode(hash)),
            // A claim gives no name.
            (WrittenHash::Claimed(hash), _) => format!(
                ". {origin} says that they are those of the image {}; nothing in this run confirms it.",
                hex::encode(hash)
            ),
        }
    }
}

impl<'a> WrittenAcceptance<'a> {
    /// Registers alone.
    pub(super) const fn by(by: &'a str) -> Self {
        Self {
            by,
            lock: None,
            vulnerable: None,
            known_by: None,
            acpi_change: None,
            accepts_development: true,
        }
    }

    /// How to change what is written, as the end of a sentence. `pin` is the command that writes a lock again: it changes nothing
    /// of an option.
    pub(super) fn renewed(&self, pin: &str) -> String {
        match self.lock {
            Some(_) => format!("run {pin} and review the difference"),
            None => format!("correct {}, which takes the place of any lock", self.by),
        }
    }

    /// A key of the lock's `[os_image]`.
    pub(super) fn key(&self, key: &str) -> Option<Origin> {
        self.lock.map(|lock| lock.key(&["os_image", key]))
    }

    /// What the image is accepted with, apart from vulnerabilities. `is_listed_shape` is whether RTMR0 is a listed value: the
    /// host's ACPI tables are then known.
    pub(super) fn acceptances(&self, known: &KnownImage<'_>, is_listed_shape: bool) -> Vec<Acceptance> {
        let mut accepted = Vec::new();
        match (known.row, self.known_by) {
            (Some(row), Some(KnownBy::DevelopmentFiles(_))) => {
                accepted.push(development(&row.name, &self.by))
            }
            (Some(row), _) if row.class == OsClass::Production && known.is_third_party => {
                accepted.push(observed(row, &self.by));
            }
            (Some(row), _) => accepted.extend(of_class(row, &self.by)),
            (None, Some(KnownBy::PublishedHash(_) | KnownBy::Files(_))) => {}
            (None, Some(KnownBy::DevelopmentFiles(files))) => {
                accepted.push(development(&hex::encode(files.os_image_hash), &self.by));
            }
            (None, Some(KnownBy::Row | KnownBy::Unknown) | None) => accepted.push(Acceptance::new(
                AcceptedKind::UnknownImage,
                self.by,
                "The OS image is not in the reference values: its registers were taken as they are.",
            )),
        }
        if let (WrittenHash::Claimed(hash), true) = (known.hash, accepted.is_empty()) {
            accepted.push(Acceptance::new(
                AcceptedKind::UnconfirmedHash,
                self.by,
                format!(
                    "The lock says that the OS image is {}; nothing in this run confirms it. The files of the image would \
                     (--os-image-files FILE).",
                    hex::encode(hash)
                ),
            ));
        }
        if let Some(reason) = self.acpi_change.filter(|_| !is_listed_shape) {
            accepted.push(Acceptance::new(AcceptedKind::AcpiChange, self.by, reason));
        }
        accepted
    }
}

/// What an image that is not a release is accepted with. `by` is where that is written.
pub(super) fn of_class(row: &OsImageRow, by: &dyn fmt::Display) -> Option<Acceptance> {
    match row.class {
        OsClass::Production => None,
        OsClass::Prerelease | OsClass::Observed => Some(observed(row, by)),
        OsClass::Development => Some(development(&row.name, by)),
    }
}

/// What a development image is accepted with.
pub(super) fn development(name: &dyn fmt::Display, by: &dyn fmt::Display) -> Acceptance {
    Acceptance::new(
        AcceptedKind::DevelopmentImage,
        by,
        format!("{name} is a development image: it allows root login and has a serial console."),
    )
}

fn observed(row: &OsImageRow, by: &dyn fmt::Display) -> Acceptance {
    Acceptance::new(
        AcceptedKind::ObservedImage,
        by,
        format!(
            "The OS image is not a release in the reference values; it was seen before as: {}.",
            row.name
        ),
    )
}

/// Whether a row allows root login.
pub(super) fn is_development(row: &OsImageRow) -> bool {
    row.class == OsClass::Development
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::claims_for_tests::listed_image;

    #[test]
    fn what_a_third_party_alone_read_is_accepted_as_observed() {
        let production = listed_image(OsClass::Production, false);
        let for_development = listed_image(OsClass::Development, false);
        let by = "cvm.lock";
        for (row, is_third_party, expected) in [
            (production, false, vec![]),
            (production, true, vec![observed(production, &by)]),
            (
                for_development,
                true,
                vec![development(&for_development.name, &by)],
            ),
        ] {
            let known = KnownImage {
                row: Some(row),
                is_third_party,
                hash: WrittenHash::None,
                rests_on_row: true,
            };
            assert_eq!(WrittenAcceptance::by(by).acceptances(&known, true), expected);
        }
    }

    #[test]
    fn a_lock_names_its_own_keys() {
        let lock = LockOrigin::from("cvm.lock");
        let written = WrittenAcceptance {
            lock: Some(&lock),
            ..WrittenAcceptance::by("cvm.lock")
        };
        assert_eq!(written.key("rtmr0"), Some(lock.key(&["os_image", "rtmr0"])));
        assert_eq!(WrittenAcceptance::by("--os-image").key("rtmr0"), None);
    }
}
