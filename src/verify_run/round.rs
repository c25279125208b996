//! One round over targets: the evidence of each is written as soon as it is appraised.

use super::VerifyRun;
use crate::artifacts::{BundleFiles, bundle_path_of, statements};
use crate::engine::Appraised;
use cvm_verify_core::report::{SharedParts, TargetReport, Verdict};

/// What was last found of one target.
#[derive(Default)]
pub(super) struct TargetResult {
    /// One, or one for each instance.
    pub reports: Vec<TargetReport>,
    /// The files of its evidence.
    pub bundles: BundleFiles,
    /// Whether it was said that it is final.
    pub is_said: bool,
}

/// What a round found.
pub(super) struct Round<'a> {
    run: &'a VerifyRun<'a>,
    /// With the index of the target, in the order in which they ended.
    pub results: Vec<(usize, TargetResult)>,
    pub notes: Vec<String>,
    /// What the reports have in common.
    parts: SharedParts,
}

impl<'a> Round<'a> {
    pub(super) fn new(run: &'a VerifyRun<'a>) -> Self {
        Self {
            run,
            results: Vec::new(),
            notes: Vec::new(),
            parts: SharedParts::default(),
        }
    }

    /// Takes the reports on a target, and writes its bundles.
    pub(super) fn finish(&mut self, index: usize, appraised: Appraised) {
        let (Some(target), Some(path)) = (self.run.targets.get(index), self.run.bundle_paths.get(index))
        else {
            return;
        };
        let mut result = TargetResult {
            // No more than that: a fleet has as many results as targets until its end.
            reports: Vec::with_capacity(appraised.instances.len()),
            ..TargetResult::default()
        };
        self.notes.extend(appraised.note);
        for one in appraised.instances {
            let path = match (path, one.number) {
                (Some(path), Some(number)) if appraised.several => Some(bundle_path_of(path, number)),
                (path, _) => path.clone(),
            };
            let evidence = result.bundles.write(path.as_deref(), one.bundle.as_ref());
            let mut report = one.report;
            target.commands.fill(&mut report);
            report.evidence.bundle = path
                .filter(|_| one.bundle.is_some())
                .map(|path| path.display().to_string());
            if let Some(policy_file) = self.run.attest
                && !self.run.shared_names.contain(target.name())
            {
                let attested = statements::attested(
                    &target.deployment,
                    one.app_compose,
                    &report,
                    evidence,
                    policy_file,
                );
                result.bundles.attested.extend(attested);
            }
            self.parts.share(&mut report);
            result.reports.push(report);
        }
        // A statement speaks for the target: of several instances each must pass.
        if result
            .reports
            .iter()
            .any(|report| report.verdict != Verdict::Pass)
        {
            result.bundles.attested.clear();
        }
        self.results.push((index, result));
    }
}
