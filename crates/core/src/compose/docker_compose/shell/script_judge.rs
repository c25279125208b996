//! What a script does with each variable: command by command, then what the commands do together.

use std::collections::BTreeSet;

use super::downloads::names_of_what_it_brings;
use super::evaluated::evaluates;
use super::interpreters::{Execution, base_name, has_positional, is_interpreter, is_surely_interpreter};
use super::own_variables::{Tainted, assignment, sources};
use super::programs::{
    COREUTILS, DOWNLOADERS, EXECUTORS, FETCHERS, FETCHING, FOLDER_READERS, PATH_WRITERS, RUNNERS,
    STARTUP_FILES, UNPACKERS,
};
use super::reader::{MAX_DEPTH, MAX_SCRIPT_BYTES, Script, ShellCommand, ShellReader, Word, names_in};
use super::shown_environment::{shows_all, substitutes_environment};
use super::started::StartedProgram;
use super::variable_use::{EVERY_VARIABLE, Use, Uses, note, reads_variables};

/// Judges a script. What its own variables hold from outside is followed first, wherever the script stands: one that `sh -c` is
/// handed has variables of its own, too.
pub(super) fn judge_text(
    text: &str,
    is_settable: &dyn Fn(&str) -> bool,
    outer: &Tainted,
    found: &mut Uses,
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
    if substitutes_environment(text) && executes_words(&script) {
        found.insert(EVERY_VARIABLE.to_owned(), Use::Executed);
    }
    judge_script(&script, is_settable, &tainted, found, depth);
}

/// Judges a script that is read already.
pub(super) fn judge_script(
    script: &Script,
    is_settable: &dyn Fn(&str) -> bool,
    tainted: &Tainted,
    found: &mut Uses,
    depth: usize,
) {
    let words = script.commands.iter().flat_map(|command| &command.words);
    let assigned = words.filter_map(|word| assignment(&word.text).map(|(name, _)| name));
    let mut judge = ScriptJudge {
        is_settable,
        tainted,
        assigned: assigned.collect(),
        found,
        written: Vec::new(),
        started: BTreeSet::new(),
        nested: Vec::new(),
        moved: BTreeSet::new(),
        brought: BTreeSet::new(),
        starts_others: false,
        executes_input: false,
        shows_environment: false,
    };
    let mut previous = BTreeSet::new();
    for command in &script.commands {
        previous = judge.command(command, previous);
    }
    judge.conclude(script);
    judge.nested_scripts(depth);
}

/// Whether a word of a script may be a script.
fn executes_words(script: &Script) -> bool {
    let mut words = script.commands.iter().flat_map(|command| &command.words);
    words.any(|word| {
        let name = base_name(&word.text);
        EXECUTORS.contains(&name) || is_surely_interpreter(name)
    })
}

/// What is known of a script so far.
struct ScriptJudge<'a> {
    is_settable: &'a dyn Fn(&str) -> bool,
    /// What the script's own variables hold from outside.
    tainted: &'a Tainted,
    /// Variables that the script itself sets.
    assigned: BTreeSet<&'a str>,
    found: &'a mut Uses,
    /// Files that it writes, each with the variables that its content may be made of.
    written: Vec<(&'a str, BTreeSet<String>)>,
    /// Programs that it starts, and files that it executes or makes executable.
    started: BTreeSet<&'a str>,
    /// Words that an interpreter in it executes.
    nested: Vec<&'a str>,
    /// Variables that decide the folder that it stands in.
    moved: BTreeSet<String>,
    /// Variables that say from where files are brought.
    brought: BTreeSet<String>,
    /// Whether a program runs that may be what was brought.
    starts_others: bool,
    executes_input: bool,
    shows_environment: bool,
}

impl<'a> ScriptJudge<'a> {
    fn note(&mut self, names: &BTreeSet<String>, how: Use) {
        for name in sources(names, self.is_settable, self.tainted) {
            note(self.found, name, how);
        }
    }

    fn is_from_outside<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> bool {
        let names = names.into_iter().cloned().collect();
        !sources(&names, self.is_settable, self.tainted).is_empty()
    }

