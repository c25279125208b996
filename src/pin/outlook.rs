//! What `verify` will say of the same evidence with the lock that is about to be written: judged by the same policy, so that no lock
//! is written that `verify` cannot read or that no deployment like this one passes.

use super::is_printed;
use super::selection::PinTarget;
use crate::config::{SettingLevel, written};
use crate::files::ReadLock;
use crate::plan::named_files::FilesOfPlan;
use crate::plan::policy::expectations;
use crate::render::cause::causes;
use crate::render::escape;
use crate::usage_error::UsageError;
use cvm_verify_core::lock::AcceptedPin;
use cvm_verify_core::report::{Status, TargetReport, Verdict};
use cvm_verify_core::verify::{Claims, TrustRoot};
use cvm_verify_core::{Subject, appraise};

/// Settings that say for `pin` alone which image runs: the lock says it afterwards.
const OF_PIN: [&str; 2] = ["os-image", "os-image-files"];

/// The report on a target with its lock, which a person is assumed to have reviewed, and these settings beside it. `None` if `verify`
/// takes the settings of the policy file for a mistake, which it says itself.
///
/// # Errors
/// The lock that would be written cannot be read.
pub(super) fn with_lock(
    claims: &Claims,
    accepted: &AcceptedPin,
    target: &PinTarget,
    waivers: &[(&'static str, String)],
    root: TrustRoot,
) -> Result<Option<TargetReport>, UsageError> {
    let mut lock = accepted.lock.clone();
    for place in lock.places.iter_mut().filter(|place| !place.is_reviewed()) {
        "to be reviewed".clone_into(&mut place.reason);
    }
    let path = target.output.display().to_string();
    let read = ReadLock::of(&path, lock.to_toml(&accepted.notes).as_bytes())?;
    let mut files = FilesOfPlan::with_lock(&target.output, read);
    let mut settings = target.settings.clone();
    for key in OF_PIN {
        if settings
            .one(key)
            .is_some_and(|value| value.level == SettingLevel::Option)
        {
            settings.unset(key);
        }
    }
    settings.set("lock", written("--lock", [path]));
    for (key, value) in waivers {
        let given = settings.all(key).to_vec();
        let added = written("--accept", [value.clone()]);
        settings.set(key, given.into_iter().chain(added).collect());
    }
    let Ok(expected) = expectations(&settings, None, claims.at, &mut files) else {
        return Ok(None);
    };
    let subject = Subject {
        name: target.name.clone().unwrap_or_default(),
        url: None,
        root,
        at: claims.at,
        bundle: None,
    };
    Ok(Some(appraise(Ok(claims), &expected.policy, &subject)))
}

/// What keeps a deployment with this lock from passing, one line for each check. Of a fail, what fails alone.
pub(super) fn what_is_left(report: &TargetReport, target: &PinTarget) -> Vec<String> {
    let is_fail = report.verdict == Verdict::Fail;
    let causes = causes(report).into_iter();
    let counts = causes.filter(|check| !is_fail || check.status == Status::Fail);
    let lines: Vec<String> = counts
        .map(|check| {
            let fix = check
                .fix
                .as_ref()
                .map(|fix| format!(" What to do: {fix}"))
                .unwrap_or_default();
            escape::terminal(&format!("  - {}: {}{fix}", check.id, check.detail)).into_owned()
        })
        .collect();
    let lock = match is_printed(&target.output) {
        true => "this lock".to_owned(),
        false => target.output.display().to_string(),
    };
    let head = match is_fail {
        true => "Nothing was pinned: with this lock `verify` would fail:".to_owned(),
        false => format!("With {lock} `verify` is inconclusive:"),
    };
    match lines.is_empty() {
        true => lines,
        false => [vec![head], lines].concat(),
    }
}
