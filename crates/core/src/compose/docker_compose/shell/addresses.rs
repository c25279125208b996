//! What a script says of addresses: `host_data.rs` reads it.

use std::collections::BTreeSet;

use super::asked_machines::is_asked_without_scheme;
use super::machines::{is_unprotected, is_unprotected_scheme, names_its_scheme};
use super::requests::letters_with_a_word;
use super::unchecked::is_unchecked;
use super::word::Word;

/// Among the names of variables: an address that a command substitution prints.
pub(super) const PRINTED: &str = "address:";
/// Among what a fixed entry of the environment says: a variable that holds an address without a scheme, before its name.
pub(super) const MACHINE: &str = "machine:";

/// What the commands of a script that were read so far say of the addresses behind them.
#[derive(Debug, Default, Clone)]
pub(super) struct Addresses {
    /// Variables that hold an address at which anyone may answer.
    pub(super) unprotected: BTreeSet<String>,
    /// Variables that hold the scheme of one, and those that hold the name of a machine.
    pub(super) schemes: BTreeSet<String>,
    pub(super) machines: BTreeSet<String>,
    /// Whether a command hands such an address to what reads it: `echo http://… |`, a here-document.
    pub(super) is_handed_on: bool,
    /// The same of an address without a scheme: `echo files/start.sh |`.
    pub(super) is_machine_handed_on: bool,
    /// Programs that do not look at who answers, since a variable or a setting says so.
    pub(super) unchecked: BTreeSet<&'static str>,
    /// The same of the keys of machines for SSH, which `ssh-keyscan` takes as they come.
    pub(super) takes_any_key: bool,
    /// Whether a setting of dnf or yum has the signatures of packages looked at that are named by their addresses.
    pub(super) checks_named_packages: bool,
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
        let is_machine = is_asked_without_scheme(value);
        self.machines.extend(is_machine.then(|| name.to_owned()));
        if is_address || turns_a_check_off(value) {
            self.unprotected.insert(name.to_owned());
        }
    }

    /// The arguments of the script, or those of its functions, hold an address.
    pub(super) fn set_arguments(&mut self) {
        self.unprotected.extend(arguments());
    }
}

/// The variables that hold the arguments of a script or of a function.
pub(super) fn arguments() -> impl Iterator<Item = String> {
    let all = ["@", "*"].map(str::to_owned).into_iter();
    all.chain((1..=9).map(|at| at.to_string()))
}

/// Whether options in the value of a variable say that a client does not look at who answers: `-fsSk`, `wget --no-check-certificate`.
fn turns_a_check_off(value: &str) -> bool {
    let is_option = |word: &&str| word.starts_with('-');
    let takes_next = |word: &str| {
        word.starts_with('-') && word.ends_with(|letter| letters_with_a_word("curl").contains(letter))
    };
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
