//! What came of asking the app to quote a value of nobody's choice. A binding says that a VM quoted a key: an app that quotes what
//! its callers send makes that quote for anyone.

use super::asked::{is_asked_for_its_tier, open, wrong};
use super::reasons::{ORACLE_64, PROBE_UNDETERMINED};
use crate::checks::{Acceptance, Finding};
use crate::evidence::Probe;
use crate::policy::Policy;
use crate::report::AcceptedKind;

/// What the probe leaves of a binding: words for its sentence, and what the user accepted in writing.
pub(super) struct Probed {
    pub(super) words: &'static str,
    pub(super) accepted: Option<Acceptance>,
}

/// Whether a key that is bound may grant anything. Without an answer to the probe nothing is granted, unless the user left the
/// probe out in writing. `bound` begins the sentence: "The key is bound".
pub(super) fn probed(probe: &Probe, policy: &Policy, bound: &str) -> Result<Probed, Finding> {
    let granted = |words| Probed {
        words,
        accepted: None,
    };
    match probe {
        Probe::NoneSeen => Ok(granted("No quoting of foreign values was seen.")),
        Probe::Quotes32 => Ok(granted(
            "The app quotes 32 bytes of the caller's choice, which are too few for a quote of this form.",
        )),
        Probe::NotSent if !policy.endpoint_probe => Ok(Probed {
            words: "It was not tested whether the app quotes values of its callers' choice.",
            accepted: Some(not_asked(policy)),
        }),
        Probe::NotSent => Err(undetermined(
            policy,
            format!(
                "{bound}, but this run did not test whether the app quotes values of its callers' choice."
            ),
        )),
        Probe::Unknown(why) => Err(undetermined(policy, format!("{bound}, but {why}"))),
        Probe::Quotes64 => Err(wrong(
            policy,
            &ORACLE_64,
            "The endpoint quoted 64 bytes that were sent to it, unchanged.",
        )),
    }
}

fn not_asked(policy: &Policy) -> Acceptance {
    let by = policy.setting("endpoint-probe").map(|origin| origin.to_string());
    Acceptance::new(
        AcceptedKind::NoEndpointProbe,
        by.unwrap_or_else(|| "--no-endpoint-probe".to_owned()),
        "It was not tested whether the app quotes values of the caller's choice: if it does, anyone can let it quote their \
         own key.",
    )
}

/// The key is bound, and its tier is not granted. A mode alone asks for the binding, so that it is a warning there.
fn undetermined(policy: &Policy, sentence: String) -> Finding {
    match is_asked_for_its_tier(policy) {
        true => open(policy, &PROBE_UNDETERMINED, sentence),
        false => Finding::warn(&PROBE_UNDETERMINED, sentence),
    }
}
