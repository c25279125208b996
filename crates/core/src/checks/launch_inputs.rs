//! `launch-inputs`: nothing that is not measured, or that nobody reviewed, has a say in how the app starts.
//!
//! A finding has one reason, that of its gravest concern; the detail lists all of them. What the lock's envelope says in
//! the same words was reviewed and is no concern.

use std::collections::BTreeMap;

use serde_json::Value;

use super::measured_compose::{COMPOSE_NOT_PROVEN, NO_COMPOSE_DOCUMENT, measured_compose};
use super::{
    BOOT_ORDER_NOT_PROVEN, Check, EVENT_LOG_NOT_PROVEN, Finding, QUOTE_NOT_PROVEN, Reason, Required,
    own_reference_values,
};
use crate::compose::launch_script;
use crate::compose::{ComposeFile, ComposePlaces, LaunchScript, UnprovenDocument};
use crate::policy::{LaunchInputsPolicy, LockedCompose, Policy};
use crate::reference::ReferenceValues;
use crate::report::CheckId;
use crate::verify::Claims;

pub(super) const CHECK: Check = Check {
    id: CheckId::LaunchInputs,
    title: "Launch inputs",
    proves: "No variable, script, host access or exposure setting is risky, unless you reviewed it in the lock.",
    prevents: "An unmeasured value that takes over measured code, a start-up script that was not reviewed, logs that leak.",
    reasons: &[
        &RISKY_VARIABLES,
        &UNKNOWN_PRE_LAUNCH_SCRIPT,
        &INIT_SCRIPT,
        &HOST_ACCESS,
        &WEAK_GPU_POLICY,
        &EXPOSED,
        &NO_SECURE_TIME,
        &NO_INSTANCE_ID,
        &NO_COMPOSE_DOCUMENT,
        &COMPOSE_NOT_PROVEN,
        &UNREADABLE_COMPOSE,
        &UNCHECKED,
        &QUOTE_NOT_PROVEN,
        &EVENT_LOG_NOT_PROVEN,
        &BOOT_ORDER_NOT_PROVEN,
    ],
    required: Required::Never,
    harmless_skips: &[],
    harmless_warnings: &[],
    is_configured: |policy| policy.launch_inputs == LaunchInputsPolicy::Required,
    run,
};

const RISKY_VARIABLES: Reason = Reason {
    id: "risky-variables",
    means: "`allowed_envs` lists variables that can change what runs, where traffic goes or who logs in as root. The names \
            are measured, the values are not.",
    fix: "Take the names out of `allowed_envs`, or bind the values with a `launch_token_hash`.",
};
const UNKNOWN_PRE_LAUNCH_SCRIPT: Reason = Reason {
    id: "unknown-pre-launch-script",
    means: "A script of an unknown text runs as root before the containers. It is measured, but it is not Phala's. And it \
            is no gate: containers that restart by themselves may run before it.",
    fix: "Read the script (`cvm-verify inspect`). If it is yours, run `cvm-verify pin` and review its hash in the lock.",
};
const INIT_SCRIPT: Reason = Reason {
    id: "init-script",
    means: "A script of the app's own runs as root before Docker starts. It is measured, and it is not in a reviewed lock.",
    fix: "Read the script (`cvm-verify inspect`). If it is yours, run `cvm-verify pin` and review its hash in the lock.",
};
const HOST_ACCESS: Reason = Reason {
    id: "host-access",
    means: "A container can reach beyond itself: privileged, the Docker socket, host mounts, devices or host namespaces.",
    fix: "Make sure that this is meant: such a container can replace every other one. If it is, run `cvm-verify pin` and \
          commit the lock after the review.",
};
const WEAK_GPU_POLICY: Reason = Reason {
    id: "weak-gpu-policy",
    means: "The app accepts GPUs whose state does not protect its data: not attested, with developer tools, with debugging or \
            without secure boot.",
    fix: "Take the option out of `requirements.gpu_policy` and deploy again; or, if that is meant, run `cvm-verify pin` and \
          review [compose] in the lock.",
};
const EXPOSED: Reason = Reason {
    id: "exposed",
    means: "The VM shows its logs or its system information to everybody.",
    fix: "Set `public_logs` and `public_sysinfo` to false and deploy again; or, if that is meant, run `cvm-verify pin` and \
          review [compose] in the lock.",
};
const NO_SECURE_TIME: Reason = Reason {
    id: "no-secure-time",
    means: "The VM does not wait for authenticated time when it boots, so that the host chooses its clock.",
    fix: "Set `secure_time` to true and deploy again, if the app relies on the time (certificates, tokens, expiries); or \
          run `cvm-verify pin` and review [compose] in the lock.",
};
const NO_INSTANCE_ID: Reason = Reason {
    id: "no-instance-id",
    means: "The app asks for no instance id, so that its replicas cannot be told apart.",
    fix: "Set `no_instance_id` to false and deploy again; or, if that is meant, run `cvm-verify pin` and review [compose] in \
          the lock.",
};
const UNREADABLE_COMPOSE: Reason = Reason {
    id: "unreadable-compose",
    means: "The measured compose document cannot be read in one way only.",
    fix: "Make it plain: no duplicate keys, no depth; then deploy again.",
};
const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with --launch-inputs unchecked.",
    fix: "Remove `--launch-inputs unchecked`, and review what it hides.",
};

