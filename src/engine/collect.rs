//! Evidence of a live deployment: fetched, with a fresh nonce for each attempt where the source signs one, and with its
//! collateral.

use std::sync::Arc;

use super::collected::{Collection, EvidenceRequest};
use super::contracts::{self, AskedContracts};
use super::statements::LookupLimits;
use super::tls_ask::TlsAsk;
use super::{Computation, Deployment, Session, TimeLimits, instances, kms, single};
use crate::source::AskedInstances;
use cvm_verify_core::policy::Policy;

/// Fetches evidence and collateral of one deployment, and proves what can be proven. Where a rule of its policy names a source,
/// it is looked up who built the images.
pub async fn collect(session: &Arc<Session>, deployment: &Deployment, time: TimeLimits) -> Collection {
    collect_with(session, deployment, time, &session.computation).await
}

/// The same, where what it computes is counted apart.
pub(super) async fn collect_with(
    session: &Arc<Session>,
    deployment: &Deployment,
    time: TimeLimits,
    computation: &Computation,
) -> Collection {
    // Once for all that is asked beside the evidence: services that hang one after the other must not use up what is kept.
    let beside = time.beside();
    // With the id in the address: a secret may be sent only to the app that it names.
    let expected = deployment.expected();
    let asked = EvidenceRequest {
        source: &deployment.source,
        compose_file: deployment.compose_file.as_deref(),
        time,
        beside,
        tls: TlsAsk::of(&expected),
        computation,
    };
    let mut collection = collect_evidence(session, deployment, &expected, asked).await;
    let party = deployment.source.party();
    for one in collection.instances.iter_mut().chain(&mut collection.missing) {
        if let Err(failure) = &mut one.claims {
            failure.asked = party;
        }
    }
    let limits = LookupLimits::of(beside);
    let mut instances = Vec::with_capacity(collection.instances.len());
    for one in collection.instances {
        let found = session
            .statements
            .add(&session.client, computation, one, &deployment.policy, &limits);
        instances.push(found.await);
    }
    collection.instances = instances;
    collection
}

async fn collect_evidence(
    session: &Arc<Session>,
    deployment: &Deployment,
    expected: &Policy,
    asked: EvidenceRequest<'_>,
) -> Collection {
    let beside = asked.beside;
    let collection = match asked.source.instances() {
        AskedInstances::One(whom) => single::collect(session, asked, whom).await.into(),
        AskedInstances::All(app) => instances::collect(session, asked, app).await,
    };
    let bootstrap = expected.kms.bootstrap.as_ref().map(|kept| kept.value.as_str());
    let collection = kms::ask(
        session,
        asked.computation,
        collection,
        kms::asked_kms(expected),
        bootstrap,
        beside,
    )
    .await;
    let nodes = deployment.nodes.or_of(session.nodes.as_ref());
    let collection = contracts::ask(session, nodes, collection, &AskedContracts::of(expected), beside).await;
    kms::add_contract_bootstrap(session, asked.computation, collection, beside).await
}
