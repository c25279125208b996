//! Programs that start another one with words of their input: `xargs` and `parallel`.

use std::collections::BTreeSet;

use super::paths::{base_name, file_key};
use super::pipes::Pipes;
use super::script::{Script, ShellCommand};
use super::word::Word;

/// Options of theirs whose argument is the next word.
#[rustfmt::skip]
const WITH_A_WORD: [&str; 33] = [
    "--arg-file", "--colsep", "--delay", "--delimiter", "--eof", "--halt", "--jobs", "--joblog", "--load",
    "--max-args", "--max-chars", "--max-lines", "--max-procs", "--memfree", "--process-slot-var",
    "--replace", "--results", "--retries", "--tagstring", "--timeout", "--tmpdir", "--workdir", "-C", "-E",
    "-I", "-L", "-N", "-P", "-S", "-a", "-d", "-n", "-s",
];

impl Script {
    /// Adds, behind each command that starts a program with words of its input, that program with what the input holds.
    pub(super) fn add_commands_of_input(&mut self) {
        let mut pipes = Pipes::default();
        let commands = std::mem::take(&mut self.commands);
        for command in commands {
            let mut input = pipes.read(&command);
            input.extend(command.input.iter().cloned());
            let started = started_by_input(&command, &input);
            let mut written = command.held();
            written.extend(input);
            pipes.write(&command, written);
            self.commands.push(command);
            self.commands.extend(started);
        }
    }
}

/// The commands that a command starts with words of `input`.
fn started_by_input(command: &ShellCommand, input: &BTreeSet<String>) -> Vec<ShellCommand> {
    let programs = command.programs(&mut BTreeSet::new());
    let starts = |name: &str| matches!(name, "parallel" | "xargs");
    let starter = programs
        .iter()
        .find(|program| starts(base_name(&program.word.text)));
    let Some(starter) = starter else {
        return Vec::new();
    };
    let is_parallel = base_name(&starter.word.text) == "parallel";
    let mut input = input.clone();
    let mut words = starter.arguments;
    let mut place = is_parallel.then_some("{}");
    while let Some((word, rest)) = words.split_first() {
        let text = word.text.as_str();
        if !text.starts_with('-') {
            break;
        }
        words = rest;
        // `--long VALUE`, which `-j` of `parallel` takes as well.
        let takes = WITH_A_WORD.contains(&text) || is_parallel && text == "-j";
        let value = match takes {
            true => rest.first().map(|word| word.text.as_str()),
            false => text
                .get(2..)
                .filter(|_| !text.starts_with("--"))
                .or_else(|| text.split_once('=').map(|(_, value)| value)),
        };
        if text.starts_with("-I") || text.starts_with("-i") || text.starts_with("--replace") {
            place = value.filter(|value| !value.is_empty()).or(Some("{}"));
        }
        if text.starts_with("-a") || text.starts_with("--arg-file") {
            input.extend(value.map(|path| file_key(path, command.folder.as_deref())));
        }
        if takes {
            words = rest.get(1..).unwrap_or_default();
        }
    }
    // `parallel PROGRAM ::: WORDS` has its input among the arguments.
    let of_parallel = words
        .iter()
        .position(|word| is_parallel && word.text.starts_with("::"));
    let (template, own) = words
        .split_at_checked(of_parallel.unwrap_or(words.len()))
        .unwrap_or_default();
    input.extend(own.iter().flat_map(Word::held));
    input.extend(
        own.iter()
            .map(|word| file_key(&word.text, command.folder.as_deref())),
    );
    if input.is_empty() || template.is_empty() && !is_parallel {
        // Without a program `xargs` prints.
        return Vec::new();
    }
    let from_input = |is_split: bool| Word {
        text: "$()".to_owned(),
        names: input.clone(),
        is_split,
        ..Word::default()
    };
    let mut is_placed = false;
    let mut words: Vec<Word> = Vec::new();
    for word in template {
        // `parallel` hands a word to a shell, which splits it.
        let parts: Vec<&str> = match is_parallel {
            true => word.text.split_whitespace().collect(),
            false => vec![word.text.as_str()],
        };
        for part in parts {
            let is_place = place.is_some_and(|place| part.contains(place));
            is_placed |= is_place;
            words.push(match is_place {
                true if Some(part) == place => from_input(false),
                true => Word {
                    text: part.to_owned(),
                    names: input.union(&word.names).cloned().collect(),
                    ..word.clone()
                },
                false => Word {
                    text: part.to_owned(),
                    ..word.clone()
                },
            });
        }
    }
    if !is_placed {
        words.push(from_input(true));
    }
    vec![ShellCommand {
        words,
        folder: command.folder.clone(),
        depth: usize::MAX,
        at: command.at,
        ..ShellCommand::default()
    }]
}
