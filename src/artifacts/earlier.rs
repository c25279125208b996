//! Files of an earlier run, in the places where this one will write its own.
//!
//! A run that is killed, or that ends before it has a verdict, must not leave yesterday's pass behind. So files that are
//! recognisably ours say `inconclusive` before anything else happens; a file that somebody else wrote is an error and stays
//! as it is.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::files::{PendingFile, write};
use crate::render::{DOTENV_PREFIX, TEXT_MARK};
use crate::usage_error::{CommandError, UsageError};
use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::evidence::BUNDLE_SCHEMA;
use cvm_verify_core::policy::Policy;
use cvm_verify_core::report::{Mode, Report, SCHEMA, Shard, rfc3339};
use cvm_verify_core::verify::TrustRoot;

/// Bytes of a file that are looked at. A summary is at most 900 KiB.
const LOOKED_AT: u64 = 1024 * 1024;

/// Bytes of the end of a longer file.
const LAST: i64 = 1024;

/// What a file of ours is recognised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EarlierFile {
    ReportJson,
    ReportText,
    Summary,
    Junit,
    Dotenv,
    /// It is replaced when the new one is complete, and not before.
    Evidence,
}

/// A report that says that its run did not end. It is written before the run begins, and stays where it is killed.
pub(crate) fn unfinished(mode: Mode, shard: Option<Shard>, now: u64) -> Report {
    let failure = EvidenceFailure::new(
        EvidenceReason::NotFinished,
        "There is no verdict: the run still runs, it was stopped, or a usage error ended it, which the log shows.",
    );
    let subject = Subject {
        name: shard.map_or_else(|| "this run".to_owned(), |shard| format!("shard {shard}")),
        url: None,
        root: TrustRoot::Intel,
        at: now,
        bundle: None,
    };
    let target = appraise(Err(&failure), &Policy::default(), &subject);
    let mut report = Report::new(crate::env::tool(), mode, rfc3339(now), 0, vec![target]);
    report.shard = shard;
    report
}

/// Overwrites what an earlier run left in these places. Nothing is written where one of them holds somebody else's file.
pub(super) fn overwrite(files: Vec<(EarlierFile, PendingFile)>) -> Result<(), CommandError> {
    let mut ours = Vec::new();
    for (kind, file) in files {
        if is_earlier(kind, &file.path)? {
            ours.push(file);
        }
    }
    for PendingFile { path, text } in ours {
        write(&path, &text)?;
    }
    Ok(())
}

/// Whether an earlier run wrote this file. One that somebody else wrote is refused.
pub(super) fn is_earlier(kind: EarlierFile, path: &Path) -> Result<bool, UsageError> {
    match start_of(path)? {
        None => Ok(false),
        Some(text) if is_ours(kind, &text) => Ok(true),
        Some(_) => Err(UsageError::file(
            path,
            "exists and is not a file that cvm-verify wrote; it was not changed. Name another file, or remove this one",
        )),
    }
}

/// The start of a file, and the end of a long one; `None` if there is none, or something that is no file, as a device or a pipe.
fn start_of(path: &Path) -> Result<Option<String>, UsageError> {
    let cannot = |error: std::io::Error| UsageError::file(path, format!("cannot be read: {error}"));
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(error)),
        Ok(found) if found.is_dir() => {
            return Err(UsageError::file(path, "is a folder; a file is needed"));
        }
        Ok(found) if !found.is_file() => return Ok(None),
        Ok(_) => {}
    }
    let mut bytes = Vec::new();
    let mut file = File::open(path).map_err(cannot)?;
    if file
        .by_ref()
        .take(LOOKED_AT)
        .read_to_end(&mut bytes)
        .map_err(cannot)? as u64
        == LOOKED_AT
    {
        // What wrote a text is at its end.
        let end = file
            .seek(SeekFrom::End(-LAST))
            .and_then(|_| file.take(LOOKED_AT).read_to_end(&mut bytes));
        end.map_err(cannot)?;
    }
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Whether we wrote a file that begins so. An empty one is nobody's.
fn is_ours(kind: EarlierFile, text: &str) -> bool {
    let start: String = text.chars().take(500).collect();
    text.is_empty()
        || match kind {
            EarlierFile::ReportJson => start.trim_start().starts_with('{') && start.contains(SCHEMA),
            EarlierFile::Evidence => start.trim_start().starts_with('{') && start.contains(BUNDLE_SCHEMA),
            EarlierFile::Junit => start.contains("<testsuites") && start.contains("cvm-verify"),
            EarlierFile::Dotenv => text.lines().all(|line| line.starts_with(DOTENV_PREFIX)),
            EarlierFile::ReportText => text
                .lines()
                .next_back()
                .is_some_and(|line| line.starts_with(TEXT_MARK)),
            EarlierFile::Summary => text.contains("<sub>cvm-verify "),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render;

    fn all(report: &Report) -> [(EarlierFile, String); 5] {
        let outputs = render::outputs(report, &render::Paths::default());
        [
            (EarlierFile::ReportJson, render::json(report)),
            (EarlierFile::ReportText, render::text_file(report)),
            (EarlierFile::Summary, render::summary(report)),
            (EarlierFile::Junit, render::junit(report)),
            (EarlierFile::Dotenv, render::dotenv(&outputs)),
        ]
    }

    #[test]
    fn what_we_write_is_recognised_and_nothing_else_is() {
        let report = unfinished(Mode::Live, None, 0);
        for (kind, text) in all(&report) {
            assert!(is_ours(kind, &text) && is_ours(kind, ""), "{kind:?}");
            for other in [
                "{}",
                "{\"a\": 1}\n",
                "# My notes\n",
                "KEY=value\n",
                "<testsuites name=\"jest\">",
                "hello",
                "go test: PASS ok 12 tests, my own report\n",
            ] {
                assert!(!is_ours(kind, other), "{kind:?}: {other}");
            }
        }
    }

    #[test]
    fn a_run_that_did_not_end_is_never_a_pass() {
        let report = unfinished(Mode::Live, Some("2/3".parse().expect("a shard")), 0);
        assert_eq!((report.verdict.as_str(), report.exit_code), ("inconclusive", 3));
        let [(_, json), (_, text), (_, summary), (_, junit), (_, dotenv)] = all(&report);
        crate::merge::read("a", json.as_bytes()).expect("a sound report");
        for text in [json, text, summary, junit, dotenv] {
            assert!(
                text.to_lowercase().contains("inconclusive") || text.contains("<error"),
                "{text}"
            );
        }
    }
}
