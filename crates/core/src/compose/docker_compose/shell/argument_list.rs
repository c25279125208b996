//! What a program does with a list of arguments of which something outside the document fills in a part.
//!
//! An item of a list is one argument whatever the value holds: the list is the command `PROGRAM "$A" …` of a script, with every variable
//! in quotes, and is judged as one.

use std::collections::BTreeMap;

use super::data_positions::is_data;
use super::interpreters::{Execution, is_interpreter};
use super::paths::base_name;
use super::programs::STARTING;
use super::script::{Script, ShellCommand};
use super::script_judge::judge_script;
use super::started::{StartedProgram, handed_over};
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

/// What is done with an item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compose::docker_compose) enum ItemUse {
    /// Nothing from outside is in it, or it is known to be data.
    Argument,
    /// It is not known to be data.
    NotKnown,
    /// It is executed, or may be.
    Executed,
}

/// How many words a list with a variable may have. What is longer is not judged word by word, which takes the square of its length: every
/// item with a variable decides code.
const MAX_OPEN_LIST: usize = 256;

/// What is done with each item of a list. The first is the program, unless `follows_unknown`: then the entrypoint of the image stands
/// before it. An item is an argument only where [`is_data`] knows it; so what is one in a list is one in a script as well.
pub(in crate::compose::docker_compose) fn uses_of_list(
    items: &[ListItem],
    follows_unknown: bool,
) -> Vec<ItemUse> {
    if items.len() > MAX_OPEN_LIST {
        let unjudged = |item: &ListItem| match item.is_open {
            true => ItemUse::NotKnown,
            false => ItemUse::Argument,
        };
        return items.iter().map(unjudged).collect();
    }
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
    let programs = command.programs(&mut std::collections::BTreeSet::new());
    // Whatever it is that starts a word starts what the value says.
    for program in &programs {
        let names = program.word.names.iter();
        found.extend(names.map(|name| (name.clone(), Use::Executed)));
    }
    let is_data: Vec<bool> = (0..items.len())
        .map(|at| is_data(&command, &programs, at) && !is_handed_to_a_script(&command, &programs, at))
        .collect();
    let script = Script {
        commands: vec![command],
        ..Script::default()
    };
    let is_item = |name: &str| name.starts_with(ITEM);
    let mut tainted = BTreeMap::new();
    script.taint_all(&is_item, &mut tainted);
    judge_script(&script, &is_item, &tainted, &mut found, 0);
    let first = items.first().map_or("", |item| item.text.as_str());
    // The entrypoint of the image may be an interpreter or a runner.
    let all_executed = follows_unknown && first.starts_with(['-', '+']);
    let name_is_executed = follows_unknown && STARTING.contains(&first);
    let how = |((at, item), is_data): ((usize, &ListItem), bool)| {
        let is_program = at == 0 || at == 1 && name_is_executed;
        let is_executed = all_executed || is_program || found.get(&key(at)) == Some(&Use::Executed);
        match (item.is_open, is_executed, is_data) {
            (false, ..) | (true, false, true) => ItemUse::Argument,
            (true, true, _) => ItemUse::Executed,
            (true, false, false) => ItemUse::NotKnown,
        }
    };
    items.iter().enumerate().zip(is_data).map(how).collect()
}

/// Whether a script that stands in the list itself is handed a word: it may do anything with it.
fn is_handed_to_a_script(command: &ShellCommand, programs: &[StartedProgram<'_>], at: usize) -> bool {
    let interpreters = (0..at).filter_map(|start| command.words.get(start..)?.split_first());
    let mut interpreters = interpreters.filter(|(word, _)| is_interpreter(base_name(&word.text)));
    let word = command.words.get(at);
    interpreters.any(|(program, arguments)| {
        let is_started = |handed: &[Word]| {
            let is_same =
                |program: &StartedProgram<'_>| handed.iter().any(|each| std::ptr::eq(each, program.word));
            programs.iter().any(is_same)
        };
        if handed_over(base_name(&program.text), arguments).is_some_and(is_started) {
            return false;
        }
        let handed = Execution::of(base_name(&program.text), arguments).handed;
        word.is_some_and(|word| handed.iter().any(|handed| std::ptr::eq(handed, word)))
    })
}
