//! The reports of a run, as its targets finish: a fleet has as many of them as targets until its end.

use cvm_verify_core::report::{SharedParts, TargetReport};

/// The reports of a run so far. What several of them have in common is held once.
#[derive(Debug, Default)]
pub struct RunReports {
    /// Each with the index of its target, in the order in which they came.
    reports: Vec<(usize, TargetReport)>,
    parts: SharedParts,
}

/// The reports of a run, in the order of its targets.
#[derive(Debug)]
pub struct OrderedReports {
    /// The reports: one for each target, or for each instance of one that has several.
    pub reports: Vec<TargetReport>,
    /// The index of the target of each report.
    pub of_reports: Vec<usize>,
}

impl RunReports {
    /// Adds a report on the target of this index.
    pub fn add(&mut self, target: usize, mut report: TargetReport) {
        self.parts.share(&mut report);
        self.reports.push((target, report));
    }

    /// All of them; those on one target in the order in which they came.
    #[must_use]
    pub fn in_order(mut self) -> OrderedReports {
        self.reports.sort_by_key(|(target, _)| *target);
        OrderedReports {
            of_reports: self.reports.iter().map(|(target, _)| *target).collect(),
            // In the memory of the pairs.
            reports: self.reports.into_iter().map(|(_, report)| report).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;

    #[test]
    fn reports_are_in_the_order_of_targets_and_those_of_one_target_as_they_came() {
        let mut reports = RunReports::default();
        for (target, name) in [(2, "c"), (0, "a"), (1, "b 1"), (1, "b 2")] {
            let mut report = samples::pass();
            name.clone_into(&mut report.name);
            reports.add(target, report);
        }
        let ordered = reports.in_order();
        let names: Vec<&str> = ordered
            .reports
            .iter()
            .map(|report| report.name.as_str())
            .collect();
        assert_eq!(names, ["a", "b 1", "b 2", "c"]);
        assert_eq!(ordered.of_reports, [0, 1, 1, 2]);
        let [first, .., last] = ordered.reports.as_slice() else {
            panic!()
        };
        assert!(std::ptr::eq(&*first.checks[0], &*last.checks[0]));
    }
}
