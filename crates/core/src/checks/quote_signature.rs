//! `quote-signature`: a genuine TDX module made this quote.

use super::{
    Check, Finding, Heals, InCertificate, QUOTE_NOT_PROVEN, Reason, Required, quote_not_proven, reasons,
    refused_bytes,
};
use crate::policy::Policy;
use crate::report::{CheckId, Tier, TrustRootKind};
use crate::verify::{Claims, NotProven, QuoteRefusal};

pub(super) const CHECK: Check = Check {
    id: CheckId::QuoteSignature,
    title: "Quote signature",
    proves: "Genuine Intel TDX hardware made this quote: the signature chains up to Intel.",
    prevents: "Forged or edited quotes, quotes of simulators, of SGX enclaves and of revoked machines.",
    reasons: REASONS,
    required: Required::From(Tier::Hardware),
    run,
    convicts: &[(&NOT_VERIFIED, Heals::Never)],
    in_certificate: InCertificate::ToBeMet,
    ..Check::BASE
};

const TREAT_AS_FORGED: &str = "Check that the app returns the quote unchanged. If it does, treat this deployment as hostile: stop sending it secrets and find out who \
     serves this address.";

reasons! {
    REASONS with [&QUOTE_NOT_PROVEN]:
    MALFORMED "malformed"
        "The bytes are not a quote, or lack a part that every quote has, such as the certificate of the machine."
        "Check that the app returns the quote unchanged, and that the host has a PCK certificate; otherwise treat the host as \
         hostile.";
    NOT_TDX "not-tdx"
        "This is a quote of another kind of TEE."
        "Deploy to a TDX VM; quotes of SGX enclaves and other TEEs prove nothing about a CVM.";
    TRAILING_BYTES "trailing-bytes"
        "Something other than zero padding follows the quote."
        "Check that the app returns the quote unchanged; otherwise treat the host as hostile.";
    ATTRIBUTES_REFUSED "attributes-refused"
        "The VM was started in a mode in which the host can observe or change it."
        "Stop sending it secrets. Redeploy on a host that starts VMs without debugging, profiling, migration and service TDs, and replace \
         every secret that this VM has held.";
    NO_MATCHING_TCB_LEVEL "no-matching-tcb-level"
        "A security version of the platform is below every level that Intel still rates."
        "Redeploy on another host. The operator of this one must update the component that is named (firmware, microcode or \
         TDX module). If it was too old only at launch, stop the VM and start it again.";
    REVOKED "revoked"
        "Intel revoked a certificate of the machine, or the level of its platform, TDX module or quoting enclave: assume \
         that its keys are known."
        "Redeploy on another host and replace every secret that this one has held.";
    QE_OUT_OF_DATE "qe-out-of-date"
        "The quoting enclave of the host is older than every level that Intel rates."
        "Ask the operator to update the quoting enclave (Intel's DCAP packages) on the host, or redeploy on another host.";
    NOT_VERIFIED "not-verified"
        "A signature, a certificate, a hash or an identity of the quote does not verify, whatever the collateral says: the \
         quote is forged, damaged or simulated."
        TREAT_AS_FORGED;
}

/// The same reason where the chain itself holds up to another root: what most who see it have tried is a simulation.
const OTHER_ROOT: Reason = Reason {
    fix: "If this is a simulation, give its root certificate with --insecure-trust-root. Otherwise treat this deployment as \
          hostile: stop sending it secrets and find out who serves this address.",
    ..NOT_VERIFIED
};

const fn signed_by(root: TrustRootKind) -> &'static str {
    match root {
        TrustRootKind::Intel => "The quote is signed by genuine Intel TDX hardware.",
        TrustRootKind::Custom => "The quote's signatures chain up to the custom root, which is not Intel's.",
    }
}

fn run(claims: &Claims, _policy: &Policy) -> Finding {
    let refusal = match &claims.quote {
        Ok(_) => return Finding::pass(signed_by(claims.root)),
        Err(NotProven::Refused(refusal)) => refusal,
        Err(NotProven::Absent | NotProven::NotReached) => return quote_not_proven(),
    };
    let reason = match refusal {
        QuoteRefusal::Malformed(_) => &MALFORMED,
        QuoteRefusal::NotTdx(_) => &NOT_TDX,
        QuoteRefusal::TrailingBytes { .. } => &TRAILING_BYTES,
        QuoteRefusal::AttributesRefused(_) => &ATTRIBUTES_REFUSED,
        QuoteRefusal::NoMatchingTcbLevel(_) | QuoteRefusal::LaunchedBelowEveryLevel(_) => {
            &NO_MATCHING_TCB_LEVEL
        }
        QuoteRefusal::Revoked(_) => &REVOKED,
        QuoteRefusal::QeOutOfDate(_) => &QE_OUT_OF_DATE,
        QuoteRefusal::OtherRoot(_) => &OTHER_ROOT,
        QuoteRefusal::NotVerified(_) => &NOT_VERIFIED,
    };
    let detail = format!("The quote is refused: {refusal}.");
    match refusal {
        QuoteRefusal::Malformed(_)
        | QuoteRefusal::NotTdx(_)
        | QuoteRefusal::TrailingBytes { .. }
        | QuoteRefusal::OtherRoot(_)
        | QuoteRefusal::NotVerified(_) => refused_bytes(claims.asked, reason, detail),
        // Only a quote whose signature is good gets here.
        QuoteRefusal::AttributesRefused(_)
        | QuoteRefusal::NoMatchingTcbLevel(_)
        | QuoteRefusal::Revoked(_)
        | QuoteRefusal::QeOutOfDate(_) => Finding::fail(reason, detail),
        QuoteRefusal::LaunchedBelowEveryLevel(_) => Finding::fail(reason, detail).advising(
            "Stop the VM and start it again on this host: what is too old was updated after the VM was launched. Restarting the \
             containers is not enough.",
        ),
    }
}