/// How many names a sentence lists.
const MAX_NAMED: usize = 8;

/// The fields of the compose document, scripts as `sha256:` and their hash.
type LaunchSettings = BTreeMap<String, Value>;

/// Something that a person should have looked at.
struct Concern {
    reason: &'static Reason,
    review: Review,
    text: String,
}

/// What of a lock says that somebody looked at a concern.
#[derive(Clone, Copy)]
enum Review {
    /// The same value of this field of the compose document.
    Field(&'static str),
    /// The hash of the whole document.
    Document,
    /// Nothing but the reasons of its reviewed places.
    Never,
}

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
        .envelope()
        .map_err(|error| error.to_string())
        .and_then(|envelope| match compose.compose_file(script) {
            Ok(file) => Ok((envelope, file.unwrap_or_default())),
            Err(error) => Err(error.to_string()),
        });
    match read {
        Err(problem) => Finding::error(
            &UNREADABLE_COMPOSE,
            format!("The measured compose document cannot be read: {problem}."),
        ),
        Ok((envelope, file)) => {
            let is_locked = policy.is_locked_compose_hash(boot.compose_hash());
            judge(&envelope, &file, script, is_locked, policy)
        }
    }
}

fn waived(policy: &Policy) -> Option<Finding> {
    (policy.launch_inputs == LaunchInputsPolicy::Unchecked).then(|| {
        Finding::waived(
            &UNCHECKED,
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
            &document.envelope(),
            file,
            document.script(),
            is_locked,
            policy,
        ))
    })
}

fn judge(
    envelope: &LaunchSettings,
    file: &ComposeFile,
    script: LaunchScript,
    is_locked: bool,
    policy: &Policy,
) -> Finding {
    let locked = policy.locked_compose.as_ref();
    let is_reviewed = |concern: &Concern| match concern.review {
        Review::Field(field) => {
            locked.is_some_and(|locked| locked.envelope.get(field) == envelope.get(field))
        }
        Review::Document => is_locked && locked.is_some(),
        Review::Never => false,
    };
    let (reviewed, open): (Vec<Concern>, Vec<Concern>) =
        concerns(envelope, file, script, locked, &policy.reference)
            .into_iter()
            .partition(is_reviewed);
    let outside = format!("{}{}", from_outside(&file.outside), gpus(&file.gpus));
    let Some(gravest) = open.first() else {
        let script = envelope.get("pre_launch_script").and_then(script_hash);
        let row = script.and_then(|hash| policy.reference.script(&hex::encode(hash)));
        // A script whose hash stands in the lock rests on no row.
        let is_locked = locked.is_some_and(|locked| {
            locked.envelope.get("pre_launch_script") == envelope.get("pre_launch_script")
        });
        let own = row.filter(|_| !is_locked).and_then(|row| {
            own_reference_values(
                row.origin,
                &format!("the pre-launch script {}", row.title()),
                policy,
            )
        });
        return Finding::pass(format!("{}{outside}", calm(envelope, file, &reviewed, policy))).accepting(own);
    };
    let texts: Vec<&str> = open.iter().map(|concern| concern.text.as_str()).collect();
    let detail = format!("Not reviewed: {}.{outside}", texts.join("; "));
    match policy.launch_inputs {
        LaunchInputsPolicy::Required => Finding::fail(gravest.reason, detail),
        LaunchInputsPolicy::Warn | LaunchInputsPolicy::Unchecked => Finding::warn(gravest.reason, detail),
    }
}

/// What is set from outside and does not decide code by itself: named, never called harmless.
fn from_outside(places: &ComposePlaces) -> String {
    let (values, are) = match places.count() {
        0 => return String::new(),
        1 => ("1 value".to_owned(), "is"),
        count => (format!("{count} values"), "are"),
    };
    format!(
        " {values} {are} set from outside, by the deployer or the host, and nothing measures or authenticates them: {}.",
        paths(places)
    )
}

