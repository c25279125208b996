//! Fetching collateral: four documents from one source, or the next source.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dcap_qvl::QuoteCollateralV3;
use tokio::time::Instant;

use super::answer;
use super::error::{CollateralError, FetchProblem, SourceFailure};
use super::request::CollateralRequest;
use super::sources::{CollateralPart, CollateralServer, Sources};
use crate::net::retry::{Schedule, retry};
use crate::net::{Client, Limits, Response};
use cvm_verify_core::evidence::MAX_BYTES;
use cvm_verify_core::verify::{TrustRoot, UnusableCollateral, judge_collateral};

/// A complete set, unproven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The documents. `pck_certificate_chain` is absent: the quote carries its own.
    pub collateral: QuoteCollateralV3,
    /// Host that served all of them, for the report.
    pub source: String,
    /// When they were asked for by this machine's clock, Unix seconds.
    pub fetched_at: u64,
    /// Why the set does not serve, where it was judged when it arrived and no source had a better one. It is not kept.
    pub fault: Option<UnusableCollateral>,
}

/// Where to fetch, and how patiently.
#[derive(Debug, Clone, Copy)]
pub struct CollateralFetcher<'a> {
    /// The HTTP client.
    pub client: &'a Client,
    /// PCS and PCCSs, in order.
    pub sources: &'a Sources,
    /// How often to try.
    pub schedule: &'a Schedule,
    /// Whose root certificate a set must chain up to, or else the next source is asked. `None`: nothing is looked at.
    pub root: Option<&'a TrustRoot>,
}

impl CollateralFetcher<'_> {
    /// Asks the sources in order for the collateral of `request`, repeated as the schedule says while a source may recover. `now` is
    /// the time, Unix seconds; `jitter` gives random numbers. With a root certificate, each set is judged when it arrives, and one
    /// that does not serve counts only where no source has one that does, and none recovers: then the first one comes, for the report.
    ///
    /// # Errors
    /// The [`CollateralError`] of the last attempt, with one failure for each source.
    pub async fn fetch(
        &self,
        request: &CollateralRequest,
        now: u64,
        jitter: impl FnMut() -> u32,
    ) -> Result<Fetched, CollateralError> {
        let faulty = Mutex::new(None);
        let fetched = retry(self.schedule, jitter, async |attempt| {
            self.fetch_within(request, now, attempt.time_left, &faulty).await
        })
        .await;
        let faulty = faulty.into_inner().unwrap_or_else(PoisonError::into_inner);
        fetched.or_else(|error| faulty.ok_or(error))
    }

    /// Why a set does not serve at a time, Unix seconds. Nothing is looked at without a root certificate.
    pub(super) fn fault(
        &self,
        collateral: &QuoteCollateralV3,
        request: &CollateralRequest,
        at: u64,
    ) -> Option<UnusableCollateral> {
        judge_collateral(collateral, request.fmspc, self.root?, at).err()
    }

    async fn fetch_within(
        &self,
        request: &CollateralRequest,
        fetched_at: u64,
        time_left: Duration,
        faulty: &Mutex<Option<Fetched>>,
    ) -> Result<Fetched, CollateralError> {
        let started = Instant::now();
        let mut failures = Vec::new();
        for (source, others) in self.sources.iter().zip((1..=self.sources.count()).rev()) {
            // A first source that hangs leaves the others their share of the time.
            let left = time_left.saturating_sub(started.elapsed());
            let limits = Limits::body(MAX_BYTES).within(left / others);
            match from_source(self.client, source, request, &limits).await {
                Ok(collateral) => {
                    let fault = self.fault(&collateral, request, fetched_at);
                    let fetched = Fetched {
                        collateral,
                        source: source.name(),
                        fetched_at,
                        fault,
                    };
                    if fetched.fault.is_none() {
                        return Ok(fetched);
                    }
                    let mut faulty = faulty.lock().unwrap_or_else(PoisonError::into_inner);
                    faulty.get_or_insert(fetched);
                }
                Err(failure) => failures.push(failure),
            }
        }
        Err(CollateralError {
            failures,
            servers: self.sources.servers(),
        })
    }
}

/// All four from one source: sets are signed separately, and mixing two caches could pair an old list with new levels.
async fn from_source(
    client: &Client,
    source: &CollateralServer,
    request: &CollateralRequest,
    limits: &Limits,
) -> Result<QuoteCollateralV3, SourceFailure> {
    let get = async |document| {
        let url = source.url(document, request);
        let answer = client.get(&url, limits).await;
        answer.and_then(Response::ok).map_err(FetchProblem::from)
    };
    // Judged in this order whatever order they arrive in, so that the same fault gives the same report.
    let (tcb_info, qe_identity, pck_crl, root_ca_crl) = tokio::join!(
        get(CollateralPart::TcbInfo),
        get(CollateralPart::QeIdentity),
        get(CollateralPart::PckCrl),
        get(CollateralPart::RootCaCrl),
    );
    let failed = |document| {
        move |cause| SourceFailure {
            source_name: source.name(),
            document,
            cause,
        }
    };
    let tcb_info = tcb_info.map_err(failed(CollateralPart::TcbInfo))?;
    let qe_identity = qe_identity.map_err(failed(CollateralPart::QeIdentity))?;
    let pck_crl = pck_crl.map_err(failed(CollateralPart::PckCrl))?;
    let root_ca_crl = root_ca_crl.map_err(failed(CollateralPart::RootCaCrl))?;

    let all = [&tcb_info, &qe_identity, &pck_crl, &root_ca_crl];
    let sum: usize = all.iter().map(|answer| answer.body.len()).sum();
    if sum > limits.max_body {
        let limit = limits.max_body;
        return Err(failed(CollateralPart::TcbInfo)(FetchProblem::TooLarge { limit }));
    }

    let tcb_info =
        answer::tcb_info(&tcb_info).map_err(|error| failed(CollateralPart::TcbInfo)(error.into()))?;
    let qe_identity = answer::qe_identity(&qe_identity)
        .map_err(|error| failed(CollateralPart::QeIdentity)(error.into()))?;
    let (pck_crl, pck_crl_issuer_chain) =
        answer::pck_crl(&pck_crl).map_err(|error| failed(CollateralPart::PckCrl)(error.into()))?;
    let root_ca_crl =
        answer::crl(&root_ca_crl.body).map_err(|error| failed(CollateralPart::RootCaCrl)(error.into()))?;

    Ok(QuoteCollateralV3 {
        pck_crl_issuer_chain,
        root_ca_crl,
        pck_crl,
        tcb_info_issuer_chain: tcb_info.chain,
        tcb_info: tcb_info.text,
        tcb_info_signature: tcb_info.signature,
        qe_identity_issuer_chain: qe_identity.chain,
        qe_identity: qe_identity.text,
        qe_identity_signature: qe_identity.signature,
        pck_certificate_chain: None,
    })
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
