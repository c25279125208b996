//! Variables that begin with `CVM_VERIFY_` and that nothing reads: `CVM_VERIFY_LOK` would switch an expectation off in silence.
//!
//! One that is nearly the name of an option is an error. Any other may be a user's own secret, which the policy file names, so
//! it is said and nothing more.

use std::collections::{BTreeMap, BTreeSet};

use super::variable_name::{COMMAND_LINE_ONLY, variable_of};
use crate::render::escape;
use crate::usage_error::UsageError;

const PREFIX: &str = "CVM_VERIFY_";

/// Variables that are no options, and what reads them: the alert channels, the action, the GitLab template, `install.sh` and
/// the builds.
const OTHERS: [&str; 28] = [
    "CVM_VERIFY_SLACK_WEBHOOK_URL",
    "CVM_VERIFY_DISCORD_WEBHOOK_URL",
    "CVM_VERIFY_TEAMS_WEBHOOK_URL",
    "CVM_VERIFY_PAGERDUTY_ROUTING_KEY",
    "CVM_VERIFY_PAGERDUTY_URL",
    "CVM_VERIFY_GITHUB_TOKEN",
    "CVM_VERIFY_GITLAB_TOKEN",
    "CVM_VERIFY_WEBHOOK_URL",
    "CVM_VERIFY_WEBHOOK_SECRET",
    "CVM_VERIFY_HEARTBEAT_URL",
    "CVM_VERIFY_SOURCE_TOKEN",
    "CVM_VERIFY_REGISTRY_CREDENTIALS",
    "CVM_VERIFY_CHANNEL_SECRETS",
    "CVM_VERIFY_EXTRA_ARGS",
    "CVM_VERIFY_MODE",
    "CVM_VERIFY_INSTALL",
    "CVM_VERIFY_BINARY_PATH",
    "CVM_VERIFY_MIRROR",
    "CVM_VERIFY_VERSION",
    "CVM_VERIFY_REPOSITORY",
    "CVM_VERIFY_COMMIT",
    "CVM_VERIFY_TREE",
    "CVM_VERIFY_GIT",
    "CVM_VERIFY_COMMIT_TIME",
    "CVM_VERIFY_INSECURE_TRUST_ROOT",
    "CVM_VERIFY_HELP",
    "CVM_VERIFY_NOW",
    "CVM_VERIFY_EMPTY",
];

/// What the program and its scripts write for later steps, and what tests of the project use.
const PREFIXES: [&str; 2] = ["CVM_VERIFY_RESULT_", "CVM_VERIFY_TEST_"];

/// How many letters a near miss differs in.
const NEAR: usize = 2;

/// Names that are noted.
const MAX_NOTED: usize = 5;

/// Refuses a variable whose name is nearly that of an option.
pub(super) fn refuse_near_misses(
    command: &clap::Command,
    env: &BTreeMap<String, String>,
) -> Result<(), UsageError> {
    let known = known(command);
    for name in unknown(&known, env) {
        if let Some(near) = near(name, &known) {
            return Err(UsageError::new(format!(
                "the environment has {}, which nothing reads; did you mean {near}?",
                escape::shorten(name, 80)
            )));
        }
    }
    Ok(())
}

/// A line about the variables that nothing reads, if there are any.
pub(super) fn notes(command: &clap::Command, env: &BTreeMap<String, String>) -> Option<String> {
    let known = known(command);
    let names: Vec<&str> = unknown(&known, env).collect();
    let shown: Vec<String> = names
        .iter()
        .take(MAX_NOTED)
        .map(|name| escape::terminal(&escape::shorten(name, 80)).into_owned())
        .collect();
    let more = match names.len().saturating_sub(MAX_NOTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!names.is_empty()).then(|| {
        format!(
            "note: no option reads {}{more}. A policy file may name them for its alert channels; `cvm-verify verify --help` lists \
             the options.",
            shown.join(", ")
        )
    })
}

/// Every name that something reads.
fn known(command: &clap::Command) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = OTHERS.iter().map(|name| (*name).to_owned()).collect();
    let mut commands: Vec<&clap::Command> = vec![command];
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

/// The variables that are set and that nothing reads.
fn unknown<'e>(known: &BTreeSet<String>, env: &'e BTreeMap<String, String>) -> impl Iterator<Item = &'e str> {
    env.iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .map(|(name, _)| name.as_str())
        .filter(|name| name.starts_with(PREFIX) && !known.contains(*name))
        .filter(|name| !PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !is_of_kubernetes(name))
}

/// What Kubernetes sets in every pod for a service called `cvm-verify` or `cvm-verify-…`.
fn is_of_kubernetes(name: &str) -> bool {
    let is_port = |rest: &str| {
        rest.split('_').all(|part| {
            part.bytes().all(|byte| byte.is_ascii_digit())
                || matches!(part, "TCP" | "UDP" | "SCTP" | "PORT" | "ADDR" | "PROTO")
        })
    };
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.rsplit_once("_PORT_").is_some_and(|(_, rest)| is_port(rest))
        || name == "CVM_VERIFY_PORT"
        || name
            .find("_PORT_")
            .is_some_and(|at| name.get(at + 6..).is_some_and(is_port))
}

/// The option that a name is nearly. A name that goes on behind that of an option, as `…_WEBHOOK_URL_2`, is a user's own.
fn near<'k>(name: &str, known: &'k BTreeSet<String>) -> Option<&'k str> {
    let own = name.strip_prefix(PREFIX)?;
    let is_longer = |known: &str| name.strip_prefix(known).is_some_and(|rest| rest.starts_with('_'));
    if own.len() > 64 || known.iter().any(|known| is_longer(known)) {
        return None;
    }
    let distance = |known: &str| {
        let known = known.strip_prefix(PREFIX).unwrap_or(known);
        let allowed = if known.len() < 6 { 1 } else { NEAR };
        Some(strsim::osa_distance(own, known)).filter(|distance| *distance <= allowed)
    };
    known
        .iter()
        .filter_map(|known| Some((distance(known)?, known.as_str())))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::args::Cli;

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
            let error = refuse_near_misses(&Cli::command(), &env(name))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(name) && error.contains(&format!("did you mean {meant}?")),
                "{error}"
            );
        }
        assert!(
            refuse_near_misses(
                &Cli::command(),
                &[("CVM_VERIFY_LOK".to_owned(), String::new())].into()
            )
            .is_ok()
        );
    }

    #[test]
    fn other_unknown_ones_are_noted_and_exempt_ones_are_not() {
        let noted = |name: &str| {
            refuse_near_misses(&Cli::command(), &env(name)).unwrap();
            notes(&Cli::command(), &env(name))
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
    fn every_variable_of_a_channel_and_of_a_script_is_known() {
        let known = known(&Cli::command());
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
