//! The facts of a live deployment that is one instance, for commands that describe one.

use anyhow::Context as _;

use super::args::TransportArgs;
use super::hints::PhalaHints;
use super::transport;
use super::trust_roots::Roots;
use crate::engine::{AskedContracts, Collection, Deployment, Session, Time, ask_contracts, ask_kms, collect};
use crate::env::Env;
use crate::source::Source;
use crate::source::chain::Nodes;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::PhalaKms;
use cvm_verify_core::lock::Said;
use cvm_verify_core::policy::{KmsHost, Policy, SourcePolicy};
use cvm_verify_core::verify::Claims;

/// One deployment to describe.
pub(super) struct Alone<'a> {
    pub source: &'a Source,
    pub transport: &'a TransportArgs,
    pub roots: &'a Roots,
    /// Which nodes are asked about contracts.
    pub nodes: Option<Nodes>,
    /// Its KMS and its contracts.
    pub around: Around,
    /// Why several instances are refused, and what to do with the evidence of one.
    pub only_one: [&'static str; 2],
    /// What is expected of who built the images.
    pub sources: &'a SourcePolicy,
}

/// What was found of one deployment.
pub(super) struct Described {
    /// What was proven.
    pub claims: Result<Claims, EvidenceFailure>,
    /// What Phala Cloud's API said of its KMS, or why it said nothing; absent if it was not asked.
    pub hint: Option<Result<PhalaKms, String>>,
    /// What was asked on its word.
    pub said: Said,
}

/// Whom else a deployment is asked about.
pub(super) struct Around {
    /// The hosts of its KMS.
    pub kms: Vec<KmsHost>,
    /// Phala Cloud's API, to ask for the KMS and its contract where they are not named.
    pub hints: Option<PhalaHints>,
    /// Its contracts.
    pub contracts: AskedContracts,
}

/// What was asked.
pub(super) struct FurtherAnswers {
    /// What was collected, with the answers.
    pub collection: Collection,
    /// See [`Described::hint`].
    pub hint: Option<Result<PhalaKms, String>>,
    /// See [`Described::said`].
    pub said: Said,
}

/// Asks the KMS and the contracts of a deployment that was collected.
pub(super) async fn ask_around(session: &Session, collection: Collection, around: Around) -> FurtherAnswers {
    let Around {
        kms,
        hints,
        contracts,
    } = around;
    let first = collection.instances.first();
    let claims = first.and_then(|one| one.claims.as_ref().ok());
    let app_id = claims.and_then(|claims| Some(*claims.boot.as_ref().ok()?.app_id()));
    let hint = match (&hints, app_id) {
        (Some(hints), Some(app_id)) => Some(hints.ask(&session.client, app_id).await),
        (Some(_), None) => Some(Err(
            "it was not asked, because the app's id is not proven".to_owned()
        )),
        (None, _) => None,
    };
    let heard = hint.as_ref().and_then(|hint| hint.as_ref().ok());
    let contracts = contracts.with_hint(heard.and_then(|heard| heard.contract));
    let mut said = Said {
        kms_host: false,
        kms_contract: session.nodes.is_some() && claims.is_some_and(|claims| contracts.rests_on_hint(claims)),
    };
    let hosts = match heard.and_then(|heard| heard.host.as_deref()?.parse().ok()) {
        Some(host) if kms.is_empty() => {
            said.kms_host = true;
            vec![host]
        }
        _ => kms,
    };
    let collection = ask_kms(session, collection, &hosts, Time::default()).await;
    let collection = ask_contracts(session, session.nodes.as_ref(), collection, &contracts).await;
    FurtherAnswers {
        collection,
        hint,
        said,
    }
}

/// Collects one instance and proves what can be proven.
pub(super) fn facts_of_alone(alone: Alone<'_>, env: &Env) -> anyhow::Result<Described> {
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
    let asked = runtime.block_on(async {
        let collection = collect(&session, &deployment, Time::default()).await;
        ask_around(&session, collection, alone.around).await
    });
    let mut instances = asked.collection.instances;
    match (instances.pop(), instances.len()) {
        (Some(only), 0) => Ok(Described {
            claims: only.claims,
            hint: asked.hint,
            said: asked.said,
        }),
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
        nodes: None,
    }
}
