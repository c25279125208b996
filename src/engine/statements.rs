//! Who built the images of a proven compose document: looked up where the rules say, each image and repository once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use super::Collected;
use super::jitter::jitter;
use crate::net::retry::{Heal, Schedule, retry};
use crate::net::{Client, Secret};
use crate::source::github_attestations::{API, Attestations};
use crate::source::registry::{InRegistry, RegistryCredentials};
use crate::source::{Found, StatementBudget, TIME};
use cvm_verify_core::checks::{Sought, judge_image, sought_sources, statements_of_files, still_sought};
use cvm_verify_core::evidence::{LookupProblemKind, RecordedStatements, StatementSource};
use cvm_verify_core::policy::{SourcePolicy, normal_name};
use cvm_verify_core::report::{Status, rfc3339};
use cvm_verify_core::verify::provenance::PROVENANCE;
use cvm_verify_core::verify::verify_statements;

/// How many images are looked up at one time.
const AT_ONCE: usize = 10;
/// Most answers that are remembered.
const MAX_REMEMBERED: usize = 1024;
/// Bytes that they have together, from which on they are forgotten: 64 MiB.
const MAX_REMEMBERED_BYTES: usize = 64 * 1024 * 1024;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Question {
    /// A repository on GitHub, a digest, and whether any type of predicate was asked for.
    Github(String, [u8; 32], bool),
    /// An image's name, its digest, and whether BuildKit's attestation was asked for.
    Registry(String, [u8; 32], bool),
}

/// An answer, once there is one. Another task that wants the same waits.
type Slot = Arc<tokio::sync::Mutex<Option<RecordedStatements>>>;

/// Whom to ask, and what was answered in this run.
pub struct StatementLookups {
    api: Option<Url>,
    token: Option<Secret>,
    credentials: RegistryCredentials,
    at_once: Arc<Semaphore>,
    answers: Mutex<HashMap<Question, Slot>>,
    /// Bytes of the answers that were remembered.
    remembered: Arc<AtomicUsize>,
}

impl StatementLookups {
    /// Asks GitHub's API, or the one at this address, with a token that may read attestations, and registries with the
    /// credentials for each.
    pub fn new(api: Option<Url>, token: Option<Secret>, credentials: RegistryCredentials) -> Self {
        Self {
            api: api.or_else(|| Url::parse(API).ok()),
            token,
            credentials,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            answers: Mutex::default(),
            remembered: Arc::default(),
        }
    }

    /// Adds what is found about the images of a deployment whose compose document is proven. `budget` is that of the deployment.
    pub(super) async fn add(
        &self,
        client: &Client,
        mut collected: Collected,
        policy: &SourcePolicy,
        budget: &StatementBudget,
    ) -> Collected {
        let sought = match &collected.claims {
            Ok(claims) if !policy.rules.is_empty() => sought_sources(claims, policy),
            _ => return collected,
        };
        let mut recorded = statements_of_files(&sought, &policy.files, collected.at);
        let missing = still_sought(sought, &recorded, policy, collected.at);
        // Without a bundle, what was found is dropped before the next instance is looked up.
        let budget = match &collected.bundle {
            Some(_) => budget.clone(),
            None => StatementBudget::default(),
        };
        let found = self.look_up(client, missing, policy, collected.at, budget);
        recorded.extend(found.await);
        collected.change(|claims| claims.with_statements(&recorded, &policy.roots));
        if let Some(bundle) = &mut collected.bundle {
            bundle.provenance = recorded;
        }
        collected
    }

    /// What GitHub and the registries have about these images, at a time (Unix seconds), as far as the budget of the deployment
    /// permits. One source after the other is asked, until the rules hold.
    pub async fn look_up(
        &self,
        client: &Client,
        sought: Vec<Sought>,
        policy: &SourcePolicy,
        at: u64,
        budget: StatementBudget,
    ) -> Vec<RecordedStatements> {
        let policy = Arc::new(policy.clone());
        let mut tasks = JoinSet::new();
        let count = sought.len();
        for (index, image) in sought.into_iter().enumerate() {
            let slots = image
                .from
                .iter()
                .map(|from| (*from, self.slot(&image, *from)))
                .collect();
            let image = OneImage {
                client: client.clone(),
                api: self.api.clone(),
                token: self.token.clone(),
                credentials: self.credentials.clone(),
                at_once: Arc::clone(&self.at_once),
                image,
                policy: Arc::clone(&policy),
                at,
                budget: budget.clone(),
                remembered: Arc::clone(&self.remembered),
            };
            tasks.spawn(async move { (index, image.look_up(slots).await) });
        }
        let mut answers: Vec<Vec<RecordedStatements>> = (0..count).map(|_| Vec::new()).collect();
        while let Some(joined) = tasks.join_next().await {
            if let Ok((index, answer)) = joined
                && let Some(place) = answers.get_mut(index)
            {
                *place = answer;
            }
        }
        answers.into_iter().flatten().collect()
    }

    fn slot(&self, image: &Sought, from: StatementSource) -> Slot {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if answers.len() >= MAX_REMEMBERED || self.remembered.load(Ordering::Relaxed) >= MAX_REMEMBERED_BYTES
        {
            answers.clear();
            self.remembered.store(0, Ordering::Relaxed);
        }
        let key = match from {
            StatementSource::Registry => {
                Question::Registry(normal_name(name_of(image)), image.digest, image.via_buildkit)
            }
            StatementSource::GithubApi | StatementSource::File => Question::Github(
                image.repository.to_ascii_lowercase(),
                image.digest,
                image.signature_suffices,
            ),
        };
        Arc::clone(answers.entry(key).or_default())
    }
}

