//! What the checks that look into the compose document say if it is not there.

use super::{Finding, Reason, boot_claims};
use crate::verify::{BootClaims, Claims, MeasuredCompose, NotProven};

pub(super) const NO_COMPOSE_DOCUMENT: Reason = Reason {
    id: "no-compose-document",
    means: "The evidence contains no compose document, so it is not known what the document starts and allows.",
    fix: "Expose /info with `tcb_info.app_compose` (keep `public_tcbinfo` on), name where it is (--info-path, --info-url), or give the \
          document with --app-compose-file.",
};
pub(super) const COMPOSE_NOT_PROVEN: Reason = Reason {
    id: "compose-not-proven",
    means: "The compose document in the evidence is not the measured one, so nothing in it was read.",
    fix: "",
};

/// What to say where the document was supplied as a JSON object: its text, of which the hash is measured, is lost.
pub(super) const AS_OBJECT: &str = "The compose document in the evidence is a JSON object: the exact text is needed, because \
                                    its hash is what was measured. Return `app_compose` as the string that the guest agent \
                                    gives.";

/// The boot claims and the measured document, or the finding of a check that needs it.
pub(super) fn measured_compose(claims: &Claims) -> Result<(&BootClaims, &MeasuredCompose), Finding> {
    let boot = boot_claims(claims)?;
    match &claims.compose {
        Ok(compose) => Ok((boot, compose)),
        Err(NotProven::Refused(_)) => Err(Finding::error(
            &COMPOSE_NOT_PROVEN,
            "Not determined: the compose document is not the measured one.",
        )
        .advising(
            "If you gave the document as a file, give exactly the bytes that were deployed: `cvm-verify compose-hash` shows its hash in each \
             form. If a CDN, a proxy or the app caches /info, turn that off and verify again. Otherwise return the exact text of \
             `app_compose`, never serialized again (a final newline counts).",
        )),
        Err(NotProven::Absent | NotProven::NotReached) if claims.compose_is_object => {
            Err(Finding::error(&NO_COMPOSE_DOCUMENT, AS_OBJECT))
        }
        Err(NotProven::Absent | NotProven::NotReached) => Err(Finding::error(
            &NO_COMPOSE_DOCUMENT,
            "The evidence contains no compose document.",
        )),
    }
}
