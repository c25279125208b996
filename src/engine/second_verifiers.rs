//! What is asked in addition to the evidence: Phala's verification API, and Intel's early set. Neither ever decides for a
//! pass. The answers go into the bundle, so that a replay says the same.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dcap_qvl::QuoteCollateralV3;
use tokio::sync::Semaphore;
use tokio::time::timeout_at;

use super::TimeLimits;
use super::bundle::raw_collateral;
use super::collected::Collected;
use crate::collateral::{Fetched, Sources, fetch_early};
use crate::net::Client;
use crate::source::{Nras, PhalaVerifier};
use cvm_verify_core::evidence::{EarlyRecord, Evidence, EvidenceError};
use cvm_verify_core::policy::Verifier;
use cvm_verify_core::verify::age::Age;
use cvm_verify_core::verify::gpu::NrasIntermediates;
use cvm_verify_core::verify::{EarlyTcb, SignatureCache, TrustRoot};

/// How long one of them may take for one target, all its requests together: 90 s.
const ALL_ANSWERS: Duration = Duration::from_secs(90);

/// How many quotes are with the API at one time.
const AT_ONCE: usize = 8;

/// How long an early set is used again, seconds: a day. It forecasts weeks.
const EARLY_SECONDS: u64 = 24 * 60 * 60;

/// How long a failure to have it is remembered, seconds: an hour.
const EARLY_FAILURE_SECONDS: u64 = 60 * 60;

/// The early set of a platform; `None` where it is the standard one.
type EarlySet = Option<Result<QuoteCollateralV3, String>>;

/// An FMSPC, and the source of the standard set.
type PlatformAtSource = ([u8; 6], String);

/// The early set of a platform, once it was asked for, and when that was, Unix seconds. Anyone who wants it meanwhile waits.
type EarlyEntry = Arc<tokio::sync::Mutex<Option<(u64, EarlySet)>>>;

/// What the early set of a source says of the values that it rates, and the time of that set.
type Ratings = HashMap<([u8; 32], String), (u64, EarlyTcb)>;

/// How to ask.
#[derive(Clone, Copy)]
pub(super) struct Asking<'a> {
    pub client: &'a Client,
    pub sources: &'a Sources,
    pub root: &'a TrustRoot,
    pub signatures: &'a SignatureCache,
    pub nras_intermediates: &'a NrasIntermediates,
    /// The clock, Unix seconds.
    pub now: fn() -> u64,
}

/// Whom to ask, and what was answered so far.
pub struct SecondVerifiers {
    /// Nobody is asked: the result is only shown.
    none: bool,
    verifier: Option<PhalaVerifier>,
    /// NVIDIA's remote attestation service.
    nras: Option<Nras>,
    at_once: Semaphore,
    /// One fetch for each platform and source.
    early: Mutex<HashMap<PlatformAtSource, EarlyEntry>>,
    /// One verification for each set of values that Intel rates.
    rated: Mutex<Ratings>,
}

impl SecondVerifiers {
    /// Asks Intel's early set for forecasts, and this verification API where one is given.
    #[must_use]
    pub fn new(verifier: Option<PhalaVerifier>) -> Self {
        Self {
            none: false,
            verifier,
            ..Self::none()
        }
    }

