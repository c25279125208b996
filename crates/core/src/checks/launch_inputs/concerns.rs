//! What a person should have looked at before the app starts, each with what of a lock says that somebody did.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reasons as why;
use crate::checks::Reason;
use crate::compose::{
    ComposeFile, ComposePlaces, FieldProblem, LaunchScript, field_problem, runs_unknown_script,
    unknown_fields,
};
use crate::policy::LockedCompose;
use crate::reference::ReferenceValues;
use crate::report::and_more;

/// How many names a sentence lists.
pub(super) const MAX_NAMED: usize = 8;

/// The fields of the compose document, scripts as `sha256:` and their hash.
pub(super) type LaunchSettings = BTreeMap<String, Value>;

/// Something that a person should have looked at.
pub(super) struct Concern {
    pub(super) reason: &'static Reason,
    pub(super) review: Review,
    pub(super) text: String,
}

/// What of a lock says that somebody looked at a concern.
pub(super) enum Review {
    /// The same value of this field of the compose document.
    Field(&'static str),
    /// The same values of these fields.
    Fields(Vec<String>),
    /// The hash of the whole document.
    Document,
    /// Nothing but the reasons of its reviewed places.
    Never,
}

/// Everything to look at, the gravest first.
pub(super) fn concerns(
    compose_settings: &LaunchSettings,
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
        risky_variables(compose_settings, script, &reviewed, reference),
        pre_launch_script(compose_settings, reference),
        init_script(compose_settings),
        verity_volumes(compose_settings),
        host_access(&file.host_access),
        gpu_policy(compose_settings),
        unexpected_fields(compose_settings),
        flag(
            compose_settings,
            "public_logs",
            true,
            &why::EXPOSED,
            "anyone can read the logs",
        ),
        flag(
            compose_settings,
            "public_sysinfo",
            true,
            &why::EXPOSED,
            "anyone can read the system information",
        ),
        flag(
            compose_settings,
            "secure_time",
            false,
            &why::NO_SECURE_TIME,
            "the host chooses the clock",
        ),
        flag(
            compose_settings,
            "no_instance_id",
            true,
            &why::NO_INSTANCE_ID,
            "replicas cannot be distinguished",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The scripts among them.
pub(super) fn scripts(
    compose_settings: &LaunchSettings,
    reference: &ReferenceValues,
) -> impl Iterator<Item = Concern> {
    [
        pre_launch_script(compose_settings, reference),
        init_script(compose_settings),
    ]
    .into_iter()
    .flatten()
}

fn host_access(places: &ComposePlaces) -> Option<Concern> {
    let named: Vec<String> = places
        .iter()
        .take(MAX_NAMED)
        .map(|place| format!("{} ({})", place.path, place.says))
        .collect();
    let more = and_more("", places.count().saturating_sub(MAX_NAMED));
    (!places.is_empty()).then(|| Concern {
        reason: &why::HOST_ACCESS,
        review: Review::Document,
        text: format!(
            "containers have access beyond themselves: {}{more}",
            named.join(", ")
        ),
    })
}

/// Fields that are not known, or hold what the guest does not read there.
fn unexpected_fields(compose_settings: &LaunchSettings) -> Option<Concern> {
    let problems = compose_settings.iter().flat_map(|(name, value)| {
        let problem =
            field_problem(name, value, compose_settings.get("runner")).map(|problem| match problem {
                FieldProblem::OtherValue => "has another kind of value than the guest reads",
                FieldProblem::NotUsed => "is not executed by this runner",
            });
        let problem = problem.map(|says| (name, name.clone(), says));
        let unknown = unknown_fields(name, value).into_iter();
        unknown
            .map(move |field| (name, field.path, "is not known"))
            .chain(problem)
    });
    let problems: Vec<(&String, String, &str)> = problems.collect();
    let named: Vec<String> = problems
        .iter()
        .take(MAX_NAMED)
        .map(|(_, path, says)| {
            let path: String = path.chars().take(80).collect();
            format!("`{path}` {says}")
        })
        .collect();
    let more = and_more("", problems.len().saturating_sub(MAX_NAMED));
    (!problems.is_empty()).then(|| Concern {
        reason: &why::UNKNOWN_FIELD,
        review: Review::Fields(problems.into_iter().map(|(name, ..)| name.clone()).collect()),
        text: format!("of the compose document {}{more}", named.join(", ")),
    })
}

/// `requirements.gpu_policy` of manifest version 3, as far as it is weaker than the default (dstack 0.6,
/// `dstack-types/src/lib.rs`).
fn gpu_policy(compose_settings: &LaunchSettings) -> Option<Concern> {
    const FIELD: &str = "requirements";
    let policy = compose_settings
        .get(FIELD)?
        .get("gpu_policy")
        .filter(|policy| !policy.is_null())?;
    let concern = |text| Concern {
        reason: &why::WEAK_GPU_POLICY,
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
    compose_settings: &LaunchSettings,
    script: LaunchScript,
    reviewed: &[&str],
    reference: &ReferenceValues,
) -> Option<Concern> {
    const FIELD: &str = "allowed_envs";
    let concern = |text| Concern {
        reason: &why::RISKY_VARIABLES,
        review: Review::Never,
        text,
    };
    let names = match compose_settings.get(FIELD)? {
        Value::Null => return None,
        Value::Array(names) => names,
        // The guest would not start with it; who reads it otherwise is not for us to guess.
        _ => return Some(concern("`allowed_envs` is not a list".to_owned())),
    };
    let runs_unknown_script = runs_unknown_script(
        compose_settings.get("runner"),
        compose_settings.get("init_script"),
        script,
    );
    let is_risky = |name: &str| match runs_unknown_script {
        true => reference.risky_name(name).is_some(),
        false => reference.risky_name_of_guest(name).is_some(),
    };
    let risky: Vec<&str> = names
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| is_risky(name) && !script.logs_in_with(name) && !reviewed.contains(name))
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
    let more = and_more("", risky.len().saturating_sub(MAX_NAMED));
    let bound = if has_launch_token(compose_settings) {
        "a launch token guards the launch"
    } else {
        "no launch token guards them"
    };
    Some(concern(format!(
        "the deployer may set {named}{more}, unmeasured ({bound})"
    )))
}

/// At the top level (older) or among the requirements (dstack, `dstack-types/src/lib.rs`, `AppCompose`).
fn has_launch_token(compose_settings: &LaunchSettings) -> bool {
    let stated = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|hash| !hash.is_empty());
    stated(compose_settings.get("launch_token_hash"))
        || stated(
            compose_settings
                .get("requirements")
                .and_then(|requirements| requirements.get("launch_token_hash")),
        )
}

fn pre_launch_script(compose_settings: &LaunchSettings, reference: &ReferenceValues) -> Option<Concern> {
    const FIELD: &str = "pre_launch_script";
    let value = compose_settings.get(FIELD).filter(|value| !value.is_null())?;
    let text = match script_hash(value) {
        Some(hash) if hash == EMPTY || reference.script(&hex::encode(hash)).is_some() => return None,
        Some(hash) => format!(
            "an unknown pre-launch script runs as root (SHA-256 {})",
            hex::encode(hash)
        ),
        None => "the pre-launch script is not text".to_owned(),
    };
    Some(Concern {
        reason: &why::UNKNOWN_PRE_LAUNCH_SCRIPT,
        review: Review::Field(FIELD),
        text,
    })
}

fn init_script(compose_settings: &LaunchSettings) -> Option<Concern> {
    const FIELD: &str = "init_script";
    let scripts = match compose_settings.get(FIELD)? {
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
        reason: &why::INIT_SCRIPT,
        review: Review::Field(FIELD),
        text: format!("an init script runs as root ({})", hashes.join(", ")),
    })
}

/// Content that the guest mounts and that is not in the document.
fn verity_volumes(compose_settings: &LaunchSettings) -> Option<Concern> {
    const FIELD: &str = "verity_volumes";
    let volumes = match compose_settings.get(FIELD)? {
        Value::Null => return None,
        Value::Array(volumes) => volumes.as_slice(),
        single => std::slice::from_ref(single),
    };
    let text = |volume: &Value, name: &str, without: &str| -> String {
        let text = volume.get(name).and_then(Value::as_str).unwrap_or(without);
        text.chars().take(80).collect()
    };
    let named: Vec<String> = volumes
        .iter()
        .take(MAX_NAMED)
        .map(|volume| {
            let root = text(volume, "verity_root", "none");
            format!("`{}` (root hash {root})", text(volume, "target", "no target"))
        })
        .collect();
    let more = and_more("", volumes.len().saturating_sub(MAX_NAMED));
    (!volumes.is_empty()).then(|| Concern {
        reason: &why::VERITY_VOLUME,
        review: Review::Field(FIELD),
        text: format!(
            "content that is not in the document is mounted in the VM at {}{more}",
            named.join(", ")
        ),
    })
}

fn shown(value: &Value) -> String {
    value.as_str().unwrap_or("no text").to_owned()
}

fn flag(
    compose_settings: &LaunchSettings,
    field: &'static str,
    risky: bool,
    reason: &'static Reason,
    means: &str,
) -> Option<Concern> {
    let value = compose_settings.get(field).filter(|value| !value.is_null())?;
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

/// The hash of a script, out of the `sha256:` form of the compose settings.
pub(super) fn script_hash(value: &Value) -> Option<[u8; 32]> {
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
