//! Where a report goes, and what becomes of its exit code.

use std::borrow::Cow;

use super::args::{Color, FailOn, Format, OutputArgs};
use crate::alert::alerting::not_sent_yet;
use crate::artifacts::{self, ArtifactPaths, Attested, BundleFiles, statements};
use crate::env::Env;
use crate::files::{PendingFile, append, write};
use crate::github_step;
use crate::render::{self, TextStyle};
use crate::usage_error::WriteError;
use cvm_verify_core::report::{Report, Verdict};

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
    /// Channels are notified next.
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

/// Prints the verdict and writes every file, before anybody is notified. One JSON document on standard output holds what
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
    let files = args.files();
    let mut places = ArtifactPaths::of(&files, &bundles.paths);
    let BundleFiles {
        mut attested,
        mut problems,
        ..
    } = bundles;
    statements::in_order_of(report, &mut attested);
    places.statement = statements::paths_of_one(&files, report, &attested);
    places.statements = statements::list(&files, report, &attested);
    // A report on ten thousand targets is copied only where the copy says something else.
    let mut written = Cow::Borrowed(report);
    if alerts == Alerts::Follow {
        written.to_mut().alerts.push(not_sent_yet());
    }
    for PendingFile { path, text } in places.files(&written) {
        problems.extend(write(&path, &text).err());
    }
    if let Some(path) = &args.summary {
        problems.extend(append(path, &render::summary(report)).err());
    }
    if args.github {
        problems.extend(github_step::speak(report, &places.outputs(&written), env));
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
                // Nobody else hears of a channel that is dead.
                _ if args.quiet > 1 => complain_of_alerts(report, args, env),
                Format::Text if args.is_quiet() => complain_of_alerts(report, args, env),
                Format::Json => print(report, args, env),
                Format::Markdown => env.print(&render::alerts_markdown(report)),
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
                    .extend(github_step::speak_of_alerts(report, &outputs, env));
            }
        }
        self.problems
            .extend(statements::write(&args.files(), report, &self.attested));
        let code = process_status(report.verdict, args.fail_on);
        let problems: Vec<String> = self.problems.iter().map(WriteError::to_string).collect();
        for problem in &problems {
            env.complain(&format!("error: {problem}"));
        }
        if args.github {
            env.print(&render::lost_results(&problems));
        }
        match (problems.is_empty(), code) {
            (true, code) => code,
            (false, 0) => {
                env.complain(&format!("{}\n{}", super::LOST, super::MAKE_ROOM));
                super::INCONCLUSIVE
            }
            (false, code) => {
                env.complain(super::MAKE_ROOM);
                code
            }
        }
    }
}

/// A pass is silent with `-q`, everything with `-qq`. A document for machines is printed if it was asked for.
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

/// Says on standard error which alerts were not delivered.
fn complain_of_alerts(report: &Report, args: &OutputArgs, env: &mut Env) {
    let style = TextStyle {
        color: false,
        ..style(args, env)
    };
    env.write_error(render::undelivered_alerts(report, style).trim_start_matches('\n'));
}

/// Makes the folder of `--output-dir`, and lets the files of an earlier run say what this one would if it were killed.
pub(super) fn prepare(args: &OutputArgs, unfinished: &Report, env: &Env) -> anyhow::Result<()> {
    artifacts::prepare(&args.files(), unfinished)?;
    match args.github {
        true => Ok(github_step::is_a_step(env)?),
        false => Ok(()),
    }
}

fn style(args: &OutputArgs, env: &Env) -> TextStyle {
    let color = match args.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            env.stdout_is_terminal
                && !env.is_dumb_terminal()
                && env.variables.get("NO_COLOR").is_none_or(String::is_empty)
        }
    };
    TextStyle {
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
