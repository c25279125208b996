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
        let mut start = usize::MAX;
        let mut stands_in: Vec<bool> = Vec::new();
        for command in script.commands.iter().rev() {
            while let Some(end) = ends.last_entry().filter(|end| *end.key() >= command.at) {
                start = start.min(end.remove());
            }
            stands_in.push(command.at >= start);
        }
        let commands = || script.commands.iter().zip(stands_in.iter().rev());
        // A function writes what its commands write.
        let calls = commands().any(|(command, is_in)| {
            *is_in
                && command
                    .words
                    .iter()
                    .any(|word| script.functions.contains(&word.text))
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
