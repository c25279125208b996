//! A script as commands of words, and what these hold.

use std::collections::BTreeSet;

use super::interpreters::base_name;
use super::shown_environment::{WHOLE_ENVIRONMENT, shows_all};
use super::written_files::file_key;

#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) commands: Vec<ShellCommand>,
}

#[derive(Debug, Default)]
pub(super) struct ShellCommand {
    pub(super) words: Vec<Word>,
    /// Files that it writes.
    pub(super) outputs: Vec<Word>,
    /// What it reads as a here-document.
    pub(super) input: BTreeSet<String>,
    /// Whether its input is another command's output.
    pub(super) is_piped: bool,
    /// The folder that it stands in, where the script itself says it.
    pub(super) folder: Option<String>,
}

#[derive(Debug, Default, Clone)]
pub(super) struct Word {
    /// Without quotes; substitutions as they are written.
    pub(super) text: String,
    /// Variables that stand in it, those of command substitutions included.
    pub(super) names: BTreeSet<String>,
    /// Files that its command substitutions read, and the whole environment where they show it, as names.
    pub(super) reads: BTreeSet<String>,
    /// Whether no shell expands them before the program reads the word.
    pub(super) is_literal: bool,
    /// Whether one of them stands outside quotes: its value may be several words.
    pub(super) is_split: bool,
}

impl ShellCommand {
    /// A command whose program is what these variables hold.
    pub(super) fn of_program(names: BTreeSet<String>) -> Self {
        let program = Word {
            text: "$()".to_owned(),
            names,
            ..Word::default()
        };
        Self {
            words: vec![program],
            ..Self::default()
        }
    }

    /// The variables that stand in its words and in its input.
    pub(super) fn words_names(&self) -> impl Iterator<Item = &String> {
        let words = self.words.iter().chain(&self.outputs);
        words.flat_map(|word| &word.names).chain(&self.input)
    }

    /// These, and what its substitutions read.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        let words = self.words.iter().chain(&self.outputs);
        self.words_names().chain(words.flat_map(|word| &word.reads))
    }

    /// These, and the files that it names: what it may write.
    pub(super) fn held(&self) -> BTreeSet<String> {
        let operands = self
            .words
            .iter()
            .skip(1)
            .filter(|word| !word.text.starts_with('-'));
        let files = operands.map(|word| file_key(&word.text, self.folder.as_deref()));
        let program = self.words.split_first();
        let shows = program
            .is_some_and(|(program, arguments)| shows_all(base_name(&program.text), arguments))
            || self.words.iter().any(|word| word.text.contains("/environ"));
        let environment = shows.then(|| WHOLE_ENVIRONMENT.to_owned());
        self.names().cloned().chain(files).chain(environment).collect()
    }
}

impl Word {
    /// Its variables, and what its substitutions read.
    pub(super) fn held(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().chain(&self.reads).cloned()
    }
}
