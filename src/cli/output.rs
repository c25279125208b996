//! Where a report goes, and what becomes of its exit code.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::args::{Color, FailOn, Format, OutputArgs};
use super::artifacts::ArtifactPaths;
use super::statement_files::{self, Attested};
use super::{earlier_files, github};
use crate::env::Env;
use crate::files::{PendingFile, append, write};
use crate::render::{self, Style};
use crate::usage_error::{UsageError, WriteError};
use cvm_verify_core::evidence::Bundle;
use cvm_verify_core::report::{AlertRecord, Report, Verdict};

/// Prints the report, writes its files and returns the process's exit code. For a run that alerts nobody.
///
/// The verdict comes first: a file that cannot be written afterwards is said, and turns a 0 into a 3, but never hides what was
/// found.
pub(super) fn emit(
    report: &Report,
    bundles: BundleFiles,
    args: &OutputArgs,
    env: &mut Env,
) -> anyhow::Result<u8> {
    Ok(announce(report, bundles, args, Alerts::None, env).finish(report, args, env))
}

/// Whether a run tells anybody, once its verdict is out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alerts {
    /// Nobody.
    None,
    /// Channels are told next.
    Follow,
}

/// A run whose verdict is printed and written: a channel that takes its time, or a signal that ends the waiting, can hide
/// nothing any more.
#[must_use]
pub(super) struct Announced {
    places: ArtifactPaths,
    problems: Vec<WriteError>,
    alerts: Alerts,
    attested: Vec<Attested>,
}

/// What the files say of the alerts until they are done. A run that is killed meanwhile leaves it.
fn not_sent_yet() -> AlertRecord {
    AlertRecord {
        channel: "all".to_owned(),
        event: "alert".to_owned(),
        delivered: false,
        detail: "not sent: the run ended before its alerts were".to_owned(),
    }
}

/// Prints the verdict and writes every file, before anybody is told. One JSON document on standard output holds what
/// became of the alerts, and so comes last.
pub(super) fn announce(
    report: &Report,
    bundles: BundleFiles,
    args: &OutputArgs,
    alerts: Alerts,
    env: &mut Env,
) -> Announced {
    if alerts == Alerts::None || args.format != Format::Json {
        print(report, args, env);
    }
    let mut places = ArtifactPaths::of(args, &bundles.paths);
    let BundleFiles {
        mut attested,
        mut problems,
        ..
    } = bundles;
    statement_files::in_order_of(report, &mut attested);
    places.statement = statement_files::paths_of_one(args, report, &attested);
    places.statements = statement_files::list(args, report, &attested);
    let mut written = report.clone();
    if alerts == Alerts::Follow {
        written.alerts.push(not_sent_yet());
    }
    for PendingFile { path, text } in places.files(&written) {
        problems.extend(write(&path, &text).err());
    }
    if let Some(path) = &args.summary {
        problems.extend(append(path, &render::summary(report)).err());
    }
    if args.github {
        problems.extend(github::speak(report, &places.outputs(&written), env));
    }
    Announced {
        places,
        problems,
        alerts,
        attested,
    }
}

impl Announced {
    /// Says what became of the alerts, of which the report knows now; returns the process's exit code.
    pub fn finish(mut self, report: &Report, args: &OutputArgs, env: &mut Env) -> u8 {
        if self.alerts == Alerts::Follow {
            match args.format {
                Format::Json => print(report, args, env),
                Format::Markdown => env.print(&render::alerts_markdown(report)),
                Format::Text if args.is_quiet() => {}
                Format::Text => env.print(&render::alerts_text(report, style(args, env))),
            }
            for PendingFile { path, text } in self.places.files(report) {
                self.problems.extend(write(&path, &text).err());
            }
            if let Some(path) = &args.summary {
                self.problems
                    .extend(append(path, &render::alerts_markdown(report)).err());
            }
            if args.github {
                let outputs = self.places.outputs(report);
                self.problems
                    .extend(github::speak_of_alerts(report, &outputs, env));
            }
        }
        self.problems
            .extend(statement_files::write(args, report, &self.attested));
        let code = process_status(report.verdict, args.fail_on);
        let problems: Vec<String> = self.problems.iter().map(WriteError::to_string).collect();
        for problem in &problems {
            super::complain_safely(env, &format!("error: {problem}"));
        }
        if args.github {
            env.print(&render::lost_results(&problems));
        }
        if code == 0 && !problems.is_empty() {
            super::INCONCLUSIVE
        } else {
            code
        }
    }
}

