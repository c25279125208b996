//! What an answer proves, with the collateral for its quote.

use std::sync::Arc;

use super::answer::EvidenceAnswer;
use super::bundle::bundle;
use super::collected::{Collected, EvidenceRequest};
use super::jitter::jitter;
use super::{Computation, Session, TimeLimits};
use crate::collateral::{self, CollateralFetcher, CollateralRequest};
use crate::net::retry::Schedule;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{AskedParty, Evidence};
use cvm_verify_core::verify::{
    self, Claims, Inputs, RaTlsCertificate, ReadIngress, UnusableCollateral, ingress_evidence_of,
    ra_tls_evidence_of,
};

/// What an answer proves, the answer, and the collateral for its quote.
pub(super) struct Proven {
    pub collected: Collected,
    answer: EvidenceAnswer,
    collateral: Option<Arc<collateral::Fetched>>,
}

impl Proven {
    /// Asks who is asked in addition to the evidence.
    pub async fn with_second_verifiers(self, session: &Session, asked: EvidenceRequest<'_>) -> Collected {
        let Self {
            collected,
            answer,
            collateral,
        } = self;
        let asking = session.asking();
        let added =
            session
                .second_verifiers
                .add(asking, collected, &answer.evidence, collateral, asked.beside);
        added.await
    }
}

/// Proves what an answer can prove, with the collateral for its quote.
pub(super) async fn prove(
    session: &Arc<Session>,
    asked: EvidenceRequest<'_>,
    answer: EvidenceAnswer,
) -> Proven {
    let tls = answer.tls.as_ref();
    let certificate = tls.and_then(|tls| ra_tls_evidence_of(&tls.chain)?.ok());
    let ingress = tls.and_then(|tls| ingress_evidence_of(tls).ok());
    let time = asked.time;
    let certificate = certificate.as_ref().map(RaTlsCertificate::evidence);
    let ingress = ingress.as_ref().map(ReadIngress::evidence);
    // The quotes that bind a TLS key mostly have the set of the quote itself, out of the cache.
    let mut supplies = Supplies {
        app: Supply::of(session, time, answer.evidence.as_ref().ok()).await,
        leaf: Supply::of(session, time, certificate).await,
        ingress: Supply::of(session, time, ingress).await,
    };
    let (mut collected, mut answer) = conclude(session, asked, answer, supplies.sets()).await;
    if let Ok(claims) = &collected.claims {
        let renewed = [
            supplies.app.renew(session, time, Some(claims)).await,
            supplies
                .leaf
                .renew(session, time, claims.certificate.as_deref())
                .await,
            supplies
                .ingress
                .renew(session, time, claims.ingress.as_deref())
                .await,
        ];
        if renewed.contains(&true) {
            (collected, answer) = conclude(session, asked, answer, supplies.sets()).await;
        }
    }
    Proven {
        collected,
        answer,
        collateral: supplies.app.set.ok(),
    }
}

/// The collateral for each quote of an answer.
struct Supplies {
    app: Supply,
    leaf: Supply,
    ingress: Supply,
}

impl Supplies {
    fn sets(&self) -> CollateralSets {
        CollateralSets {
            app: self.app.set.clone(),
            leaf: self.leaf.set.clone(),
            ingress: self.ingress.set.clone(),
        }
    }
}

/// What came of the collateral for each quote of an answer.
struct CollateralSets {
    app: CollateralSet,
    leaf: CollateralSet,
    ingress: CollateralSet,
}

/// What came of the collateral for one quote.
type CollateralSet = Result<Arc<collateral::Fetched>, UnusableCollateral>;

/// The collateral for one quote.
pub(super) struct Supply {
    /// What is asked for; absent if there is no quote, or none that names its machine.
    request: Option<CollateralRequest>,
    /// What came.
    pub set: CollateralSet,
}

impl Supply {
    async fn of(session: &Session, time: TimeLimits, evidence: Option<&Evidence>) -> Self {
        let request = evidence.and_then(|evidence| CollateralRequest::of_quote(&evidence.attestation.quote));
        let Some(request) = request else {
            return Self {
                request: None,
                set: Err(UnusableCollateral::Missing),
            };
        };
        // All targets of a run have the same end: no one of them spoils the answer for the others.
        let schedule = time.schedule();
        let set = session
            .collateral_cache
            .get(fetcher(session, &schedule), &request, (session.now)(), jitter)
            .await
            .map_err(|error| error.unusable(&request));
        Self {
            request: Some(request),
            set,
        }
    }

