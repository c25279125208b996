//! Who built the images of a proven compose document: looked up where the rules say, each image and repository once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use super::Collected;
use super::collected::internal;
use super::jitter::jitter;
use crate::net::retry::{Heal, Schedule, retry};
use crate::net::{Client, Secret};
use crate::source::github_attestations::{API, Attestations, Found, TIME};
use cvm_verify_core::checks::{Sought, sought_sources, statements_of_files};
use cvm_verify_core::evidence::{LookupProblemKind, RecordedStatements, StatementSource};
use cvm_verify_core::policy::SourcePolicy;
use cvm_verify_core::report::rfc3339;
use cvm_verify_core::verify::provenance::PROVENANCE;

/// How many images are looked up at one time.
const AT_ONCE: usize = 10;
/// Most answers that are remembered.
const MAX_REMEMBERED: usize = 1024;

/// A repository, a digest, and the type of predicate that was asked for.
type Key = (String, [u8; 32], bool);
/// An answer, once there is one. Another task that wants the same waits.
type Slot = Arc<tokio::sync::Mutex<Option<RecordedStatements>>>;

/// Whom to ask, and what was answered in this run.
pub struct StatementLookups {
    api: Option<Url>,
    token: Option<Secret>,
    at_once: Arc<Semaphore>,
    answers: Mutex<HashMap<Key, Slot>>,
}

impl StatementLookups {
    /// Asks GitHub's API, or the one at this address, with a token that may read attestations.
    pub fn new(api: Option<Url>, token: Option<Secret>) -> Self {
        Self {
            api: api.or_else(|| Url::parse(API).ok()),
            token,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            answers: Mutex::default(),
        }
    }

    /// Adds what is found about the images of a deployment whose compose document is proven.
    pub(super) async fn add(
        &self,
        client: &Client,
        mut collected: Collected,
        policy: &SourcePolicy,
    ) -> Collected {
        let sought = match &collected.facts {
            Ok(facts) if !policy.rules.is_empty() => sought_sources(facts, policy),
            _ => return collected,
        };
        let mut recorded = statements_of_files(&sought, &policy.files, collected.at);
        let of_file = |image: &Sought| {
            recorded
                .iter()
                .any(|found| found.image == image.image && !found.bundles.is_empty())
        };
        let (_, missing): (Vec<Sought>, Vec<Sought>) = sought.into_iter().partition(of_file);
        recorded.extend(self.look_up(client, missing, collected.at).await);
        let facts = std::mem::replace(&mut collected.facts, Err(internal()));
        collected.facts = facts.map(|facts| facts.with_statements(&recorded, &policy.roots));
        if let Some(bundle) = &mut collected.bundle {
            bundle.provenance = recorded;
        }
        collected
    }

    /// What GitHub has about these images, at a time (Unix seconds).
    pub async fn look_up(&self, client: &Client, sought: Vec<Sought>, at: u64) -> Vec<RecordedStatements> {
        let mut tasks = JoinSet::new();
        let count = sought.len();
        for (index, image) in sought.into_iter().enumerate() {
            let slot = self.slot(&image);
            let (api, token) = (self.api.clone(), self.token.clone());
            let (client, at_once) = (client.clone(), Arc::clone(&self.at_once));
            tasks.spawn(async move {
                let mut slot = slot.lock().await;
                let _permit = at_once.acquire().await;
                if let Some(known) = slot.as_ref() {
                    return (index, Some(of_image(known, &image)));
                }
                let Some(api) = api else { return (index, None) };
                let answer = ask(&client, &api, token.as_ref(), &image, at).await;
                // What failed, and what is not there yet, is asked for again.
                if answer.problem.is_none() && !answer.bundles.is_empty() {
                    *slot = Some(answer.clone());
                }
                (index, Some(answer))
            });
        }
        let mut answers: Vec<Option<RecordedStatements>> = (0..count).map(|_| None).collect();
        while let Some(joined) = tasks.join_next().await {
            if let Ok((index, answer)) = joined
                && let Some(place) = answers.get_mut(index)
            {
                *place = answer;
            }
        }
        answers.into_iter().flatten().collect()
    }

    fn slot(&self, image: &Sought) -> Slot {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MAX_REMEMBERED {
            answers.clear();
        }
        let key = (
            image.repository.to_ascii_lowercase(),
            image.digest,
            image.signature_suffices,
        );
        Arc::clone(answers.entry(key).or_default())
    }
}

/// What is known of a digest, under this image's name.
fn of_image(known: &RecordedStatements, image: &Sought) -> RecordedStatements {
    RecordedStatements {
        image: image.image.clone(),
        ..known.clone()
    }
}

async fn ask(
    client: &Client,
    api: &Url,
    token: Option<&Secret>,
    image: &Sought,
    at: u64,
) -> RecordedStatements {
    let asked = Attestations {
        api,
        token,
        repository: &image.repository,
        digest: &image.digest,
        predicate_type: (!image.signature_suffices).then_some(PROVENANCE),
    };
    let schedule = Schedule {
        total: TIME,
        one_attempt: TIME,
        first_pause: Duration::from_millis(500),
        ..Schedule::default()
    };
    let found = retry(&schedule, jitter, |_| async {
        let found = asked.fetch(client).await;
        match found.problem {
            None => Ok(found),
            Some(_) => Err(Incomplete(found)),
        }
    })
    .await;
    let found = found.unwrap_or_else(|Incomplete(found)| found);
    RecordedStatements {
        image: image.image.clone(),
        from: StatementSource::GithubApi,
        url: Some(asked.shown()),
        fetched_at: rfc3339(at),
        bundles: found.bundles,
        documents: Vec::new(),
        legacy_signature: false,
        problem: found.problem,
    }
}

/// What was found before something failed.
struct Incomplete(Found);

impl Heal for Incomplete {
    fn may_heal(&self) -> bool {
        let kind = self.0.problem.as_ref().map(|problem| problem.kind);
        kind == Some(LookupProblemKind::Unreachable)
    }
}
