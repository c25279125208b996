//! An image by its exact registers: from a lock, or given.

use super::acceptance::{WrittenAcceptance, is_development};
use super::reasons::{ACPI_UNVERIFIED, DEVELOPMENT_IMAGE, REGISTER_MISMATCH};
use super::{Judged, vulnerable};
use crate::checks::Finding;
use crate::policy::KnownBy;
use crate::policy::{ImageRegisters, OsTuple};
use crate::reference::OsImageRow;
use crate::report::Status;

impl Judged<'_> {
    /// Exact registers, from a lock or given.
    pub(super) fn exact(&self, expected: &OsTuple, written: &WrittenAcceptance<'_>) -> Finding {
        if let Some(finding) = self.mismatch(expected, written) {
            return finding;
        }
        let [rtmr0, ..] = self.quote.rtmrs();
        let is_listed_shape = self.reference.shape_of(rtmr0).is_some();
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
                return Finding::fail(
                    &REGISTER_MISMATCH,
                    format!("{name} is not the one of {}.", written.by),
                )
                .comparing(hex::encode(expected), hex::encode(actual))
                .against(written.key(&name.to_lowercase()));
            }
        }
        let is_listed_shape = self.reference.shape_of(rtmr0).is_some();
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
        let (row, is_third_party) = self.row_of(written);
        let name = row.map_or_else(String::new, |row| format!(" ({})", row.name));
        let by: &dyn std::fmt::Display = &origin;
        let until = written.vulnerable_until.map(|until| (until, by));
        let vulnerable = vulnerable(self.reference, row, self.at, until)
            .map(|finding| finding.against(written.key("vulnerable_until")));
        let finding = vulnerable.unwrap_or_else(|| {
            let finding = self.accepted(row, format!("{registers} are those of {origin}{name}."));
            let by_files = matches!(written.known_by, Some(KnownBy::DevelopmentFiles(_)));
            match by_files || row.is_some_and(is_development) {
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
        shaped(finding.accepting(written.acceptances(row, is_third_party, is_listed_shape)))
    }

    /// What the table says of the image: by its registers where they decide, else by the hash that is written down, and
    /// whether that rests on a third party alone.
    fn row_of(&self, written: &WrittenAcceptance<'_>) -> (Option<&OsImageRow>, bool) {
        let by_hash = match written.known_by {
            Some(KnownBy::PublishedHash(hash) | KnownBy::Files(hash) | KnownBy::DevelopmentFiles(hash)) => {
                self.reference.image_by_hash(&hash)
            }
            Some(KnownBy::Row | KnownBy::Unknown) | None => None,
        };
        match (self.os, by_hash) {
            (Some(os), _) if os.is_decided() => (Some(os.row()), false),
            (_, Some(row)) => (Some(row), false),
            (Some(os), None) => (Some(os.row()), os.is_third_party()),
            (None, None) => (None, false),
        }
    }

    fn mismatch(&self, expected: &OsTuple, written: &WrittenAcceptance<'_>) -> Option<Finding> {
        let origin = written.by;
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
            ("rtmr0", 1) => self.another_shape(rtmr0, origin),
            _ => Finding::fail(
                &REGISTER_MISMATCH,
                format!("{} is not the one of {origin}.", name.to_uppercase()),
            ),
        };
        Some(finding.comparing(values.0, values.1).against(written.key(name)))
    }

    /// RTMR0 alone differs: firmware configuration, VM shape, or ACPI tables that the host supplies. It is told as an upgrade
    /// only where the new value is known to be that of a shape.
    fn another_shape(&self, rtmr0: &[u8; 48], origin: &str) -> Finding {
        const ACCEPT: &str = "`cvm-verify pin URL --accept acpi-change`";
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
                "If the operator confirms the new shape or the upgrade, run {ACCEPT} and review the difference."
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
                 shape. Only if it is theirs, run {ACCEPT} and review the difference."
            )),
        }
    }
}
