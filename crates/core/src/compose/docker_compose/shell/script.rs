//! A script as commands of words.

use std::collections::BTreeSet;

use super::super::work::may_read;
use super::addresses::Addresses;
use super::paths::{base_name, file_key};
use super::programs::DOWNLOADERS;
use super::shown_environment::{WHOLE_ENVIRONMENT, names_environment_file, says_variables, shows_all};
use super::word::Word;

#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) commands: Vec<ShellCommand>,
    /// Names of its functions.
    pub(super) functions: BTreeSet<String>,
    /// What it says of addresses by its end.
    pub(super) addresses: Addresses,
}

impl Script {
    /// Whether one of its functions is handed an address at which anyone may answer, or may be: `retry get http://…`.
    pub(super) fn hands_an_address(&self) -> bool {
        self.hands_a_word(&|word| self.addresses.are_held_by(word))
    }

    /// Whether one of its functions is handed such a text.
    pub(super) fn hands(&self, is_one: &dyn Fn(&str) -> bool) -> bool {
        self.hands_a_word(&|word| is_one(&word.text))
    }

    /// What the commands of a group write, the end of the group writes.
    pub(super) fn gather_groups(&mut self) {
        let mut gathered = Vec::new();
        for (index, command) in self.commands.iter().enumerate() {
            let Some(first) = command.gathers.filter(|first| *first < command.at) else {
                continue;
            };
            let is_inside = |other: &&ShellCommand| (first..command.at).contains(&other.at);
            let before = self.commands.get(..index).unwrap_or_default();
            // A document that has more of this than is looked at is not judged.
            if !may_read(before.len().saturating_mul(16)) {
                return;
            }
            let held: BTreeSet<String> = before
                .iter()
                .filter(is_inside)
                .flat_map(ShellCommand::held)
                .collect();
            gathered.push((index, held));
        }
        for (index, held) in gathered {
            if let Some(command) = self.commands.get_mut(index) {
                command.input.extend(held);
            }
        }
    }

    fn hands_a_word(&self, is_one: &dyn Fn(&Word) -> bool) -> bool {
        let is_function = |word: &Word| self.functions.contains(&word.text);
        self.commands.iter().any(|command| {
            let handed = command.words.iter().skip_while(|word| !is_function(word));
            handed.skip(1).any(is_one)
        })
    }
}

#[derive(Debug, Default, Clone)]
pub(super) struct ShellCommand {
    pub(super) words: Vec<Word>,
    /// Files that it writes.
    pub(super) outputs: Vec<Word>,
    /// What it reads.
    pub(super) input: BTreeSet<String>,
    /// What it shows of what the host can choose.
    pub(super) answers: BTreeSet<String>,
    /// The text of it.
    pub(super) documents: Vec<String>,
    /// Whether its input is another command's output.
    pub(super) is_piped: bool,
    /// How many commands of the text end before it, and before the first of the pipeline that it reads.
    pub(super) at: usize,
    pub(super) pipe_start: usize,
    /// The first of the commands whose output it writes, where it ends a group: `{ …; } > FILE`.
    pub(super) gathers: Option<usize>,
    /// The folder that it stands in, where the script itself says it.
    pub(super) folder: Option<String>,
    /// How deeply it stands in substitutions.
    pub(super) depth: usize,
    /// Whether `printenv` stands in it, which prints the variables that the words behind it name.
    pub(super) prints_names: bool,
    /// Whether its program is the names in an expression that a shell evaluates as a number.
    pub(super) is_number: bool,
}

impl ShellCommand {
    /// Notes of the commands in `>(…)` that the first reads what any other command may write.
    pub(super) fn read_any(commands: &mut [Self]) {
        for command in &mut *commands {
            (command.pipe_start, command.at) = (0, usize::MAX);
        }
        if let [first, ..] = commands {
            first.is_piped = true;
        }
    }

    /// The download that a function of the script is handed as a command.
    pub(super) fn handed_to_function(&self, functions: &BTreeSet<String>) -> Option<Self> {
        let first = self.words.first()?;
        let is_download = |word: &Word| DOWNLOADERS.contains(&base_name(&word.text));
        let at = self.words.iter().position(is_download).filter(|at| *at > 0)?;
        functions.contains(&first.text).then(|| Self {
            words: self.words.get(at..).unwrap_or_default().to_vec(),
            ..self.clone()
        })
    }

    /// A command whose words are those of a list, which no shell reads.
    pub(super) fn of_list(words: &[String]) -> Self {
        let words = words.iter().map(|text| Word {
            text: text.clone(),
            is_literal: true,
            ..Word::default()
        });
        Self {
            words: words.collect(),
            ..Self::default()
        }
    }

    /// A command whose program is what these variables hold.
    pub(super) fn of_program(names: BTreeSet<String>) -> Self {
        let program = Word {
            text: "$()".to_owned(),
            names,
            ..Word::default()
        };
        Self {
            words: vec![program],
            depth: usize::MAX,
            ..Self::default()
        }
    }

    /// An expression with these names, which a shell evaluates as a number.
    pub(super) fn of_number(names: BTreeSet<String>) -> Self {
        Self {
            is_number: true,
            ..Self::of_program(names)
        }
    }

    /// Its output is opened by a number: `> FILE`, `3> FILE`, `>&3`.
    pub(super) fn writes(&mut self, descriptor: &str, file: Word, is_number: bool) {
        // What is shown, and errors, are no file.
        let is_file = |number: &str| !matches!(number, "" | "1" | "2");
        // `exec 3> FILE` reads what is written to `/dev/fd/3`.
        if is_file(descriptor) {
            let opened = Word::of_descriptor(descriptor).text;
            self.input.insert(file_key(&opened, None));
        }
        self.outputs
            .push(match is_number && file.is_number() && is_file(&file.text) {
                true => Word::of_descriptor(&file.text),
                false => file,
            });
    }

    /// The variables that stand in its words and in its input.
    pub(super) fn words_names(&self) -> impl Iterator<Item = &String> {
        let words = self.words.iter().chain(&self.outputs);
        let names = words.flat_map(|word| &word.names);
        names.chain(&self.input).chain(&self.answers)
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
            || says_variables(&self.words)
            || self.words.iter().any(|word| names_environment_file(&word.text));
        let environment = shows.then(|| WHOLE_ENVIRONMENT.to_owned());
        self.names().cloned().chain(files).chain(environment).collect()
    }
}