    /// Who verifies.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        match self.verifier {
            Some(_) => Verifier::Both,
            None => Verifier::Local,
        }
    }

    /// Asks nobody.
    #[must_use]
    pub fn none() -> Self {
        Self {
            none: true,
            verifier: None,
            nras: None,
            at_once: Semaphore::new(AT_ONCE),
            early: Mutex::default(),
            rated: Mutex::default(),
        }
    }

    /// Asks about a target whose quote is proven with this collateral.
    pub(super) async fn add(
        &self,
        asking: Asking<'_>,
        collected: Collected,
        evidence: &Result<Evidence, EvidenceError>,
        collateral: Option<Arc<Fetched>>,
        time: TimeLimits,
    ) -> Collected {
        let proven = collected.claims.as_ref().is_ok_and(|claims| claims.quote.is_ok());
        let (Ok(evidence), Some(collateral), true) = (evidence, collateral, proven && !self.none) else {
            return collected;
        };
        let collected = self.ask_early(asking, collected, evidence, &collateral).await;
        let collected = self.ask_nras(asking, collected, time).await;
        self.ask_api(asking.client, collected, evidence, time).await
    }

    /// Also asks NVIDIA's attestation service about GPUs, if one is given.
    #[must_use]
    pub fn with_nras(self, nras: Option<Nras>) -> Self {
        Self { nras, ..self }
    }

    /// Whether NVIDIA's attestation service is asked.
    #[must_use]
    pub const fn asks_nras(&self) -> bool {
        self.nras.is_some()
    }

    /// Only reports of devices that are verified and answered this run are sent.
    async fn ask_nras(&self, asking: Asking<'_>, mut collected: Collected, time: TimeLimits) -> Collected {
        let ends = time.ends(ALL_ANSWERS);
        let claims = collected.claims.as_ref().ok();
        let (Some(nras), Some((nonce, reports))) =
            (&self.nras, claims.and_then(|claims| claims.gpu.for_nras()))
        else {
            return collected;
        };
        let _permit = timeout_at(ends, self.at_once.acquire()).await;
        let mut recorded = nras.ask(asking.client, &nonce, &reports, ends).await;
        recorded.answered_at = Some((asking.now)());
        collected.change(|claims| claims.with_nras(&recorded, asking.nras_intermediates));
        if let Some(bundle) = &mut collected.bundle {
            bundle.gpu.get_or_insert_default().nras = Some(recorded);
        }
        collected
    }

    async fn ask_api(
        &self,
        client: &Client,
        mut collected: Collected,
        evidence: &Evidence,
        time: TimeLimits,
    ) -> Collected {
        let ends = time.ends(ALL_ANSWERS);
        let Some(verifier) = &self.verifier else {
            return collected;
        };
        let _permit = timeout_at(ends, self.at_once.acquire()).await;
        let quote = evidence.attestation.quote.as_bytes();
        let answer = verifier.ask(client, quote, ends).await;
        collected.change(|claims| claims.with_phala_verdict(evidence, &answer));
        if let Some(bundle) = &mut collected.bundle {
            bundle.phala_api = Some(answer);
        }
        collected
    }

    async fn ask_early(
        &self,
        asking: Asking<'_>,
        mut collected: Collected,
        evidence: &Evidence,
        standard: &Fetched,
    ) -> Collected {
        let quote = collected.claims().and_then(|claims| claims.quote.as_ref().ok());
        let Some((fmspc, rated_by)) = quote.map(|quote| (*quote.fmspc(), *quote.rated_by())) else {
            return collected;
        };
        let entry = Arc::clone(
            locked(&self.early)
                .entry((fmspc, standard.source.clone()))
                .or_default(),
        );
        let mut entry = entry.lock().await;
        let now = collected.at;
        let (at, set) = match entry.take() {
            Some((at, set)) if !Age::of(at, now).reaches(kept_for(&set)) => (at, set),
            _ => (now, early_set(asking, standard, fmspc).await),
        };
        let (at, set) = entry.insert((at, set));
        let Some(set) = set else {
            return collected;
        };
        let set_of_bundle = collected.bundle.is_some().then(|| EarlyRecord {
            collateral: set.as_ref().ok().and_then(raw_collateral),
            problem: set.as_ref().err().cloned(),
        });
        let rated = (rated_by, standard.source.clone());
        let known = locked(&self.rated)
            .get(&rated)
            .filter(|(rated_at, _)| rated_at == at)
            .map(|(_, early)| early.clone());
        match known {
            Some(early) => collected.change(|claims| claims.with_early_of(early)),
            None => {
                let set = set.as_ref().map_err(String::as_str);
                collected.change(|claims| claims.with_early(evidence, set, asking.root, asking.signatures));
                if let Ok(claims) = &collected.claims {
                    locked(&self.rated).insert(rated, (*at, claims.early.clone()));
                }
            }
        }
        if let Some(bundle) = &mut collected.bundle {
            bundle.early = set_of_bundle;
        }
        collected
    }
}

fn kept_for(set: &EarlySet) -> u64 {
    match set {
        Some(Err(_)) => EARLY_FAILURE_SECONDS,
        _ => EARLY_SECONDS,
    }
}

/// A panic while a map was locked leaves the map as it was.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn early_set(asking: Asking<'_>, standard: &Fetched, fmspc: [u8; 6]) -> EarlySet {
    fetch_early(asking.client, asking.sources, standard, fmspc)
        .await
        .map_err(|error| error.to_string())
        .transpose()
}
