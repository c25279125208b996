use std::collections::BTreeSet;

use clap::CommandFactory as _;

use super::super::Cli;
use super::*;
use crate::config::file::NOT_KEYS;

/// The options of the table, without their dashes.
fn in_the_table() -> BTreeSet<&'static str> {
    let typed = keys().filter_map(|key| Some(key.option.as_ref()?.flag));
    let switches = SWITCHES.iter().map(|switch| switch.flag);
    typed.chain(switches).map(id).collect()
}

#[test]
fn every_option_of_verify_and_watch_is_a_row_or_says_why_not() {
    let mut command = Cli::command();
    command.build();
    let mut options = BTreeSet::new();
    for name in ["verify", "watch"] {
        let of_command = command.find_subcommand(name).unwrap().get_arguments();
        options.extend(of_command.filter_map(Arg::get_long).map(str::to_owned));
    }
    let table = in_the_table();
    let not_keys: Vec<&str> = NOT_KEYS.iter().flat_map(|(_, names)| *names).copied().collect();
    for name in &not_keys {
        assert!(!table.contains(name), "--{name} is a key, too");
    }
    let listed = table.into_iter().chain(not_keys).chain(["help"]);
    assert_eq!(options, listed.map(str::to_owned).collect());
}

#[test]
fn every_option_with_words_of_its_own_is_a_key() {
    fn assert_whole<O: CommandOptions>() {
        let options: Vec<&str> = KeyArgs::<O>::options().map(|option| option.key.name).collect();
        let named: Vec<&str> = O::REWORDED.iter().map(|option| option.key).collect();
        assert_eq!(options, named);
    }
    assert_whole::<PinOptions>();
    assert_whole::<ReplayOptions>();
}
