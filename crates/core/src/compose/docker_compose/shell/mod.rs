//! Where a shell script executes what a variable holds: as the name of a program, through `eval`, as a script of another
//! interpreter, as code that is fetched.
//!
//! This is not a shell. Where it is not sure it says [`Use::Executed`]; an argument of a program that is named in the script
//! is [`Use::Argument`].
//!
//! | files | what they do |
//! |---|---|
//! | `reader`, `script`, `unfinished_script`, `word`, `pipes`, `arithmetic`, `paths`, `names` | read a text as commands of words |
//! | `script_judge`, `evaluated`, `started`, `variable_use`, `inline_code`, `input_arguments`, `argument_list`, `script_arguments` | what a command does with a variable, and what a script does as a whole |
//! | `tainted`, `own_variables`, `written_files`, `read_files`, `environment_copies`, `shown_environment`, `program_settings` | where a value from outside goes: variables, files, settings |
//! | `host_data`, `host_files`, `addresses`, `set_addresses`, `asked_machines`, `machines`, `connections`, `requests`, `unchecked`, `unsigned` | what the host or another machine may say |
//! | `downloads`, `download_output`, `transfers`, `archives`, `packages`, `package_settings`, `verbs`, `script_files`, `named_files`, `known_folders` | what is brought, unpacked or installed, and where to |
//! | `language`, `language_words`, `language_calls`, `named_calls`, `other_language`, `script_facts`, `answers` | scripts of Python, Node, Ruby, Perl and PHP |
//! | `guest_script`, `guest_files`, `engine_spellings` | scripts that run before the containers or hold the socket of the engine |
//! | `programs`, `interpreters`, `clients`, `code_options`, `code_options_table`, `data_options`, `data_positions`, `executing_words`, `readers_table` | tables of programs and words |

mod addresses;
mod answers;
mod archives;
mod argument_list;
mod arithmetic;
mod asked_machines;
mod clients;
mod code_options;
mod code_options_table;
mod connections;
mod data_options;
mod data_positions;
mod download_output;
mod downloads;
mod engine_spellings;
mod environment_copies;
mod evaluated;
mod executing_words;
mod guest_files;
mod guest_script;
mod host_data;
mod host_files;
mod inline_code;
mod input_arguments;
mod interpreters;
mod known_folders;
mod language;
mod language_calls;
mod language_words;
mod machines;
mod named_calls;
mod named_files;
mod names;
mod other_language;
mod own_variables;
mod package_settings;
mod packages;
mod paths;
mod pipes;
mod program_settings;
mod programs;
mod read_files;
mod reader;
mod readers_table;
mod requests;
mod script;
mod script_arguments;
mod script_facts;
mod script_files;
mod script_judge;
mod set_addresses;
mod shown_environment;
mod started;
mod tainted;
mod transfers;
mod unchecked;
mod unfinished_script;
mod unsigned;
mod variable_use;
mod verbs;
mod word;
mod written_files;

#[cfg(test)]
mod corpus_tests;
#[cfg(test)]
mod long_text_tests;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::work::may_read;
use addresses::Addresses;
pub(super) use argument_list::{ItemUse, ListItem, uses_of_list};
use evaluated::names_a_command;
pub(super) use guest_files::{WrittenFrom, files_from_outside};
pub(super) use guest_script::GuestScript;
pub(super) use host_data::{HOST_DATA, HOSTNAME, SettingsFile, may_take, said_by_entry};
pub(super) use host_files::FROM_THE_HOST;
use interpreters::{Execution, code_of_option, starts_interactive};
pub(super) use language::{LANGUAGES, Language};
pub(super) use machines::{is_machine, is_of_proxy, is_unprotected};
pub(super) use named_files::{NamedBy, NamedFile, is_started_in_list, is_started_in_script};
pub(super) use names::names_in;
pub(super) use package_settings::fetches_by_settings;
use paths::base_name;
use programs::CLIENTS;
pub(super) use reader::MAX_SCRIPT_BYTES;
use script::{Script, ShellCommand};
use script_arguments::ARGUMENT_LISTS;
pub(super) use script_files::is_data as is_data_by_name;
use script_judge::{judge_script, judge_text};
use started::surely_started;
use variable_use::note;
pub(super) use variable_use::{EVERY_VARIABLE, Use, Uses, reads_variables};
use word::Word;

/// A text of this many times [`MAX_SCRIPT_BYTES`] is read in parts. Of a longer one counts what it names: to read it all takes minutes.
const MAX_PARTS: usize = 4;

