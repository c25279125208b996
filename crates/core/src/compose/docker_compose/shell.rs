//! Where a shell script executes what a variable holds: as the name of a program, through `eval`, as a script of another
//! interpreter, as code that is fetched.
//!
//! This is not a shell. Where it is not sure it says [`Use::Executed`]; an argument of a program that is named in the script
//! is [`Use::Argument`].

use std::collections::{BTreeMap, BTreeSet};

use super::interpreters::{Execution, base_name, has_positional, is_interpreter, is_surely_interpreter};
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

/// Programs any of whose arguments may be executed.
const EXECUTORS: [&str; 37] = [
    ".",
    "alias",
    "chroot",
    "concurrently",
    "docker",
    "eval",
    "ex",
    "expect",
    "find",
    "foreman",
    "gdb",
    "honcho",
    "let",
    "ncat",
    "nerdctl",
    "nodemon",
    "nsenter",
    "parallel",
    "pm2",
    "podman",
    "screen",
    "script",
    "socat",
    "source",
    "sqlite3",
    "ssh",
    "start-stop-daemon",
    "su",
    "tmux",
    "trap",
    "ttyd",
    "unshare",
    "uwsgi",
    "vim",
    "watch",
    "watchexec",
    "xargs",
];
/// Programs that fetch or start code by name.
const FETCHERS: [&str; 22] = [
    "apk", "apt", "apt-get", "bun", "bundle", "cargo", "conda", "deno", "dpkg", "gem", "git", "go", "npm",
    "pdm", "pip", "pip3", "pipx", "pnpm", "poetry", "rpm", "uv", "yarn",
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
const RUNNERS: [&str; 3] = ["bunx", "npx", "uvx"];
/// Programs that bring files from elsewhere to places that an argument chooses.
const DOWNLOADERS: [&str; 16] = [
    "aria2c", "aws", "az", "crane", "curl", "gcloud", "gsutil", "ipfs", "mc", "mount", "oras", "rclone",
    "rsync", "s3cmd", "scp", "wget",
];
/// Programs that unpack their input.
const UNPACKERS: [&str; 5] = ["bsdtar", "busybox", "cpio", "tar", "unzip"];
/// Programs that start nothing and load nothing of what a script has fetched.
const COREUTILS: [&str; 58] = [
    "",
    ":",
    "[",
    "[[",
    "base64",
    "basename",
    "break",
    "cat",
    "chmod",
    "chown",
    "continue",
    "cp",
    "cut",
    "date",
    "dirname",
    "done",
    "echo",
    "egrep",
    "esac",
    "exit",
    "false",
    "fgrep",
    "fi",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "install",
    "jq",
    "kill",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "printf",
    "pwd",
    "return",
    "rm",
    "rmdir",
    "seq",
    "sha256sum",
    "shift",
    "sleep",
    "sort",
    "stat",
    "sync",
    "tail",
    "tee",
    "test",
    "touch",
    "tr",
    "true",
    "uname",
    "uniq",
    "wait",
    "wc",
];
/// Files that other programs execute or load at their start.
const STARTUP_FILES: [&str; 18] = [
    "/.bash",
    "/.profile",
    "/.ssh/config",
    "/.ssh/environment",
    "/.ssh/rc",
    "/.zshrc",
    "/etc/bash",
    "/etc/cron",
    "/etc/environment",
    "/etc/init",
    "/etc/ld.so",
    "/etc/pam.d",
    "/etc/profile",
    "/etc/s6",
    "/etc/supervisor",
    "/etc/systemd",
    "/var/spool/cron",
    "authorized_keys",
];
/// Programs that start the one that follows.
const WRAPPERS: [&str; 50] = [
    "builtin",
    "busybox",
    "bwrap",
    "capsh",
    "catatonit",
    "catchsegv",
    "chpst",
    "chronic",
    "command",
    "coproc",
    "dbus-run-session",
    "doas",
    "dockerize",
    "dumb-init",
    "env",
    "exec",
    "firejail",
    "flock",
    "gosu",
    "init",
    "ionice",
    "ld.so",
    "linux32",
    "linux64",
    "ltrace",
    "nice",
    "nohup",
    "prlimit",
    "proxychains4",
    "runsv",
    "runuser",
    "s6-envdir",
    "s6-setuidgid",
    "setarch",
    "setpriv",
    "setsid",
    "stdbuf",
    "strace",
    "su-exec",
    "sudo",
    "taskset",
    "time",
    "timeout",
    "tini",
    "torsocks",
    "toybox",
    "unbuffer",
    "wait-for-it.sh",
    "with-contenv",
    "xvfb-run",
];
/// Wrappers whose first argument is not the program.
const WITH_AN_ARGUMENT: [&str; 9] = [
    "flock",
    "gosu",
    "s6-envdir",
    "s6-setuidgid",
    "setarch",
    "su-exec",
    "taskset",
    "timeout",
    "wait-for-it.sh",
];
/// Programs that execute no argument, so that what stands behind `--` is no program.
const HARMLESS: [&str; 16] = [
    "[", "basename", "cat", "cd", "cp", "dirname", "echo", "egrep", "grep", "ls", "mkdir", "mv", "printf",
    "rm", "test", "touch",
];
/// Clients that start nothing, in lists that health checks have: a variable that no shell replaces there has no effect.
const CLIENTS: [&str; 7] = [
    "curl",
    "mariadb-admin",
    "mysqladmin",
    "nc",
    "pg_isready",
    "redis-cli",
    "wget",
];
/// Words after which a command begins.
const RESERVED: [&str; 9] = ["!", "{", "}", "do", "elif", "else", "if", "then", "while"];

/// In what [`uses`] finds: every variable of the environment, since the script executes what a command says of all.
pub(super) const EVERY_VARIABLE: &str = "*";

/// Whether a script can read a variable at all.
pub(super) fn reads_variables(script: &str) -> bool {
    ["$", "((", "env", "set", "export", "declare", "typeset"]
        .iter()
        .any(|word| script.contains(word))
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
    if substitutes_environment(text) && script.executes_words() {
        found.insert(EVERY_VARIABLE.to_owned(), Use::Executed);
    }
    script.judge(is_settable, &tainted, found, depth);
}

/// Every variable of a program and its arguments, which no shell reads unless one is named, or the image starts one.
pub(super) fn uses_of_arguments(
    arguments: &[String],
    is_settable: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, Use> {
    let mut found = BTreeMap::new();
    let is_client = arguments
        .first()
        .is_some_and(|program| CLIENTS.contains(&base_name(program)));
    // Nothing replaces `$NAME` in a word of a list but a shell that is handed the word as a script, whatever stands before it.
    let is_read = |word: &&String| !is_client && reads_variables(word) && !is_plain_option(word);
    for word in arguments.iter().filter(is_read) {
        merge(&mut found, uses(word, is_settable));
        if word.starts_with(['-', '+']) {
            let names = names_in(word).into_iter().filter(|name| is_settable(name));
            merge(&mut found, names.map(|name| (name, Use::Executed)).collect());
        }
    }
    for word in arguments {
        let names = names_in(word).into_iter().filter(|name| is_settable(name));
        merge(&mut found, names.map(|name| (name, Use::Argument)).collect());
    }
    // Each word was judged by itself: here counts who executes a word.
    let words = arguments.iter().map(|text| Word {
        text: text.clone(),
        names: if is_client {
            names_in(text)
        } else {
            BTreeSet::new()
        },
        is_literal: true,
        is_split: false,
    });
    let script = Script {
        commands: vec![ShellCommand {
            words: words.collect(),
            ..ShellCommand::default()
        }],
    };
    script.judge(is_settable, &BTreeMap::new(), &mut found, 0);
    found
}

/// `--name=$VALUE`, where the name is not that of a command, and the value is one word.
fn is_plain_option(word: &str) -> bool {
    const OF_COMMANDS: [&str; 14] = [
        "action", "cmd", "command", "config", "eval", "exec", "hook", "init", "load", "program", "require",
        "run", "script", "shell",
    ];
    let Some((name, value)) = word.strip_prefix("--").and_then(|option| option.split_once('=')) else {
        return false;
    };
    let lower = name.to_ascii_lowercase();
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && !OF_COMMANDS.iter().any(|command| lower.contains(command))
        && value.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '$' | '{' | '}' | '_' | '-' | '.' | ':' | '/' | ',')
        })
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
    /// Whether a word of it may be a script.
    fn executes_words(&self) -> bool {
        let mut words = self.commands.iter().flat_map(|command| &command.words);
        words.any(|word| {
            let name = base_name(&word.text);
            EXECUTORS.contains(&name) || is_surely_interpreter(name)
        })
    }

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
        // What is brought from where a variable says, and whether a program runs that may be it.
        let mut brought: BTreeSet<String> = BTreeSet::new();
        let mut previous: BTreeSet<String> = BTreeSet::new();
        let mut starts_others = false;
        let mut shows_environment = false;
        for command in &self.commands {
            let mut all: BTreeSet<String> = command.names().cloned().collect();
            note(&all, Use::Argument);
            if let Some((first, rest)) = command.words.split_first() {
                shows_environment |= shows_all(base_name(&first.text), rest);
            }
            // What it is handed through a pipe it may write.
            let own = all.clone();
            if command.is_piped {
                all.extend(previous);
            }
            for output in &command.outputs {
                written.push((output.text.as_str(), all.clone()));
                if STARTUP_FILES.iter().any(|file| output.text.contains(file))
                    || output.text.starts_with("~/.")
                {
                    note(&all, Use::Executed);
                }
                // Any file may be written, with any content.
                let path = sources(&output.names, is_settable, tainted);
                let content = command
                    .words
                    .iter()
                    .flat_map(|word| &word.names)
                    .chain(&command.input);
                let content = sources(&content.cloned().collect(), is_settable, tainted);
                if !path.is_empty() && !content.is_empty() {
                    note(&all, Use::Executed);
                }
            }
            let programs = command.programs(&mut note);
            let is_harmless = programs.iter().any(StartedProgram::is_harmless);
            let anywhere = (1..=command.words.len()).filter_map(|at| command.words.split_at_checked(at));
            let anywhere = anywhere.filter_map(|(before, after)| Some((before.last()?, after)));
            let anywhere =
                anywhere.filter(|(word, _)| !is_harmless && is_surely_interpreter(base_name(&word.text)));
            let named = programs.iter().map(|program| (program.word, program.arguments));
            let named = named.filter(|(word, _)| is_interpreter(base_name(&word.text)));
            for (word, arguments) in named.chain(anywhere) {
                let execution = Execution::of(base_name(&word.text), arguments);
                for word in &execution.executed {
                    note(&word.names, Use::Executed);
                }
                nested.extend(execution.scripts.iter().map(|word| word.text.clone()));
                started.extend(
                    execution
                        .files
                        .iter()
                        .flat_map(|word| [word.text.as_str(), plain(&word.text)]),
                );
                if execution.executes_input {
                    note(&command.input, Use::Executed);
                    executes_input |= command.is_piped;
                }
            }
            for StartedProgram {
                word: program,
                arguments,
            } in programs
            {
                note(&program.names, Use::Executed);
                let name = base_name(&program.text);
                started.insert(plain(&program.text));
                started.insert(&program.text);
                let is_downloader = DOWNLOADERS.contains(&name);
                if is_downloader {
                    brought.extend(names_of_what_it_brings(name, arguments, &command.outputs));
                }
                let unpacks =
                    name == "unzip" || arguments.first().is_some_and(|word| word.text.contains('x'));
                if UNPACKERS.contains(&name) && (command.is_piped || unpacks) {
                    brought.extend(all.iter().cloned());
                }
                starts_others |= !is_downloader && !UNPACKERS.contains(&name) && !COREUTILS.contains(&name);
                // These take what the folder says that they stand in.
                let reads_folder = FETCHERS.contains(&name)
                    || RUNNERS.contains(&name)
                    || matches!(name, "make" | "docker" | "docker-compose" | "podman" | "rake");
                if reads_folder || is_interpreter(name) && arguments.iter().any(is_relative_file) {
                    note(&moved, Use::Executed);
                }
                if matches!(name, "." | "source") {
                    started.extend(
                        arguments
                            .iter()
                            .flat_map(|word| [word.text.as_str(), plain(&word.text)]),
                    );
                    shows_environment |= arguments.iter().any(|word| word.text.contains("/environ"));
                    executes_input |= arguments.iter().any(|word| word.text.contains("/environ"));
                }
                // A program that the script itself names in a variable may be any.
                let is_own = program.names.iter().any(|name| assigned.contains(name.as_str()));
                if is_own || evaluates(name, arguments) {
                    note(&own, Use::Executed);
                }
                if matches!(
                    name,
                    "curl" | "wget" | "aria2c" | "tee" | "cp" | "mv" | "dd" | "ln" | "install"
                ) {
                    written.extend(arguments.iter().map(|word| (word.text.as_str(), all.clone())));
                }
                if name == "chmod" && arguments.iter().any(makes_executable) {
                    started.extend(arguments.iter().map(|word| word.text.as_str()));
                }
                if EXECUTORS.contains(&name) {
                    note(&own, Use::Executed);
                    nested.extend(arguments.iter().map(|word| word.text.clone()));
                }
                if FETCHERS.contains(&name)
                    && arguments
                        .iter()
                        .any(|word| FETCHING.contains(&word.text.as_str()))
                {
                    note(&own, Use::Executed);
                }
                if FETCHERS.contains(&name) || RUNNERS.contains(&name) {
                    let words = arguments.iter().filter(|word| !word.text.starts_with("--"));
                    for word in words.take(if RUNNERS.contains(&name) { 1 } else { 2 }) {
                        note(&word.names, Use::Executed);
                    }
                }
                if matches!(name, "cd" | "pushd") {
                    moved.extend(own.iter().cloned());
                }
            }
            let shown = command.words.iter().chain(&command.outputs);
            shows_environment |= shown.into_iter().any(|word| word.text.contains("/environ"));
            previous = all;
        }
        if starts_others {
            note(&brought, Use::Executed);
        }
        // A program may be named by its path, relative to the folder, or by its name alone.
        let is_started = |file: &str| {
            let names = [file, plain(file), base_name(file)];
            names.iter().any(|name| started.contains(name))
        };
        let executes_output = written
            .iter()
            .any(|(file, _)| !file.is_empty() && is_started(file));
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
            if !file.is_empty() && is_started(file) {
                note(names, Use::Executed);
            }
        }
        if shows_environment && (executes_input || executes_output) {
            found.insert(EVERY_VARIABLE.to_owned(), Use::Executed);
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

/// A program that a command may start.
struct StartedProgram<'a> {
    word: &'a Word,
    arguments: &'a [Word],
}

