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
use crate::collateral::Fetched;
use crate::net::retry::{Attempt, Schedule, retry};
use crate::net::{Client, Limits};
use crate::source::{OneInstance, SourceError, app};
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::evidence::EvidenceError;
use cvm_verify_core::verify::InfoOrigin;

/// How often an address is asked whose quote and `/info` do not belong together.
const INSTANCE_ATTEMPTS: u32 = 3;

/// With less time left than this, what is there is judged: another attempt might not end.
const TIME_FOR_ANOTHER: Duration = Duration::from_secs(60);

/// What a round has whose quote and `/info` do not belong together.
struct Earlier {
    answer: EvidenceAnswer,
    collected: Collected,
    collateral: Option<Arc<Fetched>>,
}

/// Evidence of one instance, whichever answers; asked again where two answered, or `/info` shows another document than the
/// measured one.
pub(super) async fn collect(
    session: &Session,
    asked: EvidenceRequest<'_>,
    whom: OneInstance<'_>,
) -> Collected {
    let schedule = asked.time.schedule();
    let started = Instant::now();
    let mut round = 1;
    // What an earlier round has, should a later one find nobody.
    let mut earlier = None;
    let mut tls = WatchedTls::of(&session.client, asked.tls, whom.app());
    loop {
        let left = Schedule {
            total: schedule.total.saturating_sub(started.elapsed()),
            ..schedule
        };
        let client = tls.client();
        let mut answer = match retry(&left, jitter, |attempt| ask(client, asked, whom, attempt)).await {
            Ok(answer) => answer,
            Err(mut attempt) => {
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
                let Some(Earlier {
                    mut answer,
                    mut collected,
                    mut collateral,
                }) = earlier
                else {
                    return Collected::nothing((session.now)(), attempt.failure);
                };
                // Another key may have been presented since, and refused: it is one of this run, too.
                let seen = tls.session();
                if seen != answer.tls {
                    answer.tls = seen;
                    (collected, collateral) = prove(session, asked, &answer).await;
                }
                return session
                    .second_verifiers
                    .add(session.asking(), collected, &answer.evidence, collateral)
                    .await;
            }
        };
        let left = || schedule.total.saturating_sub(started.elapsed());
        tls.ask_ingress(&answer, left()).await;
        tls.probe(&answer, left()).await;
        answer.tls = tls.session();
        let (collected, collateral) = prove(session, asked, &answer).await;
        // A cache on the way, or an upgrade that is under way, may answer /info with what was.
        let is_mixed = collected.claims.as_ref().is_ok_and(|claims| {
            claims.info == InfoOrigin::Other || claims.other_document_in_info().is_some()
        });
        let pause = schedule.pause(round, started.elapsed(), jitter(), None);
        match pause.filter(|_| is_mixed && round < INSTANCE_ATTEMPTS) {
            Some(pause) => {
                earlier = Some(Earlier {
                    answer,
                    collected,
                    collateral,
                });
                tokio::time::sleep(pause).await;
            }
            None => {
                return session
                    .second_verifiers
                    .add(session.asking(), collected, &answer.evidence, collateral)
                    .await;
            }
        }
        round += 1;
    }
}

async fn ask(
    client: &Client,
    asked: EvidenceRequest<'_>,
    whom: OneInstance<'_>,
    attempt: Attempt,
) -> Result<EvidenceAnswer, AttemptFailure> {
    let (limits, time_left) = (Limits::body(app::MAX_BYTES), attempt.time_left);
    let answer = whom.fetch(client, &fresh_nonce()?, &limits, time_left).await;
    let app::AppAnswer {
        nonce,
        attestation,
        info,
        gpu,
    } = answer.map_err(|error| of_source(&error))?;
    // A hiccup must not cost a document; what stays away, and what hangs, does not block what the log proves.
    let problems = [
        info.as_ref().err(),
        gpu.as_ref().and_then(|gpu| gpu.as_ref().err()),
    ];
    if let Some(error) = problems.into_iter().flatten().find(|error| error.is_hiccup())
        && attempt.number < Schedule::default().attempts
        && attempt.time_left > TIME_FOR_ANOTHER
    {
        return Err(of_source(error));
    }
    let mut unanswered = None;
    let info = match info {
        Ok(info) => Some(info),
        // Something else than the information: as if absent, and the report says so.
        Err(SourceError::NotJson { start, .. }) => Some(start),
        Err(error) => {
            // That there is none, and that it was not given, are two things.
            if error.reason() != EvidenceReason::HttpStatus(404) {
                unanswered = Some(error.to_string());
            }
            None
        }
    };
    let gpu = gpu.map(|gpu| gpu.map_err(|error| error.to_string().trim_end_matches('.').to_owned()));
    let mut answer = EvidenceAnswer::new(asked, nonce, attestation, info).with_gpu(gpu.as_ref());
    if let Some(problem) = unanswered {
        answer.evidence = answer.evidence.map(|evidence| evidence.without_info(problem));
    }
    match answer.evidence {
        // Cut off on the way, or a gateway's page: asking again may help.
        Err(error @ EvidenceError::NotJson { .. }) => Err(AttemptFailure {
            failure: error.into(),
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
            failure: EvidenceFailure::new(
                EvidenceReason::Internal,
                format!("This machine's random number generator does not answer: {error}."),
            ),
            heals: false,
            retry_after: None,
        }),
    }
}
