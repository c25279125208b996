//! The command line as a whole, and what `--version` says.

use std::sync::LazyLock;

use clap::CommandFactory as _;

use super::args::Cli;
use crate::engine::COMMIT_TIME;
use crate::env::tool;
use cvm_verify_core::reference::ReferenceValues;
use cvm_verify_core::report::day;

const FIRST_STEPS: &str = "First steps:\n  \
    cvm-verify pin https://your-app.example       # writes cvm.lock: what runs there\n  \
    git add cvm.lock                              # review every line first\n  \
    cvm-verify verify https://your-app.example    # does exactly that still run?\n  \
    cvm-verify explain                            # what is checked, and why";

static VERSION: LazyLock<String> = LazyLock::new(version);

/// The command line. A command has its options once it is typed, or after [`clap::Command::build`].
pub(super) fn command() -> clap::Command {
    Cli::command().version(VERSION.as_str()).after_help(FIRST_STEPS)
}

/// Version, commit and its day, and the day of the reference values: `0.1.0 (commit 0123456789, 2026-11-26; reference
/// values of 2026-11-25)`.
fn version() -> String {
    let tool = tool();
    let commit: String = tool.git.chars().take(10).collect();
    let day = day(COMMIT_TIME).filter(|_| COMMIT_TIME > 0);
    let day = day.map_or_else(String::new, |day| format!(", {day}"));
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