impl StartedProgram<'_> {
    fn is_harmless(&self) -> bool {
        HARMLESS.contains(&base_name(&self.word.text))
    }
}

impl ShellCommand {
    /// The programs that may run, behind assignments, reserved words and wrappers, each with its arguments. More than one where
    /// a word may be the argument of a wrapper's option.
    fn programs(&self, note: &mut impl FnMut(&BTreeSet<String>, Use)) -> Vec<StartedProgram<'_>> {
        let mut programs = Vec::new();
        let mut rest = self.words.as_slice();
        // How many more words may be the program, and how many of them are the wrapper's own argument.
        let mut may_follow = 0_usize;
        let mut own_arguments = 0_usize;
        let mut is_wrapped = false;
        while let Some((word, after)) = rest.split_first() {
            let text = word.text.as_str();
            let name = base_name(text);
            rest = after;
            if let Some((variable, _)) = assignment(text) {
                if is_risky(variable) {
                    note(&word.names, Use::Executed);
                    // What stands in quotes is expanded by the program.
                    note(&names_in(text), Use::Executed);
                }
            } else if matches!(text, "declare" | "typeset" | "local" | "export" | "readonly") {
                // Bash evaluates what it assigns to a number.
                let options = after.iter().take_while(|word| word.text.starts_with('-'));
                if options.filter(|word| word.text.contains('i')).count() > 0 {
                    for word in after {
                        note(&word.names, Use::Executed);
                    }
                }
                is_wrapped = true;
            } else if matches!(text, "for" | "case" | "select" | "in" | "function") {
                break;
            } else if RESERVED.contains(&text) || text == "until" || text == "--" {
            } else if WRAPPERS.contains(&name) || name.contains("entrypoint") || name.starts_with("ld-linux")
            {
                is_wrapped = true;
                let own = usize::from(WITH_AN_ARGUMENT.contains(&name));
                may_follow += own;
                own_arguments += own;
            } else if is_wrapped && text.starts_with('-') {
                // An option of the wrapper, whose argument may be the next word.
                note(&word.names, Use::Executed);
                may_follow += usize::from(!text.contains('='));
            } else if own_arguments > 0 && !word.names.is_empty() && !word.is_split && !word.is_literal {
                // In quotes it is one word: the duration of `timeout`, the user of `gosu`.
                own_arguments -= 1;
                may_follow = may_follow.saturating_sub(1);
            } else {
                own_arguments = own_arguments.saturating_sub(1);
                programs.push(StartedProgram {
                    word,
                    arguments: after,
                });
                if may_follow == 0 {
                    break;
                }
                may_follow -= 1;
            }
        }
        // What stands behind `--` may be a program, too.
        if !programs.iter().any(StartedProgram::is_harmless)
            && let Some(at) = self.words.iter().position(|word| word.text == "--")
            && let Some((word, arguments)) = self.words.get(at + 1..).and_then(<[Word]>::split_first)
        {
            programs.push(StartedProgram { word, arguments });
        }
        programs
    }
}

