//! The facts of a live deployment that is one instance, for commands that describe one.

use anyhow::Context as _;

use super::args::TransportArgs;
use super::error::UsageError;
use super::surroundings::Surroundings;
use super::transport;
use super::trust_roots::Roots;
use crate::engine::{Deployment, Session, Time, collect};
use crate::source::Source;
use cvm_verify_core::checks::EvidenceGap;
use cvm_verify_core::policy::Policy;
use cvm_verify_core::verify::Facts;

/// Collects one instance and proves what can be proven. `only_one` says, if there are several, why they are refused and
/// what to do with the evidence of one.
pub(super) fn facts_of_alone(
    source: &Source,
    args: &TransportArgs,
    roots: &Roots,
    surroundings: &Surroundings,
    only_one: [&str; 2],
) -> anyhow::Result<Result<Facts, EvidenceGap>> {
    let session = Session {
        root: roots.quote.clone(),
        device_root: roots.device.clone(),
        nras_intermediates: roots.nras.clone(),
        ..transport::session(args, surroundings)?
    };
    let deployment = of_source(source);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let mut instances = runtime
        .block_on(collect(&session, &deployment, Time::default()))
        .instances;
    match (instances.pop(), instances.len()) {
        (Some(only), 0) => Ok(only.facts),
        (_, others) => {
            let [why, instead] = only_one;
            Err(UsageError::new(format!(
                "{} instances of this app run, and {why}; write their evidence with `verify --evidence FOLDER` and {instead}",
                others + 1
            ))
            .into())
        }
    }
}

/// A deployment of which nothing is expected: it is only described.
pub(super) fn of_source(source: &Source) -> Deployment {
    Deployment {
        name: String::new(),
        source: source.clone(),
        policy: Policy::default(),
        compose_file: None,
    }
}
