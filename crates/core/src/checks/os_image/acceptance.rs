//! What an expected image is accepted with: an image that is not a production image of the reference values is what somebody
//! wrote down, and no proof.

use std::fmt;

use crate::checks::Acceptance;
use crate::policy::{KnownBy, LockOrigin, Origin};
use crate::reference::{OsClass, OsImageRow};
use crate::report::AcceptedKind;

/// What an option or a lock says of an image beside its registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenAcceptance<'a> {
    /// Where it is written.
    pub(super) by: &'a str,
    /// The lock that it is written in.
    pub(super) lock: Option<&'a LockOrigin>,
    /// Until when a row with a published vulnerability is accepted, Unix seconds.
    pub(super) vulnerable_until: Option<u64>,
    /// How the image was known when it was locked.
    pub(super) known_by: Option<KnownBy>,
    /// What the owner accepted of another RTMR0, one sentence.
    pub(super) acpi_change: Option<&'a str>,
}

impl<'a> WrittenAcceptance<'a> {
    /// Registers alone.
    pub(super) const fn by(by: &'a str) -> Self {
        Self {
            by,
            lock: None,
            vulnerable_until: None,
            known_by: None,
            acpi_change: None,
        }
    }

    /// A key of the lock's `[os_image]`.
    pub(super) fn key(&self, key: &str) -> Option<Origin> {
        self.lock.map(|lock| lock.key(&["os_image", key]))
    }

    /// What the image is accepted with, apart from vulnerabilities. `is_listed_shape` is whether RTMR0 is a listed value: the
    /// host's ACPI tables are then known. `is_third_party` is whether a third party alone says that the registers are the row's.
    pub(super) fn acceptances(
        &self,
        row: Option<&OsImageRow>,
        is_third_party: bool,
        is_listed_shape: bool,
    ) -> Vec<Acceptance> {
        let mut accepted = Vec::new();
        let is_development = matches!(self.known_by, Some(KnownBy::DevelopmentFiles(_)));
        match row {
            Some(row) if is_development => accepted.push(development(&row.name, &self.by)),
            Some(row) if row.class == OsClass::Production && is_third_party => {
                accepted.push(observed(row, &self.by));
            }
            Some(row) => accepted.extend(of_class(row, &self.by)),
            None => match self.known_by {
                Some(KnownBy::PublishedHash(_) | KnownBy::Files(_)) => {}
                Some(KnownBy::DevelopmentFiles(hash)) => {
                    accepted.push(development(&hex::encode(hash), &self.by));
                }
                Some(KnownBy::Row | KnownBy::Unknown) | None => accepted.push(Acceptance::new(
                    AcceptedKind::UnknownImage,
                    self.by,
                    "The OS image is not in the reference values: its registers were taken as they are.",
                )),
            },
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
