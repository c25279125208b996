//! What a script does with each variable: command by command, then what the commands do together.

mod brought;
mod executed_pipes;
mod handed_code;
mod started_programs;
mod written_scripts;

use std::collections::{BTreeMap, BTreeSet};

use super::super::work::{is_used_up, may_read};
use super::addresses::Addresses;
use super::arithmetic::evaluated_names;
use super::host_data::HOST_DATA;
use super::host_files::{HOST_FILES, names_host_file};
use super::language::Language;
use super::names::names_in;
use super::own_variables::{assignment, sources};
use super::package_settings::{is_settings_file, names_unprotected};
use super::paths::{base_name, file_key};
use super::pipes::Pipes;
use super::reader::{MAX_DEPTH, MAX_SCRIPT_BYTES};
use super::script::{Script, ShellCommand};
use super::script_arguments::{has_positional, sets_arguments};
use super::script_files::is_data;
use super::shown_environment::WHOLE_ENVIRONMENT;
use super::tainted::Tainted;
use super::variable_use::{EVERY_VARIABLE, Use, Uses, note, reads_variables};
use super::word::Word;
use super::written_files::{has_files, is_startup_file, written_by};
use written_scripts::mark_scripts;

/// Judges a script. What its own variables hold from outside is followed first, wherever the script stands: one that `sh -c` is
/// handed has variables of its own, too.
pub(super) fn judge_text(
    text: &str,
    is_settable: &dyn Fn(&str) -> bool,
    outer: &Tainted,
    mut addresses: Addresses,
    found: &mut Uses,
    depth: usize,
) {
    addresses.add_entries([text], is_settable);
    let mut script = Script::read(text, addresses, depth);
    let mut tainted = outer.clone();
    // What a function of the script is handed, and what `set` sets, is not followed.
    if has_positional(text) && (text.contains("()") || text.contains("function ") || sets_arguments(text)) {
        let all = names_in(text);
        let all: BTreeSet<String> = all.into_iter().filter(|name| is_settable(name)).collect();
        for name in ["@", "*", "1", "2", "3", "4", "5", "6", "7", "8", "9"] {
            tainted.insert(name.to_owned(), all.clone());
        }
    }
    let judge = |text: &str, tainted: &Tainted, addresses: Addresses, found: &mut Uses| {
        judge_text(text, is_settable, tainted, addresses, found, depth + 1);
    };
    mark_scripts(&mut script, is_settable, &tainted, depth, &judge);
    script.gather_groups();
    script.add_commands_of_input();
    script.taint_all(is_settable, &mut tainted);
    judge_script(&script, is_settable, &tainted, found, depth);
}

/// What judging a command takes beside its words, in bytes that could be looked at instead.
const OF_A_COMMAND: usize = 1024;

/// Judges a script that is read already.
pub(super) fn judge_script(
    script: &Script,
    is_settable: &dyn Fn(&str) -> bool,
    tainted: &Tainted,
    found: &mut Uses,
    depth: usize,
) {
    let words = || script.commands.iter().flat_map(|command| &command.words);
    let mut assigned = BTreeMap::new();
    for (name, value) in words().filter_map(|word| assignment(&word.text)) {
        *assigned.entry(name).or_insert(true) &= value.starts_with('/');
    }
    // `read NAME`, `for NAME in`
    for word in words() {
        assigned
            .entry(word.text.as_str())
            .and_modify(|is_path| *is_path = false);
    }
    let mut judge = ScriptJudge {
        is_settable,
        tainted,
        sets_path: false,
        assigned,
        found,
        starts_relative: false,
        nested: Vec::new(),
        moved: BTreeSet::new(),
        brought: BTreeSet::new(),
        starts_others: false,
        executes_pipes: Vec::new(),
        piped_languages: BTreeSet::new(),
        numbers: script.numbers(),
        evaluated: BTreeSet::new(),
    };
    judge.sets_path = judge.assigned.contains_key("PATH");
    let mut pipes = Pipes::default();
    for command in &script.commands {
        let written = judge.command(command, pipes.read(command));
        pipes.write(command, written);
    }
    judge.conclude(script);
    judge.nested_scripts(script, depth);
}

