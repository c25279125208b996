//! `launch-inputs`: nothing that is not measured, or that nobody reviewed, has a say in how the app starts.
//!
//! A finding has one reason, that of its gravest concern; the detail lists all of them. What the lock's compose settings says in
//! the same words was reviewed and is not a concern.

mod concerns;
mod reasons;
mod words;

use std::collections::BTreeMap;

use serde_json::Value;

use super::measured_compose::measured_compose;
use super::{Acceptance, Check, Finding, Required, own_reference_values};
use crate::compose::launch_script;
use crate::compose::{ComposeFile, LaunchScript, UnprovenDocument};
use crate::policy::{LaunchInputsPolicy, Policy};
use crate::report::CheckId;
use crate::verify::Claims;
use concerns::{Concern, LaunchSettings, Review, concerns, script_hash, scripts};
use reasons as why;
use words::{calm, from_outside, gpus};

pub(super) const CHECK: Check = Check {
    id: CheckId::LaunchInputs,
    title: "Launch inputs",
    proves: "No variable, script, host access or exposure setting is risky, unless you reviewed it in the lock.",
    prevents: "An unmeasured value that changes what measured code does, a start-up script that was not reviewed, logs that \
               anyone can read.",
    reasons: why::REASONS,
    required: Required::Never,
    is_configured: |policy| policy.launch_inputs == LaunchInputsPolicy::Required,
    run,
    of_document: Some(of_document),
    ..Check::BASE
};

fn run(claims: &Claims, policy: &Policy) -> Finding {
    if let Some(waived) = waived(policy) {
        return waived;
    }
    let (boot, compose) = match measured_compose(claims) {
        Ok(measured) => measured,
        Err(finding) => return finding,
    };
    let script = launch_script(compose);
    let read = compose
        .compose_settings()
        .map_err(|error| error.to_string())
        .and_then(|compose_settings| match compose.compose_file(script) {
            Ok(file) => Ok((compose_settings, file.unwrap_or_default())),
            Err(error) => Err(error.to_string()),
        });
    match read {
        Err(problem) => Finding::error(
            &why::UNREADABLE_COMPOSE,
            format!("The measured compose document cannot be read: {problem}."),
        ),
        Ok((compose_settings, file)) => {
            let is_locked = policy.is_locked_compose_hash(boot.compose_hash());
            judge(&compose_settings, &file, script, is_locked, policy)
        }
    }
}

fn waived(policy: &Policy) -> Option<Finding> {
    (policy.launch_inputs == LaunchInputsPolicy::Unchecked).then(|| {
        Finding::waived(
            &why::UNCHECKED,
            policy.waived_by(CheckId::LaunchInputs),
            "Waived: variables and scripts may be anything.",
        )
    })
}

/// What this check will say of a deployment of this document.
pub(super) fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    waived(policy).or_else(|| {
        let is_locked = document
            .hashes()
            .iter()
            .any(|hash| policy.is_locked_compose_hash(hash));
        let none = ComposeFile::default();
        let file = document.file().unwrap_or(&none);
        Some(judge(
            &document.compose_settings(),
            file,
            document.script(),
            is_locked,
            policy,
        ))
    })
}

/// The scripts that run before the containers and that nobody is known to have read: neither Phala's, nor with their hash in the lock.
pub(super) fn unreviewed_scripts(compose_settings: &LaunchSettings, policy: &Policy) -> Vec<String> {
    let locked = policy.locked_compose.as_ref();
    scripts(compose_settings, &policy.reference)
        .filter(|concern| match &concern.review {
            Review::Field(field) => locked
                .is_none_or(|locked| locked.compose_settings.get(*field) != compose_settings.get(*field)),
            _ => true,
        })
        .map(|concern| concern.text)
        .collect()
}

fn judge(
    compose_settings: &LaunchSettings,
    file: &ComposeFile,
    script: LaunchScript,
    is_locked: bool,
    policy: &Policy,
) -> Finding {
    let locked = policy.locked_compose.as_ref();
    let is_same = |field: &str| {
        locked.is_some_and(|locked| locked.compose_settings.get(field) == compose_settings.get(field))
    };
    let is_reviewed = |concern: &Concern| match &concern.review {
        Review::Field(field) => is_same(field),
        Review::Fields(fields) => fields.iter().all(|field| is_same(field)),
        Review::Document => is_locked && locked.is_some(),
        Review::Never => false,
    };
    let (reviewed, open): (Vec<Concern>, Vec<Concern>) =
        concerns(compose_settings, file, script, locked, &policy.reference)
            .into_iter()
            .partition(is_reviewed);
    let outside = format!("{}{}", from_outside(&file.outside), gpus(&file.gpus));
    let Some(gravest) = open.first() else {
        return Finding::pass(format!(
            "{}{outside}",
            calm(compose_settings, file, &reviewed, policy)
        ))
        .accepting(script_of_own_row(compose_settings, policy));
    };
    let texts: Vec<&str> = open.iter().map(|concern| concern.text.as_str()).collect();
    let detail = format!("Not reviewed: {}.{outside}", texts.join("; "));
    match policy.launch_inputs {
        LaunchInputsPolicy::Required => Finding::fail(gravest.reason, detail),
        LaunchInputsPolicy::Warn | LaunchInputsPolicy::Unchecked => Finding::warn(gravest.reason, detail),
    }
}

/// What it is accepted with that the script before the containers is known, where a row of the user's own says so.
pub(super) fn script_of_own_row(
    compose_settings: &BTreeMap<String, Value>,
    policy: &Policy,
) -> Option<Acceptance> {
    const SCRIPT: &str = "pre_launch_script";
    let script = compose_settings.get(SCRIPT).and_then(script_hash)?;
    let row = policy.reference.script(&hex::encode(script))?;
    // A script whose hash is in the lock relies on no row.
    let locked = policy.locked_compose.as_ref();
    if locked.is_some_and(|locked| locked.compose_settings.get(SCRIPT) == compose_settings.get(SCRIPT)) {
        return None;
    }
    let what = format!("the pre-launch script {}", row.title());
    own_reference_values(row.origin, &what, policy)
}
