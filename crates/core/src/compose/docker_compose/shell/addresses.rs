//! What a script says of addresses: `host_data.rs` reads it.

use std::collections::BTreeSet;

use super::machines::is_unprotected;
use super::word::Word;

/// What the commands of a script that were read so far say of the addresses behind them.
#[derive(Debug, Default, Clone)]
pub(super) struct Addresses {
    /// Variables that hold an address at which anyone may answer.
    pub(super) unprotected: BTreeSet<String>,
    /// Programs that do not look at who answers, since a variable or a setting says so.
    pub(super) unchecked: BTreeSet<&'static str>,
    /// The same of the keys of machines for SSH, which `ssh-keyscan` takes as they come.
    pub(super) takes_any_key: bool,
}

impl Addresses {
    /// Whether a word holds an address at which anyone may answer.
    pub(super) fn are_held_by(&self, word: &Word) -> bool {
        let shows = word.text.contains("$()");
        is_unprotected(&word.text) || !shows && word.names.iter().any(|name| self.unprotected.contains(name))
    }
}
