//! Which targets the arguments select, and by which policy file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::args::PlanArgs;
use super::settings::{of_options, word};
use crate::config::Interval;
use crate::env::Env;
use crate::plan::found_lock::with_found_lock;
use crate::plan::nodes;
use crate::plan::planner::Selection;
use crate::plan::policy_file::found;
use crate::usage_error::UsageError;

/// What the arguments select. `interval` is for rounds that repeat.
pub(super) fn selection(
    args: &PlanArgs,
    interval: Option<Interval>,
    env: &BTreeMap<String, String>,
) -> Result<Selection, UsageError> {
    let mut options = of_options(&args.expect, Some(&args.source));
    options.give("--verifier", args.verifier.verifier.as_ref().map(word));
    options.give("--instances", args.instances.map(|number| number.to_string()));
    options.give("--interval", interval.map(|interval| interval.to_string()));
    Ok(Selection {
        urls: args.url.clone(),
        names: args.config.target.clone(),
        options,
        collateral_max_age: args.collateral_age.collateral_max_age,
        asks_nodes: !args.chain.rpc_url.is_empty(),
        node_variables: nodes::variables(env),
    })
}

/// What the arguments select; without any expectation and policy file, as the lock of the working folder says.
pub(super) fn selection_or_found_lock(
    args: &PlanArgs,
    quiet: bool,
    env: &mut Env,
) -> Result<Selection, UsageError> {
    let selection = selection(args, None, &env.variables)?;
    match args.no_lock || args.config.config.is_some() || args.expect.keys.is_expecting() {
        true => Ok(selection),
        false => with_found_lock(selection, quiet, env),
    }
}

/// The policy file of a run, where it has one.
pub(super) fn policy_file(args: &PlanArgs, quiet: bool, env: &mut Env) -> Option<PathBuf> {
    match args.url.as_slice() {
        [] if args.config.no_config => None,
        [] => found(args.config.config.as_deref(), quiet, env),
        _ => args.config.config.clone(),
    }
}
