//! Which results an alert names: what keeps a target from passing, the one to act on first.

use crate::render;
use cvm_verify_core::report::{CheckResult, Status, TargetReport, Verdict};

/// What keeps `target` from passing, as every report says it. Where nothing but consequences is left, they are
/// named: an alert without a cause would tell nobody anything. Empty for a pass.
pub(crate) fn causes(target: &TargetReport) -> Vec<&CheckResult> {
    let causes = render::cause::causes(target);
    if causes.is_empty() && target.verdict != Verdict::Pass {
        return target
            .checks
            .iter()
            .filter(|check| check.status == Status::Error)
            .collect();
    }
    causes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples::{self, set};
    use cvm_verify_core::report::{Accepted, AcceptedKind, CheckId, RequiredAssurance};

    fn ids(target: &TargetReport) -> Vec<CheckId> {
        causes(target).iter().map(|check| check.id).collect()
    }

    #[test]
    fn a_pass_has_no_cause() {
        assert_eq!(ids(&samples::pass()), []);
    }

    #[test]
    fn what_follows_from_a_cause_is_left_out_and_named_where_nothing_else_is() {
        let mut target = samples::unreachable();
        assert_eq!(ids(&target), [CheckId::Evidence]);
        set(&mut target, CheckId::Evidence, Status::Pass, "");
        assert_eq!(ids(&target).len(), target.checks.len() - 1);
    }

    #[test]
    fn a_fail_comes_before_an_earlier_error() {
        let mut target = samples::fail();
        set(&mut target, CheckId::Evidence, Status::Error, "two-instances");
        assert_eq!(ids(&target), [CheckId::ComposeHash, CheckId::Evidence]);
    }

    #[test]
    fn an_unmet_requirement_explains_an_inconclusive_verdict_unless_it_is_waived_or_not_required() {
        let mut target = samples::inconclusive();
        set(&mut target, CheckId::ImagePins, Status::Warn, "unpinned-image");
        set(&mut target, CheckId::TcbStatus, Status::Warn, "advisory");
        set(&mut target, CheckId::MrConfigId, Status::Skip, "unbound");
        assert_eq!(ids(&target), [CheckId::ComposeHash, CheckId::ImagePins]);
        target.accepted = vec![Accepted {
            check: CheckId::ImagePins,
            what: AcceptedKind::ReviewedPlace,
            by: "cvm.lock".to_owned(),
            until: None,
            reason: "The tag is mirrored.".to_owned(),
        }];
        assert_eq!(ids(&target), [CheckId::ComposeHash]);
        target.required = RequiredAssurance::Hardware;
        set(&mut target, CheckId::Freshness, Status::Skip, "no-nonce");
        assert_eq!(ids(&target), [CheckId::Freshness]);
    }

    #[test]
    fn what_follows_has_no_advice_in_any_check() {
        for check in cvm_verify_core::checks::ALL {
            for reason in check.reasons {
                assert_eq!(
                    reason.id.ends_with("-not-proven"),
                    reason.fix.is_empty(),
                    "{}: {}",
                    check.id,
                    reason.id
                );
            }
        }
    }
}
