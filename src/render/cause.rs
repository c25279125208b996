//! Which checks a verdict hangs on, the most important one first.

use cvm_verify_core::report::{CheckId, CheckResult, Status, TargetReport, Verdict};
use cvm_verify_core::tiers;

/// The checks that keep a target from passing, the one to act on first. Empty for a pass.
///
/// Every `fail` comes before every `error`: an operator must not hide a lie behind an outage. Otherwise the order is
/// that of the checks, in which evidence and collateral, the causes of most other results, stand first. A part that is too
/// old comes after every other `fail`: an exception for a while heals it, and must not be all that a reader does while other
/// code runs. What only follows from another check is left out.
pub(crate) fn causes(target: &TargetReport) -> Vec<&CheckResult> {
    let of = |wanted: fn(&TargetReport, &CheckResult) -> bool| {
        target.checks.iter().filter(move |check| wanted(target, check))
    };
    match target.verdict {
        Verdict::Pass => Vec::new(),
        Verdict::Fail => {
            let (old, failed): (Vec<_>, Vec<_>) =
                of(|_, check| check.status == Status::Fail).partition(|check| is_too_old(check));
            let open = of(|_, check| is_own_error(check));
            failed.into_iter().chain(old).chain(open).collect()
        }
        Verdict::Inconclusive => {
            let own = |target: &TargetReport, check: &CheckResult| {
                is_own_error(check) || (is_open(target, check) && !is_consequence(check))
            };
            let mut found: Vec<&CheckResult> = of(own).collect();
            // What is open may follow from a part of the evidence that only warns, as an old answer of `/info`.
            if found.is_empty() {
                found.extend(of(|_, check| {
                    check.id == CheckId::Evidence && check.status == Status::Warn
                }));
            }
            // Or from a file that the user gave, of which no other check says anything: then it has advice of its own.
            if found.is_empty() {
                found.extend(of(|_, check| is_consequence(check) && check.fix.is_some()).take(1));
            }
            found
        }
    }
}

/// Whether a result says no more than that another check did not pass.
pub(super) fn is_consequence(check: &CheckResult) -> bool {
    check.status == Status::Error
        && check
            .reason
            .as_deref()
            .is_some_and(|reason| reason.ends_with("-not-proven"))
}

/// Whether a `fail` says that the platform or the image lacks an update, and no more.
fn is_too_old(check: &CheckResult) -> bool {
    match check.id {
        CheckId::TcbStatus => true,
        CheckId::OsImage => check.reason.as_deref() == Some("vulnerable-image"),
        _ => false,
    }
}

/// Whether there is something to do about a result itself.
pub(super) fn is_to_act_on(check: &CheckResult, causes: &[&CheckResult]) -> bool {
    let is_cause = causes.iter().any(|cause| cause.id == check.id);
    is_cause || !is_consequence(check) && matches!(check.status, Status::Warn | Status::Fail | Status::Error)
}

fn is_own_error(check: &CheckResult) -> bool {
    check.status == Status::Error && !is_consequence(check)
}

