//! The statements about the targets that pass: files next to the report.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::WantedFiles;
use super::resource::resource_of;
use crate::bounded_io;
use crate::engine::Deployment;
use crate::render::statement::{PREDICATE_TYPE, SUBJECT, StatementInputs, statement};
use crate::usage_error::{UsageError, WriteError};
use crate::{files, render};
use cvm_verify_core::lock::MAX_LOCK_BYTES;
use cvm_verify_core::policy::{LockOrigin, Policy};
use cvm_verify_core::report::{Report, TargetReport, Verdict};

/// Bytes of a policy file that are hashed.
const POLICY_LIMIT: u64 = 1024 * 1024;
/// Bytes of a file in the folder that are looked at before it is removed.
const LOOKED_AT: u64 = 1024 * 1024;
/// Most files of a folder that are looked at.
const MAX_FILES: usize = 10_000;

/// What the statement about a target needs next to its report.
#[derive(Debug)]
pub(crate) struct Attested {
    name: String,
    /// The measured compose document: the subject.
    app_compose: String,
    inputs: StatementInputs,
}

/// The files of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatementPaths {
    pub statement: PathBuf,
    pub predicate: PathBuf,
}

/// Where statements go: the folder that was named, or that of all files.
pub(crate) fn folder(wanted: &WantedFiles) -> Option<&Path> {
    wanted.statement.as_deref().or(wanted.output_dir.as_deref())
}

/// What is needed of a target that passes, before its evidence is let go.
pub(crate) fn attested(
    deployment: &Deployment,
    app_compose: Option<String>,
    report: &TargetReport,
    evidence_sha256: Option<[u8; 32]>,
    policy_file: Option<&Path>,
) -> Option<Attested> {
    let app_compose = app_compose.filter(|_| report.verdict == Verdict::Pass)?;
    let policy = deployment.expected();
    Some(Attested {
        name: report.name.clone(),
        app_compose,
        inputs: StatementInputs {
            resource: resource_of(&deployment.source, report)?,
            policy_file: policy_file.and_then(|path| hashed(path, POLICY_LIMIT)),
            policy_fingerprint: policy.fingerprint().to_string(),
            lock: lock_of(&policy).and_then(|path| hashed(Path::new(path), MAX_LOCK_BYTES as u64)),
            evidence_sha256,
            report_sha256: [0; 32],
        },
    })
}

fn lock_of(policy: &Policy) -> Option<&str> {
    let platform = policy.locked_platform.as_ref().map(|locked| &locked.lock);
    let compose = policy.locked_compose.as_ref().map(|locked| &locked.lock);
    platform.or(compose).map(LockOrigin::path)
}

fn hashed(path: &Path, limit: u64) -> Option<(String, [u8; 32])> {
    let bytes = files::read(path, limit).ok()?;
    Some((path.display().to_string(), Sha256::digest(bytes).into()))
}

/// Targets end in any order; their statements are listed in that of the report.
pub(crate) fn in_order_of(report: &Report, attested: &mut [Attested]) {
    attested.sort_by_key(|one| {
        let mut targets = report.targets.iter();
        targets.position(|target| target.name == one.name)
    });
}

/// The paths of the statement about a run's only target, where it passes.
pub(crate) fn paths_of_one(
    wanted: &WantedFiles,
    report: &Report,
    attested: &[Attested],
) -> Option<StatementPaths> {
    match (folder(wanted), attested, report.targets.as_slice()) {
        (Some(folder), [_], [_]) => Some(paths(folder, "")),
        _ => None,
    }
}

/// The statements of all targets that pass, for a matrix of jobs that sign them: JSON on one line.
pub(crate) fn list(wanted: &WantedFiles, report: &Report, attested: &[Attested]) -> Option<String> {
    let folder = folder(wanted)?;
    let of = |one: &Attested| {
        let paths = paths(folder, &prefix_of(&one.name, report));
        serde_json::json!({
            "name": one.name,
            "statement-path": paths.statement.display().to_string(),
            "predicate-path": paths.predicate.display().to_string(),
            "subject-digest": format!("sha256:{}", hex::encode(Sha256::digest(&one.app_compose))),
        })
    };
    Some(serde_json::Value::Array(attested.iter().map(of).collect()).to_string())
}

/// The start of the names of a target's files: nothing if it is the only target of the run. Which others pass changes no name. Names
/// that read alike as files get a part of their SHA-256, so that no statement takes the place of another.
fn prefix_of(name: &str, report: &Report) -> String {
    let names: Vec<&str> = report.targets.iter().map(|target| target.name.as_str()).collect();
    prefix_among(name, &names)
}

