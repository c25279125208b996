//! Whether the user asked for a binding, and what that makes of one that does not hold.

use crate::checks::{Finding, Reason};
use crate::policy::{Origin, Policy, TlsBinding};
use crate::report::SideTier;

/// Whether the user asked for a binding: by its mode, or by a tier that needs one.
pub(super) fn is_asked(policy: &Policy) -> bool {
    policy.tls_mode() != TlsBinding::Auto || is_asked_for_its_tier(policy)
}

/// The same of this verification alone: a lock that was taken from the app's address serves for other sources too, which have no
/// connection to it.
pub(super) fn is_asked_of_any_source(policy: &Policy) -> bool {
    policy.tls_binding != TlsBinding::Auto || is_asked_for_its_tier(policy)
}

/// Whether the user asked for a tier that a binding grants.
pub(super) fn is_asked_for_its_tier(policy: &Policy) -> bool {
    policy.required.sides().includes(SideTier::EndpointReplayable)
}

/// Whether the user asked for `endpoint` itself, which a binding that can be replayed does not grant.
pub(super) fn is_asked_for_endpoint(policy: &Policy) -> bool {
    policy.required.sides().includes(SideTier::Endpoint)
}

/// Where a binding is asked for.
pub(super) fn asked_by(policy: &Policy) -> Option<Origin> {
    let mode = policy.setting("tls-binding");
    mode.or_else(|| policy.setting("require-assurance"))
}

/// Something does not hold: a failure if a binding was asked for, and for information otherwise.
pub(super) fn wrong(policy: &Policy, reason: &'static Reason, sentence: impl Into<String>) -> Finding {
    match is_asked(policy) {
        true => Finding::fail(reason, sentence).against(asked_by(policy)),
        false => Finding::warn(reason, sentence),
    }
}

/// What a renewal between two requests, several instances behind one address, or a clock that is wrong looks like as well as a relay
/// does: it never binds, and accuses nobody.
pub(super) fn unclear(policy: &Policy, reason: &'static Reason, sentence: impl Into<String>) -> Finding {
    match is_asked(policy) {
        true => Finding::error(reason, sentence).against(asked_by(policy)),
        false => Finding::warn(reason, sentence),
    }
}

/// Something could not be determined.
pub(super) fn open(policy: &Policy, reason: &'static Reason, sentence: impl Into<String>) -> Finding {
    match is_asked(policy) {
        true => Finding::error(reason, sentence).against(asked_by(policy)),
        false => Finding::skip(reason, sentence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requiring(assurance: &str) -> Policy {
        Policy {
            required: assurance.parse().unwrap(),
            ..Policy::default()
        }
    }

    #[test]
    fn a_tier_asks_for_a_binding_and_endpoint_alone_for_one_that_is_no_replay() {
        for (assurance, binding, endpoint) in [
            ("code", false, false),
            ("code+endpoint-replayable", true, false),
            ("code+endpoint", true, true),
        ] {
            let policy = requiring(assurance);
            assert_eq!(is_asked(&policy), binding, "{assurance}");
            assert_eq!(is_asked_of_any_source(&policy), binding, "{assurance}");
            assert_eq!(is_asked_for_its_tier(&policy), binding, "{assurance}");
            assert_eq!(is_asked_for_endpoint(&policy), endpoint, "{assurance}");
        }
        let mode = Policy {
            tls_binding: TlsBinding::AppKey,
            ..Policy::default()
        };
        assert!(is_asked(&mode) && is_asked_of_any_source(&mode) && !is_asked_for_its_tier(&mode));
    }

    #[test]
    fn the_mode_asks_before_the_tier_does() {
        let mut policy = requiring("code+endpoint");
        assert_eq!(asked_by(&policy), None);
        let option = Origin::Option;
        let required = ("require-assurance", option("require-assurance"));
        policy.settings.extend([required]);
        assert_eq!(asked_by(&policy), Some(option("require-assurance")));
        policy.settings.extend([("tls-binding", option("tls-binding"))]);
        assert_eq!(asked_by(&policy), Some(option("tls-binding")));
    }
}
