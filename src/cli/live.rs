//! Evidence of a live deployment: fetched with a fresh nonce for each attempt, with its collateral.

use std::time::Duration;

use dcap_qvl::QuoteCollateralV3;
use rand::TryRng as _;
use rand::rngs::SysRng;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::judge::Gathered;
use super::transport::Network;
use crate::checks::{EvidenceGap, EvidenceReason};
use crate::collateral::{self, CollateralRequest};
use crate::evidence::{Bundle, BundleSource, Evidence, EvidenceError};
use crate::net::Limits;
use crate::net::retry::{Attempt, Heal, Schedule, retry};
use crate::prove::{CollateralGap, Facts, InfoOrigin, TrustRoot};
use crate::source::SourceError;
use crate::source::app::{self, AppEndpoints};

/// How often an address that answers from two instances is asked again.
const INSTANCE_ATTEMPTS: u32 = 3;

/// What a live deployment handed over, what was proven of it, and what a bundle needs.
pub(super) struct Live {
    pub facts: Result<Facts, EvidenceGap>,
    /// The time that was judged at, Unix seconds.
    pub at: u64,
    pub collateral_source: Option<String>,
    pub bundle: Option<Bundle>,
}

/// What does not change from target to target.
pub(super) struct Ground {
    pub network: Network,
    pub root: TrustRoot,
    pub now: fn() -> u64,
    /// The program's own commit, Unix seconds.
    pub clock_floor: u64,
}

/// Bodies that parsed, with the nonce that they were asked for with.
struct Answer {
    nonce: [u8; 32],
    attestation: Vec<u8>,
    info: Option<Vec<u8>>,
    evidence: Result<Evidence, EvidenceError>,
}

/// Why an attempt brought nothing.
struct AttemptFailure {
    gap: EvidenceGap,
    heals: bool,
    retry_after: Option<Duration>,
}

impl Heal for AttemptFailure {
    fn may_heal(&self) -> bool {
        self.heals
    }

    fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

/// Fetches evidence and collateral, and proves what can be proven. `compose_file` is a compose document that the user
/// has as a file, for apps that do not show theirs.
pub(super) async fn gather(
    ground: &Ground,
    endpoints: &AppEndpoints,
    compose_file: Option<&[u8]>,
    schedule: Schedule,
) -> Live {
    let started = Instant::now();
    let mut fetched: Option<(CollateralRequest, Result<collateral::Fetched, CollateralGap>)> = None;
    let mut round = 1;
    loop {
        let left = Schedule {
            total: schedule.total.saturating_sub(started.elapsed()),
            ..schedule
        };
        let answer = match retry(&left, jitter, |attempt| {
            ask(ground, endpoints, compose_file, attempt)
        })
        .await
        {
            Ok(answer) => answer,
            Err(failure) => {
                return Live {
                    facts: Err(failure.gap),
                    at: (ground.now)(),
                    collateral_source: None,
                    bundle: None,
                };
            }
        };
        let request = answer
            .evidence
            .as_ref()
            .ok()
            .and_then(|evidence| CollateralRequest::of_quote(&evidence.attestation.quote));
        if let Some(request) = request
            && fetched.as_ref().is_none_or(|(cached, _)| *cached != request)
        {
            fetched = Some((request, fetch_collateral(ground, &request).await));
        }
        let collateral = match &fetched {
            Some((cached, result)) if Some(*cached) == request => result.as_ref().map_err(Clone::clone),
            _ => Err(CollateralGap::Missing),
        };
        let live = conclude(ground, endpoints, compose_file, answer, collateral);
        let two_instances = live
            .facts
            .as_ref()
            .is_ok_and(|facts| facts.info == InfoOrigin::Other);
        let pause = schedule.pause(round, started.elapsed(), jitter(), None);
        match pause.filter(|_| two_instances && round < INSTANCE_ATTEMPTS) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return live,
        }
        round += 1;
    }
}

async fn ask(
    ground: &Ground,
    endpoints: &AppEndpoints,
    compose_file: Option<&[u8]>,
    attempt: Attempt,
) -> Result<Answer, AttemptFailure> {
    let nonce = fresh_nonce()?;
    let limits = Limits::body(app::MAX_BYTES).within(attempt.time_left);
    let app::AppAnswer { attestation, info } =
        app::fetch(&ground.network.client, endpoints, &nonce, &limits).await;
    let attestation = attestation.map_err(|error| of_source(&error))?;
    // What is no JSON document is as good as missing: /info never blocks what the log proves.
    let info = info
        .ok()
        .filter(|body| serde_json::from_slice::<&RawValue>(body).is_ok());
    let evidence = Evidence::parse(&attestation, info.as_deref(), None, Some(nonce))
        .and_then(|evidence| evidence.or_compose(compose_file));
    match evidence {
        // Cut off on the way, or a gateway's page: asking again may help.
        Err(error @ EvidenceError::NotJson { .. }) => Err(AttemptFailure {
            gap: error.into(),
            heals: true,
            retry_after: None,
        }),
        evidence => Ok(Answer {
            nonce,
            attestation,
            info,
            evidence,
        }),
    }
}

