//! What each tier requires, and what follows from the results of the checks. Pure.
//!
//! All of it is decided from results as a report shows them, so that `merge` decides of a report that it reads as the
//! run did that wrote it.

use crate::report::{Assurance, CheckId, CheckResult, Status, Tier, Verdict};

/// What must be met for the hardware tier (interface.md).
const HARDWARE: [CheckId; 6] = [
    CheckId::Evidence,
    CheckId::Collateral,
    CheckId::QuoteSignature,
    CheckId::TcbStatus,
    CheckId::TdAttributes,
    CheckId::Freshness,
];

/// What must be met for the code tier, beside [`HARDWARE`].
const CODE: [CheckId; 5] = [
    CheckId::EventLog,
    CheckId::BootOrder,
    CheckId::ComposeHash,
    CheckId::OsImage,
    CheckId::ImagePins,
];

/// The lowest tier that requires a check; every higher one does, too. Absent where none does.
#[must_use]
pub fn required_from(id: CheckId) -> Option<Tier> {
    if HARDWARE.contains(&id) {
        Some(Tier::Hardware)
    } else {
        CODE.contains(&id).then_some(Tier::Code)
    }
}

/// The reasons of the warnings that leave a check's requirement met. Any other warning is short of it.
const fn harmless_warnings(id: CheckId) -> &'static [&'static str] {
    match id {
        CheckId::Collateral => &["ends-soon", "platform-certificate-ends-soon"],
        CheckId::TcbStatus => &[
            "accepted-exception",
            "exception-ends-soon",
            "early-set-refuses",
            "advisory",
            "platform-changed",
        ],
        CheckId::TdAttributes => &["platform-changed"],
        CheckId::BootOrder => &["unknown-event"],
        CheckId::OsImage => &["vulnerable-image", "reservation-ends-soon"],
        CheckId::ImagePins => &["host-access"],
        CheckId::Evidence
        | CheckId::QuoteSignature
        | CheckId::Freshness
        | CheckId::ReportData
        | CheckId::EventLog
        | CheckId::ComposeHash
        | CheckId::AppId
        | CheckId::InstanceId
        | CheckId::KeyProvider
        | CheckId::MrConfigId
        | CheckId::LaunchInputs
        | CheckId::PlatformId
        | CheckId::PhalaApi => &[],
    }
}

/// Whether a result meets its check's requirement without a waiver.
#[must_use]
pub fn is_met(check: &CheckResult) -> bool {
    match (check.status, check.reason.as_deref()) {
        (Status::Pass, reason) => reason.is_none(),
        (Status::Warn, Some(reason)) => harmless_warnings(check.id).contains(&reason),
        (Status::Warn, None) | (Status::Fail | Status::Error | Status::Skip, _) => false,
    }
}

/// Whether the user waived the check in writing.
#[must_use]
pub fn is_waived(check: &CheckResult) -> bool {
    check.status == Status::Skip && check.reason.as_deref() == Some("unchecked")
}

/// The checks that the user waived in writing, in the order of the results.
#[must_use]
pub fn waived(checks: &[CheckResult]) -> Vec<CheckId> {
    checks
        .iter()
        .filter(|check| is_waived(check))
        .map(|check| check.id)
        .collect()
}

/// Any `fail` fails. Otherwise every requirement of the tier must be met or waived in writing, and what the user
/// configured must have been determined; what is left is inconclusive.
#[must_use]
pub fn verdict(checks: &[CheckResult], required: Tier, is_configured: impl Fn(CheckId) -> bool) -> Verdict {
    if checks.iter().any(|check| check.status == Status::Fail) {
        return Verdict::Fail;
    }
    let met = |id: &CheckId| find(checks, *id).is_some_and(|check| is_met(check) || is_waived(check));
    let configured_errors = checks
        .iter()
        .any(|check| check.status == Status::Error && is_configured(check.id));
    let beyond: &[CheckId] = match required {
        Tier::Hardware => &[],
        Tier::Code => &CODE,
    };
    if HARDWARE.iter().chain(beyond).all(met) && !configured_errors {
        Verdict::Pass
    } else {
        Verdict::Inconclusive
    }
}

/// The highest tier whose requirements are met without waivers.
#[must_use]
pub fn assurance(checks: &[CheckResult]) -> Assurance {
    let met = |id: &CheckId| find(checks, *id).is_some_and(is_met);
    let may_not_fail = [CheckId::ReportData, CheckId::KeyProvider];
    let failed = |id: &CheckId| find(checks, *id).is_none_or(|check| check.status == Status::Fail);
    if may_not_fail.iter().any(failed) || !HARDWARE.iter().all(met) {
        Assurance::None
    } else if CODE.iter().all(met) {
        Assurance::Code
    } else {
        Assurance::Hardware
    }
}

fn find(checks: &[CheckResult], id: CheckId) -> Option<&CheckResult> {
    checks.iter().find(|check| check.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{Check, Finding};

    #[test]
    fn every_harmless_warning_is_a_reason_of_a_check_that_is_required() {
        for id in CheckId::ALL {
            for name in harmless_warnings(id) {
                assert!(required_from(id).is_some(), "{id}");
                let known = Check::of(id).reasons.iter().any(|reason| reason.id == *name);
                assert!(known, "{id}: {name}");
            }
        }
    }

    #[test]
    fn a_warning_that_nobody_listed_is_short_of_the_requirement() {
        for (id, reason, met) in [
            (CheckId::OsImage, Some("acpi-unverified"), false),
            (CheckId::OsImage, Some("register-mismatch"), false),
            (CheckId::ImagePins, Some("unpinned-image"), false),
            (CheckId::ImagePins, Some("host-access"), true),
            (CheckId::QuoteSignature, Some("host-access"), false),
            (CheckId::TcbStatus, None, false),
        ] {
            let mut check = Check::of(id).result(&Finding::pass(""));
            check.status = Status::Warn;
            check.reason = reason.map(str::to_owned);
            assert_eq!(is_met(&check), met, "{id}: {reason:?}");
        }
    }
}
