//! What an answer proves, with the collateral for its quote.

use std::sync::Arc;

use super::answer::EvidenceAnswer;
use super::bundle::bundle;
use super::collected::{Collected, EvidenceRequest};
use super::jitter::jitter;
use super::{Session, TimeLimits};
use crate::collateral::{self, CollateralFetcher, CollateralRequest};
use crate::net::retry::Schedule;
use cvm_verify_core::evidence::Evidence;
use cvm_verify_core::verify::{
    self, Inputs, RaTlsCertificate, ReadIngress, UnusableCollateral, ingress_evidence_of, ra_tls_evidence_of,
};

/// Proves what an answer can prove, with the collateral for its quote, which comes along.
pub(super) async fn prove(
    session: &Session,
    asked: EvidenceRequest<'_>,
    answer: &EvidenceAnswer,
) -> (Collected, Option<Arc<collateral::Fetched>>) {
    let request = answer
        .evidence
        .as_ref()
        .ok()
        .and_then(|evidence| CollateralRequest::of_quote(&evidence.attestation.quote));
    let Some(request) = request else {
        let missing = Err(&UnusableCollateral::Missing);
        return (conclude(session, asked, answer, missing, &OfTls::missing()), None);
    };
    let collateral = fetch_collateral(session, asked.time, &request).await;
    let of_tls = collateral_of_tls(session, asked, answer).await;
    let collected = conclude(session, asked, answer, collateral.as_deref(), &of_tls);
    // A set that was spoilt on disk is not this deployment's fault. One that is too old was asked for again just now.
    if let Ok(doubted) = &collateral
        && collected.claims.as_ref().is_ok_and(|claims| {
            claims.quote.is_err() && !matches!(claims.collateral, Err(UnusableCollateral::TooOld { .. }))
        })
        && let Some(renewed) = renew_collateral(session, asked, &request, doubted).await
    {
        let collected = conclude(session, asked, answer, renewed.as_deref(), &of_tls);
        return (collected, renewed.ok());
    }
    (collected, collateral.ok())
}

type Supplied = Result<Arc<collateral::Fetched>, UnusableCollateral>;

/// The collateral for the quotes that bind a TLS key: mostly the one of the quote itself, out of the cache.
struct OfTls {
    leaf: Supplied,
    ingress: Supplied,
}

impl OfTls {
    const fn missing() -> Self {
        Self {
            leaf: Err(UnusableCollateral::Missing),
            ingress: Err(UnusableCollateral::Missing),
        }
    }
}

async fn collateral_of_tls(session: &Session, asked: EvidenceRequest<'_>, answer: &EvidenceAnswer) -> OfTls {
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

/// The collateral for the quote in evidence.
pub(super) async fn collateral_of(
    session: &Session,
    asked: EvidenceRequest<'_>,
    evidence: Option<&Evidence>,
) -> Supplied {
    match evidence.and_then(|evidence| CollateralRequest::of_quote(&evidence.attestation.quote)) {
        Some(request) => fetch_collateral(session, asked.time, &request).await,
        None => Err(UnusableCollateral::Missing),
    }
}

pub(super) async fn fetch_collateral(
    session: &Session,
    time: TimeLimits,
    request: &CollateralRequest,
) -> Result<Arc<collateral::Fetched>, UnusableCollateral> {
    // All targets of a run have the same end: no one of them spoils the answer for the others.
    let schedule = time.schedule();
    session
        .collateral_cache
        .get(fetcher(session, &schedule), request, (session.now)(), jitter)
        .await
        .map_err(|error| error.unusable(request))
}

async fn renew_collateral(
    session: &Session,
    asked: EvidenceRequest<'_>,
    request: &CollateralRequest,
    doubted: &Arc<collateral::Fetched>,
) -> Option<Result<Arc<collateral::Fetched>, UnusableCollateral>> {
    // All targets of a run have the same end: no one of them spoils the answer for the others.
    let schedule = asked.time.schedule();
    let renewed = session
        .collateral_cache
        .renewed(
            doubted,
            fetcher(session, &schedule),
            request,
            (session.now)(),
            jitter,
        )
        .await?;
    Some(renewed.map_err(|error| error.unusable(request)))
}

fn fetcher<'a>(session: &'a Session, schedule: &'a Schedule) -> CollateralFetcher<'a> {
    CollateralFetcher {
        client: &session.client,
        sources: &session.sources,
        schedule,
        root: Some(&session.roots.quote),
    }
}

fn conclude(
    session: &Session,
    asked: EvidenceRequest<'_>,
    answer: &EvidenceAnswer,
    collateral: Result<&collateral::Fetched, &UnusableCollateral>,
    of_tls: &OfTls,
) -> Collected {
    let at = (session.now)();
    let bundle = session
        .keep_bundles
        .then(|| bundle(asked, answer, collateral.ok(), at))
        .flatten();
    let proven = answer.evidence.as_ref().map(|evidence| {
        let claims = verify::prove(evidence, &inputs(session, collateral, at))
            .with_device_root(evidence, &session.roots.device)
            .with_collateral_from(collateral.ok().map(|fetched| fetched.source.clone()))
            .asked_of(asked.source.party());
        match &answer.tls {
            Some(tls) => claims
                .with_tls(tls, &inputs(session, of_tls.leaf.as_deref(), at))
                .with_ingress(tls, &inputs(session, of_tls.ingress.as_deref(), at)),
            None => claims,
        }
    });
    Collected {
        instance: None,
        claims: proven.map(Box::new).map_err(|error| error.clone().into()),
        at,
        bundle,
        listed: None,
    }
}

/// What evidence is verified with at a time, Unix seconds, and with the collateral for it.
pub(super) fn inputs<'a>(
    session: &'a Session,
    collateral: Result<&'a collateral::Fetched, &UnusableCollateral>,
    at: u64,
) -> Inputs<'a> {
    Inputs {
        collateral: collateral
            .map(|fetched| &fetched.collateral)
            .map_err(Clone::clone),
        collateral_fetched_at: collateral.ok().map(|fetched| fetched.fetched_at),
        root: &session.roots.quote,
        signatures: &session.signatures,
        at,
        clock_floor: session.clock_floor,
    }
}
