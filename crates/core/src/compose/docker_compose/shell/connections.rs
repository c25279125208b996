//! What `socat`, `nc` and the like receive from elsewhere, and what they start for another machine: what that sends is its input.

use std::collections::BTreeSet;

use super::interpreters::{Execution, is_interpreter};
use super::machines::{is_machine, is_machine_of_address};
use super::paths::base_name;
use super::script::Script;
use super::word::Word;

/// Kinds of addresses of socat that stay in the VM, beside `UNIX-…` and `ABSTRACT-…`.
#[rustfmt::skip]
const LOCAL: [&str; 13] = [
    "creat", "create", "echo", "exec", "fd", "fifo", "file", "gopen", "open", "pipe", "pty", "shell", "system",
];
/// Kinds that call the host behind the colon.
const CALLS: [&str; 4] = ["openssl", "ssl", "tcp", "udp"];

/// Whether an argument of a program has it receive what somebody outside the VM sends, and does not authenticate.
pub(super) fn receives(name: &str, argument: &str) -> bool {
    match name {
        "socat" => argument.split("!!").any(is_outside),
        _ => {
            let listens = argument.starts_with('-') && !argument.starts_with("--") && argument.contains('l')
                || argument.to_ascii_lowercase().contains("-listen:");
            listens || argument == "--vsock" || is_machine(argument)
        }
    }
}

/// Whether an address of socat is none that is known to stay in the VM: VSOCK is answered by the host.
fn is_outside(address: &str) -> bool {
    let Some((kind, rest)) = address.split_once(':') else {
        return address.contains('$');
    };
    let kind = kind.to_ascii_lowercase();
    if kind.contains(['/', ','])
        || LOCAL.contains(&kind.as_str())
        || kind.starts_with("unix")
        || kind.starts_with("abstract")
    {
        return false;
    }
    let called = kind
        .strip_suffix("-connect")
        .unwrap_or(&kind)
        .trim_end_matches(['4', '6']);
    let host = match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => rest.split([':', ',']).next(),
    };
    !CALLS.contains(&called) || host.is_none_or(is_machine_of_address)
}

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
