//! The command line as a whole: what `-h` shows on one screen, and what `--version` says.
//!
//! `-h` has the options of every day and examples; `--help` has every option.

use std::sync::LazyLock;

use chrono::DateTime;
use clap::CommandFactory as _;

use super::args::{Cli, ENVIRONMENT};
use crate::engine::COMMIT_TIME;
use crate::env::tool;
use cvm_verify_core::reference::ReferenceValues;

/// What `-h` of a command shows.
struct Screen {
    command: &'static str,
    /// Options by their long names, each with a line of its own.
    options: &'static [(&'static str, &'static str)],
    examples: &'static str,
}

const SCREENS: [Screen; 4] = [
    Screen {
        command: "verify",
        options: &[
            ("lock", "What is expected: the file that `cvm-verify pin` wrote"),
            (
                "compose-hash",
                "The SHA-256 of the compose document of this release",
            ),
            ("docker-compose", "The docker compose file of your repository"),
            (
                "config",
                "The policy file; default: cvm-verify.toml, if no URL is given",
            ),
            ("target", "Verify this target of the policy file only"),
            ("source", "Who is asked for evidence; default: the app itself"),
            (
                "wait",
                "Repeat until the expected code is live, or this time is up: 10m",
            ),
            ("format", "What is printed"),
            (
                "output-dir",
                "Write report, summary, JUnit and evidence into this folder",
            ),
            ("quiet", "Print nothing if it passes; -qq: print nothing"),
        ],
        examples: "Examples:\n  \
            cvm-verify verify https://your-app.example                 # as cvm.lock in this folder says\n  \
            cvm-verify verify https://your-app.example --lock prod.lock --wait 10m\n  \
            cvm-verify verify                                          # every target of cvm-verify.toml",
    },
    Screen {
        command: "replay",
        options: &[
            ("lock", "What is expected: the file that `cvm-verify pin` wrote"),
            (
                "compose-hash",
                "The SHA-256 of the compose document of this release",
            ),
            (
                "attestation",
                "A body of /attestation, or a bare quote, instead of a bundle",
            ),
            ("info", "The body of /info beside it"),
            ("collateral", "Intel's statements about the platform"),
            ("nonce", "The nonce that the evidence was asked for with"),
            ("at", "Judge at this time, RFC 3339"),
            ("format", "What is printed"),
            ("output-dir", "Write report, summary and JUnit into this folder"),
            ("quiet", "Print nothing if it passes; -qq: print nothing"),
        ],
        examples: "Examples:\n  \
            cvm-verify replay bundle.json --lock cvm.lock              # as of the time of capture\n  \
            cvm-verify replay bundle.json --lock cvm.lock --at 2026-12-01\n  \
            cvm-verify replay --attestation attestation.json --collateral collateral.json --lock cvm.lock",
    },
    Screen {
        command: "pin",
        options: &[
            (
                "output",
                "Where the lock is written; default: cvm.lock; `-` prints it",
            ),
            ("from", "Pin from an evidence bundle"),
            ("accept", "Pin what is not as in production, by name"),
            ("force", "Replace a lock that cannot be read"),
            ("config", "The policy file"),
            ("target", "Pin this target of the policy file"),
            ("source", "Who is asked for evidence; default: the app itself"),
        ],
        examples: "Examples:\n  \
            cvm-verify pin https://your-app.example                    # writes cvm.lock\n  \
            cvm-verify pin https://your-app.example --accept development-image\n  \
            cvm-verify pin                                             # every target of cvm-verify.toml",
    },
    Screen {
        command: "watch",
        options: &[
            (
                "config",
                "The policy file; default: cvm-verify.toml, if no URL is given",
            ),
            ("target", "Verify this target of the policy file only"),
            ("interval", "How often each target is verified; default: 5m"),
            ("once", "Verify every target once and exit with the verdict"),
            ("listen", "Serve metrics and health at this address"),
            ("state", "Remember in this file what was said"),
            ("evidence", "Keep the evidence of failures in this folder"),
            ("log-format", "How log lines look"),
            ("quiet", "Log only what is not as it should be"),
        ],
        examples: "Examples:\n  \
            cvm-verify watch --state watch.json                        # every target of cvm-verify.toml\n  \
            cvm-verify watch --listen 127.0.0.1:9464 --interval 1m\n  \
            cvm-verify watch --once                                    # one round; ends like verify",
    },
];

