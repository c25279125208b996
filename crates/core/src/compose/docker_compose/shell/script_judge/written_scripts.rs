//! Scripts that stand as fixed texts in another one: who executes such a text a step later executes what it executes.

use std::borrow::Cow;
use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::super::addresses::Addresses;
use super::super::host_data::{HOST_DATA, may_take};
use super::super::names::names_in;
use super::super::own_variables::{assignment, sources};
use super::super::package_settings::is_settings_file;
use super::super::paths::base_name;
use super::super::reader::{MAX_DEPTH, MAX_SCRIPT_BYTES};
use super::super::script::{Script, ShellCommand};
use super::super::shown_environment::WHOLE_ENVIRONMENT;
use super::super::tainted::Tainted;
use super::super::variable_use::{EVERY_VARIABLE, Use, Uses};
use super::super::written_files::written_by;

/// How many texts that the commands of a script write out are judged. Of more it is not known what they execute.
const MAX_TEXTS: usize = 64;

/// Marks the commands that write out a script, and the variables that hold one, with what that script executes.
pub(super) fn mark_scripts(
    script: &mut Script,
    is_settable: &dyn Fn(&str) -> bool,
    outer: &Tainted,
    depth: usize,
    judge: &dyn Fn(&str, &Tainted, Addresses, &mut Uses),
) {
    let decodes = script.commands.iter().any(|command| {
        let mut words = command.words.iter();
        words.any(|word| matches!(base_name(&word.text), "base64" | "openssl"))
    });
    let may_count = |text: &str| {
        text.contains('$') || is_settable(HOST_DATA) && may_take(text) || decodes && decoded(text).is_some()
    };
    let written: Vec<(usize, Vec<WrittenPlace>)> = script
        .commands
        .iter()
        .map(|command| places(command, &may_count))
        .enumerate()
        .filter(|(_, places)| !places.is_empty())
        .collect();
    if written.is_empty() {
        return;
    }
    let mut tainted = outer.clone();
    script.taint_all(is_settable, &mut tainted);
    let mut left = MAX_TEXTS;
    let mut executed_by = |text: &str| {
        // `echo ZXZhbA== | base64 -d | sh`
        let text = &decodes
            .then(|| decoded(text))
            .flatten()
            .map_or(Cow::Borrowed(text), Cow::Owned);
        let is_of_host = is_settable(HOST_DATA) && may_take(text);
        let mut named = sources(&names_in(text), is_settable, &tainted);
        if !is_of_host && named.is_empty() {
            return named;
        }
        left = left.saturating_sub(1);
        if left == 0 || depth >= MAX_DEPTH || text.len() > MAX_SCRIPT_BYTES {
            named.extend(is_of_host.then(|| HOST_DATA.to_owned()));
            return named;
        }
        let mut found = Uses::new();
        let text = commands_of_settings(text);
        judge(&text, &tainted, script.addresses.clone(), &mut found);
        let executed = found.into_iter().filter(|(_, how)| *how == Use::Executed);
        let name = |(name, _): (String, Use)| match name == EVERY_VARIABLE {
            true => WHOLE_ENVIRONMENT.to_owned(),
            false => name,
        };
        executed.map(name).collect()
    };
    let mut marks = Vec::new();
    for (at, places) in written {
        let Some(command) = script.commands.get(at) else {
            continue;
        };
        for place in places {
            let text = match place {
                WrittenPlace::Word(at) | WrittenPlace::Value(at) => {
                    command.words.get(at).map(|word| word.text.as_str())
                }
                WrittenPlace::Document(at) => command.documents.get(at).map(String::as_str),
            };
            let text = text.map(|text| match place {
                WrittenPlace::Value(_) => assignment(text).map_or("", |(_, value)| value),
                WrittenPlace::Word(_) | WrittenPlace::Document(_) => text,
            });
            let executed = text.map(&mut executed_by).unwrap_or_default();
            if !executed.is_empty() {
                marks.push((at, place, executed));
            }
        }
    }
    for (at, place, executed) in marks {
        let Some(command) = script.commands.get_mut(at) else {
            continue;
        };
        match place {
            WrittenPlace::Value(at) => {
                if let Some(word) = command.words.get_mut(at) {
                    word.names.extend(executed);
                }
            }
            WrittenPlace::Word(_) | WrittenPlace::Document(_) => command.input.extend(executed),
        }
    }
}

/// The text that a word holds in base64, if that is all that it holds.
fn decoded(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.len() < 4 {
        return None;
    }
    let bytes = STANDARD_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    String::from_utf8(bytes).ok()
}

/// Where a text stands in a command that may be a script.
#[derive(Clone, Copy)]
enum WrittenPlace {
    /// A word that is printed.
    Word(usize),
    /// The value of an assignment, which no variable is part of.
    Value(usize),
    Document(usize),
}

fn places(command: &ShellCommand, may_count: &dyn Fn(&str) -> bool) -> Vec<WrittenPlace> {
    let values = command.words.iter().enumerate().filter_map(|(at, word)| {
        let (_, value) = assignment(&word.text)?;
        let is_script = word.names.is_empty() && value.contains('$') && may_count(value);
        is_script.then_some(WrittenPlace::Value(at))
    });
    let mut places: Vec<WrittenPlace> = values.collect();
    let programs = command.programs(&mut BTreeSet::new());
    let printing = programs
        .iter()
        .find(|program| matches!(base_name(&program.word.text), "echo" | "printf"));
    if let Some(printing) = printing {
        let printed = command.words.iter().enumerate().filter(|(_, word)| {
            let is_argument = printing.arguments.iter().any(|each| std::ptr::eq(each, *word));
            is_argument && may_count(&word.text)
        });
        places.extend(printed.map(|(at, _)| WrittenPlace::Word(at)));
    }
    // A file of settings is not a script.
    let written = written_by(command);
    if !written.is_empty() && written.iter().all(|path| is_settings_file(path)) {
        places.retain(|place| matches!(place, WrittenPlace::Value(_)));
        return places;
    }
    let documents = command.documents.iter().enumerate();
    let documents = documents.filter(|(_, text)| may_count(text));
    places.extend(documents.map(|(at, _)| WrittenPlace::Document(at)));
    places
}

/// The text of a file of settings whose lines name commands (`command=sh -c …` of supervisord, `ExecStart=` of systemd) as a script. Any
/// other text as it is.
fn commands_of_settings(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with('[') {
        return Cow::Borrowed(text);
    }
    let command = |line: &'_ str| match line.split_once('=') {
        Some((key, command)) if key.trim() == "command" || key.trim().starts_with("Exec") => {
            command.to_owned()
        }
        _ => line.to_owned(),
    };
    Cow::Owned(text.lines().map(command).collect::<Vec<_>>().join("\n"))
}
