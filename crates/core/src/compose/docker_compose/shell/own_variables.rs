//! What a script's own variables and files hold from outside.

use std::collections::{BTreeMap, BTreeSet};

use super::paths::file_key;
use super::pipes::Pipes;
use super::script::{Script, ShellCommand};
use super::shown_environment::WHOLE_ENVIRONMENT;
use super::tainted::Tainted;
use super::word::Word;
use super::written_files::{sources_of_file, taint_files, written_by};

impl Script {
    /// Adds what the script's variables and files hold from outside, and what is made of them. Each round reaches one step further.
    pub(super) fn taint_all(&self, is_settable: &dyn Fn(&str) -> bool, tainted: &mut Tainted) {
        for _ in 0..4 {
            let before = tainted.clone();
            self.taint(is_settable, tainted);
            if *tainted == before {
                break;
            }
        }
    }

    /// Adds what the script's commands put into its variables and files.
    fn taint(&self, is_settable: &dyn Fn(&str) -> bool, tainted: &mut Tainted) {
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
        let mut pipes = Pipes::default();
        for command in &self.commands {
            let first = command.words.first().map(|word| word.text.as_str());
            if let (Some("for"), Some(variable)) = (first, command.words.get(1)) {
                // Without a list it goes through the arguments.
                if command.words.get(2).is_none_or(|word| word.text != "in") {
                    note(&variable.text, &BTreeSet::from(["@".to_owned()]), tainted);
                }
                let words = command.words.iter().skip(2).filter(|word| !word.is_numbers);
                let list = words.flat_map(|word| {
                    let file = file_key(&word.text, command.folder.as_deref());
                    word.held().chain([file])
                });
                note(&variable.text, &list.collect(), tainted);
            }
            let reads = |word: &Word| matches!(word.text.as_str(), "read" | "mapfile" | "readarray");
            if let Some(at) = command.words.iter().position(reads) {
                for word in command.words.iter().skip(at + 1) {
                    note(&word.text, &all, tainted);
                }
            }
            if let Some(at) = command.words.iter().position(|word| word.text == "getopts") {
                let handed = command.words.iter().skip(at + 3).flat_map(Word::held);
                let from = handed.chain(["@".to_owned()]).collect();
                let variable = command.words.get(at + 2).map(|word| word.text.as_str());
                for name in variable.into_iter().chain(["OPTARG"]) {
                    note(name, &from, tainted);
                }
            }
            if let (Some("printf"), [_, option, variable, ..]) = (first, command.words.as_slice())
                && option.text == "-v"
            {
                note(&variable.text, &all, tainted);
            }
            for word in &command.words {
                if let Some((name, _)) = assignment(&word.text) {
                    note(name, &word.held().collect(), tainted);
                }
            }
            let mut held = command.held();
            held.append(&mut pipes.read(command));
            let written = written_by(command);
            if !written.is_empty() {
                // What is added to one of the files is among this already.
                let from = sources(&held, is_settable, tainted);
                let keys = written
                    .iter()
                    .map(|path| file_key(path, command.folder.as_deref()));
                taint_files(keys, &from, tainted);
            }
            pipes.write(command, held);
        }
    }
}

impl Script {
    /// The values of its variables that it sets to one fixed text alone.
    pub(super) fn fixed_values(&self) -> BTreeMap<&str, &str> {
        fixed_values(&self.commands)
    }
}

/// The values of the variables that commands set to one fixed text alone.
pub(super) fn fixed_values(commands: &[ShellCommand]) -> BTreeMap<&str, &str> {
    let mut values: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    for word in commands.iter().flat_map(|command| &command.words) {
        if let Some((name, value)) = assignment(&word.text) {
            let is_fixed = word.names.is_empty() && !value.contains('$');
            let value = is_fixed.then_some(value);
            let known = values.entry(name).or_insert(value);
            if *known != value {
                *known = None;
            }
        }
    }
    let fixed = values
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    fixed.collect()
}

/// A text in which variables stand as their fixed values.
pub(super) fn with_fixed_values(text: &str, values: &BTreeMap<&str, &str>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        filled.push_str(before);
        let inner = after.strip_prefix('{').unwrap_or(after);
        let end = inner
            .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
            .unwrap_or(inner.len());
        let (name, behind) = inner.split_at(end);
        let behind = match inner.len() == after.len() {
            true => Some(behind),
            false => behind.strip_prefix('}'),
        };
        match (values.get(name), behind) {
            (Some(value), Some(behind)) => {
                filled.push_str(value);
                rest = behind;
            }
            _ => {
                filled.push('$');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// The variables from outside that are among names, or that a script's own variable or file holds.
pub(super) fn sources(
    names: &BTreeSet<String>,
    is_settable: &dyn Fn(&str) -> bool,
    tainted: &Tainted,
) -> BTreeSet<String> {
    let mut from = BTreeSet::new();
    for name in names {
        if is_settable(name) || name == WHOLE_ENVIRONMENT {
            from.insert(name.clone());
        }
        from.extend(tainted.get(name).into_iter().flatten().cloned());
        from.append(&mut sources_of_file(name, tainted));
    }
    from
}

/// The name and the value of `NAME=value`.
pub(super) fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    // An element of an array.
    let name = name
        .split_once('[')
        .filter(|_| name.ends_with(']'))
        .map_or(name, |(name, _)| name);
    let is_name = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric());
    is_name.then_some((name, value))
}
