//! The facts of a live deployment that is one instance, for commands that describe one.

use anyhow::Context as _;

use super::{Ground, Time, gather};
use crate::cli::args::TransportArgs;
use crate::cli::error::UsageError;
use crate::cli::second_opinion::SecondOpinions;
use crate::cli::surroundings::Surroundings;
use crate::cli::transport;
use crate::collateral::Store;
use crate::source::Source;
use cvm_verify_core::checks::EvidenceGap;
use cvm_verify_core::verify::{Facts, TrustRoot};

/// Gathers one instance and proves what can be proven. `only_one` says, where there are several, why they are refused and
/// what to do with the evidence of one.
pub(crate) fn facts_of_alone(
    source: &Source,
    args: &TransportArgs,
    root: &TrustRoot,
    surroundings: &Surroundings,
    only_one: [&str; 2],
) -> anyhow::Result<Result<Facts, EvidenceGap>> {
    let ground = Ground {
        network: transport::network(args)?,
        store: Store::in_memory(),
        keep_bundles: false,
        opinions: SecondOpinions::none(),
        root: root.clone(),
        now: surroundings.now,
        clock_floor: surroundings.clock_floor,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let mut lives = runtime
        .block_on(gather(&ground, source, None, Time::default()))
        .lives;
    match (lives.pop(), lives.len()) {
        (Some(live), 0) => Ok(live.facts),
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
