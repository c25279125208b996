//! `quote-signature`: a genuine TDX module made this quote.

use super::{Check, Finding, QUOTE_NOT_PROVEN, Reason, Required, quote_not_proven};
use crate::config::Policy;
use crate::prove::{Facts, Gap, QuoteRefusal};
use crate::report::{CheckId, Tier, TrustRootKind};

pub(super) const CHECK: Check = Check {
    id: CheckId::QuoteSignature,
    title: "Quote signature",
    proves: "Genuine Intel TDX hardware made this quote: the signature chains up to Intel.",
    prevents: "Forged or edited quotes, quotes of simulators, of SGX enclaves and of revoked machines.",
    reasons: &[
        &MALFORMED,
        &NOT_TDX,
        &TRAILING_BYTES,
        &ATTRIBUTES_REFUSED,
        &NO_MATCHING_TCB_LEVEL,
        &REVOKED,
        &NOT_VERIFIED,
        &QUOTE_NOT_PROVEN,
    ],
    required: Required::From(Tier::Hardware),
    harmless_warnings: &[],
    is_configured: |_| false,
    run,
};

const TREAT_AS_FORGED: &str =
    "Treat this deployment as hostile: stop sending it secrets and find out who serves this address.";

const MALFORMED: Reason = Reason {
    id: "malformed",
    means: "The bytes are not a quote.",
    fix: "Check that the app returns the quote unchanged; otherwise treat the host as hostile.",
};
const NOT_TDX: Reason = Reason {
    id: "not-tdx",
    means: "This is a quote of another kind of TEE.",
    fix: "Deploy to a TDX VM; quotes of SGX enclaves and other TEEs prove nothing about a CVM.",
};
const TRAILING_BYTES: Reason = Reason {
    id: "trailing-bytes",
    means: "Something other than zero padding follows the quote.",
    fix: "Check that the app returns the quote unchanged; otherwise treat the host as hostile.",
};
const ATTRIBUTES_REFUSED: Reason = Reason {
    id: "attributes-refused",
    means: "The VM was started in a mode in which the host can look into it or change it.",
    fix: "Redeploy on a host that starts VMs without debugging, profiling, migration and service TDs.",
};
const NO_MATCHING_TCB_LEVEL: Reason = Reason {
    id: "no-matching-tcb-level",
    means: "The platform is older than anything that Intel still rates.",
    fix: "Redeploy on another host; the operator must update firmware and TDX module of this one.",
};
const REVOKED: Reason = Reason {
    id: "revoked",
    means: "Intel has revoked the platform's level: its keys must be taken for known.",
    fix: "Redeploy on another host and replace every secret that this one has held.",
};
const NOT_VERIFIED: Reason = Reason {
    id: "not-verified",
    means: "A signature, a certificate, a hash or an identity does not hold.",
    fix: TREAT_AS_FORGED,
};

const fn signed_by(root: TrustRootKind) -> &'static str {
    match root {
        TrustRootKind::Intel => "The quote is signed by genuine Intel TDX hardware.",
        TrustRootKind::Custom => "The quote's signatures chain up to the custom root, which is not Intel's.",
    }
}

fn run(facts: &Facts, _policy: &Policy) -> Finding {
    let refusal = match &facts.quote {
        Ok(_) => return Finding::pass(signed_by(facts.root)),
        Err(Gap::Refused(refusal)) => refusal,
        Err(Gap::Absent | Gap::NotReached) => return quote_not_proven(),
    };
    let reason = match refusal {
        QuoteRefusal::Malformed(_) => &MALFORMED,
        QuoteRefusal::NotTdx(_) => &NOT_TDX,
        QuoteRefusal::TrailingBytes { .. } => &TRAILING_BYTES,
        QuoteRefusal::AttributesRefused(_) => &ATTRIBUTES_REFUSED,
        QuoteRefusal::NoMatchingTcbLevel => &NO_MATCHING_TCB_LEVEL,
        QuoteRefusal::Revoked => &REVOKED,
        QuoteRefusal::NotVerified(_) => &NOT_VERIFIED,
    };
    Finding::fail(reason, format!("The quote is refused: {refusal}."))
}
