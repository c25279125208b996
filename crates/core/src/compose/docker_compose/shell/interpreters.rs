//! What a shell, Python, Node and the like execute of the arguments that they are handed.
//!
//! Where it is not sure whether a word is the argument of an option or the script, it takes it for both.

use super::super::work::may_read;
use super::paths::base_name;
use super::script_arguments::{has_positional, may_read_arguments};
use super::word::Word;

/// Shells: `-c` in any cluster of options says that the first operand is a script.
const SHELLS: [&str; 21] = [
    "ash", "bash", "csh", "dash", "elvish", "fish", "ksh", "loksh", "mksh", "nu", "oksh", "osh", "posh",
    "pwsh", "rbash", "rksh", "sh", "tcsh", "xonsh", "yash", "zsh",
];
/// Options of shells whose argument is the next word.
const SHELL_OPTIONS: [&str; 4] = ["--rcfile", "--init-file", "--init-command", "--features"];
/// Other programs that execute a script, which is an option's argument, the first operand or their input.
#[rustfmt::skip]
const OTHERS: [&str; 47] = [
    "R", "Rscript", "at", "awk", "batch", "bmake", "bpython", "bun", "clojure", "crontab", "deno", "elixir",
    "erl", "gap", "gawk", "ghc", "gmake", "groovy", "guile", "iex", "ipython", "irb", "java", "jshell",
    "julia", "lua", "make", "mawk", "maxima", "node", "nodejs", "octave", "osascript", "perl", "php",
    "python", "python2", "python3", "racket", "raku", "ruby", "sage", "sbcl", "scala", "tclsh", "ts-node",
    "tsx",
];
/// Those of them whose names are words of other commands, too.
const AMBIGUOUS: [&str; 15] = [
    "R", "at", "batch", "crontab", "erl", "gap", "guile", "make", "maxima", "nu", "octave", "posh", "racket",
    "sage", "scala",
];
/// Those of them that do not execute their input where they have no script.
const NOT_FROM_INPUT: [&str; 8] = ["awk", "bmake", "bun", "gawk", "gmake", "java", "make", "mawk"];
/// Those of them whose every operand decides code: `NAME=value` sets a variable that rules expand, `SHELL` above all.
const EVERY_OPERAND: [&str; 3] = ["bmake", "gmake", "make"];
/// Names of a program's input.
const INPUT: [&str; 3] = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"];
/// Starts of options of interpreters in which a value from outside selects no code.
const HARMLESS_STARTS: [&str; 6] = ["-Xms", "-Xmx", "-Xmn", "-Xss", "--max-", "--stack-"];
/// Of the virtual machine of Java: options that are numbers.
pub(super) const JAVA_NUMBERS: [&str; 6] = [
    "-XX:ActiveProcessorCount=",
    "-XX:InitialRAMPercentage=",
    "-XX:MaxMetaspaceSize=",
    "-XX:MaxRAMPercentage=",
    "-XX:MinRAMPercentage=",
    "-XX:ParallelGCThreads=",
];
/// Starts of options of Node and of Java that take no argument from the next word.
#[rustfmt::skip]
const ALONE: [&str; 23] = [
    "--allow-", "--deny-", "--enable-", "--disable-", "--no-", "--trace-", "--experimental-", "--inspect",
    "--harmony", "--expose-gc", "--expose_gc", "--preserve-symlinks", "--use-", "--watch", "--test",
    "--abort-", "--throw-", "--pending-", "-X", "-D", "-ea", "-server", "-da",
];

/// How many words behind a program are looked at for such an option, where the program may stand anywhere.
const MAX_OPTIONS: usize = 256;

/// Whether a program of this name executes what it is handed.
pub(super) fn is_interpreter(name: &str) -> bool {
    is_shell(name) || OTHERS.contains(&name) || is_python(name)
}

