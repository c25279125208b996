//! What a check decides.

use std::fmt;

use super::Acceptance;
use crate::policy::Origin;
use crate::report::{AcceptedKind, SideTier, Status};

/// Why a check did not simply pass. The id never changes.
#[derive(Debug)]
pub struct Reason {
    /// Kebab-case.
    pub id: &'static str,
    /// What it means, one or two sentences.
    pub means: &'static str,
    /// What to do about it. Empty where another check says it.
    pub fix: &'static str,
}

/// An error as a sentence: capital letter, full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    format!("{start}{}.", chars.as_str().trim_end_matches('.'))
}

/// Declares the reasons of a check, each as `NAME "id" "what it means" "what to do";`, and the list of all of them in the same order.
/// `with` adds reasons that are declared elsewhere.
macro_rules! reasons {
    (
        $vis:vis $list:ident $(with [$(&$other:path),* $(,)?])?:
        $($(#[$doc:meta])* $name:ident $id:literal $means:literal $fix:expr;)*
    ) => {
        $(
            $(#[$doc])*
            $vis const $name: $crate::checks::Reason = $crate::checks::Reason { id: $id, means: $means, fix: $fix };
        )*
        $vis const $list: &[&$crate::checks::Reason] = &[$(&$name,)* $($(&$other),*)?];
    };
}
pub(super) use reasons;

/// What is known; where it is not, the function returns the finding that says so.
macro_rules! known {
    ($result:expr) => {
        match $result {
            Ok(known) => known,
            Err(finding) => return finding,
        }
    };
}
pub(super) use known;

/// What a check decides.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The outcome.
    pub status: Status,
    /// Why; absent for a pass.
    pub reason: Option<&'static Reason>,
    /// One sentence with the facts of this case. May hold text that a CVM sent: renderers escape it.
    pub detail: String,
    /// What was expected, where a value was.
    pub expected: Option<String>,
    /// Who expects it.
    pub origin: Option<Origin>,
    /// What was found instead.
    pub actual: Option<String>,
    /// The lines of a diff from what was expected to what was found; printable ASCII.
    pub diff: Vec<String>,
    /// What the user accepted in writing and that meets the requirement.
    pub accepted: Vec<Acceptance>,
    /// What to do about it in this case, where that says more than the reason's own advice.
    pub fix: Option<String>,
    /// The tier in addition to `code` that it grants.
    pub grants: Option<SideTier>,
}

impl Finding {
    fn new(status: Status, reason: Option<&'static Reason>, detail: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            detail: detail.into(),
            expected: None,
            origin: None,
            actual: None,
            diff: Vec::new(),
            accepted: Vec::new(),
            fix: None,
            grants: None,
        }
    }

    /// Proven.
    #[must_use]
    pub fn pass(detail: impl Into<String>) -> Self {
        Self::new(Status::Pass, None, detail)
    }

    /// Proven, with something to look at.
    #[must_use]
    pub fn warn(reason: &'static Reason, detail: impl Into<String>) -> Self {
        Self::new(Status::Warn, Some(reason), detail)
    }

    /// Something is wrong with the deployment.
    #[must_use]
    pub fn fail(reason: &'static Reason, detail: impl Into<String>) -> Self {
        Self::new(Status::Fail, Some(reason), detail)
    }

    /// It could not be determined.
    #[must_use]
    pub fn error(reason: &'static Reason, detail: impl Into<String>) -> Self {
        Self::new(Status::Error, Some(reason), detail)
    }

    /// Not configured.
    #[must_use]
    pub fn skip(reason: &'static Reason, detail: impl Into<String>) -> Self {
        Self::new(Status::Skip, Some(reason), detail)
    }

    /// Not done, because the user waived it in writing. `by` is where that is written.
    #[must_use]
    pub fn waived(reason: &'static Reason, by: impl fmt::Display, detail: impl Into<String>) -> Self {
        let waiver = Acceptance::new(AcceptedKind::Waiver, by, reason.means);
        Self::new(Status::Skip, Some(reason), detail).accepting([waiver])
    }

    /// With what the user accepted in writing: it meets the requirement of the check, so give it only if nothing else is
    /// left open. A failure and an error accept nothing.
    #[must_use]
    pub fn accepting(mut self, accepted: impl IntoIterator<Item = Acceptance>) -> Self {
        if matches!(self.status, Status::Pass | Status::Warn | Status::Skip) {
            self.accepted.extend(accepted);
        }
        self
    }

    /// With the tier in addition to `code` that it grants: one that the check declares in `required`. Only a pass and a harmless
    /// warning grant anything.
    #[must_use]
    pub(crate) fn granting(mut self, side: SideTier) -> Self {
        if matches!(self.status, Status::Pass | Status::Warn) {
            self.grants = Some(side);
        }
        self
    }

    /// With the value that was expected and the one that was found.
    #[must_use]
    pub(crate) fn comparing(mut self, expected: impl Into<String>, actual: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self.actual = Some(actual.into());
        self
    }

    /// With who expects otherwise: the report then points at the line of the file.
    #[must_use]
    pub(crate) fn against(mut self, origin: impl Into<Option<Origin>>) -> Self {
        self.origin = origin.into().or(self.origin);
        self
    }

    /// With the lines of a diff.
    #[must_use]
    pub fn differing(mut self, lines: Vec<String>) -> Self {
        self.diff = lines;
        self
    }

    /// With what to do about it in this case.
    #[must_use]
    pub(crate) fn advising(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// With the value that was found.
    #[must_use]
    pub fn found(mut self, actual: impl Into<String>) -> Self {
        self.actual = Some(actual.into());
        self
    }
}
