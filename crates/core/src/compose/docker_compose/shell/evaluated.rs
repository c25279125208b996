//! Programs and words of a shell that evaluate or execute one of their arguments.

use super::clients::{executes_input, hands_a_command};
use super::code_options::{brings_options_of_npm, names_code, names_code_by_option};
use super::interpreters::is_interpreter;
use super::program_settings::sets_by_a_variable;
use super::programs::{
    ENGINE_GROUPS, ENGINE_STARTS_NOTHING, ENGINES, EXECUTORS, FETCHERS, HARMLESS, IN_GROUPS_STARTS_NOTHING,
};
use super::verbs::brings_code;
use super::word::Word;

/// Whether a program, or what a shell has built in, evaluates or executes one of its arguments.
pub(super) fn evaluates(name: &str, arguments: &[Word]) -> bool {
    let has = |options: &[&str]| {
        let is = |word: &Word| options.iter().any(|option| word.text.starts_with(option));
        arguments.iter().any(is)
    };
    if loads_code_of_a_model(arguments) || brings_code(name, arguments) {
        return true;
    }
    if names_code_by_option(name, arguments) == Some(true) {
        return true;
    }
    if brings_options_of_npm(name, arguments)
        || is_handed_to_a_verb(name, arguments)
        || moves_to_another_project(name, arguments)
        || sets_by_a_variable(name, arguments)
    {
        return true;
    }
    match name {
        // Settings of Git may be commands: its pager, its helpers.
        "git" if arguments.iter().any(|word| word.text == "config") => {
            let is_of_user = |word: &Word| word.text.starts_with("user.");
            !arguments.iter().any(is_of_user) && arguments.iter().any(|word| !word.names.is_empty())
        }
        // Bash evaluates what it compares as numbers.
        "[[" => has(&["-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-v"]),
        // An index in the name of a variable.
        "test" | "[" | "printf" => has(&["-v"]),
        "read" | "unset" | "mapfile" | "readarray" | "getopts" | "wait" => {
            arguments.iter().any(|word| !word.names.is_empty())
        }
        // Commands in a script of GNU sed.
        "sed" => {
            let mut words = arguments.iter();
            let mut has_script = false;
            while let Some(word) = words.next() {
                let is_option = word.text.starts_with('-');
                let is_script = matches!(word.text.as_str(), "-e" | "-f" | "--expression" | "--file");
                let script = if is_script { words.next() } else { Some(word) };
                let is_read = is_script || !is_option && !has_script;
                has_script |= is_read;
                if (is_read || is_option) && script.is_some_and(|word| !word.names.is_empty()) {
                    return true;
                }
            }
            false
        }
        "dotnet" => is_code_of_dotnet(arguments),
        // `zip -T a "$E"`: the operand may be `-TTcommand`.
        "zip" => may_be_an_operand(arguments, &["-T", "--test"]),
        // Behind the name of the network.
        "ip" => {
            let words = arguments.iter().skip_while(|word| word.text != "exec");
            let mut started = words.skip(2);
            started.any(|word| word.is_split || word.text.starts_with('$') && !word.names.is_empty())
        }
        // The shell that it starts reads what the machine of this name sends.
        "nc" | "ncat" | "netcat" => {
            has(&["-e", "-c", "--exec", "--lua-exec", "--sh-exec"])
                && arguments.iter().any(|word| !word.names.is_empty())
        }
        "websocat" => arguments.iter().any(|word| {
            let is_command = ["cmd:", "exec:", "sh-c:", "$"]
                .iter()
                .any(|start| word.text.starts_with(start));
            is_command && !word.names.is_empty()
        }),
        "redis-cli" | "valkey-cli" => ["EVAL", "eval", "FUNCTION", "function", "MODULE", "module"]
            .iter()
            .any(|verb| is_behind(arguments, verb)),
        "mix" => is_behind(arguments, "-e") || is_behind(arguments, "--eval"),
        "hash" | "enable" | "mono" | "wasmtime" | "wasmer" | "kubectl" | "helm" | "crond" | "nix-env"
        | "pacman" | "paru" | "yay" | "zypper" => arguments.iter().any(|word| !word.names.is_empty()),
        name if executes_input(name) && !is_interpreter(name) => hands_a_command(name, arguments),
        // What stands behind the script of an interpreter is the script's own; a module of Python may be a program that is known.
        name if is_interpreter(name) => {
            let at = arguments.iter().position(|word| word.text == "-m");
            let module = at.and_then(|at| arguments.get(at + 1..)?.split_first());
            module.is_some_and(|(module, rest)| names_code_by_option(&module.text, rest) == Some(true))
        }
        // Of a program that is not known here, what these options are named for.
        _ => handed(arguments).any(|(word, next)| {
            let next = next.filter(|_| !word.text.contains('='));
            names_a_command(&word.text, &OF_COMMANDS)
                && (!word.names.is_empty() || next.is_some_and(|word| !word.names.is_empty()))
        }),
    }
}

/// Whether a variable stands in the word behind one of this text.
fn is_behind(arguments: &[Word], text: &str) -> bool {
    handed(arguments).any(|(word, next)| word.text == text && next.is_some_and(|next| !next.names.is_empty()))
        || arguments
            .iter()
            .skip_while(|word| word.text != text)
            .any(|word| word.is_split)
}

