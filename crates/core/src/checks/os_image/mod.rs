//! `os-image`: the VM booted the expected operating system.

mod acceptance;
mod advice;
mod advisories;
mod exact;
mod published;
mod reasons;

use super::{
    Acceptance, Check, Finding, InCertificate, Reason, Required, own_reference_values, proven_quote,
};
use crate::checks::known;
use crate::policy::{KnownBy, LockedShape, OsImagePolicy, Policy};
use crate::reference::{OsClass, OsImageRow, ReferenceValues, RowOrigin};
use crate::report::{AcceptedKind, CheckId, MeasuredValue, Status, Tier};
use crate::verify::{Claims, IdentifiedOs, ShownDocument, VerifiedQuote};
use acceptance::WrittenAcceptance;
use advice::{RELEASE_PAGES, corrected, measuring};
use advisories::{Release, named, vulnerable};
use reasons::{
    ACPI_UNVERIFIED, ADVISORY, DEVELOPMENT_IMAGE, NO_REFERENCE, OLD_REFERENCE_VALUES, PUBLISHED_HASH,
    REASONS, RESERVATION_ENDS_SOON, UNCHECKED,
};

pub(super) const CHECK: Check = Check {
    id: CheckId::OsImage,
    title: "OS image",
    proves: "Firmware, kernel, command line and initrd are those of a known or locked production image.",
    prevents: "An OS that records a false compose hash: RTMR3 proves nothing unless the OS is known.",
    reasons: REASONS,
    required: Required::From(Tier::Code),
    harmless_warnings: HARMLESS,
    // The default is `known`, too.
    is_configured: |policy| {
        policy.demanded.contains(&CheckId::OsImage) || !matches!(policy.os_image, OsImagePolicy::Known)
    },
    run,
    forecasts: &[&RESERVATION_ENDS_SOON],
    compares: &[
        MeasuredValue::Mrtd,
        MeasuredValue::Rtmr0,
        MeasuredValue::Rtmr1,
        MeasuredValue::Rtmr2,
    ],
    in_certificate: InCertificate::NotToFail,
    ..Check::BASE
};

const HARMLESS: &[&Reason] = &[&ADVISORY, &OLD_REFERENCE_VALUES, &PUBLISHED_HASH];

/// Whether the image is the expected one: a pass, or a warning that leaves the requirement met, by itself or because somebody
/// accepted it in writing.
pub(super) fn is_proven(claims: &Claims, policy: &Policy) -> bool {
    is_expected(&run(claims, policy))
}

/// How an image is known by a finding.
pub(super) enum ProvenImage {
    /// The whole VM.
    WithShape(Vec<Acceptance>),
    /// All but RTMR0: the host's ACPI tables are unverified.
    ButForShape,
}

/// How the image is known, or that it may be any by what was waived in writing; absent if it is not known.
pub(super) fn known_image(claims: &Claims, policy: &Policy) -> Option<ProvenImage> {
    let finding = run(claims, policy);
    let is_but_for_shape = finding
        .reason
        .is_some_and(|reason| reason.id == ACPI_UNVERIFIED.id);
    let is_waived = finding.status == Status::Skip && !finding.accepted.is_empty();
    match finding.status {
        Status::Warn if is_but_for_shape => Some(ProvenImage::ButForShape),
        _ => (is_waived || is_expected(&finding)).then_some(ProvenImage::WithShape(finding.accepted)),
    }
}

/// The published hash of the OS image as an option or a lock names it, 32 bytes, where the image is the expected one.
#[doc(hidden)]
#[must_use]
pub fn named_os_image(claims: &Claims, policy: &Policy) -> Option<[u8; 32]> {
    let named = match &policy.os_image {
        OsImagePolicy::Published(named) => Some(named.os_image_hash),
        OsImagePolicy::Lock { known_by, .. } | OsImagePolicy::LockedImage { known_by, .. } => {
            known_by.as_ref().and_then(KnownBy::hash).copied()
        }
        OsImagePolicy::Known | OsImagePolicy::Tuple(_) | OsImagePolicy::Unchecked => None,
    };
    named.filter(|_| known_image(claims, policy).is_some())
}

