//! Options that say what is printed and written.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::artifacts::WantedFiles;

#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// What to print.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write the report as JSON to this file.
    #[arg(long, value_name = "FILE")]
    pub report_json: Option<PathBuf>,
    /// Append the report as Markdown to this file.
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Write the report as JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write verdict, failed checks and the other outputs as NAME=VALUE to this file, for GitLab's dotenv report. The
    /// names begin with CVM_VERIFY_RESULT_.
    #[arg(long, value_name = "FILE")]
    pub dotenv: Option<PathBuf>,
    /// Write all files into this folder: report.json, report.txt, summary.md, junit.xml, result.env and, for live
    /// deployments, the evidence.
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// That of `verify`, the only command that has this option.
    #[arg(skip)]
    pub statement: Option<PathBuf>,
    /// Also write the job summary, outputs and annotations of GitHub Actions.
    #[arg(long)]
    pub github: bool,
    /// Print nothing if every target passes; otherwise only verdicts and what to do. Twice (-qq): print nothing at
    /// all. Files are still written, and the exit code is that of the verdict. Errors, and alerts that were not
    /// delivered, are still printed to standard error.
    #[arg(long, short, action = ArgAction::Count)]
    pub quiet: u8,
    /// Whether to use colour. `auto` uses it on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Which verdicts make the exit code non-zero. The exit code in the report does not change.
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub fail_on: FailOn,
}

impl OutputArgs {
    /// Which files are written.
    pub(crate) fn files(&self) -> WantedFiles {
        WantedFiles {
            output_dir: self.output_dir.clone(),
            report_json: self.report_json.clone(),
            summary: self.summary.clone(),
            junit: self.junit.clone(),
            dotenv: self.dotenv.clone(),
            statement: self.statement.clone(),
        }
    }

    /// Whether only results that need attention are printed.
    pub const fn is_quiet(&self) -> bool {
        self.quiet > 0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// With a schema: cvm-verify/report/v1, for `diff` cvm-verify/difference/v1.
    Json,
    /// For a comment or a page.
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// `inconclusive` and `fail`.
    Inconclusive,
    /// Only `fail`.
    Fail,
    /// No verdict.
    Never,
}
