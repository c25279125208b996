//! An image that is known by its published hash, and what the guest's measurement document proves of it.
//!
//! Tuple, lock and rows with registers are judged first, from the quote alone. The document, which nobody signed, is read only
//! if they do not decide: a wrong one convicts nothing that the registers acquit.

use std::fmt;

use super::MeasuredRegisters;
use super::acceptance::{development, of_class};
use super::advice::{RELEASE_PAGES, measuring};
use super::advisories::{self, Release, VERSION_UNKNOWN, vulnerable};
use super::reasons::{
    DEVELOPMENT_IMAGE, NO_DOCUMENT, NO_REFERENCE, NOT_COMPUTABLE, PUBLISHED_HASH, REGISTER_MISMATCH,
    UNUSABLE_DOCUMENT,
};
use crate::checks::Finding;
use crate::policy::{MeasuredFiles, PublishedImage, VulnerableAcceptance};
use crate::reference::OsClass;
use crate::report::Status;
use crate::verify::{IdentifiedBy, IdentifiedOs, ShownDocument};

impl MeasuredRegisters<'_> {
    /// `known`, where no row has the registers: by the document that the guest shows.
    pub(super) fn known_by_document(&self) -> Finding {
        match self.document {
            ShownDocument::Absent { .. } => self.unknown(),
            ShownDocument::Unusable(error) => unusable(error),
            ShownDocument::UnreadableConfig(error) => unusable(error),
            ShownDocument::NotComputable { os_image_hash, why } => not_computable(os_image_hash, why),
            ShownDocument::OtherImage {
                os_image_hash,
                register,
                ..
            } => self.unknown_but(&format!(
                "The guest shows the measurement document of the image {}, which is not the one that booted: {register} does not \
                 follow from it.",
                hex::encode(os_image_hash)
            )),
            ShownDocument::OpenKernel { os_image_hash } => self.unknown_but(&format!(
                "MRTD and RTMR2 are those of the measurement document of the image {}, which the guest shows. RTMR1 does not follow \
                 from it: the kernel's header is not normalized.",
                hex::encode(os_image_hash)
            )),
            ShownDocument::OtherShape { os_image_hash, .. } => self.unknown_but(&format!(
                "MRTD, RTMR1 and RTMR2 are those of the measurement document of the image {}, which the guest shows. RTMR0, the shape \
                 of the VM, does not follow from it.",
                hex::encode(os_image_hash)
            )),
            ShownDocument::Reproduces(os) => self.known_by_hash(os.os_image_hash()),
        }
    }

    /// No row has the registers; with what is to be said of the document.
    fn unknown_but(&self, note: &str) -> Finding {
        let finding = self.unknown();
        Finding {
            detail: format!("{} {note}", finding.detail),
            ..finding
        }
    }

    /// `known`, for an image that the document proved to be the one of a hash. If the table has the hash, the row is judged.
    fn known_by_hash(&self, hash: &[u8; 32]) -> Finding {
        let date = self.reference.updated();
        let hash = hex::encode(hash);
        Finding::skip(
            &NO_REFERENCE,
            format!(
                "The VM booted the image with os_image_hash {hash}, as its registers and its measurement document say. The hash is \
                 not in the table of {date}."
            ),
        )
        .found(hash.clone())
        .advising(format!(
            "Compare the hash with the release page of the image ({RELEASE_PAGES}). If it is there, write it down: --os-image {hash}."
        ))
    }

    /// An image that the user named by its files, measured by their registers.
    fn of_files(&self, named: &PublishedImage, files: &MeasuredFiles, by: &dyn fmt::Display) -> Finding {
        let [_, rtmr1, rtmr2, _] = self.quote.rtmrs();
        let Some(other) = files.image.other_register(self.quote.mrtd(), rtmr1, rtmr2) else {
            return self.named(named, by, false);
        };
        // All other registers are the image's, and where this kernel is placed depends on the memory of the VM.
        let finding = match other.name == "RTMR1" && files.image.rtmr1.patched.is_some() {
            true => Finding::error(
                &NOT_COMPUTABLE,
                format!(
                    "MRTD and RTMR2 are those of the files in {}; RTMR1 is neither that of QEMU 10.2 and later nor that of QEMU up \
                     to 10.1 with 2 GiB of memory or 2816 MiB and more. Another kernel booted, or the VM has another memory size.",
                    files.path
                ),
            )
            .advising(
                "If the VM has less than 2816 MiB of memory, and not 2 GiB, give it 2 GiB or 2816 MiB and more, or run it with QEMU \
                 10.2 or later. With any other memory size another kernel booted, or a QEMU that this version does not know: ask the operator of the \
                 host which it is, and verify again.",
            ),
            false => Finding::fail(
                &REGISTER_MISMATCH,
                format!(
                    "{} is not that of the files in {}: another image booted.",
                    other.name, files.path
                ),
            ),
        };
        finding.comparing(hex::encode(other.expected), self.register(other.name))
    }

    /// An image that the user named by its hash, its name or its files.
    pub(super) fn published(&self, named: &PublishedImage, by: &dyn fmt::Display) -> Finding {
        if let Some(files) = &named.files {
            return self.of_files(named, files, by);
        }
        let is_named = |os: &IdentifiedOs| {
            let hash = os.row().os_image_hash.as_ref();
            !os.is_third_party() && hash.is_some_and(|hash| hash.0 == named.os_image_hash)
        };
        // A name is a row's: without the row, no hash was named.
        let by_row = named.is_by_name;
        if let Some(os) = self.os.filter(|os| is_named(os)) {
            return self.named(named, by, by_row || os.by() == IdentifiedBy::Registers);
        }
        let has_registers = named
            .row
            .as_ref()
            .is_some_and(|row| row.registers.is_some() && !row.is_third_party());
        match self.document {
            ShownDocument::Reproduces(os) if *os.os_image_hash() == named.os_image_hash => {
                self.named(named, by, by_row)
            }
            ShownDocument::Reproduces(os) => self.another_image(named, &hex::encode(os.os_image_hash())),
            // The image's own registers are its; what decides of the shape is RTMR0 itself, not the host's word about memory.
            ShownDocument::OtherShape { os_image_hash, .. } if *os_image_hash == named.os_image_hash => {
                self.named(named, by, by_row)
            }
            // The same: a shape that is known by RTMR0 needs no computing.
            ShownDocument::NotComputable { os_image_hash, why } if *os_image_hash == named.os_image_hash => {
                match self.is_on_known_shape() {
                    true => self.named(named, by, by_row),
                    false => not_computable(os_image_hash, why),
                }
            }
            _ if self.is_but_for_rtmr1(named) => self.unknown(),
            // The registers of the named image are known, and they are not the quote's.
            _ if has_registers => {
                let found = self.row().map_or_else(|| "an unknown image".to_owned(), |row| row.name.to_string());
                self.another_image(named, &found)
            }
            ShownDocument::Absent { .. } => {
                let finding = Finding::error(
                    &NO_DOCUMENT,
                    format!(
                        "The registers of {named} are not in the table of {}, and the evidence carries no measurement document.",
                        self.reference.updated()
                    ),
                );
                match &named.row {
                    Some(row) if row.archive().is_some_and(|archive| !archive.has_document) => {
                        finding.advising(format!("Its guests show no such document. {}", measuring(row)))
                    }
                    _ => finding,
                }
            }
            ShownDocument::Unusable(error) => unusable(error),
            ShownDocument::UnreadableConfig(error) => unusable(error),
            ShownDocument::NotComputable { os_image_hash, why } => not_computable(os_image_hash, why),
            ShownDocument::OtherShape { os_image_hash, .. } => self.another_image(named, &hex::encode(os_image_hash)),
            // A document of another image, whose registers are not the quote's either, says nothing of the named one.
            ShownDocument::OtherImage { os_image_hash, .. } | ShownDocument::OpenKernel { os_image_hash }
                if *os_image_hash != named.os_image_hash => Finding::error(
                &NO_DOCUMENT,
                format!(
                    "The registers of {named} are not in the table of {}, and the evidence carries the measurement document of another \
                     image, {}, from which those of the quote do not follow.",
                    self.reference.updated(),
                    hex::encode(os_image_hash)
                ),
            ),
            ShownDocument::OpenKernel { .. } => open_kernel(named),
            ShownDocument::OtherImage {
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

    /// The image is the one that the user named. `rests_on_row` is whether the row alone says so: its registers, or its name.
    fn named(&self, named: &PublishedImage, by: &dyn fmt::Display, rests_on_row: bool) -> Finding {
        let release = release(named);
        let accepted = vulnerabilities_until(named);
        let accepted = accepted.as_ref().map(|accepted| (accepted, by));
        let vulnerable = match vulnerable(self.reference, &release, self.at, accepted) {
            Some(finding) if finding.status == Status::Fail => return finding,
            accepted => accepted,
        };
        if named.is_development() {
            return self.development(named, by, vulnerable);
        }
        let Some(row) = &named.row else {
            let name = format!("The VM booted the image {named}");
            return self.on_known_shape(&name, None, |sentence| {
                vulnerable.unwrap_or_else(|| self.not_in_the_table(&release, &sentence))
            });
        };
        self.on_known_shape(row.name.as_str(), Some(row), |sentence| {
            vulnerable
                .unwrap_or_else(|| match row.class {
                    OsClass::Production => self.accepted_row(row, sentence),
                    OsClass::Development => accepted_development(&sentence, by),
                    OsClass::Prerelease | OsClass::Observed => {
                        Finding::pass(format!("{sentence} It is not a release; {by} accepts it."))
                    }
                })
                .accepting(of_class(row, by))
                .accepting(rests_on_row.then(|| self.own_row(row)).flatten())
        })
    }

    /// The user vouches for an image of which no row says anything.
    fn not_in_the_table(&self, release: &Release<'_>, sentence: &str) -> Finding {
        let vulnerabilities = match (&release.version, advisories::named(self.reference, release)) {
            (Some(_), None) => String::new(),
            (Some(_), Some(advisories)) => format!(" {advisories}"),
            (None, _) => VERSION_UNKNOWN.to_owned(),
        };
        Finding::warn(
            &PUBLISHED_HASH,
            format!(
                "{sentence} It is not in the table of {}; you named it.{vulnerabilities}",
                self.reference.updated()
            ),
        )
    }

    /// The files that the user named say that it is a development image, whatever the table says of it.
    fn development(
        &self,
        named: &PublishedImage,
        by: &dyn fmt::Display,
        vulnerable: Option<Finding>,
    ) -> Finding {
        let row = named.row.as_deref();
        let name = match row {
            Some(row) => row.name.to_string(),
            None => format!("The VM booted the image {named}"),
        };
        self.on_known_shape(&name, row, |sentence| {
            vulnerable
                .unwrap_or_else(|| accepted_development(&sentence, by))
                .accepting(Some(development(named, by)))
        })
    }

    /// MRTD, RTMR1 or RTMR2 of the quote.
    fn register(&self, name: &str) -> String {
        let [_, rtmr1, rtmr2, _] = self.quote.rtmrs();
        hex::encode(match name {
            "RTMR1" => rtmr1,
            "RTMR2" => rtmr2,
            _ => self.quote.mrtd(),
        })
    }
}

/// Whoever names an image with an end date accepts each vulnerability of it until then.
fn vulnerabilities_until(named: &PublishedImage) -> Option<VulnerableAcceptance> {
    let until = named.vulnerable_until?;
    Some(VulnerableAcceptance {
        until,
        sentence: None,
    })
}

fn release(named: &PublishedImage) -> Release<'_> {
    Release {
        name: match &named.row {
            Some(row) => row.name.to_string(),
            None => format!("The image {named}"),
        },
        version: named.version(),
    }
}

fn accepted_development(sentence: &str, by: &dyn fmt::Display) -> Finding {
    Finding::warn(
        &DEVELOPMENT_IMAGE,
        format!("{sentence} It is a development image, which {by} accepts."),
    )
}

fn unusable(error: impl fmt::Display) -> Finding {
    Finding::error(
        &UNUSABLE_DOCUMENT,
        format!("The measurement document that the guest shows cannot be used: {error}."),
    )
}

/// MRTD and RTMR2 are the named image's, and which kernel booted is open.
fn open_kernel(named: &PublishedImage) -> Finding {
    Finding::error(
        &NOT_COMPUTABLE,
        format!(
            "MRTD and RTMR2 follow from the measurement document of {named}; RTMR1 is not that of QEMU 10.2 and later. The kernel's \
             header is not normalized: QEMU up to 10.1 edits it, which explains RTMR1; so would another kernel."
        ),
    )
    .advising(
        "Give the image's files (--os-image-files FILE): RTMR1 is computed from them for each QEMU. Or run the VM with QEMU 10.2 or later.",
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