fn is_expected(finding: &Finding) -> bool {
    match (finding.status, finding.reason) {
        (Status::Pass, _) => true,
        (Status::Warn, _) if !finding.accepted.is_empty() => true,
        (Status::Warn, Some(reason)) => HARMLESS.iter().any(|harmless| harmless.id == reason.id),
        _ => false,
    }
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if matches!(policy.os_image, OsImagePolicy::Unchecked) {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::OsImage),
            "Waived: any operating system could have recorded this event log.",
        );
    }
    let quote = known!(proven_quote(claims));
    let reference = &policy.reference;
    let os = claims.os(reference);
    let judged = MeasuredRegisters {
        quote,
        os: os.as_ref(),
        document: &claims.shown_document,
        reference,
        policy,
        locked_shape: policy.locked_shape.as_ref(),
        at: claims.at,
    };
    match &policy.os_image {
        OsImagePolicy::Unchecked | OsImagePolicy::Known => judged.known(),
        OsImagePolicy::Published(named) => {
            corrected(judged.published(named, &origin(policy)), &origin(policy))
        }
        OsImagePolicy::Tuple(tuple) => judged.exact(tuple, &WrittenAcceptance::by(&origin(policy))),
        OsImagePolicy::Lock {
            tuple,
            vulnerable,
            known_by,
            acpi_change,
            accepts_development,
            lock,
        } => judged.exact(
            tuple,
            &WrittenAcceptance {
                by: lock.path(),
                lock: Some(lock),
                vulnerable: vulnerable.as_ref(),
                known_by: known_by.as_ref(),
                acpi_change: acpi_change.as_deref(),
                accepts_development: *accepts_development,
            },
        ),
        OsImagePolicy::LockedImage {
            registers,
            vulnerable,
            known_by,
            accepts_development,
            lock,
        } => judged.locked_image(
            registers,
            &WrittenAcceptance {
                by: lock.path(),
                lock: Some(lock),
                vulnerable: vulnerable.as_ref(),
                known_by: known_by.as_ref(),
                acpi_change: None,
                accepts_development: *accepts_development,
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
struct MeasuredRegisters<'a> {
    quote: &'a VerifiedQuote,
    os: Option<&'a IdentifiedOs>,
    document: &'a ShownDocument,
    reference: &'a ReferenceValues,
    policy: &'a Policy,
    /// RTMR0 of a lock that expects the image in another way.
    locked_shape: Option<&'a LockedShape>,
    /// Unix seconds.
    at: u64,
}

impl MeasuredRegisters<'_> {
    fn row(&self) -> Option<&OsImageRow> {
        self.os.map(|os| os.row().as_ref())
    }

    /// What a finding is accepted with that relies on a row: nothing, unless the row is of the user's own file.
    fn own_row(&self, row: &OsImageRow) -> Option<Acceptance> {
        own_reference_values(row.origin, &format!("the OS image {}", row.name), self.policy)
    }

    /// Whether RTMR0 is that of a shape in the built-in table.
    fn is_built_in_shape(&self, rtmr0: &[u8; 48]) -> bool {
        let shape = self.reference.shape_row(rtmr0);
        shape.is_some_and(|row| row.origin == RowOrigin::BuiltIn)
    }

    /// `known`: any production row, with a listed or locked RTMR0.
    fn known(&self) -> Finding {
        let Some(os) = self.os else {
            return self.known_by_document();
        };
        let row = os.row();
        if let Some(finding) = vulnerable(self.reference, &Release::of_row(row), self.at, None) {
            return finding;
        }
        let date = self.reference.updated();
        match row.class {
            OsClass::Production if os.is_third_party() => Finding::skip(
                &NO_REFERENCE,
                format!(
                    "The registers are those of {} as one third party read them ({}): one source alone is not enough.",
                    row.name, row.source
                ),
            )
            .found(row.name.to_string())
            .advising(measuring(row)),
            OsClass::Production => self.on_known_shape(row.name.as_str(), Some(row), |sentence| {
                self.accepted_row(row, sentence).accepting(self.own_row(row))
            }),
            OsClass::Development => Finding::fail(
                &DEVELOPMENT_IMAGE,
                format!("{} is a development image.", row.name),
            )
            .found(row.name.to_string()),
            OsClass::Observed => self.not_a_release(
                row,
                format!(
                    "The registers were seen before ({}), but of no image with an official name (table of {date}).",
                    row.name
                ),
            ),
            OsClass::Prerelease => self.not_a_release(
                row,
                format!("{} is a release candidate, not a release (table of {date}).", row.name),
            ),
        }
    }

    fn not_a_release(&self, row: &OsImageRow, sentence: String) -> Finding {
        let finding = Finding::skip(&NO_REFERENCE, sentence).found(row.name.to_string());
        match &row.os_image_hash {
            Some(hash) => finding.advising(format!(
                "Redeploy on a release ({RELEASE_PAGES}). To accept this image anyway, write its hash down: --os-image {hash}."
            )),
            None => finding,
        }
    }

    /// No row has the registers. That accuses nobody: images are released after a table was made.
    fn unknown(&self) -> Finding {
        let [_, rtmr1, rtmr2, _] = self.quote.rtmrs();
        let date = self.reference.updated();
        if let Some(row) = self.reference.image_but_for_rtmr1(self.quote.mrtd(), rtmr2) {
            return Finding::skip(
                &NO_REFERENCE,
                format!(
                    "MRTD and RTMR2 are those of {}, RTMR1 is not in the table of {date}. Hosts with QEMU 10.2 or later measure \
                     another kernel header, which explains it; so would another kernel.",
                    row.name
                ),
            )
            .advising(format!(
                "{} It computes RTMR1 for every QEMU. Or upgrade to dstack 0.5.13, 0.6.3 or later, whose RTMR1 does not depend on \
                 QEMU.",
                measuring(row)
            ));
        }
        let nearest = self
            .reference
            .nearest_image(self.quote.mrtd(), rtmr1, rtmr2)
            .map_or_else(String::new, |nearest| format!(" {nearest}."));
        let finding = Finding::skip(
            &NO_REFERENCE,
            format!("The registers are those of no image in the table of {date}.{nearest}"),
        );
        match self.claimed() {
            Some(row) => finding.advising(format!(
                "The host says that it is {}, which proves nothing by itself. {}",
                row.name,
                measuring(row)
            )),
            None => finding,
        }
    }

    /// The image that the host says it booted, where the table has its hash. Good for advice alone.
    fn claimed(&self) -> Option<&OsImageRow> {
        match self.document {
            ShownDocument::Absent { claimed } => {
                self.reference.image_by_hash(claimed.as_ref()?).map(AsRef::as_ref)
            }
            _ => None,
        }
    }

    /// Whether RTMR0 is listed or locked.
    fn is_on_known_shape(&self) -> bool {
        let [rtmr0, ..] = self.quote.rtmrs();
        let is_locked = self
            .locked_shape
            .is_some_and(|locked| locked.rtmr0.value == *rtmr0);
        is_locked || self.reference.shape_row(rtmr0).is_some()
    }

    /// The image is known: it is accepted if RTMR0 is listed or locked, too. `name` is the image's, `row` what the table says
    /// of it.
    fn on_known_shape(
        &self,
        name: &str,
        row: Option<&OsImageRow>,
        accepted: impl FnOnce(String) -> Finding,
    ) -> Finding {
        let [rtmr0, ..] = self.quote.rtmrs();
        if let Some(row) = self.reference.shape_row(rtmr0) {
            let own = own_reference_values(row.origin, "RTMR0 of the VM", self.policy);
            return accepted(format!("{name} on a known VM shape ({}).", row.shape)).accepting(own);
        }
        let by = self.locked_shape.map(|locked| locked.rtmr0.origin.clone());
        let locked = match self.locked_shape {
            Some(LockedShape {
                rtmr0: locked,
                acpi_change,
            }) if locked.value == *rtmr0 => {
                let change = acpi_change
                    .as_ref()
                    .map(|reason| Acceptance::new(AcceptedKind::AcpiChange, &locked.origin, reason));
                return accepted(format!("{name} on the VM shape of {}.", locked.origin)).accepting(change);
            }
            Some(locked) => format!(" It is not the RTMR0 of {} either.", locked.rtmr0.origin),
            None => String::new(),
        };
        let advisories = row
            .and_then(|row| named(self.reference, &Release::of_row(row)))
            .map_or_else(String::new, |sentence| format!(" {sentence}"));
        Finding::warn(
            &ACPI_UNVERIFIED,
            format!(
                "{name}, but RTMR0 is not known: the VM's ACPI tables are unverified.{locked} This does not meet `code`.{advisories}"
            ),
        )
        .found(hex::encode(rtmr0))
        .against(by)
    }

    fn accepted_row(&self, row: &OsImageRow, sentence: String) -> Finding {
        self.accepted_release(&Release::of_row(row), sentence)
    }

    /// The image is the expected one, and this is what else is to be said of its release.
    fn accepted_release(&self, release: &Release<'_>, sentence: String) -> Finding {
        if let Some(advisories) = named(self.reference, release) {
            let finding = Finding::warn(&ADVISORY, format!("{sentence} {advisories}"));
            return match self.reference.lowest_fixed(release.version.as_deref()) {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::claims_for_tests::{healthy, listed_image, listed_shape, of_image};
    use crate::policy::OsTuple;
    use crate::report::AcceptedKind;

    #[test]
    fn an_image_is_known_as_a_whole_or_but_for_its_shape() {
        let row = listed_image(OsClass::Production, false);
        let known = |claims: &Claims, os_image: OsImagePolicy| {
            let policy = Policy {
                os_image,
                ..Policy::default()
            };
            match known_image(claims, &policy) {
                None => "no",
                Some(ProvenImage::WithShape(accepted)) if accepted.is_empty() => "as a whole",
                Some(ProvenImage::WithShape(_)) => "by what was accepted",
                Some(ProvenImage::ButForShape) => "but for its shape",
            }
        };
        let listed = of_image(row, listed_shape());
        assert_eq!(known(&listed, OsImagePolicy::Known), "as a whole");
        let unlisted = of_image(row, [1; 48]);
        assert_eq!(known(&unlisted, OsImagePolicy::Known), "but for its shape");
        assert_eq!(known(&healthy(), OsImagePolicy::Known), "no");
        let waived = known(&healthy(), OsImagePolicy::Unchecked);
        assert_eq!(waived, "by what was accepted");
    }

    /// A change of the ACPI tables that a lock accepts is named where the tables are not known.
    #[test]
    fn an_accepted_change_of_a_listed_shape_is_none() {
        let row = listed_image(OsClass::Production, false);
        for (rtmr0, expected) in [
            (listed_shape(), vec![]),
            ([1; 48], vec![AcceptedKind::AcpiChange]),
        ] {
            let claims = of_image(row, rtmr0);
            let quote = claims.quote.as_ref().unwrap();
            let [rtmr0, rtmr1, rtmr2, _] = quote.rtmrs();
            let policy = Policy {
                os_image: OsImagePolicy::Lock {
                    tuple: OsTuple {
                        mrtd: *quote.mrtd(),
                        rtmr: [*rtmr0, *rtmr1, *rtmr2],
                    },
                    vulnerable: None,
                    known_by: None,
                    acpi_change: Some("The host was upgraded.".to_owned()),
                    accepts_development: false,
                    lock: "cvm.lock".into(),
                },
                ..Policy::default()
            };
            let found = run(&claims, &policy);
            let accepted: Vec<AcceptedKind> =
                CHECK.accepted(&found).into_iter().map(|one| one.what).collect();
            assert_eq!(accepted, expected, "{}", found.detail);
        }
    }
}
