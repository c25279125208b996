//! Where a shell script executes what a variable holds: as the name of a program, through `eval`, as a script of another
//! interpreter, as code that is fetched.
//!
//! This is no shell. Where it is not sure it says [`Use::Executed`]; an argument of a program that is named in the script
//! is [`Use::Argument`].

use std::collections::{BTreeMap, BTreeSet};

use super::risky_names::is_risky;

/// How deeply scripts may nest in scripts.
const MAX_DEPTH: usize = 12;

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

/// Every variable of a script for which `is_settable` holds, with the gravest use.
pub(super) fn uses(text: &str, is_settable: &dyn Fn(&str) -> bool) -> BTreeMap<String, Use> {
    let mut found = BTreeMap::new();
    if text.len() > MAX_SCRIPT_BYTES {
        let names = names_in(text).into_iter().filter(|name| is_settable(name));
        return names.map(|name| (name, Use::Executed)).collect();
    }
    let mut reader = Reader {
        rest: text.chars().collect(),
        at: 0,
    };
    let script = reader.script(None, 0);
    let mut tainted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
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
    script.judge(is_settable, &tainted, &mut found, 0);
    found
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
        commands: vec![Command {
            words,
            ..Command::default()
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

/// Names after a dollar in a text that is not read as a script here.
fn names_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        let after = after.trim_start_matches(['{', '#', '!']);
        let end = after
            .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (name, more) = after.split_at(end);
        if !name.is_empty() {
            names.insert(name.to_owned());
        }
        rest = more;
    }
    names
}

#[derive(Debug, Default)]
struct Script {
    commands: Vec<Command>,
}

#[derive(Debug, Default)]
struct Command {
    words: Vec<Word>,
    /// Files that it writes.
    outputs: Vec<Word>,
    /// What it reads as a here-document.
    input: BTreeSet<String>,
    /// Whether its input is another command's output.
    is_piped: bool,
}

#[derive(Debug, Default, Clone)]
struct Word {
    /// Without quotes; substitutions as they are written.
    text: String,
    /// Variables that stand in it, those of command substitutions included.
    names: BTreeSet<String>,
    /// Whether no shell expands them before the program reads the word.
    is_literal: bool,
}

struct Reader {
    rest: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.rest.get(self.at).copied()
    }

    fn peek_at(&self, ahead: usize) -> Option<char> {
        self.rest.get(self.at.saturating_add(ahead)).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    /// Reads commands up to `end`, which is consumed.
    fn script(&mut self, end: Option<char>, depth: usize) -> Script {
        let mut script = Script::default();
        let mut command = Command::default();
        let mut heredocs: Vec<String> = Vec::new();
        let mut is_piped = false;
        while let Some(c) = self.peek() {
            if Some(c) == end {
                self.at += 1;
                break;
            }
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                // The line goes on.
                '\\' if self.peek_at(1) == Some('\n') => self.at += 2,
                '<' | '>' if self.peek_at(1) == Some('(') => {
                    self.at += 2;
                    let mut word = Word::default();
                    self.substitution(')', depth, &mut word, &mut script);
                    command.words.push(word);
                }
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
                '\n' | ';' | '&' | '|' | '(' | ')' => {
                    self.at += 1;
                    let pipes = c == '|' && self.peek() != Some('|');
                    if c == '|' || c == '&' || c == ';' {
                        while self.peek().is_some_and(|next| matches!(next, '|' | '&' | ';')) {
                            self.at += 1;
                        }
                    }
                    if c == '\n' {
                        for end in heredocs.drain(..) {
                            command.input.extend(self.heredoc(&end));
                        }
                    }
                    command.is_piped = is_piped;
                    is_piped = pipes;
                    script.commands.push(std::mem::take(&mut command));
                }
                '<' if self.peek_at(1) == Some('<') && self.peek_at(2) != Some('<') => {
                    self.at += 2;
                    if self.peek() == Some('-') {
                        self.at += 1;
                    }
                    while self.peek() == Some(' ') {
                        self.at += 1;
                    }
                    heredocs.push(self.word(end, depth, &mut script).text);
                }
                '<' | '>' => {
                    self.at += 1;
                    while self
                        .peek()
                        .is_some_and(|c| matches!(c, '<' | '>' | '&' | '|' | ' '))
                    {
                        self.at += 1;
                    }
                    let word = self.word(end, depth, &mut script);
                    if c == '>' {
                        command.outputs.push(word);
                    } else {
                        command.input.extend(word.names);
                    }
                }
                _ => {
                    let word = self.word(end, depth, &mut script);
                    let opens = word.text == "{";
                    command.words.push(word);
                    if opens {
                        script.commands.push(std::mem::take(&mut command));
                    }
                }
            }
        }
        command.is_piped = is_piped;
        script.commands.push(command);
        script
    }

    /// The variables of a here-document, whose last line is `end`.
    fn heredoc(&mut self, end: &str) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        while self.at < self.rest.len() {
            let mut line = String::new();
            while let Some(c) = self.next() {
                if c == '\n' {
                    break;
                }
                line.push(c);
            }
            if line.trim() == end {
                break;
            }
            names.extend(names_in(&line));
        }
        names
    }

    /// Reads a word; commands inside its substitutions are added to `script`.
    fn word(&mut self, end: Option<char>, depth: usize, script: &mut Script) -> Word {
        let mut word = Word::default();
        let mut quoted = false;
        let started = self.at;
        while let Some(c) = self.peek() {
            if !quoted && (c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')' | '<' | '>')) {
                break;
            }
            if !quoted && Some(c) == end {
                break;
            }
            self.at += 1;
            match c {
                '"' => quoted = !quoted,
                '\'' if !quoted => {
                    while let Some(c) = self.next() {
                        if c == '\'' {
                            break;
                        }
                        word.text.push(c);
                    }
                }
                '\\' => {
                    if let Some(c) = self.next()
                        && c != '\n'
                    {
                        word.text.push(c);
                    }
                }
                '`' if end != Some('`') => self.substitution('`', depth, &mut word, script),
                '$' => self.dollar(depth, &mut word, script),
                c => word.text.push(c),
            }
        }
        // A character that ends words and begins none must not stop the reader.
        if self.at == started {
            self.at += 1;
        }
        word
    }

    fn substitution(&mut self, end: char, depth: usize, word: &mut Word, script: &mut Script) {
        word.text.push_str("$()");
        if depth >= MAX_DEPTH {
            // Everything that is left is not read, so it counts as the name of a program.
            let rest: String = self.rest.get(self.at..).unwrap_or_default().iter().collect();
            self.at = self.rest.len();
            let names = names_in(&rest);
            word.names.extend(names.iter().cloned());
            let program = Word {
                text: "$()".to_owned(),
                names,
                is_literal: false,
            };
            script.commands.push(Command {
                words: vec![program],
                ..Command::default()
            });
            return;
        }
        let inner = self.script(Some(end), depth + 1);
        for command in &inner.commands {
            word.names.extend(command.names().cloned());
        }
        script.commands.extend(inner.commands);
    }

    fn dollar(&mut self, depth: usize, word: &mut Word, script: &mut Script) {
        match self.peek() {
            Some('(') => {
                self.at += 1;
                self.substitution(')', depth, word, script);
            }
            Some('{') => {
                self.at += 1;
                let mut inner = String::from("${");
                let mut open = 1_usize;
                while let Some(c) = self.next() {
                    inner.push(c);
                    match c {
                        '{' => open += 1,
                        '}' => open -= 1,
                        _ => {}
                    }
                    if open == 0 {
                        break;
                    }
                }
                word.names.extend(names_in(&inner));
                word.text.push_str(&inner);
            }
            _ => {
                let mut name = String::new();
                while let Some(c) = self.peek().filter(|c| *c == '_' || c.is_ascii_alphanumeric()) {
                    name.push(c);
                    self.at += 1;
                }
                if name.is_empty() && matches!(self.peek(), Some('@' | '*')) {
                    name.extend(self.next());
                }
                word.text.push('$');
                word.text.push_str(&name);
                if !name.is_empty() {
                    word.names.insert(name);
                }
            }
        }
    }
}

