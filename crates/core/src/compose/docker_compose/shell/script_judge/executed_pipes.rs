//! What stands in the pipes that a script executes.

use std::collections::BTreeMap;

use super::super::host_data::HOST_DATA;
use super::super::own_variables::sources;
use super::super::script::Script;
use super::ScriptJudge;

impl ScriptJudge<'_> {
    /// What a command may write into a pipe that is executed. What the host sends counts where the command stands in it.
    pub(super) fn executed_pipes(&mut self, script: &Script) {
        if self.executes_pipes.is_empty() {
            return;
        }
        let mut ends: BTreeMap<usize, usize> = BTreeMap::new();
        for (start, end) in self.executes_pipes.drain(..) {
            let known = ends.entry(end).or_insert(start);
            *known = start.min(*known);
        }
        // Which commands stand in one of them, from the last command to the first.
        let mut start: Option<usize> = None;
        let mut stands_in: Vec<bool> = Vec::new();
        for command in script.commands.iter().rev() {
            while let Some(end) = ends.last_entry().filter(|end| *end.key() >= command.at) {
                let known = end.remove();
                start = Some(start.map_or(known, |start| start.min(known)));
            }
            stands_in.push(start.is_some_and(|start| command.at >= start));
        }
        let commands = || script.commands.iter().zip(stands_in.iter().rev());
        // A function writes what its commands write; what a variable names may be one.
        let is_function = |text: &str| script.functions.contains(text);
        let calls = commands().any(|(command, is_in)| {
            let is_named_by_a_variable = || {
                command
                    .words
                    .first()
                    .is_some_and(|word| word.text.starts_with('$'))
            };
            let mut words = command
                .words
                .iter()
                .flat_map(|word| word.text.split([' ', ';', '\n']));
            *is_in && !script.functions.is_empty() && (words.any(is_function) || is_named_by_a_variable())
        });
        for (command, is_in) in commands() {
            let mut from = sources(&command.held(), self.is_settable, self.tainted);
            if !is_in && !calls {
                from.remove(HOST_DATA);
            }
            self.note_sources(from);
        }
    }
}
