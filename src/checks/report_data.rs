//! `report-data`: what stands beside the quote, and what the user expects inside it.

use super::{Check, Finding, QUOTE_NOT_PROVEN, Reason, proven_quote};
use crate::config::Policy;
use crate::prove::{Echo, Facts};
use crate::report::CheckId;

pub(super) const CHECK: Check = Check {
    id: CheckId::ReportData,
    title: "Report data",
    proves: "The report data shown beside the quote, and the one you expect, is the one that was signed.",
    prevents: "A JSON answer that shows a fresh nonce beside an old quote.",
    reasons: &[&ECHO_MISMATCH, &VALUE_MISMATCH, &NO_ECHO, &QUOTE_NOT_PROVEN],
    run,
};

const ECHO_MISMATCH: Reason = Reason {
    id: "echo-mismatch",
    means: "The unsigned `report_data` beside the quote differs from the signed one inside it.",
    fix: "If the app builds the answer itself, return the SDK's object unchanged; otherwise treat the host as hostile.",
};
const VALUE_MISMATCH: Reason = Reason {
    id: "value-mismatch",
    means: "The signed report data is not the value given with --report-data-value.",
    fix: "If the value that your app binds has changed, give the new one; otherwise another party made this quote.",
};
const NO_ECHO: Reason = Reason {
    id: "no-echo",
    means: "The answer shows no report data beside the quote, and none is expected: nothing to compare.",
    fix: "Nothing: `freshness` judges the signed report data. To bind a value of your own, give --report-data-value.",
};

fn run(facts: &Facts, policy: &Policy) -> Finding {
    let quote = match proven_quote(facts) {
        Ok(quote) => quote,
        Err(finding) => return finding,
    };
    if facts.echo == Echo::Differs {
        return Finding::fail(
            &ECHO_MISMATCH,
            "The `report_data` beside the quote is not the one inside it.",
        )
        .found(hex::encode(quote.report_data()));
    }
    match policy.report_data.value {
        Some(value) if value != *quote.report_data() => Finding::fail(
            &VALUE_MISMATCH,
            "The signed report data is not the expected value.",
        )
        .comparing(hex::encode(value), hex::encode(quote.report_data())),
        Some(_) => Finding::pass("The signed report data is the expected value."),
        None if facts.echo == Echo::Equal => {
            Finding::pass("The report data beside the quote is the one that was signed.")
        }
        None => Finding::skip(&NO_ECHO, "The answer shows no report data beside the quote."),
    }
}
