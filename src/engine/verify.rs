//! What an answer proves, with the collateral for its quote.

use std::sync::Arc;

use super::answer::Answer;
use super::bundle::bundle;
use super::collected::{Asked, Collected};
use super::jitter::jitter;
use super::{Session, Time};
use crate::collateral::{self, CollateralRequest, Supply};
use crate::net::retry::Schedule;
use cvm_verify_core::evidence::Evidence;
use cvm_verify_core::verify;
use cvm_verify_core::verify::{
    CollateralGap, Inputs, LeafInputs, RaTlsCertificate, ReadIngress, ingress_evidence_of, ra_tls_evidence_of,
};

/// Proves what an answer can prove, with the collateral for its quote, which comes along.
pub(super) async fn prove(
    session: &Session,
    asked: Asked<'_>,
    answer: &Answer,
) -> (Collected, Option<Arc<collateral::Fetched>>) {
    let request = answer
        .evidence
        .as_ref()
        .ok()
        .and_then(|evidence| CollateralRequest::of_quote(&evidence.attestation.quote));
    let Some(request) = request else {
        let missing = Err(&CollateralGap::Missing);
        return (conclude(session, asked, answer, missing, &OfTls::missing()), None);
    };
    let collateral = fetch_collateral(session, asked.time, &request).await;
    let of_tls = collateral_of_tls(session, asked, answer).await;
    let collected = conclude(session, asked, answer, collateral.as_deref(), &of_tls);
    // A set that was spoilt on disk is not this deployment's fault. One that is too old was asked for anew just now.
    if let Ok(doubted) = &collateral
        && collected.facts.as_ref().is_ok_and(|facts| {
            facts.quote.is_err() && !matches!(facts.collateral, Err(CollateralGap::TooOld { .. }))
        })
        && let Some(renewed) = renew_collateral(session, asked, &request, doubted).await
    {
        let collected = conclude(session, asked, answer, renewed.as_deref(), &of_tls);
        return (collected, renewed.ok());
    }
    (collected, collateral.ok())
}

type Supplied = Result<Arc<collateral::Fetched>, CollateralGap>;

/// The collateral for the quotes that bind a TLS key: mostly the one of the quote itself, out of the cache.
struct OfTls {
    leaf: Supplied,
    ingress: Supplied,
}

impl OfTls {
    const fn missing() -> Self {
        Self {
            leaf: Err(CollateralGap::Missing),
            ingress: Err(CollateralGap::Missing),
        }
    }
}

async fn collateral_of_tls(session: &Session, asked: Asked<'_>, answer: &Answer) -> OfTls {
    let Some(tls) = &answer.tls else {
        return OfTls::missing();
    };
    let certificate = ra_tls_evidence_of(&tls.chain).and_then(Result::ok);
    let ingress = ingress_evidence_of(tls).ok();
    OfTls {
        leaf: collateral_of(
            session,
            asked,
            certificate.as_ref().map(RaTlsCertificate::evidence),
        )
        .await,
        ingress: collateral_of(session, asked, ingress.as_ref().map(ReadIngress::evidence)).await,
    }
}

async fn collateral_of(session: &Session, asked: Asked<'_>, evidence: Option<&Evidence>) -> Supplied {
    match evidence.and_then(|evidence| CollateralRequest::of_quote(&evidence.attestation.quote)) {
        Some(request) => fetch_collateral(session, asked.time, &request).await,
        None => Err(CollateralGap::Missing),
    }
}

pub(super) async fn fetch_collateral(
    session: &Session,
    time: Time,
    request: &CollateralRequest,
) -> Result<Arc<collateral::Fetched>, CollateralGap> {
    // All targets of a run have the same end: no one of them spoils the answer for the others.
    let schedule = time.schedule();
    session
        .store
        .get(supply(session, &schedule), request, (session.now)(), jitter)
        .await
        .map_err(|error| error.gap(request))
}

async fn renew_collateral(
    session: &Session,
    asked: Asked<'_>,
    request: &CollateralRequest,
    doubted: &Arc<collateral::Fetched>,
) -> Option<Result<Arc<collateral::Fetched>, CollateralGap>> {
    // All targets of a run have the same end: no one of them spoils the answer for the others.
    let schedule = asked.time.schedule();
    let renewed = session
        .store
        .renewed(
            doubted,
            supply(session, &schedule),
            request,
            (session.now)(),
            jitter,
        )
        .await?;
    Some(renewed.map_err(|error| error.gap(request)))
}

fn supply<'a>(session: &'a Session, schedule: &'a Schedule) -> Supply<'a> {
    Supply {
        client: &session.client,
        sources: &session.sources,
        schedule,
        root: Some(&session.root),
    }
}

fn conclude(
    session: &Session,
    asked: Asked<'_>,
    answer: &Answer,
    collateral: Result<&collateral::Fetched, &CollateralGap>,
    of_tls: &OfTls,
) -> Collected {
    let at = (session.now)();
    let collateral_source = collateral.as_ref().ok().map(|fetched| fetched.source.clone());
    let bundle = session
        .keep_bundles
        .then(|| bundle(asked, answer, collateral.ok(), at))
        .flatten();
    let proven = answer.evidence.as_ref().map(|evidence| {
        let facts = verify::prove(&Inputs {
            evidence,
            collateral: collateral
                .map(|fetched| &fetched.collateral)
                .map_err(Clone::clone),
            collateral_fetched_at: collateral.ok().map(|fetched| fetched.fetched_at),
            signatures: &session.signatures,
            root: &session.root,
            at,
            clock_floor: session.clock_floor,
        })
        .with_device_root(evidence, &session.device_root)
        .with_collateral_from(collateral_source.clone());
        match &answer.tls {
            Some(tls) => facts
                .with_tls(tls, &leaf_inputs(session, of_tls.leaf.as_deref(), at))
                .with_ingress(tls, &leaf_inputs(session, of_tls.ingress.as_deref(), at)),
            None => facts,
        }
    });
    Collected {
        instance: None,
        facts: proven.map_err(|error| error.clone().into()),
        at,
        collateral_source,
        bundle,
        listed: None,
    }
}

fn leaf_inputs<'a>(
    session: &'a Session,
    collateral: Result<&'a collateral::Fetched, &CollateralGap>,
    at: u64,
) -> LeafInputs<'a> {
    LeafInputs {
        collateral: collateral
            .map(|fetched| &fetched.collateral)
            .map_err(Clone::clone),
        collateral_fetched_at: collateral.ok().map(|fetched| fetched.fetched_at),
        root: &session.root,
        signatures: &session.signatures,
        at,
        clock_floor: session.clock_floor,
    }
}
