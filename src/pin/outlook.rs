//! What `verify` will say of the same evidence with the lock that is about to be written, as far as the evidence of the VM decides: no
//! lock is written that `verify` cannot read, or with which this deployment fails.

use super::is_printed;
use super::selection::PinTarget;
use crate::config::{SettingLevel, Settings, WrittenValue, written};
use crate::files::ReadLock;
use crate::plan::named_files::FilesOfPlan;
use crate::plan::policy::expectations;
use crate::render::cause::causes;
use crate::render::escape;
use crate::usage_error::UsageError;
use cvm_verify_core::lock::{AcceptedPin, Lock, LockedGovernance, LockedKms, LockedTls};
use cvm_verify_core::report::{RequiredAssurance, Status, TargetReport, Tier, Verdict};
use cvm_verify_core::verify::{Claims, TrustRoot};
use cvm_verify_core::{Subject, appraise};

/// Settings by which the evidence of one VM is judged. `pin` asks nobody else what others need.
const JUDGED: [&str; 20] = [
    "accept-tcb",
    "also-compose-hash",
    "app-compose-file",
    "app-id",
    "compose-hash",
    "docker-compose",
    "freshness",
    "image-pins",
    "instance-id",
    "key-provider",
    "launch-inputs",
    "min-tcb-eval-data-number",
    "mr-config-id",
    "os-image",
    "os-image-files",
    "platform-id",
    "reference-values",
    "report-data",
    "report-data-key",
    "report-data-value",
];

/// Of these, what says for `pin` alone which image runs, if it is an option: the lock says it afterwards.
const OF_PIN: [&str; 2] = ["os-image", "os-image-files"];

/// The report on a target with its lock, which a person is assumed to have reviewed, and these settings beside it: as far as the evidence of
/// the VM decides, without KMS, contracts, GPUs, TLS and sources. `None` if `verify` takes the settings of the policy file for a mistake,
/// which it says itself, or reads the compose document from a file.
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
    let path = target.output.display().to_string();
    // Every section has to be one that can be read.
    ReadLock::of(&path, accepted.lock.to_toml(&accepted.notes).as_bytes())?;
    let lock = judged_part(&accepted.lock).to_toml(&accepted.notes);
    let mut files = FilesOfPlan::with_lock(
        &target.output,
        ReadLock::of(&path, lock.as_bytes())?.not_written_yet(),
    );
    let mut settings = Settings::default();
    for key in JUDGED {
        let given = target.settings.all(key).iter();
        let counts = |value: &&WrittenValue| !OF_PIN.contains(&key) || value.level != SettingLevel::Option;
        settings.set(key, given.filter(counts).cloned().collect());
    }
    if settings.one("app-compose-file").is_some() && claims.compose.is_err() {
        return Ok(None);
    }
    settings.set("lock", written("--lock", [path]));
    for (key, value) in waivers {
        // An exception stands beside others; a word takes the place of another.
        let others = match *key {
            "accept-tcb" => settings.all(key).to_vec(),
            _ => Vec::new(),
        };
        let added = written("--accept", [value.clone()]);
        settings.set(key, others.into_iter().chain(added).collect());
    }
    let Ok(mut expected) = expectations(&settings, None, claims.at, &mut files) else {
        return Ok(None);
    };
    if let Some(tier) = target.settings.one("require-assurance") {
        let required = tier.text.parse::<RequiredAssurance>().ok();
        let is_hardware = required.is_some_and(|required| required.tier() < Tier::Code);
        if is_hardware {
            expected.policy.required = RequiredAssurance::Hardware;
        }
    }
    let subject = Subject {
        name: target.name.clone().unwrap_or_default(),
        url: None,
        root,
        at: claims.at,
        bundle: None,
    };
    Ok(Some(appraise(Ok(claims), &expected.policy, &subject)))
}

/// A lock without what needs more than the evidence of the VM, and with every place reviewed.
fn judged_part(lock: &Lock) -> Lock {
    let mut lock = lock.clone();
    lock.sources.clear();
    lock.gpus.clear();
    lock.kms = LockedKms::default();
    lock.governance = LockedGovernance::default();
    lock.tls = LockedTls::default();
    for place in lock.places.iter_mut().filter(|place| !place.is_reviewed()) {
        "to be reviewed".clone_into(&mut place.reason);
    }
    lock
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
            let reason = check.reason.as_deref().map(|reason| format!("/{reason}"));
            let id = format!("{}{}", check.id, reason.unwrap_or_default());
            escape::terminal(&format!("  - {id}: {}{fix}", check.detail)).into_owned()
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
