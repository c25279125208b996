//! A release given by its docker compose file, and two releases at a time.

use std::path::Path;

use super::error::UsageError;
use super::files;
use crate::config::{Expected, Origin, Policy, SecondHash};

/// `--docker-compose`. Beside `--app-compose-file` it must be the docker compose file in there.
pub(super) fn docker_compose(
    path: Option<&Path>,
    document: Option<&[u8]>,
) -> Result<Option<Expected<String>>, UsageError> {
    let Some(path) = path else {
        return Ok(None);
    };
    let text = files::read_docker_compose(path)?;
    let inside = document.and_then(|bytes| {
        let document: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        Some(document.get("docker_compose_file")?.as_str()? == text)
    });
    if inside == Some(false) {
        return Err(UsageError::new(
            "--docker-compose and --app-compose-file contradict each other: the docker compose file inside the document is \
             another one",
        ));
    }
    Ok(Some(Expected {
        value: text,
        origin: Origin::Option("--docker-compose"),
    }))
}

/// `--also-compose-hash`, at the time that is judged at, Unix seconds.
pub(super) fn second_hash(text: Option<&str>, at: u64) -> Result<Option<SecondHash>, UsageError> {
    text.map(|text| {
        let second: SecondHash = text.parse()?;
        second.check_end(at)?;
        Ok(second)
    })
    .transpose()
    .map_err(|error: crate::config::SecondHashError| UsageError::option("--also-compose-hash", error))
}

/// A second hash needs a first expectation, and another one.
pub(super) fn check(policy: &Policy) -> Result<(), UsageError> {
    let Some(second) = &policy.second_compose_hash else {
        return Ok(());
    };
    match &policy.compose_hash {
        Some(first) if first.value == second.value => Err(UsageError::option(
            "--also-compose-hash",
            format!(
                "it is the hash that {} expects already; give that of the other release",
                first.origin
            ),
        )),
        None if policy.docker_compose.is_none() => Err(UsageError::option(
            "--also-compose-hash",
            "it is the second of two hashes, and there is no first; give --compose-hash, --app-compose-file, \
             --docker-compose or --lock",
        )),
        _ => Ok(()),
    }
}
