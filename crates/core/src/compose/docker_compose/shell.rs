//! Where a shell script executes what a variable holds: as the name of a program, through `eval`, as a script of another
//! interpreter, as code that is fetched.
//!
//! This is not a shell. Where it is not sure it says [`Use::Executed`]; an argument of a program that is named in the script
//! is [`Use::Argument`].

use std::collections::{BTreeMap, BTreeSet};

use super::risky_names::is_risky;
use super::shell_reader::{MAX_DEPTH, Script, ShellCommand, ShellReader, Word, names_in};

/// Bytes of a script that is read as one. A longer one counts as executing every variable in it.
pub(super) const MAX_SCRIPT_BYTES: usize = 64 * 1024;

/// What a script does with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// It hands it to a program.
    Argument,
    /// It executes it, or may.
    Executed,
}

/// Programs that execute their first argument, or what follows `-c`, or their input.
const INTERPRETERS: [&str; 28] = [
    "ash", "at", "awk", "bash", "batch", "bun", "busybox", "crontab", "dash", "deno", "gawk", "java", "ksh",
    "lua", "make", "mawk", "node", "nodejs", "perl", "php", "python", "python2", "python3", "ruby", "sh",
    "tclsh", "tsx", "zsh",
];
/// Those of them that do not execute their input where they have no script.
const NOT_FROM_INPUT: [&str; 5] = ["awk", "gawk", "java", "make", "mawk"];
/// Programs any of whose arguments may be executed.
const EXECUTORS: [&str; 20] = [
    ".",
    "alias",
    "chroot",
    "docker",
    "eval",
    "expect",
    "find",
    "nerdctl",
    "nsenter",
    "parallel",
    "podman",
    "script",
    "source",
    "ssh",
    "start-stop-daemon",
    "su",
    "trap",
    "unshare",
    "watch",
    "xargs",
];
/// Programs that fetch or start code by name.
const FETCHERS: [&str; 14] = [
    "apk", "apt", "apt-get", "cargo", "gem", "git", "go", "npm", "pip", "pip3", "pnpm", "poetry", "uv",
    "yarn",
];
/// What those do when they fetch.
const FETCHING: [&str; 11] = [
    "add",
    "clone",
    "dlx",
    "exec",
    "fetch",
    "get",
    "i",
    "install",
    "pull",
    "submodule",
    "x",
];
/// Programs that start what their first argument names.
const RUNNERS: [&str; 4] = ["bunx", "npx", "pipx", "uvx"];
/// Programs that start the one that follows.
const WRAPPERS: [&str; 29] = [
    "builtin",
    "catatonit",
    "chpst",
    "chronic",
    "command",
    "coproc",
    "dbus-run-session",
    "doas",
    "dumb-init",
    "env",
    "exec",
    "flock",
    "gosu",
    "ionice",
    "nice",
    "nohup",
    "runuser",
    "s6-setuidgid",
    "setpriv",
    "setsid",
    "stdbuf",
    "su-exec",
    "sudo",
    "taskset",
    "time",
    "timeout",
    "tini",
    "unbuffer",
    "xvfb-run",
];
/// Wrappers whose first argument is not the program.
const WITH_AN_ARGUMENT: [&str; 6] = ["flock", "gosu", "s6-setuidgid", "su-exec", "taskset", "timeout"];
/// Names of a program's input.
const INPUT: [&str; 3] = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
/// Words after which a command begins.
const RESERVED: [&str; 9] = ["!", "{", "}", "do", "elif", "else", "if", "then", "while"];

/// Whether a script can read a variable at all.
pub(super) fn reads_variables(script: &str) -> bool {
    script.contains('$') || script.contains("printenv") || script.contains("((")
}

/// Every variable of a script for which `is_settable` holds, with the gravest use.
pub(super) fn uses(text: &str, is_settable: &dyn Fn(&str) -> bool) -> BTreeMap<String, Use> {
    let mut found = BTreeMap::new();
    if text.len() > MAX_SCRIPT_BYTES {
        let names = names_in(text).into_iter().filter(|name| is_settable(name));
        return names.map(|name| (name, Use::Executed)).collect();
    }
    judge_text(text, is_settable, &Tainted::new(), &mut found, 0);
    found
}

