//! What each tier requires, and what follows from the results of the checks. Pure.
//!
//! All of it is decided from results as a report shows them, so that `merge` decides of a report that it reads as the
//! run did that wrote it.

use crate::checks::{Check, Required};
use crate::report::{
    Accepted, Assurance, CheckId, CheckResult, RequiredAssurance, SideTier, SideTiers, Status, Tier, Verdict,
};

/// The lowest tier that requires a check; every higher one does, too. Absent if none does.
#[must_use]
pub fn required_from(id: CheckId) -> Option<Tier> {
    match Check::of(id).required {
        Required::From(tier) | Required::NotToFailAndFrom(tier) => Some(tier),
        Required::NotToFail | Required::Grants(_) | Required::Never => None,
    }
}

/// Whether a check's requirement must be met: for the tier, or because it can grant what is required in addition to `code`.
#[must_use]
pub fn is_required(id: CheckId, required: RequiredAssurance) -> bool {
    let grants = |side| Check::of(id).may_grant(side);
    required_from(id).is_some_and(|from| from <= required.tier()) || required.sides().iter().any(grants)
}

/// Whether a check of this version can grant a tier in addition to `code`, by itself or in a stronger one.
#[must_use]
pub fn can_be_granted(side: SideTier) -> bool {
    let granted = SideTier::ALL
        .into_iter()
        .filter(|one| crate::checks::ALL.iter().any(|check| check.may_grant(*one)));
    granted.collect::<SideTiers>().includes(side)
}

/// Whether a check can grant something that is required in addition to `code`, and its result grants less.
#[must_use]
pub fn grants_too_little(check: &CheckResult, required: RequiredAssurance) -> bool {
    let granted = granted(std::slice::from_ref(check), is_met);
    Check::of(check.id).missing_side(granted, required).is_some()
}

/// The side tiers that results grant, of those that meet their requirement in the caller's sense. A result that did not
/// pass and does not warn grants nothing, whatever a report says.
fn granted(checks: &[CheckResult], is_met: impl Fn(&CheckResult) -> bool) -> SideTiers {
    let of = |check: &CheckResult| {
        let may_be = matches!(check.status, Status::Pass | Status::Warn) && is_met(check);
        check
            .grants
            .filter(|side| may_be && Check::of(check.id).may_grant(*side))
    };
    checks.iter().filter_map(of).collect()
}

/// The checks whose requirement must be met for a tier.
fn required_for(tier: Tier) -> impl Iterator<Item = CheckId> {
    CheckId::ALL
        .into_iter()
        .filter(move |id| required_from(*id).is_some_and(|from| from <= tier))
}

