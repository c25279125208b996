//! The outputs as GitLab reads them from a dotenv report.

use std::fmt::Write as _;

use super::outputs::Output;

/// What every name begins with.
pub const DOTENV_PREFIX: &str = "CVM_VERIFY_RESULT_";

/// The text of GitLab's dotenv report: `CVM_VERIFY_RESULT_VERDICT=pass`, one a line, at most 19 of 20 that GitLab takes.
///
/// Not `CVM_VERIFY_…` alone: GitLab gives these variables to later jobs, where the program would take
/// `CVM_VERIFY_COMPOSE_HASH`, that is, what a CVM measured, as what the user expects. GitLab knows no quotes and no
/// escapes: a value that would need them is left out. The first line says whether the run was a simulation.
#[must_use]
pub fn dotenv(outputs: &[Output]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.,/+:@".contains(c);
    let mut text = String::new();
    for output in outputs
        .iter()
        .filter(|output| output.value().chars().all(is_plain))
    {
        let name = output.name().replace('-', "_").to_ascii_uppercase();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{DOTENV_PREFIX}{name}={}", output.value());
    }
    text
}
