//! Whether a file that the user gives as the compose document can be one. The hash of a wrong file would accuse an honest
//! deployment.

use std::path::Path;

use serde_json::Value;

use crate::files;
use crate::usage_error::UsageError;

/// Fields of which every compose document has some.
pub(crate) const FIELDS: [&str; 4] = ["docker_compose_file", "bash_script", "manifest_version", "runner"];

/// Reads a file that is a compose document.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, UsageError> {
    files::read(path, files::COMPOSE_LIMIT).and_then(|bytes| check(path, bytes))
}

/// The file, if it is a JSON object that has a field of a compose document.
fn check(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, UsageError> {
    refuse_own_document(path, &bytes)?;
    // A byte order mark is part of what is hashed: the check says that it is there.
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(UsageError::file(
            path,
            "is not a compose document (app-compose.json, a JSON object). If it is the docker compose file of your repository, give \
             it with --docker-compose",
        ));
    }
    let document: Value = serde_json::from_slice(text).map_err(|error| {
        UsageError::file(
            path,
            format!("is not a compose document: it is not JSON ({error})"),
        )
    })?;
    match has_a_field(&document) {
        true => Ok(bytes),
        false => Err(UsageError::file(path, not_one(&document))),
    }
}

/// Why a JSON object is not a compose document, and where one is in it.
fn not_one(document: &Value) -> String {
    let is_text = |member: Option<&Value>| member.is_some_and(Value::is_string);
    let within = |info: &Value| match info.get("tcb_info") {
        // Some apps return it as a text that is JSON.
        Some(Value::String(text)) => {
            serde_json::from_str(text).is_ok_and(|tcb_info: Value| is_text(tcb_info.get("app_compose")))
        }
        Some(tcb_info) => is_text(tcb_info.get("app_compose")),
        None => false,
    };
    let place = match () {
        () if within(document) => Some("tcb_info.app_compose"),
        () if is_text(document.get("app_compose")) => Some("app_compose"),
        () => None,
    };
    match place {
        Some(place) => format!(
            "is an answer of /info, not a compose document. The document is the text of `{place}` in it: write exactly that text into a \
             file, without a line end behind it, and give that file"
        ),
        None => format!(
            "is not a compose document (app-compose.json): it has none of the fields {}",
            FIELDS.join(", ")
        ),
    }
}

/// The file, if it can be a docker compose file: it has one of these keys. The difference to a wrong file would accuse an honest
/// deployment, too.
pub(crate) fn check_docker_compose(path: &Path, text: String) -> Result<String, UsageError> {
    let document: Option<Value> = serde_json::from_str(&text).ok();
    let is_a_key = |rest: &str| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':');
    let has_key = |key: &&str| match &document {
        Some(document) => document.get(key).is_some(),
        None => text.split(key).skip(1).any(is_a_key),
    };
    match ["services", "include", "jobs"].iter().any(has_key) {
        true => Ok(text),
        false => Err(UsageError::file(
            path,
            "is not a docker compose file: it has no `services`. If it is the compose document (app-compose.json), give it with \
             --app-compose-file",
        )),
    }
}

/// Refuses what this program writes itself.
pub(crate) fn refuse_own_document(path: &Path, bytes: &[u8]) -> Result<(), UsageError> {
    let schema = serde_json::from_slice::<Value>(bytes)
        .ok()
        .and_then(|document| document.get("schema")?.as_str().map(str::to_owned))
        .filter(|schema| schema.starts_with("cvm-verify/"));
    match schema {
        None => Ok(()),
        Some(schema) => {
            let schema: String = schema.chars().filter(char::is_ascii_graphic).take(40).collect();
            Err(UsageError::file(
                path,
                format!(
                    "is a document of cvm-verify ({schema}), not a compose document. `cvm-verify inspect` shows the compose document in a \
                     bundle"
                ),
            ))
        }
    }
}

/// Whether a JSON object has a field of a compose document.
pub(crate) fn has_a_field_of_one(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok_and(|document| has_a_field(&document))
}

fn has_a_field(document: &Value) -> bool {
    FIELDS.iter().any(|field| document.get(field).is_some())
}
