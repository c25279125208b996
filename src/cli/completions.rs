//! `cvm-verify completions`: the completion script of a shell.

use super::args::CompletionsArgs;
use super::help;
use crate::env::Env;

pub(super) fn run(args: &CompletionsArgs, env: &mut Env) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "cvm-verify", &mut script);
    env.print(&String::from_utf8_lossy(&script));
    Ok(0)
}