/// 32 bytes from the system's CSPRNG: a new nonce for each attempt (T2, T3).
fn fresh_nonce() -> Result<[u8; 32], AttemptFailure> {
    let mut nonce = [0; 32];
    match SysRng.try_fill_bytes(&mut nonce) {
        Ok(()) => Ok(nonce),
        Err(error) => Err(AttemptFailure {
            gap: EvidenceGap {
                reason: EvidenceReason::Internal,
                detail: format!("This machine's random number generator does not answer: {error}."),
            },
            heals: false,
            retry_after: None,
        }),
    }
}

/// A random number for the pauses. Where there is none, pauses do not vary.
fn jitter() -> u32 {
    SysRng.try_next_u32().unwrap_or(u32::MAX)
}

fn of_source(error: &SourceError) -> AttemptFailure {
    let reason = match error.reason() {
        "tls" => EvidenceReason::Tls,
        "http-status" => EvidenceReason::HttpStatus,
        "not-json" => EvidenceReason::NotJson,
        "too-large" => EvidenceReason::TooLarge,
        "address-refused" => EvidenceReason::AddressRefused,
        _ => EvidenceReason::Unreachable,
    };
    AttemptFailure {
        gap: EvidenceGap {
            reason,
            detail: format!("{}.", error.to_string().trim_end_matches('.')),
        },
        heals: error.may_heal(),
        retry_after: error.retry_after(),
    }
}

async fn fetch_collateral(
    ground: &Ground,
    request: &CollateralRequest,
) -> Result<collateral::Fetched, CollateralGap> {
    let Network { client, sources } = &ground.network;
    collateral::fetch_with_retry(client, sources, request, &Schedule::default(), jitter)
        .await
        .map_err(|error| CollateralGap::Unreachable(error.to_string()))
}

fn conclude(
    ground: &Ground,
    endpoints: &AppEndpoints,
    compose_file: Option<&[u8]>,
    answer: Answer,
    collateral: Result<&collateral::Fetched, CollateralGap>,
) -> Live {
    let at = (ground.now)();
    let collateral_source = collateral.as_ref().ok().map(|fetched| fetched.source.clone());
    let bundle = bundle(
        endpoints,
        compose_file,
        &answer,
        collateral.as_ref().ok().copied(),
        at,
    );
    let gathered = Gathered {
        evidence: answer.evidence.map_err(EvidenceGap::from),
        collateral: collateral.map(|fetched| fetched.collateral.clone()),
    };
    Live {
        facts: gathered.prove(&ground.root, at, ground.clock_floor),
        at,
        collateral_source,
        bundle,
    }
}

fn bundle(
    endpoints: &AppEndpoints,
    compose_file: Option<&[u8]>,
    answer: &Answer,
    collateral: Option<&collateral::Fetched>,
    at: u64,
) -> Option<Bundle> {
    let verbatim = |body: &[u8]| RawValue::from_string(std::str::from_utf8(body).ok()?.to_owned()).ok();
    let shown = answer.info.as_ref().is_some_and(|info| {
        Evidence::parse(&answer.attestation, Some(info), None, None)
            .is_ok_and(|evidence| evidence.app_compose.is_some())
    });
    let compose_file = compose_file.filter(|_| !shown);
    Some(Bundle {
        captured_at: at,
        source: BundleSource {
            kind: "app".to_owned(),
            url: Some(endpoints.base().to_string()),
        },
        nonce: Some(answer.nonce),
        attestation: verbatim(&answer.attestation)?,
        info: answer.info.as_deref().and_then(verbatim),
        collateral: collateral.and_then(|fetched| raw_collateral(&fetched.collateral)),
        collateral_source: collateral.map(|fetched| fetched.source.clone()),
        app_compose: compose_file.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()),
    })
}

fn raw_collateral(collateral: &QuoteCollateralV3) -> Option<Box<RawValue>> {
    let text = serde_json::to_string(&collateral::file::document(collateral)).ok()?;
    RawValue::from_string(text).ok()
}