/// Whether a mode of chmod can let a file be executed: an octal one with an odd digit, a symbolic one with `x`, or one that is not
/// read here.
fn makes_executable(mode: &Word) -> bool {
    let text = mode.text.as_str();
    let is_octal = !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    let is_symbolic = text.contains(['+', '=']) && !text.starts_with('/');
    if is_octal {
        return text.bytes().any(|byte| byte % 2 == 1);
    }
    is_symbolic && text.contains(['x', 'X', 's', '$'])
        || text.starts_with('$')
        || text.starts_with("--reference")
}

/// Whether a script shows its whole environment inside a substitution.
fn substitutes_environment(text: &str) -> bool {
    const SHOWS: [&str; 6] = ["env", "printenv", "set", "export", "export-p", "declare-p"];
    let dense: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let opens = ["$(", "<(", "`"];
    SHOWS.iter().any(|shows| {
        let begins = |open: &&str| {
            let start = format!("{open}{shows}");
            [")", "|", "`"]
                .iter()
                .any(|end| dense.contains(&format!("{start}{end}")))
        };
        opens.iter().any(|open| begins(open))
    })
}

/// A path without `./` before it.
fn plain(file: &str) -> &str {
    file.trim_start_matches("./")
}

fn is_relative_file(word: &Word) -> bool {
    !word.text.starts_with(['/', '-', '$']) && word.text.contains('.')
}

