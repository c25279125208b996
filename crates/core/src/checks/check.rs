//! What a check is: its words, its reasons, what it is required for, and its decision.

use std::borrow::Cow;

use super::EvidenceFailure;
use super::finding::{Finding, Reason};
use crate::compose::UnprovenDocument;
use crate::policy::{Origin, Policy};
use crate::report::{
    Accepted, CheckId, CheckResult, MeasuredValue, RequiredAssurance, ResultFields, SideTier, SideTiers,
    Status, Tier,
};
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
    /// The reasons that say ahead what will end: a pass rests on something that has an end, and the end is near. An alert says each
    /// of them once (`expiring`).
    pub forecasts: &'static [&'static Reason],
    /// The failures of evidence that is forged or replayed, so that waiting would only find another instance. All others are
    /// waited on (`--wait`), above all what differs between two releases, what differs between two boots (a key that the app has
    /// quoted), and what other parties must do first.
    pub convicts: &'static [(&'static Reason, Heals)],
    /// What it compares with an expectation, as a report has it: a failure with another value is another failure.
    pub compares: &'static [MeasuredValue],
    /// What it decides of a compose document alone, before that is deployed and measured; nothing where the document does not
    /// decide it. It decides of a measured document by the same function, so a plan refuses what a verification will refuse.
    pub of_document: Option<fn(&UnprovenDocument, &Policy) -> Option<Finding>>,
    /// What the evidence in a TLS certificate must say of it.
    pub in_certificate: InCertificate,
    /// What it says where there is no evidence; nothing where only `evidence` has something to say.
    pub without_evidence: fn(&EvidenceFailure, &Policy) -> Option<Finding>,
    /// The decision.
    pub run: fn(&Claims, &Policy) -> Finding,
}

/// Said of a check whose file holds no decision: a mistake in this program.
const UNDECIDED: Reason = Reason {
    id: "undecided",
    means: "The check has no decision of its own: an error in cvm-verify.",
    fix: "This is a bug in cvm-verify: please report it.",
};

fn undecided() -> Finding {
    Finding::error(&UNDECIDED, "Not determined: this check has no decision.")
}

/// What to do where a check passes and grants less than this tier, which is required.
const fn to_reach(side: SideTier) -> Option<&'static str> {
    match side {
        SideTier::Endpoint => Some(
            "An ingress reaches `endpoint-replayable` at most: require that (`code+endpoint-replayable`), or end TLS in the app, with \
             mode `ratls` or `app-key`: see docs/tls.md.",
        ),
        // Every binding reaches it; and who built the images says of each rule what it lacks.
        SideTier::EndpointReplayable | SideTier::Source => None,
    }
}

/// Whether a failure that convicts can end by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heals {
    /// Whatever runs: no release of an app makes such evidence.
    Never,
    /// Where the expected release runs: the app of an older one may answer in another way, and the next one answers as it
    /// should.
    UnlessExpectedRuns,
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
    /// (`Finding::granting`).
    Grants(&'static [SideTier]),
    /// Nothing.
    Never,
}

/// What the evidence in a TLS certificate, in which there is neither a nonce nor a compose document, must say of a check before
/// the VM is sent what is not for everyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InCertificate {
    /// Nothing: the check needs more than that evidence.
    NotAsked,
    /// It may not fail. What is open may need more than the certificate, and is judged afterwards.
    NotToFail,
    /// It may not fail, and is to be met if a required tier or the user requires it.
    ToBeMet,
}

impl Check {
    /// What a check is unless its file says otherwise. Each file names the id, the words, the reasons, what requires the check, and
    /// its decision. One that names no decision decides nothing: it is an error, never a pass or a skip.
    pub(super) const BASE: Self = Self {
        id: CheckId::Evidence,
        title: "",
        proves: "",
        prevents: "",
        reasons: &[],
        required: Required::Never,
        harmless_skips: &[],
        harmless_warnings: &[],
        is_configured: |_| false,
        forecasts: &[],
        convicts: &[],
        compares: &[],
        of_document: None,
        in_certificate: InCertificate::NotAsked,
        without_evidence: |_, _| None,
        run: |_, _| undecided(),
    };

    /// Whether a result meets the requirement with nothing waived or accepted: it passes, or it warns of something harmless.
    #[must_use]
    pub(crate) fn is_met_by(&self, status: Status, reason: Option<&str>) -> bool {
        match (status, reason) {
            (Status::Pass, reason) => reason.is_none(),
            (Status::Warn, Some(reason)) => self.harmless_warnings.iter().any(|known| known.id == reason),
            (Status::Warn, None) | (Status::Fail | Status::Error | Status::Skip, _) => false,
        }
    }

    /// Whether a skip for this reason leaves nothing open: what is expected of the check does not apply.
    #[must_use]
    pub(crate) fn is_harmless_skip(&self, status: Status, reason: Option<&str>) -> bool {
        let is_known = |reason| self.harmless_skips.iter().any(|known| known.id == reason);
        status == Status::Skip && reason.is_some_and(is_known)
    }

    /// A finding of this check under a policy, as the report shows it.
    #[must_use]
    pub fn result(&self, finding: &Finding, policy: &Policy) -> CheckResult {
        let is_open = matches!(finding.status, Status::Warn | Status::Fail | Status::Error);
        let own = || policy.strictness(self.id).filter(|_| is_open);
        let origin = finding.origin.as_ref().or_else(own);
        let mut result = CheckResult::from(ResultFields {
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
        });
        // The verdict hangs on it, and nothing in the finding itself says why.
        if finding.status == Status::Pass
            && let Some(side) = self.missing_side(result.grants.into_iter().collect(), policy.required)
        {
            result.detail = format!(
                "{} This does not reach `{side}`, which is required.",
                result.detail
            );
            if result.fix.is_none() {
                result.fix = to_reach(side).map(str::to_owned);
            }
        }
        result
    }

    /// The reason of an id, as a report has it: `None` if it is not one of this check.
    #[must_use]
    pub fn reason(&self, id: &str) -> Option<&'static Reason> {
        self.reasons.iter().copied().find(|reason| reason.id == id)
    }

    /// The first of what is required in addition to `code` that this check could grant, and did not.
    #[must_use]
    pub(crate) fn missing_side(&self, granted: SideTiers, required: RequiredAssurance) -> Option<SideTier> {
        let mut wanted = required.sides().iter().filter(|side| self.may_grant(*side));
        wanted.find(|side| !granted.includes(*side))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiers;

    #[test]
    fn a_check_without_a_decision_is_an_error() {
        let check = Check {
            required: Required::From(Tier::Hardware),
            ..Check::BASE
        };
        let result = check.result(&undecided(), &Policy::default());
        assert_eq!(
            (result.status, result.reason.as_deref()),
            (Status::Error, Some("undecided"))
        );
        assert!(tiers::is_short(&result, &check.accepted(&undecided())));
    }

    #[test]
    fn only_a_skip_for_a_reason_of_the_check_is_harmless() {
        let check = Check::of(CheckId::TlsBinding);
        for (status, reason, expected) in [
            (Status::Skip, Some("no-connection"), true),
            (Status::Error, Some("no-connection"), false),
            (Status::Skip, Some("unbound"), false),
            (Status::Skip, None, false),
        ] {
            assert_eq!(check.is_harmless_skip(status, reason), expected, "{reason:?}");
        }
    }
}
