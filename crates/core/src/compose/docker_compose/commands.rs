//! Programs and their arguments, in the forms that Docker Compose has for them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Map, Value};

use super::absent_value::is_absent;
use super::advice::{EXECUTES_HOST_DATA, ExecutionCause};
use super::config_commands::{may_read, under_risky_names};
use super::config_language::ConfigLanguage;
use super::cron;
use super::environment::Environment;
use super::judge::{Judge, text_of};
use super::place::{ComposePlace, item, shown, step};
use super::script_advice::{in_general, instead_of_executing};
use super::shell::{self, ExecutedInList, LANGUAGES, Use};
use super::table::ComposeRow;
use super::words::{is_script, split};

impl Judge<'_> {
    /// `command` and `entrypoint`: a text that Docker Compose splits, or a list.
    pub(super) fn command(
        &mut self,
        row: &'static ComposeRow,
        path: &str,
        value: &Value,
        environment: &Environment,
    ) {
        match value {
            Value::String(text) => {
                let all = split(text);
                let at = all.iter().position(|word| word.contains('$')).unwrap_or_default();
                let form;
                let cause = if is_script(all.iter().take(at).map(String::as_str)) {
                    ExecutionCause::Script
                } else {
                    form = self.list_form(text);
                    ExecutionCause::SplitText(&form)
                };
                if let Some(text) = self.fixed_or(path, text, &cause.advice(text)) {
                    let words = split(&text);
                    let uses = shell::uses_of_arguments(&words, &|name| environment.is_from_outside(name));
                    self.name_uses(path, &text, uses, environment);
                }
            }
            Value::Array(items) => {
                self.arguments(path, items, 0..usize::MAX, environment);
                // The open items of these are judged together, as one list.
                if !matches!(row.path, "service.command" | "service.entrypoint") {
                    self.open_arguments(path, items, 0);
                }
            }
            value if is_absent(value) => {}
            value => self.unknown(path, value),
        }
    }

    /// The words of `entrypoint` and `command` are one command line: `sh` may stand in one and `-c` in the other.
    pub(super) fn entrypoint_with_command(
        &mut self,
        path: &str,
        container: &Map<String, Value>,
        environment: &Environment,
    ) {
        let (Some(entrypoint), Some(command)) = (container.get("entrypoint"), container.get("command"))
        else {
            return;
        };
        let mut words = self.words(entrypoint);
        let before = words.len();
        words.extend(self.words(command));
        if before == words.len() || before == 0 {
            return;
        }
        let uses =
            |words: &[String]| shell::uses_of_arguments(words, &|name| environment.is_from_outside(name));
        // What one of them alone shows is named already, with its item.
        let (of_entrypoint, of_command) = words.split_at_checked(before).unwrap_or_default();
        let named = [uses(of_entrypoint), uses(of_command)];
        for (name, how) in uses(&words) {
            if named.iter().any(|named| named.get(&name) == Some(&Use::Executed)) {
                continue;
            }
            let mut of_command = of_command.iter();
            let stands_in_command = name == shell::HOST_DATA
                || of_command.any(|word| shell::reads_variables(word) && word.contains(&name));
            if how == Use::Executed && stands_in_command {
                self.name_uses(
                    &step(path, "command"),
                    &text_of(command),
                    BTreeMap::from([(name, how)]),
                    environment,
                );
            }
        }
    }

    /// The words of a command line where its variables are not set.
    pub(super) fn words(&self, value: &Value) -> Vec<String> {
        match value {
            Value::String(text) => split(&self.evaluated(text)),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(|text| self.evaluated(text)).unwrap_or_default())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A text where its variables are not set.
    pub(super) fn evaluated(&self, text: &str) -> String {
        let template = super::variables::Template::read(text);
        template.map_or_else(
            |_| String::new(),
            |template| template.evaluate(&|name| self.settable.value(name)),
        )
    }

    /// `healthcheck.test`: a script, or a list whose first item says how the others are read.
    pub(super) fn health_test(&mut self, path: &str, value: &Value, environment: &Environment) {
        match value {
            Value::String(text) => self.script(path, text, ExecutionCause::Script, environment),
            Value::Array(items) => match items.first().and_then(Value::as_str) {
                Some("CMD-SHELL") => {
                    for (index, each) in items.iter().enumerate().skip(1) {
                        match each.as_str() {
                            Some(text) => {
                                self.script(&item(path, index), text, ExecutionCause::Script, environment)
                            }
                            None => self.unknown(&item(path, index), each),
                        }
                    }
                }
                first => {
                    let skip = usize::from(first == Some("CMD"));
                    let keeps_words = self.settable.keeps_words_of_health_checks();
                    let end = if keeps_words { usize::MAX } else { skip };
                    self.arguments(path, items, skip..end, environment);
                    if keeps_words {
                        self.open_arguments(path, items, skip);
                    }
                }
            },
            value if is_absent(value) => {}
            value => self.unknown(path, value),
        }
    }

    /// The text of a file that containers mount, and may execute.
    pub(super) fn content(&mut self, path: &str, value: &Value, environment: &Environment) {
        match value {
            Value::String(text) => {
                let name = path
                    .strip_prefix("configs.")
                    .and_then(|rest| rest.strip_suffix(".content"));
                let kind = self.config_readers.language(name, text);
                let (language, is_shell) = match kind {
                    ConfigLanguage::Shell => (None, true),
                    ConfigLanguage::Other(language) => (Some(language), false),
                    ConfigLanguage::OtherOrShell(language) => (Some(language), true),
                    ConfigLanguage::NotRead => (None, true),
                };
                let is_read = kind != ConfigLanguage::NotRead;
                let Some(script) = self.fixed_or(path, text, &ExecutionCause::File.advice(text)) else {
                    return;
                };
                let is_outside = |name: &str| environment.is_from_outside(name);
                let is_set = |name: &str| is_outside(name) || self.settable.setter(name).is_some();
                let reads_some = environment.outside_names().any(|name| may_read(&script, &name));
                if !is_read && (reads_some || self.config_readers.is_handed(name, &is_set)) {
                    let says = "a script in a language that this version of cvm-verify does not read, and it may be handed a variable that \
                                is set from outside: write the value; or review what the script does with it and write the reason into \
                                `[[places]]` of the lock (`cvm-verify pin`)";
                    self.file.unmeasured.add(ComposePlace::new(path, text, says));
                }
                let mut uses: BTreeMap<String, Use> = BTreeMap::new();
                let in_language = language.map(|language| language.uses(&script, &is_outside));
                // A document of JSON that no shell is handed executes nothing, whatever its words are.
                let is_shell = is_shell
                    && !(kind == ConfigLanguage::Shell
                        && is_document(&script)
                        && !self.config_readers.may_be_started(name));
                let in_shell = is_shell.then(|| shell::uses(&script, &is_outside));
                for (name, how) in in_language
                    .into_iter()
                    .flatten()
                    .chain(in_shell.into_iter().flatten())
                {
                    let gravest = uses.entry(name).or_insert(how);
                    *gravest = how.max(*gravest);
                }
                let has_users = self.config_readers.paths(name).any(cron::has_users);
                let mut executed: BTreeSet<String> = BTreeSet::new();
                for command in cron::commands_of_table(&script, has_users) {
                    let found = shell::uses(&command, &is_outside).into_iter();
                    executed.extend(
                        found
                            .filter(|(_, how)| *how == Use::Executed)
                            .map(|(name, _)| name),
                    );
                }
                // Of a file that nothing names as a script of a shell, it is not known which language it has.
                if kind == ConfigLanguage::Shell
                    && !self.config_readers.is_shell_script(name, &script)
                    && reads_some
                    && has_word_for_environment(&script)
                {
                    self.read_in_all_languages = self.read_in_all_languages.saturating_add(script.len());
                    if self.read_in_all_languages > MAX_READ_IN_ALL_LANGUAGES {
                        // What is not read counts as executed.
                        executed.extend(environment.outside_names().filter(|name| may_read(&script, name)));
                    } else {
                        let read = in_any_language(&script);
                        let found = LANGUAGES
                            .iter()
                            .flat_map(|language| language.uses(&read, &is_outside));
                        executed.extend(
                            found
                                .filter(|(_, how)| *how == Use::Executed)
                                .map(|(name, _)| name),
                        );
                    }
                }
                if self
                    .config_readers
                    .paths(name)
                    .any(|path| shell::fetches_by_settings(path, &script))
                {
                    uses.insert(shell::HOST_DATA.to_owned(), Use::Executed);
                }
                if let Some(document) = document(&script) {
                    executed.extend(under_risky_names(&document, &is_outside));
                }
                uses.extend(executed.into_iter().map(|name| (name, Use::Executed)));
                self.name_uses(path, text, uses, environment);
                self.settings(path, text, &script, kind, environment);
                let executes = language.is_some_and(|language| language.executes_its_arguments(&script))
                    || is_shell && shell::executes_its_arguments(&script);
                if executes && self.config_readers.is_handed(name, &is_set) {
                    let says = "a script that may execute its arguments, and what names it has a variable that is set from outside: \
                                write the value there";
                    self.file.unmeasured.add(ComposePlace::new(path, text, says));
                }
            }
            value if is_absent(value) => {}
            value => self.unknown(path, value),
        }
    }

    fn script(&mut self, path: &str, text: &str, cause: ExecutionCause<'_>, environment: &Environment) {
        if let Some(script) = self.fixed_or(path, text, &cause.advice(text))
            && (shell::reads_variables(&script) || shell::starts_interactive_shell(&script))
        {
            let uses = shell::uses(&script, &|name| environment.is_from_outside(name));
            self.name_uses(path, text, uses, environment);
        }
    }

    /// The items of a list. In those of `open` a variable may stand that is set from outside, which is judged elsewhere; the first of
    /// them is the program.
    fn arguments(&mut self, path: &str, items: &[Value], open: Range<usize>, environment: &Environment) {
        let skip = open.start;
        let mut words = Vec::with_capacity(items.len());
        for (index, each) in items.iter().enumerate() {
            match each {
                Value::String(text) => {
                    let read = self.open(text);
                    if open.contains(&index) && read.is_one_argument() {
                        words.push(read.fixed);
                        continue;
                    }
                    let cause = match is_script(items.iter().take(index).filter_map(Value::as_str)) {
                        true => ExecutionCause::Script,
                        false => ExecutionCause::Mixed,
                    };
                    match self.fixed_or(&item(path, index), text, &cause.advice(text)) {
                        Some(word) => words.push(word),
                        // It is named already.
                        None => words.push(String::new()),
                    }
                }
                Value::Array(_) | Value::Object(_) => {
                    self.unknown(&item(path, index), each);
                    words.push(String::new());
                }
                Value::Null | Value::Bool(_) | Value::Number(_) => words.push(String::new()),
            }
        }
        let is_from_outside = |name: &str| environment.is_from_outside(name);
        let handed = words.get(skip..).unwrap_or_default();
        let uses = shell::uses_of_arguments(handed, &is_from_outside);
        let (executed, shown): (BTreeMap<_, _>, BTreeMap<_, _>) =
            uses.into_iter().partition(|(_, how)| *how == Use::Executed);
        // Which item it is, for the path: the first in which the name stands.
        for (name, how) in shown {
            let at = words
                .iter()
                .position(|word| word.contains(&format!("${name}")) || word.contains(&format!("${{{name}")));
            let index = at
                .or_else(|| words.iter().position(|word| word.contains(&name)))
                .unwrap_or(skip);
            let text = items.get(index).and_then(Value::as_str).unwrap_or_default();
            self.name_uses(
                &item(path, index),
                text,
                BTreeMap::from([(name, how)]),
                environment,
            );
        }
        if executed.is_empty() {
            return;
        }
        // A reason in a lock holds for the text of the place: that is the script that executes the name. Where no word does it alone, it is
        // the list, so that no word of it can change under the reason.
        let found = ExecutedInList::of(handed, &is_from_outside);
        let mut at: BTreeMap<Option<usize>, BTreeMap<String, Use>> = BTreeMap::new();
        for (name, how) in executed {
            for index in found.places(&name) {
                at.entry(index).or_default().insert(name.clone(), how);
            }
        }
        for (index, uses) in at {
            let index = index.map(|index| index.saturating_add(skip));
            match index.and_then(|index| Some((index, items.get(index)?.as_str()?))) {
                Some((index, text)) => self.name_uses(&item(path, index), text, uses, environment),
                None => {
                    let list = text_of(&Value::Array(items.to_vec()));
                    self.name_uses(path, &list, uses, environment);
                }
            }
        }
    }

    fn name_uses(
        &mut self,
        path: &str,
        text: &str,
        mut uses: BTreeMap<String, Use>,
        environment: &Environment,
    ) {
        if uses.remove(shell::EVERY_VARIABLE).is_some() {
            uses.extend(environment.outside_names().map(|name| (name, Use::Executed)));
        }
        if uses.remove(shell::HOST_DATA) == Some(Use::Executed) {
            self.file
                .unmeasured
                .add(ComposePlace::new(path, text, EXECUTES_HOST_DATA));
        }
        let mut advised = 0_usize;
        for (name, how) in uses {
            let name = shown(&name);
            match how {
                Use::Executed => {
                    advised += 1;
                    // The text is read again for each of them.
                    let instead = match advised <= MAX_ADVISED {
                        true => instead_of_executing(text, &name),
                        false => in_general(&name),
                    };
                    let says = format!(
                        "a shell may execute what `$${name}` holds, and the container's `{name}` is set from outside: write \
                         the value, or {instead}"
                    );
                    self.file.unmeasured.add(ComposePlace::new(path, text, says));
                }
                Use::Argument => {
                    let says = format!("an argument is `$${name}`, which is set from outside");
                    self.file.outside.add(ComposePlace::new(path, text, says));
                }
            }
        }
    }
}

/// For how many variables of one text it is looked for what to write instead.
const MAX_ADVISED: usize = 16;
/// How much text of configs is read in every language, in one document, bytes: the readers take more than linear time.
const MAX_READ_IN_ALL_LANGUAGES: usize = 32 * 1024;

/// Whether a text has a word by which some language reads its environment.
fn has_word_for_environment(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["env", "_server"].iter().any(|word| text.contains(word))
}

/// A list or a mapping of JSON.
fn document(text: &str) -> Option<Value> {
    let is_one = text.trim_start().starts_with(['{', '[']);
    is_one.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Whether a text is a list or a mapping of JSON.
fn is_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A text as one of any language that reads its environment by a word for it: what shells and templates read so is judged elsewhere, and a
/// document of JSON executes nothing.
fn in_any_language(text: &str) -> String {
    if is_document(text) {
        return String::new();
    }
    let text = text.replace('$', " ");
    match text.contains("{{") {
        true => text.replace('`', "\""),
        false => text,
    }
}