/// Whether a word is an interpreter where no grammar puts a program: behind a program that is not known to start another. It is one if
/// an option follows by which an interpreter takes a script; the name of a shell is one as well if it is no option's argument.
pub(super) fn is_interpreter_anywhere(before: &Word, name: &str, arguments: &[Word]) -> bool {
    if !is_interpreter(name) || AMBIGUOUS.contains(&name) {
        return false;
    }
    let is_argument = before.text.starts_with('-')
        && !before.text.contains('=')
        && !["-exec", "-ok"]
            .iter()
            .any(|start| before.text.starts_with(start));
    let mut options = arguments.iter().map(|word| word.text.as_str());
    if is_shell(name) {
        let is_command = |text: &str| !text.starts_with("--") && text.starts_with('-') && text.contains('c');
        let mut leading = options.take_while(|text| text.starts_with(['-', '+']) || text.len() < 12);
        // Of more words than these it is not known.
        return !is_argument
            || leading.by_ref().take(MAX_OPTIONS).any(is_command)
            || leading.next().is_some();
    }
    let takes_script = |text: &str| match name {
        name if is_python(name) => text.starts_with("-c"),
        "java" | "make" => false,
        _ => matches!(text, "-e" | "-E" | "--eval" | "-r" | "--require"),
    };
    // Its script from a variable.
    let is_handed_one = arguments
        .first()
        .is_some_and(|word| !word.names.is_empty() && !word.text.starts_with('-'));
    let mut takes_one = || options.by_ref().take(MAX_OPTIONS).any(takes_script) || options.next().is_some();
    !is_argument && (is_handed_one || takes_one())
}

pub(super) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name.trim_start_matches('-'))
}

/// Programs that give what they start a terminal.
pub(super) const TERMINALS: [&str; 10] = [
    "dtach", "empty", "expect", "screen", "script", "socat", "tmux", "ttyd", "unbuffer", "zellij",
];

/// Whether a word of a text is a shell and an option behind it says that it is interactive. A text that begins with such an option is one
/// of the image's own entrypoint.
pub(super) fn starts_interactive(text: &str) -> bool {
    let is_end = |c: char| c.is_whitespace() || "\"'`;|&()<>=".contains(c);
    let is_interactive = |option: &str| {
        option == "--interactive"
            || !option.starts_with("--") && option.starts_with('-') && option.contains('i')
    };
    // Whether what stands behind this word is its argument, as `pipefail` is that of `-o`.
    let takes_word = |word: &str| word.ends_with(['o', 'O']) || SHELL_OPTIONS.contains(&word);
    // In front of the text stands the image's entrypoint, whose options the first word may begin.
    let (mut of_shell, mut before, mut is_first) = (true, "", true);
    for word in text.split(is_end).filter(|word| !word.is_empty()) {
        if TERMINALS.contains(&base_name(word)) {
            return true;
        }
        let is_option = word.starts_with(['-', '+']) || takes_word(before);
        of_shell &= is_first || is_option;
        if of_shell && is_interactive(word) {
            return true;
        }
        of_shell = is_shell(base_name(word)) || (of_shell && !is_first);
        (before, is_first) = (word, false);
    }
    false
}

fn is_python(name: &str) -> bool {
    name.starts_with("python") || name.starts_with("pypy")
}

/// What an interpreter does with its arguments.
#[derive(Debug, Default)]
pub(super) struct Execution<'a> {
    /// Words whose variables it executes, or may.
    pub(super) executed: Vec<&'a Word>,
    /// Words that it executes as a script of its own language.
    pub(super) scripts: Vec<&'a Word>,
    /// Files that it executes.
    pub(super) files: Vec<&'a Word>,
    /// What a script that stands among the arguments is handed.
    pub(super) handed: &'a [Word],
    /// The module of Python that it executes.
    pub(super) module: Option<&'a Word>,
    /// Whether it executes its input.
    pub(super) executes_input: bool,
    /// Whether it is a shell that is interactive, which executes the file that `ENV` names.
    pub(super) is_interactive: bool,
}

impl<'a> Execution<'a> {
    /// Reads the arguments of the interpreter of this name.
    pub(super) fn of(name: &str, arguments: &'a [Word]) -> Self {
        let mut execution = Self::default();
        if !may_read(arguments.iter().map(|word| word.text.len()).sum()) {
            return execution;
        }
        let has_script = if is_shell(name) {
            execution.read_shell(arguments)
        } else {
            execution.read_other(name, arguments)
        };
        // An operand of awk may set a variable of its program.
        if EVERY_OPERAND.contains(&name) || name.ends_with("awk") && starts_programs(arguments) {
            execution.executed.extend(arguments);
        }
        // `at` takes a time as its operand, and the script from its input.
        execution.executes_input =
            !has_script && !NOT_FROM_INPUT.contains(&name) || matches!(name, "at" | "batch");
        execution
    }

