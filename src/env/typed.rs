//! The command and the options of a run whose arguments may not parse: a run that ends before it reads them has an alert to send and
//! files of an earlier run to mark.

use super::{Env, truth};
use crate::config::variable_of;

/// The command that was typed.
pub(crate) fn command(env: &Env) -> &str {
    let command = env.args.get(1).and_then(|command| command.to_str());
    command.unwrap_or_default()
}

/// The arguments that are no options, as far as that can be said of arguments that may not parse.
pub(crate) fn addresses(env: &Env) -> Vec<String> {
    let args: Vec<&str> = env.args.iter().skip(2).filter_map(|arg| arg.to_str()).collect();
    let before = std::iter::once("").chain(args.iter().copied());
    let is_value = |before: &str| before.starts_with('-') && !before.contains('=');
    // The value of such an option looks like an address.
    let is_url = |before: &str| is_value(before) && (before.ends_with("-url") || before == "--proxy");
    let addresses = args.iter().zip(before).filter(|(arg, before)| {
        !arg.starts_with('-') && !is_url(before) && (!is_value(before) || arg.contains("://"))
    });
    addresses.map(|(arg, _)| (*arg).to_owned()).collect()
}

/// Whether an option without a value is on, typed or from the environment.
pub(crate) fn flag(env: &Env, name: &str) -> bool {
    let long = format!("--{name}");
    let variable = variable_of(name);
    let set = env.variables.get(&variable);
    env.args.iter().any(|arg| *arg == *long) || set.is_some_and(|value| truth(value) == Some(true))
}

/// The value of an option, typed or from the environment.
pub(crate) fn option(env: &Env, name: &str) -> Option<String> {
    let long = format!("--{name}");
    let mut args = env.args.iter().filter_map(|arg| arg.to_str());
    let mut typed = None;
    while let Some(arg) = args.next() {
        match arg.strip_prefix(&long) {
            Some("") => typed = args.next().map(str::to_owned),
            Some(rest) => typed = rest.strip_prefix('=').map(str::to_owned).or(typed),
            None => {}
        }
    }
    let variable = variable_of(name);
    let set = env.variables.get(&variable).map(|value| value.trim().to_owned());
    typed.or(set).filter(|value| !value.is_empty())
}
