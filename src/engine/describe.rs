//! What one deployment proves, without expectations: for a lock that is to be written, and for a comparison.

use std::sync::Arc;

use super::phala_hints::PhalaHints;
use super::{AskedContracts, Collection, Deployment, Session, TimeLimits, ask_contracts, ask_kms, collect};
use crate::source::Source;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::PhalaKms;
use cvm_verify_core::lock::Said;
use cvm_verify_core::policy::{KmsHost, Policy, SourcePolicy};
use cvm_verify_core::verify::Claims;

/// What was found of one deployment.
pub struct Described {
    /// What was proven.
    pub claims: Result<Claims, EvidenceFailure>,
    /// What Phala Cloud's API said of its KMS, or why it said nothing; absent if it was not asked.
    pub hint: Option<Result<PhalaKms, String>>,
    /// What was asked on its word.
    pub said: Said,
}

/// Whom else a deployment is asked about.
#[derive(Clone)]
pub struct FurtherQuestions {
    /// The hosts of its KMS.
    pub kms: Vec<KmsHost>,
    /// Phala Cloud's API, to ask for the KMS and its contract if they are not named.
    pub hints: Option<PhalaHints>,
    /// Its contracts.
    pub contracts: AskedContracts,
    /// Whether the app is asked for the quote that it should refuse, if something may bind its key.
    pub probes: bool,
}

/// What was asked.
pub struct FurtherAnswers {
    /// What was collected, with the answers.
    pub collection: Collection,
    /// See [`Described::hint`].
    pub hint: Option<Result<PhalaKms, String>>,
    /// See [`Described::said`].
    pub said: Said,
}

/// Asks the KMS and the contracts of a deployment that was collected.
pub async fn ask_further(
    session: &Arc<Session>,
    collection: Collection,
    questions: FurtherQuestions,
) -> FurtherAnswers {
    let FurtherQuestions {
        kms,
        hints,
        contracts,
        probes: _,
    } = questions;
    let first = collection.instances.first();
    let claims = first.and_then(|one| one.claims());
    let app_id = first.and_then(|one| Some(*one.boot()?.app_id()));
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
    let collection = ask_kms(
        session,
        &session.computation,
        collection,
        &hosts,
        None,
        TimeLimits::default(),
    )
    .await;
    let collection = ask_contracts(
        session,
        session.nodes.as_ref(),
        collection,
        &contracts,
        TimeLimits::default(),
    )
    .await;
    FurtherAnswers {
        collection,
        hint,
        said,
    }
}

/// Several instances of the app run, and a description is of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} instances of this app run")]
pub struct SeveralInstances(pub usize);

/// Collects the evidence of a deployment that is one instance, and proves what can be proven; of who built its images, what the
/// rules of `sources` ask for.
///
/// # Errors
/// [`SeveralInstances`].
pub async fn describe(
    session: &Arc<Session>,
    source: &Source,
    questions: FurtherQuestions,
    sources: &SourcePolicy,
) -> Result<Described, SeveralInstances> {
    let mut deployment = Deployment::without_expectations(source.clone(), None);
    deployment.policy = Arc::new(Policy {
        sources: sources.clone(),
        endpoint_probe: questions.probes,
        ..Policy::default()
    });
    let collection = collect(session, &deployment, TimeLimits::default()).await;
    let asked = ask_further(session, collection, questions).await;
    let mut instances = asked.collection.instances;
    match (instances.pop(), instances.len()) {
        (Some(only), 0) => Ok(Described {
            claims: only.claims.map(|claims| *claims),
            hint: asked.hint,
            said: asked.said,
        }),
        (_, others) => Err(SeveralInstances(others + 1)),
    }
}
