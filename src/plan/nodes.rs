//! Nodes of a blockchain that a target names for itself: its policy names the variable that holds their URLs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::setting_problem::SettingProblem;
use crate::config::{PREFIX, Settings};
use crate::engine::AskedNodes;
use crate::net::Secret;
use crate::source::chain::Nodes;

/// The variables that a policy file may name, and what they hold.
pub(crate) type NodeVariables = BTreeMap<String, Secret>;

/// Those of an environment.
pub(crate) fn variables(env: &BTreeMap<String, String>) -> NodeVariables {
    let ours = env.iter().filter(|(name, _)| name.starts_with(PREFIX));
    ours.map(|(name, value)| (name.clone(), Secret::new(value.clone())))
        .collect()
}

/// What the settings of a target say.
///
/// # Errors
/// The variable that they name holds what is not two URLs of different operators.
pub(crate) fn asked(settings: &Settings, variables: &NodeVariables) -> Result<AskedNodes, SettingProblem> {
    let Some(value) = settings.one("rpc-url-env") else {
        return Ok(AskedNodes::OfSession);
    };
    if value.text == "none" {
        return Ok(AskedNodes::None);
    }
    let refused = |why: String| {
        SettingProblem::of(
            "rpc-url-env",
            value,
            format!("the environment variable {} {why}", value.text),
        )
    };
    let Some(urls) = variables.get(&value.text).map(Secret::expose) else {
        return Err(refused("is not set".to_owned()));
    };
    let urls = urls.lines().map(str::trim).filter(|line| !line.is_empty());
    Nodes::parse(urls)
        .map(|nodes| AskedNodes::Own(Arc::new(nodes)))
        .map_err(|error| {
            refused(format!(
                "does not hold two RPC URLs of different operators: {error}"
            ))
        })
}
