//! What a script executes by starting a program.

use std::collections::BTreeSet;

use super::super::super::risky_names::{ENV, is_risky_in_guest, is_risky_in_script};
use super::super::evaluated::{evaluates, executes_arguments};
use super::super::interpreters::{TERMINALS, is_interpreter};
use super::super::names::names_in;
use super::super::own_variables::assignment;
use super::super::packages::{fetches, names_of_packages};
use super::super::paths::{base_name, file_key};
use super::super::programs::{FETCHERS, FOLDER_READERS, RUNNERS, SET_PASSWORDS, SET_PASSWORDS_BY_OPTION};
use super::super::read_files::sources_of_read_files;
use super::super::script::ShellCommand;
use super::super::script_files::{is_relative_file, makes_executable};
use super::super::started::StartedProgram;
use super::super::variable_use::Use;
use super::super::word::Word;
use super::super::written_files::{has_option, sources_of_program, sources_of_project};
use super::{Nested, ScriptJudge};

impl<'a> ScriptJudge<'a> {
    /// A program that a command starts. `own` are the variables of the command, `all` those of what it may write, `input` those of what
    /// it may read.
    pub(super) fn program(
        &mut self,
        command: &'a ShellCommand,
        program: &StartedProgram<'a>,
        own: &BTreeSet<String>,
        all: &BTreeSet<String>,
        input: &BTreeSet<String>,
    ) {
        let StartedProgram { word, arguments } = *program;
        let name = base_name(&word.text);
        // `{$NAME}` is how the settings of programs that are no shells name a variable.
        let is_placeholder =
            word.text.starts_with("{$") && !word.text.contains([',', '(']) && !word.text.contains("..");
        if !is_placeholder {
            self.note(&word.held().collect(), Use::Executed);
        }
        self.brings(command, name, arguments, all);
        self.starts_what_was_written(command, program);
        self.executes_by_its_name(command, program, own, all);
        self.executes_its_words(command, program, own, input);
    }

    /// The programs before the one that they start, where one of them is a file that was written.
    pub(super) fn starts_wrappers(&mut self, command: &ShellCommand) {
        for word in command.wrappers() {
            let text = word.text.as_str();
            if text.contains('/') {
                self.starts_files(command, [word]);
            } else {
                self.note_sources(sources_of_program(text, self.sets_path, self.tainted));
            }
            let is_of_system = !text.contains('/') || text.contains("bin/");
            self.starts_others |= !is_of_system;
        }
    }

    /// The words of a program that takes an operand for an option, where a path that the script itself names is written as one.
    fn own_paths(&self, name: &str, arguments: &[Word]) -> Option<Vec<Word>> {
        let path = |word: &Word| match word.is_split && self.is_from_outside(&word.names) {
            true => word.clone(),
            false => self.as_local(word),
        };
        matches!(name, "rsync" | "scp" | "sftp").then(|| arguments.iter().map(path).collect())
    }

    /// Files that were written or moved to, where a program is one of them or reads them.
    fn starts_what_was_written(&mut self, command: &'a ShellCommand, program: &StartedProgram<'a>) {
        let StartedProgram { word, arguments } = *program;
        let name = base_name(&word.text);
        if word.text.contains('/') {
            self.starts_files(command, [word]);
        } else {
            self.note_sources(sources_of_program(name, self.sets_path, self.tainted));
        }
        self.starts_relative |= word.text.starts_with('.') && word.text.len() > 1;
        self.note_sources(sources_of_read_files(
            name,
            arguments,
            command.folder.as_deref(),
            self.tainted,
        ));
        // These take what the folder says that they stand in.
        let reads_folder =
            FETCHERS.contains(&name) || RUNNERS.contains(&name) || FOLDER_READERS.contains(&name);
        if reads_folder || is_interpreter(name) && arguments.iter().any(is_relative_file) {
            let moved = self.moved.clone();
            self.note(&moved, Use::Executed);
        }
        if reads_folder {
            self.note_sources(sources_of_project(self.tainted));
            // A folder that was written as a whole.
            let folders = arguments
                .iter()
                .map(|word| word.text.as_str())
                .chain(command.folder.as_deref());
            let files =
                folders.map(|folder| file_key(&format!("{folder}/package.json"), command.folder.as_deref()));
            self.note(&files.collect(), Use::Executed);
        }
    }

