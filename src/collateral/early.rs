//! Intel's early set: the TCB info and QE identity that become the standard ones in some weeks.

use std::time::Duration;

use dcap_qvl::QuoteCollateralV3;
use serde::Deserialize;

use super::answer;
use super::error::{FetchProblem, SourceFailure};
use super::fetch::Fetched;
use super::sources::{CollateralPart, Sources};
use crate::net::{Client, Limits, Response};
use cvm_verify_core::evidence::MAX_BYTES;

/// Nothing waits longer for a forecast: 10 s for both documents.
const TOTAL: Duration = Duration::from_secs(10);

/// Asks the source of the standard set for the early one of the same platform, once. `None`: there is no other set than
/// the standard one. The revocation lists are those of the standard set.
///
/// # Errors
/// Why it cannot be had. A forecast is missing then, and nothing else.
pub async fn fetch_early(
    client: &Client,
    sources: &Sources,
    standard: &Fetched,
    fmspc: [u8; 6],
) -> Result<Option<QuoteCollateralV3>, SourceFailure> {
    let failed = |document| {
        move |cause| SourceFailure {
            source_name: standard.source.clone(),
            document,
            cause,
        }
    };
    let Some(source) = sources.iter().find(|source| source.name() == standard.source) else {
        return Ok(None);
    };
    let limits = Limits::body(MAX_BYTES).within(TOTAL);
    let get = async |document| {
        let answer = client.get(&source.early_url(document, fmspc), &limits).await;
        answer.and_then(Response::ok).map_err(FetchProblem::from)
    };
    let (tcb_info, qe_identity) = tokio::join!(get(CollateralPart::TcbInfo), get(CollateralPart::QeIdentity));
    let tcb_info = tcb_info
        .and_then(|answer| Ok(answer::tcb_info(&answer)?))
        .map_err(failed(CollateralPart::TcbInfo))?;
    let qe_identity = qe_identity
        .and_then(|answer| Ok(answer::qe_identity(&answer)?))
        .map_err(failed(CollateralPart::QeIdentity))?;
    let known = &standard.collateral;
    if evaluation_number(&tcb_info.text) == evaluation_number(&known.tcb_info)
        && evaluation_number(&qe_identity.text) == evaluation_number(&known.qe_identity)
    {
        return Ok(None);
    }
    Ok(Some(QuoteCollateralV3 {
        tcb_info_issuer_chain: tcb_info.chain,
        tcb_info: tcb_info.text,
        tcb_info_signature: tcb_info.signature,
        qe_identity_issuer_chain: qe_identity.chain,
        qe_identity: qe_identity.text,
        qe_identity_signature: qe_identity.signature,
        ..known.clone()
    }))
}

/// The evaluation data number that a document claims. It only saves a verification that would say the same.
pub(super) fn evaluation_number(document: &str) -> Option<u32> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Number {
        tcb_evaluation_data_number: u32,
    }
    serde_json::from_str::<Number>(document)
        .ok()
        .map(|document| document.tcb_evaluation_data_number)
}
