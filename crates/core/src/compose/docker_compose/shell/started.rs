//! Which programs a command may start.

use std::collections::BTreeSet;

use super::super::risky_names::is_risky;
use super::interpreters::base_name;
use super::own_variables::assignment;
use super::programs::{HARMLESS, RESERVED, WITH_AN_ARGUMENT, WRAPPERS};
use super::reader::{ShellCommand, Word, names_in};

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
        let mut programs = Vec::new();
        let mut rest = self.words.as_slice();
        // How many more words may be the program, and how many of them are the wrapper's own argument.
        let mut may_follow = 0_usize;
        let mut own_arguments = 0_usize;
        let mut is_wrapped = false;
        while let Some((word, after)) = rest.split_first() {
            let text = word.text.as_str();
            let name = base_name(text);
            rest = after;
            if let Some((variable, _)) = assignment(text) {
                if is_risky(variable) {
                    executed.extend(word.names.iter().cloned());
                    // What stands in quotes is expanded by the program.
                    executed.extend(names_in(text));
                }
            } else if matches!(text, "declare" | "typeset" | "local" | "export" | "readonly") {
                // Bash evaluates what it assigns to a number.
                let options = after.iter().take_while(|word| word.text.starts_with('-'));
                if options.filter(|word| word.text.contains('i')).count() > 0 {
                    for word in after {
                        executed.extend(word.names.iter().cloned());
                    }
                }
                is_wrapped = true;
            } else if matches!(text, "for" | "case" | "select" | "in" | "function") {
                break;
            } else if RESERVED.contains(&text) || text == "until" || text == "--" {
            } else if WRAPPERS.contains(&name) || name.contains("entrypoint") || name.starts_with("ld-linux")
            {
                is_wrapped = true;
                let own = usize::from(WITH_AN_ARGUMENT.contains(&name));
                may_follow += own;
                own_arguments += own;
            } else if is_wrapped && text.starts_with('-') {
                // An option of the wrapper, whose argument may be the next word.
                executed.extend(word.names.iter().cloned());
                may_follow += usize::from(!text.contains('='));
            } else if own_arguments > 0 && !word.names.is_empty() && !word.is_split && !word.is_literal {
                // In quotes it is one word: the duration of `timeout`, the user of `gosu`.
                own_arguments -= 1;
                may_follow = may_follow.saturating_sub(1);
            } else {
                own_arguments = own_arguments.saturating_sub(1);
                programs.push(StartedProgram {
                    word,
                    arguments: after,
                });
                if may_follow == 0 {
                    break;
                }
                may_follow -= 1;
            }
        }
        // What stands behind `--` may be a program, too.
        if !programs.iter().any(StartedProgram::is_harmless)
            && let Some(at) = self.words.iter().position(|word| word.text == "--")
            && let Some((word, arguments)) = self.words.get(at + 1..).and_then(<[Word]>::split_first)
        {
            programs.push(StartedProgram { word, arguments });
        }
        programs
    }
}
