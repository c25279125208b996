//! What one run found of one target, as far as it matters to what is reported.

use super::asked_at::AskedAt;
use super::failure::Failure;
use super::forecast::Forecast;
use super::policy_entry::PolicyEntry;
use cvm_verify_core::policy::Fingerprint;
use cvm_verify_core::report::{TargetReport, unix_seconds};

/// What one run found of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When it was found, Unix seconds.
    pub at: u64,
    /// What failed; absent for a pass.
    pub failure: Option<Failure>,
    /// What the target was judged by.
    pub policy: Fingerprint,
    /// The address that was asked. Absent for a recording.
    pub asked: Option<AskedAt>,
    /// What a pass says ahead of.
    pub forecasts: Vec<Forecast>,
    /// The entry of the policy file that it was verified for, if there is one.
    pub entry: Option<PolicyEntry>,
    /// Whether the state has been taken further by it: it only says what is due still.
    pub weighed: bool,
}

impl Observation {
    /// Of a `report` by a policy that is told at `now`, Unix seconds: found when it was judged, which may be long before. A time
    /// that cannot be read, or is later than `now` after the clock was set back, counts as `now`.
    #[must_use]
    pub fn judged(report: &TargetReport, policy: Fingerprint, now: u64) -> Self {
        let at = unix_seconds(&report.evaluated_at).map_or(now, |at| at.min(now));
        Self::of(report, policy, at)
    }

    /// Of a `report` that was made at `at` (Unix seconds) by a policy.
    #[must_use]
    pub fn of(report: &TargetReport, policy: Fingerprint, at: u64) -> Self {
        Self {
            at,
            failure: Failure::of(report, at),
            policy: match report.simulated() {
                None => policy,
                Some(_) => policy.under_custom_root(),
            },
            asked: None,
            forecasts: Forecast::all_in(report),
            entry: None,
            weighed: false,
        }
    }

    /// The same, where the report stands for all of `reports`.
    #[must_use]
    pub(crate) fn of_several<'a>(self, reports: impl IntoIterator<Item = &'a TargetReport>) -> Self {
        Self {
            failure: self.failure.map(|failure| failure.of_several(reports)),
            ..self
        }
    }

    /// The same, found at the source that was asked.
    #[must_use]
    pub fn asked_at(self, asked: Option<AskedAt>) -> Self {
        Self { asked, ..self }
    }

    /// The same, of a target of a policy file.
    #[must_use]
    pub fn of_entry(self, entry: Option<PolicyEntry>) -> Self {
        Self { entry, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::samples;
    use cvm_verify_core::policy::Policy;

    #[test]
    fn another_root_is_another_policy() {
        let policy = Policy::default().fingerprint();
        let mut report = samples::pass();
        let genuine = Observation::of(&report, policy, 0);
        report.trust_root = cvm_verify_core::report::TrustRootKind::Custom;
        assert_ne!(Observation::of(&report, policy, 0).policy, genuine.policy);
    }
}