/// Whether a command says all variables of its environment.
fn shows_all(name: &str, arguments: &[Word]) -> bool {
    let has_operand = arguments.iter().any(|word| !word.text.starts_with('-'));
    match name {
        "env" | "printenv" | "set" | "export" | "declare" | "typeset" | "readonly" => !has_operand,
        "envsubst" | "compgen" => true,
        _ => false,
    }
}

/// The variables that say from where a program brings a file, or to where. Nothing where it brings none, or keeps none.
fn names_of_what_it_brings(name: &str, arguments: &[Word], outputs: &[Word]) -> BTreeSet<String> {
    const BRINGING: [&str; 10] = [
        "copy", "cp", "download", "export", "get", "mirror", "move", "mv", "pull", "sync",
    ];
    let operands = || {
        arguments
            .iter()
            .filter(|word| !word.text.starts_with('-') || word.text == "-")
    };
    let target = operands()
        .next_back()
        .map(|word| word.text.as_str())
        .unwrap_or_default();
    let brings = match name {
        "curl" | "wget" => keeps_its_answer(name, arguments, outputs),
        "rsync" | "scp" => !target.contains(':'),
        "aria2c" | "mount" => true,
        _ => {
            operands().any(|word| BRINGING.iter().any(|verb| word.text.starts_with(verb)))
                && !target.contains(':')
        }
    };
    if !brings {
        return BTreeSet::new();
    }
    let is_of_request = matches!(name, "curl" | "wget");
    let mut before = "";
    let mut names = BTreeSet::new();
    for word in arguments {
        // What is sent says nothing of where the answer comes from.
        if !(is_of_request && is_sent(before, &word.text)) {
            names.extend(word.names.iter().cloned());
        }
        before = &word.text;
    }
    names.extend(outputs.iter().flat_map(|word| word.names.clone()));
    names
}