    /// Asks again for a set with which its quote did not verify: one that was kept may be older than the machine. Whether another came.
    /// A set that is too old was asked for again just now.
    async fn renew(&mut self, session: &Session, time: TimeLimits, claims: Option<&Claims>) -> bool {
        let is_doubted = claims.is_some_and(|claims| {
            claims.quote.is_err() && !matches!(claims.collateral, Err(UnusableCollateral::TooOld { .. }))
        });
        let (Some(request), Ok(doubted), true) = (&self.request, &self.set, is_doubted) else {
            return false;
        };
        let schedule = time.schedule();
        let fetcher = fetcher(session, &schedule);
        let renewed = session
            .collateral_cache
            .renewed(doubted, fetcher, request, (session.now)(), jitter)
            .await;
        match renewed {
            Some(Ok(renewed)) => {
                self.set = Ok(renewed);
                true
            }
            Some(Err(_)) | None => false,
        }
    }
}

/// What evidence next to that of the app proves, with the collateral for its quote.
pub(super) async fn prove_alone(
    session: &Arc<Session>,
    computation: &Computation,
    time: TimeLimits,
    evidence: &Evidence,
) -> (Claims, Supply) {
    let mut supply = Supply::of(session, time, Some(evidence)).await;
    let evidence = Arc::new(evidence.clone());
    let proven = async |set: CollateralSet| {
        let (session, evidence) = (Arc::clone(session), Arc::clone(&evidence));
        let prove = move || verify::prove(&evidence, &inputs(&session, set.as_deref(), (session.now)()));
        computation.run(prove).await
    };
    let mut claims = proven(supply.set.clone()).await;
    if supply.renew(session, time, Some(&claims)).await {
        claims = proven(supply.set.clone()).await;
    }
    (claims, supply)
}

fn fetcher<'a>(session: &'a Session, schedule: &'a Schedule) -> CollateralFetcher<'a> {
    CollateralFetcher {
        client: &session.client,
        sources: &session.sources,
        schedule,
        root: Some(&session.roots.quote),
    }
}

/// Concludes what an answer proves, and gives it back.
async fn conclude(
    session: &Arc<Session>,
    asked: EvidenceRequest<'_>,
    answer: EvidenceAnswer,
    sets: CollateralSets,
) -> (Collected, EvidenceAnswer) {
    let at = (session.now)();
    let collateral = sets.app.as_deref().ok();
    let bundle = session
        .keep_bundles
        .then(|| bundle(asked, &answer, collateral, at))
        .flatten();
    let (party, prover) = (asked.source.party(), Arc::clone(session));
    let proving = move || {
        let claims = claims(&prover, party, &answer, &sets, at);
        (claims, answer)
    };
    let (claims, answer) = asked.computation.run(proving).await;
    let collected = Collected {
        instance: None,
        claims,
        at,
        bundle,
        listed: None,
    };
    (collected, answer)
}

fn claims(
    session: &Session,
    asked: AskedParty,
    answer: &EvidenceAnswer,
    sets: &CollateralSets,
    at: u64,
) -> Result<Box<Claims>, EvidenceFailure> {
    let collateral = sets.app.as_deref();
    let evidence = match &answer.evidence {
        Ok(evidence) => evidence,
        Err(error) => return Err(error.clone().into()),
    };
    let claims = verify::prove(evidence, &inputs(session, collateral, at))
        .with_device_root(evidence, &session.roots.device)
        .with_collateral_from(collateral.ok().map(|fetched| fetched.source.clone()))
        .asked_of(asked);
    Ok(Box::new(match &answer.tls {
        Some(tls) => claims
            .with_tls(tls, &inputs(session, sets.leaf.as_deref(), at))
            .with_ingress(tls, &inputs(session, sets.ingress.as_deref(), at)),
        None => claims,
    }))
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::mpsc;
    use std::time::Duration;

    use futures_util::poll;

    use super::*;
    use crate::engine::Deployment;
    use crate::engine::tls_ask::TlsAsk;
    use crate::net::{Client, Transport};
    use cvm_verify_core::policy::Policy;

    /// Then the end of the run does not end it.
    #[tokio::test]
    async fn an_answer_that_waits_for_room_is_counted_for_its_target() {
        let session = Arc::new(Session {
            computation: Computation::at_once(NonZeroUsize::MIN),
            ..Session::new(Client::new(&Transport::default()).unwrap())
        });
        let (open, gate) = mpsc::channel::<()>();
        let mut before = Box::pin(
            session
                .computation
                .run(move || gate.recv_timeout(Duration::from_secs(60))),
        );
        assert!(poll!(&mut before).is_pending());
        let policy = Policy::default();
        let app = Deployment::app("app", "https://app.example", policy.clone()).unwrap();
        let computation = session.computation.of_target(None);
        let asked = EvidenceRequest {
            source: &app.source,
            compose_file: None,
            time: TimeLimits::default(),
            beside: TimeLimits::default(),
            tls: TlsAsk::of(&policy),
            computation: &computation,
        };
        let answer = EvidenceAnswer::new(asked, None, b"{}".to_vec(), None);
        let mut proven = Box::pin(prove(&session, asked, answer));
        assert!(poll!(&mut proven).is_pending());
        assert!(computation.is_asked());
        drop(open);
        assert!(proven.await.collected.claims.is_err());
        assert!(!computation.is_asked());
    }
}