    /// Judges a command. `previous` is what the command before it may write into its pipe; returned is what this one may.
    fn command(&mut self, command: &'a ShellCommand, previous: BTreeSet<String>) -> BTreeSet<String> {
        let own: BTreeSet<String> = command.names().cloned().collect();
        self.note(&own, Use::Argument);
        if let Some((first, rest)) = command.words.split_first() {
            self.shows_environment |= shows_all(base_name(&first.text), rest);
        }
        // What it is handed through a pipe it may write.
        let mut all = own.clone();
        if command.is_piped {
            all.extend(previous);
        }
        self.outputs(command, &all);
        let mut executed = BTreeSet::new();
        let programs = command.programs(&mut executed);
        self.note(&executed, Use::Executed);
        self.interpreters(command, &programs);
        for program in programs {
            self.program(command, &program, &own, &all);
        }
        let mut shown = command.words.iter().chain(&command.outputs);
        self.shows_environment |= shown.any(|word| word.text.contains("/environ"));
        all
    }

    /// The files that a command writes by a redirection.
    fn outputs(&mut self, command: &'a ShellCommand, all: &BTreeSet<String>) {
        for output in &command.outputs {
            let path = output.text.as_str();
            self.written.push((path, all.clone()));
            let is_startup_file =
                STARTUP_FILES.iter().any(|file| path.contains(file)) || path.starts_with("~/.");
            let words = command.words.iter().flat_map(|word| &word.names);
            // Any file may be written, with any content.
            let is_any =
                self.is_from_outside(&output.names) && self.is_from_outside(words.chain(&command.input));
            if is_startup_file || is_any {
                self.note(all, Use::Executed);
            }
        }
    }

