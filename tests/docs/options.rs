//! docs/options.md is what `--help` says.

use std::process::Command;

use crate::{DO_NOT_EDIT, assert_generated};

/// What the program prints, whatever the terminal and the environment of the test are.
pub fn help(path: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_cvm-verify"))
        .args(path)
        .arg("--help")
        .env_clear()
        .env("COLUMNS", "100")
        .output()
        .unwrap();
    assert!(output.status.success(), "{path:?} --help: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// Every command that does something, `alert test` as two words, in the order of the help.
pub fn commands() -> Vec<Vec<String>> {
    leaves(&[])
}

fn leaves(path: &[String]) -> Vec<Vec<String>> {
    let text = help(path);
    let names = text
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help");
    let below: Vec<Vec<String>> = names
        .flat_map(|name| leaves(&[path, &[name.to_owned()]].concat()))
        .collect();
    if below.is_empty() {
        vec![path.to_vec()]
    } else {
        below
    }
}

#[test]
fn the_page_of_options_is_what_help_says() {
    let mut page = format!(
        "<!-- Made from the program's `--help` {DO_NOT_EDIT} -->\n\n# Options\n\n\
         Every command with every option, as `cvm-verify COMMAND --help` prints it. Every long option except `--insecure-trust-root` can be \
         set in the environment too: `--compose-hash` as `CVM_VERIFY_COMPOSE_HASH`, the addresses as `CVM_VERIFY_URL`, one per line. What \
         is typed wins. Most options are inputs of [the action](action.md); the others go into its input `extra-args`.\n"
    );
    for command in commands() {
        let name = command.join(" ");
        page += &format!("\n## cvm-verify {name}\n\n```text\n{}```\n", help(&command));
    }
    assert_generated("docs/options.md", &page);
}
