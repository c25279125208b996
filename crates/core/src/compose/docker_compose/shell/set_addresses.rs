//! By which ways, beside `NAME=value`, an address at which anyone may answer comes to a variable or to a client.

use super::addresses::{Addresses, PRINTED, arguments};
use super::asked_machines::{CLIENTS, is_asked_without_scheme, looks_asked};
use super::machines::{is_machine_without_scheme, is_unprotected};
use super::paths::base_name;
use super::script::{Script, ShellCommand};
use super::word::Word;
use super::written_files::has_option;

impl Addresses {
    /// Notes the variables to which a command gives an address in another way than `NAME=value`.
    pub(super) fn set_by_command(&mut self, command: &ShellCommand, is_piped_on: bool) {
        let [first, words @ ..] = command.words.as_slice() else {
            return;
        };
        let holds = words.iter().any(|word| self.are_held_by(word))
            || command.documents.iter().any(|text| holds_one(text));
        let prints = matches!(first.text.as_str(), "echo" | "printf");
        self.is_handed_on |= holds && (prints && is_piped_on || !command.documents.is_empty());
        let lines = command.documents.iter().flat_map(|text| text.split_whitespace());
        let mut looked_at = words.iter().map(|word| word.text.as_str()).chain(lines);
        self.is_machine_handed_on |=
            (prints && is_piped_on || !command.documents.is_empty()) && looked_at.any(names_a_machine);
        self.set_machines(first, words);
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

    /// Notes the variables to which a command gives an address without a scheme.
    fn set_machines(&mut self, first: &Word, words: &[Word]) {
        let texts = || words.iter().map(|word| word.text.as_str());
        let is_name = |text: &&str| !text.is_empty() && !text.contains(['-', '$', ':', '/']);
        match first.text.as_str() {
            "for" | "select" if texts().skip(2).any(is_asked_without_scheme) => {
                self.machines.extend(texts().take(1).map(str::to_owned));
            }
            "while" | "until" | "mapfile" | "read" | "readarray" if self.is_machine_handed_on => {
                self.machines.extend(texts().filter(is_name).map(str::to_owned));
            }
            "set" if texts().any(names_a_machine) => self.machines.extend(arguments()),
            _ => {}
        }
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
        (self.is_handed_on || self.is_machine_handed_on)
            && (has(&["parallel", "xargs"]) && has(&["curl", "wget"])
                || has(&["curl"]) && has_option('K', "--config")
                || has(&["wget"]) && has_option('i', "--input-file"))
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
            is_machine_handed_on: end.is_machine_handed_on,
            ..self.clone()
        };
        if script.hands_an_address() {
            all.set_arguments();
        }
        let hands_a_machine = |text: &str| names_a_machine(text);
        if script.hands(&hands_a_machine) {
            all.machines.extend(arguments());
        }
        // Only these take a variable for a machine.
        let is_client = |word: &Word| CLIENTS.contains(&base_name(&word.text));
        let has_clients = || {
            script
                .commands
                .iter()
                .any(|command| command.words.iter().any(is_client))
        };
        let is_new = all.unprotected.len() > self.unprotected.len()
            || all.schemes.len() > self.schemes.len()
            || (all.machines.len() > self.machines.len() || all.is_machine_handed_on) && has_clients()
            || all.is_handed_on;
        is_new.then_some(all)
    }
}

/// Whether a text is written as an address without a scheme of another machine.
fn names_a_machine(text: &str) -> bool {
    is_machine_without_scheme("curl", text) || looks_asked(text)
}

/// Whether a line of a text holds an address at which anyone may answer.
fn holds_one(text: &str) -> bool {
    text.split_whitespace().any(is_unprotected)
}
