//! What a check says where the facts that it needs are not proven.

use super::finding::{Finding, Reason};
use crate::evidence::AskedParty;
use crate::policy::Policy;
use crate::report::CheckId;
use crate::verify::{BootClaims, Claims, NotProven, VerifiedQuote};

/// Given by every check that depends on a quote that is not proven.
pub(crate) const QUOTE_NOT_PROVEN: Reason = Reason {
    id: "quote-not-proven",
    means: "The quote could not be verified, so nothing in it was read.",
    fix: "",
};

/// Given where the event log is not proven.
pub(crate) const EVENT_LOG_NOT_PROVEN: Reason = Reason {
    id: "event-log-not-proven",
    means: "The event log does not replay to the quote, so nothing in it was read.",
    fix: "",
};

/// Given where the boot events are not proven.
pub(crate) const BOOT_ORDER_NOT_PROVEN: Reason = Reason {
    id: "boot-order-not-proven",
    means: "The boot events are refused, so no claim was taken from them.",
    fix: "",
};

/// Given where the policy expects what nothing can be compared with.
pub(crate) const NOT_COMPARED: Reason = Reason {
    id: "not-compared",
    means: "The policy expects something that cannot be compared with anything. The program refuses such a policy; a library call \
            does not.",
    fix: "Correct the policy: `Policy::problems` says what is wrong with it.",
};

/// What to do where Phala Cloud's API handed over what nobody signed or what no signature fits.
const ASK_THE_APP: &str = "Ask the app itself (--source app): the API may have changed what the CVM sent, and then the host is not \
                           at fault. If what the app answers is refused, too, treat the deployment as hostile: stop sending it \
                           secrets.";

/// Bytes that are refused and that no good signature vouches for. Whoever handed them over may have changed them: the app and its
/// guest agent answer through the host, which is then at fault; Phala Cloud's API is another party.
pub(super) fn refused_bytes(asked: AskedParty, reason: &'static Reason, detail: String) -> Finding {
    match asked {
        AskedParty::App | AskedParty::GuestAgent => Finding::fail(reason, detail),
        AskedParty::PhalaCloud => Finding::error(
            reason,
            format!("{detail} Phala Cloud's API handed it over: whether the API or the host changed it is not known."),
        )
        .advising(ASK_THE_APP),
    }
}

/// The finding of what the policy expects of a check and cannot be compared.
pub(super) fn not_compared(check: CheckId, policy: &Policy) -> Option<Finding> {
    let problem = policy.not_compared_by(check)?;
    let finding = Finding::error(
        &NOT_COMPARED,
        format!("Not compared: `{}`: {}.", problem.key, problem.text),
    );
    Some(finding.against(problem.origin))
}

pub(super) fn quote_not_proven() -> Finding {
    Finding::error(&QUOTE_NOT_PROVEN, "Not determined: the quote is not verified.")
}

/// The verified quote, or the finding of a check that needs it.
pub(super) fn proven_quote(claims: &Claims) -> Result<&VerifiedQuote, Finding> {
    claims.quote.as_ref().map_err(|_| quote_not_proven())
}

/// The boot claims, or the finding of a check that needs them.
pub(super) fn boot_claims(claims: &Claims) -> Result<&BootClaims, Finding> {
    proven_quote(claims)?;
    if claims.log.is_err() {
        return Err(Finding::error(
            &EVENT_LOG_NOT_PROVEN,
            "Not determined: the event log is not proven.",
        ));
    }
    claims.boot.as_ref().map_err(|why| match why {
        NotProven::Refused(_) | NotProven::Absent | NotProven::NotReached => Finding::error(
            &BOOT_ORDER_NOT_PROVEN,
            "Not determined: the boot events are refused.",
        ),
    })
}
