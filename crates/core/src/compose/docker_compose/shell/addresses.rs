//! What a script says of addresses: `host_data.rs` reads it.

use std::collections::BTreeSet;

use super::machines::{is_machine_without_scheme, is_unprotected, is_unprotected_scheme, names_its_scheme};
use super::paths::base_name;
use super::requests::letters_with_a_word;
use super::script::{Script, ShellCommand};
use super::unchecked::is_unchecked;
use super::word::Word;
use super::written_files::has_option;

/// Among the names of variables: an address that a command substitution prints.
const PRINTED: &str = "address:";

/// What the commands of a script that were read so far say of the addresses behind them.
#[derive(Debug, Default, Clone)]
pub(super) struct Addresses {
    /// Variables that hold an address at which anyone may answer.
    pub(super) unprotected: BTreeSet<String>,
    /// Variables that hold the scheme of one, and those that hold the name of a machine.
    schemes: BTreeSet<String>,
    machines: BTreeSet<String>,
    /// Whether a command hands such an address to what reads it: `echo http://… |`, a here-document.
    is_handed_on: bool,
    /// Programs that do not look at who answers, since a variable or a setting says so.
    pub(super) unchecked: BTreeSet<&'static str>,
    /// The same of the keys of machines for SSH, which `ssh-keyscan` takes as they come.
    pub(super) takes_any_key: bool,
}

impl Addresses {
    /// Whether a word holds an address at which anyone may answer.
    pub(super) fn are_held_by(&self, word: &Word) -> bool {
        is_unprotected(&word.text) || self.are_in_variables_of(word)
    }

    /// Whether a variable of a word says it. Where the word names the scheme, no variable does.
    pub(super) fn are_in_variables_of(&self, word: &Word) -> bool {
        let is_one = |names: &BTreeSet<String>| word.names.iter().any(|name| names.contains(name));
        !names_its_scheme(&word.text)
            && (is_one(&self.unprotected)
                || word.names.contains(PRINTED)
                || word.text.contains("://") && is_one(&self.schemes))
    }

    /// Whether `curl` or `wget` takes the variable with which a word begins for a machine.
    pub(super) fn names_machine(&self, word: &Word) -> bool {
        !word.text.contains("://")
            && word.text.starts_with('$')
            && word.names.iter().any(|name| self.machines.contains(name))
    }

    /// Notes what a variable is set to.
    pub(super) fn set(&mut self, name: &str, value: &str, is_address: bool) {
        let is_scheme = is_unprotected_scheme(value);
        self.schemes.extend(is_scheme.then(|| name.to_owned()));
        let is_machine = is_machine_without_scheme("curl", value);
        self.machines.extend(is_machine.then(|| name.to_owned()));
        if is_address || turns_a_check_off(value) {
            self.unprotected.insert(name.to_owned());
        }
    }

    /// Notes the variables to which a command gives an address in another way than `NAME=value`.
    pub(super) fn set_by_command(&mut self, command: &ShellCommand, is_piped_on: bool) {
        let [first, words @ ..] = command.words.as_slice() else {
            return;
        };
        let holds = words.iter().any(|word| self.are_held_by(word))
            || command.documents.iter().any(|text| holds_one(text));
        let prints = matches!(first.text.as_str(), "echo" | "printf");
        self.is_handed_on |= holds && (prints && is_piped_on || !command.documents.is_empty());
        let is_name = |word: &&Word| !word.text.is_empty() && !word.text.contains(['-', '$', ':', '/']);
        let names = words.iter().filter(is_name).map(|word| word.text.clone());
        let is_set = match first.text.as_str() {
            "for" | "select" => return self.unprotected.extend(names.take(usize::from(holds))),
            "printf" => holds && words.first().is_some_and(|word| word.text == "-v"),
            "while" | "until" => words.first().is_some_and(|word| word.text == "read") && self.is_handed_on,
            "mapfile" | "read" | "readarray" => holds || self.is_handed_on,
            "set" if holds => return self.set_arguments(),
            _ => false,
        };
        self.unprotected.extend(names.filter(|_| is_set));
    }

    /// Whether a client asks the addresses that another command hands on to it: `xargs curl`, `wget -i FILE`, `curl -K FILE`.
    pub(super) fn are_handed_to(&self, command: &ShellCommand) -> bool {
        let has = |words: &[&str]| {
            command
                .words
                .iter()
                .any(|word| words.contains(&base_name(&word.text)))
        };
        let has_option = |letter, long| has_option(&command.words, letter, long);
        self.is_handed_on
            && (has(&["parallel", "xargs"]) && has(&["curl", "wget"])
                || has(&["curl"]) && has_option('K', "--config")
                || has(&["wget"]) && has_option('i', "--input-file"))
    }

    /// The arguments of the script, or those of its functions, hold an address.
    pub(super) fn set_arguments(&mut self) {
        self.unprotected.extend(["@", "*"].map(str::to_owned));
        self.unprotected.extend((1..=9).map(|at| at.to_string()));
    }

    /// Marks a word that holds what commands print, where that is an address.
    pub(super) fn mark_printed(&self, word: &mut Word, commands: &[ShellCommand]) {
        let prints = |command: &ShellCommand| {
            let first = command.words.first();
            first.is_some_and(|first| matches!(first.text.as_str(), "echo" | "printf"))
                && command.words.iter().any(|word| self.are_held_by(word))
        };
        if commands.iter().any(prints) {
            word.names.insert(PRINTED.to_owned());
        }
    }

    /// What the reading of a script from its start needs to know of its end: a function stands before what it is handed, and before the
    /// variables that it reads. `None` where nothing is new.
    pub(super) fn behind(&self, script: &Script) -> Option<Self> {
        let end = &script.addresses;
        let mut all = Self {
            unprotected: end.unprotected.clone(),
            schemes: end.schemes.clone(),
            machines: end.machines.clone(),
            is_handed_on: end.is_handed_on,
            ..self.clone()
        };
        if script.hands_an_address() {
            all.set_arguments();
        }
        let is_new = all.unprotected.len() > self.unprotected.len()
            || all.schemes.len() > self.schemes.len()
            || all.machines.len() > self.machines.len()
            || all.is_handed_on;
        is_new.then_some(all)
    }
}

/// Whether a line of a text holds an address at which anyone may answer.
fn holds_one(text: &str) -> bool {
    text.split_whitespace().any(is_unprotected)
}

/// Whether options in the value of a variable say that a client does not look at who answers: `-fsSk`, `wget --no-check-certificate`.
fn turns_a_check_off(value: &str) -> bool {
    let is_option = |word: &&str| word.starts_with('-');
    let takes_next = |word: &str| word.ends_with(|letter| letters_with_a_word("curl").contains(letter));
    let mut before = "";
    let options: Vec<Word> = value
        .split_whitespace()
        .filter(|word| !takes_next(std::mem::replace(&mut before, word)) && is_option(word))
        .map(|word| Word {
            text: word.to_owned(),
            ..Word::default()
        })
        .collect();
    is_unchecked("curl", &options)
}
