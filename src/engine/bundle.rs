//! The bundle of an answer.

use dcap_qvl::QuoteCollateralV3;
use serde_json::value::RawValue;

use super::answer::EvidenceAnswer;
use super::collected::EvidenceRequest;
use crate::collateral;
use crate::source::NOT_JSON_BYTES;
use cvm_verify_core::evidence::{Bundle, BundleSource, Evidence, EvidenceError, TlsRecord};
use cvm_verify_core::verify::spki_sha256;

pub(super) fn bundle(
    asked: EvidenceRequest<'_>,
    answer: &EvidenceAnswer,
    collateral: Option<&collateral::Fetched>,
    at: u64,
) -> Option<Bundle> {
    let verbatim = |body: &[u8]| RawValue::from_string(std::str::from_utf8(body).ok()?.to_owned()).ok();
    // What /info shows is in the bundle once.
    let is_shown = answer.evidence.as_ref().is_ok_and(Evidence::shows_the_copy);
    let compose_file = asked.compose_file.filter(|_| !is_shown);
    let from = BundleSource {
        kind: asked.source.kind().to_owned(),
        url: Some(asked.source.url().to_owned()),
    };
    Some(Bundle {
        nonce: answer.nonce,
        info: answer.info.as_deref().and_then(|info| {
            verbatim(info)
                .filter(|info| info.get() != "null")
                .or_else(|| as_string(info))
        }),
        info_problem: unanswered_info(answer),
        collateral: collateral.and_then(|fetched| raw_collateral(&fetched.collateral)),
        collateral_source: collateral.map(|fetched| fetched.source.clone()),
        collateral_fetched_at: collateral.map(|fetched| fetched.fetched_at),
        app_compose: compose_file.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()),
        gpu: answer.gpu.clone(),
        tls: answer
            .tls
            .as_ref()
            .map(|session| TlsRecord::of(session, spki_sha256(session.chain.leaf()))),
        ..Bundle::new(at, from, verbatim(&answer.attestation)?)
    })
}

/// Why there was no answer to the question for the information, if that is not that there is none.
fn unanswered_info(answer: &EvidenceAnswer) -> Option<String> {
    match answer.evidence.as_ref().ok()?.info_problem.as_ref()? {
        EvidenceError::Unanswered { problem } => Some(problem.clone()),
        _ => None,
    }
}

/// A body that is not JSON, or `null`, which is no body in a bundle, as a JSON string: a replay must find it as unusable as the run did.
fn as_string(body: &[u8]) -> Option<Box<RawValue>> {
    let start = body.get(..NOT_JSON_BYTES).unwrap_or(body);
    let text = serde_json::to_string(&String::from_utf8_lossy(start)).ok()?;
    RawValue::from_string(text).ok()
}

pub(crate) fn raw_collateral(collateral: &QuoteCollateralV3) -> Option<Box<RawValue>> {
    let text = serde_json::to_string(&cvm_verify_core::evidence::collateral::document(collateral)).ok()?;
    RawValue::from_string(text).ok()
}
