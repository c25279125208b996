//! `phala-api`: a second opinion on the signature. It never decides for a pass.

use dcap_qvl::TcbStatus;

use super::{Check, Finding, QUOTE_NOT_PROVEN, Reason, Required, proven_quote};
use crate::policy::{Policy, Verifier};
use crate::report::CheckId;
use crate::verify::{Claims, PhalaVerdict};

pub(super) const CHECK: Check = Check {
    id: CheckId::PhalaApi,
    title: "Second opinion",
    proves: "Phala's verification API read the same quote and finds its signature good, too.",
    prevents: "A fault of this program's own. It is an addition: an API that the operator runs is never the judge.",
    reasons: &[
        &DISAGREES,
        &NOT_CONFIGURED,
        &NOT_ASKED,
        &UNREACHABLE,
        &REJECTED,
        &NOT_JSON,
        &MALFORMED_ANSWER,
        &NOT_SUCCESSFUL,
        &ANOTHER_QUOTE,
        &QUOTE_NOT_PROVEN,
    ],
    required: Required::Never,
    is_configured: |policy| policy.verifier == Verifier::Both,
    run,
    ..Check::BASE
};

const DISAGREES: Reason = Reason {
    id: "disagrees",
    means: "The quote verifies here, and Phala's API says that it does not.",
    fix: "One of the two is wrong. Keep the evidence (--evidence), try a third verifier with it, and report what you find.",
};
const NOT_CONFIGURED: Reason = Reason {
    id: "not-configured",
    means: "No other verifier was asked. The quote was verified here, which is what decides.",
    fix: "Nothing. To ask Phala's API in addition: --verifier both (it publishes the quote).",
};
const NOT_ASKED: Reason = Reason {
    id: "not-asked",
    means: "A second opinion is wanted, but the recorded evidence holds none, and a replay sends no request.",
    fix: "Record the evidence with --verifier both, or replay without it.",
};
const UNREACHABLE: Reason = Reason {
    id: "unreachable",
    means: "Phala's verification API did not answer.",
    fix: "Run again later, or without --verifier both: the proof does not rest on it.",
};
const REJECTED: Reason = Reason {
    id: "rejected",
    means: "Phala's verification API would not judge the quote. That says nothing against it.",
    fix: "Run without --verifier both if this stays; the API may not know this form of quote or this TCB status.",
};
const NOT_JSON: Reason = Reason {
    id: "not-json",
    means: "What answered in the place of Phala's verification API is not it: the answer is not JSON.",
    fix: "Look at what is between this machine and the API: a proxy, a portal, a maintenance page.",
};
const MALFORMED_ANSWER: Reason = Reason {
    id: "malformed-answer",
    means: "The answer of Phala's verification API lacks a field, or one has another type: \"true\" is not true.",
    fix: "Update cvm-verify; if the newest version cannot read the answer either, please report it.",
};
const NOT_SUCCESSFUL: Reason = Reason {
    id: "not-successful",
    means: "Phala's verification API says that it did not process the request.",
    fix: "Run again later, or without --verifier both: the proof does not rest on it.",
};
const ANOTHER_QUOTE: Reason = Reason {
    id: "another-quote",
    means: "The answer is about another quote than the one that was sent, whatever it says of it.",
    fix: "Run again. If this stays, a party between this machine and the API changes or stores answers.",
};

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let quote = match proven_quote(claims) {
        Ok(quote) => quote,
        Err(finding) => return finding,
    };
    match &claims.opinion {
        PhalaVerdict::NotAsked if policy.verifier == Verifier::Local => {
            Finding::skip(&NOT_CONFIGURED, "No other verifier was asked.")
        }
        PhalaVerdict::NotAsked => Finding::error(
            &NOT_ASKED,
            "Not determined: the evidence holds no second opinion.",
        ),
        PhalaVerdict::Verified(true) => {
            Finding::pass("Phala's API read the same quote and finds its signature good, too.")
        }
        PhalaVerdict::Verified(false) => Finding::fail(
            &DISAGREES,
            "The quote verifies here; Phala's API read the same quote and says that it does not.",
        )
        .comparing("verified: true", "verified: false"),
        // It has no words of its own for a platform that is behind, which a dated exception may accept here.
        PhalaVerdict::Refused(said) if quote.tcb().status != TcbStatus::UpToDate => Finding::error(
            &REJECTED,
            format!("Phala's API refuses the quote ({said}), perhaps for its TCB status."),
        ),
        PhalaVerdict::Refused(said) => Finding::fail(
            &DISAGREES,
            format!("The quote verifies here; Phala's API refuses it: {said}."),
        ),
        PhalaVerdict::Unreachable(problem) => {
            Finding::error(&UNREACHABLE, format!("Phala's API did not answer: {problem}."))
        }
        PhalaVerdict::Rejected(said) => Finding::error(
            &REJECTED,
            format!("Phala's API would not judge the quote: {said}."),
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
