//! Evidence of a live deployment: fetched, with a fresh nonce for each attempt where the source signs one, and with its
//! collateral.

use std::sync::Arc;
use std::time::Duration;

use dcap_qvl::QuoteCollateralV3;
use rand::TryRng as _;
use rand::rngs::SysRng;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::instances;
use super::judge::Gathered;
use super::second_opinion::SecondOpinions;
use super::transport::Network;
use crate::checks::{EvidenceGap, EvidenceReason};
use crate::collateral::{self, CollateralRequest, Store, Supply};
use crate::evidence::{Bundle, BundleSource, Evidence, EvidenceError, PhalaCloudAnswer, PhalaCloudInstance};
use crate::net::Limits;
use crate::net::retry::{Attempt, Heal, Schedule, retry};
use crate::prove::{CollateralGap, Facts, InfoOrigin, TrustRoot};
use crate::source::app::{self, AppEndpoints};
use crate::source::guest_agent::{self, GuestAgent};
use crate::source::phala_cloud::{self, PhalaCloud};
use crate::source::{Source, SourceError};

/// How often an address that answers from two instances is asked again.
const INSTANCE_ATTEMPTS: u32 = 3;

/// With less time left than this, what is there is judged: another attempt might not end.
const TIME_FOR_ANOTHER: Duration = Duration::from_secs(60);

/// What a live deployment handed over, what was proven of it, and what a bundle needs.
pub(super) struct Live {
    /// Which instance of Phala Cloud's list, from 1.
    pub instance: Option<usize>,
    pub facts: Result<Facts, EvidenceGap>,
    /// The time that was judged at, Unix seconds.
    pub at: u64,
    pub collateral_source: Option<String>,
    pub bundle: Option<Bundle>,
}

/// What does not change from target to target.
pub(super) struct Ground {
    pub network: Network,
    /// Collateral of every platform that was met.
    pub store: Store,
    /// Whether anybody wants the evidence.
    pub keep_bundles: bool,
    /// Whom to ask beside the evidence.
    pub opinions: SecondOpinions,
    pub root: TrustRoot,
    pub now: fn() -> u64,
    /// The program's own commit, Unix seconds.
    pub clock_floor: u64,
}

/// Bodies with the nonce that they were asked for with.
struct Answer {
    nonce: Option<[u8; 32]>,
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

impl Live {
    /// Nothing was handed over.
    fn nothing(ground: &Ground, gap: EvidenceGap) -> Self {
        Self {
            instance: None,
            facts: Err(gap),
            at: (ground.now)(),
            collateral_source: None,
            bundle: None,
        }
    }
}

/// What a source handed over: one, or one for each instance of an app.
pub(super) struct Gathering {
    /// At least one.
    pub lives: Vec<Live>,
    /// What the source should have shown beside them.
    pub missing: Option<Live>,
    /// What the user should know beside the reports.
    pub note: Option<String>,
}

impl From<Live> for Gathering {
    fn from(live: Live) -> Self {
        Self {
            lives: vec![live],
            missing: None,
            note: None,
        }
    }
}

/// Fetches evidence and collateral, and proves what can be proven.
///
/// `compose_file` is a compose document that the user has as a file, for apps that do not show theirs.
pub(super) async fn gather(
    ground: &Ground,
    source: &Source,
    compose_file: Option<&[u8]>,
    schedule: Schedule,
) -> Gathering {
    let asked = Asked { source, compose_file };
    let whom = match source {
        Source::App(endpoints) => Single::App(endpoints),
        Source::GuestAgent(agent) => Single::GuestAgent(agent),
        Source::PhalaCloud(app) => return gather_instances(ground, asked, app, schedule).await,
    };
    gather_one(ground, asked, whom, schedule).await.into()
}

/// Who is asked, and what the user has already.
#[derive(Clone, Copy)]
struct Asked<'a> {
    source: &'a Source,
    compose_file: Option<&'a [u8]>,
}

