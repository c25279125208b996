//! `os-image`: the VM booted the expected operating system.

mod acceptance;
mod advisories;
mod published;
mod reasons;

use super::{Check, Finding, QUOTE_NOT_PROVEN, Reason, Required, proven_quote};
use crate::policy::{OsImagePolicy, OsTuple, Policy};
use crate::reference::{OsClass, OsImageRow, ReferenceValues};
use crate::report::{CheckId, Status, Tier};
use crate::verify::{Facts, ShownDocument, VerifiedQuote};
use acceptance::{Written, is_development};
use advisories::{named, vulnerable};
use reasons::{
    ACPI_UNVERIFIED, ADVISORY, DEVELOPMENT_IMAGE, NO_DOCUMENT, NO_REFERENCE, NOT_COMPUTABLE,
    OLD_REFERENCE_VALUES, PUBLISHED_HASH, REGISTER_MISMATCH, RESERVATION_ENDS_SOON, UNCHECKED,
    UNUSABLE_DOCUMENT, VULNERABLE_IMAGE,
};

pub(super) const CHECK: Check = Check {
    id: CheckId::OsImage,
    title: "OS image",
    proves: "Firmware, kernel, command line and initrd are those of a known or locked production image.",
    prevents: "An OS that records any compose hash it likes: RTMR3 means nothing without a measured OS.",
    reasons: &[
        &NO_REFERENCE,
        &DEVELOPMENT_IMAGE,
        &VULNERABLE_IMAGE,
        &ADVISORY,
        &RESERVATION_ENDS_SOON,
        &ACPI_UNVERIFIED,
        &PUBLISHED_HASH,
        &NO_DOCUMENT,
        &UNUSABLE_DOCUMENT,
        &NOT_COMPUTABLE,
        &REGISTER_MISMATCH,
        &OLD_REFERENCE_VALUES,
        &UNCHECKED,
        &QUOTE_NOT_PROVEN,
    ],
    required: Required::From(Tier::Code),
    harmless_warnings: HARMLESS,
    is_configured: |policy| !matches!(policy.os_image, OsImagePolicy::Known),
    run,
};

/// Reasons that say ahead that a pass will end.
pub(super) const FORECASTS: &[&Reason] = &[&RESERVATION_ENDS_SOON];

const HARMLESS: &[&Reason] = &[&ADVISORY, &OLD_REFERENCE_VALUES, &PUBLISHED_HASH];

/// Whether the image is the expected one: a pass, or a warning that leaves the requirement met, by itself or because somebody
/// accepted it in writing.
pub(super) fn is_proven(facts: &Facts, policy: &Policy) -> bool {
    let finding = run(facts, policy);
    match (finding.status, finding.reason) {
        (Status::Pass, _) => true,
        (Status::Warn, _) if !finding.accepted.is_empty() => true,
        (Status::Warn, Some(reason)) => HARMLESS.iter().any(|harmless| harmless.id == reason.id),
        _ => false,
    }
}

fn run(facts: &Facts, policy: &Policy) -> Finding {
    if matches!(policy.os_image, OsImagePolicy::Unchecked) {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::OsImage),
            "Waived: any operating system could have recorded this event log.",
        );
    }
    let quote = match proven_quote(facts) {
        Ok(quote) => quote,
        Err(finding) => return finding,
    };
    let reference = &policy.reference;
    let os = facts.os(reference);
    let judged = Judged {
        quote,
        row: os.as_ref().map(|os| os.row().as_ref()),
        document: &facts.shown_document,
        reference,
        at: facts.at,
    };
    match &policy.os_image {
        OsImagePolicy::Unchecked | OsImagePolicy::Known => judged.known(),
        OsImagePolicy::Published(named) => judged.published(named, &origin(policy)),
        OsImagePolicy::Tuple(tuple) => judged.exact(tuple, &Written::by(&origin(policy))),
        OsImagePolicy::Lock {
            tuple,
            vulnerable_until,
            known_by,
            acpi_change,
            lock,
        } => judged.exact(
            tuple,
            &Written {
                by: lock,
                vulnerable_until: *vulnerable_until,
                known_by: *known_by,
                acpi_change: acpi_change.as_deref(),
            },
        ),
    }
}

/// Where the expectation is written.
fn origin(policy: &Policy) -> String {
    policy
        .os_image_origin
        .as_ref()
        .map_or_else(|| "--os-image".to_owned(), ToString::to_string)
}

/// A quote and what is known of its registers.
struct Judged<'a> {
    quote: &'a VerifiedQuote,
    row: Option<&'a OsImageRow>,
    document: &'a ShownDocument,
    reference: &'a ReferenceValues,
    /// Unix seconds.
    at: u64,
}

