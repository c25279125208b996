//! Evidence of all instances of an app, from Phala Cloud.

use super::answer::Answer;
use super::attempt::{jitter, of_source};
use super::proof::prove;
use super::repeated::repeated;
use super::{Asked, Gathering, Ground, Live};
use crate::checks::{EvidenceGap, EvidenceReason};
use crate::evidence::{PhalaCloudAnswer, PhalaCloudInstance};
use crate::net::Limits;
use crate::net::retry::{Schedule, retry};
use crate::source::phala_cloud::{self, PhalaCloud};

/// Evidence of every instance that Phala Cloud shows a quote of. One that lies spoils no other.
pub(super) async fn gather(
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
    let missing = repeated(&app.app_id().to_string(), &lives);
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