/// Evidence of one instance, whichever answers; asked again where two answered.
async fn gather_one(ground: &Ground, asked: Asked<'_>, whom: Single<'_>, schedule: Schedule) -> Live {
    let started = Instant::now();
    let mut round = 1;
    loop {
        let left = Schedule {
            total: schedule.total.saturating_sub(started.elapsed()),
            ..schedule
        };
        let answer = match retry(&left, jitter, |attempt| ask(ground, asked, whom, attempt)).await {
            Ok(answer) => answer,
            Err(failure) => return Live::nothing(ground, failure.gap),
        };
        let (live, collateral) = prove(ground, asked, &answer).await;
        let two_instances = live
            .facts
            .as_ref()
            .is_ok_and(|facts| facts.info == InfoOrigin::Other);
        let pause = schedule.pause(round, started.elapsed(), jitter(), None);
        match pause.filter(|_| two_instances && round < INSTANCE_ATTEMPTS) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => {
                return ground
                    .opinions
                    .add(ground, live, &answer.evidence, collateral)
                    .await;
            }
        }
        round += 1;
    }
}

/// Evidence of every instance that Phala Cloud shows a quote of. One that lies spoils no other.
async fn gather_instances(
    ground: &Ground,
    asked: Asked<'_>,
    app: &PhalaCloud,
    schedule: Schedule,
) -> Gathering {
    let body = retry(&schedule, jitter, |attempt| async move {
        let limits = Limits::body(phala_cloud::MAX_BYTES).within(attempt.time_left);
        phala_cloud::fetch(&ground.network.client, app, &limits)
            .await
            .map_err(|error| of_source(&error))
    })
    .await;
    let body = match body {
        Ok(body) => body,
        Err(failure) => return Live::nothing(ground, failure.gap).into(),
    };
    let answer = match PhalaCloudAnswer::parse(&body, &app.app_id().0) {
        Ok(answer) => answer,
        Err(error) => return Live::nothing(ground, error.into()).into(),
    };
    let mut lives = Vec::new();
    let total = answer.instances.len();
    for (number, instance) in (1..).zip(&answer.instances) {
        let PhalaCloudInstance::Running(text) = instance else {
            continue;
        };
        // One object holds what the app's two endpoints would say.
        let body = text.get().as_bytes();
        let answer = Answer::new(asked, None, body.to_vec(), Some(body.to_vec()));
        let (live, collateral) = prove(ground, asked, &answer).await;
        let live = ground
            .opinions
            .add(ground, live, &answer.evidence, collateral)
            .await;
        lives.push(Live {
            instance: Some(number),
            ..live
        });
    }
    let stopped = total - lives.len();
    if lives.is_empty() {
        let gap = EvidenceGap {
            reason: EvidenceReason::NoQuote,
            detail: format!(
                "No instance of the app {} runs: Phala Cloud lists {total}, and shows a quote of none.",
                app.app_id()
            ),
        };
        return Live::nothing(ground, gap).into();
    }
    let missing = instances::repeated(&app.app_id().to_string(), &lives);
    Gathering {
        lives,
        missing: missing.map(|gap| Live::nothing(ground, gap)),
        note: (stopped > 0).then(|| {
            format!(
                "note: Phala Cloud lists {total} instances of the app {} and shows no quote of {stopped}, as of stopped ones: \
                 nothing was verified about those.",
                app.app_id()
            )
        }),
    }
}

/// Proves what an answer can prove, with the collateral for its quote, which comes along.
async fn prove(
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
    let collateral = fetch_collateral(ground, &request).await;
    let live = conclude(ground, asked, answer, collateral.as_deref());
    // A set that was spoilt on disk is not this deployment's fault.
    if let Ok(doubted) = &collateral
        && live.facts.as_ref().is_ok_and(|facts| facts.quote.is_err())
        && let Some(renewed) = renew_collateral(ground, &request, doubted).await
    {
        let live = conclude(ground, asked, answer, renewed.as_deref());
        return (live, renewed.ok());
    }
    (live, collateral.ok())
}

impl Answer {
    fn new(asked: Asked<'_>, nonce: Option<[u8; 32]>, attestation: Vec<u8>, info: Option<Vec<u8>>) -> Self {
        let evidence = Evidence::parse(&attestation, info.as_deref(), None, nonce)
            .and_then(|evidence| evidence.or_compose(asked.compose_file));
        Self {
            nonce,
            attestation,
            info,
            evidence,
        }
    }
}