/// Whether the verdict is kept from `pass` by a result that did not fail.
pub(super) fn is_open(target: &TargetReport, check: &CheckResult) -> bool {
    let is_configured = target.configured.contains(&check.id);
    tiers::is_open(check, &target.accepted, target.required, is_configured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    fn ids(target: &TargetReport) -> Vec<CheckId> {
        causes(target).iter().map(|check| check.id).collect()
    }

    /// Every result of every check, configured or not, under each tier: what keeps the verdict open is named.
    #[test]
    fn an_inconclusive_report_never_has_an_empty_list_of_causes() {
        use cvm_verify_core::checks::Check;
        use cvm_verify_core::tiers;
        let statuses = [Status::Pass, Status::Warn, Status::Error, Status::Skip];
        let tiers = ["hardware", "code", "code+endpoint+source"];
        let mut open = 0;
        for (id, tier, configured) in CheckId::ALL.into_iter().flat_map(|id| {
            tiers
                .into_iter()
                .flat_map(move |tier| [(id, tier, Vec::new()), (id, tier, vec![id])])
        }) {
            let reasons = Check::of(id)
                .reasons
                .iter()
                .map(|reason| Some(reason.id.to_owned()));
            for (reason, status) in reasons
                .chain([None])
                .flat_map(|reason| statuses.map(move |status| (reason.clone(), status)))
            {
                let mut target = samples::pass();
                let pass = cvm_verify_core::checks::Finding::pass("");
                let policy = cvm_verify_core::policy::Policy::default();
                let all = cvm_verify_core::checks::ALL.iter();
                target.checks = all.map(|check| check.result(&pass, &policy)).collect();
                target.required = tier.parse().unwrap();
                target.configured.clone_from(&configured);
                for check in target.checks.iter_mut().filter(|check| check.id == id) {
                    check.status = status;
                    check.reason.clone_from(&reason);
                }
                target.verdict = tiers::verdict(&target.checks, &target.accepted, target.required, |id| {
                    target.configured.contains(&id)
                });
                // What only follows from another result has that for its cause.
                let follows = target.checks.iter().any(is_consequence);
                let is_open = target.verdict == Verdict::Inconclusive;
                open += usize::from(is_open);
                let of = format!("{id} {tier} {configured:?} {status:?} {reason:?}");
                match ids(&target).is_empty() {
                    true => assert!(!is_open || follows, "{of}"),
                    false => assert!(is_open, "{of}"),
                }
            }
        }
        assert!(open > 1000, "{open}");
    }

    #[test]
    fn what_only_follows_from_evidence_that_warns_has_that_evidence_for_its_cause() {
        let mut target = samples::pass();
        target.verdict = Verdict::Inconclusive;
        for check in &mut target.checks {
            if check.id == CheckId::ComposeHash {
                check.status = Status::Error;
                check.reason = Some("compose-not-proven".to_owned());
            }
        }
        assert_eq!(ids(&target), []);
        for check in &mut target.checks {
            if check.id == CheckId::ComposeHash {
                check.fix = Some("Give the exact bytes.".to_owned());
            }
        }
        assert_eq!(ids(&target), [CheckId::ComposeHash]);
        for check in &mut target.checks {
            if check.id == CheckId::Evidence {
                check.status = Status::Warn;
                check.reason = Some("info-unusable".to_owned());
            }
        }
        assert_eq!(ids(&target), [CheckId::Evidence]);
    }

    #[test]
    fn a_pass_hangs_on_nothing() {
        assert_eq!(ids(&samples::pass()), []);
        assert_eq!(ids(&samples::pass_with_waiver()), []);
    }

    #[test]
    fn what_follows_from_unreachable_evidence_is_no_cause() {
        assert_eq!(ids(&samples::unreachable()), [CheckId::Evidence]);
    }

    #[test]
    fn a_fail_comes_before_an_earlier_error() {
        let mut target = samples::fail();
        samples::set(
            &mut target,
            CheckId::Evidence,
            Status::Error,
            "two-instances",
            "Two.",
        );
        assert_eq!(ids(&target), [CheckId::ComposeHash, CheckId::Evidence]);
    }

    #[test]
    fn another_code_comes_before_a_platform_and_an_image_that_are_too_old() {
        let mut target = samples::fail();
        let fail =
            |target: &mut TargetReport, id, reason| samples::set(target, id, Status::Fail, reason, "Old.");
        fail(&mut target, CheckId::TcbStatus, "not-up-to-date");
        fail(&mut target, CheckId::OsImage, "vulnerable-image");
        let others = ids(&target);
        assert_eq!(others.first(), Some(&CheckId::ComposeHash));
        assert_eq!(others.len(), 3);
        // Another image is no such thing.
        fail(&mut target, CheckId::OsImage, "register-mismatch");
        assert_eq!(ids(&target).last(), Some(&CheckId::TcbStatus));
    }

    #[test]
    fn a_missing_expectation_and_a_warning_short_of_its_requirement_are_causes() {
        let mut target = samples::no_expectation();
        samples::set(
            &mut target,
            CheckId::ImagePins,
            Status::Warn,
            "unpinned-image",
            "Not pinned.",
        );
        samples::set(&mut target, CheckId::TcbStatus, Status::Warn, "advisory", "SA-1.");
        assert_eq!(ids(&target), [CheckId::ComposeHash, CheckId::ImagePins]);
    }
}
