//! Where a report goes, and what becomes of its exit code.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{Color, FailOn, Format, OutputArgs};
use super::error::UsageError;
use super::files::{Pending, append, write};
use super::github;
use super::surroundings::Surroundings;
use crate::render::{self, Style};
use crate::report::{Report, Tool, Verdict};

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

/// Prints the report, writes its files and returns the process's exit code.
///
/// The verdict comes first: a file that cannot be written afterwards is said, and turns a 0 into a
/// configuration error, but never hides what was found.
pub(super) fn emit(
    report: &Report,
    bundles: Vec<Pending>,
    args: &OutputArgs,
    surroundings: &mut Surroundings,
) -> anyhow::Result<u8> {
    let text = match args.format {
        Format::Json => render::json(report),
        Format::Markdown => render::markdown(report),
        Format::Text => render::text(report, style(args, surroundings)),
    };
    surroundings.print(&text);
    let places = Places::of(args, &bundles);
    let mut problems = Vec::new();
    for Pending { path, text } in bundles.into_iter().chain(places.files(report)) {
        problems.extend(write(&path, &text).err());
    }
    if let Some(path) = &args.summary {
        problems.extend(append(path, &render::summary(report)).err());
    }
    if args.github {
        problems.extend(github::speak(report, &places, surroundings));
    }
    let code = process_status(report.verdict, args.fail_on);
    for problem in &problems {
        surroundings.complain(&format!("error: {problem}"));
    }
    Ok(if code == 0 && !problems.is_empty() {
        super::USAGE
    } else {
        code
    })
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
    fn of(args: &OutputArgs, bundles: &[Pending]) -> Self {
        let inside = |name: &str| args.output_dir.as_ref().map(|folder| folder.join(name));
        let evidence = match bundles {
            [] => None,
            [one] => Some(one.path.clone()),
            [first, ..] => first.path.parent().map(Path::to_path_buf),
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
        let file = |path: &Option<PathBuf>, render: &dyn Fn() -> String| {
            path.clone().map(|path| Pending { path, text: render() })
        };
        [
            file(&self.report_json, &|| render::json(report)),
            file(&self.report_text, &|| render::text(report, Style::default())),
            file(&self.summary, &|| render::summary(report)),
            file(&self.junit, &|| render::junit(report)),
            file(&self.dotenv, &|| render::dotenv(&self.outputs(report))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Makes the folder of `--output-dir`.
pub(super) fn prepare(args: &OutputArgs) -> Result<(), UsageError> {
    match &args.output_dir {
        None => Ok(()),
        Some(folder) => std::fs::create_dir_all(folder)
            .map_err(|error| UsageError::file(folder, format!("cannot be made: {error}"))),
    }
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