/// A source that answers for one instance.
#[derive(Clone, Copy)]
enum Single<'a> {
    App(&'a AppEndpoints),
    GuestAgent(&'a GuestAgent),
}

async fn ask(
    ground: &Ground,
    asked: Asked<'_>,
    whom: Single<'_>,
    attempt: Attempt,
) -> Result<Answer, AttemptFailure> {
    let limits = Limits::body(app::MAX_BYTES).within(attempt.time_left);
    let client = &ground.network.client;
    let (nonce, app::Answer { attestation, info }) = match whom {
        Single::App(endpoints) => {
            let nonce = fresh_nonce()?;
            (Some(nonce), app::fetch(client, endpoints, &nonce, &limits).await)
        }
        Single::GuestAgent(agent) => (None, guest_agent::fetch(client, agent, &limits).await),
    };
    let attestation = attestation.map_err(|error| of_source(&error))?;
    // A hiccup must not cost the document; what stays away, and what hangs, does not block what the log proves.
    if let Err(error) = &info
        && error.is_hiccup()
        && attempt.number < Schedule::default().attempts
        && attempt.time_left > TIME_FOR_ANOTHER
    {
        return Err(of_source(error));
    }
    // What is no JSON document is as good as missing: /info never blocks what the log proves.
    let info = info
        .ok()
        .filter(|body| serde_json::from_slice::<&RawValue>(body).is_ok());
    let answer = Answer::new(asked, nonce, attestation, info);
    match answer.evidence {
        // Cut off on the way, or a gateway's page: asking again may help.
        Err(error @ EvidenceError::NotJson { .. }) => Err(AttemptFailure {
            gap: error.into(),
            heals: true,
            retry_after: None,
        }),
        _ => Ok(answer),
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
pub(super) fn jitter() -> u32 {
    SysRng.try_next_u32().unwrap_or(u32::MAX)
}

fn of_source(error: &SourceError) -> AttemptFailure {
    let reason = match error.reason() {
        "tls" => EvidenceReason::Tls,
        "http-status" => EvidenceReason::HttpStatus,
        "not-json" => EvidenceReason::NotJson,
        "too-large" => EvidenceReason::TooLarge,
        "no-quote" => EvidenceReason::NoQuote,
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
) -> Result<Arc<collateral::Fetched>, CollateralGap> {
    let schedule = Schedule::default();
    ground
        .store
        .get(supply(ground, &schedule), request, (ground.now)(), jitter)
        .await
        .map_err(|error| CollateralGap::Unreachable(error.to_string()))
}

async fn renew_collateral(
    ground: &Ground,
    request: &CollateralRequest,
    doubted: &Arc<collateral::Fetched>,
) -> Option<Result<Arc<collateral::Fetched>, CollateralGap>> {
    let schedule = Schedule::default();
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
    Some(renewed.map_err(|error| CollateralGap::Unreachable(error.to_string())))
}

fn supply<'a>(ground: &'a Ground, schedule: &'a Schedule) -> Supply<'a> {
    let Network { client, sources } = &ground.network;
    Supply {
        client,
        sources,
        schedule,
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
    let gathered = Gathered {
        evidence: answer.evidence.clone().map_err(EvidenceGap::from),
        collateral: collateral
            .map(|fetched| fetched.collateral.clone())
            .map_err(Clone::clone),
    };
    Live {
        instance: None,
        facts: gathered.prove(&ground.root, at, ground.clock_floor),
        at,
        collateral_source,
        bundle,
    }
}

fn bundle(
    asked: Asked<'_>,
    answer: &Answer,
    collateral: Option<&collateral::Fetched>,
    at: u64,
) -> Option<Bundle> {
    let verbatim = |body: &[u8]| RawValue::from_string(std::str::from_utf8(body).ok()?.to_owned()).ok();
    let shown = answer.info.as_ref().is_some_and(|info| {
        Evidence::parse(&answer.attestation, Some(info), None, None)
            .is_ok_and(|evidence| evidence.app_compose.is_some())
    });
    let compose_file = asked.compose_file.filter(|_| !shown);
    Some(Bundle {
        captured_at: at,
        source: BundleSource {
            kind: asked.source.kind().to_owned(),
            url: Some(asked.source.url().to_owned()),
        },
        nonce: answer.nonce,
        attestation: verbatim(&answer.attestation)?,
        info: answer.info.as_deref().and_then(verbatim),
        collateral: collateral.and_then(|fetched| raw_collateral(&fetched.collateral)),
        collateral_source: collateral.map(|fetched| fetched.source.clone()),
        app_compose: compose_file.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()),
        phala_api: None,
        early: None,
    })
}

pub(super) fn raw_collateral(collateral: &QuoteCollateralV3) -> Option<Box<RawValue>> {
    let text = serde_json::to_string(&collateral::file::document(collateral)).ok()?;
    RawValue::from_string(text).ok()
}
