//! Which programs a command may start.

use std::collections::BTreeSet;

use super::super::risky_names::is_risky_in_script;
use super::super::work::may_read;
use super::interpreters::is_shell;
use super::names::names_in;
use super::own_variables::assignment;
use super::paths::{base_name, file_key};
use super::programs::{
    BEFORE_DASHES, ENVIRONMENT_GIVERS, FETCHERS, HARMLESS, NUMBER_OPTIONS, RESERVED, RUN_TOOLS,
    WITH_AN_ARGUMENT, is_wrapper,
};
use super::script::ShellCommand;
use super::script_arguments::is_exec_of_arguments;
use super::word::Word;

/// What looking for a name among those that are risky takes, in bytes that could be looked at instead.
const OF_A_NAME: usize = 512;

/// A program that a command may start.
pub(super) struct StartedProgram<'a> {
    pub(super) word: &'a Word,
    pub(super) arguments: &'a [Word],
}

impl StartedProgram<'_> {
    pub(super) fn is_harmless(&self) -> bool {
        HARMLESS.contains(&base_name(&self.word.text))
    }
}

impl ShellCommand {
    /// The programs that may run, behind assignments, reserved words and wrappers, each with its arguments. More than one where
    /// a word may be the argument of a wrapper's option. Adds to `executed` the variables that are executed before any of them.
    pub(super) fn programs(&self, executed: &mut BTreeSet<String>) -> Vec<StartedProgram<'_>> {
        let bytes = |words: &[Word]| {
            words
                .iter()
                .map(|word| word.text.len().saturating_add(1))
                .sum::<usize>()
        };
        let mut programs = Vec::new();
        let mut rest = self.words.as_slice();
        // How many bytes the arguments have, which are looked at again for each program.
        let mut arguments_bytes = bytes(rest);
        let mut counted = rest;
        if !may_read(arguments_bytes) {
            return programs;
        }
        // How many more words may be the program, and how many of them are the wrapper's own argument.
        let mut may_follow = 0_usize;
        let mut own_arguments = 0_usize;
        let mut is_wrapped = false;
        let mut gives_environment = false;
        // Whether what stands behind `--` is a program.
        let mut starts_behind_dashes = false;
        let mut wrapper = "";
        let mut declares = false;
        // The last one, as long as no program follows: `exec /app/entrypoint.sh`.
        let mut alone = None;
        while let Some((word, after)) = rest.split_first() {
            let text = word.text.as_str();
            let name = base_name(text);
            rest = after;
            let (passed, left) = counted.split_at(counted.len().saturating_sub(after.len()));
            arguments_bytes = arguments_bytes.saturating_sub(bytes(passed));
            counted = left;
            if let Some((variable, value)) = assignment(text) {
                if !may_read(OF_A_NAME) {
                    return Vec::new();
                }
                if is_risky_in_script(variable) {
                    executed.extend(word.held());
                    executed.insert(file_key(value, self.folder.as_deref()));
                    // What stands in quotes is expanded by the program.
                    executed.extend(names_in(text));
                }
            } else if matches!(text, "declare" | "typeset" | "local" | "export" | "readonly") {
                if !may_read(arguments_bytes) {
                    return Vec::new();
                }
                executed.extend(executed_by_declaration(after));
                is_wrapped = true;
                declares = true;
            } else if declares && text.starts_with('$') && text.contains('=') {
                // `export "$NAME"="$VALUE"`: the first may be any name.
                executed.extend(names_in(text.split('=').next().unwrap_or_default()));
            } else if matches!(text, "for" | "case" | "select" | "in" | "function") {
                break;
            } else if let Some(handed) = handed_over(name, after) {
                // `sh -c 'exec "$@"' sh app`
                is_wrapped = true;
                rest = handed;
            } else if RESERVED.contains(&text) || text == "until" || text == "--" {
            } else if is_wrapper(name) {
                is_wrapped = true;
                wrapper = name;
                alone = (!starts_nothing_alone(text)).then_some(StartedProgram {
                    word,
                    arguments: after,
                });
                // A program that these start has a `--` of its own.
                starts_behind_dashes |= !matches!(
                    name,
                    "builtin" | "command" | "coproc" | "env" | "exec" | "nohup" | "setsid" | "time"
                );
                gives_environment |= ENVIRONMENT_GIVERS.contains(&name);
                let own = usize::from(WITH_AN_ARGUMENT.contains(&name));
                may_follow += own;
                own_arguments += own;
            } else if is_wrapped && text.starts_with('-') {
                // An option of the wrapper, whose argument may be the next word.
                executed.extend(word.held());
                // In quotes it is the number that the option takes.
                let is_number = |next: &Word| !next.names.is_empty() && !next.is_split && !next.is_literal;
                if NUMBER_OPTIONS.contains(&(wrapper, text)) && after.first().is_some_and(is_number) {
                    rest = after.get(1..).unwrap_or_default();
                    continue;
                }
                may_follow += usize::from(!text.contains('='));
            } else if own_arguments > 0 && !word.names.is_empty() && !word.is_split && !word.is_literal {
                // In quotes it is one word: the duration of `timeout`, the user of `gosu`.
                if std::mem::take(&mut gives_environment) {
                    executed.extend(word.held());
                }
                own_arguments -= 1;
                may_follow = may_follow.saturating_sub(1);
            } else {
                own_arguments = own_arguments.saturating_sub(1);
                if !may_read(arguments_bytes) {
                    return Vec::new();
                }
                alone = None;
                programs.push(StartedProgram {
                    word,
                    arguments: after,
                });
                programs.extend(module_that_fetches(name, after));
                starts_behind_dashes |=
                    BEFORE_DASHES.contains(&name) || name.starts_with("with-") || name.starts_with("wait-");
                if RUN_TOOLS.contains(&name)
                    && let Some(at) = verb_that_runs(after)
                {
                    starts_behind_dashes = true;
                    is_wrapped = true;
                    may_follow = 0;
                    rest = after.get(at + 1..).unwrap_or_default();
                    continue;
                }
                if may_follow == 0 {
                    break;
                }
                may_follow -= 1;
            }
        }
        programs.extend(alone);
        // What stands behind `--` may be a program, too.
        if starts_behind_dashes
            && !programs.iter().any(StartedProgram::is_harmless)
            && let Some(at) = self.words.iter().position(|word| word.text == "--")
            && let Some((word, arguments)) = self.words.get(at + 1..).and_then(<[Word]>::split_first)
            && !programs.iter().any(|program| std::ptr::eq(program.word, word))
        {
            programs.push(StartedProgram { word, arguments });
        }
        programs
    }
}

