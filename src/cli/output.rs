//! Where a report goes, and what becomes of its exit code.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{Color, FailOn, Format, OutputArgs};
use super::earlier_files::{self, Kind};
use super::error::UsageError;
use super::files::{Pending, append, write};
use super::github;
use super::surroundings::Surroundings;
use crate::evidence::Bundle;
use crate::render::{self, Style};
use crate::report::{AlertRecord, Report, Tool, Verdict};

/// When the commit that this program was built from was made, Unix seconds. An honest clock is past it.
pub(super) const COMMIT_TIME: u64 = parse_decimal(env!("CVM_VERIFY_COMMIT_TIME"));

const fn parse_decimal(text: &str) -> u64 {
    let mut rest = text.as_bytes();
    let mut number = 0;
    while let [digit, tail @ ..] = rest {
        number = number * 10 + (*digit - b'0') as u64;
        rest = tail;
    }
    number
}

/// This program.
pub(super) fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git: env!("CVM_VERIFY_GIT").to_owned(),
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Prints the report, writes its files and returns the process's exit code. For a run that alerts nobody.
///
/// The verdict comes first: a file that cannot be written afterwards is said, and turns a 0 into a
/// configuration error, but never hides what was found.
pub(super) fn emit(
    report: &Report,
    bundles: Written,
    args: &OutputArgs,
    surroundings: &mut Surroundings,
) -> anyhow::Result<u8> {
    Ok(announce(report, bundles, args, Alerts::None, surroundings).finish(report, args, surroundings))
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
    places: Places,
    problems: Vec<UsageError>,
    alerts: Alerts,
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
    bundles: Written,
    args: &OutputArgs,
    alerts: Alerts,
    surroundings: &mut Surroundings,
) -> Announced {
    if alerts == Alerts::None || args.format != Format::Json {
        print(report, args, surroundings);
    }
    let places = Places::of(args, &bundles.paths);
    let mut problems = bundles.problems;
    let mut written = report.clone();
    if alerts == Alerts::Follow {
        written.alerts.push(not_sent_yet());
    }
    for Pending { path, text } in places.files(&written) {
        problems.extend(write(&path, &text).err());
    }
    if let Some(path) = &args.summary {
        problems.extend(append(path, &render::summary(report)).err());
    }
    if args.github {
        problems.extend(github::speak(report, &places.outputs(&written), surroundings));
    }
    Announced {
        places,
        problems,
        alerts,
    }
}

impl Announced {
    /// Says what became of the alerts, of which the report knows now; returns the process's exit code.
    pub fn finish(mut self, report: &Report, args: &OutputArgs, surroundings: &mut Surroundings) -> u8 {
        if self.alerts == Alerts::Follow {
            match args.format {
                Format::Json => print(report, args, surroundings),
                Format::Markdown => surroundings.print(&render::alerts_markdown(report)),
                Format::Text if args.quiet => {}
                Format::Text => surroundings.print(&render::alerts_text(report, style(args, surroundings))),
            }
            for Pending { path, text } in self.places.files(report) {
                self.problems.extend(write(&path, &text).err());
            }
            if let Some(path) = &args.summary {
                self.problems
                    .extend(append(path, &render::alerts_markdown(report)).err());
            }
            if args.github {
                let outputs = self.places.outputs(report);
                self.problems
                    .extend(github::speak_of_alerts(report, &outputs, surroundings));
            }
        }
        let code = process_status(report.verdict, args.fail_on);
        for problem in &self.problems {
            surroundings.complain(&format!("error: {problem}"));
        }
        if code == 0 && !self.problems.is_empty() {
            super::USAGE
        } else {
            code
        }
    }
}

fn print(report: &Report, args: &OutputArgs, surroundings: &mut Surroundings) {
    let text = match args.format {
        Format::Json => render::json(report),
        Format::Markdown => render::markdown(report),
        Format::Text => render::text(report, style(args, surroundings)),
    };
    surroundings.print(&text);
}

