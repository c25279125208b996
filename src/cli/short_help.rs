//! What `-h` of a command shows on one screen: the common options, and examples. `--help` has every option.

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
            ("lock", "The file of expected values that `cvm-verify pin` wrote"),
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
            (
                "source",
                "Which source to ask for evidence; default: the app itself",
            ),
            (
                "wait",
                "Repeat until the expected code is live, or this time is over: 10m",
            ),
            ("format", "The format of the output"),
            (
                "output-dir",
                "Write report, summary, JUnit and evidence into this folder",
            ),
            (
                "quiet",
                "Print nothing if all targets pass; -qq: print nothing at all",
            ),
        ],
        examples: "Examples:\n  \
            cvm-verify verify https://your-app.example                 # as cvm.lock in this folder says\n  \
            cvm-verify verify https://your-app.example --lock prod.lock --wait 10m\n  \
            cvm-verify verify                                          # every target of cvm-verify.toml",
    },
    Screen {
        command: "replay",
        options: &[
            ("lock", "The file of expected values that `cvm-verify pin` wrote"),
            (
                "compose-hash",
                "The SHA-256 of the compose document of this release",
            ),
            (
                "attestation",
                "A body of /attestation, or a bare quote, instead of a bundle",
            ),
            ("info", "The body of /info"),
            ("collateral", "Intel's statements about the platform"),
            ("nonce", "The nonce with which the evidence was requested"),
            ("at", "Verify as of this time, RFC 3339"),
            ("format", "The format of the output"),
            ("output-dir", "Write report, summary and JUnit into this folder"),
            (
                "quiet",
                "Print nothing if all targets pass; -qq: print nothing at all",
            ),
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
            ("accept", "Accept findings that do not fit production, by name"),
            ("force", "Replace a lock that cannot be read"),
            ("config", "The policy file"),
            ("target", "Pin this target of the policy file"),
            (
                "source",
                "Which source to ask for evidence; default: the app itself",
            ),
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
            ("state", "Keep the alert state in this file"),
            ("evidence", "Keep the evidence of failures in this folder"),
            ("log-format", "How log lines look"),
            ("quiet", "Log only what needs attention"),
        ],
        examples: "Examples:\n  \
            cvm-verify watch --state watch.json                        # every target of cvm-verify.toml\n  \
            cvm-verify watch --listen 127.0.0.1:9464 --interval 1m\n  \
            cvm-verify watch --once                                    # one round; ends like verify",
    },
];

/// The command with its screen, where it has one. Its options are those of every day for `-h`.
pub(super) fn arranged(command: clap::Command) -> clap::Command {
    match SCREENS.iter().find(|screen| screen.command == command.get_name()) {
        Some(screen) => as_on(screen, command),
        None => command,
    }
}

fn as_on(screen: &Screen, command: clap::Command) -> clap::Command {
    let everything = command
        .get_after_help()
        .map(ToString::to_string)
        .unwrap_or_default();
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
            match line {
                Some((_, line)) => {
                    let whole = arg.get_long_help().or_else(|| arg.get_help()).cloned();
                    arg.help(*line).long_help(whole.unwrap_or_default())
                }
                None if arg.is_positional() => arg,
                None => arg.hide_short_help(true),
            }
        })
        .after_help(all)
        .after_long_help(format!("{}\n\n{everything}", screen.examples))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help;

    #[test]
    fn each_screen_names_options_that_there_are_and_fits() {
        for screen in SCREENS {
            let mut all = help::command();
            all.build();
            let command = all.find_subcommand(screen.command).unwrap().clone();
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
}
