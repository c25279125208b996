//! What a step of GitHub Actions reads beside the log: annotations, job summary, outputs.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use rand::TryRng as _;
use rand::rngs::SysRng;

use super::error::UsageError;
use super::files::append;
use super::output::Places;
use super::surroundings::Surroundings;
use crate::render::{self, Delimiter, Paths};
use crate::report::Report;

/// Writes all three; returns what went wrong.
pub(super) fn speak(report: &Report, places: &Places, surroundings: &mut Surroundings) -> Vec<UsageError> {
    surroundings.print(&render::annotations(report));
    let mut problems = Vec::new();
    match file(surroundings, "GITHUB_STEP_SUMMARY") {
        Some(path) => problems.extend(append(&path, &render::summary(report)).err()),
        None => problems.push(unset("GITHUB_STEP_SUMMARY")),
    }
    match file(surroundings, "GITHUB_OUTPUT") {
        Some(path) => problems.extend(outputs(report, places, &path).err()),
        None => problems.push(unset("GITHUB_OUTPUT")),
    }
    problems
}

fn file(surroundings: &Surroundings, variable: &str) -> Option<PathBuf> {
    surroundings
        .env
        .get(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

fn unset(variable: &str) -> UsageError {
    UsageError::option(
        "--github",
        anyhow!("{variable} is not set; this is no step of GitHub Actions"),
    )
}

fn outputs(report: &Report, places: &Places, path: &Path) -> Result<(), UsageError> {
    let mut random = [0; 16];
    SysRng.try_fill_bytes(&mut random).map_err(|error| {
        UsageError::file(path, format!("cannot be written without random numbers: {error}"))
    })?;
    let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let (report_json, summary, junit, evidence) = (
        text(&places.report_json),
        text(&places.summary),
        text(&places.junit),
        text(&places.evidence),
    );
    let outputs = render::outputs(
        report,
        &Paths {
            report_json: report_json.as_deref(),
            summary: summary.as_deref(),
            junit: junit.as_deref(),
            evidence: evidence.as_deref(),
        },
    );
    append(path, &render::github_output(&outputs, &Delimiter::new(random)))
}
