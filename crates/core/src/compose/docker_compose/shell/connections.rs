//! What `socat`, `nc` and the like start for another machine: what that sends is its input.

use std::collections::BTreeSet;

use super::interpreters::{Execution, is_interpreter};
use super::paths::base_name;
use super::script::Script;
use super::word::Word;

/// Whether an argument is a command that executes its input: `EXEC:sh`, `-e /bin/sh`.
pub(super) fn starts_a_shell(arguments: &[Word]) -> bool {
    let before = std::iter::once("").chain(arguments.iter().map(|word| word.text.as_str()));
    let commands = arguments.iter().zip(before).filter_map(|(word, before)| {
        let text = word.text.as_str();
        let kind = text
            .split_once(':')
            .map(|(kind, rest)| (kind.to_ascii_lowercase(), rest));
        let is_cluster = before.starts_with('-') && !before.starts_with("--");
        match (kind, text.split_once('=')) {
            (Some((kind, command)), _)
                if matches!(kind.as_str(), "cmd" | "exec" | "sh-c" | "shell" | "system") =>
            {
                command.split(',').next()
            }
            (_, Some(("--exec" | "--sh-exec", command))) => Some(command),
            _ if matches!(before, "--exec" | "--sh-exec") || is_cluster && before.ends_with(['c', 'e']) => {
                Some(text)
            }
            _ => None,
        }
    });
    commands.into_iter().any(executes_its_input)
}

fn executes_its_input(command: &str) -> bool {
    let script = Script::of(command, 0);
    script.commands.iter().any(|command| {
        let programs = command.programs(&mut BTreeSet::new());
        programs.iter().any(|program| {
            let name = base_name(&program.word.text);
            is_interpreter(name) && Execution::of(name, program.arguments).executes_input
        })
    })
}
