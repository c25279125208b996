//! What a check is: its words, its reasons, what it is required for, and its decision.

use std::borrow::Cow;

use super::finding::{Finding, Reason};
use crate::policy::{Origin, Policy};
use crate::report::{Accepted, CheckId, CheckResult, ResultFields, SideTier, Status, Tier};
use crate::verify::Claims;

/// A check: what it is called, what it is for, and how it decides.
pub struct Check {
    /// Its name: kebab-case, as users write it.
    pub id: CheckId,
    /// Its name in words, for a heading.
    pub title: &'static str,
    /// What a pass proves: one sentence, shown by `explain`.
    pub proves: &'static str,
    /// The attack that it prevents: one sentence, shown by `explain`.
    pub prevents: &'static str,
    /// Every reason that it can give.
    pub reasons: &'static [&'static Reason],
    /// Which tiers require it.
    pub required: Required,
    /// The reasons of the skips that leave nothing open of what the user configured: what was expected does not apply.
    pub harmless_skips: &'static [&'static Reason],
    /// The reasons of the warnings that leave its requirement met. Any other warning is short of it.
    pub harmless_warnings: &'static [&'static Reason],
    /// Whether the user asked for it by giving it something to compare with: an error then leaves the verdict
    /// inconclusive, whatever the tier, and so does a skip that is neither a waiver nor listed as harmless.
    pub is_configured: fn(&Policy) -> bool,
    /// The decision.
    pub run: fn(&Claims, &Policy) -> Finding,
}

/// What the tiers require of a check (docs/concepts.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// To be met for this tier and for every higher one.
    From(Tier),
    /// Not to fail, for any assurance at all.
    NotToFail,
    /// Not to fail, for any assurance at all, and to be met for this tier and for every higher one.
    NotToFailAndFrom(Tier),
    /// Nothing for `hardware` and `code`. If it is met, it grants one of these tiers beside `code`, which its finding names
    /// ([`Finding::granting`]).
    Grants(&'static [SideTier]),
    /// Nothing.
    Never,
}

impl Check {
    /// A finding of this check under a policy, as the report shows it.
    #[must_use]
    pub fn result(&self, finding: &Finding, policy: &Policy) -> CheckResult {
        let is_open = matches!(finding.status, Status::Warn | Status::Fail | Status::Error);
        // The setting of a check's own name decides how strict it is.
        let own = || policy.settings.get(self.id.as_str()).filter(|_| is_open);
        let origin = finding.origin.as_ref().or_else(own);
        CheckResult::from(ResultFields {
            id: self.id,
            status: finding.status,
            reason: finding.reason.map(|reason| reason.id.to_owned()),
            title: Cow::Borrowed(self.title),
            proves: Cow::Borrowed(self.proves),
            prevents: Cow::Borrowed(self.prevents),
            detail: finding.detail.clone(),
            expected: finding.expected.clone(),
            location: origin.and_then(Origin::location),
            actual: finding.actual.clone(),
            fix: finding.fix.clone().or_else(|| {
                let fix = finding.reason.map(|reason| reason.fix);
                fix.filter(|fix| !fix.is_empty()).map(str::to_owned)
            }),
            grants: finding.grants.filter(|side| self.may_grant(*side)),
        })
    }

    /// Whether this check is one that can grant a tier beside `code`.
    #[must_use]
    pub fn may_grant(&self, side: SideTier) -> bool {
        matches!(self.required, Required::Grants(sides) if sides.contains(&side))
    }

    /// What a finding of this check was accepted with, as the report shows it.
    #[must_use]
    pub fn accepted(&self, finding: &Finding) -> Vec<Accepted> {
        finding.accepted.iter().map(|one| one.of(self.id)).collect()
    }
}