impl Judged<'_> {
    /// `known`: any production row, with a listed RTMR0.
    fn known(&self) -> Finding {
        let Some(row) = self.row else {
            return self.known_by_document();
        };
        if let Some(finding) = vulnerable(self.reference, Some(row), self.at, None) {
            return finding;
        }
        let date = self.reference.updated();
        match row.class {
            OsClass::Observed => Finding::skip(
                &NO_REFERENCE,
                format!(
                    "The registers were seen before ({}), but of no image with an official name (table of {date}).",
                    row.name
                ),
            )
            .found(row.name.to_string()),
            OsClass::Prerelease => Finding::skip(
                &NO_REFERENCE,
                format!("{} is a release candidate, not a release (table of {date}).", row.name),
            )
            .found(row.name.to_string()),
            OsClass::Development => Finding::fail(
                &DEVELOPMENT_IMAGE,
                format!("{} is a development image.", row.name),
            )
            .found(row.name.to_string()),
            OsClass::Production => self.production(row),
        }
    }

    /// No row has the registers. That accuses nobody: images are released after a table was made.
    fn unknown(&self) -> Finding {
        let [_, _, rtmr2, _] = self.quote.rtmrs();
        let date = self.reference.updated();
        match self.reference.image_but_for_rtmr1(self.quote.mrtd(), rtmr2) {
            Some(row) => Finding::skip(
                &NO_REFERENCE,
                format!(
                    "MRTD and RTMR2 are those of {}, RTMR1 is not in the table of {date}. Hosts with QEMU 10.2 or later measure \
                     another kernel header, which explains it; so would another kernel.",
                    row.name
                ),
            )
            .advising(
                "Ask the operator for the host's QEMU version, and measure the published files of the image for it; or upgrade to \
                 dstack 0.5.13, 0.6.3 or later, whose RTMR1 does not depend on QEMU. Then pin it: `cvm-verify pin URL`.",
            ),
            None => Finding::skip(
                &NO_REFERENCE,
                format!("The registers are those of no image in the table of {date}."),
            ),
        }
    }

    fn production(&self, row: &OsImageRow) -> Finding {
        if row.is_third_party() {
            return Finding::skip(
                &NO_REFERENCE,
                format!(
                    "The registers are those of {} as one third party read them ({}): that alone is not enough.",
                    row.name, row.source
                ),
            )
            .found(row.name.to_string());
        }
        let [rtmr0, ..] = self.quote.rtmrs();
        match self.reference.shape_of(rtmr0) {
            Some(shape) => self.accepted(format!("{} on a known VM shape ({shape}).", row.name)),
            None => Finding::warn(
                &ACPI_UNVERIFIED,
                format!(
                    "{}, but RTMR0 is not known: the VM's ACPI tables are unverified. This does not meet `code`.{}",
                    row.name,
                    named(self.reference, row).map_or_else(String::new, |sentence| format!(" {sentence}"))
                ),
            )
            .found(hex::encode(rtmr0)),
        }
    }

    /// Exact registers, from a lock or given.
    fn exact(&self, expected: &OsTuple, written: &Written<'_>) -> Finding {
        let origin = written.by;
        if let Some(finding) = self.mismatch(expected, origin) {
            return finding;
        }
        let name = self
            .row
            .map_or_else(String::new, |row| format!(" ({})", row.name));
        let by: &dyn std::fmt::Display = &origin;
        let until = written.vulnerable_until.map(|until| (until, by));
        let [rtmr0, ..] = self.quote.rtmrs();
        let is_listed_shape = self.reference.shape_of(rtmr0).is_some();
        vulnerable(self.reference, self.row, self.at, until)
            .unwrap_or_else(|| {
                let finding = self.accepted(format!("MRTD and RTMR0–2 are those of {origin}{name}."));
                match self.row.filter(|row| is_development(row)) {
                    Some(_) => Finding::warn(
                        &DEVELOPMENT_IMAGE,
                        format!(
                            "{} It is a development image, which {origin} accepts.",
                            finding.detail
                        ),
                    ),
                    None => finding,
                }
            })
            .accepting(written.acceptances(self.row, is_listed_shape))
    }

    /// The image is the expected one, and this is what else is to be said of it.
    fn accepted(&self, sentence: String) -> Finding {
        match self.row {
            Some(row) => self.accepted_row(row, sentence),
            None => Finding::pass(sentence),
        }
    }

    fn accepted_row(&self, row: &OsImageRow, sentence: String) -> Finding {
        if let Some(advisories) = named(self.reference, row) {
            let finding = Finding::warn(&ADVISORY, format!("{sentence} {advisories}"));
            return match self.reference.lowest_fixed(row) {
                Some(fixed) => finding.advising(format!("Upgrade the OS image to dstack {fixed} or later.")),
                None => finding,
            };
        }
        match self.reference.days_old(self.at) {
            Some(days) => Finding::warn(
                &OLD_REFERENCE_VALUES,
                format!(
                    "{sentence} The reference values are of {}, {days} days before.",
                    self.reference.updated()
                ),
            ),
            None => Finding::pass(sentence),
        }
    }

    fn mismatch(&self, expected: &OsTuple, origin: &str) -> Option<Finding> {
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
        Some(finding.comparing(values.0, values.1))
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
