//! What a script's own variables hold from outside.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{Script, Word};

/// What a script's own variable holds from outside.
pub(super) type Tainted = BTreeMap<String, BTreeSet<String>>;

impl Script {
    /// Adds what the script's commands put into its variables.
    pub(super) fn taint(&self, is_settable: &dyn Fn(&str) -> bool, tainted: &mut Tainted) {
        let note = |name: &str, names: &BTreeSet<String>, tainted: &mut Tainted| {
            let from = sources(names, is_settable, tainted);
            if !from.is_empty() {
                tainted.entry(name.to_owned()).or_default().extend(from);
            }
        };
        let all: BTreeSet<String> = self
            .commands
            .iter()
            .flat_map(|command| command.names().cloned())
            .collect();
        for command in &self.commands {
            let first = command.words.first().map(|word| word.text.as_str());
            if let (Some("for"), Some(variable)) = (first, command.words.get(1)) {
                let list = command
                    .words
                    .iter()
                    .skip(2)
                    .flat_map(|word| word.names.clone())
                    .collect();
                note(&variable.text, &list, tainted);
            }
            let reads = |word: &Word| matches!(word.text.as_str(), "read" | "mapfile" | "readarray");
            if let Some(at) = command.words.iter().position(reads) {
                for word in command.words.iter().skip(at + 1) {
                    note(&word.text, &all, tainted);
                }
            }
            if let (Some("printf"), [_, option, variable, ..]) = (first, command.words.as_slice())
                && option.text == "-v"
            {
                note(&variable.text, &all, tainted);
            }
            for word in &command.words {
                if let Some((name, _)) = assignment(&word.text) {
                    note(name, &word.names, tainted);
                }
            }
        }
    }
}

/// The variables from outside that are among names, or that a script's own variable holds.
pub(super) fn sources(
    names: &BTreeSet<String>,
    is_settable: &dyn Fn(&str) -> bool,
    tainted: &Tainted,
) -> BTreeSet<String> {
    let mut from = BTreeSet::new();
    for name in names {
        if is_settable(name) {
            from.insert(name.clone());
        }
        from.extend(tainted.get(name).into_iter().flatten().cloned());
    }
    from
}

/// The name and the value of `NAME=value`.
pub(super) fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let is_name = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    is_name.then_some((name, value))
}
