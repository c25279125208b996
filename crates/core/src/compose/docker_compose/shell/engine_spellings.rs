//! By which ways a script names a client of a container engine where no word of a command is its name: variables with a fixed value, aliases,
//! texts that it writes out.

use std::collections::BTreeMap;

use super::interpreters::is_interpreter;
use super::own_variables::{assignment, with_fixed_values};
use super::paths::base_name;
use super::programs::{ENGINE_GROUPS, ENGINE_STARTS_NOTHING, ENGINES, HARMLESS, IN_GROUPS_STARTS_NOTHING};
use super::script::ShellCommand;
use super::word::Word;

/// How many values of one variable are followed.
const MAX_VALUES: usize = 4;
/// Verbs by which an engine starts, fetches or makes something, where another program stands before its name.
const STARTING: [&str; 9] = [
    "build",
    "buildx",
    "compose",
    "container",
    "create",
    "image",
    "load",
    "pull",
    "run",
];

/// What the variables and aliases of a script hold.
pub(super) struct EngineSpellings<'c> {
    values: BTreeMap<&'c str, Vec<&'c str>>,
    aliases: BTreeMap<&'c str, &'c str>,
}

impl<'c> EngineSpellings<'c> {
    pub(super) fn of(commands: &'c [ShellCommand]) -> Self {
        let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut aliases = BTreeMap::new();
        for command in commands {
            let is_alias = command.words.first().is_some_and(|word| word.text == "alias");
            for word in command.words.iter().filter(|word| word.names.is_empty()) {
                match assignment(&word.text) {
                    Some((name, value)) if is_alias => {
                        aliases.insert(name, value);
                    }
                    Some((name, value)) => {
                        let known = values.entry(name).or_default();
                        if known.len() < MAX_VALUES && !value.contains('$') && !known.contains(&value) {
                            known.push(value);
                        }
                    }
                    None => {}
                }
            }
        }
        values.retain(|_, values| !values.is_empty());
        Self { values, aliases }
    }

    /// A text with the values of variables that have one alone.
    pub(super) fn filled(&self, text: &str) -> String {
        let fixed = self
            .values
            .iter()
            .filter_map(|(name, values)| match values.as_slice() {
                [value] => Some((*name, *value)),
                _ => None,
            });
        with_fixed_values(text, &fixed.collect())
    }

    /// Scripts that are what a command starts, or writes out for a shell to start, if they name an engine.
    pub(super) fn texts_of(&self, command: &ShellCommand, all: &[ShellCommand]) -> Vec<String> {
        let mut texts = self.expanded(command);
        texts.extend(command.documents.iter().cloned());
        let first = command.words.first().map_or("", |word| base_name(&word.text));
        let is_written = || command.outputs.iter().any(|output| !is_of_messages(&output.text));
        if matches!(first, "echo" | "printf") && (is_written() || is_read_by_a_shell(command, all)) {
            let words = command.words.iter().skip(1).map(|word| word.text.as_str());
            texts.push(words.collect::<Vec<_>>().join("\n").replace("\\n", "\n"));
        }
        texts.retain(|text| ENGINES.iter().any(|engine| text.contains(engine)));
        texts
    }

    /// A command whose program is a variable or an alias, with each text that this may be.
    fn expanded(&self, command: &ShellCommand) -> Vec<String> {
        let is_set = |word: &&Word| assignment(&word.text).is_none();
        let at = command.words.iter().position(|word| is_set(&word));
        let Some((program, arguments)) = at
            .and_then(|at| command.words.get(at..))
            .and_then(<[Word]>::split_first)
        else {
            return Vec::new();
        };
        let name = program.text.trim_start_matches(['$', '{']).trim_end_matches('}');
        let is_variable = program.text.starts_with('$');
        let values = self.values.get(name).filter(|_| is_variable);
        let alias = self.aliases.get(name).filter(|_| !is_variable);
        let rest: String = arguments
            .iter()
            .map(|word| format!(" {}", self.quoted(&word.text)))
            .collect();
        let values = values.into_iter().flatten().chain(alias);
        values.map(|value| format!("{value}{rest}")).collect()
    }

    fn quoted(&self, text: &str) -> String {
        let text = self.filled(text);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@=,+%$".contains(c);
        match text.chars().all(is_plain) {
            true => text,
            false => format!("'{}'", text.replace('\'', "")),
        }
    }
}

/// What is written there is shown and not started.
fn is_of_messages(path: &str) -> bool {
    path.starts_with("/dev/") || path.ends_with(".log") || path.len() < 2
}

/// Whether a shell stands behind a command in its pipe.
fn is_read_by_a_shell(command: &ShellCommand, all: &[ShellCommand]) -> bool {
    all.iter().any(|other| {
        let starts_shell = || {
            other
                .words
                .iter()
                .any(|word| is_interpreter(base_name(&word.text)))
        };
        other.is_piped && other.pipe_start <= command.at && command.at <= other.at && starts_shell()
    })
}

/// The arguments of an engine that another program starts: `systemd-run docker run IMAGE`.
pub(super) fn engine_behind<'w>(name: &str, arguments: &'w [Word]) -> Option<&'w [Word]> {
    if HARMLESS.contains(&name) || matches!(name, "command" | "type" | "which") {
        return None;
    }
    let at = arguments
        .iter()
        .position(|word| ENGINES.contains(&base_name(&word.text)))?;
    let behind = arguments.get(at + 1..)?;
    let verb = behind.iter().find(|word| !word.text.starts_with('-'))?;
    STARTING.contains(&verb.text.as_str()).then_some(behind)
}

/// The engine that `xargs` starts with words of its input, unless it starts and fetches nothing: `xargs docker rmi`.
pub(super) fn engine_of_input(arguments: &[Word]) -> Option<&str> {
    let at = arguments
        .iter()
        .position(|word| ENGINES.contains(&base_name(&word.text)))?;
    let (engine, behind) = arguments.get(at..)?.split_first()?;
    let verbs = behind.iter().map(|word| word.text.as_str());
    let mut verbs = verbs.filter(|text| !text.starts_with('-')).peekable();
    verbs.next_if(|verb| ENGINE_GROUPS.contains(verb));
    let starts_nothing = |verb: &str| {
        ENGINE_STARTS_NOTHING.contains(&verb)
            || IN_GROUPS_STARTS_NOTHING.contains(&verb)
            || matches!(verb, "restart" | "start" | "update" | "wait")
    };
    (!verbs.next().is_some_and(starts_nothing)).then_some(engine.text.as_str())
}

/// Whether a client asks an engine at its socket for an image or a container: `/images/create?fromImage=NAME`.
pub(super) fn asks_the_engine(name: &str, arguments: &[Word]) -> bool {
    const CLIENTS: [&str; 9] = [
        "curl", "http", "https", "nc", "ncat", "netcat", "socat", "wget", "xh",
    ];
    let names_socket = arguments.iter().any(|word| word.text.contains("docker.sock"));
    let starts = |text: &str| {
        ["/build", "/containers/create", "/images/create", "/images/load"]
            .iter()
            .any(|part| {
                text.split_once(part)
                    .is_some_and(|(_, rest)| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
            })
    };
    let is_pinned = arguments
        .iter()
        .any(|word| word.text.contains("@sha256:") || word.text.contains("sha256%3A"));
    CLIENTS.contains(&name) && names_socket && !is_pinned && arguments.iter().any(|word| starts(&word.text))
}
