//! `phala-api`: a second opinion on the signature. It never decides for a pass.

use crate::checks::known;
use dcap_qvl::TcbStatus;

use super::{Check, Finding, QUOTE_NOT_PROVEN, Required, proven_quote, reasons};
use crate::policy::{Policy, Verifier};
use crate::report::CheckId;
use crate::verify::{Claims, PhalaVerdict};

pub(super) const CHECK: Check = Check {
    id: CheckId::PhalaApi,
    title: "Second opinion",
    proves: "Phala's verification API read the same quote and finds its signature good, too.",
    prevents: "A fault in this program. It is only an additional check: the API, which the operator runs, never decides for a \
               pass.",
    reasons: REASONS,
    required: Required::Never,
    is_configured: |policy| policy.verifier == Verifier::Both,
    run,
    ..Check::BASE
};

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    DISAGREES "disagrees"
        "The quote verifies here, and Phala's API says that it does not. You asked for its word, so it keeps the run from \
         passing; nothing else speaks against the deployment or its host."
        "One of the two is wrong: keep the evidence (--evidence), try a third verifier with it, and report what you find. To \
         decide without the API's word, leave out --verifier both.";
    NOT_CONFIGURED "not-configured"
        "No other verifier was asked. This program verified the quote, and its result decides."
        "Nothing. To ask Phala's API in addition: --verifier both (it publishes the quote).";
    NOT_ASKED "not-asked"
        "A second opinion is requested, but the recorded evidence contains none, and a replay sends no request."
        "Record the evidence with --verifier both, or replay without it.";
    UNREACHABLE "unreachable"
        "Phala's verification API did not answer."
        "Run again later, or without --verifier both: the proof does not depend on it.";
    REJECTED "rejected"
        "Phala's verification API did not verify the quote. That is not evidence against the quote."
        "Run without --verifier both if this stays; the API may not know this form of quote or this TCB status.";
    NOT_JSON "not-json"
        "The answer is not JSON: another server may have answered instead of Phala's verification API."
        "Check whether a proxy, a captive portal or a maintenance page answers instead of the API.";
    MALFORMED_ANSWER "malformed-answer"
        "The answer of Phala's verification API lacks a field, or one has another type: \"true\" is not true."
        "Update cvm-verify; if the newest version cannot read the answer either, please report it.";
    NOT_SUCCESSFUL "not-successful"
        "Phala's verification API says that it did not process the request."
        "Run again later, or without --verifier both: the proof does not depend on it.";
    ANOTHER_QUOTE "another-quote"
        "The answer is about another quote than the one that was sent, so its result does not count."
        "Run again. If this stays, the API, or a cache or proxy in front of it, returns answers about other quotes.";
}

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let quote = known!(proven_quote(claims));
    match &claims.phala_verdict {
        PhalaVerdict::NotAsked if policy.verifier == Verifier::Local => {
            Finding::skip(&NOT_CONFIGURED, "No other verifier was asked.")
        }
        PhalaVerdict::NotAsked => Finding::error(
            &NOT_ASKED,
            "Not determined: the evidence contains no second opinion.",
        ),
        PhalaVerdict::Verified(true) => {
            Finding::pass("Phala's API read the same quote and finds its signature good, too.")
        }
        PhalaVerdict::Verified(false) => Finding::fail(
            &DISAGREES,
            "Only on the word of Phala's API: the quote verifies here, and the API read the same quote and says that it does not.",
        )
        .comparing("verified: true", "verified: false"),
        // It has no words of its own for a platform that is behind, which a dated exception may accept here.
        PhalaVerdict::Refused(said) if quote.tcb().status != TcbStatus::UpToDate => Finding::error(
            &REJECTED,
            format!("Phala's API refuses the quote ({said}), perhaps for its TCB status."),
        ),
        PhalaVerdict::Refused(said) => Finding::fail(
            &DISAGREES,
            format!("Only on the word of Phala's API: the quote verifies here, and the API refuses it: {said}."),
        ),
        PhalaVerdict::Unreachable(problem) => {
            Finding::error(&UNREACHABLE, format!("Phala's API did not answer: {problem}."))
        }
        PhalaVerdict::Rejected(said) => Finding::error(
            &REJECTED,
            format!("Phala's API did not verify the quote: {said}."),
        ),
        PhalaVerdict::NotJson(problem) => {
            Finding::error(&NOT_JSON, format!("No answer of Phala's API: {problem}."))
        }
        PhalaVerdict::Malformed(problem) => Finding::error(
            &MALFORMED_ANSWER,
            format!("The answer cannot be read: {problem}."),
        ),
        PhalaVerdict::NotSuccessful => Finding::error(
            &NOT_SUCCESSFUL,
            "Phala's API says that it did not process the request.",
        ),
        PhalaVerdict::AnotherQuote(field) => Finding::error(
            &ANOTHER_QUOTE,
            format!("The answer of Phala's API is about another quote: `{field}` differs."),
        ),
    }
}