/// Judges a script. What its own variables hold from outside is followed first, wherever the script stands: one that `sh -c` is
/// handed has variables of its own, too.
fn judge_text(
    text: &str,
    is_settable: &dyn Fn(&str) -> bool,
    outer: &Tainted,
    found: &mut BTreeMap<String, Use>,
    depth: usize,
) {
    let script = ShellReader::of(text).script(None, depth);
    let mut tainted = outer.clone();
    // A variable of the script's own that is made of one from outside is one from outside. Each round reaches one step further.
    for _ in 0..4 {
        script.taint(is_settable, &mut tainted);
    }
    // What a function of the script is handed, and what `set` sets, is not followed.
    if has_positional(text) && (text.contains("()") || text.contains("function ") || text.contains("set ")) {
        let all = names_in(text);
        let all: BTreeSet<String> = all.into_iter().filter(|name| is_settable(name)).collect();
        for name in ["@", "*", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            tainted.insert(name.to_owned(), all.clone());
        }
    }
    script.judge(is_settable, &tainted, found, depth);
}

/// Every variable of a program and its arguments, which no shell reads unless one is named.
pub(super) fn uses_of_arguments(
    arguments: &[String],
    is_settable: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, Use> {
    let mut words: Vec<Word> = arguments
        .iter()
        .map(|text| Word {
            text: text.clone(),
            names: names_in(text),
            is_literal: true,
        })
        .collect();
    let mut found = BTreeMap::new();
    // An image may end in `sh -c`, for which the first argument is the script.
    if let Some(first) = arguments.first().filter(|first| first.contains('$')) {
        merge(&mut found, uses(first, is_settable));
        if let Some(word) = words.first_mut() {
            word.names.clear();
        }
    }
    // An image may end in a shell, for which `-c` is the first argument.
    if let [option, script, ..] = arguments
        && option.starts_with('-')
        && option.ends_with('c')
    {
        merge(&mut found, uses(script, is_settable));
    }
    let script = Script {
        commands: vec![ShellCommand {
            words,
            ..ShellCommand::default()
        }],
    };
    script.judge(is_settable, &BTreeMap::new(), &mut found, 0);
    found
}

fn merge(found: &mut BTreeMap<String, Use>, more: BTreeMap<String, Use>) {
    for (name, how) in more {
        let entry = found.entry(name).or_insert(how);
        *entry = (*entry).max(how);
    }
}

/// What a script's own variable holds from outside.
type Tainted = BTreeMap<String, BTreeSet<String>>;

impl Script {
    fn taint(&self, is_settable: &dyn Fn(&str) -> bool, tainted: &mut Tainted) {
        let note = |name: &str, names: &BTreeSet<String>, tainted: &mut Tainted| {
            let from = sources(names, is_settable, tainted);
            if !from.is_empty() {
                tainted.entry(name.to_owned()).or_default().extend(from);
            }
        };
        let all: BTreeSet<String> = self
            .commands
            .iter()
            .flat_map(|command| command.names().cloned())
            .collect();
        for command in &self.commands {
            let first = command.words.first().map(|word| word.text.as_str());
            if let (Some("for"), Some(variable)) = (first, command.words.get(1)) {
                let list = command
                    .words
                    .iter()
                    .skip(2)
                    .flat_map(|word| word.names.clone())
                    .collect();
                note(&variable.text, &list, tainted);
            }
            let reads = |word: &Word| matches!(word.text.as_str(), "read" | "mapfile" | "readarray");
            if let Some(at) = command.words.iter().position(reads) {
                for word in command.words.iter().skip(at + 1) {
                    note(&word.text, &all, tainted);
                }
            }
            if let (Some("printf"), [_, option, variable, ..]) = (first, command.words.as_slice())
                && option.text == "-v"
            {
                note(&variable.text, &all, tainted);
            }
            for word in &command.words {
                if let Some((name, _)) = assignment(&word.text) {
                    note(name, &word.names, tainted);
                }
            }
        }
    }

    fn judge(
        &self,
        is_settable: &dyn Fn(&str) -> bool,
        tainted: &Tainted,
        found: &mut BTreeMap<String, Use>,
        depth: usize,
    ) {
        let mut note = |names: &BTreeSet<String>, how: Use| {
            for name in sources(names, is_settable, tainted) {
                let entry = found.entry(name).or_insert(how);
                *entry = (*entry).max(how);
            }
        };
        let mut written: Vec<(&str, BTreeSet<String>)> = Vec::new();
        let mut started: BTreeSet<&str> = BTreeSet::new();
        let mut moved: BTreeSet<String> = BTreeSet::new();
        let words = self.commands.iter().flat_map(|command| &command.words);
        let assigned: BTreeSet<&str> = words
            .filter_map(|word| assignment(&word.text).map(|(name, _)| name))
            .collect();
        let mut executes_input = false;
        let mut nested: Vec<String> = Vec::new();
        for command in &self.commands {
            let all: BTreeSet<String> = command.names().cloned().collect();
            note(&all, Use::Argument);
            for output in &command.outputs {
                written.push((output.text.as_str(), all.clone()));
            }
            let (program, arguments) = command.program(&mut note);
            let Some(program) = program else { continue };
            note(&program.names, Use::Executed);
            let name = program.text.rsplit('/').next().unwrap_or_default();
            started.insert(&program.text);
            if matches!(name, "." | "source") {
                started.extend(arguments.iter().map(|word| word.text.as_str()));
            }
            // A program that the script itself names in a variable may be any, and bash evaluates what it compares as numbers.
            let is_own = program.names.iter().any(|name| assigned.contains(name.as_str()));
            let compares =
                |word: &Word| matches!(word.text.as_str(), "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge");
            if is_own || name == "[[" && arguments.iter().any(compares) {
                note(&all, Use::Executed);
            }
            if matches!(name, "curl" | "wget" | "aria2c" | "tee" | "cp" | "mv" | "dd") {
                written.extend(arguments.iter().map(|word| (word.text.as_str(), all.clone())));
            }
            if name == "chmod" {
                started.extend(arguments.iter().map(|word| word.text.as_str()));
            }
            if EXECUTORS.contains(&name) {
                note(&all, Use::Executed);
                nested.extend(arguments.iter().map(|word| word.text.clone()));
            }
            if FETCHERS.contains(&name)
                && arguments
                    .iter()
                    .any(|word| FETCHING.contains(&word.text.as_str()))
            {
                note(&all, Use::Executed);
            }
            if FETCHERS.contains(&name) || RUNNERS.contains(&name) {
                let words = arguments.iter().filter(|word| !word.text.starts_with("--"));
                for word in words.take(if RUNNERS.contains(&name) { 1 } else { 2 }) {
                    note(&word.names, Use::Executed);
                }
            }
            if matches!(name, "cd" | "pushd") {
                moved.extend(all.iter().cloned());
            }
            if is_interpreter(name) {
                let mut words = arguments.iter();
                let mut has_script = false;
                while let Some(word) = words.next() {
                    let is_option = word.text.starts_with(['-', '+']);
                    if is_option && takes_a_script(&word.text) {
                        if let Some(script) = words.next() {
                            if !script.is_literal {
                                note(&script.names, Use::Executed);
                            }
                            nested.push(script.text.clone());
                            has_script = true;
                            // What stands behind the script are its arguments.
                            if has_positional(&script.text) {
                                for argument in words.by_ref() {
                                    note(&argument.names, Use::Executed);
                                }
                            }
                        }
                        break;
                    }
                    // An option that is a variable may be `-c`.
                    if !is_option || word.text.starts_with("-$") {
                        note(&word.names, Use::Executed);
                    }
                    if !is_option && !INPUT.contains(&word.text.as_str()) {
                        started.insert(&word.text);
                        has_script = true;
                        break;
                    }
                }
                if !has_script && !NOT_FROM_INPUT.contains(&name) {
                    note(&command.input, Use::Executed);
                    executes_input |= command.is_piped;
                }
            }
        }
        if executes_input {
            for command in &self.commands {
                note(&command.names().cloned().collect(), Use::Executed);
            }
        }
        // A program that is named relative to a folder from outside.
        if started.iter().any(|program| program.starts_with('.')) {
            note(&moved, Use::Executed);
        }
        for (file, names) in &written {
            if !file.is_empty() && started.contains(file) {
                note(names, Use::Executed);
            }
        }
        for text in nested.iter().filter(|text| reads_variables(text)) {
            // What is not read counts as executing every variable in it.
            if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
                let names = sources(&names_in(text), is_settable, tainted).into_iter();
                merge(found, names.map(|name| (name, Use::Executed)).collect());
                continue;
            }
            judge_text(text, is_settable, tainted, found, depth + 1);
        }
    }
}

