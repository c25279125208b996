//! Who built the images of a proven compose document: looked up where the rules say, each image and repository once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::jitter::jitter;
use super::{Collected, Computation, TimeLimits};
use crate::net::retry::{Heal, Schedule, retry};
use crate::net::{Client, Secret};
use crate::source::github_attestations::{API, Attestations};
use crate::source::registry::{InRegistry, RegistryCredentials};
use crate::source::{Found, NO_TIME, StatementBudget, TIME};
use cvm_verify_core::checks::{Sought, met_by_provenance, sought_sources, statements_of_files, still_sought};
use cvm_verify_core::evidence::{LookupProblem, LookupProblemKind, RecordedStatements, StatementSource};
use cvm_verify_core::policy::{Policy, SourcePolicy, normal_name};
use cvm_verify_core::report::rfc3339;
use cvm_verify_core::verify::provenance::PROVENANCE;
use cvm_verify_core::verify::{Claims, verify_statements};

/// How many images of a deployment are looked up at one time.
const AT_ONCE: usize = 10;
/// How long all look-ups of a deployment may take: 2 minutes.
const ALL_LOOKUPS: Duration = Duration::from_secs(120);
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

/// What is known of a question. Another task that wants the same waits.
type Slot = Arc<tokio::sync::Mutex<KnownAnswer>>;

/// What was answered to a question.
#[derive(Default)]
struct KnownAnswer {
    /// What answered a rule.
    statements: Option<RecordedStatements>,
    /// What was answered in whole, and in which round, where a signature from elsewhere had met the rule already: provenance is sought
    /// once in a round, and not by each target.
    of_round: Option<(u64, RecordedStatements)>,
    /// Why there was no answer, and in which round.
    failed: Option<(u64, LookupProblem)>,
}

impl KnownAnswer {
    /// What was answered in this round.
    fn of_round(&self, round: u64) -> Option<&RecordedStatements> {
        let (of, known) = self.of_round.as_ref()?;
        (*of == round).then_some(known)
    }
}

/// What the look-ups of one deployment may take.
#[derive(Debug, Clone)]
pub struct LookupLimits {
    ends: Instant,
    budget: StatementBudget,
}

impl LookupLimits {
    /// Of look-ups that begin now: a part of this time, and the memory of one deployment.
    #[must_use]
    pub fn of(time: TimeLimits) -> Self {
        Self {
            ends: time.ends(ALL_LOOKUPS),
            budget: StatementBudget::default(),
        }
    }
}

