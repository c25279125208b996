//! What is proven of each image, for the report and the statement that is made of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::judge::passing;
use super::reasons as why;
use super::rules::rule_of;
use crate::checks::Finding;
use crate::checks::measured_compose::measured_compose;
use crate::compose::{ComposeFile, launch_script};
use crate::evidence::MAX_LOOKED_UP;
use crate::policy::{ExpectedSource, Policy};
use crate::report::{SourceRecord, rfc3339};
use crate::verify::{Claims, ImageStatements, name_and_digest};

/// The images of the measured compose file, each once.
pub(super) fn images(claims: &Claims) -> Result<BTreeSet<String>, Finding> {
    let file = compose_file(claims)?;
    Ok(file
        .into_iter()
        .flat_map(|file| file.images.into_values())
        .collect())
}

/// What is stated of the images of the measured compose file, as far as it counts for the platform that each runs for.
pub(super) fn statements(claims: &Claims) -> Cow<'_, BTreeMap<String, ImageStatements>> {
    let file = compose_file(claims).ok().flatten();
    let names_another = file.is_some_and(|file| file.names_other_platform);
    for_platforms(&claims.statements, names_another)
}

/// What counts of statements where a container may run for another platform than linux/amd64.
#[must_use]
pub fn for_platforms(
    statements: &BTreeMap<String, ImageStatements>,
    names_another: bool,
) -> Cow<'_, BTreeMap<String, ImageStatements>> {
    if !names_another {
        return Cow::Borrowed(statements);
    }
    let counted =
        |(image, found): (&String, &ImageStatements)| (image.clone(), found.clone().for_any_platform());
    Cow::Owned(statements.iter().map(counted).collect())
}

fn compose_file(claims: &Claims) -> Result<Option<ComposeFile>, Finding> {
    let (_, compose) = measured_compose(claims)?;
    match compose.compose_file(launch_script(compose)) {
        Ok(file) => Ok(file),
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
    let statements = statements(claims);
    let record = |image: &String| {
        let (name, digest) = name_and_digest(image)?;
        let ExpectedSource::Built(source) = &rule_of(name, &policy.sources)?.expected else {
            return None;
        };
        let key = format!("{name}@sha256:{}", hex::encode(digest));
        let (statement, _) = passing(statements.get(&key)?, source).ok()?;
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