/// What it means that containers use GPUs.
fn gpus(places: &ComposePlaces) -> String {
    if places.is_empty() {
        return String::new();
    }
    format!(
        " Containers use GPUs ({}): this says nothing about the state of the GPUs.",
        paths(places)
    )
}

/// The paths of the first places, and how many more there are.
fn paths(places: &ComposePlaces) -> String {
    let named: Vec<&str> = places
        .iter()
        .take(MAX_NAMED)
        .map(|place| place.path.as_str())
        .collect();
    match places.count().saturating_sub(MAX_NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// What a pass says: which script runs, and what the lock vouches for.
fn calm(envelope: &LaunchSettings, file: &ComposeFile, reviewed: &[Concern], policy: &Policy) -> String {
    if let (false, Some(locked)) = (reviewed.is_empty(), &policy.locked_compose) {
        let texts: Vec<&str> = reviewed.iter().map(|concern| concern.text.as_str()).collect();
        return format!("As reviewed in {}: {}.", locked.lock, texts.join("; "));
    }
    // A place that decides code is no less risky for being another check's to name.
    let nothing = match file.deciding_count() {
        0 => "Nothing risky",
        _ => "Nothing risky beyond what `image-pins` names",
    };
    match envelope.get("pre_launch_script").and_then(script_hash) {
        Some(hash) => match policy.reference.script(&hex::encode(hash)) {
            Some(row) => format!(
                "{nothing}; the pre-launch script is {} ({}).",
                row.title(),
                hex::encode(hash)
            ),
            None => format!(
                "{nothing}; the pre-launch script is empty ({}).",
                hex::encode(hash)
            ),
        },
        None => format!("{nothing}; no script runs before the containers."),
    }
}

/// Everything to look at, the gravest first.
fn concerns(
    envelope: &LaunchSettings,
    file: &ComposeFile,
    script: LaunchScript,
    locked: Option<&LockedCompose>,
    reference: &ReferenceValues,
) -> Vec<Concern> {
    // A lock's settings alone never review a name that the guest reads: a person gives the reason for its place.
    let reviewed: Vec<&str> = file
        .deciding()
        .filter(|place| locked.is_some_and(|locked| locked.has_reviewed(place)))
        .filter_map(|place| place.path.strip_prefix("allowed_envs."))
        .collect();
    [
        risky_variables(envelope, script, &reviewed, reference),
        pre_launch_script(envelope, reference),
        init_script(envelope),
        host_access(&file.host_access),
        gpu_policy(envelope),
        flag(
            envelope,
            "public_logs",
            true,
            &EXPOSED,
            "anyone can read the logs",
        ),
        flag(
            envelope,
            "public_sysinfo",
            true,
            &EXPOSED,
            "anyone can read the system information",
        ),
        flag(
            envelope,
            "secure_time",
            false,
            &NO_SECURE_TIME,
            "the host chooses the clock",
        ),
        flag(
            envelope,
            "no_instance_id",
            true,
            &NO_INSTANCE_ID,
            "replicas cannot be told apart",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn host_access(places: &ComposePlaces) -> Option<Concern> {
    let named: Vec<String> = places
        .iter()
        .take(MAX_NAMED)
        .map(|place| format!("{} ({})", place.path, place.says))
        .collect();
    let more = match places.count().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!places.is_empty()).then(|| Concern {
        reason: &HOST_ACCESS,
        review: Review::Document,
        text: format!("containers reach beyond themselves: {}{more}", named.join(", ")),
    })
}

/// `requirements.gpu_policy` of manifest version 3, as far as it is weaker than the default (dstack-0.6.md §2.2).
fn gpu_policy(envelope: &LaunchSettings) -> Option<Concern> {
    const FIELD: &str = "requirements";
    let policy = envelope
        .get(FIELD)?
        .get("gpu_policy")
        .filter(|policy| !policy.is_null())?;
    let concern = |text| Concern {
        reason: &WEAK_GPU_POLICY,
        review: Review::Field(FIELD),
        text,
    };
    let Some(options) = policy.as_object() else {
        return Some(concern("`gpu_policy` is not a mapping".to_owned()));
    };
    let weak: Vec<String> = options
        .iter()
        .filter(|(name, value)| match name.as_str() {
            "attest_gpu" => **value != Value::Bool(true),
            "allow_devtools" | "allow_debug" | "allow_insecure_boot" => **value != Value::Bool(false),
            // A policy of the app's own, and options of tomorrow.
            _ => !value.is_null(),
        })
        .take(MAX_NAMED)
        .map(|(name, value)| match value {
            Value::Bool(value) => format!("`{name}` is {value}"),
            _ => format!("`{name}` is set"),
        })
        .collect();
    (!weak.is_empty()).then(|| {
        concern(format!(
            "the GPU policy is weaker than the default: {}",
            weak.join(", ")
        ))
    })
}

fn risky_variables(
    envelope: &LaunchSettings,
    script: LaunchScript,
    reviewed: &[&str],
    reference: &ReferenceValues,
) -> Option<Concern> {
    const FIELD: &str = "allowed_envs";
    let concern = |text| Concern {
        reason: &RISKY_VARIABLES,
        review: Review::Never,
        text,
    };
    let names = match envelope.get(FIELD)? {
        Value::Null => return None,
        Value::Array(names) => names,
        // The guest would not start with it; who reads it otherwise is not for us to guess.
        _ => return Some(concern("`allowed_envs` is not a list".to_owned())),
    };
    let risky: Vec<&str> = names
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| {
            reference.risky_name(name).is_some() && !script.logs_in_with(name) && !reviewed.contains(name)
        })
        .collect();
    if risky.is_empty() {
        return None;
    }
    let named = risky
        .iter()
        .take(MAX_NAMED)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    let more = match risky.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let bound = if has_launch_token(envelope) {
        "a launch token guards the launch"
    } else {
        "no launch token guards them"
    };
    Some(concern(format!(
        "the deployer may set {named}{more}, unmeasured ({bound})"
    )))
}

/// At the top level (older) or among the requirements (dstack-attestation.md §4.2).
fn has_launch_token(envelope: &LaunchSettings) -> bool {
    let stated = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|hash| !hash.is_empty());
    stated(envelope.get("launch_token_hash"))
        || stated(
            envelope
                .get("requirements")
                .and_then(|requirements| requirements.get("launch_token_hash")),
        )
}

fn pre_launch_script(envelope: &LaunchSettings, reference: &ReferenceValues) -> Option<Concern> {
    const FIELD: &str = "pre_launch_script";
    let value = envelope.get(FIELD).filter(|value| !value.is_null())?;
    let text = match script_hash(value) {
        Some(hash) if hash == EMPTY || reference.script(&hex::encode(hash)).is_some() => return None,
        Some(hash) => format!(
            "an unknown pre-launch script runs as root (SHA-256 {})",
            hex::encode(hash)
        ),
        None => "the pre-launch script is not text".to_owned(),
    };
    Some(Concern {
        reason: &UNKNOWN_PRE_LAUNCH_SCRIPT,
        review: Review::Field(FIELD),
        text,
    })
}

fn init_script(envelope: &LaunchSettings) -> Option<Concern> {
    const FIELD: &str = "init_script";
    let scripts = match envelope.get(FIELD)? {
        Value::Null => return None,
        Value::Array(items) => items.iter().map(shown).collect(),
        single => vec![shown(single)],
    };
    let empty = format!("sha256:{}", hex::encode(EMPTY));
    let hashes: Vec<String> = scripts
        .into_iter()
        .filter(|hash| *hash != empty)
        .take(MAX_NAMED)
        .collect();
    (!hashes.is_empty()).then(|| Concern {
        reason: &INIT_SCRIPT,
        review: Review::Field(FIELD),
        text: format!("an init script runs as root ({})", hashes.join(", ")),
    })
}

fn shown(value: &Value) -> String {
    value.as_str().unwrap_or("no text").to_owned()
}

fn flag(
    envelope: &LaunchSettings,
    field: &'static str,
    risky: bool,
    reason: &'static Reason,
    means: &str,
) -> Option<Concern> {
    let value = envelope.get(field).filter(|value| !value.is_null())?;
    let text = match value {
        Value::Bool(value) if *value != risky => return None,
        Value::Bool(value) => format!("`{field}` is {value}: {means}"),
        _ => format!("`{field}` is neither true nor false"),
    };
    Some(Concern {
        reason,
        review: Review::Field(field),
        text,
    })
}

/// SHA-256 of no text at all: an empty script runs nothing.
const EMPTY: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The hash of a script, out of the `sha256:` form of the envelope.
fn script_hash(value: &Value) -> Option<[u8; 32]> {
    let digits = value.as_str()?.strip_prefix("sha256:")?;
    hex::decode(digits).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::EMPTY;

    #[test]
    fn an_empty_script_is_known_by_its_hash() {
        assert_eq!(Sha256::digest(b"")[..], EMPTY);
    }
}
