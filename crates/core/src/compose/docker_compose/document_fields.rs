//! The fields of the compose document around the docker compose file, and what each may hold.

use serde_json::{Map, Value};

use super::ComposeFile;
use super::absent_value::is_absent;
use super::judge::text_of;
use super::place::{ComposePlace, step};

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
    ("requirements", Shape::Any),
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

/// The names of the fields that are known, sorted.
pub fn document_fields() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|(name, _)| *name)
}

/// SHA-256 of the empty text, as settings show a script.
const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Why a field needs a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldProblem {
    /// A field that no guest is known to read: one of tomorrow may.
    Unknown,
    /// A value of another type than the guest reads, or none of the values that it knows.
    OtherValue,
    /// `bash_script` beside a docker compose file: no guest that is known executes it.
    NotUsed,
}

/// What is wrong with a field of this name; nothing where it is as a guest reads it. A script in `value` may be its hash.
pub(crate) fn field_problem(name: &str, value: &Value, runner: Option<&Value>) -> Option<FieldProblem> {
    // The guest takes `null` for an absent field.
    if value.is_null() {
        return None;
    }
    let Some((_, shape)) = FIELDS.iter().find(|(known, _)| *known == name) else {
        return Some(FieldProblem::Unknown);
    };
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
    for (name, value) in members {
        let is_unknown = field_problem(name, value, members.get("runner")) == Some(FieldProblem::Unknown);
        if is_unknown && !is_absent(value) && may_be_a_script(name, value) {
            let says =
                "is a field that this version of cvm-verify does not know, and it may be a script: remove it";
            file.unmeasured
                .add(ComposePlace::new(&step("", name), &text_of(value), says));
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