/// Whether a result meets its check's requirement with nothing waived or accepted.
#[must_use]
pub fn is_met(check: &CheckResult) -> bool {
    Check::of(check.id).is_met_by(check.status, check.reason.as_deref())
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

/// Whether a result meets its check's requirement by something that the user accepted in writing. A check names what it
/// was accepted with only if that leaves nothing open.
#[must_use]
pub fn is_accepted(check: &CheckResult, accepted: &[Accepted]) -> bool {
    let may_be = match check.status {
        Status::Pass | Status::Warn | Status::Skip => true,
        Status::Fail | Status::Error => false,
    };
    may_be && accepted.iter().any(|one| one.check == check.id)
}

/// Whether a result is short of its check's requirement: neither met, nor waived, nor accepted in writing.
#[must_use]
pub fn is_short(check: &CheckResult, accepted: &[Accepted]) -> bool {
    !(is_met(check) || is_waived(check) || is_accepted(check, accepted))
}

/// Whether a result keeps the verdict from `pass` though it is no `fail`: a requirement of the tier that is neither met, nor waived
/// or accepted in writing, something required in addition to `code` that it could grant and does not, or what the user configured
/// and nobody determined. The verdict and what a report names as its causes are decided by it.
#[must_use]
pub fn is_open(
    check: &CheckResult,
    accepted: &[Accepted],
    required: RequiredAssurance,
    is_configured: bool,
) -> bool {
    let of = Check::of(check.id);
    let is_left = match check.status {
        Status::Fail => return false,
        Status::Error => true,
        Status::Skip => {
            let is_harmless = of.is_harmless_skip(check.status, check.reason.as_deref());
            !(is_waived(check) || is_accepted(check, accepted) || is_harmless)
        }
        Status::Pass | Status::Warn => false,
    };
    let is_for_tier = required_from(check.id).is_some_and(|from| from <= required.tier());
    let granted = granted(std::slice::from_ref(check), |check| !is_short(check, accepted));
    (is_configured && is_left)
        || (is_for_tier && is_short(check, accepted))
        || of.missing_side(granted, required).is_some()
}

/// Any `fail` fails. Otherwise every requirement of the tier must be met, or waived or accepted in writing, what is required
/// in addition to `code` must be granted, and what the user configured must have been determined, not skipped; what is left is inconclusive.
#[must_use]
pub fn verdict(
    checks: &[CheckResult],
    accepted: &[Accepted],
    required: RequiredAssurance,
    is_configured: impl Fn(CheckId) -> bool,
) -> Verdict {
    if checks.iter().any(|check| check.status == Status::Fail) {
        return Verdict::Fail;
    }
    let is_open = |check: &CheckResult| is_open(check, accepted, required, is_configured(check.id));
    // A report that is read may lack a check.
    let has_all = CheckId::ALL
        .into_iter()
        .all(|id| !is_required(id, required) || find(checks, id).is_some());
    match has_all && !checks.iter().any(is_open) {
        true => Verdict::Pass,
        false => Verdict::Inconclusive,
    }
}

/// The highest tier whose requirements are met with nothing waived or accepted in writing, and what is in addition to `code`.
#[must_use]
pub fn assurance(checks: &[CheckResult], accepted: &[Accepted]) -> Assurance {
    let is_accepted = |id| accepted.iter().any(|one| one.check == id);
    let met = |id| find(checks, id).is_some_and(is_met) && !is_accepted(id);
    let meets = |tier| required_for(tier).all(met);
    let fails = |id| find(checks, id).is_none_or(|check| check.status == Status::Fail);
    let mut not_to_fail = CheckId::ALL.into_iter().filter(|id| {
        matches!(
            Check::of(*id).required,
            Required::NotToFail | Required::NotToFailAndFrom(_)
        )
    });
    if not_to_fail.any(fails) || !meets(Tier::Hardware) {
        Assurance::None
    } else if meets(Tier::Code) {
        Assurance::Code(granted(checks, |check| is_met(check) && !is_accepted(check.id)))
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
    use crate::checks::Finding;

    #[test]
    fn every_harmless_warning_is_a_reason_of_a_check_that_meets_or_grants_something() {
        for check in crate::checks::ALL {
            for harmless in check.harmless_warnings {
                let can_grant = matches!(check.required, Required::Grants(_));
                assert!(required_from(check.id).is_some() || can_grant, "{}", check.id);
                let known = check.reasons.iter().any(|reason| reason.id == harmless.id);
                assert!(known, "{}: {}", check.id, harmless.id);
            }
        }
    }

    #[test]
    fn what_rests_on_something_accepted_meets_the_requirement_and_is_not_counted() {
        let policy = crate::policy::Policy::default();
        let all = crate::checks::ALL
            .iter()
            .map(|check| check.result(&Finding::pass(""), &policy));
        let mut all: Vec<CheckResult> = all.collect();
        let source = all.iter_mut().find(|check| check.id == CheckId::SourceProvenance);
        source.unwrap().grants = Some(SideTier::Source);
        let required: RequiredAssurance = "code+source".parse().unwrap();
        let accepted = [Accepted {
            check: CheckId::SourceProvenance,
            what: crate::report::AcceptedKind::SigstoreRoot,
            by: "--sigstore-root".to_owned(),
            until: None,
            reason: String::new(),
        }];
        for (accepted, reached) in [(&[][..], "code+source"), (&accepted[..], "code")] {
            assert_eq!(verdict(&all, accepted, required, |_| true), Verdict::Pass);
            assert_eq!(assurance(&all, accepted).to_string(), reached);
        }
    }

    #[test]
    fn what_the_user_configured_and_nobody_judged_is_open() {
        let policy = crate::policy::Policy::default();
        let checks = |reason: &str, status| {
            let all = crate::checks::ALL
                .iter()
                .map(|check| check.result(&Finding::pass(""), &policy));
            let mut all: Vec<CheckResult> = all.collect();
            let kms = all.iter_mut().find(|check| check.id == CheckId::Kms).unwrap();
            (kms.status, kms.reason) = (status, Some(reason.to_owned()));
            all
        };
        let of = |reason, status, configured| {
            verdict(&checks(reason, status), &[], RequiredAssurance::CODE, |id| {
                configured && id == CheckId::Kms
            })
        };
        assert_eq!(of("not-configured", Status::Skip, false), Verdict::Pass);
        assert_eq!(of("no-host", Status::Skip, true), Verdict::Inconclusive);
        assert_eq!(of("no-host", Status::Error, true), Verdict::Inconclusive);
        assert_eq!(of("no-host", Status::Error, false), Verdict::Pass);
        assert_eq!(of("unchecked", Status::Skip, true), Verdict::Pass);
        for check in crate::checks::ALL {
            for harmless in check.harmless_skips {
                let known = check.reasons.iter().any(|reason| reason.id == harmless.id);
                assert!(known, "{}: {}", check.id, harmless.id);
            }
        }
    }

    #[test]
    fn a_warning_that_nobody_listed_is_short_of_the_requirement() {
        for (id, reason, met) in [
            (CheckId::OsImage, Some("acpi-unverified"), false),
            (CheckId::OsImage, Some("register-mismatch"), false),
            (CheckId::ImagePins, Some("unpinned-image"), false),
            (CheckId::ImagePins, Some("unmeasured-input"), false),
            (CheckId::QuoteSignature, Some("host-access"), false),
            (CheckId::TcbStatus, None, false),
        ] {
            let mut check = Check::of(id).result(&Finding::pass(""), &crate::policy::Policy::default());
            check.status = Status::Warn;
            check.reason = reason.map(str::to_owned);
            assert_eq!(is_met(&check), met, "{id}: {reason:?}");
        }
    }

    /// Results of which all pass, but for what `change` does to that of one check.
    fn passing_but(id: CheckId, change: impl FnOnce(&mut CheckResult)) -> Vec<CheckResult> {
        let policy = crate::policy::Policy::default();
        let all = crate::checks::ALL
            .iter()
            .map(|check| check.result(&Finding::pass(""), &policy));
        let mut all: Vec<CheckResult> = all.collect();
        change(all.iter_mut().find(|check| check.id == id).unwrap());
        all
    }

    fn because(status: Status, reason: &'static str) -> impl FnOnce(&mut CheckResult) {
        move |check| (check.status, check.reason) = (status, Some(reason.to_owned()))
    }

    fn required(text: &str) -> RequiredAssurance {
        text.parse().unwrap()
    }

    #[test]
    fn what_a_tier_needs_is_required_for_it_and_for_every_higher_one() {
        for (id, hardware, code, source) in [
            (CheckId::QuoteSignature, true, true, true),
            (CheckId::ComposeHash, false, true, true),
            (CheckId::SourceProvenance, false, false, true),
            (CheckId::PlatformId, false, false, false),
        ] {
            assert_eq!(is_required(id, RequiredAssurance::Hardware), hardware, "{id}");
            assert_eq!(is_required(id, RequiredAssurance::CODE), code, "{id}");
            assert_eq!(is_required(id, required("code+source")), source, "{id}");
        }
        assert!(SideTier::ALL.into_iter().all(can_be_granted));
    }

    #[test]
    fn a_check_that_grants_less_than_what_is_required_of_it_grants_too_little() {
        let granting = |side| {
            let all = passing_but(CheckId::SourceProvenance, |check| check.grants = side);
            let found = find(&all, CheckId::SourceProvenance).cloned();
            found.unwrap()
        };
        assert!(grants_too_little(&granting(None), required("code+source")));
        assert!(!grants_too_little(
            &granting(Some(SideTier::Source)),
            required("code+source")
        ));
        assert!(!grants_too_little(&granting(None), RequiredAssurance::CODE));
        // What another check grants is none of its concern.
        assert!(!grants_too_little(&granting(None), required("code+endpoint")));
    }

    #[test]
    fn a_requirement_that_is_not_met_leaves_the_verdict_open_and_the_tier_below() {
        let open = passing_but(CheckId::OsImage, because(Status::Warn, "register-mismatch"));
        assert_eq!(
            verdict(&open, &[], RequiredAssurance::CODE, |_| false),
            Verdict::Inconclusive
        );
        assert_eq!(
            verdict(&open, &[], RequiredAssurance::Hardware, |_| false),
            Verdict::Pass
        );
        assert_eq!(assurance(&open, &[]), Assurance::Hardware);
        assert_eq!(waived(&open), []);
        let accepted = |check| Accepted {
            check,
            what: crate::report::AcceptedKind::SigstoreRoot,
            by: String::new(),
            until: None,
            reason: String::new(),
        };
        for (check, expected) in [
            (CheckId::OsImage, Verdict::Pass),
            (CheckId::KeyProvider, Verdict::Inconclusive),
        ] {
            let by = [accepted(check)];
            assert_eq!(
                verdict(&open, &by, RequiredAssurance::CODE, |_| false),
                expected,
                "{check}"
            );
        }
    }

    #[test]
    fn a_check_that_must_not_fail_decides_over_any_assurance() {
        for (status, expected) in [(Status::Fail, Assurance::None), (Status::Error, Assurance::CODE)] {
            let all = passing_but(CheckId::ReportData, because(status, "other-report-data"));
            assert_eq!(assurance(&all, &[]), expected, "{status:?}");
        }
    }

    #[test]
    fn a_waiver_is_named_and_a_skip_that_does_not_apply_is_not_open() {
        let waiver = passing_but(CheckId::OsImage, because(Status::Skip, "unchecked"));
        assert_eq!(waived(&waiver), [CheckId::OsImage]);
        // Whether a contract was expected, the check says: a skip of what is configured is open.
        let operator = passing_but(CheckId::Governance, because(Status::Skip, "operator"));
        assert_eq!(
            verdict(&operator, &[], RequiredAssurance::CODE, |_| true),
            Verdict::Inconclusive
        );
        for (reason, expected) in [
            ("no-rule", Verdict::Pass),
            ("unchecked", Verdict::Pass),
            ("x", Verdict::Inconclusive),
        ] {
            let all = passing_but(CheckId::SourceProvenance, because(Status::Skip, reason));
            assert_eq!(
                verdict(&all, &[], RequiredAssurance::CODE, |_| true),
                expected,
                "{reason}"
            );
        }
    }
}
