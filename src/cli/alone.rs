//! The facts of a live deployment that is one instance, for commands that describe one.

use anyhow::Context as _;

use super::args::TransportArgs;
use super::transport;
use super::trust_roots::Roots;
use crate::engine::{AskedContracts, Deployment, Session, Time, ask_contracts, ask_kms, collect};
use crate::env::Env;
use crate::source::Source;
use crate::source::chain::Nodes;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::policy::{KmsHost, Policy, SourcePolicy};
use cvm_verify_core::verify::Claims;

/// One deployment to describe.
pub(super) struct Alone<'a> {
    pub source: &'a Source,
    pub transport: &'a TransportArgs,
    pub roots: &'a Roots,
    /// Which nodes are asked about contracts.
    pub nodes: Option<Nodes>,
    /// Where its KMS answers.
    pub kms: Vec<KmsHost>,
    /// About which contracts.
    pub contracts: AskedContracts,
    /// Why several instances are refused, and what to do with the evidence of one.
    pub only_one: [&'static str; 2],
    /// What is expected of who built the images.
    pub sources: &'a SourcePolicy,
}

/// Collects one instance and proves what can be proven.
pub(super) fn facts_of_alone(alone: Alone<'_>, env: &Env) -> anyhow::Result<Result<Claims, EvidenceFailure>> {
    let session = Session {
        root: alone.roots.quote.clone(),
        device_root: alone.roots.device.clone(),
        nras_intermediates: alone.roots.nras.clone(),
        nodes: alone.nodes,
        ..transport::session(alone.transport, env)?
    };
    let mut deployment = of_source(alone.source);
    deployment.policy.sources = alone.sources.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let collection = runtime.block_on(async {
        let collection = collect(&session, &deployment, Time::default()).await;
        let collection = ask_kms(&session, collection, &alone.kms, Time::default()).await;
        ask_contracts(&session, collection, &alone.contracts).await
    });
    let mut instances = collection.instances;
    match (instances.pop(), instances.len()) {
        (Some(only), 0) => Ok(only.claims),
        (_, others) => {
            let [why, instead] = alone.only_one;
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
    of_source_with(source, None)
}

/// The same with a compose document that the user has as a file.
pub(super) fn of_source_with(source: &Source, compose_file: Option<Vec<u8>>) -> Deployment {
    Deployment {
        name: String::new(),
        source: source.clone(),
        policy: Policy::default(),
        compose_file,
    }
}
