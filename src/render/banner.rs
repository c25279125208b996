//! What is above every verdict that proves less than it seems to: a simulation, a replay.

use cvm_verify_core::report::{CheckId, Mode, Report, Status, TargetReport};

/// The first line of whatever is made with a root that is not Intel's.
pub(super) const SIMULATED: &str = "SIMULATED: not Intel's root, proves nothing about hardware";

/// The lines above a report.
pub(super) struct Banners {
    /// What is said once, first of all.
    pub(super) above: Vec<String>,
    /// Whether the targets differ, so that each must say its own.
    pub(super) on_each: bool,
}

/// What is above all targets alike is said once; that one of them is simulated is said in the first line all the
/// same.
pub(super) fn of_report(report: &Report) -> Banners {
    let of = |target| of_target(target, report.mode);
    let targets = &report.targets;
    let first = targets.first().map(of).unwrap_or_default();
    if targets.iter().all(|target| of(target) == first) {
        return Banners {
            above: first,
            on_each: false,
        };
    }
    let simulated = targets.iter().filter(|target| is_simulated(target)).count();
    let said = targets.iter().find_map(TargetReport::simulated);
    let line = |said| format!("{said} ({simulated} of {} targets)", targets.len());
    Banners {
        above: said.map(line).into_iter().collect(),
        on_each: true,
    }
}

/// What is above a target's verdict: that it is simulated, that it is a replay.
pub(super) fn of_target(target: &TargetReport, mode: Mode) -> Vec<String> {
    let simulated = target.simulated().map(str::to_owned);
    let replay = (mode == Mode::Replay).then(|| format!("REPLAY as of {}", target.evaluated_at));
    let on_word = (mode == Mode::Replay)
        .then(|| on_word_of_the_bundle(target))
        .flatten();
    simulated.into_iter().chain(replay).chain(on_word).collect()
}

/// The checks of a replay that rely on the maker of the bundle: answers of a KMS and of nodes of a blockchain are not signed.
fn on_word_of_the_bundle(target: &TargetReport) -> Option<String> {
    let answered: Vec<&str> = [CheckId::Kms, CheckId::Governance]
        .into_iter()
        .filter(|id| {
            let status = target.check(*id).map(|check| check.status);
            matches!(status, Some(Status::Pass | Status::Warn))
        })
        .map(CheckId::as_str)
        .collect();
    (!answered.is_empty()).then(|| {
        format!(
            "{}: the recorded answers are not signed; trust them only if you trust the maker of the bundle",
            answered.join(", ")
        )
    })
}

/// Whether the proof relies on another root than the built-in ones.
pub(super) fn is_simulated(target: &TargetReport) -> bool {
    target.simulated().is_some()
}
