//! What a step of GitHub Actions reads next to the log: annotations, job summary, outputs.

use std::path::{Path, PathBuf};

use rand::TryRng as _;
use rand::rngs::SysRng;

use crate::alert::variables;
use crate::artifacts::ArtifactPaths;
use crate::env::{Env, typed};
use crate::files::append;
use crate::render::{self, Delimiter, Output, Unjudged};
use crate::usage_error::{UsageError, WriteError};
use cvm_verify_core::report::{AlertRecord, Mode, Report, rfc3339};

/// The file of the job summary.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";
/// The folder of the repository.
const WORKSPACE: &str = "GITHUB_WORKSPACE";
/// The file of the outputs.
const OUTPUT: &str = "GITHUB_OUTPUT";

/// Whether there is a step to speak to: what is found must not be lost.
pub(crate) fn is_a_step(env: &Env) -> Result<(), UsageError> {
    match [SUMMARY, OUTPUT]
        .into_iter()
        .find(|variable| file(env, variable).is_none())
    {
        Some(variable) => Err(UsageError::option(
            "--github",
            format!("{variable} is not set, so this is not a step of GitHub Actions; leave the option out"),
        )),
        None => Ok(()),
    }
}

/// Writes all three; returns what went wrong.
pub(crate) fn speak(report: &Report, written: &[Output], env: &mut Env) -> Vec<WriteError> {
    let workspace = env.variables.get(WORKSPACE).map(PathBuf::from);
    let annotations = render::annotations(report, |file| in_repository(file, workspace.as_deref()));
    env.print(&annotations);
    say_of_empty_channels(env);
    write(env, &render::summary(report), written)
}

/// Adds what became of the alerts to what was written before: of two outputs of one name the last counts.
pub(crate) fn speak_of_alerts(report: &Report, written: &[Output], env: &mut Env) -> Vec<WriteError> {
    env.print(&render::alert_annotations(report));
    let of_alerts: Vec<Output> = written
        .iter()
        .filter(|output| is_of_alerts(output))
        .cloned()
        .collect();
    write(env, &render::alerts_markdown(report), &of_alerts)
}

/// Tells a step of GitHub Actions that a run ended before a verdict; returns what went wrong. Where nobody asked for
/// `--github`, nothing is reported.
pub(crate) fn speak_without_verdict(unjudged: &Unjudged, exit_code: u8, env: &mut Env) -> Vec<WriteError> {
    if !is_asked_for(env) {
        return Vec::new();
    }
    env.print(&unjudged.annotation());
    say_of_empty_channels(env);
    write(
        env,
        &unjudged.summary(),
        &outputs_without_verdict(exit_code, Vec::new(), env),
    )
}

/// Adds what became of the alerts of such a run to its outputs; returns what went wrong.
pub(crate) fn speak_of_unjudged_alerts(alerts: Vec<AlertRecord>, env: &Env) -> Vec<WriteError> {
    if alerts.is_empty() || !is_asked_for(env) {
        return Vec::new();
    }
    let written = outputs_without_verdict(0, alerts, env);
    let of_alerts: Vec<Output> = written.into_iter().filter(is_of_alerts).collect();
    let path = file(env, OUTPUT);
    path.and_then(|path| outputs(&of_alerts, &path).err())
        .into_iter()
        .collect()
}

fn outputs_without_verdict(exit_code: u8, alerts: Vec<AlertRecord>, env: &Env) -> Vec<Output> {
    let at = rfc3339((env.now)());
    let mut report = Report::new(crate::env::tool(), Mode::Live, at, 0, Vec::new());
    report.exit_code = exit_code;
    report.alerts = alerts;
    ArtifactPaths::default().outputs(&report)
}

fn is_of_alerts(output: &Output) -> bool {
    output.name() == "alert-status"
}

fn say_of_empty_channels(env: &mut Env) {
    if let Some(inputs) = variables::given_empty(env) {
        env.print(&render::empty_channels(&inputs));
    }
}

/// Adds to the job summary and to the outputs, where there are such files; returns what went wrong.
fn write(env: &Env, summary: &str, written: &[Output]) -> Vec<WriteError> {
    let summary = file(env, SUMMARY).and_then(|path| append(&path, summary).err());
    let outputs = file(env, OUTPUT).and_then(|path| outputs(written, &path).err());
    summary.into_iter().chain(outputs).collect()
}

/// Whether `--github` was typed or set, as far as that can be said of arguments that may not parse.
fn is_asked_for(env: &Env) -> bool {
    matches!(typed::command(env), "verify" | "replay" | "merge") && typed::flag(env, "github")
}

/// The path of a file from the root of the repository, with `/` between its parts; none of a file outside it.
fn in_repository(file: &str, workspace: Option<&Path>) -> Option<String> {
    let root = workspace?.canonicalize().ok()?;
    let file = Path::new(file).canonicalize().ok()?;
    let parts: Option<Vec<&str>> = file
        .strip_prefix(&root)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    Some(parts?.join("/"))
}

fn file(env: &Env, variable: &str) -> Option<PathBuf> {
    env.variables
        .get(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

fn outputs(outputs: &[Output], path: &Path) -> Result<(), WriteError> {
    let mut random = [0; 16];
    SysRng
        .try_fill_bytes(&mut random)
        .map_err(|error| WriteError::file(path, format!("no random numbers: {error}")))?;
    append(path, &render::github_output(outputs, &Delimiter::new(random)))
}
