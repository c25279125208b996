//! Programs and their arguments, in the forms that Docker Compose has for them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::environment::Environment;
use super::judge::{Judge, is_nothing, text_of};
use super::place::{ComposePlace, item, shown, step};
use super::shell::{self, Use};

/// Who reads the text at a place, after Docker Compose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    /// A shell, which replaces `$NAME`.
    Shell,
    /// A program as its argument: nothing is replaced.
    Program,
    /// A program that reads its settings from a file.
    Settings,
}

/// Programs that read from their environment what teams hand them as arguments: a word of the command, and the names.
const READ_THEIR_ENVIRONMENT: [(&str, &str); 6] = [
    ("cloudflared", "cloudflared reads TUNNEL_TOKEN"),
    ("gunicorn", "gunicorn reads WEB_CONCURRENCY and PORT"),
    ("tunnel", "cloudflared reads TUNNEL_TOKEN"),
    ("ngrok", "ngrok reads NGROK_AUTHTOKEN"),
    ("start-notebook.sh", "Jupyter reads JUPYTER_TOKEN"),
    (
        "uvicorn",
        "uvicorn reads UVICORN_HOST, UVICORN_PORT and UVICORN_WORKERS",
    ),
];

impl Reader {
    /// Who reads a word of a command line: a shell, where the words before it are one and its `-c`.
    fn of_word<'w>(before: impl DoubleEndedIterator<Item = &'w str>) -> Self {
        let mut before = before.rev();
        let is_command = before.next().is_some_and(|option| {
            option.starts_with('-') && !option.starts_with("--") && option.contains('c')
        });
        let is_shell = |word: &str| {
            let name = word.rsplit('/').next().unwrap_or_default();
            matches!(name, "ash" | "bash" | "dash" | "sh" | "zsh")
        };
        match is_command && before.any(is_shell) {
            true => Self::Shell,
            false => Self::Program,
        }
    }

    /// What to write instead of a variable. `words` is the whole command.
    fn advice(self, text: &str, words: &str) -> String {
        let name = super::variables::Template::read(text)
            .ok()
            .and_then(|template| template.names().into_iter().next().map(shown));
        let Some(name) = name else {
            return "write the value".to_owned();
        };
        match self {
            Self::Shell => {
                format!("write the value, or `$${name}` if the container's own environment has it")
            }
            Self::Program => {
                let words = || words.split(|c: char| c.is_whitespace() || "[],'\"/".contains(c));
                let known = READ_THEIR_ENVIRONMENT
                    .iter()
                    .find(|(program, _)| words().any(|word| word == *program));
                let known = known.map(|(_, reads)| format!(" ({reads})")).unwrap_or_default();
                format!(
                    "write the value; or set {name} in `environment`, from where the program may read it{known} or a shell hands it \
                     over: `entrypoint: [\"sh\", \"-c\", \"exec PROGRAM --option \\\"$${name}\\\"\"]`. Without a shell nothing replaces \
                     `$${name}`"
                )
            }
            Self::Settings => format!(
                "write the value; or set {name} in `environment` and name it as the program that reads the file does: `{{$${name}}}` in \
                 a Caddyfile, `$${{{name}}}` in a template of nginx's image"
            ),
        }
    }
}

