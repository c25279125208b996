//! A word of a command, and what it holds.

use std::collections::BTreeSet;

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
    /// Whether it is what `seq` prints, and nothing else.
    pub(super) is_numbers: bool,
    /// Whether one of them stands outside quotes: its value may be several words.
    pub(super) is_split: bool,
}

impl Word {
    /// What is open by a number, as a file.
    pub(super) fn of_descriptor(number: &str) -> Self {
        Self {
            text: format!("/dev/fd/{number}"),
            ..Self::default()
        }
    }

    pub(super) fn is_number(&self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Its variables, and what its substitutions read.
    pub(super) fn held(&self) -> impl Iterator<Item = String> + '_ {
        self.names.iter().chain(&self.reads).cloned()
    }
}