/// Whether a word of curl or wget is what is sent with a request, by itself or as the argument of the option before it.
fn is_sent(before: &str, word: &str) -> bool {
    const SENT: [&str; 18] = [
        "-A",
        "-F",
        "-H",
        "-T",
        "-X",
        "-d",
        "-e",
        "-m",
        "-u",
        "--data",
        "--form",
        "--header",
        "--max-time",
        "--password",
        "--post-data",
        "--upload-file",
        "--user",
        "--user-agent",
    ];
    let attached = word.starts_with('-') && SENT.iter().any(|option| word.starts_with(option));
    SENT.contains(&before) || before.starts_with("--data-") || attached
}

/// Whether the answer to a request of curl or wget stays in a file.
fn keeps_its_answer(name: &str, arguments: &[Word], outputs: &[Word]) -> bool {
    let has = |options: &[&str]| {
        let is = |word: &Word| {
            let text = word.text.as_str();
            let is_cluster = text.starts_with('-') && !text.starts_with("--") && text.contains('O');
            is_cluster || options.iter().any(|option| text.starts_with(option))
        };
        arguments.iter().any(is)
    };
    let is_kept = outputs.iter().any(|file| {
        !matches!(
            file.text.as_str(),
            "" | "1" | "2" | "/dev/null" | "/dev/stderr" | "/dev/stdout"
        )
    });
    let to_nowhere = |word: &Word| matches!(word.text.as_str(), "-" | "/dev/null" | "-O-" | "-qO-");
    match name {
        "curl" => {
            is_kept
                || has(&["-o", "--output", "--remote-name", "-K", "--config"])
                    && !arguments.iter().any(to_nowhere)
        }
        _ => is_kept || !arguments.iter().any(to_nowhere) && !has(&["--spider"]),
    }
}