/// What is known of a script so far.
struct ScriptJudge<'a> {
    is_settable: &'a dyn Fn(&str) -> bool,
    /// What the script's own variables hold from outside.
    tainted: &'a Tainted,
    /// Variables that the script itself sets, and whether to absolute paths alone.
    assigned: BTreeMap<&'a str, bool>,
    found: &'a mut Uses,
    /// Whether it says itself where programs are found.
    sets_path: bool,
    /// Whether it starts a program relative to the folder that it stands in.
    starts_relative: bool,
    /// Words that an interpreter in it executes.
    nested: Vec<Nested<'a>>,
    /// Variables that decide the folder that it stands in.
    moved: BTreeSet<String>,
    /// Variables that say from where files are brought.
    brought: BTreeSet<String>,
    /// Whether a program runs that may be what was brought.
    starts_others: bool,
    /// Pipes that it executes: how many commands end before the first that writes into one, and before the one that executes it.
    executes_pipes: Vec<(usize, usize)>,
    /// Of interpreters that execute what a command writes into their pipe.
    piped_languages: BTreeSet<Language>,
    /// Variables that it declares to be numbers.
    numbers: BTreeSet<String>,
    /// Names that it evaluates as numbers.
    evaluated: BTreeSet<String>,
}

/// A word that may be a script.
struct Nested<'a> {
    text: &'a str,
    /// Whether it is one for sure, so that a file that it names is started.
    is_script: bool,
    /// Its language, if that is not a shell's.
    language: Option<Language>,
}

