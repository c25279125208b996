//! The KMS that gives an app its keys: which is asked, and what it showed. It goes into the bundle, so that a replay says the same.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bundle::raw_collateral;
use super::collected::Collection;
use super::jitter::jitter;
use super::verify::{inputs, prove_alone};
use super::{Computation, Session, TimeLimits};
use crate::source::kms;
use cvm_verify_core::evidence::{
    BootstrapSource, Evidence, KmsBootstrap, KmsMeta, RecordedBootstrap, RecordedCollateral, RecordedKms,
};
use cvm_verify_core::policy::{KmsHost, KmsMode, Policy};
use cvm_verify_core::report::rfc3339;
use cvm_verify_core::verify::{Claims, UnusableCollateral, ra_tls_evidence_of};

/// How long all KMSs of one app may take: 90 s.
const ALL_KMS: Duration = Duration::from_secs(90);

/// The hosts that a policy asks for.
#[must_use]
pub fn asked_kms(policy: &Policy) -> &[KmsHost] {
    match &policy.kms.hosts {
        Some(hosts) if policy.kms.mode != KmsMode::Unchecked => &hosts.value,
        _ => &[],
    }
}

/// Asks the KMSs at these hosts once, for all instances that were collected. An app whose keys come from no KMS is not asked about.
/// `bootstrap` is evidence of how its root keys were made that the user keeps.
pub async fn ask(
    session: &Arc<Session>,
    computation: &Computation,
    mut collection: Collection,
    hosts: &[KmsHost],
    bootstrap: Option<&str>,
    time: TimeLimits,
) -> Collection {
    let has_kms = collection.instances.iter().any(|instance| {
        let boot = instance.boot();
        boot.is_some_and(|boot| boot.key_provider().name == "kms")
    });
    if hosts.is_empty() || !has_kms {
        return collection;
    }
    let ends = time.ends(ALL_KMS);
    let mut records = Vec::new();
    for host in hosts {
        let left = ends.saturating_duration_since(Instant::now());
        records.push(record(session, computation, host, left, time).await);
    }
    if let Some(text) = bootstrap {
        let kept = recorded_bootstrap(session, computation, BootstrapSource::File, text, time).await;
        for record in &mut records {
            record.bootstraps.push(kept.clone());
        }
    }
    let records = Arc::new(records);
    for instance in &mut collection.instances {
        let (session, shown, at) = (Arc::clone(session), Arc::clone(&records), instance.at);
        let change = move |claims: Claims| {
            claims.with_kms(&shown, &inputs(&session, Err(&UnusableCollateral::Missing), at))
        };
        instance.change_by(computation, change).await;
        if let Some(bundle) = &mut instance.bundle {
            bundle.kms.clone_from(&records);
        }
    }
    collection
}

/// Adds the evidence of how the root keys were made that the contract of the KMS holds, after the contract was asked.
pub async fn add_contract_bootstrap(
    session: &Arc<Session>,
    computation: &Computation,
    mut collection: Collection,
    time: TimeLimits,
) -> Collection {
    for instance in &mut collection.instances {
        let claims = instance.claims().filter(|claims| !claims.kms.is_empty());
        let Some(text) = claims.and_then(bootstrap_on_chain) else {
            continue;
        };
        let source = BootstrapSource::Contract;
        let recorded = recorded_bootstrap(session, computation, source, &text, time).await;
        let (session, made, at) = (Arc::clone(session), recorded.clone(), instance.at);
        let change = move |claims: Claims| {
            claims.with_bootstrap(&made, &inputs(&session, Err(&UnusableCollateral::Missing), at))
        };
        instance.change_by(computation, change).await;
        for record in instance.bundle.iter_mut().flat_map(|bundle| &mut bundle.kms) {
            record.bootstraps.push(recorded.clone());
        }
    }
    collection
}

fn bootstrap_on_chain(claims: &Claims) -> Option<String> {
    let found = claims.chain.as_ref()?.as_ref().ok()?;
    found.kms()?.ok()??.info.as_ref().ok()?.bootstrap()
}

async fn recorded_bootstrap(
    session: &Arc<Session>,
    computation: &Computation,
    source: BootstrapSource,
    text: &str,
    time: TimeLimits,
) -> RecordedBootstrap {
    let collateral = match KmsBootstrap::of_text(text) {
        Ok(bootstrap) => of_bootstrap(session, computation, bootstrap, time).await,
        Err(_) => None,
    };
    RecordedBootstrap {
        source,
        evidence: text.to_owned(),
        collateral,
    }
}

/// What one KMS showed and answered, with the collateral to verify it.
async fn record(
    session: &Arc<Session>,
    computation: &Computation,
    host: &KmsHost,
    left: Duration,
    time: TimeLimits,
) -> RecordedKms {
    let shown = kms::fetch(&session.client, host, left, jitter).await;
    let of_leaf = match shown.chain.as_ref().and_then(ra_tls_evidence_of) {
        Some(Ok(certificate)) => collateral(session, computation, certificate.evidence(), time).await,
        Some(Err(_)) | None => None,
    };
    let bootstrap = shown
        .meta
        .as_deref()
        .and_then(|body| KmsMeta::parse(body).ok()?.bootstrap?.ok());
    let bootstrap_collateral = match bootstrap {
        Some(bootstrap) => of_bootstrap(session, computation, bootstrap, time).await,
        None => None,
    };
    RecordedKms {
        chain: shown
            .chain
            .iter()
            .flat_map(|chain| chain.certificates().map(hex::encode))
            .collect(),
        other_keys: shown.other_keys,
        meta: shown.meta,
        problem: shown.problem,
        collateral: of_leaf,
        bootstrap_collateral,
        ..RecordedKms::of_host(host.as_str())
    }
}

async fn of_bootstrap(
    session: &Arc<Session>,
    computation: &Computation,
    bootstrap: KmsBootstrap,
    time: TimeLimits,
) -> Option<RecordedCollateral> {
    let evidence = Evidence::of_quote(bootstrap.attestation, None, None, None).ok()?;
    collateral(session, computation, &evidence, time).await
}

async fn collateral(
    session: &Arc<Session>,
    computation: &Computation,
    evidence: &Evidence,
    time: TimeLimits,
) -> Option<RecordedCollateral> {
    let (_, supply) = prove_alone(session, computation, time, evidence).await;
    let fetched = supply.set.ok()?;
    Some(RecordedCollateral {
        document: raw_collateral(&fetched.collateral)?,
        fetched_at: Some(rfc3339(fetched.fetched_at)),
    })
}
