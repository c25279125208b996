//! An image by its exact registers: from a lock, or given.

use super::MeasuredRegisters;
use super::acceptance::{KnownImage, WrittenAcceptance, WrittenHash, is_development};
use super::advisories::{Release, VERSION_UNKNOWN, vulnerable};
use super::reasons::{ACPI_UNVERIFIED, DEVELOPMENT_IMAGE, REGISTER_MISMATCH};
use crate::checks::Finding;
use crate::policy::{ImageRegisters, KnownBy, OsTuple};
use crate::reference::{OsClass, OsImageRow};
use crate::report::Status;
use crate::verify::{IdentifiedBy, IdentifiedOs};

impl MeasuredRegisters<'_> {
    /// Exact registers, from a lock or given.
    pub(super) fn exact(&self, expected: &OsTuple, written: &WrittenAcceptance<'_>) -> Finding {
        if let Some(finding) = self.mismatch(expected, written) {
            return finding;
        }
        let [rtmr0, ..] = self.quote.rtmrs();
        let is_listed_shape = self.is_built_in_shape(rtmr0);
        self.written_down("MRTD and RTMR0–2", written, |finding| finding, is_listed_shape)
    }

    /// The registers of an image from a lock that does not hold RTMR0 yet.
    pub(super) fn locked_image(&self, expected: &ImageRegisters, written: &WrittenAcceptance<'_>) -> Finding {
        let [rtmr0, rtmr1, rtmr2, _] = self.quote.rtmrs();
        for (name, expected, actual) in [
            ("MRTD", &expected.mrtd, self.quote.mrtd()),
            ("RTMR1", &expected.rtmr1, rtmr1),
            ("RTMR2", &expected.rtmr2, rtmr2),
        ] {
            if expected != actual {
                return self
                    .other_than_locked(name, written)
                    .comparing(hex::encode(expected), hex::encode(actual))
                    .against(written.key(&name.to_lowercase()));
            }
        }
        let is_listed_shape = self.is_built_in_shape(rtmr0);
        let on_known_shape = |finding: Finding| match finding.status {
            Status::Fail => finding,
            _ => {
                let image = format!("MRTD, RTMR1 and RTMR2 are those of {}", written.by);
                self.on_known_shape(&image, None, |_| finding)
            }
        };
        let finding = self.written_down("MRTD, RTMR1 and RTMR2", written, on_known_shape, is_listed_shape);
        match finding.reason {
            Some(reason) if reason.id == ACPI_UNVERIFIED.id => finding.advising(format!(
                "{} does not hold RTMR0 yet. Add it: `cvm-verify pin URL --output {}`, review, and commit.",
                written.by, written.by
            ))
            .against(written.key("rtmr0")),
            _ => finding,
        }
    }

    /// The registers are those that somebody wrote down. `shaped` decides what else must hold before anything is accepted.
    fn written_down(
        &self,
        registers: &str,
        written: &WrittenAcceptance<'_>,
        shaped: impl FnOnce(Finding) -> Finding,
        is_listed_shape: bool,
    ) -> Finding {
        let origin = written.by;
        let known = self.known_image(written);
        let row = known.row;
        let by: &dyn std::fmt::Display = &origin;
        let accepted = written.vulnerable.map(|accepted| (accepted, by));
        let locked = Release::locked(written.known_by, origin);
        let release = match row {
            Some(row) => Release::of_row(row).or_version_of(locked),
            None => locked,
        };
        let sentence = format!("{registers} are those of {origin}{}", known.suffix(origin));
        let by_files = matches!(written.known_by, Some(KnownBy::DevelopmentFiles(_)));
        let is_development = by_files || row.is_some_and(is_development);
        let vulnerable = vulnerable(self.reference, &release, self.at, accepted)
            .map(|finding| finding.against(written.key("vulnerable_until")));
        let is_refused = vulnerable
            .as_ref()
            .is_some_and(|found| found.status == Status::Fail);
        if is_development && !written.accepts_development && !is_refused {
            return not_accepted(&sentence, written);
        }
        let finding = vulnerable.unwrap_or_else(|| {
            // A hash that was written down without a version: nothing says which vulnerabilities it has.
            let unjudged = match written.known_by.and_then(KnownBy::hash) {
                Some(_) if row.is_none() && release.version.is_none() => VERSION_UNKNOWN,
                _ => "",
            };
            let finding = self.accepted_release(&release, format!("{sentence}{unjudged}"));
            match is_development {
                true => Finding::warn(
                    &DEVELOPMENT_IMAGE,
                    format!(
                        "{} It is a development image, which {origin} accepts.",
                        finding.detail
                    ),
                ),
                false => finding,
            }
        });
        let own_row = known
            .row
            .filter(|_| known.rests_on_row)
            .and_then(|row| self.own_row(row));
        shaped(
            finding
                .accepting(written.acceptances(&known, is_listed_shape))
                .accepting(own_row),
        )
    }

    /// What is known of the image: by its registers where they decide; else by the hash that is written down, where this run
    /// confirms it. A hash that nothing confirms is a claim: it makes the image worse at most, and never gives it a name.
    fn known_image(&self, written: &WrittenAcceptance<'_>) -> KnownImage<'_> {
        let hash = written.known_by.and_then(KnownBy::hash).copied();
        let by_hash = hash.and_then(|hash| self.reference.image_by_hash(&hash).map(AsRef::as_ref));
        let is_documented = hash.is_some() && self.document.booted_image() == hash.as_ref();
        let of_registers = |os: &'_ IdentifiedOs| os.by() == IdentifiedBy::Registers;
        let is_of_hash = |row: &OsImageRow| row.os_image_hash.map(|hash| hash.0) == hash;
        let by_row = |hash| KnownImage {
            row: self.row(),
            is_third_party: self.os.is_some_and(IdentifiedOs::is_third_party),
            hash,
            rests_on_row: true,
        };
        match (self.os, hash) {
            (Some(os), _) if os.is_decided() && of_registers(os) => KnownImage {
                rests_on_row: !(is_documented && is_of_hash(os.row())),
                ..by_row(WrittenHash::None)
            },
            (_, Some(hash)) if is_documented && by_hash.is_some() => KnownImage {
                row: by_hash,
                is_third_party: false,
                hash: WrittenHash::Confirmed(hash),
                rests_on_row: false,
            },
            (_, Some(hash)) if is_documented => by_row(WrittenHash::Confirmed(hash)),
            (Some(os), _) if os.is_decided() => by_row(WrittenHash::None),
            (Some(os), Some(hash)) if of_registers(os) && is_of_hash(os.row()) => {
                by_row(WrittenHash::Confirmed(hash))
            }
            (os, Some(hash)) => KnownImage {
                row: self.row().or_else(|| by_hash.filter(|row| self.may_be(row))),
                rests_on_row: os.is_some(),
                ..by_row(WrittenHash::Claimed(hash))
            },
            (_, None) => by_row(WrittenHash::None),
        }
    }

    /// Whether the registers do not contradict a row: it has none, or another RTMR1 alone, of which the table has not all values.
    fn may_be(&self, row: &OsImageRow) -> bool {
        let [_, _, rtmr2, _] = self.quote.rtmrs();
        let but_for_rtmr1 = || self.reference.image_but_for_rtmr1(self.quote.mrtd(), rtmr2);
        row.registers.is_none() || but_for_rtmr1().is_some_and(|other| **other == *row)
    }

    fn mismatch(&self, expected: &OsTuple, written: &WrittenAcceptance<'_>) -> Option<Finding> {
        let [rtmr0, rtmr1, rtmr2, _] = self.quote.rtmrs();
        let actual = OsTuple {
            mrtd: *self.quote.mrtd(),
            rtmr: [*rtmr0, *rtmr1, *rtmr2],
        };
        let differing: Vec<_> = expected
            .named()
            .into_iter()
            .zip(actual.named())
            .filter(|((_, expected), (_, actual))| expected != actual)
            .collect();
        let ((name, expected), (_, actual)) = differing.first()?;
        let values = (hex::encode(expected), hex::encode(actual));
        let finding = match (*name, differing.len()) {
            ("rtmr0", 1) => self.another_shape(rtmr0, written),
            _ => self.other_than_locked(&name.to_uppercase(), written),
        };
        Some(finding.comparing(values.0, values.1).against(written.key(name)))
    }

    /// A register of the image differs. Which image it is is told where the registers, which the quote proves, are in the table.
    fn other_than_locked(&self, register: &str, written: &WrittenAcceptance<'_>) -> Finding {
        let origin = written.by;
        let renew = written.renewed("`cvm-verify pin`");
        let [_, rtmr1, rtmr2, _] = self.quote.rtmrs();
        let row = self.reference.image_of(self.quote.mrtd(), rtmr1, rtmr2);
        let (what, advice) = match row {
            None => (
                "What booted is not an image in the table.".to_owned(),
                format!(
                    "If the OS image was changed on purpose, compare the registers with those of its published files (`cvm-verify \
                     os-image FILE`), then {renew}; otherwise the host booted something else: stop sending it secrets, and replace those that it has had."
                ),
            ),
            Some(row) if is_development(row) => (
                format!(
                    "What booted is {}, a development image: root can log in.",
                    row.name
                ),
                "Stop sending it secrets, and deploy it on a production image.".to_owned(),
            ),
            Some(row) => (
                match row.class {
                    OsClass::Production => format!("What booted is {}, a production image.", row.name),
                    OsClass::Prerelease => format!("What booted is {}, a release candidate.", row.name),
                    OsClass::Observed | OsClass::Development => {
                        format!("What booted is {}, an image without an official name.", row.name)
                    }
                },
                format!(
                    "If the OS image was changed on purpose, {renew}; otherwise the host booted another image than the released one."
                ),
            ),
        };
        Finding::fail(
            &REGISTER_MISMATCH,
            format!("{register} is not the one of {origin}. {what}"),
        )
        .advising(advice)
    }

    /// RTMR0 alone differs: firmware configuration, VM shape, or ACPI tables that the host supplies. It is told as an upgrade
    /// only where the new value is known to be that of a shape.
    fn another_shape(&self, rtmr0: &[u8; 48], written: &WrittenAcceptance<'_>) -> Finding {
        let origin = written.by;
        let renew = written.renewed("`cvm-verify pin URL --accept acpi-change`");
        match self.reference.shape_of(rtmr0) {
            Some(shape) => Finding::fail(
                &REGISTER_MISMATCH,
                format!(
                    "RTMR0 is not the one of {origin}; MRTD, RTMR1 and RTMR2 are. The new value is that of a listed VM shape \
                     ({shape}): the VM was resized, or its host was upgraded (hosts of dstack 0.6 turn hot-plug off, which \
                     changes RTMR0 of every VM)."
                ),
            )
            .advising(format!(
                "If the operator confirms the new shape or the upgrade, {renew}."
            )),
            None => Finding::fail(
                &REGISTER_MISMATCH,
                format!(
                    "RTMR0 is not the one of {origin}; MRTD, RTMR1 and RTMR2 are. It covers the VM's shape and the ACPI tables that \
                     the host supplies. A host upgrade, a resize and an attack look alike here."
                ),
            )
            .advising(format!(
                "Compare the new value with the operator's, or with one that you computed from the published files and the VM's \
                 shape. Only if it is theirs, {renew}."
            )),
        }
    }
}

/// The image is a development image, and the lock does not accept that: it became known later, or somebody removed the line.
fn not_accepted(sentence: &str, written: &WrittenAcceptance<'_>) -> Finding {
    let origin = written.by;
    Finding::fail(
        &DEVELOPMENT_IMAGE,
        format!(
            "{sentence} It is a development image: root can log in. {origin} does not accept that (`development-image` in [accepted])."
        ),
    )
    .advising(format!(
        "Redeploy on a production image. To accept this one, {}.",
        written.renewed("`cvm-verify pin URL --accept development-image`")
    ))
    .against(written.key("known_by"))
}
