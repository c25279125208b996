//! The compose document: what the guest was told to start (dstack, `dstack-types/src/lib.rs`, `AppCompose`;
//! docs/compose-places.md).

mod environment;
mod fields;
mod scripts;
mod services;

use serde_json::{Map, Value};

use super::opened::Opened;
use super::page::Page;
use cvm_verify_core::evidence::Object;
use cvm_verify_core::verify::digest::sha256;

/// Shows the document.
pub(super) fn section(page: &mut Page, opened: &Opened<'_>) {
    page.section("COMPOSE DOCUMENT");
    let Some(text) = opened.compose else {
        page.field("Document", "none").note(
            "The evidence does not contain it, so the compose hash is the hash of an unknown document. /info serves it unless \
             `public_tcbinfo` is off; --app-compose takes a file.",
        );
        return;
    };
    let hash = hash(page, text);
    match opened.boot_event("compose-hash") {
        None => page.mark("The event log has no `compose-hash` before `system-ready` to compare it with."),
        Some(event) if event == hash => page.note("The same as the `compose-hash` event."),
        Some(_) => page.mark("Not the hash in the `compose-hash` event: another document was started."),
    };
    mr_config_id(page, opened, &hash);
    fields(page, text);
}

/// Shows a document that no evidence stands beside, and its texts.
pub(super) fn document(page: &mut Page, text: &str) {
    page.section("COMPOSE DOCUMENT");
    hash(page, text);
    page.note("A deployment of exactly this text has this compose hash: `verify --compose-hash` expects it.");
    fields(page, text);
    texts(page, text);
}

fn hash(page: &mut Page, text: &str) -> [u8; 32] {
    let hash = sha256(text.as_bytes());
    page.field("SHA-256", hex::encode(hash)).note(format!(
        "Over its exact text, {} bytes. One more space gives another hash.",
        text.len()
    ));
    hash
}

fn fields(page: &mut Page, text: &str) {
    let Some(members) = members(page, text) else {
        return;
    };
    fields::show(page, &members);
    environment::show(page, members.get("allowed_envs"));
    scripts::show(page, &members);
    services::show(page, text, &members);
}

/// Shows the docker compose file and the scripts, whole: they are what a person reviews.
pub(super) fn texts(page: &mut Page, text: &str) {
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let texts = scripts::texts(&members);
    let file = members.get("docker_compose_file").and_then(Value::as_str);
    if texts.is_empty() && file.is_none() {
        return;
    }
    page.section("TEXTS OF THE COMPOSE DOCUMENT");
    for (name, text) in file
        .map(|file| ("docker_compose_file", file))
        .into_iter()
        .chain(texts)
    {
        page.block(name, text);
    }
}

fn mr_config_id(page: &mut Page, opened: &Opened<'_>, hash: &[u8; 32]) {
    match opened.report.as_ref().map(|report| &report.mr_config_id) {
        Some([1, rest @ ..]) if rest.starts_with(hash) => page.note("The same as in MRCONFIGID."),
        Some([1, ..]) => page.mark("Not the hash in MRCONFIGID."),
        Some(_) => page.note("MRCONFIGID does not hold a compose hash."),
        None => page,
    };
}

/// The members, each once: guests read the document with two parsers that differ on duplicates.
fn members(page: &mut Page, text: &str) -> Option<Map<String, Value>> {
    let checked = Object::document("the compose document", text).and_then(|object| {
        object
            .members()
            .try_for_each(|(name, _)| object.get(name).map(|_| ()))
    });
    if let Err(error) = checked {
        page.field("Document", "cannot be read unambiguously")
            .mark(error.to_string());
        return None;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Some(members),
        _ => {
            page.field("Document", "cannot be read")
                .mark("It is not a JSON object.");
            None
        }
    }
}