/// Whether an operand that a variable begins may be an option, where one of these is given.
fn may_be_an_operand(arguments: &[Word], options: &[&str]) -> bool {
    arguments.iter().any(|word| options.contains(&word.text.as_str()))
        && arguments
            .iter()
            .any(|word| !word.names.is_empty() && word.text.starts_with('$'))
}

/// `dotnet App.dll --port "$X"`: behind the assembly stand the arguments of its program, by which ASP.NET loads code with one setting.
fn is_code_of_dotnet(arguments: &[Word]) -> bool {
    let is_assembly = |word: &Word| word.text.ends_with(".dll") && word.names.is_empty();
    let at = arguments.iter().position(is_assembly);
    let is_open = |word: &Word| !word.names.is_empty();
    let Some((own, rest)) = at.and_then(|at| arguments.split_at_checked(at)) else {
        return arguments.iter().any(is_open);
    };
    let loads = |word: &Word| word.text.to_ascii_lowercase().contains("hostingstartup");
    own.iter().any(is_open)
        || rest.iter().any(|word| word.is_split)
        || rest.iter().any(loads) && rest.iter().any(is_open)
}

/// `rabbitmqctl eval "$X"`, `manage.py shell -c "$X"`: a verb that says that what follows is executed.
fn is_handed_to_a_verb(name: &str, arguments: &[Word]) -> bool {
    let is_open = |next: Option<&Word>| next.is_some_and(|word| !word.names.is_empty());
    let mut is_shell = false;
    !HARMLESS.contains(&name)
        && handed(arguments).any(|(word, next)| {
            is_shell |= matches!(word.text.as_str(), "console" | "shell");
            matches!(word.text.as_str(), "eval" | "rpc") && is_open(next)
                || is_shell && matches!(word.text.as_str(), "-c" | "-e") && is_open(next)
        })
}

/// Whether a variable says where npm and the like find the project whose scripts they start, or by which shell.
fn moves_to_another_project(name: &str, arguments: &[Word]) -> bool {
    const OPTIONS: [&str; 10] = [
        "--cwd",
        "--dir",
        "--directory",
        "--globalconfig",
        "--node-options",
        "--prefix",
        "--project",
        "--script-shell",
        "--userconfig",
        "-C",
    ];
    let dashes = arguments.iter().position(|word| word.text == "--");
    let own = arguments
        .get(..dashes.unwrap_or(arguments.len()))
        .unwrap_or_default();
    FETCHERS.contains(&name) && names_code(own, &OPTIONS, false)
}

/// Whether a program may execute any of its arguments.
pub(super) fn executes_arguments(name: &str, arguments: &[Word]) -> bool {
    if ENGINES.contains(&name) {
        let words = arguments.iter().map(|word| word.text.as_str());
        let mut verbs = words.filter(|text| !text.starts_with('-'));
        let starts_nothing = match verbs.next() {
            Some("network") => verbs.next().is_some(),
            Some(group) if ENGINE_GROUPS.contains(&group) => verbs
                .next()
                .is_some_and(|verb| IN_GROUPS_STARTS_NOTHING.contains(&verb)),
            verb => verb.is_some_and(|verb| ENGINE_STARTS_NOTHING.contains(&verb)),
        };
        return !starts_nothing;
    }
    if name == "find" {
        let starts =
            |word: &Word| word.text.starts_with("-exec") || word.text.starts_with("-ok") || word.is_split;
        return arguments.iter().any(starts);
    }
    EXECUTORS.contains(&name)
}

/// Last parts of the names of options that a program executes.
const OF_COMMANDS: [&str; 7] = ["cmd", "command", "eval", "exec", "execute", "hook", "script"];

/// Whether an option is named for a command: its name, or the last of its parts that dashes join, is one of these words.
pub(super) fn names_a_command(option: &str, words: &[&str]) -> bool {
    let Some(option) = option.strip_prefix("--") else {
        return false;
    };
    let name = option.split('=').next().unwrap_or_default().to_ascii_lowercase();
    let is_command = |last: &str| words.contains(&last) || last.ends_with("cmd") && words.contains(&"cmd");
    name.rsplit('-').next().is_some_and(is_command)
        || words.iter().any(|word| {
            name.strip_prefix(word)
                .is_some_and(|rest| rest == "-cmd" || rest == "-command")
        })
}

/// Whether code that lies beside a model or in an extension is executed, and a variable names that.
fn loads_code_of_a_model(arguments: &[Word]) -> bool {
    const ALLOWS: [&str; 4] = [
        "--allow-remote-code",
        "--trust-remote-code",
        "--trust_remote_code",
        "--load-extension",
    ];
    const NAMES: [&str; 9] = [
        "--code-revision",
        "--hf-config-path",
        "--load-extension",
        "--model",
        "--model-id",
        "--model-path",
        "--revision",
        "--tokenizer",
        "-m",
    ];
    let allows = |word: &Word| ALLOWS.iter().any(|option| word.text.starts_with(option));
    arguments.iter().any(allows)
        && (names_code(arguments, &NAMES, false)
            || handed(arguments).any(|(word, next)| {
                matches!(word.text.as_str(), "serve" | "chat" | "run")
                    && next.is_some_and(|model| !model.text.starts_with('-') && !model.names.is_empty())
            }))
}

/// Each word with the one that follows it.
fn handed(arguments: &[Word]) -> impl Iterator<Item = (&Word, Option<&Word>)> {
    let next = arguments.iter().skip(1).map(Some).chain([None]);
    arguments.iter().zip(next)
}
