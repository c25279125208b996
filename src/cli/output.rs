//! Where a report goes, and what becomes of its exit code.

use std::time::Duration;

use super::args::{Color, FailOn, Format, OutputArgs};
use super::files::{Pending, write};
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
    mut files: Vec<Pending>,
    args: &OutputArgs,
    surroundings: &mut Surroundings,
) -> anyhow::Result<u8> {
    let text = match args.format {
        Format::Json => render::json(report),
        Format::Text => render::text(report, style(args, surroundings)),
    };
    surroundings.print(&text);
    if let Some(path) = &args.report_json {
        files.push(Pending {
            path: path.clone(),
            text: render::json(report),
        });
    }
    let mut code = process_status(report.verdict, args.fail_on);
    for Pending { path, text } in files {
        if let Err(error) = write(&path, &text) {
            surroundings.complain(&format!("error: {error}"));
            code = if code == 0 { super::USAGE } else { code };
        }
    }
    Ok(code)
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
