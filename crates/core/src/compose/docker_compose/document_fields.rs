//! The fields of the compose document around the docker compose file, and what each may hold.

use serde_json::{Map, Value};

use super::ComposeFile;
use super::absent_value::is_absent;
use super::judge::text_of;
use super::place::{ComposePlace, item, step};

/// What a field may hold. `null` is allowed everywhere: the guest takes its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    Boolean,
    /// A number, or a text with a unit.
    Size,
    List,
    Mapping,
    /// Judged elsewhere, or ignored by each guest that is known.
    Any,
}

/// Every field that a guest is known to read (dstack, `dstack-types/src/lib.rs`, `AppCompose`), and those that older tools wrote
/// and no guest reads: `docker_config`, `salt`, `version`.
const FIELDS: [(&str, Shape); 33] = [
    ("allowed_envs", Shape::Any),
    ("bash_script", Shape::Any),
    ("default_gateway_domain", Shape::Text),
    ("docker_compose_file", Shape::Any),
    ("docker_config", Shape::Any),
    ("event_log_version", Shape::Size),
    ("features", Shape::List),
    ("gateway_enabled", Shape::Boolean),
    ("init_script", Shape::Any),
    ("key_provider", Shape::OneOf(&["kms", "local", "none", "tpm"])),
    ("key_provider_id", Shape::Text),
    ("kms_enabled", Shape::Boolean),
    ("launch_token_hash", Shape::Text),
    ("local_key_provider_enabled", Shape::Boolean),
    ("manifest_version", Shape::Size),
    ("name", Shape::Text),
    ("no_instance_id", Shape::Any),
    ("port_policy", Shape::Mapping),
    ("pre_launch_script", Shape::Any),
    ("public_logs", Shape::Any),
    ("public_sysinfo", Shape::Any),
    ("public_tcbinfo", Shape::Boolean),
    ("requirements", Shape::Mapping),
    ("runner", Shape::Any),
    ("salt", Shape::Any),
    ("secure_time", Shape::Any),
    ("snapshotter", Shape::OneOf(&["overlayfs", "stargz"])),
    ("storage_discard", Shape::Boolean),
    ("storage_fs", Shape::OneOf(&["", "ext4", "zfs"])),
    ("swap_size", Shape::Size),
    ("tproxy_enabled", Shape::Boolean),
    ("verity_volumes", Shape::Any),
    ("version", Shape::Any),
];

/// The members that guests read in a field, or in each item of one that is a list.
const MEMBERS: [(&str, &[&str]); 6] = [
    (
        "docker_config",
        &["password", "registry", "token_key", "username"],
    ),
    ("port_policy", &["ports", "restrict_mode"]),
    ("port_policy.ports", &["port", "pp"]),
    (
        "requirements",
        &[
            "gpu_policy",
            "health_check",
            "health_status_file",
            "launch_token_hash",
            "os_version",
            "platforms",
            "tdx_measure_acpi_tables",
        ],
    ),
    (
        "requirements.gpu_policy",
        &[
            "allow_debug",
            "allow_devtools",
            "allow_insecure_boot",
            "attest_gpu",
            "rego",
        ],
    ),
    ("verity_volumes", &["source", "target", "verity_root"]),
];

/// A field of the document, or a member of one, that no guest is known to read: a later one may.
pub(crate) struct UnknownField<'a> {
    pub(crate) path: String,
    name: &'a str,
    value: &'a Value,
}

/// The field itself if it is not known, otherwise its members that are not.
pub(crate) fn unknown_fields<'a>(name: &'a str, value: &'a Value) -> Vec<UnknownField<'a>> {
    let mut found = Vec::new();
    match FIELDS.iter().any(|(known, _)| *known == name) {
        true => unknown_members(name, name, value, &mut found),
        false if value.is_null() => {}
        false => found.push(UnknownField {
            path: step("", name),
            name,
            value,
        }),
    }
    found
}