    /// The interpreters of a command: the programs that it starts, and each word that surely names one.
    fn interpreters(&mut self, command: &'a ShellCommand, programs: &[StartedProgram<'a>]) {
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
                self.note(&word.names, Use::Executed);
            }
            self.nested
                .extend(execution.scripts.iter().map(|word| word.text.as_str()));
            self.starts_files(execution.files.iter().copied());
            if execution.executes_input {
                self.note(&command.input, Use::Executed);
                self.executes_input |= command.is_piped;
            }
        }
    }

    fn starts_files(&mut self, words: impl IntoIterator<Item = &'a Word>) {
        for word in words {
            self.started.extend([word.text.as_str(), without_dot(&word.text)]);
        }
    }

    /// A program that a command starts. `own` are the variables of the command, `all` those of what it may write.
    fn program(
        &mut self,
        command: &'a ShellCommand,
        program: &StartedProgram<'a>,
        own: &BTreeSet<String>,
        all: &BTreeSet<String>,
    ) {
        let StartedProgram { word, arguments } = *program;
        let name = base_name(&word.text);
        self.note(&word.names, Use::Executed);
        self.starts_files([word]);
        self.brings(command, name, arguments, all);
        // These take what the folder says that they stand in.
        let reads_folder =
            FETCHERS.contains(&name) || RUNNERS.contains(&name) || FOLDER_READERS.contains(&name);
        if reads_folder || is_interpreter(name) && arguments.iter().any(is_relative_file) {
            let moved = std::mem::take(&mut self.moved);
            self.note(&moved, Use::Executed);
            self.moved = moved;
        }
        if matches!(name, "." | "source") {
            self.starts_files(arguments);
            let is_environment = arguments.iter().any(|word| word.text.contains("/environ"));
            self.shows_environment |= is_environment;
            self.executes_input |= is_environment;
        }
        // A program that the script itself names in a variable may be any.
        let is_own = word
            .names
            .iter()
            .any(|name| self.assigned.contains(name.as_str()));
        if is_own || evaluates(name, arguments) || fetches(name, arguments) {
            self.note(own, Use::Executed);
        }
        if EXECUTORS.contains(&name) {
            self.note(own, Use::Executed);
            self.nested
                .extend(arguments.iter().map(|word| word.text.as_str()));
        }
        if PATH_WRITERS.contains(&name) {
            let paths = arguments.iter().map(|word| (word.text.as_str(), all.clone()));
            self.written.extend(paths);
        }
        if name == "chmod" && arguments.iter().any(makes_executable) {
            self.started
                .extend(arguments.iter().map(|word| word.text.as_str()));
        }
        for word in names_of_packages(name, arguments) {
            self.note(&word.names, Use::Executed);
        }
        if matches!(name, "cd" | "pushd") {
            self.moved.extend(own.iter().cloned());
        }
    }

    /// What a program brings from elsewhere or unpacks, and whether it may be what was brought.
    fn brings(&mut self, command: &ShellCommand, name: &str, arguments: &[Word], all: &BTreeSet<String>) {
        let is_downloader = DOWNLOADERS.contains(&name);
        let is_unpacker = UNPACKERS.contains(&name);
        if is_downloader {
            self.brought
                .extend(names_of_what_it_brings(name, arguments, &command.outputs));
        }
        let unpacks = name == "unzip" || arguments.first().is_some_and(|word| word.text.contains('x'));
        if is_unpacker && (command.is_piped || unpacks) {
            self.brought.extend(all.iter().cloned());
        }
        self.starts_others |= !is_downloader && !is_unpacker && !COREUTILS.contains(&name);
    }

    /// What the commands do together: one writes a file or moves to a folder, another executes what stands there.
    fn conclude(&mut self, script: &Script) {
        if self.starts_others {
            let brought = std::mem::take(&mut self.brought);
            self.note(&brought, Use::Executed);
        }
        if self.executes_input {
            for command in &script.commands {
                self.note(&command.names().cloned().collect(), Use::Executed);
            }
        }
        // A program that is named relative to a folder from outside.
        if self.started.iter().any(|program| program.starts_with('.')) {
            let moved = std::mem::take(&mut self.moved);
            self.note(&moved, Use::Executed);
        }
        let written = std::mem::take(&mut self.written);
        let mut executes_output = false;
        for (file, names) in written {
            if !file.is_empty() && self.starts(file) {
                executes_output = true;
                self.note(&names, Use::Executed);
            }
        }
        if self.shows_environment && (self.executes_input || executes_output) {
            self.found.insert(EVERY_VARIABLE.to_owned(), Use::Executed);
        }
    }

    /// Whether a file is started. A program may be named by its path, relative to the folder, or by its name alone.
    fn starts(&self, file: &str) -> bool {
        let names = [file, without_dot(file), base_name(file)];
        names.iter().any(|name| self.started.contains(name))
    }

    /// The words that an interpreter executes, as scripts.
    fn nested_scripts(self, depth: usize) {
        for text in self.nested.into_iter().filter(|text| reads_variables(text)) {
            // What is not read counts as executing every variable in it.
            if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
                for name in sources(&names_in(text), self.is_settable, self.tainted) {
                    note(self.found, name, Use::Executed);
                }
                continue;
            }
            judge_text(text, self.is_settable, self.tainted, self.found, depth + 1);
        }
    }
}

/// Whether a package manager fetches what its arguments name.
fn fetches(name: &str, arguments: &[Word]) -> bool {
    let mut words = arguments.iter().map(|word| word.text.as_str());
    FETCHERS.contains(&name) && words.any(|word| FETCHING.contains(&word))
}

/// The words of a package manager or runner that may name what it starts: its verb and the next one.
fn names_of_packages<'w>(name: &str, arguments: &'w [Word]) -> impl Iterator<Item = &'w Word> {
    let most = match name {
        name if RUNNERS.contains(&name) => 1,
        name if FETCHERS.contains(&name) => 2,
        _ => 0,
    };
    let words = arguments.iter().filter(|word| !word.text.starts_with("--"));
    words.take(most)
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

/// A path without `./` before it.
fn without_dot(file: &str) -> &str {
    file.trim_start_matches("./")
}

fn is_relative_file(word: &Word) -> bool {
    !word.text.starts_with(['/', '-', '$']) && word.text.contains('.')
}