/// Every variable of a script for which `is_settable` holds, with the gravest use.
pub(super) fn uses(text: &str, is_settable: &dyn Fn(&str) -> bool) -> Uses {
    let mut found = Uses::new();
    if !may_read(text.len()) {
        return found;
    }
    if text.len() > MAX_SCRIPT_BYTES {
        note_long_text(text, is_settable, &mut found);
        let executes = |part: &str| uses(part, is_settable).get(HOST_DATA) == Some(&Use::Executed);
        let takes = || match text.len() <= MAX_PARTS * MAX_SCRIPT_BYTES {
            true => host_data::may_bring(text) || parts(text).into_iter().any(executes),
            false => {
                host_data::names_a_way(text)
                    || host_data::names_a_file(text)
                    || names_in(text)
                        .iter()
                        .any(|name| is_settable(&host_data::said(name)))
            }
        };
        if is_settable(HOST_DATA) && takes() {
            note(&mut found, HOST_DATA.to_owned(), Use::Executed);
        }
        return found;
    }
    judge_text(
        text,
        is_settable,
        &BTreeMap::new(),
        Addresses::default(),
        &mut found,
        0,
    );
    found
}

/// Notes that what is too long to be read executes every variable in it.
fn note_long_text(text: &str, is_settable: &dyn Fn(&str) -> bool, found: &mut Uses) {
    for name in names_in(text).into_iter().filter(|name| is_settable(name)) {
        note(found, name, Use::Executed);
    }
}

/// The parts of a text that are short enough to be read, of whole lines where these are.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while rest.len() > MAX_SCRIPT_BYTES {
        let is_end = |at: &usize| rest.is_char_boundary(*at);
        let longest = (0..=MAX_SCRIPT_BYTES).rev().find(is_end).unwrap_or(rest.len());
        let (part, _) = rest.split_at(longest);
        let (part, behind) = rest.split_at(part.rfind('\n').map_or(longest, |at| at + 1));
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

/// Every variable of a program and its arguments, which no shell reads unless one is named, or the image starts one.
pub(super) fn uses_of_arguments(arguments: &[String], is_settable: &dyn Fn(&str) -> bool) -> Uses {
    let mut found = Uses::new();
    let bytes: usize = arguments.iter().map(String::len).sum();
    if !may_read(bytes) {
        return found;
    }
    if bytes > MAX_SCRIPT_BYTES {
        for word in arguments {
            note_word(word, is_settable, &mut found);
            note_long_text(word, is_settable, &mut found);
        }
        // Which program gets which word is not read here.
        if is_settable(HOST_DATA) && arguments.iter().any(|word| host_data::names_a_way(word)) {
            note(&mut found, HOST_DATA.to_owned(), Use::Executed);
        }
        return found;
    }
    let is_client = arguments
        .first()
        .is_some_and(|program| CLIENTS.contains(&base_name(program)));
    if !is_client {
        let others = scripts_in_other_languages(arguments);
        for (at, word) in arguments.iter().enumerate() {
            if !others.contains_key(&at) {
                note_word(word, is_settable, &mut found);
            }
        }
    }
    for word in arguments {
        let names = names_in(word).into_iter().filter(|name| is_settable(name));
        names.for_each(|name| note(&mut found, name, Use::Argument));
    }
    // Each word was judged by itself: here counts who executes a word.
    let words = arguments.iter().map(|text| Word {
        text: text.clone(),
        names: if is_client {
            names_in(text)
        } else {
            BTreeSet::new()
        },
        is_literal: true,
        ..Word::default()
    });
    let mut command = ShellCommand {
        words: words.collect(),
        ..ShellCommand::default()
    };
    let mut addresses = Addresses::default();
    addresses.add_entries(arguments.iter().map(String::as_str), is_settable);
    let taken = addresses.taken_by(&mut command);
    command.answers.extend(taken.map(str::to_owned));
    let script = Script {
        commands: vec![command],
        addresses,
        ..Script::default()
    };
    judge_script(&script, is_settable, &BTreeMap::new(), &mut found, 0);
    found
}

/// What a shell does with a word of a list. Nothing replaces `$NAME` in it but a shell that is handed the word as a script, whatever stands
/// before it.
fn note_word(word: &str, is_settable: &dyn Fn(&str) -> bool, found: &mut Uses) {
    if !reads_variables(word) || is_plain_option(word) {
        return;
    }
    for (name, how) in uses(word, is_settable) {
        note(found, name, how);
    }
    if word.starts_with(['-', '+']) {
        let names = names_in(word).into_iter().filter(|name| is_settable(name));
        names.for_each(|name| note(found, name, Use::Executed));
    }
}

