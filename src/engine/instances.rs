//! Evidence of all instances of an app, from Phala Cloud.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::Session;
use super::answer::EvidenceAnswer;
use super::attempt::of_source;
use super::collected::{Collected, Collection, EvidenceRequest};
use super::jitter::jitter;
use super::repeated::repeated;
use super::verify::prove;
use crate::net::Limits;
use crate::net::retry::retry;
use crate::source::phala_cloud::{self, PhalaCloud};
use cvm_verify_core::checks::{EvidenceFailure, EvidenceReason};
use cvm_verify_core::evidence::{PhalaCloudAnswer, PhalaCloudInstance};
use cvm_verify_core::report::ListedInstances;

/// Evidence of every instance that Phala Cloud shows a quote of. One that lies spoils no other.
pub(super) async fn collect(
    session: &Arc<Session>,
    asked: EvidenceRequest<'_>,
    app: &PhalaCloud,
) -> Collection {
    let one_request = asked.time.one_request();
    let body = retry(&asked.time.schedule(), jitter, |attempt| async move {
        let limits = Limits::body(phala_cloud::MAX_BYTES).lasting(attempt.time_left.min(one_request));
        phala_cloud::fetch(&session.client, app, &limits)
            .await
            .map_err(|error| of_source(&error))
    })
    .await;
    let body = match body {
        Ok(body) => body,
        Err(attempt) => return Collected::nothing((session.now)(), attempt.failure).into(),
    };
    let answer = match PhalaCloudAnswer::parse(&body, &app.app_id().0) {
        Ok(answer) => answer,
        Err(error) => return Collected::nothing((session.now)(), error.into()).into(),
    };
    let mut instances = Vec::new();
    let total = answer.instances.len();
    for (number, instance) in (1..).zip(&answer.instances) {
        let PhalaCloudInstance::Running(text) = instance else {
            continue;
        };
        // One object holds what the app's two endpoints would say.
        let body = text.get().as_bytes();
        let answer = EvidenceAnswer::new(asked, None, body.to_vec(), Some(body.to_vec()));
        let proven = prove(session, asked, answer).await;
        let collected = proven.with_second_verifiers(session, asked).await;
        instances.push(Collected {
            instance: Some(number),
            ..collected
        });
    }
    let stopped = total - instances.len();
    let (repeated, entries_of_one) = match repeated(&app.app_id().to_string(), &instances) {
        Some((failure, entries)) => (Some(failure), entries),
        None => (None, 0),
    };
    let listed = ListedInstances {
        listed: count(total),
        stopped: count(stopped),
        running: count(instances.len() - entries_of_one),
    };
    let mut collection: Collection = if instances.is_empty() {
        let failure = EvidenceFailure::new(
            EvidenceReason::NoQuote,
            format!(
                "No instance of the app {} runs: Phala Cloud lists {total}, and shows a quote of none.",
                app.app_id()
            ),
        );
        Collected::nothing((session.now)(), failure).into()
    } else {
        Collection {
            instances,
            missing: repeated.map(|failure| Collected::nothing((session.now)(), failure)),
            note: (stopped > 0).then(|| {
                format!(
                    "Phala Cloud lists {total} instances of the app {} and shows no quote of {stopped}, because they are \
                     stopped: nothing was verified about those.",
                    app.app_id()
                )
            }),
        }
    };
    for collected in collection.instances.iter_mut().chain(&mut collection.missing) {
        collected.listed = Some(listed);
    }
    collection
}

/// A count of entries, which the size of the answer bounds.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Collection {
    /// The same, judged at a time, Unix seconds, by how many instances must run at least: where too few do, the app as a whole fails, next to its
    /// instances. Where nothing says how many run, that is not determined.
    pub(super) fn with_at_least(mut self, minimum: Option<NonZeroU32>, at: u64) -> Self {
        let Some(minimum) = minimum.map(NonZeroU32::get) else {
            return self;
        };
        let Some(listed) = self.instances.iter().find_map(|collected| collected.listed) else {
            if self.instances.iter().any(|collected| collected.claims.is_ok()) {
                let detail = format!(
                    "The policy requires at least {minimum} instances, and this source answers for one: only Phala Cloud's list says \
                     how many run."
                );
                let failure = EvidenceFailure::new(EvidenceReason::UnnamedInstances, detail);
                self.missing = Some(Collected::nothing(at, failure));
            }
            return self;
        };
        // Instances without an id may all be one: two quotes of one VM differ, too.
        let told_apart = listed
            .running
            .saturating_sub(count(self.unnamed()).saturating_sub(1));
        let (reason, detail) = if minimum > listed.running {
            let repeated = listed
                .listed
                .saturating_sub(listed.stopped)
                .saturating_sub(listed.running);
            let once = match repeated {
                0 => String::new(),
                1 => " 1 entry of the list shows an instance that another entry shows, and it counts once."
                    .to_owned(),
                _ => format!(
                    " {repeated} entries of the list show instances that other entries show, and each instance counts once."
                ),
            };
            (
                EvidenceReason::TooFewInstances,
                format!(
                    "Phala Cloud lists {} instances of this app, of which {} run; the policy requires at least {minimum}.{once}",
                    listed.listed, listed.running
                ),
            )
        } else if minimum > told_apart {
            (
                EvidenceReason::UnnamedInstances,
                format!(
                    "Phala Cloud lists {} running instances of this app, which have no instance id: {told_apart} can be told apart, and \
                     the policy requires at least {minimum}.",
                    listed.running
                ),
            )
        } else {
            return self;
        };
        let failure = EvidenceFailure::new(reason, detail);
        let whole = Collected {
            listed: Some(listed),
            ..Collected::nothing(at, failure)
        };
        // None runs: that there is not a quote says less.
        self.instances.retain(|collected| collected.instance.is_some());
        self.missing = Some(whole);
        self
    }

    /// How many instances are proven to have no id.
    fn unnamed(&self) -> usize {
        let claims = self.instances.iter().filter_map(Collected::claims);
        claims
            .filter(|claims| {
                claims
                    .boot
                    .as_ref()
                    .is_ok_and(|boot| boot.instance_id().is_none())
            })
            .count()
    }
}