impl<'a> ScriptJudge<'a> {
    /// Whether the script runs in the guest itself: there files of the host count.
    fn is_guest(&self) -> bool {
        (self.is_settable)(HOST_FILES)
    }

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
        if !may_read(OF_A_COMMAND) {
            return BTreeSet::new();
        }
        let own: BTreeSet<String> = command.names().cloned().collect();
        self.note(&own, Use::Argument);
        // What it is handed through a pipe it may write.
        let mut all = command.held();
        let mut input = command.input.clone();
        input.extend(previous.iter().cloned());
        all.extend(previous);
        let mut executed = BTreeSet::new();
        let programs = command.programs(&mut executed);
        let mut evaluated = evaluated_names(command, &programs);
        evaluated.extend(command.assigned_to_numbers(&self.numbers));
        if command.is_number {
            self.evaluated.extend(command.names().cloned());
        }
        self.evaluated.extend(evaluated.iter().cloned());
        executed.append(&mut evaluated);
        self.note(&executed, Use::Executed);
        self.writes(command, &all);
        self.starts_wrappers(command);
        self.interpreters(command, &programs, &input);
        for program in &programs {
            self.code_and_input(command, program, &input);
        }
        for program in programs {
            self.program(command, &program, &own, &all, &input);
        }
        all
    }

    /// Texts that are scripts of a language.
    fn in_language(&mut self, language: Language, texts: impl IntoIterator<Item = &'a String>) {
        self.nested.extend(texts.into_iter().map(|text| Nested {
            text,
            is_script: true,
            language: Some(language),
        }));
    }

    /// The files that a command writes.
    fn writes(&mut self, command: &'a ShellCommand, all: &BTreeSet<String>) {
        let written = written_by(command);
        // A language once, however many files of it there are.
        let languages: BTreeSet<Language> = written
            .iter()
            .filter_map(|path| Language::of_file(path))
            .collect();
        for language in languages {
            // Its words name the variables of a template.
            let fills_in = command
                .words
                .first()
                .is_some_and(|word| base_name(&word.text) == "envsubst");
            let words = command.words.iter().skip(if fills_in { usize::MAX } else { 1 });
            self.in_language(language, words.map(|word| &word.text));
            self.in_language(language, &command.documents);
        }
        let mut texts = command
            .words
            .iter()
            .map(|word| &word.text)
            .chain(&command.documents);
        if written.iter().any(|path| is_settings_file(path)) && texts.any(|text| names_unprotected(text)) {
            self.note(&BTreeSet::from([HOST_DATA.to_owned()]), Use::Executed);
        }
        if written.iter().any(|path| is_startup_file(path, self.is_guest())) {
            self.note(all, Use::Executed);
        }
        // Any file may be written, with any content.
        let words = command.words.iter().flat_map(|word| &word.names);
        let is_any = |output: &Word| self.is_from_outside(&output.names) && !is_data(&output.text);
        if command.outputs.iter().any(is_any) && self.is_from_outside(words.chain(&command.input)) {
            self.note(all, Use::Executed);
        }
    }

    /// Files that are executed, or can be from now on.
    fn starts_files<'w>(&mut self, command: &ShellCommand, words: impl IntoIterator<Item = &'w Word>) {
        for word in words {
            let key = file_key(&word.text, command.folder.as_deref());
            self.note(&BTreeSet::from([key]), Use::Executed);
        }
    }

    fn note_sources(&mut self, from: BTreeSet<String>) {
        for name in from {
            note(self.found, name, Use::Executed);
        }
    }

    /// What the commands do together: one brings a file or moves to a folder, another executes what stands there.
    fn conclude(&mut self, script: &'a Script) {
        for language in std::mem::take(&mut self.piped_languages) {
            for command in &script.commands {
                self.in_language(language, command.words.iter().skip(1).map(|word| &word.text));
                self.in_language(language, &command.documents);
            }
        }
        let numbers = std::mem::take(&mut self.numbers);
        self.note(&numbers, Use::Executed);
        self.evaluated.extend(numbers);
        let again = script.evaluated_again(&self.evaluated);
        self.note(&again, Use::Executed);
        if self.starts_others {
            let brought = std::mem::take(&mut self.brought);
            self.note(&brought, Use::Executed);
        }
        self.executed_pipes(script);
        // A program that is named relative to a folder from outside.
        if self.starts_relative {
            let moved = std::mem::take(&mut self.moved);
            self.note(&moved, Use::Executed);
        }
    }

    /// The words that an interpreter executes, as scripts.
    fn nested_scripts(self, script: &Script, depth: usize) {
        // Each once, whoever executes it: it may hold texts of its own, and they again.
        let mut texts: BTreeMap<(&str, Option<Language>), bool> = BTreeMap::new();
        for nested in self.nested {
            *texts.entry((nested.text, nested.language)).or_default() |= nested.is_script;
        }
        for ((text, language), is_script) in texts {
            if is_used_up() {
                return;
            }
            if let Some(language) = language {
                // What the script says to the programs that it starts: `export NODE_TLS_REJECT_UNAUTHORIZED=0`.
                let is_said = |name: &str| {
                    let said = name.strip_prefix(HOST_DATA).filter(|said| !said.is_empty());
                    said.is_some_and(|said| script.addresses.unchecked.contains(said))
                        && (self.is_settable)(HOST_DATA)
                };
                let is_outside = |name: &str| {
                    let names = BTreeSet::from([name.to_owned()]);
                    is_said(name) || !sources(&names, self.is_settable, self.tainted).is_empty()
                };
                for (name, how) in language.uses(text, &is_outside) {
                    if name == EVERY_VARIABLE {
                        note(self.found, WHOLE_ENVIRONMENT.to_owned(), how);
                    }
                    for name in sources(&BTreeSet::from([name]), self.is_settable, self.tainted) {
                        note(self.found, name, how);
                    }
                }
                continue;
            }
            let may_start_a_file = is_script && has_files(self.tainted);
            if !may_start_a_file && !reads_variables(text) && !names_host_file(text) {
                continue;
            }
            // What is not read counts as executing every variable in it.
            if depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
                for name in sources(&names_in(text), self.is_settable, self.tainted) {
                    note(self.found, name, Use::Executed);
                }
                continue;
            }
            let addresses = script.addresses.clone();
            judge_text(
                text,
                self.is_settable,
                self.tainted,
                addresses,
                self.found,
                depth + 1,
            );
        }
    }
}
