//! Variables that begin with `CVM_VERIFY_` and that nothing reads: `CVM_VERIFY_LOK` would switch an expectation off in silence.
//!
//! An error is a variable with nearly the name of an option, and one with the name of a key that only the policy file has. Any other
//! may be a user's own secret, which the policy file names: a note names it.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::file::{SWITCHES, keys_without_option};
use crate::config::{PREFIX, variable_of};
use crate::render::escape;
use crate::usage_error::UsageError;
use cvm_verify_core::report::and_more;

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
    SECRET_NAMES,
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

/// The variable of the one option that the environment cannot set.
const TRUST_ROOT: &str = "CVM_VERIFY_INSECURE_TRUST_ROOT";

/// The names that the action's input `channel-secrets` gave, with blanks between them (scripts/verify.sh).
const SECRET_NAMES: &str = "CVM_VERIFY_CHANNEL_SECRETS";

/// What the program and its scripts write for later steps, and what tests of the project use.
pub(crate) const PREFIXES: [&str; 2] = ["CVM_VERIFY_RESULT_", "CVM_VERIFY_TEST_"];

/// How many letters a near miss differs in.
const NEAR: usize = 2;

/// Names that are noted.
const MAX_NOTED: usize = 5;

/// Refuses a variable whose name is nearly that of an option. `options` are the variables of all options.
pub(crate) fn refuse_near_misses(
    options: &BTreeSet<String>,
    env: &BTreeMap<String, String>,
) -> Result<(), UsageError> {
    let known = known(options);
    refuse_names_of_secrets(&known, env)?;
    for name in unknown(&known, env) {
        if let Some(problem) = key_of_the_file(name) {
            return Err(UsageError::new(format!("the environment has {name}, {problem}")));
        }
        if let Some(near) = near(name, &known) {
            return Err(UsageError::new(format!(
                "the environment has {}, which no option reads; did you mean {near}?",
                escape::shorten(name, 80)
            )));
        }
    }
    Ok(())
}

/// Refuses a variable of the action's input `channel-secrets` that something reads. A name may stand in the second line of a secret's
/// value: whoever sets that secret would decide what is expected, and no log would show it.
fn refuse_names_of_secrets(
    known: &BTreeSet<String>,
    env: &BTreeMap<String, String>,
) -> Result<(), UsageError> {
    let names = env.get(SECRET_NAMES).map_or("", String::as_str);
    let is_read = |name: &str| {
        let is_written = PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        known.contains(name) || is_written || key_of_the_file(name).is_some()
    };
    match names.split_whitespace().find(|name| is_read(name)) {
        None => Ok(()),
        Some(name) => Err(UsageError::new(format!(
            "the input channel-secrets of the action gives {}, which is a variable of cvm-verify itself; give only variables that the \
             policy file names with its keys …-env, and look for a second line in the secrets",
            escape::shorten(name, 80)
        ))),
    }
}

/// The error for a variable with the name of a key that only the policy file has. Its value would be dropped.
fn key_of_the_file(name: &str) -> Option<String> {
    let key = keys_without_option().find(|key| variable_of(key) == name)?;
    let switch = SWITCHES.iter().find(|switch| switch.key == key);
    let switch = switch.map_or_else(String::new, |switch| {
        format!(", or give {} for {key} = \"{}\"", switch.flag, switch.word)
    });
    Some(format!(
        "which no option reads: `{key}` is a key of the policy file; write it there{switch}"
    ))
}

/// Whether a variable is set that no option reads: then [`notes`] may have a line.
pub(crate) fn has_unknown(options: &BTreeSet<String>, env: &BTreeMap<String, String>) -> bool {
    unknown(&known(options), env).next().is_some()
}

/// A line about the variables that nothing reads, if there are any. `options` are the variables of all options, `named` those that the
/// policy file names, where that is known.
pub(crate) fn notes(
    options: &BTreeSet<String>,
    named: Option<&BTreeSet<String>>,
    env: &BTreeMap<String, String>,
) -> Option<String> {
    let known = known(options);
    let names: Vec<&str> = unknown(&known, env)
        .filter(|name| !named.is_some_and(|named| named.contains(*name)))
        .collect();
    let shown: Vec<String> = names
        .iter()
        .take(MAX_NOTED)
        .map(|name| escape::terminal(&escape::shorten(name, 80)).into_owned())
        .collect();
    let more = and_more("", names.len().saturating_sub(MAX_NOTED));
    let meant: Vec<String> = names
        .iter()
        .filter_map(|name| Some((*name, unset_channel(name, env)?)))
        .take(MAX_NOTED)
        .map(|(name, meant)| format!(" For {name}, did you mean {meant}?"))
        .collect();
    let is_root_given = env.get(TRUST_ROOT).is_some_and(|value| !value.trim().is_empty());
    let root = is_root_given.then(|| {
        format!("{TRUST_ROOT} is not read: --insecure-trust-root can only be given on the command line.")
    });
    let unread = (!names.is_empty()).then(|| {
        let them = if names.len() == 1 { "it" } else { "them" };
        let by_policy = match named {
            Some(_) => format!(", and no policy file of this run names {them}."),
            None => format!(". A policy file may name {them} for its alert channels."),
        };
        format!(
            "no option reads {}{more}{by_policy}{} `cvm-verify verify --help` lists the options.",
            shown.join(", "),
            meant.concat()
        )
    });
    let lines: Vec<String> = unread.into_iter().chain(root).collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// The variable of an alert channel that is not set and that has every word of this name, in order: `CVM_VERIFY_SLACK_URL` lacks one of
/// `CVM_VERIFY_SLACK_WEBHOOK_URL`. A policy file may name such a variable, so that it is no error.
fn unset_channel(name: &str, env: &BTreeMap<String, String>) -> Option<&'static str> {
    let has_words_of = |known: &str| {
        let mut words = known.split('_');
        name.split('_').all(|word| words.any(|other| other == word))
    };
    let is_set = |known: &str| env.get(known).is_some_and(|value| !value.trim().is_empty());
    let more_than_prefix = name.len() > PREFIX.len();
    OTHERS
        .into_iter()
        .filter(|known| known.ends_with("_URL") || known.ends_with("_KEY"))
        // No channel, but where one is.
        .filter(|known| *known != "CVM_VERIFY_PAGERDUTY_URL")
        .find(|known| more_than_prefix && has_words_of(known) && !is_set(known))
}

/// Every name that something reads: the variables of `options`, and the others.
pub(crate) fn known(options: &BTreeSet<String>) -> BTreeSet<String> {
    let others = OTHERS.iter().map(|name| (*name).to_owned());
    options.iter().cloned().chain(others).collect()
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