    fn read_shell(&mut self, arguments: &'a [Word]) -> bool {
        let mut words = arguments.iter();
        let mut is_command = false;
        // `-s`: the script is the input, and every operand an argument of it.
        let mut is_input = false;
        let mut are_options = true;
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            if are_options && matches!(text, "-" | "--") {
                are_options = false;
            } else if are_options && text.len() > 1 && text.starts_with(['-', '+']) {
                // An option that is a variable may be `-c`.
                self.executed.extend((!word.names.is_empty()).then_some(word));
                let is_long = text.starts_with("--");
                let lower = text.to_ascii_lowercase();
                is_command |= text.starts_with('-')
                    && (!is_long && lower.contains('c') || matches!(text, "--command" | "--commands"));
                is_input |= text.starts_with('-') && !is_long && text.contains('s');
                self.is_interactive |=
                    text == "--interactive" || text.starts_with('-') && !is_long && text.contains('i');
                let takes = if is_long {
                    usize::from(SHELL_OPTIONS.contains(&text))
                } else {
                    lower.matches('o').count()
                };
                self.executed.extend(words.by_ref().take(takes));
            } else {
                if is_command {
                    self.script(word);
                    self.handed = words.as_slice();
                    // Behind the script stand its arguments.
                    if !word.is_literal && !word.names.is_empty() || has_positional(text) {
                        self.executed.extend(words);
                    }
                    return true;
                }
                self.executed.push(word);
                if is_input || INPUT.contains(&text) {
                    self.executed.extend(words);
                    return false;
                }
                self.files.push(word);
                return true;
            }
        }
        false
    }

    fn read_other(&mut self, name: &str, arguments: &'a [Word]) -> bool {
        let mut words = arguments.iter();
        let mut has_script = false;
        let mut is_unsure = false;
        // `bun run FILE`, `deno eval CODE`
        let mut verb = "";
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            if is_verb(name, text) && verb.is_empty() {
                verb = text;
                continue;
            }
            if verb == "eval" && !text.starts_with('-') {
                self.script(word);
                self.handed = words.as_slice();
                self.executed.extend(words);
                return true;
            }
            if text == "-" {
                // The script is the input, and what follows is handed to it.
                self.executed.extend(words);
                return false;
            }
            if text.starts_with(['-', '+']) {
                let is_harmless = HARMLESS_STARTS
                    .iter()
                    .chain(&JAVA_NUMBERS)
                    .any(|start| text.starts_with(start))
                    || is_property(text);
                if !word.names.is_empty() && (word.is_split || !is_harmless) {
                    self.executed.push(word);
                }
                if takes_a_script(text) {
                    let Some(script) = words.next() else { break };
                    self.script(script);
                    if text == "-m" && is_python(name) {
                        self.module = Some(script);
                    } else {
                        self.files.push(script);
                    }
                    has_script |= !matches!(text, "-r" | "--require" | "--import" | "-cp");
                    if is_inline(name, text) {
                        self.handed = words.as_slice();
                        if !script.names.is_empty() || may_read_arguments(&script.text) {
                            self.executed.extend(words.as_slice());
                        }
                    }
                    // What follows is for the script.
                    if is_python(name) || text == "-jar" {
                        return true;
                    }
                } else if code_of_option(name, text).is_some() {
                    self.script(word);
                    self.handed = words.as_slice();
                    has_script = true;
                    if is_python(name) {
                        return true;
                    }
                } else if name.ends_with("awk") && matches!(text, "-v" | "-F") {
                    let value = words.next();
                    self.executed
                        .extend(value.filter(|_| text == "-v" && starts_programs(arguments)));
                } else {
                    is_unsure |= !is_alone(name, text);
                }
                continue;
            }
            self.executed.push(word);
            if INPUT.contains(&text) {
                continue;
            }
            self.files.push(word);
            has_script = true;
            // It may have been the argument of an option.
            if !std::mem::take(&mut is_unsure) {
                break;
            }
        }
        has_script
    }

    fn script(&mut self, word: &'a Word) {
        if !word.is_literal {
            self.executed.push(word);
        }
        self.scripts.push(word);
    }
}

/// Whether a program of awk may start another one, so that what its variables hold may be executed.
pub(super) fn starts_programs(arguments: &[Word]) -> bool {
    let may_start = |word: &Word| {
        let text = word.text.as_str();
        text == "-f"
            || text.starts_with("--file")
            || ["system", "|", "getline", "@"]
                .iter()
                .any(|part| text.contains(part))
    };
    arguments.iter().any(may_start)
}