/// `field` is `path` without the indices of lists.
fn unknown_members<'a>(field: &str, path: &str, value: &'a Value, found: &mut Vec<UnknownField<'a>>) {
    for (index, each) in value.as_array().into_iter().flatten().enumerate() {
        unknown_members(field, &item(path, index), each, found);
    }
    let known = MEMBERS.iter().find(|(known, _)| *known == field);
    let (Some(members), Some((_, known))) = (value.as_object(), known) else {
        return;
    };
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let path = step(path, name);
        match known.contains(&name.as_str()) {
            true => unknown_members(&step(field, name), &path, value, found),
            false => found.push(UnknownField { path, name, value }),
        }
    }
}

/// The names of the fields that are known, sorted.
pub fn document_fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

/// SHA-256 of the empty text, as settings show a script.
const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Why a field that is known needs a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldProblem {
    /// A value of another type than the guest reads, or none of the values that it knows.
    OtherValue,
    /// `bash_script` beside a docker compose file: no guest that is known executes it.
    NotUsed,
}

/// What is wrong with a field of this name, which is known; nothing where it is as a guest reads it. A script in `value` may be its hash.
pub(crate) fn field_problem(name: &str, value: &Value, runner: Option<&Value>) -> Option<FieldProblem> {
    // The guest takes `null` for an absent field.
    if value.is_null() {
        return None;
    }
    let (_, shape) = FIELDS.iter().find(|(known, _)| *known == name)?;
    // An empty script, as its hash where scripts are.
    let is_empty = is_absent(value) || value.as_str() == Some(EMPTY);
    if name == "bash_script" && !is_empty && runner.and_then(Value::as_str) != Some("bash") {
        return Some(FieldProblem::NotUsed);
    }
    let fits = match (shape, value) {
        (Shape::Any, _) => true,
        (Shape::Text, value) => value.is_string(),
        (Shape::OneOf(texts), value) => value.as_str().is_some_and(|text| texts.contains(&text)),
        (Shape::Boolean, value) => value.is_boolean(),
        (Shape::Size, value) => value.is_number() || value.is_string(),
        (Shape::List, value) => value.is_array(),
        (Shape::Mapping, value) => value.is_object(),
    };
    (!fits).then_some(FieldProblem::OtherValue)
}

/// Fields that are not known and may be scripts decide code: `pre_launch_script` and `bash_script` came into the guest as such fields.
pub(super) fn judge(members: &Map<String, Value>, file: &mut ComposeFile) {
    for field in members
        .iter()
        .flat_map(|(name, value)| unknown_fields(name, value))
    {
        if !is_absent(field.value) && may_be_a_script(field.name, field.value) {
            let says =
                "is a field that this version of cvm-verify does not know, and it may be a script: remove it";
            file.unmeasured
                .add(ComposePlace::new(&field.path, &text_of(field.value), says));
        }
    }
}

/// By a word of its name, where it holds text, or by its text: more than one line, or the first line of a script.
fn may_be_a_script(name: &str, value: &Value) -> bool {
    const WORDS: [&str; 15] = [
        "bash",
        "cmd",
        "cmds",
        "command",
        "commands",
        "entrypoint",
        "exec",
        "hook",
        "hooks",
        "prelaunch",
        "postlaunch",
        "script",
        "scripts",
        "shell",
        "sh",
    ];
    // Common words: a field of such a name may also hold a version or a name.
    const COMMON: [&str; 9] = [
        "boot", "compose", "image", "images", "init", "launch", "run", "start", "startup",
    ];
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let is_flag = matches!(value, Value::Bool(_) | Value::Number(_));
    let is_named_for_one = !is_flag && words.any(|word| WORDS.contains(&word.to_ascii_lowercase().as_str()));
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let is_one_word = value
        .as_str()
        .is_some_and(|text| text.len() <= 40 && !text.contains(|c: char| c.is_whitespace() || c == '/'));
    let is_named_for_more =
        !is_flag && !is_one_word && words.any(|word| COMMON.contains(&word.to_ascii_lowercase().as_str()));
    is_named_for_one || is_named_for_more || holds_a_script(value)
}

fn holds_a_script(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with("#!") || text.trim().contains('\n'),
        Value::Array(items) => items.iter().any(holds_a_script),
        Value::Object(members) => members.iter().any(|(name, value)| may_be_a_script(name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
