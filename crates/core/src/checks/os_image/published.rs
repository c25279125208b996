//! An image that is known by its published hash, and what the guest's measurement document proves of it.
//!
//! Tuple, lock and rows with registers are judged first, from the quote alone. The document, which nobody signed, is read only
//! if they do not decide: a wrong one convicts nothing that the registers acquit.

use std::fmt;

use super::acceptance::of_class;
use super::reasons::{
    ACPI_UNVERIFIED, DEVELOPMENT_IMAGE, NO_DOCUMENT, NO_REFERENCE, NOT_COMPUTABLE, PUBLISHED_HASH,
    REGISTER_MISMATCH, UNUSABLE_DOCUMENT,
};
use super::{Judged, vulnerable};
use crate::checks::Finding;
use crate::policy::PublishedImage;
use crate::reference::{OsClass, OsImageRow};
use crate::report::Status;
use crate::verify::ShownDocument;

/// Where the hashes of releases stand.
const RELEASE_PAGES: &str = "https://github.com/Dstack-TEE/dstack/releases (0.6 and later) or \
                             https://github.com/Dstack-TEE/meta-dstack/releases";

impl Judged<'_> {
    /// `known`, where no row has the registers: by the document that the guest shows.
    pub(super) fn known_by_document(&self) -> Finding {
        match self.document {
            ShownDocument::Absent => self.unknown(),
            ShownDocument::Unusable(error) => unusable(error),
            ShownDocument::UnreadableConfig(error) => unusable(error),
            ShownDocument::NotComputable { os_image_hash, why } => not_computable(os_image_hash, why),
            ShownDocument::Differs {
                os_image_hash,
                register,
                ..
            } => {
                let finding = self.unknown();
                let note = format!(
                    " The guest shows the measurement document of the image {}, which is not the one that booted: {register} \
                     does not follow from it.",
                    hex::encode(os_image_hash)
                );
                Finding {
                    detail: finding.detail.clone() + &note,
                    ..finding
                }
            }
            ShownDocument::Reproduces(os) => self.known_by_hash(os.os_image_hash()),
        }
    }

    /// `known`, for an image that the document proved to be the one of this hash.
    fn known_by_hash(&self, hash: &[u8; 32]) -> Finding {
        let date = self.reference.updated();
        let Some(row) = self.reference.image_by_hash(hash) else {
            let hash = hex::encode(hash);
            return Finding::skip(
                &NO_REFERENCE,
                format!(
                    "The VM booted the image with os_image_hash {hash}, as its registers and its measurement document say. The hash \
                     is not in the table of {date}."
                ),
            )
            .found(hash.clone())
            .advising(format!(
                "Compare the hash with the release page of the image ({RELEASE_PAGES}). If it is there, write it down: --os-image {hash}."
            ));
        };
        if let Some(finding) = vulnerable(self.reference, Some(row), self.at, None) {
            return finding;
        }
        match row.class {
            OsClass::Production => self.shape(row.name.as_str(), |judged, sentence| {
                judged.accepted_row(row, sentence)
            }),
            OsClass::Development => Finding::fail(
                &DEVELOPMENT_IMAGE,
                format!("{} is a development image.", row.name),
            )
            .found(row.name.to_string()),
            OsClass::Prerelease | OsClass::Observed => Finding::skip(
                &NO_REFERENCE,
                format!(
                    "The VM booted {} (os_image_hash {}), which is not a release in the table of {date}.",
                    row.name,
                    hex::encode(hash)
                ),
            )
            .found(row.name.to_string())
            .advising(format!(
                "Redeploy on a release. To accept this image anyway, write its hash down: --os-image {}.",
                hex::encode(hash)
            )),
        }
    }

    /// An image that the user named by its hash or its name.
    pub(super) fn published(&self, named: &PublishedImage, by: &dyn fmt::Display) -> Finding {
        let is_named = |row: &OsImageRow| {
            row.os_image_hash
                .as_ref()
                .is_some_and(|hash| hash.0 == named.os_image_hash)
        };
        if self.row.is_some_and(|row| is_named(row) && !row.is_third_party()) {
            return self.named(named, by);
        }
        let has_registers = named
            .row
            .as_ref()
            .is_some_and(|row| row.registers.is_some() && !row.is_third_party());
        match self.document {
            ShownDocument::Reproduces(os) if *os.os_image_hash() == named.os_image_hash => self.named(named, by),
            ShownDocument::Reproduces(os) => self.another_image(named, &hex::encode(os.os_image_hash())),
            _ if self.is_but_for_rtmr1(named) => self.unknown(),
            // The registers of the named image are known, and they are not the quote's.
            _ if has_registers => {
                let found = self.row.map_or_else(|| "an unknown image".to_owned(), |row| row.name.to_string());
                self.another_image(named, &found)
            }
            ShownDocument::Absent => Finding::error(
                &NO_DOCUMENT,
                format!(
                    "The registers of {} are not in the table of {}, and the evidence carries no measurement document.",
                    named,
                    self.reference.updated()
                ),
            ),
            ShownDocument::Unusable(error) => unusable(error),
            ShownDocument::UnreadableConfig(error) => unusable(error),
            ShownDocument::NotComputable { os_image_hash, why } => not_computable(os_image_hash, why),
            ShownDocument::Differs {
                os_image_hash,
                register,
                computed,
            } => Finding::fail(
                &REGISTER_MISMATCH,
                format!(
                    "{register} does not follow from the measurement document of the image {}: another image booted.",
                    hex::encode(os_image_hash)
                ),
            )
            .comparing(hex::encode(computed), self.register(register)),
        }
    }

    /// Whether all but RTMR1 is the named image's, and the table has not all values that its RTMR1 may have.
    fn is_but_for_rtmr1(&self, named: &PublishedImage) -> bool {
        let [_, _, rtmr2, _] = self.quote.rtmrs();
        let image = self.reference.image_but_for_rtmr1(self.quote.mrtd(), rtmr2);
        image.is_some() && image == named.row.as_ref()
    }

    fn another_image(&self, named: &PublishedImage, found: &str) -> Finding {
        Finding::fail(
            &REGISTER_MISMATCH,
            format!("The registers are not those of {named}."),
        )
        .comparing(named.to_string(), found)
    }

    /// The image is the one that the user named.
    fn named(&self, named: &PublishedImage, by: &dyn fmt::Display) -> Finding {
        let Some(row) = &named.row else {
            let sentence = |shape: &str| {
                format!(
                    "The VM booted the image {named}{shape}. It is not in the table of {}; you named it.",
                    self.reference.updated()
                )
            };
            let [rtmr0, ..] = self.quote.rtmrs();
            return match self.reference.shape_of(rtmr0) {
                Some(shape) => Finding::warn(
                    &PUBLISHED_HASH,
                    sentence(&format!(" on a known VM shape ({shape})")),
                ),
                None => self.acpi_unverified(sentence("")),
            };
        };
        let until = named.vulnerable_until.map(|until| (until, by));
        let vulnerable = match vulnerable(self.reference, Some(row), self.at, until) {
            Some(finding) if finding.status == Status::Fail => return finding,
            accepted => accepted,
        };
        self.shape(row.name.as_str(), |judged, sentence| {
            vulnerable
                .unwrap_or_else(|| match row.class {
                    OsClass::Production => judged.accepted_row(row, sentence),
                    OsClass::Development => Finding::warn(
                        &DEVELOPMENT_IMAGE,
                        format!("{sentence} It is a development image, which {by} accepts."),
                    ),
                    OsClass::Prerelease | OsClass::Observed => {
                        Finding::pass(format!("{sentence} It is not a release; {by} accepts it."))
                    }
                })
                .accepting(of_class(row, by))
        })
    }

    /// The image is accepted if RTMR0 is that of a listed shape.
    fn shape(&self, name: &str, accepted: impl FnOnce(&Self, String) -> Finding) -> Finding {
        let [rtmr0, ..] = self.quote.rtmrs();
        match self.reference.shape_of(rtmr0) {
            Some(shape) => accepted(self, format!("{name} on a known VM shape ({shape}).")),
            None => self.acpi_unverified(format!("{name}.")),
        }
    }

    fn acpi_unverified(&self, sentence: String) -> Finding {
        let [rtmr0, ..] = self.quote.rtmrs();
        Finding::warn(
            &ACPI_UNVERIFIED,
            format!(
                "{sentence} RTMR0 is that of no listed VM shape: the ACPI tables that the host supplied are unverified. This does not \
                 meet `code`."
            ),
        )
        .found(hex::encode(rtmr0))
    }

    fn register(&self, name: &str) -> String {
        let [rtmr0, rtmr1, rtmr2, _] = self.quote.rtmrs();
        hex::encode(match name {
            "RTMR0" => rtmr0,
            "RTMR1" => rtmr1,
            "RTMR2" => rtmr2,
            _ => self.quote.mrtd(),
        })
    }
}

fn unusable(error: impl fmt::Display) -> Finding {
    Finding::error(
        &UNUSABLE_DOCUMENT,
        format!("The measurement document that the guest shows cannot be used: {error}."),
    )
}

fn not_computable(hash: &[u8; 32], why: &str) -> Finding {
    Finding::error(
        &NOT_COMPUTABLE,
        format!(
            "RTMR0 cannot be computed from the measurement document of the image {}: {why}.",
            hex::encode(hash)
        ),
    )
}