/// The variables from outside that are among names, or that a script's own variable holds.
fn sources(
    names: &BTreeSet<String>,
    is_settable: &dyn Fn(&str) -> bool,
    tainted: &Tainted,
) -> BTreeSet<String> {
    let mut from = BTreeSet::new();
    for name in names {
        if is_settable(name) {
            from.insert(name.clone());
        }
        from.extend(tainted.get(name).into_iter().flatten().cloned());
    }
    from
}

impl ShellCommand {
    /// The program that runs, behind assignments, reserved words and wrappers, and its arguments.
    fn program(&self, note: &mut impl FnMut(&BTreeSet<String>, Use)) -> (Option<&Word>, &[Word]) {
        let mut rest = self.words.as_slice();
        let mut is_wrapped = false;
        while let Some((word, after)) = rest.split_first() {
            let text = word.text.as_str();
            let name = text.rsplit('/').next().unwrap_or_default();
            if let Some((variable, _)) = assignment(text) {
                if is_risky(variable) {
                    note(&word.names, Use::Executed);
                }
                rest = after;
            } else if matches!(text, "export" | "local" | "declare" | "typeset" | "readonly") {
                rest = after;
            } else if matches!(text, "for" | "case" | "select" | "in" | "function") {
                return (None, after);
            } else if RESERVED.contains(&text) || text == "until" || text == "--" {
                rest = after;
            } else if WRAPPERS.contains(&name) || name.contains("entrypoint") {
                is_wrapped = true;
                rest = after;
                if WITH_AN_ARGUMENT.contains(&name) {
                    while let Some((option, after)) =
                        rest.split_first().filter(|(word, _)| word.text.starts_with('-'))
                    {
                        note(&option.names, Use::Executed);
                        rest = after;
                    }
                    rest = rest.split_first().map_or(rest, |(_, after)| after);
                }
            } else if is_wrapped && text.starts_with('-') {
                // Options of the wrapper.
                note(&word.names, Use::Executed);
                rest = after;
            } else {
                return (Some(word), after);
            }
        }
        (None, rest)
    }
}

fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.contains(&name) || name.starts_with("python3.") || name.starts_with("python2.")
}

/// Whether a script reads its own arguments.
fn has_positional(script: &str) -> bool {
    let mut rest = script;
    while let Some((_, after)) = rest.split_once('$') {
        let after_brace = after.trim_start_matches('{');
        if after_brace.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '@' | '*')) {
            return true;
        }
        rest = after;
    }
    false
}

/// `-c`, `-lc`, `-e`, `-m` and the like: what follows is a script, or the name of one.
fn takes_a_script(option: &str) -> bool {
    matches!(
        option,
        "--eval" | "--command" | "--print" | "-jar" | "-cp" | "--require" | "--import" | "-f" | "--file"
    ) || (!option.starts_with("--") && option.ends_with(['c', 'e', 'm', 'r', 'p', 'E']))
}

/// The name and the value of `NAME=value`.
fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let is_name = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    is_name.then_some((name, value))
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
