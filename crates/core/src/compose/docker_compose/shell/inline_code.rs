//! Code among the arguments of a program whose language is not read here.

use std::collections::BTreeSet;

use super::host_data::HOST_DATA;
use super::interpreters::starts_programs;
use super::language::Language;
use super::machines::is_unprotected;
use super::names::identifiers;
use super::shown_environment::WHOLE_ENVIRONMENT;
use super::word::Word;

/// Programs, beside interpreters, that execute an argument in a language of their own, which can start programs.
#[rustfmt::skip]
const TAKE_CODE: [&str; 29] = [
    "bc", "dc", "duckdb", "ed", "emacs", "ex", "execlineb", "expect", "gdb", "gforth", "gnuplot", "janet",
    "kak", "lftp", "lldb", "luajit", "m4", "mg", "nvim", "picolisp", "rlwrap", "rview", "sqlite3", "swipl",
    "tclsh8.6", "vi", "view", "vim", "wish",
];

/// Whether a program executes code among its arguments that is not read here.
pub(super) fn takes_code(name: &str) -> bool {
    let starts = |start: &str| name.starts_with(start);
    TAKE_CODE.contains(&name)
        || starts("lua5") || starts("tclsh")
        // A word of these is no code.
        || Language::is_not_read(name) && !matches!(name, "java" | "crontab" | "at" | "batch")
}

/// The variables that such code may execute: those whose names stand in it, and all of them where a word for the environment does.
pub(super) fn names_in_code(name: &str, arguments: &[Word]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if name.ends_with("awk")
        && !starts_programs(arguments)
        && !arguments.iter().any(|word| word.text.contains('>'))
    {
        return names;
    }
    // A plain word is an option, a path or a value.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,@+%~".contains(c);
    for word in arguments.iter().filter(|word| !word.text.chars().all(is_plain)) {
        let words = identifiers(&word.text);
        if words.iter().any(|word| word.to_ascii_lowercase().contains("env")) {
            names.insert(WHOLE_ENVIRONMENT.to_owned());
        }
        if word.text.split(['"', '\'']).any(is_unprotected) {
            names.insert(HOST_DATA.to_owned());
        }
        // `$E` of a shell was replaced before the program reads the word, and is judged where it stands.
        names.extend(
            words
                .into_iter()
                .filter(|name| word.is_literal || !word.names.contains(name)),
        );
    }
    names
}