    /// What programs execute that are known by their names.
    fn executes_by_its_name(
        &mut self,
        command: &'a ShellCommand,
        program: &StartedProgram<'a>,
        own: &BTreeSet<String>,
        all: &BTreeSet<String>,
    ) {
        let arguments = program.arguments;
        match base_name(&program.word.text) {
            "." | "source" => {
                self.starts_files(command, arguments);
                self.note(all, Use::Executed);
                self.starts_relative |= arguments.iter().any(|word| word.text.starts_with('.'));
            }
            "run-parts" => {
                let folders = arguments.iter().map(|word| Word {
                    text: format!("{}/*", word.text.trim_end_matches('/')),
                    ..Word::default()
                });
                self.starts_files(command, &folders.collect::<Vec<_>>());
            }
            "chmod" if makes_executable(arguments) => self.starts_files(command, arguments),
            "cd" | "pushd" => self.moved.extend(own.iter().cloned()),
            // The password of an account: who knows it can log in and execute anything.
            name if SET_PASSWORDS.contains(&name) => self.note(all, Use::Executed),
            name if SET_PASSWORDS_BY_OPTION.contains(&name)
                && (name == "usermod" && self.is_guest() || has_option(arguments, 'p', "--password")) =>
            {
                self.note(all, Use::Executed);
            }
            "systemctl" => {
                let assigned = arguments.iter().filter(|word| {
                    let name = assignment(&word.text).map(|(name, _)| name);
                    name.is_some_and(|name| is_risky_in_script(name) || is_risky_in_guest(name))
                });
                self.note(&assigned.flat_map(Word::held).collect(), Use::Executed);
            }
            _ => {}
        }
    }

    /// What a program executes of its words. `input` is what it may read.
    fn executes_its_words(
        &mut self,
        command: &'a ShellCommand,
        program: &StartedProgram<'a>,
        own: &BTreeSet<String>,
        input: &BTreeSet<String>,
    ) {
        let StartedProgram { word, arguments } = *program;
        let name = base_name(&word.text);
        if fetches(name, arguments) {
            self.note(own, Use::Executed);
        }
        // What a command shows is executed only where its output is.
        let shown = own.difference(&command.answers).cloned();
        let stands_in = arguments.iter().flat_map(Word::held);
        let named: BTreeSet<String> = shown.chain(stands_in).collect();
        // A program that the script itself names in a variable may be any.
        let is_own = word
            .names
            .iter()
            .any(|name| self.assigned.contains_key(name.as_str()));
        // `eval curl http://… '|' sh`
        let pipes = || arguments.iter().any(|word| word.text.starts_with('|'));
        let starts_interpreter = || arguments.iter().any(|word| is_interpreter(base_name(&word.text)));
        let local = self.own_paths(name, arguments);
        let evaluates = evaluates(name, local.as_deref().unwrap_or(arguments));
        let executes = executes_arguments(name, arguments);
        if executes && pipes() && starts_interpreter() {
            self.note(&command.answers, Use::Executed);
        }
        if is_own || evaluates || executes {
            self.note(&named, Use::Executed);
        }
        if evaluates {
            // An index that is evaluated needs no dollar that the shell replaces.
            let indices = arguments.iter().filter(|word| word.text.contains('['));
            self.note(
                &indices.flat_map(|word| names_in(&word.text)).collect(),
                Use::Executed,
            );
        }
        // What they read may be a script: `xargs -I{} sh -c '{}'`.
        if matches!(name, "parallel" | "xargs") && starts_interpreter() {
            self.note(&named, Use::Executed);
            self.note(input, Use::Executed);
        }
        if TERMINALS.contains(&name) {
            self.note(&BTreeSet::from([ENV.to_owned()]), Use::Executed);
        }
        if executes {
            let is_script = matches!(name, "eval" | "trap" | "watch");
            self.nested.extend(arguments.iter().map(|word| Nested {
                text: word.text.as_str(),
                is_script,
                language: None,
            }));
        }
        for word in names_of_packages(name, arguments) {
            self.note(&word.held().collect(), Use::Executed);
        }
    }
}
