//! What is proven of each image, for the report and the statement that is made of it.

use std::collections::BTreeSet;

use super::judge::passing;
use super::reasons as why;
use super::rules::rule_of;
use crate::checks::Finding;
use crate::checks::measured_compose::measured_compose;
use crate::compose::launch_script;
use crate::evidence::MAX_LOOKED_UP;
use crate::policy::{ExpectedSource, Policy};
use crate::report::{SourceRecord, rfc3339};
use crate::verify::{Claims, name_and_digest};

/// The images of the measured compose file, each once.
pub(super) fn images(claims: &Claims) -> Result<BTreeSet<String>, Finding> {
    let (_, compose) = measured_compose(claims)?;
    match compose.compose_file(launch_script(compose)) {
        Ok(file) => Ok(file
            .into_iter()
            .flat_map(|file| file.images.into_values())
            .collect()),
        Err(problem) => Err(Finding::error(
            &why::UNREADABLE_COMPOSE,
            format!("The measured compose document cannot be read: {problem}."),
        )),
    }
}

/// What is proven of each image that a statement is accepted for, for the report and the statement that is made of it.
#[must_use]
pub fn proven_sources(claims: &Claims, policy: &Policy) -> Vec<SourceRecord> {
    if policy.sources.rules.is_empty() {
        return Vec::new();
    }
    let images = images(claims).unwrap_or_default();
    let record = |image: &String| {
        let (name, digest) = name_and_digest(image)?;
        let ExpectedSource::Built(source) = &rule_of(name, &policy.sources)?.expected else {
            return None;
        };
        let key = format!("{name}@sha256:{}", hex::encode(digest));
        let (statement, _) = passing(claims.statements.get(&key)?, source).ok()?;
        let claims = statement.signer();
        let text = |claim: Option<&str>| claim.map(str::to_owned);
        Some(SourceRecord {
            image: key,
            repository: text(claims.repository()),
            repository_id: text(claims.repository_id()),
            commit: text(claims.commit()),
            git_ref: text(claims.git_ref()),
            workflow: text(claims.subject()),
            runner: text(claims.runner()),
            run: text(claims.run()),
            signed_at: rfc3339(statement.signed_at()),
            log: statement.log().map(|log| log.origin.clone()),
            log_index: statement.log().map(|log| log.index),
            bundle_sha256: hex::encode(statement.bundle_sha256()),
        })
    };
    images.iter().take(MAX_LOOKED_UP).filter_map(record).collect()
}
