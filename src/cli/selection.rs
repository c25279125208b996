//! Which targets the arguments select, and by which policy file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::args::{PlanArgs, TransportArgs};
use super::transport::network_options;
use crate::bounded_io;
use crate::config::Settings;
use crate::config::file::FILE_NAME;
use crate::env::Env;
use crate::plan::found_lock::{say_of_unused_lock, with_found_lock};
use crate::plan::nodes;
use crate::plan::policy_file::{found, read};
use crate::plan::selection::{Selection, name_at};
use crate::render::escape;
use crate::usage_error::UsageError;

/// What the arguments select. `more` is what a command's own options say.
pub(super) fn selection(
    args: &PlanArgs,
    more: &Settings,
    transport: &TransportArgs,
    env: &BTreeMap<String, String>,
) -> Selection {
    let options = args.expect.keys.settings.over(&args.source.settings);
    Selection {
        urls: args.url.clone(),
        names: args.config.target.clone(),
        options: options.over(&args.live.settings).over(more),
        collateral_max_age: args.collateral_age.collateral_max_age,
        asks_nodes: !args.chain.rpc_url.is_empty(),
        node_variables: nodes::variables(env),
        network: network_options(transport).into(),
    }
}

/// What the arguments select; without any expectation and policy file, as the lock of the working folder says.
pub(super) fn selection_or_found_lock(
    args: &PlanArgs,
    more: &Settings,
    transport: &TransportArgs,
    quiet: bool,
    env: &mut Env,
) -> Result<Selection, UsageError> {
    let selection = selection(args, more, transport, &env.variables);
    if args.no_lock && selection.options.one("lock").is_some() {
        return Err(UsageError::option(
            "--no-lock",
            "--lock names a lock; leave one of them out",
        ));
    }
    if args.no_lock || args.config.config.is_some() {
        return Ok(selection);
    }
    if args.expect.keys.is_expecting() {
        if selection.options.one("lock").is_none() && !quiet {
            say_of_unused_lock(&selection, env);
        }
        return Ok(selection);
    }
    with_found_lock(selection, quiet, env)
}

/// Refuses `--no-lock` beside a policy file that names a lock: the lock would be used all the same.
pub(super) fn refuse_no_lock(args: &PlanArgs, file: Option<&Path>) -> Result<(), UsageError> {
    let Some(path) = file.filter(|_| args.no_lock) else {
        return Ok(());
    };
    let config = read(path)?.file;
    let mut all = config
        .targets
        .iter()
        .map(|target| &target.settings)
        .chain([&config.defaults]);
    match all.any(|settings| settings.one("lock").is_some()) {
        false => Ok(()),
        true => Err(UsageError::option(
            "--no-lock",
            format!(
                "{} names a lock, which is used; it turns off only the cvm.lock that is found in the working folder. Remove `lock` \
                 from the file, or leave the option out",
                path.display()
            ),
        )),
    }
}

/// The policy file of a run, where it has one.
pub(super) fn policy_file(args: &PlanArgs, quiet: bool, env: &mut Env) -> Option<PathBuf> {
    let given = &args.config;
    if given.no_config && !quiet && args.url.is_empty() && (env.exists)(Path::new(FILE_NAME)) {
        env.complain(&format!(
            "There is a {FILE_NAME} here. It is not read, because of --no-config"
        ));
    }
    if given.no_config || given.config.is_some() {
        return given.config.clone();
    }
    if args.url.is_empty() {
        return found(None, quiet, env);
    }
    if !quiet {
        say_of_unused_policy_file(args, env);
    }
    None
}

/// Says that the policy file of the working folder, which expects something of an address that was typed, is not used.
fn say_of_unused_policy_file(args: &PlanArgs, env: &mut Env) {
    let path = Path::new(FILE_NAME);
    if !(env.exists)(path) || bounded_io::is_special(path) {
        return;
    }
    // Nothing depends on it: a file that cannot be read is not this run's.
    let Ok(config) = read(path) else { return };
    let options = &args.source.settings;
    if let Some(name) = args.url.iter().find_map(|typed| name_at(typed, options, &config)) {
        let name = escape::terminal(name);
        env.complain(&format!(
            "There is a {FILE_NAME} here, and this is the address of its target {name}. It is not used, because a URL was given. To \
             verify as it says: --config {FILE_NAME}. To verify without it: --no-config"
        ));
    }
}
