//! The statements about the targets that pass: files next to the report.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::WantedFiles;
use super::resource::resource_of;
use crate::engine::Deployment;
use crate::render::statement::{PREDICATE_TYPE, SUBJECT, StatementInputs, statement};
use crate::usage_error::{UsageError, WriteError};
use crate::{bounded_io, files, render};
use cvm_verify_core::evidence::MAX_COMPOSE_FILE_BYTES;
use cvm_verify_core::lock::MAX_LOCK_BYTES;
use cvm_verify_core::report::{Report, TargetReport, Verdict};

/// How the name of a statement's file ends.
const STATEMENT: &str = "statement.json";
/// How that of its predicate ends.
const PREDICATE: &str = "predicate.json";
/// Bytes of a policy file that are hashed.
const POLICY_LIMIT: u64 = 1024 * 1024;
/// Bytes of a file in the folder that are looked at before it is removed.
const LOOKED_AT: u64 = 1024 * 1024;
/// Most statements and predicates of a folder that are looked at: those of 20,000 targets.
const MAX_FILES: usize = 40_000;

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
            lock: (policy.lock.as_ref())
                .and_then(|lock| hashed(Path::new(lock.path()), MAX_LOCK_BYTES as u64)),
            evidence_sha256,
            report_sha256: [0; 32],
        },
    })
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
        // Some file systems take upper and lower case for the same.
        all.iter()
            .filter(|other| prefix(other).eq_ignore_ascii_case(&prefix(name)))
            .count(),
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
        statement: folder.join(format!("{prefix}{STATEMENT}")),
        predicate: folder.join(format!("{prefix}{PREDICATE}")),
    }
}

/// Writes the statements, after the last file that they name.
pub(crate) fn write(wanted: &WantedFiles, report: &Report, attested: &[Attested]) -> Vec<WriteError> {
    let Some(folder) = folder(wanted) else {
        return Vec::new();
    };
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
        // The statement comes first: it says whose the subject is, also where the run is killed in between.
        let files = [
            (paths.statement, statement.to_string()),
            (paths.predicate, predicate),
            (folder.join(format!("{prefix}{SUBJECT}")), one.app_compose.clone()),
        ];
        // No statement stands beside the subject of another one.
        let taken = files.iter().find(|(path, text)| !is_free(path, text));
        problems.extend(taken.map(|(path, _)| {
            let why = "it exists and is not a file that cvm-verify wrote. Name another folder, or remove it";
            WriteError::file(path, why)
        }));
        if taken.is_none() {
            problems.extend(
                files
                    .iter()
                    .filter_map(|(path, text)| files::write(path, text).err()),
            );
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

/// Removes the statements of an earlier run, with their subjects: a run that is killed, or that does not pass, must not leave
/// yesterday's behind, and the next release has another subject.
pub(crate) fn remove_earlier(wanted: &WantedFiles) -> Result<(), UsageError> {
    let Some((folder, entries)) =
        folder(wanted).and_then(|folder| Some((folder, std::fs::read_dir(folder).ok()?)))
    else {
        return Ok(());
    };
    let mut looked_at = 0;
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let statement = name.strip_suffix(STATEMENT).filter(|prefix| is_prefix(prefix));
        let predicate = name.strip_suffix(PREDICATE).filter(|prefix| is_prefix(prefix));
        if statement.or(predicate).is_none() {
            continue;
        }
        looked_at += 1;
        if looked_at > MAX_FILES {
            let words = format!("holds more than {MAX_FILES} statements and predicates; name another folder");
            return Err(UsageError::file(folder, words));
        }
        if !is_ours(&path, &name) {
            continue;
        }
        let subject = statement.map(|prefix| folder.join(format!("{prefix}{SUBJECT}")));
        let subject = subject.filter(|subject| is_subject_of(subject, &path));
        for file in subject.iter().chain([&path]) {
            std::fs::remove_file(file)
                .map_err(|error| UsageError::file(file, format!("cannot be removed: {error}")))?;
        }
    }
    Ok(())
}

/// Whether a file name's start is that of a run's only target, or of one of several.
fn is_prefix(text: &str) -> bool {
    text.is_empty() || text.ends_with('.')
}

/// Whether a file is what a statement is about.
fn is_subject_of(subject: &Path, statement: &Path) -> bool {
    let digest = json(statement)
        .and_then(|value| Some(value.pointer("/subject/0/digest/sha256")?.as_str()?.to_owned()));
    let found = files::read(subject, MAX_COMPOSE_FILE_BYTES as u64);
    found.is_ok_and(|bytes| digest == Some(hex::encode(Sha256::digest(bytes))))
}

fn json(path: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&files::read(path, LOOKED_AT).ok()?).ok()
}

/// Whether a statement or a predicate is one of this program.
fn is_ours(path: &Path, name: &str) -> bool {
    let Some(value) = json(path) else {
        return false;
    };
    let predicate = match name.ends_with(STATEMENT) {
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
        let all = ["h:8443/x", "h/8443/x", "other", "Shop", "shop"];
        let [first, second, third, upper, lower] = all.map(|name| prefix_among(name, &all));
        assert!(!upper.eq_ignore_ascii_case(&lower), "{upper} {lower}");
        assert_eq!(third, "other.");
        assert!(first.starts_with("h_8443_x-") && second.starts_with("h_8443_x-"));
        assert_ne!(first, second);
        assert_eq!(prefix_among("h:8443/x", &["h:8443/x"]), "");
    }
}
