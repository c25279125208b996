//! Options from the environment: `--compose-hash` can be `CVM_VERIFY_COMPOSE_HASH`.
//!
//! An empty variable is unset; the command line wins; a repeatable option takes one value per line. Options
//! that must be typed by a person (`COMMAND_LINE_ONLY`) are never taken from there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches};

use crate::config::{PREFIX, variable_of};
use crate::env::{Env, NOT_TEXT, truth};
use crate::render::escape;
use crate::unknown_variables;
use crate::usage_error::UsageError;

/// Another trust root must be visible on the command line.
const COMMAND_LINE_ONLY: [&str; 4] = ["insecure-trust-root", "help", "version", "now"];

/// The arguments, with options from the environment appended.
///
/// `variables` are those of [`option_variables_for`].
pub(super) fn with_environment(
    command: &clap::Command,
    variables: &BTreeSet<String>,
    env: &Env,
) -> Result<Vec<OsString>, UsageError> {
    refuse_what_is_not_text(env)?;
    unknown_variables::refuse_near_misses(variables, &env.variables)?;
    let args = &env.args;
    if variables.is_empty() {
        return Ok(args.clone());
    }
    // A command line that does not parse is reported as it stands.
    let mut read = command.clone().ignore_errors(true);
    let Ok(matches) = read.try_get_matches_from_mut(args) else {
        return Ok(args.clone());
    };
    let Some((name, given, subcommand)) = innermost(&read, &matches) else {
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
        let typed = is_typed(arg, given);
        if typed && arg.is_positional() && is_from_inputs(env) {
            return Err(UsageError::new(format!(
                "`extra-args` holds an address or a file that would replace those of {variable}; \
                 write them all into that input"
            )));
        }
        // What is typed wins over what contradicts it, too. The inputs of an action are as good as typed.
        let is_contradicted = || contradicts_what_is_typed(arg, given, subcommand) && !is_from_inputs(env);
        if typed || COMMAND_LINE_ONLY.contains(&id) || is_contradicted() {
            continue;
        }
        if arg.is_positional() {
            positionals.extend(lines(value).map(OsString::from));
            continue;
        }
        options.extend(typed_as(arg, id, &variable, value)?);
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

/// An option as it would be typed, with the value of its variable.
fn typed_as(arg: &clap::Arg, id: &str, variable: &str, value: &str) -> Result<Vec<OsString>, UsageError> {
    let is_on = || truth(value).ok_or_else(|| UsageError::option(variable, "is neither true nor false"));
    let count = match arg.get_action() {
        ArgAction::SetTrue => usize::from(is_on()?),
        ArgAction::Count => match value.trim().parse::<u8>() {
            Ok(count) => usize::from(count.min(2)),
            Err(_) => usize::from(is_on()?),
        },
        ArgAction::Append => return Ok(lines(value).map(|line| format!("--{id}={line}").into()).collect()),
        _ => return Ok(vec![format!("--{id}={}", value.trim()).into()]),
    };
    Ok(vec![format!("--{id}").into(); count])
}

/// What is set and cannot be read is never taken for absent. The value may be a secret.
fn refuse_what_is_not_text(env: &Env) -> Result<(), UsageError> {
    let is_broken = |(name, value): &(&String, &String)| name.contains(NOT_TEXT) || value.contains(NOT_TEXT);
    match env.variables.iter().find(is_broken) {
        Some((name, _)) => Err(UsageError::option(
            &escape::shorten(name, 80),
            "is set to bytes that are not UTF-8 text; set it again, or unset it",
        )),
        None => Ok(()),
    }
}

/// Whether what was typed comes from the input `extra-args` of the action or of the GitLab template, beside inputs that are
/// variables.
fn is_from_inputs(env: &Env) -> bool {
    let value = env.variables.get("CVM_VERIFY_EXTRA_ARGS");
    value.is_some_and(|value| !value.trim().is_empty())
}

fn is_typed(arg: &Arg, given: &ArgMatches) -> bool {
    let id = arg.get_id().as_str();
    given.try_contains_id(id).unwrap_or(false) && given.value_source(id) == Some(ValueSource::CommandLine)
}

/// Whether an argument cannot stand beside one that was typed.
fn contradicts_what_is_typed(arg: &Arg, given: &ArgMatches, command: &clap::Command) -> bool {
    let names = |one: &Arg, other: &Arg| {
        let conflicts = command.get_arg_conflicts_with(one);
        conflicts
            .iter()
            .any(|conflict| conflict.get_id() == other.get_id())
    };
    let mut typed = command.get_arguments().filter(|other| is_typed(other, given));
    typed.any(|other| names(arg, other) || names(other, arg))
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

/// The variables of all options of all commands; none where the environment has no variable that could be one of them.
pub(super) fn option_variables_for(
    env: &BTreeMap<String, String>,
    command: &clap::Command,
) -> BTreeSet<String> {
    if env.keys().any(|name| name.starts_with(PREFIX)) {
        option_variables(command.clone())
    } else {
        BTreeSet::new()
    }
}

/// The variables of all options of all commands.
fn option_variables(mut command: clap::Command) -> BTreeSet<String> {
    command.build();
    let mut names = BTreeSet::new();
    let mut commands: Vec<&clap::Command> = vec![&command];
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for arg in command.get_arguments() {
            let id = arg.get_long().unwrap_or_else(|| arg.get_id().as_str());
            if !COMMAND_LINE_ONLY.contains(&id) {
                names.insert(variable_of(id));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::help;
    use crate::unknown_variables::{PREFIXES, known, notes, refuse_near_misses};

    fn options() -> BTreeSet<String> {
        option_variables(help::command())
    }

    fn env(name: &str) -> BTreeMap<String, String> {
        [(name.to_owned(), "x".to_owned())].into()
    }

    #[test]
    fn a_near_miss_is_an_error_that_names_the_option() {
        for (name, meant) in [
            ("CVM_VERIFY_LOK", "CVM_VERIFY_LOCK"),
            ("CVM_VERIFY_LOCKS", "CVM_VERIFY_LOCK"),
            ("CVM_VERIFY_COMPOSEHASH", "CVM_VERIFY_COMPOSE_HASH"),
            ("CVM_VERIFY_COMPOSE_HAHS", "CVM_VERIFY_COMPOSE_HASH"),
            ("CVM_VERIFY_SLACK_WEBHOOK_ULR", "CVM_VERIFY_SLACK_WEBHOOK_URL"),
        ] {
            let error = refuse_near_misses(&options(), &env(name))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(name) && error.contains(&format!("did you mean {meant}?")),
                "{error}"
            );
        }
        assert!(
            refuse_near_misses(&options(), &[("CVM_VERIFY_LOK".to_owned(), String::new())].into()).is_ok()
        );
    }

    #[test]
    fn other_unknown_ones_are_noted_and_exempt_ones_are_not() {
        let noted = |name: &str| {
            refuse_near_misses(&options(), &env(name)).unwrap();
            notes(&options(), Some(&BTreeSet::new()), &env(name))
        };
        for name in [
            "CVM_VERIFY_SHOP_TEAM",
            "CVM_VERIFY_SLACK_WEBHOOK_URL_2",
            "CVM_VERIFY_SLACK_SHOP",
        ] {
            assert!(noted(name).unwrap().contains(name), "{name}");
        }
        for name in [
            "CVM_VERIFY_LOCK",
            "CVM_VERIFY_URL",
            "CVM_VERIFY_RESULT_VERDICT",
            "CVM_VERIFY_SERVICE_HOST",
            "CVM_VERIFY_SERVICE_PORT",
            "CVM_VERIFY_SERVICE_PORT_METRICS",
            "CVM_VERIFY_PORT",
            "CVM_VERIFY_PORT_9464_TCP",
            "CVM_VERIFY_PORT_9464_TCP_ADDR",
            "CVM_VERIFY_PORT_9464_TCP_PORT",
            "CVM_VERIFY_WATCH_SERVICE_HOST",
            "CVM_VERIFY_WATCH_PORT_9464_TCP_PROTO",
            "CVM_VERIFY_EXTRA_ARGS",
            "PATH",
        ] {
            assert_eq!(noted(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_lacks_a_word_of_a_channel_is_asked_about() {
        for (name, meant) in [
            ("CVM_VERIFY_TEAMS_WEBHOOK", "CVM_VERIFY_TEAMS_WEBHOOK_URL"),
            ("CVM_VERIFY_SLACK_URL", "CVM_VERIFY_SLACK_WEBHOOK_URL"),
            ("CVM_VERIFY_PAGERDUTY", "CVM_VERIFY_PAGERDUTY_ROUTING_KEY"),
        ] {
            let line = notes(&options(), Some(&BTreeSet::new()), &env(name)).unwrap();
            assert!(
                line.contains(&format!("For {name}, did you mean {meant}?")),
                "{line}"
            );
            let mut both = env(name);
            both.insert(meant.to_owned(), "x".to_owned());
            assert!(
                !notes(&options(), Some(&BTreeSet::new()), &both)
                    .unwrap()
                    .contains("did you mean")
            );
        }
        assert!(
            !notes(&options(), Some(&BTreeSet::new()), &env("CVM_VERIFY_SLACK_SHOP"))
                .unwrap()
                .contains("did you mean")
        );
    }

    #[test]
    fn every_variable_of_a_channel_and_of_a_script_is_known() {
        let known = known(&options());
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in [
            "action.yml",
            "scripts/verify.sh",
            "install.sh",
            "templates/cvm-verify.yml",
            "src/alert/variables.rs",
        ] {
            let text = std::fs::read_to_string(folder.join(file)).unwrap();
            for (at, _) in text.match_indices(PREFIX) {
                let rest = &text[at..];
                let end = rest
                    .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
                    .unwrap_or(rest.len());
                let name = &rest[..end];
                let is_exempt = name.ends_with('_') || PREFIXES.iter().any(|prefix| name.starts_with(prefix));
                let is_example = ["CVM_VERIFY_SLACK_SHOP", "CVM_VERIFY_SHOP"]
                    .iter()
                    .any(|one| name.starts_with(one));
                assert!(is_exempt || is_example || known.contains(name), "{file}: {name}");
            }
        }
    }
}