/// Evidence bundles, written as the evidence comes, so that they are not held until the end.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Their files.
    paths: Vec<PathBuf>,
    /// What could not be written: said after the verdict.
    problems: Vec<UsageError>,
}

impl Written {
    /// Writes a bundle, where there is one and somebody wants it.
    pub fn write(&mut self, path: Option<&Path>, bundle: Option<&Bundle>) {
        let (Some(path), Some(bundle)) = (path, bundle) else {
            return;
        };
        let written = bundle
            .to_json()
            .map_err(|error| UsageError::file(path, error))
            .and_then(|text| write(path, &text));
        self.paths.push(path.to_owned());
        self.problems.extend(written.err());
    }
}

/// Where the files of a run go.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub report_json: Option<PathBuf>,
    pub report_text: Option<PathBuf>,
    pub summary: Option<PathBuf>,
    pub junit: Option<PathBuf>,
    pub dotenv: Option<PathBuf>,
    /// The bundle, or the folder of the bundles.
    pub evidence: Option<PathBuf>,
}

impl Places {
    fn of(args: &OutputArgs, bundles: &[PathBuf]) -> Self {
        let inside = |name: &str| args.output_dir.as_ref().map(|folder| folder.join(name));
        let evidence = match bundles {
            [] => None,
            [one] => Some(one.clone()),
            [first, ..] => first.parent().map(Path::to_path_buf),
        };
        Self {
            report_json: args.report_json.clone().or_else(|| inside("report.json")),
            report_text: inside("report.txt"),
            summary: inside("summary.md"),
            junit: args.junit.clone().or_else(|| inside("junit.xml")),
            dotenv: args.dotenv.clone().or_else(|| inside("result.env")),
            evidence,
        }
    }

    /// What later steps and jobs read, with the paths of these files.
    pub(super) fn outputs(&self, report: &Report) -> Vec<render::Output> {
        let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let (report_json, summary, junit, evidence) = (
            text(&self.report_json),
            text(&self.summary),
            text(&self.junit),
            text(&self.evidence),
        );
        let paths = render::Paths {
            report_json: report_json.as_deref(),
            summary: summary.as_deref(),
            junit: junit.as_deref(),
            evidence: evidence.as_deref(),
        };
        render::outputs(report, &paths)
    }

    fn files(&self, report: &Report) -> Vec<Pending> {
        let files = self.files_by_kind(report).into_iter();
        files.map(|(_, file)| file).collect()
    }

    fn files_by_kind(&self, report: &Report) -> Vec<(Kind, Pending)> {
        let file = |kind, path: &Option<PathBuf>, render: &dyn Fn() -> String| {
            let path = path.clone()?;
            Some((kind, Pending { path, text: render() }))
        };
        [
            file(Kind::ReportJson, &self.report_json, &|| render::json(report)),
            file(Kind::ReportText, &self.report_text, &|| {
                render::text(report, Style::default())
            }),
            file(Kind::Summary, &self.summary, &|| render::summary(report)),
            file(Kind::Junit, &self.junit, &|| render::junit(report)),
            file(Kind::Dotenv, &self.dotenv, &|| {
                render::dotenv(&self.outputs(report))
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// A file that is read must not be one that is written: it would say `inconclusive` before it is read.
pub(super) fn refuse_to_overwrite(args: &OutputArgs, inputs: &[PathBuf]) -> Result<(), UsageError> {
    let places = Places::of(args, &[]);
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
pub(super) fn prepare(args: &OutputArgs, unfinished: &Report) -> Result<(), UsageError> {
    if let Some(folder) = &args.output_dir {
        std::fs::create_dir_all(folder)
            .map_err(|error| UsageError::file(folder, format!("cannot be made: {error}")))?;
    }
    earlier_files::overwrite(Places::of(args, &[]).files_by_kind(unfinished))
}

fn style(args: &OutputArgs, surroundings: &Surroundings) -> Style {
    let color = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            surroundings.stdout_is_terminal && surroundings.env.get("NO_COLOR").is_none_or(String::is_empty)
        }
    };
    Style {
        color,
        quiet: args.quiet,
        ..Style::default()
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
