//! What a program does with a list of arguments of which something outside the document fills in a part.
//!
//! An item of a list is one argument whatever the value holds: the list is the command `PROGRAM "$A" …` of a script, with every variable
//! in quotes, and is judged as one.

use std::collections::BTreeMap;

use super::programs::STARTING;
use super::script::{Script, ShellCommand};
use super::script_judge::judge_script;
use super::variable_use::{Use, Uses};
use super::word::Word;

/// Among the names of variables: an item, with its index.
const ITEM: &str = "item:";

/// An item of a list of arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::compose::docker_compose) struct ListItem {
    /// With `${NAME}` where something outside the document sets a part.
    pub(in crate::compose::docker_compose) text: String,
    /// Whether there is such a part.
    pub(in crate::compose::docker_compose) is_open: bool,
}

/// What is done with each item of a list. The first is the program, unless `follows_unknown`: then the entrypoint of the image stands
/// before it.
pub(in crate::compose::docker_compose) fn uses_of_list(
    items: &[ListItem],
    follows_unknown: bool,
) -> Vec<Use> {
    let key = |at: usize| format!("{ITEM}{at}");
    let words = items.iter().enumerate().map(|(at, item)| Word {
        text: item.text.clone(),
        names: item.is_open.then(|| key(at)).into_iter().collect(),
        is_literal: !item.is_open,
        ..Word::default()
    });
    let command = ShellCommand {
        words: words.collect(),
        ..ShellCommand::default()
    };
    let mut found = Uses::new();
    // Whatever it is that starts a word starts what the value says.
    for program in command.programs(&mut std::collections::BTreeSet::new()) {
        found.extend(
            program
                .word
                .names
                .iter()
                .map(|name| (name.clone(), Use::Executed)),
        );
    }
    let script = Script {
        commands: vec![command],
    };
    let is_item = |name: &str| name.starts_with(ITEM);
    let mut tainted = BTreeMap::new();
    script.taint_all(&is_item, &mut tainted);
    judge_script(&script, &is_item, &tainted, &mut found, 0);
    let first = items.first().map_or("", |item| item.text.as_str());
    // The entrypoint of the image may be an interpreter or a runner.
    let all_executed = follows_unknown && first.starts_with(['-', '+']);
    let name_is_executed = follows_unknown && STARTING.contains(&first);
    let how = |(at, item): (usize, &ListItem)| {
        let is_program = at == 0 || at == 1 && name_is_executed;
        let is_executed = all_executed || is_program || found.get(&key(at)) == Some(&Use::Executed);
        match item.is_open && is_executed {
            true => Use::Executed,
            false => Use::Argument,
        }
    };
    items.iter().enumerate().map(how).collect()
}