/// Whom to ask, and what was answered in this run.
pub struct StatementLookups {
    api: Option<Url>,
    token: Option<Secret>,
    credentials: RegistryCredentials,
    round: AtomicU64,
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
            round: AtomicU64::default(),
            answers: Mutex::default(),
            remembered: Arc::default(),
        }
    }

    /// Begins a round: what failed before it is asked for again.
    pub(crate) fn new_round(&self) {
        self.round.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds what is found about the images of a deployment whose compose document is proven.
    pub(super) async fn add(
        &self,
        client: &Client,
        computation: &Computation,
        collected: Collected,
        policy: &Arc<Policy>,
        limits: &LookupLimits,
    ) -> Collected {
        if policy.sources.rules.is_empty() || collected.claims.is_err() {
            return collected;
        }
        let seeking = Arc::clone(policy);
        let seek = move || {
            let policy = &seeking.sources;
            let sought = collected.claims().map(|claims| sought_sources(claims, policy));
            let sought = sought.unwrap_or_default();
            let recorded = statements_of_files(&sought, &policy.files, collected.at);
            let missing = still_sought(sought, &recorded, policy, collected.at);
            (missing, recorded, collected)
        };
        let (missing, mut recorded, mut collected) = computation.run(seek).await;
        // Without a bundle, what was found is dropped before the next instance is looked up.
        let mut limits = limits.clone();
        if collected.bundle.is_none() {
            limits.budget = StatementBudget::default();
        }
        let found = self.look_up(
            client,
            computation,
            missing,
            &policy.sources,
            collected.at,
            limits,
        );
        recorded.extend(found.await);
        let (recorded, verifying) = (Arc::new(recorded), Arc::clone(policy));
        let found = Arc::clone(&recorded);
        let change = move |claims: Claims| claims.with_statements(&found, &verifying.sources.roots);
        collected.change_by(computation, change).await;
        if let Some(bundle) = &mut collected.bundle {
            bundle.provenance = Arc::unwrap_or_clone(recorded);
        }
        collected
    }

    /// What GitHub and the registries have about these images, at a time (Unix seconds), as far as the limits of the deployment
    /// permit. One source after the other is asked, until each rule is answered.
    pub async fn look_up(
        &self,
        client: &Client,
        computation: &Computation,
        sought: Vec<Sought>,
        policy: &SourcePolicy,
        at: u64,
        limits: LookupLimits,
    ) -> Vec<RecordedStatements> {
        let policy = Arc::new(policy.clone());
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
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
                computation: computation.clone(),
                api: self.api.clone(),
                token: self.token.clone(),
                credentials: self.credentials.clone(),
                at_once: Arc::clone(&at_once),
                round: self.round.load(Ordering::Relaxed),
                image,
                policy: Arc::clone(&policy),
                at,
                limits: limits.clone(),
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
    computation: Computation,
    api: Option<Url>,
    token: Option<Secret>,
    credentials: RegistryCredentials,
    at_once: Arc<Semaphore>,
    image: Sought,
    policy: Arc<SourcePolicy>,
    /// Unix seconds.
    at: u64,
    limits: LookupLimits,
    round: u64,
    remembered: Arc<AtomicUsize>,
}

impl OneImage {
    /// Asks one source after the other, until the rule of the image is answered. A statement of another signer or of another kind ends
    /// nothing: the next source may have the right one.
    async fn look_up(&self, slots: Vec<(StatementSource, Slot)>) -> Vec<RecordedStatements> {
        let mut answers = Vec::new();
        let mut is_met = false;
        for (from, slot) in slots {
            let turn = async { (self.at_once.acquire().await, slot.lock().await) };
            let Ok((_permit, mut slot)) = timeout_at(self.limits.ends, turn).await else {
                answers.push(self.without_time(from));
                continue;
            };
            let remembered = match is_met {
                true => slot
                    .of_round(self.round)
                    .map(|known| of_image(known, &self.image)),
                false => self.remembered_for(&answers, &slot).await,
            };
            let (answer, is_new) = match remembered {
                Some(known) => (self.held(known), false),
                None => (self.ask_once(from, &mut slot).await, true),
            };
            if is_met && is_new && answer.problem.is_none() {
                slot.of_round = Some((self.round, answer.clone()));
                self.remembered.fetch_add(bytes(&answer), Ordering::Relaxed);
            }
            let is_whole = answer.problem.is_none() && !answer.bundles.is_empty();
            answers.push(answer);
            if !is_whole {
                continue;
            }
            let met;
            (answers, met) = self.met_by(answers).await;
            // What is not there yet and what is not the right one is asked for again.
            if is_new && (met == Some(true) || met.is_some() && !is_met) {
                slot.statements = answers.last().cloned();
                let bytes = slot.statements.as_ref().map_or(0, bytes);
                self.remembered.fetch_add(bytes, Ordering::Relaxed);
            }
            is_met = met.is_some();
            if met == Some(true) {
                break;
            }
        }
        answers
    }

    /// What is remembered, where it meets the rule: it met that of another target, or one that was written otherwise.
    async fn remembered_for(
        &self,
        answers: &[RecordedStatements],
        slot: &KnownAnswer,
    ) -> Option<RecordedStatements> {
        let known = of_image(slot.statements.as_ref()?, &self.image);
        let with = answers.iter().chain([&known]).cloned().collect();
        self.met_by(with).await.1.is_some().then_some(known)
    }

    /// The answers, and whether they meet the rule of the image by provenance.
    async fn met_by(&self, answers: Vec<RecordedStatements>) -> (Vec<RecordedStatements>, Option<bool>) {
        let (policy, at, image) = (Arc::clone(&self.policy), self.at, self.image.image.clone());
        let judge = move || {
            let statements = verify_statements(&answers, &policy.roots, at);
            let met = met_by_provenance(&image, &statements, &policy);
            (answers, met)
        };
        self.computation.run(judge).await
    }

    /// What is remembered, if the deployment may hold it, too.
    fn held(&self, known: RecordedStatements) -> RecordedStatements {
        match self.limits.budget.take(known.from, bytes(&known)) {
            Ok(held) => {
                held.forget();
                known
            }
            Err(problem) => self.recorded(known.url, Found::failed(known.from, problem)),
        }
    }

    /// Asks, unless nobody answered in this round. An answer that came in part may be enough for another rule: it is asked for again.
    async fn ask_once(&self, from: StatementSource, slot: &mut KnownAnswer) -> RecordedStatements {
        if let Some((round, problem)) = &slot.failed
            && *round == self.round
        {
            return self.recorded(self.shown(from), Found::failed(from, problem.clone()));
        }
        if self.limits.ends <= Instant::now() {
            return self.without_time(from);
        }
        // With less, another deployment may get an answer.
        let had_time = self.limits.ends >= Instant::now() + TIME;
        let answer = self.ask(from).await;
        let is_gone = |problem: &&LookupProblem| {
            let of_a_server = [LookupProblemKind::Unreachable, LookupProblemKind::RateLimited];
            had_time && of_a_server.contains(&problem.kind) && answer.bundles.is_empty()
        };
        let failed = answer.problem.as_ref().filter(is_gone);
        slot.failed = failed.map(|problem| (self.round, problem.clone()));
        answer
    }

    fn without_time(&self, from: StatementSource) -> RecordedStatements {
        let problem = LookupProblem {
            kind: LookupProblemKind::Unreachable,
            detail: format!("{}: {NO_TIME}", from.words()),
        };
        self.recorded(self.shown(from), Found::failed(from, problem))
    }

    /// The address that is asked.
    fn shown(&self, from: StatementSource) -> Option<String> {
        match from {
            StatementSource::Registry => self.in_registry().shown(),
            _ => Some(self.at_github(self.api.as_ref()?).shown()),
        }
    }

    async fn ask(&self, from: StatementSource) -> RecordedStatements {
        let budget = &self.limits.budget;
        let found = match (from, &self.api) {
            (StatementSource::Registry, _) => {
                let asked = self.in_registry();
                self.patiently(|time| asked.fetch(&self.client, time, budget.clone()))
                    .await
            }
            (_, Some(api)) => {
                let asked = self.at_github(api);
                self.patiently(|time| asked.fetch(&self.client, time, budget.clone()))
                    .await
            }
            (_, None) => Found::new(from, budget.clone()),
        };
        self.recorded(self.shown(from), found)
    }

    fn at_github<'a>(&'a self, api: &'a Url) -> Attestations<'a> {
        Attestations {
            api,
            token: self.token.as_ref(),
            repository: &self.image.repository,
            digest: &self.image.digest,
            predicate_type: (!self.image.signature_suffices).then_some(PROVENANCE),
        }
    }

    fn in_registry(&self) -> InRegistry<'_> {
        InRegistry {
            image: name_of(&self.image),
            digest: &self.image.digest,
            via_buildkit: self.image.via_buildkit,
            credentials: &self.credentials,
        }
    }

    /// Asks again, as long as that may help and there is time.
    async fn patiently<F: Future<Output = Found>>(&self, mut ask: impl FnMut(Duration) -> F) -> Found {
        let left = self.limits.ends.saturating_duration_since(Instant::now());
        let schedule = Schedule {
            total: TIME.min(left),
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

/// What was found before something failed.
struct Incomplete(Found);

impl Heal for Incomplete {
    fn may_heal(&self) -> bool {
        let kind = self.0.problem.as_ref().map(|problem| problem.kind);
        kind == Some(LookupProblemKind::Unreachable)
    }
}
