//! Evidence from a source that answers for one instance: the app itself, or its guest agent.

use std::sync::Arc;
use std::time::Duration;

use rand::TryRng as _;
use rand::rngs::SysRng;
use tokio::time::Instant;

use super::Session;
use super::answer::EvidenceAnswer;
use super::attempt::{AttemptFailure, of_source};
use super::collected::{Collected, EvidenceRequest};
use super::jitter::jitter;
use super::tls::{Admission, WatchedTls};
use super::verify::prove;
use crate::net::Client;
use crate::net::retry::{Attempt, Heal, Schedule, retry};
use crate::source::app::{self, RawAttestation};
use crate::source::{OneInstance, SourceError};
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::evidence::{Attestation, EvidenceError};

/// How often `/info` is asked for that does not belong to the quote.
const INFO_ROUNDS: u32 = 3;

/// With less time left than this, what is there is judged: another attempt might not end.
const TIME_FOR_ANOTHER: Duration = Duration::from_secs(60);

/// Evidence of one instance, whichever answers first. The first attestation is the one that is judged. A document next to it that is
/// missing or belongs to another instance is asked for again alone: if the attestation were asked for again, too, a host could withdraw
/// one that convicts it (T42).
pub(super) async fn collect(
    session: &Arc<Session>,
    asked: EvidenceRequest<'_>,
    whom: OneInstance<'_>,
) -> Collected {
    let schedule = asked.time.schedule();
    let one_request = asked.time.one_request();
    let started = Instant::now();
    let left = || Schedule {
        total: schedule.total.saturating_sub(started.elapsed()),
        ..schedule
    };
    let mut tls = WatchedTls::of(&session.client, asked.tls, whom.app());
    let mut attestation = loop {
        let client = tls.client();
        let asking = |attempt: Attempt| attestation(client, whom, attempt.time_left.min(one_request));
        let mut attempt = match retry(&left(), jitter, asking).await {
            Ok(attestation) => break attestation,
            Err(attempt) => attempt,
        };
        let admission = match attempt.failure.reason {
            EvidenceReason::Tls => tls.admit(session, asked).await,
            _ => Admission::NotOfDstack,
        };
        match admission {
            Admission::Admitted => continue,
            Admission::NotOfDstack => {}
            Admission::Refused(why, certificate) => {
                attempt.failure.detail = format!("{} {why}", attempt.failure.detail);
                attempt.failure.certificate = certificate;
            }
        }
        return Collected::nothing((session.now)(), attempt.failure);
    };
    let mut beside = Beside::ask(&tls, whom, &attestation, left(), one_request).await;
    let mut round = 1;
    loop {
        let mut answer = beside.answer(asked, &mut attestation);
        tls.ask_ingress(&answer, left().total).await;
        tls.probe(&answer, left().total).await;
        answer.tls = tls.session();
        let proven = prove(session, asked, answer).await;
        // A cache on the way, or an upgrade that is under way, may answer /info with what was.
        let is_mixed = proven.collected.claims.as_ref().is_ok_and(|claims| {
            let other_document = claims.other_document_in_info().is_some() && claims.compose.is_err();
            claims.info.is_another() || other_document
        });
        let pause = schedule.pause(round, started.elapsed(), jitter(), None);
        let Some(pause) = pause.filter(|_| is_mixed && round < INFO_ROUNDS) else {
            return proven.with_second_verifiers(session, asked).await;
        };
        tokio::time::sleep(pause).await;
        if let Ok(info) = whom.info(tls.info_client(), left().total.min(one_request)).await {
            beside.info = Ok(info);
        }
        round += 1;
    }
}

/// An attestation with a nonce of its own; again where it was cut off, or where a gateway's page came in its place.
async fn attestation(
    client: &Client,
    whom: OneInstance<'_>,
    time: Duration,
) -> Result<Answered, AttemptFailure> {
    let nonce = fresh_nonce()?;
    let answered = whom.attestation(client, &nonce, time).await;
    let attestation = answered.map_err(|error| of_source(&error))?;
    match Attestation::parse(&attestation.body) {
        Err(error @ EvidenceError::NotJson { .. }) => Err(AttemptFailure {
            failure: error.into(),
            heals: true,
            retry_after: None,
        }),
        parsed => Ok(Answered {
            nonce,
            attestation,
            parsed: Some(parsed),
        }),
    }
}

