//! What somebody else says of the same quote (T16). It never makes anything pass: the quote is proven before it is asked
//! about, and what is compared is what we read in the bytes ourselves.

use super::QuoteLayout;
use super::digest::sha256;
use crate::evidence::{
    BODY_FIELDS, EvidenceError, PhalaAnswer, PhalaQuote, QuoteBytes, RecordedPhalaAnswer, error_detail,
};

/// What Phala's verification API says of the quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhalaVerdict {
    /// It was not asked.
    NotAsked,
    /// It did not answer, or with a status that says nothing of the quote.
    Unreachable(String),
    /// It could not or would not read the quote.
    Rejected(String),
    /// It says that the verification failed, and shows nothing that it read.
    Refused(String),
    /// The answer is no JSON: a page of somebody in between.
    NotJson(String),
    /// The answer lacks a field, or one has another type.
    Malformed(String),
    /// It says itself that it did not process the request.
    NotSuccessful,
    /// The answer is about another quote: the field that differs.
    AnotherQuote(&'static str),
    /// The answer is about this quote, and says whether its signature holds.
    Verified(bool),
}

/// The words with which the API says that a signature does not hold (phala-docs, `phala-cloud-api/attestations.mdx`).
const VERIFICATION_FAILED: &str = "Quote verification failed";

/// Reads an answer about a quote.
pub(super) fn verdict_of(recorded: &RecordedPhalaAnswer, quote: &QuoteBytes) -> PhalaVerdict {
    let host = &recorded.host;
    let (Some(status), Some(body)) = (recorded.status, &recorded.body) else {
        let problem = recorded.problem.as_deref().unwrap_or("there was no answer");
        return PhalaVerdict::Unreachable(format!("{host}: {problem}"));
    };
    match status {
        200 => match PhalaAnswer::parse(body) {
            Ok(answer) => compare(&answer, quote),
            Err(error @ EvidenceError::NotJson { .. }) => PhalaVerdict::NotJson(error.to_string()),
            Err(error) => PhalaVerdict::Malformed(error.to_string()),
        },
        400 | 413 | 422 => match error_detail(body) {
            Some(detail) if status == 400 && detail == VERIFICATION_FAILED => PhalaVerdict::Refused(detail),
            Some(detail) => PhalaVerdict::Rejected(format!("status {status}, {detail}")),
            None => PhalaVerdict::Rejected(format!("status {status}")),
        },
        _ => PhalaVerdict::Unreachable(format!("{host} answered with status {status}")),
    }
}

fn compare(answer: &PhalaAnswer, quote: &QuoteBytes) -> PhalaVerdict {
    if !answer.success {
        return PhalaVerdict::NotSuccessful;
    }
    let Some(theirs) = &answer.quote else {
        return PhalaVerdict::Malformed("the answer of Phala's API shows no quote".to_owned());
    };
    match difference(answer, theirs, quote) {
        Some(field) => PhalaVerdict::AnotherQuote(field),
        None => PhalaVerdict::Verified(theirs.verified),
    }
}

/// The first field in which the API read something else than is in the bytes that it was sent.
fn difference(answer: &PhalaAnswer, theirs: &PhalaQuote, quote: &QuoteBytes) -> Option<&'static str> {
    let bytes = quote.as_bytes();
    if answer.checksum.is_some_and(|checksum| checksum != sha256(bytes)) {
        return Some("checksum");
    }
    if theirs.tee_type != "TEE_TDX" {
        return Some("tee_type");
    }
    let Ok(layout) = QuoteLayout::of(bytes) else {
        return Some("header");
    };
    let body = bytes.get(layout.body..).unwrap_or_default();
    BODY_FIELDS
        .iter()
        .zip(&theirs.fields)
        .find(|((_, offset, length), theirs)| body.get(*offset..offset + length) != Some(theirs.as_slice()))
        .map(|((name, _, _), _)| *name)
}