/// Whether a program, or what a shell has built in, evaluates or executes one of its arguments.
fn evaluates(name: &str, arguments: &[Word]) -> bool {
    let has = |options: &[&str]| {
        let is = |word: &Word| options.iter().any(|option| word.text.starts_with(option));
        arguments.iter().any(is)
    };
    match name {
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
        "hash" | "enable" | "dotnet" | "mono" | "wasmtime" | "wasmer" | "kubectl" | "helm" | "crond"
        | "s6-svscan" => arguments.iter().any(|word| !word.names.is_empty()),
        "rsync" => names_code(arguments, &["-e", "--rsh", "--rsync-path"], false),
        "nginx" => names_code(arguments, &["-g", "-c", "-p"], false),
        "celery" => names_code(arguments, &["-A", "--app", "--config", "--workdir"], false),
        "flask" => names_code(arguments, &["-A", "--app"], false),
        "gunicorn" | "hypercorn" | "uvicorn" => names_code(
            arguments,
            &[
                "-c",
                "--config",
                "-k",
                "--worker-class",
                "--pythonpath",
                "--chdir",
                "--app-dir",
            ],
            true,
        ),
        "supervisord" => names_code(arguments, &["-c", "--configuration"], false),
        "tar" => has(&[
            "-F",
            "-I",
            "--checkpoint-action",
            "--info-script",
            "--new-volume-script",
            "--rmt-command",
            "--rsh-command",
            "--to-command",
            "--use-compress-program",
        ]),
        "psql" | "mysql" | "mariadb" | "mongosh" | "mongo" => {
            let mut words = arguments.iter();
            let is_script = |word: &Word| {
                let text = word.text.as_str();
                text.starts_with("-c")
                    || text.starts_with("-e")
                    || text.starts_with("--command")
                    || text.starts_with("--e")
            };
            while let Some(word) = words.next() {
                if is_script(word)
                    && (!word.names.is_empty() || words.next().is_some_and(|word| !word.names.is_empty()))
                {
                    return true;
                }
            }
            false
        }
        // Of a program that is not known here, what these options are named for.
        _ => {
            let starts = ["--exec", "--command", "--eval"];
            let is_starting = |word: &Word| starts.iter().any(|start| word.text.starts_with(start));
            let handed = arguments
                .iter()
                .zip(arguments.iter().skip(1).map(Some).chain([None]));
            handed.filter(|(word, _)| is_starting(word)).any(|(word, next)| {
                let next = next.filter(|_| !word.text.contains('='));
                !word.names.is_empty() || next.is_some_and(|word| !word.names.is_empty())
            })
        }
    }
}

/// Whether a variable stands in the argument of one of these options, or in the first operand.
fn names_code(arguments: &[Word], options: &[&str], operand: bool) -> bool {
    let mut before = "";
    let mut has_operand = false;
    for word in arguments {
        let text = word.text.as_str();
        let is_option = text.starts_with('-');
        let of_option =
            options.contains(&before) || is_option && options.iter().any(|option| text.starts_with(option));
        let is_operand = !is_option && !has_operand && (!before.starts_with('-') || before.contains('='));
        has_operand |= is_operand;
        if !word.names.is_empty() && (of_option || operand && is_operand) {
            return true;
        }
        before = text;
    }
    false
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