/// A pass is silent with `-q`, everything with `-qq`. A document for machines is printed where it was asked for.
fn is_silent(report: &Report, args: &OutputArgs) -> bool {
    let passes = report.verdict == Verdict::Pass;
    args.quiet > 1 || (args.is_quiet() && passes && args.format == Format::Text)
}

fn print(report: &Report, args: &OutputArgs, env: &mut Env) {
    if is_silent(report, args) {
        return;
    }
    let text = match args.format {
        Format::Json => render::json(report),
        Format::Markdown => render::markdown(report),
        Format::Text => render::text(report, style(args, env)),
    };
    env.print(&text);
}

/// Evidence bundles, written as the evidence comes, so that they are not held until the end.
#[derive(Debug, Default)]
pub(super) struct BundleFiles {
    /// Their files.
    paths: Vec<PathBuf>,
    /// What could not be written: said after the verdict.
    problems: Vec<WriteError>,
    /// What the statements about the targets that pass need.
    pub attested: Vec<Attested>,
}

impl BundleFiles {
    /// Writes a bundle, where there is one and somebody wants it; its SHA-256.
    pub fn write(&mut self, path: Option<&Path>, bundle: Option<&Bundle>) -> Option<[u8; 32]> {
        let (Some(path), Some(bundle)) = (path, bundle) else {
            return None;
        };
        let written = bundle
            .to_json()
            .map_err(|error| WriteError::file(path, error))
            .and_then(|text| write(path, &text).map(|()| Sha256::digest(&text).into()));
        self.paths.push(path.to_owned());
        written.map_err(|error| self.problems.push(error)).ok()
    }
}

/// A file that is read must not be one that is written: it would say `inconclusive` before it is read.
pub(super) fn refuse_to_overwrite(args: &OutputArgs, inputs: &[PathBuf]) -> Result<(), UsageError> {
    let places = ArtifactPaths::of(args, &[]);
    let outputs = [
        &places.report_json,
        &places.report_text,
        &places.summary,
        &places.junit,
        &places.dotenv,
    ];
    let real = |path: &Path| path.canonicalize().ok();
    let written: Vec<PathBuf> = outputs
        .into_iter()
        .flatten()
        .filter_map(|path| real(path))
        .collect();
    match inputs
        .iter()
        .find(|input| real(input).is_some_and(|input| written.contains(&input)))
    {
        Some(input) => Err(UsageError::file(
            input,
            "is read, and would be written, too; name another file to write",
        )),
        None => Ok(()),
    }
}

/// Makes the folder of `--output-dir`, and lets the files of an earlier run say what this one would if it were killed.
pub(super) fn prepare(args: &OutputArgs, unfinished: &Report, env: &Env) -> anyhow::Result<()> {
    if let Some(folder) = &args.output_dir {
        std::fs::create_dir_all(folder).map_err(|error| WriteError::file(folder, error))?;
    }
    statement_files::remove_earlier(args)?;
    earlier_files::overwrite(ArtifactPaths::of(args, &[]).files_by_kind(unfinished))?;
    match args.github {
        true => Ok(github::is_a_step(env)?),
        false => Ok(()),
    }
}

fn style(args: &OutputArgs, env: &Env) -> Style {
    let color = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            env.stdout_is_terminal
                && !env.is_dumb_terminal()
                && env.variables.get("NO_COLOR").is_none_or(String::is_empty)
        }
    };
    Style {
        color,
        quiet: args.is_quiet(),
        width: env.width(),
    }
}

/// `--fail-on` only turns the process status into 0; the report keeps the verdict's own code.
fn process_status(verdict: Verdict, fail_on: FailOn) -> u8 {
    match (verdict, fail_on) {
        (_, FailOn::Never) | (Verdict::Inconclusive, FailOn::Fail) => 0,
        (verdict, _) => verdict.exit_code(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fail_on_decides_the_process_status_alone() {
        let status = |verdict| {
            [FailOn::Inconclusive, FailOn::Fail, FailOn::Never].map(|on| process_status(verdict, on))
        };
        assert_eq!(status(Verdict::Pass), [0, 0, 0]);
        assert_eq!(status(Verdict::Fail), [1, 1, 0]);
        assert_eq!(status(Verdict::Inconclusive), [3, 0, 0]);
    }
}
