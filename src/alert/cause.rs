//! Which results an alert names: what keeps a target from passing, the one to act on first.

use crate::report::{CheckId, CheckResult, Status, TargetReport, Tier, Verdict};

/// Requirements whose check may end in `skip` without a waiver, and the tier that they belong to (interface.md).
const MAY_BE_MISSING: [(CheckId, Tier); 3] = [
    (CheckId::Freshness, Tier::Hardware),
    (CheckId::ComposeHash, Tier::Code),
    (CheckId::OsImage, Tier::Code),
];

/// The warnings that leave a requirement of `code` unmet (interface.md, "Check ids").
const UNMET_WARNINGS: [(CheckId, &str); 2] = [
    (CheckId::OsImage, "acpi-unverified"),
    (CheckId::ImagePins, "unpinned-image"),
];

/// What keeps `target` from passing. Empty for a pass.
///
/// Every `fail` comes first: an operator must not hide a lie behind an outage. Then come errors, then, where nothing
/// failed, requirements that nobody met. Within each the order is that of the checks. What only follows from another
/// result is left out, unless nothing else explains the verdict.
pub(super) fn causes(target: &TargetReport) -> Vec<&CheckResult> {
    if target.verdict == Verdict::Pass {
        return Vec::new();
    }
    let of = |status| target.checks.iter().filter(move |check| check.status == status);
    let mut causes: Vec<&CheckResult> = of(Status::Fail)
        .chain(of(Status::Error).filter(|check| !is_consequence(check)))
        .collect();
    if target.verdict == Verdict::Inconclusive {
        causes.extend(target.checks.iter().filter(|check| is_unmet(target, check)));
    }
    if causes.is_empty() {
        causes.extend(of(Status::Error));
    }
    causes
}

/// Whether a result says no more than that another one did not pass. Such reasons have no advice of their own.
fn is_consequence(check: &CheckResult) -> bool {
    let reason = check.reason.as_deref().unwrap_or_default();
    check.fix.is_none() && reason.ends_with("-not-proven")
}

fn is_unmet(target: &TargetReport, check: &CheckResult) -> bool {
    match check.status {
        Status::Skip => {
            MAY_BE_MISSING
                .iter()
                .any(|(id, tier)| *id == check.id && *tier <= target.required)
                && !target.waived.contains(&check.id)
        }
        Status::Warn => {
            target.required >= Tier::Code
                && UNMET_WARNINGS
                    .iter()
                    .any(|(id, reason)| *id == check.id && Some(*reason) == check.reason.as_deref())
        }
        Status::Pass | Status::Fail | Status::Error => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples::{self, set};

    fn ids(target: &TargetReport) -> Vec<CheckId> {
        causes(target).iter().map(|check| check.id).collect()
    }

    #[test]
    fn a_pass_has_no_cause() {
        assert_eq!(ids(&samples::pass()), []);
    }

    #[test]
    fn what_follows_from_a_cause_is_left_out_and_named_where_nothing_else_is() {
        let mut target = samples::unreachable();
        assert_eq!(ids(&target), [CheckId::Evidence]);
        set(&mut target, CheckId::Evidence, Status::Pass, "");
        assert_eq!(ids(&target).len(), CheckId::ALL.len() - 1);
    }

    #[test]
    fn a_fail_comes_before_an_earlier_error() {
        let mut target = samples::fail();
        set(&mut target, CheckId::Evidence, Status::Error, "two-instances");
        assert_eq!(ids(&target), [CheckId::ComposeHash, CheckId::Evidence]);
    }

    #[test]
    fn an_unmet_requirement_explains_an_inconclusive_verdict_unless_it_is_waived_or_not_required() {
        let mut target = samples::inconclusive();
        set(&mut target, CheckId::ImagePins, Status::Warn, "unpinned-image");
        set(&mut target, CheckId::TcbStatus, Status::Warn, "advisory");
        set(&mut target, CheckId::MrConfigId, Status::Skip, "unbound");
        assert_eq!(ids(&target), [CheckId::ComposeHash, CheckId::ImagePins]);
        target.waived = vec![CheckId::ComposeHash];
        assert_eq!(ids(&target), [CheckId::ImagePins]);
        target.required = Tier::Hardware;
        set(&mut target, CheckId::Freshness, Status::Skip, "no-nonce");
        assert_eq!(ids(&target), [CheckId::Freshness]);
    }

    #[test]
    fn the_unmet_warnings_are_reasons_of_their_checks() {
        for (id, reason) in UNMET_WARNINGS {
            let known = crate::checks::Check::of(id).reasons;
            assert!(known.iter().any(|known| known.id == reason), "{id}: {reason}");
        }
    }

    #[test]
    fn what_follows_has_no_advice_in_any_check() {
        for check in crate::checks::ALL {
            for reason in check.reasons {
                assert_eq!(
                    reason.id.ends_with("-not-proven"),
                    reason.fix.is_empty(),
                    "{}: {}",
                    check.id,
                    reason.id
                );
            }
        }
    }
}
