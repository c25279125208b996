//! `cvm-verify completions`: the completion script of a shell.

use super::args::CompletionsArgs;
use super::help;
use crate::env::Surroundings;

pub(super) fn run(args: &CompletionsArgs, surroundings: &mut Surroundings) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "cvm-verify", &mut script);
    surroundings.print(&String::from_utf8_lossy(&script));
    Ok(0)
}