impl Judge<'_> {
    /// `command` and `entrypoint`: a text that Docker Compose splits, or a list.
    pub(super) fn command(&mut self, path: &str, value: &Value, environment: &Environment) {
        match value {
            Value::String(text) => {
                let all = split(text);
                let at = all.iter().position(|word| word.contains('$')).unwrap_or_default();
                let reader = Reader::of_word(all.iter().take(at).map(String::as_str));
                if let Some(text) = self.fixed_or(path, text, &reader.advice(text, text)) {
                    let words = split(&text);
                    let uses = shell::uses_of_arguments(&words, &|name| environment.is_from_outside(name));
                    self.name_uses(path, &text, uses, environment);
                }
            }
            Value::Array(items) => self.arguments(path, items, 0, environment),
            value if is_nothing(value) => {}
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
        // What the command alone shows is named already, with its item.
        let named = uses(words.get(before..).unwrap_or_default());
        for (name, how) in uses(&words) {
            if named.get(&name) == Some(&Use::Executed) {
                continue;
            }
            let stands_in_command = words
                .iter()
                .skip(before)
                .any(|word| shell::reads_variables(word) && word.contains(&name));
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
    fn words(&self, value: &Value) -> Vec<String> {
        let evaluate = |text: &str| {
            let template = super::variables::Template::read(text);
            template.map_or_else(
                |_| String::new(),
                |template| template.evaluate(&|name| self.settable.value(name)),
            )
        };
        match value {
            Value::String(text) => split(&evaluate(text)),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map(evaluate).unwrap_or_default())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// `healthcheck.test`: a script, or a list whose first item says how the others are read.
    pub(super) fn health_test(&mut self, path: &str, value: &Value, environment: &Environment) {
        match value {
            Value::String(text) => self.script(path, text, Reader::Shell, environment),
            Value::Array(items) => match items.first().and_then(Value::as_str) {
                Some("CMD-SHELL") => {
                    for (index, each) in items.iter().enumerate().skip(1) {
                        match each.as_str() {
                            Some(text) => self.script(&item(path, index), text, Reader::Shell, environment),
                            None => self.unknown(&item(path, index), each),
                        }
                    }
                }
                Some("CMD") => self.arguments(path, items, 1, environment),
                _ => self.arguments(path, items, 0, environment),
            },
            value if is_nothing(value) => {}
            value => self.unknown(path, value),
        }
    }

    /// The text of a file that containers mount, and may execute.
    pub(super) fn content(&mut self, path: &str, value: &Value, environment: &Environment) {
        match value {
            Value::String(text) => self.script(path, text, Reader::Settings, environment),
            value if is_nothing(value) => {}
            value => self.unknown(path, value),
        }
    }

    fn script(&mut self, path: &str, text: &str, reader: Reader, environment: &Environment) {
        if let Some(script) = self.fixed_or(path, text, &reader.advice(text, text))
            && shell::reads_variables(&script)
        {
            let uses = shell::uses(&script, &|name| environment.is_from_outside(name));
            self.name_uses(path, text, uses, environment);
        }
    }

    fn arguments(&mut self, path: &str, items: &[Value], skip: usize, environment: &Environment) {
        let mut words = Vec::with_capacity(items.len());
        let all: Vec<&str> = items.iter().take(16).filter_map(Value::as_str).collect();
        let all = all.join(" ");
        for (index, each) in items.iter().enumerate() {
            match each {
                Value::String(text) => {
                    let before = items.iter().take(index).filter_map(Value::as_str);
                    let reader = Reader::of_word(before);
                    match self.fixed_or(&item(path, index), text, &reader.advice(text, &all)) {
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
        // Which item it is, for the path: the first in which the name stands.
        let uses = shell::uses_of_arguments(words.get(skip..).unwrap_or_default(), &is_from_outside);
        for (name, how) in uses {
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
        for (name, how) in uses {
            let name = shown(&name);
            match how {
                Use::Executed => {
                    let says = format!(
                        "a shell may execute what `$${name}` holds, and the container's `{name}` is set from outside: write \
                         the value, or have a script hand it to a program, in quotes (`sh -c 'exec app --port \"$${name}\"'`)"
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

/// A text as words, by the rules of quotes that shells have.
fn split(text: &str) -> Vec<String> {
    // Words of a text that is not read as a script would take many times its memory.
    if text.len() > shell::MAX_SCRIPT_BYTES {
        return vec![text.to_owned()];
    }
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_word = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c.is_whitespace() => {
                if std::mem::take(&mut is_word) {
                    words.push(std::mem::take(&mut word));
                }
            }
            '\'' | '"' => {
                is_word = true;
                while let Some(inner) = chars.next().filter(|inner| *inner != c) {
                    if inner == '\\' && c == '"' {
                        word.extend(chars.next());
                    } else {
                        word.push(inner);
                    }
                }
            }
            '\\' => {
                is_word = true;
                word.extend(chars.next());
            }
            c => {
                is_word = true;
                word.push(c);
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}