/// Where a list executes something.
#[derive(Debug, Default)]
pub(super) struct ExecutedInList {
    /// What a word executes by itself, as a script of a shell or of the interpreter that the list starts, by its index.
    words: Vec<(usize, BTreeSet<String>)>,
    /// What the list executes without these words.
    rest: BTreeSet<String>,
}

impl ExecutedInList {
    /// Judges each word by itself, and the list without those that execute something.
    pub(super) fn of(arguments: &[String], is_settable: &dyn Fn(&str) -> bool) -> Self {
        let others = scripts_in_other_languages(arguments);
        let executed = |found: Uses| -> BTreeSet<String> {
            let found = found.into_iter().filter(|(_, how)| *how == Use::Executed);
            found.map(|(name, _)| name).collect()
        };
        let mut rest = arguments.to_vec();
        let mut words = Vec::new();
        for (at, (word, left)) in arguments.iter().zip(&mut rest).enumerate() {
            let mut found = Uses::new();
            match others.get(&at) {
                Some((language, text)) => {
                    let uses = language.uses(text, is_settable);
                    uses.into_iter()
                        .for_each(|(name, how)| note(&mut found, name, how));
                }
                None => note_word(word, is_settable, &mut found),
            }
            let names = executed(found);
            if !names.is_empty() {
                left.clear();
                words.push((at, names));
            }
        }
        Self {
            words,
            rest: executed(uses_of_arguments(&rest, is_settable)),
        }
    }

    /// The words that execute a name by themselves: the text of such a word says all of that use. `None` is the whole list, where
    /// something else of it executes the name.
    pub(super) fn places(&self, name: &str) -> Vec<Option<usize>> {
        let words = self.words.iter().filter(|(_, names)| names.contains(name));
        let mut places: Vec<Option<usize>> = words.map(|(at, _)| Some(*at)).collect();
        if places.is_empty() || self.rest.contains(name) {
            places.push(None);
        }
        places
    }
}

/// Whether a script evaluates as a number what a variable holds.
pub(super) fn evaluates_as_number(text: &str, name: &str) -> bool {
    let script = Script::of(text, 0);
    let evaluated = script.evaluated();
    evaluated.contains(name) || script.evaluated_again(&evaluated).contains(name)
}

/// Whether a script executes an argument that it is handed. `exec "$@"` at the end of a start script executes the list behind it, which is
/// judged as a list.
pub(super) fn executes_its_arguments(text: &str) -> bool {
    let is_positional = |name: &str| {
        matches!(name, "@" | "*")
            || ARGUMENT_LISTS.contains(&name)
            || name.len() == 1 && name.starts_with(|c: char| ('1'..='9').contains(&c))
    };
    let text = text.replace("exec \"$@\"", "exec app");
    let mut uses = uses(&text, &is_positional).into_iter();
    uses.any(|(name, how)| how == Use::Executed && name != EVERY_VARIABLE)
}

/// Whether a text starts a shell that is interactive: `sh -i`. `text` are the words of a list, or a script.
pub(super) fn starts_interactive_shell(text: &str) -> bool {
    starts_interactive(text)
}

/// The words that an interpreter other than a shell executes, by their index, with the script in each.
fn scripts_in_other_languages(arguments: &[String]) -> BTreeMap<usize, (Language, &str)> {
    let command = ShellCommand::of_list(arguments);
    let programs = command.programs(&mut BTreeSet::new());
    let Some(program) = surely_started(&programs) else {
        return BTreeMap::new();
    };
    let name = base_name(&program.word.text);
    let Some(language) = Language::of_interpreter(name) else {
        return BTreeMap::new();
    };
    let scripts = Execution::of(name, program.arguments).scripts;
    let places = scripts.into_iter().filter_map(|script| {
        let at = command.words.iter().position(|word| std::ptr::eq(word, script))?;
        let text = arguments.get(at)?;
        Some((at, (language, code_of_option(name, text).unwrap_or(text))))
    });
    places.collect()
}

/// `--name=$VALUE`, where the name is not that of a command, and the value is one word.
fn is_plain_option(word: &str) -> bool {
    const OF_COMMANDS: [&str; 9] = [
        "action", "cmd", "command", "eval", "exec", "hook", "program", "script", "shell",
    ];
    let Some((name, value)) = word.strip_prefix("--").and_then(|option| option.split_once('=')) else {
        return false;
    };
    name.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && !names_a_command(word, &OF_COMMANDS)
        && value.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '$' | '{' | '}' | '_' | '-' | '.' | ':' | '/' | ',')
        })
}