impl ShellCommand {
    /// The programs before the one that they start. Each of them may be a file that the script wrote.
    pub(super) fn wrappers(&self) -> impl Iterator<Item = &Word> {
        let is_one = |word: &Word| is_wrapper(base_name(&word.text));
        let before = self.words.iter().take_while(move |word| {
            let text = word.text.as_str();
            assignment(text).is_some() || RESERVED.contains(&text) || text.starts_with('-') || is_one(word)
        });
        before.filter(move |word| is_one(word))
    }
}

/// Words of the shell itself, and `env`, which only shows something where nothing follows.
fn starts_nothing_alone(text: &str) -> bool {
    matches!(text, "builtin" | "command" | "coproc" | "env" | "exec" | "time")
}

/// The variables that `declare` executes.
fn executed_by_declaration(words: &[Word]) -> BTreeSet<String> {
    let has = |letter: char| {
        let mut options = words.iter().take_while(|word| word.text.starts_with('-'));
        options.any(|word| word.text.contains(letter))
    };
    let mut executed = BTreeSet::new();
    // A name that stands for another variable.
    if has('n') {
        let assigned = words.iter().filter_map(|word| assignment(&word.text));
        executed.extend(assigned.map(|(_, value)| value.to_owned()));
    }
    // Bash evaluates what it assigns to a number.
    if has('i') {
        executed.extend(words.iter().flat_map(Word::held));
    }
    executed
}

/// The words that a shell starts as a command by `-c 'exec "$@"' sh`, behind the name that it is given.
pub(super) fn handed_over<'w>(name: &str, arguments: &'w [Word]) -> Option<&'w [Word]> {
    let [option, script, own, handed @ ..] = arguments else {
        return None;
    };
    // A shell has replaced `"$@"` already where it stands in double quotes.
    let is_script = script.names.is_empty();
    let is_handed = is_shell(name)
        && matches!(option.text.as_str(), "-c" | "-ec" | "-ce")
        && is_script
        && is_exec_of_arguments(&script.text)
        && own.names.is_empty();
    is_handed.then_some(handed)
}

/// The one program that a command starts, if no other word may be one. The number that a wrapper takes is none.
pub(super) fn surely_started<'p, 'a>(programs: &'p [StartedProgram<'a>]) -> Option<&'p StartedProgram<'a>> {
    let mut programs = programs.iter().filter(|program| {
        let is_number = program.word.text.starts_with(|c: char| c.is_ascii_digit());
        !(is_number && program.word.names.is_empty())
    });
    let first = programs.next()?;
    programs.next().is_none().then_some(first)
}

/// `python -m pip install …`
fn module_that_fetches<'a>(name: &str, arguments: &'a [Word]) -> Option<StartedProgram<'a>> {
    let mut words = arguments.iter();
    let is_module = name.starts_with("python")
        && words
            .by_ref()
            .find(|word| !word.text.starts_with('-') || word.text == "-m")?
            .text
            == "-m";
    let (word, arguments) = words.as_slice().split_first()?;
    (is_module && FETCHERS.contains(&word.text.as_str())).then_some(StartedProgram { word, arguments })
}

/// The position of `run` or `exec` among the first words.
fn verb_that_runs(arguments: &[Word]) -> Option<usize> {
    let mut operands = (0..)
        .zip(arguments)
        .filter(|(_, word)| !word.text.starts_with('-'));
    let is_verb = |(_, word): &(usize, &Word)| matches!(word.text.as_str(), "run" | "exec" | "run-script");
    operands.by_ref().take(2).find(is_verb).map(|(at, _)| at)
}