fn prefix_among(name: &str, all: &[&str]) -> String {
    match (
        all,
        all.iter().filter(|other| prefix(other) == prefix(name)).count(),
    ) {
        ([_], _) => String::new(),
        (_, 0 | 1) => prefix(name),
        _ => {
            let hash = hex::encode(Sha256::digest(name));
            prefix(&format!("{name}-{}", hash.get(..12).unwrap_or_default()))
        }
    }
}

fn paths(folder: &Path, prefix: &str) -> StatementPaths {
    StatementPaths {
        statement: folder.join(format!("{prefix}statement.json")),
        predicate: folder.join(format!("{prefix}predicate.json")),
    }
}

/// Writes the statements, after the last file that they name.
pub(crate) fn write(wanted: &WantedFiles, report: &Report, attested: &[Attested]) -> Vec<WriteError> {
    let Some(folder) = folder(wanted) else {
        return Vec::new();
    };
    if let Err(error) = std::fs::create_dir_all(folder) {
        return vec![WriteError::file(folder, error)];
    }
    let report_sha256: [u8; 32] = Sha256::digest(render::json(report)).into();
    let mut problems = Vec::new();
    for one in attested {
        let Some(target) = report.targets.iter().find(|target| target.name == one.name) else {
            continue;
        };
        let inputs = StatementInputs {
            report_sha256,
            ..one.inputs.clone()
        };
        let Some(statement) = statement(report, target, &inputs) else {
            continue;
        };
        let prefix = prefix_of(&one.name, report);
        let paths = paths(folder, &prefix);
        let predicate = statement
            .get("predicate")
            .map(ToString::to_string)
            .unwrap_or_default();
        for (path, text) in [
            (folder.join(format!("{prefix}{SUBJECT}")), one.app_compose.clone()),
            (paths.predicate, predicate),
            (paths.statement, statement.to_string()),
        ] {
            let written = match is_free(&path, &text) {
                true => files::write(&path, &text),
                false => Err(WriteError::file(
                    &path,
                    "it exists and is not a file that cvm-verify wrote. Name another folder, or remove it",
                )),
            };
            problems.extend(written.err());
        }
    }
    problems
}

/// Whether a file may be written: there is none, it has the same text, or it is ours.
fn is_free(path: &Path, text: &str) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    !path.exists()
        || is_ours(path, &name)
        || bounded_io::read(path, text.len() as u64 + 1).is_ok_and(|found| found == text.as_bytes())
}

/// A target's name as the start of a file's.
fn prefix(name: &str) -> String {
    let plain = |c: char| match c.is_ascii_alphanumeric() || matches!(c, '.' | '-') {
        true => c,
        false => '_',
    };
    let name: String = name.chars().map(plain).collect();
    format!("{name}.")
}

/// Removes the statements of an earlier run: a run that is killed, or that does not pass, must not leave yesterday's behind.
pub(crate) fn remove_earlier(wanted: &WantedFiles) -> Result<(), UsageError> {
    let Some(entries) = folder(wanted).and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return Ok(());
    };
    for entry in entries.take(MAX_FILES).flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let may_be_ours = ["statement.json", "predicate.json"]
            .iter()
            .any(|ending| name == *ending || name.ends_with(&format!(".{ending}")));
        if may_be_ours && is_ours(&path, &name) {
            std::fs::remove_file(&path)
                .map_err(|error| UsageError::file(&path, format!("cannot be removed: {error}")))?;
        }
    }
    Ok(())
}

fn is_ours(path: &Path, name: &str) -> bool {
    let Ok(bytes) = files::read(path, LOOKED_AT) else {
        return false;
    };
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return false;
    };
    let predicate = match name.ends_with("statement.json") {
        // The subject has nothing that tells whose it is.
        _ if name.ends_with(SUBJECT) => None,
        true if value.get("predicateType") == Some(&PREDICATE_TYPE.into()) => value.get("predicate"),
        true => None,
        false => Some(&value),
    };
    let id = predicate.and_then(|predicate| predicate.pointer("/verifier/id"));
    id == Some(&env!("CARGO_PKG_REPOSITORY").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_targets_share_the_files_of_their_statements() {
        let all = ["h:8443/x", "h/8443/x", "other"];
        let [first, second, third] = all.map(|name| prefix_among(name, &all));
        assert_eq!(third, "other.");
        assert!(first.starts_with("h_8443_x-") && second.starts_with("h_8443_x-"));
        assert_ne!(first, second);
        assert_eq!(prefix_among("h:8443/x", &["h:8443/x"]), "");
    }
}
