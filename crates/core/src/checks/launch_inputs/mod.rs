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
use crate::compose::{ComposeFile, LaunchScript, UnprovenDocument, launch_script};
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
            judge(compose_settings, &file, script, is_locked, policy)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::policy::{Expected, LockOrigin, LockedCompose};
    use crate::report::Status;

    /// What the check says of a document with these members, by a lock of its settings; with its hash or with another.
    fn said(members: &Value, locked: Option<bool>) -> (Status, Option<&'static str>, String) {
        let document = UnprovenDocument::read(&members.to_string()).unwrap();
        let lock = LockOrigin::from("cvm.lock");
        let policy = Policy {
            compose_hash: locked.map(|is_hash_locked| Expected {
                value: match is_hash_locked {
                    true => document.hashes()[0],
                    false => [9; 32],
                },
                origin: lock.key(&["compose_hash"]),
            }),
            locked_compose: locked.map(|_| LockedCompose {
                compose_settings: document.compose_settings(),
                images: BTreeMap::new(),
                places: Vec::new(),
                lock: lock.clone(),
            }),
            ..Policy::default()
        };
        let finding = of_document(&document, &policy).unwrap();
        (
            finding.status,
            finding.reason.map(|reason| reason.id),
            finding.detail,
        )
    }

    /// Settings that are the same review no access to the host: that stands in the docker compose file, which the hash binds.
    #[test]
    fn access_to_the_host_is_reviewed_by_the_locked_hash_alone() {
        let image = format!("a@sha256:{}", "11".repeat(32));
        let file = format!("services:\n  a:\n    image: {image}\n    privileged: true\n");
        let document =
            json!({ "runner": "docker-compose", "docker_compose_file": file, "secure_time": true });
        let warns = (Status::Warn, Some("host-access"));
        for (locked, expected) in [
            (Some(true), (Status::Pass, None)),
            (Some(false), warns),
            (None, warns),
        ] {
            let (status, reason, detail) = said(&document, locked);
            assert_eq!((status, reason), expected, "{locked:?}: {detail}");
        }
    }

    #[test]
    fn a_setting_is_told_by_its_value_and_null_is_none() {
        for (member, value, expected, says) in [
            ("allowed_envs", json!(null), (Status::Pass, None), ""),
            (
                "allowed_envs",
                json!("A"),
                (Status::Warn, Some("risky-variables")),
                "`allowed_envs` is not a list",
            ),
            ("public_logs", json!(null), (Status::Pass, None), ""),
            ("public_logs", json!(false), (Status::Pass, None), ""),
            (
                "public_logs",
                json!(true),
                (Status::Warn, Some("exposed")),
                "`public_logs` is true: anyone can read the logs",
            ),
            (
                "public_logs",
                json!("yes"),
                (Status::Warn, Some("exposed")),
                "`public_logs` is neither true nor false",
            ),
            (
                "secure_time",
                json!(false),
                (Status::Warn, Some("no-secure-time")),
                "`secure_time` is false: the host chooses the clock",
            ),
        ] {
            let image = format!("a@sha256:{}", "11".repeat(32));
            let file = format!("services:\n  a:\n    image: {image}\n");
            let mut document =
                json!({ "runner": "docker-compose", "docker_compose_file": file, "secure_time": true });
            document[member] = value.clone();
            let (status, reason, detail) = said(&document, None);
            assert_eq!((status, reason), expected, "{member} {value}: {detail}");
            assert!(detail.contains(says), "{member} {value}: {detail}");
        }
    }

    fn settings(members: &Value) -> (Status, Option<&'static str>, String) {
        let image = format!("a@sha256:{}", "11".repeat(32));
        let file = format!("services:\n  a:\n    image: {image}\n    gpus: all\n");
        let mut document =
            json!({ "runner": "docker-compose", "docker_compose_file": file, "secure_time": true });
        let added = members.as_object().unwrap().clone();
        document.as_object_mut().unwrap().extend(added);
        said(&document, None)
    }

    #[test]
    fn a_pass_says_what_it_rests_on_and_that_gpus_are_not_judged_here() {
        let (status, reason, detail) = settings(&json!({}));
        assert_eq!((status, reason), (Status::Pass, None), "{detail}");
        assert!(
            detail.starts_with("Nothing risky; no script runs before the containers."),
            "{detail}"
        );
        assert!(
            detail.contains(
                "Containers use GPUs (services.a.gpus): this says nothing about the state of the GPUs."
            ),
            "{detail}"
        );
    }

    #[test]
    fn a_field_that_no_guest_knows_is_a_warning() {
        let (status, reason, detail) = settings(&json!({ "made_up": 1 }));
        assert_eq!(
            (status, reason),
            (Status::Warn, Some("unknown-field")),
            "{detail}"
        );
        assert!(detail.contains("`made_up` is not known"), "{detail}");
    }
}
