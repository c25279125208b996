//! Nodes of a blockchain that a target names for itself: its policy names the variable that holds their URLs.

use std::collections::BTreeMap;

use super::setting_problem::SettingProblem;
use crate::config::{PREFIX, Settings};
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

/// Whom a target asks about its contracts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TargetNodes {
    /// The nodes of the whole run, if there are any.
    OfRun,
    /// Its own.
    Own(Box<Nodes>),
    /// None.
    None,
}

impl TargetNodes {
    /// What the settings of a target say.
    ///
    /// # Errors
    /// The variable that they name holds what is not two URLs of different operators.
    pub(crate) fn of(settings: &Settings, variables: &NodeVariables) -> Result<Self, SettingProblem> {
        let Some(value) = settings.one("rpc-url-env") else {
            return Ok(Self::OfRun);
        };
        if value.text == "none" {
            return Ok(Self::None);
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
            .map(|nodes| Self::Own(Box::new(nodes)))
            .map_err(|error| {
                refused(format!(
                    "does not hold two RPC URLs of different operators: {error}"
                ))
            })
    }

    /// Whether anybody is asked, in a run that names nodes or does not.
    pub(crate) const fn asks(&self, run_asks: bool) -> bool {
        match self {
            Self::OfRun => run_asks,
            Self::Own(_) => true,
            Self::None => false,
        }
    }

    /// The target's own.
    pub(crate) fn own(self) -> Option<Nodes> {
        match self {
            Self::Own(nodes) => Some(*nodes),
            Self::OfRun | Self::None => None,
        }
    }
}
