//! What a check passes with because somebody accepted it in writing.

use std::fmt;

use crate::report::{Accepted, AcceptedKind, CheckId, rfc3339};

/// Something that the user accepted in writing, as the check that owns it found it.
///
/// Give it to [`Finding::accepting`](super::Finding::accepting) if it meets the requirement of the check, that is, if
/// nothing else is left open. The verdict then counts the requirement as met, the assurance does not, and every format
/// names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    what: AcceptedKind,
    by: String,
    until: Option<u64>,
    reason: String,
}

impl Acceptance {
    /// `by` is where it is written: an option, a place in the policy file, the path of a lock
    /// ([`Origin`](crate::policy::Origin) says each of them). `reason` is what speaks against it, or why a person
    /// accepted it: one sentence. It may hold text that a CVM sent: renderers escape it.
    #[must_use]
    pub fn new(what: AcceptedKind, by: impl fmt::Display, reason: impl Into<String>) -> Self {
        Self {
            what,
            by: by.to_string(),
            until: None,
            reason: reason.into(),
        }
    }

    /// With the first second at which it no longer holds, Unix seconds.
    #[must_use]
    pub const fn until(mut self, end: u64) -> Self {
        self.until = Some(end);
        self
    }

    /// Whether it accepts this kind of thing.
    pub(super) fn is(&self, what: AcceptedKind) -> bool {
        self.what == what
    }

    /// As the report shows it.
    pub(super) fn of(&self, check: CheckId) -> Accepted {
        Accepted {
            check,
            what: self.what,
            by: self.by.clone(),
            until: self.until.map(rfc3339),
            reason: self.reason.clone(),
        }
    }
}
