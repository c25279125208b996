//! `cvm-verify completions`: the completion script of a shell.

use super::args::CompletionsArgs;
use super::help;
use crate::env::Env;

pub(super) fn run(args: &CompletionsArgs, env: &mut Env) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(), "cvm-verify", &mut script);
    env.print(&consistent(&String::from_utf8_lossy(&script)));
    Ok(0)
}

/// clap_complete, as of 4.6.11, spells the hyphen of the program's name in two ways in what it writes for bash, and then no option is
/// completed (<https://github.com/clap-rs/clap/issues/6421>).
fn consistent(script: &str) -> String {
    script.replace("cvm__subcmd__verify", "cvm__verify")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_script_for_bash_has_its_arm() {
        let mut script = Vec::new();
        let shell = clap_complete::Shell::Bash;
        clap_complete::generate(shell, &mut help::command(), "cvm-verify", &mut script);
        let script = consistent(&String::from_utf8(script).expect("UTF-8"));
        let states: Vec<&str> = script
            .lines()
            .filter_map(|line| line.trim().strip_prefix("cmd=\"")?.strip_suffix('"'))
            .filter(|state| !state.is_empty())
            .collect();
        assert!(states.len() > 20, "{states:?}");
        for state in states {
            let arm = format!("        {state})");
            assert!(script.lines().any(|line| line == arm), "{state}");
        }
    }
}
