//! The platform of the quote that binds a key.

use super::asked::{open, wrong};
use crate::checks::{Acceptance, Finding, Reason, platform_id, tcb_status};
use crate::policy::Policy;
use crate::report::Status;
use crate::verify::Claims;

/// Whose own quote is judged, and for which reasons.
pub(super) struct OwnQuote {
    /// For people: "Of …".
    pub(super) of: &'static str,
    pub(super) undetermined: &'static Reason,
    pub(super) platform: &'static Reason,
}

/// The platform of the quote that binds a key, by the policy for platforms: it may be older than the quote of this run.
pub(super) fn platform_of_own_quote(
    own: Option<&Claims>,
    policy: &Policy,
    whose: &OwnQuote,
) -> Result<Vec<Acceptance>, Finding> {
    let Some(own) = own else {
        let sentence = format!("Not determined: {} was not verified.", whose.of);
        return Err(open(policy, whose.undetermined, sentence));
    };
    let mut accepted = Vec::new();
    for check in [&tcb_status::CHECK, &platform_id::CHECK] {
        let finding = (check.run)(own, policy);
        let reason = finding.reason.map(|reason| reason.id);
        let is_fine =
            check.is_met_by(finding.status, reason) || check.is_harmless_skip(finding.status, reason);
        if !is_fine && finding.accepted.is_empty() {
            let sentence = format!("Of {}, {} says: {}", whose.of, check.id, finding.detail);
            return Err(match finding.status {
                Status::Error => open(policy, whose.undetermined, sentence),
                _ => wrong(policy, whose.platform, sentence),
            });
        }
        accepted.extend(finding.accepted);
    }
    Ok(accepted)
}
