//! Whether a report says what follows from itself.
//!
//! A report is not signed: anyone who writes the file writes all of it. But a verdict is never taken at its word. It is
//! recomputed from the results of the checks, as the run did that wrote it, so that a report that was cut, damaged or
//! made up does not become green by one word in it.

use super::one_run::{span, times_contradict};
use cvm_verify_core::checks::Check;
use cvm_verify_core::evidence::excerpt;
use cvm_verify_core::report::{
    Accepted, AcceptedKind, CheckId, CheckResult, Mode, Report, SideTier, Status, TargetReport, Verdict,
};
use cvm_verify_core::tiers::{assurance, is_accepted, verdict, waived};

/// What does not follow, in words. Nothing where all of it does.
pub(super) fn contradiction(report: &Report) -> Option<String> {
    if report.targets.is_empty() {
        return Some("it holds no target".to_owned());
    }
    let worst = Verdict::worst(report.targets.iter().map(|target| target.verdict));
    if report.verdict != worst || report.exit_code != worst.exit_code() {
        return Some("its verdict is not the worst of its targets".to_owned());
    }
    if span(report).is_none() {
        return Some("the time of its run cannot be read".to_owned());
    }
    report.targets.iter().find_map(|target| {
        let what = of_target(target, report.mode);
        let what = what.or_else(|| times_contradict(target, report).map(str::to_owned));
        what.map(|what| format!("{what} of the target {:?}", excerpt(&target.name)))
    })
}

fn of_target(target: &TargetReport, mode: Mode) -> Option<String> {
    let ids: Vec<CheckId> = target.checks.iter().map(|check| check.id).collect();
    if ids != CheckId::ALL {
        return Some("a check is missing, repeated or out of place in the checks".to_owned());
    }
    if let Some(check) = target.checks.iter().find(|check| !has_a_known_reason(check)) {
        return Some(format!(
            "{:?} is not a reason for {} of the check {}; `cvm-verify explain CHECK` lists its reasons",
            check.reason.as_deref().unwrap_or("none"),
            check.status.as_str(),
            check.id
        ));
    }
    if let Some((check, side)) = target
        .checks
        .iter()
        .find_map(|check| Some((check, wrong_grant(check)?)))
    {
        return Some(format!(
            "{:?} is not a tier that the check {} can grant with {}",
            side.as_str(),
            check.id,
            check.status.as_str()
        ));
    }
    if mode == Mode::Replay && target.assurance.sides().includes(SideTier::EndpointReplayable) {
        return Some("a replay proves nothing about an address, so it cannot reach the assurance".to_owned());
    }
    if target.waived != waived(&target.checks) {
        return Some("the waivers do not follow from the checks".to_owned());
    }
    if let Some(one) = target.accepted.iter().find(|one| !is_of_its_check(target, one)) {
        return Some(format!(
            "the check {} did not end as one that was accepted ({}): see the checks",
            one.check, one.what
        ));
    }
    if target.assurance != assurance(&target.checks, &target.accepted) {
        return Some("the assurance does not follow from the checks".to_owned());
    }
    (!follows(target)).then(|| "the verdict does not follow from the checks".to_owned())
}

/// Only a pass has no reason; every other result has one of its check's.
fn has_a_known_reason(check: &CheckResult) -> bool {
    match (check.status, check.reason.as_deref()) {
        (Status::Pass, reason) => reason.is_none(),
        (_, None) => false,
        (_, Some(reason)) => Check::of(check.id).reason(reason).is_some(),
    }
}

/// What a check says that it grants, if it cannot: it does not prove that, or it did not pass.
fn wrong_grant(check: &CheckResult) -> Option<SideTier> {
    let may = |side: &SideTier| {
        matches!(check.status, Status::Pass | Status::Warn) && Check::of(check.id).may_grant(*side)
    };
    check.grants.filter(|side| !may(side))
}

/// A check that failed or was not determined was accepted by nobody; and a waiver is one of `waived`.
fn is_of_its_check(target: &TargetReport, one: &Accepted) -> bool {
    let fits = |check: &CheckResult| is_accepted(check, &target.accepted);
    target.check(one.check).is_some_and(fits)
        && (one.what == AcceptedKind::Waiver) == target.waived.contains(&one.check)
}

/// As the run decided that wrote it.
fn follows(target: &TargetReport) -> bool {
    let is_configured = |id: CheckId| target.configured.contains(&id);
    target.verdict == verdict(&target.checks, &target.accepted, target.required, is_configured)
}

#[cfg(test)]
#[path = "contradiction_tests.rs"]
mod tests;
