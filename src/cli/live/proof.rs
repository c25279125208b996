//! What an answer proves, with the collateral for its quote.

use std::sync::Arc;

use super::answer::Answer;
use super::attempt::jitter;
use super::bundle::bundle;
use super::{Asked, Ground, Live};
use crate::cli::transport::Network;
use crate::collateral::{self, CollateralRequest, Supply};
use crate::net::retry::Schedule;
use cvm_verify_core::verify;
use cvm_verify_core::verify::{CollateralGap, Inputs};

/// Proves what an answer can prove, with the collateral for its quote, which comes along.
pub(super) async fn prove(
    ground: &Ground,
    asked: Asked<'_>,
    answer: &Answer,
) -> (Live, Option<Arc<collateral::Fetched>>) {
    let request = answer
        .evidence
        .as_ref()
        .ok()
        .and_then(|evidence| CollateralRequest::of_quote(&evidence.attestation.quote));
    let Some(request) = request else {
        let live = conclude(ground, asked, answer, Err(&CollateralGap::Missing));
        return (live, None);
    };
    let collateral = fetch_collateral(ground, asked, &request).await;
    let live = conclude(ground, asked, answer, collateral.as_deref());
    // A set that was spoilt on disk is not this deployment's fault. One that is too old was asked for anew just now.
    if let Ok(doubted) = &collateral
        && live.facts.as_ref().is_ok_and(|facts| {
            facts.quote.is_err() && !matches!(facts.collateral, Err(CollateralGap::TooOld { .. }))
        })
        && let Some(renewed) = renew_collateral(ground, asked, &request, doubted).await
    {
        let live = conclude(ground, asked, answer, renewed.as_deref());
        return (live, renewed.ok());
    }
    (live, collateral.ok())
}

async fn fetch_collateral(
    ground: &Ground,
    asked: Asked<'_>,
    request: &CollateralRequest,
) -> Result<Arc<collateral::Fetched>, CollateralGap> {
    // All targets of a run have the same end: no one of them spoils the answer for the others.
    let schedule = asked.time.schedule();
    ground
        .store
        .get(supply(ground, &schedule), request, (ground.now)(), jitter)
        .await
        .map_err(|error| error.gap(request))
}

async fn renew_collateral(
    ground: &Ground,
    asked: Asked<'_>,
    request: &CollateralRequest,
    doubted: &Arc<collateral::Fetched>,
) -> Option<Result<Arc<collateral::Fetched>, CollateralGap>> {
    // All targets of a run have the same end: no one of them spoils the answer for the others.
    let schedule = asked.time.schedule();
    let renewed = ground
        .store
        .renewed(
            doubted,
            supply(ground, &schedule),
            request,
            (ground.now)(),
            jitter,
        )
        .await?;
    Some(renewed.map_err(|error| error.gap(request)))
}

fn supply<'a>(ground: &'a Ground, schedule: &'a Schedule) -> Supply<'a> {
    let Network { client, sources } = &ground.network;
    Supply {
        client,
        sources,
        schedule,
        root: Some(&ground.root),
    }
}

fn conclude(
    ground: &Ground,
    asked: Asked<'_>,
    answer: &Answer,
    collateral: Result<&collateral::Fetched, &CollateralGap>,
) -> Live {
    let at = (ground.now)();
    let collateral_source = collateral.as_ref().ok().map(|fetched| fetched.source.clone());
    let bundle = ground
        .keep_bundles
        .then(|| bundle(asked, answer, collateral.ok(), at))
        .flatten();
    let proven = answer.evidence.as_ref().map(|evidence| {
        verify::prove(&Inputs {
            evidence,
            collateral: collateral
                .map(|fetched| &fetched.collateral)
                .map_err(Clone::clone),
            collateral_fetched_at: collateral.ok().map(|fetched| fetched.fetched_at),
            root: &ground.root,
            at,
            clock_floor: ground.clock_floor,
        })
        .with_collateral_from(collateral_source.clone())
    });
    Live {
        instance: None,
        facts: proven.map_err(|error| error.clone().into()),
        at,
        collateral_source,
        bundle,
        listed: None,
    }
}