const FIRST_STEPS: &str = "First steps:\n  \
    cvm-verify pin https://your-app.example       # writes cvm.lock: what runs there\n  \
    git add cvm.lock                              # review every line first\n  \
    cvm-verify verify https://your-app.example    # is it still exactly that?\n  \
    cvm-verify explain                            # what is checked, and why";

static VERSION: LazyLock<String> = LazyLock::new(version);

/// The command line.
pub(super) fn command() -> clap::Command {
    Cli::command()
        .version(VERSION.as_str())
        .after_help(FIRST_STEPS)
        .mut_subcommands(
            |command| match SCREENS.iter().find(|screen| screen.command == command.get_name()) {
                Some(screen) => arranged(command, screen),
                None => command,
            },
        )
}

fn arranged(command: clap::Command, screen: &Screen) -> clap::Command {
    let everything = command
        .get_after_help()
        .map_or_else(|| ENVIRONMENT.to_owned(), ToString::to_string);
    let all = format!(
        "{}\n\nAll options: cvm-verify {} --help",
        screen.examples, screen.command
    );
    command
        .mut_args(|arg| {
            let line = screen
                .options
                .iter()
                .find(|(name, _)| arg.get_long() == Some(*name));
            let whole = arg
                .get_long_help()
                .or_else(|| arg.get_help())
                .cloned()
                .unwrap_or_default();
            match line {
                Some((_, line)) => arg.help(*line).long_help(whole),
                None if arg.is_positional() => arg,
                None => arg.hide_short_help(true),
            }
        })
        .after_help(all)
        .after_long_help(format!("{}\n\n{everything}", screen.examples))
}

/// Version, commit and its day, and the day of the reference values: `0.1.0 (commit 0123456789, 2026-11-26; reference
/// values of 2026-11-25)`.
fn version() -> String {
    let tool = tool();
    let commit: String = tool.git.chars().take(10).collect();
    let day = i64::try_from(COMMIT_TIME)
        .ok()
        .filter(|time| *time > 0)
        .and_then(|time| DateTime::from_timestamp(time, 0))
        .map_or_else(String::new, |time| format!(", {}", time.date_naive()));
    format!(
        "{} (commit {commit}{day}; reference values of {})",
        tool.version,
        ReferenceValues::built_in().updated()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_screen_names_options_that_there_are_and_fits() {
        for screen in SCREENS {
            let command = command();
            let command = command.find_subcommand(screen.command).unwrap().clone();
            for (name, line) in screen.options {
                assert!(
                    command.get_arguments().any(|arg| arg.get_long() == Some(name)),
                    "{} has no --{name}",
                    screen.command
                );
                assert!(line.len() <= 66, "{line}");
            }
            let short = command.clone().term_width(100).render_help().to_string();
            assert!(short.lines().count() <= 48, "{}\n{short}", screen.command);
            assert!(short.lines().all(|line| line.chars().count() <= 100), "{short}");
            let long = command.clone().render_long_help().to_string();
            for arg in command.get_arguments().filter_map(clap::Arg::get_long) {
                assert!(long.contains(&format!("--{arg}")), "--{arg}\n{long}");
            }
            assert!(long.contains("Examples:"), "{long}");
        }
    }

    #[test]
    fn the_version_names_the_commit_and_the_reference_values() {
        let version = version();
        assert!(
            version.starts_with(concat!(env!("CARGO_PKG_VERSION"), " (commit ")),
            "{version}"
        );
        let updated = ReferenceValues::built_in().updated().to_string();
        assert!(
            version.contains(&format!("reference values of {updated}")),
            "{version}"
        );
    }
}
