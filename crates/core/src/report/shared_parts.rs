//! What the reports on several targets have in common.

use std::collections::HashSet;
use std::hash::Hash;

use super::{Measurements, ResultFields, Shared, TargetReport, TcbRecord};

/// Parts that the reports on several targets have in common, held once. Deployments of one release differ in few results, and a
/// run over ten thousand holds a report on each until its end.
#[derive(Debug, Default)]
pub struct SharedParts {
    results: Known<ResultFields>,
    tcbs: Known<TcbRecord>,
    texts: Known<str>,
}

impl SharedParts {
    /// Each part of `report` that an earlier report has, too, takes no memory of its own any more.
    pub fn share(&mut self, report: &mut TargetReport) {
        for (place, check) in report.checks.iter_mut().enumerate() {
            self.results.share(place, check);
        }
        self.tcbs.share(0, &mut report.tcb);
        self.texts.share(0, &mut report.evaluated_at);
        let measured = of_the_release(&mut report.measurements).into_iter().flatten();
        for (place, value) in (1..).zip(measured) {
            self.texts.share(place, value);
        }
    }
}

/// What is measured of the release, and so of all its instances alike. The others are of one instance, or of one answer.
const fn of_the_release(measured: &mut Measurements) -> [Option<&mut Shared<str>>; 12] {
    let Measurements {
        mrtd,
        rtmr0,
        rtmr1,
        rtmr2,
        rtmr3: _,
        report_data: _,
        td_attributes,
        xfam,
        mr_config_id,
        mr_seam,
        compose_hash,
        app_id,
        instance_id: _,
        key_provider,
        os_image,
    } = measured;
    [
        mrtd.as_mut(),
        rtmr0.as_mut(),
        rtmr1.as_mut(),
        rtmr2.as_mut(),
        td_attributes.as_mut(),
        xfam.as_mut(),
        mr_config_id.as_mut(),
        mr_seam.as_mut(),
        compose_hash.as_mut(),
        app_id.as_mut(),
        key_provider.as_mut(),
        os_image.as_mut(),
    ]
}

/// Parts of one type that earlier reports had.
#[derive(Debug)]
struct Known<T: ?Sized> {
    all: HashSet<Shared<T>>,
    /// Those of the last report, by their places: to compare with one costs less than to hash a part.
    last: Vec<Shared<T>>,
}

impl<T: ?Sized> Default for Known<T> {
    fn default() -> Self {
        Self {
            all: HashSet::new(),
            last: Vec::new(),
        }
    }
}

impl<T: ?Sized + Eq + Hash> Known<T> {
    fn share(&mut self, place: usize, part: &mut Shared<T>) {
        let last = match self.last.get_mut(place) {
            Some(last) if last == part => return part.clone_from(last),
            last => last,
        };
        match self.all.get(part) {
            Some(known) => part.clone_from(known),
            None => {
                self.all.insert(part.clone());
            }
        }
        match last {
            Some(last) => last.clone_from(part),
            None => self.last.push(part.clone()),
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
        let failure = EvidenceFailure::new(EvidenceReason::Unreachable, detail);
        let subject = Subject {
            name: "api".to_owned(),
            url: None,
            root: TrustRoot::Intel,
            at: 0,
            bundle: None,
        };
        appraise(Err(&failure), &Policy::default(), &subject)
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
        assert!(std::ptr::eq(&*first.evaluated_at, &*second.evaluated_at));
        for check in &first.checks {
            let is_same = check.id != CheckId::Evidence;
            assert_eq!(is_shared(&first, &second, check.id), is_same, "{}", check.id);
        }
    }

    #[test]
    fn what_is_measured_of_the_release_is_held_once() {
        let mut shared = SharedParts::default();
        let mut reports = ["1", "2"].map(|answer| {
            let mut report = report("No answer.");
            report.measurements.mrtd = Some("f0".repeat(48).into());
            report.measurements.app_id = Some(answer.repeat(40).into());
            report.measurements.report_data = Some("5c".repeat(64).into());
            report
        });
        let unshared = reports.clone();
        for report in &mut reports {
            shared.share(report);
        }
        assert_eq!(reports, unshared);
        let [one, other] = reports.map(|report| report.measurements);
        let is_one = |one: Option<Shared<str>>, other: Option<Shared<str>>| {
            std::ptr::eq(&*one.unwrap(), &*other.unwrap())
        };
        assert!(is_one(one.mrtd, other.mrtd));
        assert!(!is_one(one.app_id, other.app_id));
        assert!(!is_one(one.report_data, other.report_data));
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
