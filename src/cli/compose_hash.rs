//! `cvm-verify compose-hash`: the hashes that a compose document has, by the tool that writes it.

use super::args::{ComposeHashArgs, ComposeHashFormat};
use crate::compose_document;
use crate::env::Env;
use crate::usage_error::UsageError;
use crate::{files, render};
use cvm_verify_core::compose::compose_forms;
use cvm_verify_core::evidence::EvidenceError;

pub(super) fn run(args: &ComposeHashArgs, env: &mut Env) -> anyhow::Result<u8> {
    let bytes = files::read(&args.file, files::COMPOSE_LIMIT)?;
    compose_document::refuse_own_document(&args.file, &bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        UsageError::file(
            &args.file,
            "is not UTF-8 text, so no guest accepts it as a compose document",
        )
    })?;
    let (forms, doubts) = compose_forms(text).map_err(|error| {
        let problem = match error {
            EvidenceError::NotJson { .. } => format!("{NO_JSON} {}", render::ANSWERED_HASH),
            error => {
                format!("{error}. Guests and tools could read it differently: write each field once")
            }
        };
        UsageError::file(&args.file, problem)
    })?;
    if !compose_document::has_a_field_of_one(text) {
        env.note(&format!(
            "{} has none of the fields of a compose document ({}), so no guest starts anything from it.",
            args.file.display(),
            compose_document::FIELDS.join(", ")
        ));
    }
    env.print(&match args.format {
        ComposeHashFormat::Text => render::compose_forms_text(&forms, &doubts, env.width()),
        ComposeHashFormat::Json => render::compose_forms_json(&forms, &doubts),
    });
    Ok(0)
}

/// Why a docker compose file has no compose hash.
const NO_JSON: &str = "is not a JSON object. The compose hash is over the whole compose document (app-compose.json), in which \
                       the docker compose file is one field among the scripts and flags that the platform adds, so a docker \
                       compose file alone has none. To verify a release from it: cvm-verify verify URL --docker-compose FILE \
                       --lock cvm.lock. To learn the hash before the deployment: give the document that you upload.";