/// Whether a program of awk starts another one with what it reads.
pub(super) fn hands_on_its_input(arguments: &[Word]) -> bool {
    arguments.iter().any(|word| {
        // Without what stands in quotes: `print $1 "|" $2` starts nothing.
        let code: String = word.text.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
        let code = code.replace("||", "");
        let calls = |after: &str| after.trim_start().starts_with('(');
        // `print | "sh"`, `$0 | getline`; not `/a|b/`
        let pipes = code.split(['{', ';', '\n']).any(|statement| {
            let prints = statement.split_once("print");
            let mut behind = statement.split('|').skip(1).map(str::trim_start);
            prints.is_some_and(|(_, after)| after.contains('|'))
                || behind.any(|after| after.starts_with(['"', '&']) || after.starts_with("getline"))
        });
        pipes || code.split("system").skip(1).any(calls)
    })
}

/// `-Dname=value` of Java, where the name is not one of the virtual machine's own.
fn is_property(text: &str) -> bool {
    let own = [
        "$",
        "clojure.",
        "com.sun.",
        "groovy.",
        "java.",
        "javax.",
        "jdk.",
        "jruby.",
        "loader.",
        "log4j",
        "logback.",
        "logging.config",
        "polyglot.",
        "spring.config",
        "spring.main",
        "sun.",
    ];
    text.strip_prefix("-D")
        .is_some_and(|property| property.contains('=') && !own.iter().any(|own| property.starts_with(own)))
}

fn is_verb(name: &str, text: &str) -> bool {
    matches!((name, text), ("bun" | "deno", "run") | ("deno", "eval"))
}

/// Whether an option surely takes no argument from the next word.
fn is_alone(name: &str, option: &str) -> bool {
    if is_python(name) {
        let flags = option.trim_start_matches('-');
        return flags
            .chars()
            .all(|flag| "bBdEhiIOPqRsSuvVx0123456789".contains(flag));
    }
    let is_permission = || name == "deno" && option.len() == 2 && !option.ends_with(['c', 'r', 'L']);
    option.contains('=')
        || is_permission()
        || ALONE.iter().any(|start| option.starts_with(start))
        || matches!(name, "perl" | "ruby")
            && option
                .chars()
                .skip(1)
                .all(|flag| "wWtTuUnlapsS0123456789".contains(flag))
}

/// Whether the script behind an option stands there itself, and is not the name of one.
fn is_inline(name: &str, option: &str) -> bool {
    match option {
        "-jar" | "-cp" | "--require" | "--import" | "-f" | "--file" => false,
        "-r" => name == "php",
        _ => option.starts_with("--") || !option.ends_with('m'),
    }
}

/// The script that stands in the same word as its option: `--eval=CODE`, `-neCODE`.
pub(super) fn code_of_option<'t>(name: &str, option: &'t str) -> Option<&'t str> {
    let (flags, letter) = match name {
        "bun" | "deno" | "node" | "nodejs" | "ts-node" | "tsx" => {
            let (option, code) = option.split_once('=')?;
            return matches!(option, "--eval" | "--print" | "-e" | "-p" | "-pe").then_some(code);
        }
        "perl" => ("wWtTuUnlapsS0123456789", ['e', 'E']),
        "ruby" => ("wWUnlapsS", ['e', 'e']),
        "php" => ("n", ['r', 'r']),
        name if is_python(name) => ("bBdEhiIOPqRsSuvVx", ['c', 'c']),
        _ => return None,
    };
    let rest = option
        .strip_prefix('-')?
        .trim_start_matches(|flag| flags.contains(flag));
    rest.strip_prefix(letter).filter(|code| !code.is_empty())
}

/// `-c`, `-e`, `-m` and the like: what follows is a script, or the name of one.
fn takes_a_script(option: &str) -> bool {
    matches!(
        option,
        "--eval" | "--command" | "--print" | "-jar" | "-cp" | "--require" | "--import" | "-f" | "--file"
    ) || (!option.starts_with("--")
        && !option.starts_with("-X")
        && !option.starts_with("-D")
        && option.len() <= 6
        && option.ends_with(['c', 'e', 'm', 'r', 'p', 'E']))
}
