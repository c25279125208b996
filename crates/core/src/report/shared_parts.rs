//! What the reports on several targets have in common.

use std::collections::HashSet;
use std::hash::Hash;

use super::{CheckResult, Shared, TargetReport, TcbRecord};

/// Parts that the reports on several targets have in common, held once. Deployments of one release differ in few results, and a
/// run over ten thousand holds a report on each until its end.
#[derive(Debug, Default)]
pub struct SharedParts {
    results: HashSet<CheckResult>,
    tcbs: HashSet<Shared<TcbRecord>>,
}

impl SharedParts {
    /// Each part of `report` that an earlier report has, too, takes no memory of its own any more.
    pub fn share(&mut self, report: &mut TargetReport) {
        for check in &mut report.checks {
            share(&mut self.results, check);
        }
        share(&mut self.tcbs, &mut report.tcb);
    }
}

fn share<T: Clone + Eq + Hash>(known: &mut HashSet<Shared<T>>, part: &mut Shared<T>) {
    match known.get(part) {
        Some(known) => part.clone_from(known),
        None => {
            known.insert(part.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appraise::{Subject, appraise};
    use crate::checks::{EvidenceFailure, EvidenceReason};
    use crate::policy::Policy;
    use crate::report::{CheckId, Status};
    use crate::verify::TrustRoot;

    fn report(detail: &str) -> TargetReport {
        let gap = EvidenceFailure {
            reason: EvidenceReason::Unreachable,
            detail: detail.to_owned(),
            certificate: None,
        };
        let subject = Subject {
            name: "api".to_owned(),
            url: None,
            root: TrustRoot::Intel,
            at: 0,
            collateral_source: None,
            bundle: None,
        };
        appraise(Err(&gap), &Policy::default(), &subject)
    }

    fn is_shared(one: &TargetReport, other: &TargetReport, id: CheckId) -> bool {
        std::ptr::eq(&**one.check(id).unwrap(), &**other.check(id).unwrap())
    }

    #[test]
    fn equal_results_are_held_once_and_others_stay_what_they_are() {
        let mut shared = SharedParts::default();
        let (mut first, mut second) = (report("No answer."), report("No connection."));
        let unshared = second.clone();
        shared.share(&mut first);
        shared.share(&mut second);
        assert_eq!(second, unshared);
        for check in &first.checks {
            let is_same = check.id != CheckId::Evidence;
            assert_eq!(is_shared(&first, &second, check.id), is_same, "{}", check.id);
        }
    }

    #[test]
    fn a_change_of_one_report_changes_no_other() {
        let mut shared = SharedParts::default();
        let (mut first, mut second) = (report("No answer."), report("No answer."));
        shared.share(&mut first);
        shared.share(&mut second);
        second.checks[0].status = Status::Pass;
        assert_eq!(first, report("No answer."));
        assert!(!is_shared(&first, &second, CheckId::Evidence));
        assert!(is_shared(&first, &second, CheckId::Freshness));
    }
}