/// An attestation, and what was sent for it.
struct Answered {
    /// The nonce of the attempt, which the source may sign or not.
    nonce: [u8; 32],
    attestation: RawAttestation,
    /// What was read of it, for the first answer.
    parsed: Option<Result<Attestation, EvidenceError>>,
}

/// The documents next to an attestation, or why there are none.
struct Beside {
    info: Result<Vec<u8>, SourceError>,
    /// Where the evidence of GPUs has an endpoint of its own.
    gpu: Option<Result<Vec<u8>, SourceError>>,
}

impl Beside {
    /// Asks for each, again after a hiccup: that must not cost a document.
    async fn ask(
        tls: &WatchedTls<'_>,
        whom: OneInstance<'_>,
        of: &Answered,
        schedule: Schedule,
        one_request: Duration,
    ) -> Self {
        let started = Instant::now();
        let left = || Schedule {
            total: schedule.total.saturating_sub(started.elapsed()),
            ..schedule
        };
        let info = document(&left(), one_request, |time| whom.info(tls.info_client(), time)).await;
        let gpu = match whom.app().and_then(|endpoints| endpoints.gpu_url(&of.nonce)) {
            Some(url) => {
                Some(document(&left(), one_request, |time| app::gpu(tls.client(), &url, time)).await)
            }
            None => None,
        };
        Self { info, gpu }
    }

    fn answer(&self, asked: EvidenceRequest<'_>, of: &mut Answered) -> EvidenceAnswer {
        let mut unanswered = None;
        let info = match &self.info {
            Ok(info) => Some(info.clone()),
            // Something else than the information: as if absent, and the report says so.
            Err(SourceError::NotJson { start, .. }) => Some(start.clone()),
            Err(error) => {
                // That there is none, and that it was not given, are two things.
                if error.reason() != EvidenceReason::HttpStatus(404) {
                    unanswered = Some(error.to_string());
                }
                None
            }
        };
        let problem = |error: &SourceError| error.to_string().trim_end_matches('.').to_owned();
        let gpu = self
            .gpu
            .as_ref()
            .map(|gpu| gpu.clone().map_err(|error| problem(&error)));
        let (nonce, body) = (of.attestation.nonce, of.attestation.body.clone());
        let parsed = of.parsed.take().unwrap_or_else(|| Attestation::parse(&body));
        let mut answer = EvidenceAnswer::of_parsed(asked, nonce, body, parsed, info).with_gpu(gpu.as_ref());
        if let Some(problem) = unanswered {
            answer.evidence = answer.evidence.map(|evidence| evidence.without_info(problem));
        }
        answer
    }
}

/// Asks for a document until it comes, as long as hiccups are in its way.
async fn document<Asked>(
    schedule: &Schedule,
    one_request: Duration,
    ask: impl Fn(Duration) -> Asked,
) -> Result<Vec<u8>, SourceError>
where
    Asked: Future<Output = Result<Vec<u8>, SourceError>>,
{
    let found = retry(schedule, jitter, |attempt| {
        let asked = ask(attempt.time_left.min(one_request));
        async move {
            asked.await.map_err(|error| NoDocument {
                // What stays away, and what hangs, does not block what the log proves.
                heals: error.is_hiccup() && attempt.time_left > TIME_FOR_ANOTHER,
                error,
            })
        }
    });
    found.await.map_err(|none| none.error)
}

/// Why a document did not come.
struct NoDocument {
    error: SourceError,
    heals: bool,
}

impl Heal for NoDocument {
    fn may_heal(&self) -> bool {
        self.heals
    }

    fn retry_after(&self) -> Option<Duration> {
        self.error.retry_after()
    }
}

/// 32 bytes from the system's CSPRNG: a new nonce for each attempt (T2, T3).
fn fresh_nonce() -> Result<[u8; 32], AttemptFailure> {
    let mut nonce = [0; 32];
    match SysRng.try_fill_bytes(&mut nonce) {
        Ok(()) => Ok(nonce),
        Err(error) => Err(AttemptFailure {
            failure: EvidenceFailure::new(
                EvidenceReason::Internal,
                format!("This machine's random number generator does not answer: {error}."),
            ),
            heals: false,
            retry_after: None,
        }),
    }
}
