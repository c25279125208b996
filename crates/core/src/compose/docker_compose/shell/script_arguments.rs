//! Whether a script reads the arguments that it is handed: then it may execute them.

/// Whether a script of a shell reads its own arguments, or those of a function: `$1`, `"$@"`, `for x; do`, `getopts`, `shift` and what names a
/// variable that it does not write out.
pub(super) fn has_positional(script: &str) -> bool {
    const WORDS: [&str; 5] = ["BASH_ARGV", "cmdline", "eval", "getopts", "shift"];
    reads_a_number(script)
        || ARGUMENT_LISTS
            .iter()
            .any(|name| script.contains(&format!("${name}")) || script.contains(&format!("${{{name}")))
        || script.contains("${!")
        || words(script).any(|word| WORDS.contains(&word))
        || loops(script)
}

/// Whether a script does nothing but to execute its arguments as a command: `exec "$@"`.
pub(super) fn is_exec_of_arguments(script: &str) -> bool {
    script.trim().trim_end_matches(';').trim_end() == "exec \"$@\""
}

/// Whether a script sets its arguments: `set -- a`, `set a`. `set -e` and `set -o pipefail` set options alone.
pub(super) fn sets_arguments(script: &str) -> bool {
    script.match_indices("set").any(|(at, _)| {
        let is_part = |c: char| c == '_' || c == '-' || c.is_ascii_alphanumeric();
        let before = script.get(..at).unwrap_or_default();
        let after = script.get(at + 3..).unwrap_or_default();
        let line = after.split([';', '\n', '&', '|']).next().unwrap_or_default();
        let mut takes_word = false;
        let mut is_operand = |word: &str| {
            let is_option =
                word.starts_with(['-', '+']) && !word.contains('$') && word.len() > 1 && word != "--";
            let is_own = std::mem::replace(&mut takes_word, is_option && word.ends_with('o'));
            let is_verb = is_own && word.starts_with(|c: char| c.is_ascii_lowercase());
            !(is_option || is_verb)
        };
        !before.ends_with(is_part)
            && !after.starts_with(is_part)
            && line.split_whitespace().any(&mut is_operand)
    })
}

/// Variables that hold all arguments: of fish, zsh and csh, of PowerShell and Elvish, of Xonsh.
pub(super) const ARGUMENT_LISTS: [&str; 3] = ["ARGS", "args", "argv"];

/// `$1`, `${2:-x}`, `$@`, `${@:2}`, `$*`, `${#1}`.
fn reads_a_number(script: &str) -> bool {
    script.split('$').skip(1).any(|after| {
        let after = after.trim_start_matches(['{', '#', '!']);
        after.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '@' | '*'))
    })
}

/// `for NAME` and `select NAME` without a list go through the arguments.
fn loops(script: &str) -> bool {
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    ["for", "select"].iter().any(|word| {
        script.match_indices(word).any(|(at, _)| {
            let before = script.get(..at).unwrap_or_default();
            let Some(after) = script.get(at + word.len()..) else {
                return false;
            };
            let name = after.trim_start();
            let rest = name.trim_start_matches(is_name);
            let rest_of_line = rest.trim_start_matches([' ', '\t', '\r', '\\']);
            !before.ends_with(is_name)
                && after.starts_with(char::is_whitespace)
                && rest.len() < name.len()
                && (rest_of_line.starts_with([';', '\n']) || rest.trim_start().starts_with("do"))
        })
    })
}

/// Whether a script of another language than a shell's may read its arguments. Each language has many ways, which libraries add to: what
/// is named like one counts.
pub(super) fn may_read_arguments(script: &str) -> bool {
    const PARTS: [&str; 15] = [
        "$",
        "<>",
        "@_",
        "arg",
        "click",
        "cmdline",
        "commander",
        "fire",
        "gets",
        "opt",
        "pop",
        "proc/",
        "shift",
        "splice",
        "typer",
    ];
    let script = script.to_ascii_lowercase();
    PARTS.iter().any(|part| script.contains(part))
}

fn words(script: &str) -> impl Iterator<Item = &str> {
    script.split(|c: char| c != '_' && !c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_an_argument_counts() {
        for script in [
            "eval \"$1\"",
            "\"$@\"",
            "$*",
            "${1}",
            "${2:-x}",
            "${@:2}",
            "${!1}",
            "${!#}",
            "for x; do $x; done",
            "for x do $x; done",
            "for x\ndo $x; done",
            "select x; do $x; done",
            "while getopts c: o; do $OPTARG; done",
            "shift; run",
            "tr '\\0' ' ' < /proc/self/cmdline | sh",
        ] {
            assert!(has_positional(script), "{script}");
        }
        for script in [
            "exec app --port $PORT",
            "for x in a b; do echo $x; done",
            "wait_for db; app",
        ] {
            assert!(!has_positional(script), "{script}");
        }
        for script in [
            "import sys; exec(sys.argv[1])",
            "eval(process.argv[2])",
            "system(ARGV[0])",
            "system(shift)",
            "eval $ARGV[1]",
            "eval($argv[1]);",
            "import getopt",
            "print gets",
        ] {
            assert!(may_read_arguments(script), "{script}");
        }
        assert!(!may_read_arguments("import os; print(os.getpid())"));
    }

    #[test]
    fn options_of_the_shell_set_no_argument() {
        for script in [
            "set -e",
            "set -euo pipefail; app",
            "set -x -o errexit\napp",
            "unset a b",
            "charset utf8",
            "set",
        ] {
            assert!(!sets_arguments(script), "{script}");
        }
        for script in [
            "set -- app",
            "set a",
            "set -e -- a",
            "set -o pipefail a",
            "set $X",
            "x && set \"$X\"",
            "set -",
            "set -o $X",
        ] {
            assert!(sets_arguments(script), "{script}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(script in "(for|set|select|do|[ $;\\n{}!#@1a-zé]){0,30}") {
            let _ = (sets_arguments(&script), has_positional(&script), may_read_arguments(&script));
        }
    }
}
