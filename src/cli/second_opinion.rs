//! What is asked in addition to the evidence: Phala's verification API, and Intel's early set. Neither ever decides for a
//! pass. The answers go into the bundle, so that a replay says the same.

use std::collections::HashMap;

use dcap_qvl::QuoteCollateralV3;
use tokio::task::JoinSet;

use super::args::{Verifier, VerifierArgs};
use super::error::UsageError;
use super::judge;
use super::live::{Ground, Live, raw_collateral};
use super::transport::{Network, parse_url};
use crate::checks::EvidenceGap;
use crate::collateral::{self, Fetched, fetch_early};
use crate::evidence::{Bundle, EarlyRecord, Evidence, RecordedOpinion};
use crate::prove::{Early, Facts, TrustRoot};
use crate::source::PhalaVerifier;

/// How many quotes are with the API at one time.
const AT_ONCE: usize = 8;

/// The early set of a platform; `None` where it is the standard one.
type EarlySet = Option<Result<QuoteCollateralV3, String>>;

/// Whom to ask, and what was answered for all targets.
pub(super) struct SecondOpinions {
    verifier: Option<PhalaVerifier>,
    /// By FMSPC and source of the standard set: one fetch for each.
    early: HashMap<([u8; 6], String), EarlySet>,
    /// What the early set of a source says, by the values that it rates: one verification for each.
    rated: HashMap<([u8; 32], String), Early>,
}

impl SecondOpinions {
    /// Reads the options.
    pub fn new(args: &VerifierArgs) -> Result<Self, UsageError> {
        let verifier = match (args.verifier, &args.phala_api_url) {
            (Verifier::Local, _) => None,
            (Verifier::Both, None) => Some(PhalaVerifier::default_public()),
            (Verifier::Both, Some(text)) => Some(PhalaVerifier::only(&parse_url("--phala-api-url", text)?)),
        };
        Ok(Self {
            verifier,
            early: HashMap::new(),
            rated: HashMap::new(),
        })
    }

    /// Asks about every target whose quote is proven. `None` when the user interrupts.
    pub async fn add(&mut self, ground: &Ground, lives: &mut [Live]) -> Option<()> {
        tokio::select! {
            () = self.ask(ground, lives) => Some(()),
            _ = tokio::signal::ctrl_c() => None,
        }
    }

    async fn ask(&mut self, ground: &Ground, lives: &mut [Live]) {
        for live in lives.iter_mut() {
            self.ask_early(ground, live).await;
        }
        let Some(verifier) = &self.verifier else { return };
        for some in lives.chunks_mut(AT_ONCE) {
            let mut tasks = JoinSet::new();
            for (index, live) in some.iter().enumerate() {
                if let Some(evidence) = proven_evidence(live) {
                    let (verifier, client) = (verifier.clone(), ground.network.client.clone());
                    tasks.spawn(async move {
                        let quote = evidence.attestation.quote.as_bytes();
                        let opinion = verifier.ask(&client, quote).await;
                        (index, evidence, opinion)
                    });
                }
            }
            while let Some(joined) = tasks.join_next().await {
                if let Ok((index, evidence, opinion)) = joined
                    && let Some(live) = some.get_mut(index)
                {
                    change(live, |facts| facts.with_opinion(&evidence, &opinion));
                    if let Some(bundle) = &mut live.bundle {
                        bundle.phala_api = Some(opinion);
                    }
                }
            }
        }
    }

    async fn ask_early(&mut self, ground: &Ground, live: &mut Live) {
        let (Ok(facts), Some(bundle)) = (&live.facts, &live.bundle) else {
            return;
        };
        let (Ok(quote), Some(source)) = (&facts.quote, &live.collateral_source) else {
            return;
        };
        let key = (*quote.fmspc(), source.clone());
        if !self.early.contains_key(&key) {
            let set = early_set(&ground.network, bundle, &key).await;
            self.early.insert(key.clone(), set);
        }
        let Some(Some(set)) = self.early.get(&key) else {
            return;
        };
        let rated = (*quote.rated_by(), source.clone());
        let record = EarlyRecord {
            collateral: set.as_ref().ok().and_then(raw_collateral),
            problem: set.as_ref().err().cloned(),
        };
        let set = set.as_ref().map_err(String::as_str);
        match self.rated.get(&rated) {
            Some(known) => change(live, |facts| facts.with_early_of(known.clone())),
            None => {
                let Some(evidence) = proven_evidence(live) else {
                    return;
                };
                change(live, |facts| facts.with_early(&evidence, set, &ground.root));
                if let Ok(facts) = &live.facts {
                    self.rated.insert(rated, facts.early.clone());
                }
            }
        }
        if let Some(bundle) = &mut live.bundle {
            bundle.early = Some(record);
        }
    }
}

async fn early_set(network: &Network, bundle: &Bundle, (fmspc, source): &([u8; 6], String)) -> EarlySet {
    let text = bundle.collateral.as_ref()?;
    let standard = Fetched {
        collateral: collateral::file::parse(text.get().as_bytes()).ok()?,
        source: source.clone(),
    };
    fetch_early(&network.client, &network.sources, &standard, *fmspc)
        .await
        .map_err(|error| error.to_string())
        .transpose()
}

/// The evidence of a target whose quote is proven.
fn proven_evidence(live: &Live) -> Option<Evidence> {
    live.facts.as_ref().ok()?.quote.as_ref().ok()?;
    live.bundle.as_ref()?.evidence().ok()
}

fn change(live: &mut Live, change: impl FnOnce(Facts) -> Facts) {
    let facts = std::mem::replace(&mut live.facts, Err(judge::crashed()));
    live.facts = facts.map(change);
}

/// What a bundle recorded of all this.
#[derive(Default)]
pub(super) struct Recalled {
    opinion: Option<RecordedOpinion>,
    early: Option<Result<QuoteCollateralV3, String>>,
}

impl Recalled {
    /// Reads it. What cannot be read is as good as not recorded: it could only warn.
    pub fn of(bundle: &Bundle) -> Self {
        let early = bundle.early.as_ref().and_then(|record| match &record.collateral {
            Some(text) => collateral::file::parse(text.get().as_bytes()).ok().map(Ok),
            None => record.problem.clone().map(Err),
        });
        Self {
            opinion: bundle.phala_api.clone(),
            early,
        }
    }

    /// Adds it to the facts of the same evidence.
    pub fn add(
        &self,
        facts: Result<Facts, EvidenceGap>,
        evidence: Result<&Evidence, &EvidenceGap>,
        root: &TrustRoot,
    ) -> Result<Facts, EvidenceGap> {
        let (mut facts, Ok(evidence)) = (facts?, evidence) else {
            return Err(judge::crashed());
        };
        if let Some(set) = &self.early {
            facts = facts.with_early(evidence, set.as_ref().map_err(String::as_str), root);
        }
        if let Some(opinion) = &self.opinion {
            facts = facts.with_opinion(evidence, opinion);
        }
        Ok(facts)
    }
}