impl Command {
    fn names(&self) -> impl Iterator<Item = &String> {
        let words = self.words.iter().chain(&self.outputs);
        words.flat_map(|word| &word.names).chain(&self.input)
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
                            if has_positional(&script.text) {
                                note(&all, Use::Executed);
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
        for text in nested.iter().filter(|text| text.contains('$')) {
            // What is not read counts as executing every variable in it.
            if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
                let names = sources(&names_in(text), is_settable, tainted).into_iter();
                merge(found, names.map(|name| (name, Use::Executed)).collect());
                continue;
            }
            let mut inner = Reader {
                rest: text.chars().collect(),
                at: 0,
            };
            inner
                .script(None, depth + 1)
                .judge(is_settable, tainted, found, depth + 1);
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

impl Command {
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(script: &str) -> Option<Use> {
        uses(script, &|name| name == "X").remove("X")
    }

    #[test]
    fn what_a_program_is_handed_is_an_argument() {
        for script in [
            "pg_isready -U $X -d db",
            "pg_isready -U \"${X:-postgres}\" || exit 1",
            "redis-cli -a \"$X\" ping | grep PONG",
            "curl -fsS http://localhost:$X/health",
            "test -n \"$X\" && exec /app/server --port $X",
            "if [ -z \"$X\" ]; then echo missing; exit 1; fi\nexec nginx -g 'daemon off;'",
            "echo $X | base64 -d > /app/config.json\nexec /app/run --config /app/config.json",
            "cat > /etc/app.conf <<EOF\n$X\nkey=$X\nEOF\nexec app -c /etc/app.conf",
            "python3 /app/main.py --port $X",
            "exec gosu postgres postgres -c max_connections=$X",
            "export TOKEN=\"$X\"; exec node server.js",
            "envsubst '$X' < /etc/nginx/a.template > /etc/nginx/nginx.conf && nginx",
            "sh -c 'echo ok' && mysqladmin ping -p$X",
            "while ! nc -z $X 5432; do sleep 1; done; exec app",
            "psql -U $X -c 'SELECT 1'",
            "java -Xmx$X -jar app.jar",
            "node --max-old-space-size=$X server.js",
            "python3 -m gunicorn --bind 0.0.0.0:$X app:app",
            "npm run start -- --port $X",
            "npx serve -l $X",
            "exec docker-entrypoint.sh postgres -c max_connections=$X",
            "exec app \\\n  --port $X \\\n  --verbose",
            "[ \"$X\" -eq 1 ] || exit 1",
            "f() { echo started; }; f; exec app --port $X",
            "log() { echo \"$1\"; }; log starting; exec app --port $X",
            "timeout 5 bash -c '</dev/tcp/localhost/5432' # $X",
        ] {
            assert!(of(script) < Some(Use::Executed), "{script}: {:?}", of(script));
        }
    }

    #[test]
    fn what_a_shell_executes_is_executed() {
        for script in [
            "$X",
            "\"$X\" --help",
            "exec ${X}",
            "true && $X",
            "true; ${X:-true}",
            "/opt/$X/bin/run",
            "eval \"$X\"",
            "eval \"$(echo $X | base64 -d)\"",
            "sh -c \"$X\"",
            "bash -lc \"exec $X\"",
            "sh -c 'exec $X'",
            "echo $X | sh",
            "echo \"$X\" | base64 -d | bash -s",
            "curl $X | sh",
            "wget -O /tmp/a.sh $X; sh /tmp/a.sh",
            "echo \"$X\" > /run.sh\nchmod +x /run.sh\n/run.sh",
            "python -c \"$X\"",
            "python3 $X",
            "node -e \"$X\"",
            ". $X",
            "source \"$X\"",
            "A=$X; $A",
            "A=\"$X\"\nB=$A\neval $B",
            "for c in $X; do $c; done",
            "LD_PRELOAD=$X /app/run",
            "export PATH=$X:$PATH; app",
            "env $X app",
            "timeout 5 $X",
            "gosu root $X",
            "xargs $X < list",
            "trap \"$X\" EXIT",
            "`$X`",
            "echo $($X)",
            "su -c \"$X\" app",
            "pip install $X && app",
            "git clone $X /src",
            "sh <<EOF\n$X\nEOF",
            "if $X; then true; fi",
            "case a in a) $X ;; esac",
            "( $X )",
            "cat $X | while read line; do $line; done",
            "sh -c 'eval \"$1\"' -- $X",
            "run() { \"$@\"; }; run $X",
            "set -- $X; $1",
            "cd $X && ./start.sh",
            "npm install $X && node .",
            "npx $X",
            "npm run $X",
            "true && \\\n  $X",
            "function f { $X; }; f",
            "f() { $X; }; f",
            "bash <(echo $X)",
            ". <(echo \"$X\")",
            "sh /dev/stdin <<EOF\n$X\nEOF",
            "sh <<< \"$X\"",
            "printf '%s' \"$X\" > /a; . /a",
            "while IFS= read -r l; do sh -c \"$l\"; done <<< \"$X\"",
            "mapfile -t a <<< \"$X\"; ${a[0]}",
            "printf -v c '%s' \"$X\"; $c",
            "e=eval; $e \"$X\"",
            "[[ $X -eq 1 ]] && exec app",
            "exec docker-entrypoint.sh $X",
            "flock /lock $X",
            "echo \"* * * * * $X\" | crontab -",
            "set $X; \"$@\"",
            "export \"$X\"; app",
        ] {
            assert_eq!(of(script), Some(Use::Executed), "{script}");
        }
    }

    /// What is nested too deeply to be read counts as executed.
    #[test]
    fn depth_hides_nothing() {
        for depth in 1..40 {
            let substituted = format!("echo {}$X{}", "$(echo $(true; ".repeat(depth), "))".repeat(depth));
            assert_eq!(of(&substituted), Some(Use::Executed), "{substituted}");
            let mut nested = "exec $X".to_owned();
            for _ in 0..depth.min(7) {
                let escaped = nested
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('$', "\\$");
                nested = format!("sh -c \"{escaped}\"");
            }
            assert_eq!(of(&nested), Some(Use::Executed), "{} bytes", nested.len());
        }
    }

    #[test]
    fn without_a_shell_only_the_program_and_what_a_shell_is_handed_count() {
        let of = |arguments: &[&str]| {
            let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
            uses_of_arguments(&arguments, &|name| name == "X").remove("X")
        };
        assert_eq!(of(&["app", "--port", "$X"]), Some(Use::Argument));
        assert_eq!(of(&["sh", "-c", "exec app --port $X"]), Some(Use::Argument));
        assert_eq!(of(&["echo $X"]), Some(Use::Argument));
        for executed in [
            &["$X"][..],
            &["sh", "-c", "$X"],
            &["/bin/bash", "-ec", "eval $X"],
            &["sh -c $X"],
            &["python", "$X"],
        ] {
            assert_eq!(of(executed), Some(Use::Executed), "{executed:?}");
        }
    }

    proptest! {
        #[test]
        fn no_script_panics(script in "[$X(){}`'\"|;&<>\\\\ \nabc=#-]{0,80}") {
            let _ = uses(&script, &|name| name == "X");
        }
    }
}