/// An image's name, without its digest.
fn name_of(image: &Sought) -> &str {
    image.image.split('@').next().unwrap_or_default()
}

/// One image, and whom to ask about it.
struct OneImage {
    client: Client,
    api: Option<Url>,
    token: Option<Secret>,
    credentials: RegistryCredentials,
    at_once: Arc<Semaphore>,
    image: Sought,
    policy: Arc<SourcePolicy>,
    /// Unix seconds.
    at: u64,
    budget: StatementBudget,
    remembered: Arc<AtomicUsize>,
}

impl OneImage {
    /// Asks one source after the other, until the rule of the image holds. A statement of another signer or of another kind ends
    /// nothing: the next source may have the right one.
    async fn look_up(&self, slots: Vec<(StatementSource, Slot)>) -> Vec<RecordedStatements> {
        let mut answers = Vec::new();
        for (from, slot) in slots {
            let mut slot = slot.lock().await;
            let _permit = self.at_once.acquire().await;
            // What is remembered met the rule of another target, or one that was written otherwise.
            let known = slot.as_ref().map(|known| of_image(known, &self.image));
            let is_enough = |known: &RecordedStatements| {
                let with: Vec<_> = answers.iter().chain([known]).cloned().collect();
                self.holds(&with)
            };
            let answer = match known.filter(is_enough) {
                Some(known) => self.held(known),
                None => self.ask(from).await,
            };
            let is_whole = answer.problem.is_none() && !answer.bundles.is_empty();
            answers.push(answer);
            // What failed, what is not there yet and what is not the right one is asked for again.
            if is_whole && self.holds(&answers) {
                if slot.is_none() {
                    *slot = answers.last().cloned();
                    let bytes = slot.as_ref().map_or(0, bytes);
                    self.remembered.fetch_add(bytes, Ordering::Relaxed);
                }
                break;
            }
        }
        answers
    }

    /// Whether what was answered meets the rule of the image.
    fn holds(&self, answers: &[RecordedStatements]) -> bool {
        let statements = verify_statements(answers, &self.policy.roots, self.at);
        judge_image(&self.image.image, &statements, &self.policy).status == Status::Pass
    }

    /// What is remembered, if the deployment may hold it, too.
    fn held(&self, known: RecordedStatements) -> RecordedStatements {
        match self.budget.take(known.from, bytes(&known)) {
            Ok(held) => {
                held.forget();
                known
            }
            Err(problem) => self.recorded(known.url, Found::failed(known.from, problem)),
        }
    }

    async fn ask(&self, from: StatementSource) -> RecordedStatements {
        match (from, &self.api) {
            (StatementSource::Registry, _) => self.ask_registry().await,
            (_, Some(api)) => self.ask_github(api).await,
            (_, None) => self.recorded(None, Found::new(from, self.budget.clone())),
        }
    }

    async fn ask_github(&self, api: &Url) -> RecordedStatements {
        let asked = Attestations {
            api,
            token: self.token.as_ref(),
            repository: &self.image.repository,
            digest: &self.image.digest,
            predicate_type: (!self.image.signature_suffices).then_some(PROVENANCE),
        };
        let found = patiently(|time| asked.fetch(&self.client, time, self.budget.clone())).await;
        self.recorded(Some(asked.shown()), found)
    }

    async fn ask_registry(&self) -> RecordedStatements {
        let asked = InRegistry {
            image: name_of(&self.image),
            digest: &self.image.digest,
            via_buildkit: self.image.via_buildkit,
            credentials: &self.credentials,
        };
        let found = patiently(|time| asked.fetch(&self.client, time, self.budget.clone())).await;
        self.recorded(asked.shown(), found)
    }

    fn recorded(&self, url: Option<String>, found: Found) -> RecordedStatements {
        found.keep(self.image.image.clone(), url, rfc3339(self.at))
    }
}

/// Bytes that an answer holds.
fn bytes(answer: &RecordedStatements) -> usize {
    let bundles = answer.bundles.iter().map(|bundle| bundle.get().len());
    bundles.chain(answer.documents.iter().map(String::len)).sum()
}

/// What is known of a digest, under this image's name.
fn of_image(known: &RecordedStatements, image: &Sought) -> RecordedStatements {
    RecordedStatements {
        image: image.image.clone(),
        ..known.clone()
    }
}

/// Asks again, as long as that may help and there is time.
async fn patiently<F: Future<Output = Found>>(mut ask: impl FnMut(Duration) -> F) -> Found {
    let schedule = Schedule {
        total: TIME,
        one_attempt: TIME,
        first_pause: Duration::from_millis(500),
        ..Schedule::default()
    };
    let asked = retry(&schedule, jitter, |attempt| {
        let found = ask(attempt.time_left);
        async move {
            let found = found.await;
            match found.problem {
                None => Ok(found),
                Some(_) => Err(Incomplete(found)),
            }
        }
    });
    asked.await.unwrap_or_else(|Incomplete(found)| found)
}

/// What was found before something failed.
struct Incomplete(Found);

impl Heal for Incomplete {
    fn may_heal(&self) -> bool {
        let kind = self.0.problem.as_ref().map(|problem| problem.kind);
        kind == Some(LookupProblemKind::Unreachable)
    }
}
