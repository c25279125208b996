//! Options from the environment: `--compose-hash` can be `CVM_VERIFY_COMPOSE_HASH`.
//!
//! An empty variable is unset; the command line wins; a repeatable option takes one value per line. Options
//! that must be typed by a person (`COMMAND_LINE_ONLY`) are never taken from there.

use std::ffi::OsString;

use clap::{ArgAction, ArgMatches};

use super::unknown_variables;
use super::variable_name::{COMMAND_LINE_ONLY, variable_of};
use crate::env::{Env, truth};
use crate::usage_error::UsageError;

/// The arguments, with options from the environment appended.
pub(super) fn with_environment(command: clap::Command, env: &Env) -> Result<Vec<OsString>, UsageError> {
    unknown_variables::refuse_near_misses(&command, &env.variables)?;
    let args = &env.args;
    // A command line that does not parse is reported as it stands.
    let Ok(matches) = command.clone().ignore_errors(true).try_get_matches_from(args) else {
        return Ok(args.clone());
    };
    let Some((name, given, subcommand)) = innermost(&command, &matches) else {
        return Ok(args.clone());
    };
    let mut options: Vec<OsString> = Vec::new();
    let mut positionals: Vec<OsString> = Vec::new();
    for arg in subcommand.get_arguments() {
        let Some(id) = arg
            .get_long()
            .or_else(|| arg.is_positional().then(|| arg.get_id().as_str()))
        else {
            continue;
        };
        let variable = variable_of(id);
        let Some(value) = env
            .variables
            .get(&variable)
            .filter(|value| !value.trim().is_empty())
        else {
            continue;
        };
        let typed = given.try_contains_id(arg.get_id().as_str()).unwrap_or(false)
            && given.value_source(arg.get_id().as_str()) == Some(clap::parser::ValueSource::CommandLine);
        if typed && arg.is_positional() && is_from_inputs(env) {
            return Err(UsageError::new(format!(
                "`extra-args` holds an address or a file that would replace those of {variable}; \
                 write them all into that input"
            )));
        }
        if typed || COMMAND_LINE_ONLY.contains(&id) {
            continue;
        }
        if arg.is_positional() {
            positionals.extend(lines(value).map(OsString::from));
            continue;
        }
        match arg.get_action() {
            ArgAction::SetTrue => {
                if truth(value).ok_or_else(|| UsageError::option(&variable, "is neither true nor false"))? {
                    options.push(format!("--{id}").into());
                }
            }
            ArgAction::Count => {
                let count = match value.trim().parse() {
                    Ok(count) => count,
                    Err(_) => truth(value)
                        .map(u8::from)
                        .ok_or_else(|| UsageError::option(&variable, "is neither true nor false"))?,
                };
                options.extend((0..count.min(2)).map(|_| format!("--{id}").into()));
            }
            ArgAction::Append => options.extend(lines(value).map(|line| format!("--{id}={line}").into())),
            _ => options.push(format!("--{id}={}", value.trim()).into()),
        }
    }
    // Behind the subcommand's name and before what was typed, so that a typed `--` keeps its meaning.
    let at = args
        .iter()
        .position(|arg| arg == name)
        .map_or(args.len(), |index| index + 1);
    let mut joined: Vec<OsString> = args.iter().take(at).cloned().collect();
    joined.extend(options);
    joined.extend(args.iter().skip(at).cloned());
    if !positionals.is_empty() {
        joined.push("--".into());
        joined.extend(positionals);
    }
    Ok(joined)
}

/// Whether what was typed comes from the input `extra-args` of the action or of the GitLab template, beside inputs that are
/// variables.
fn is_from_inputs(env: &Env) -> bool {
    let value = env.variables.get("CVM_VERIFY_EXTRA_ARGS");
    value.is_some_and(|value| !value.trim().is_empty())
}

/// The subcommand that was typed, `test` in `alert test`, with its arguments.
fn innermost<'a>(
    command: &'a clap::Command,
    matches: &'a ArgMatches,
) -> Option<(&'a str, &'a ArgMatches, &'a clap::Command)> {
    let (name, given) = matches.subcommand()?;
    let subcommand = command.find_subcommand(name)?;
    innermost(subcommand, given).or(Some((name, given, subcommand)))
}

fn lines(value: &str) -> impl Iterator<Item = &str> {
    value.lines().map(str::trim).filter(|line| !line.is_empty())
}
