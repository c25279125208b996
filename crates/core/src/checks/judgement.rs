//! What was found of several things, and the one finding that it becomes.

use super::{Acceptance, Finding, Reason};
use crate::policy::Origin;

/// What was found so far.
#[derive(Default)]
pub(super) struct Judgement {
    fails: Vec<(&'static Reason, String)>,
    /// Who expects otherwise than the first of them.
    origin: Option<Origin>,
    errors: Vec<(&'static Reason, String)>,
    warns: Vec<(&'static Reason, String)>,
    accepted: Vec<Acceptance>,
}

impl Judgement {
    /// Something is wrong.
    pub(super) fn fail(&mut self, reason: &'static Reason, detail: String) {
        self.fails.push((reason, detail));
    }

    /// Something is another than it was expected to be. `origin` is who expects it.
    pub(super) fn unexpected(&mut self, reason: &'static Reason, detail: String, origin: Option<Origin>) {
        if self.fails.is_empty() {
            self.origin = origin;
        }
        self.fail(reason, detail);
    }

    /// Something could not be determined.
    pub(super) fn error(&mut self, reason: &'static Reason, detail: String) {
        self.errors.push((reason, detail));
    }

    /// Something that is open: an error if it is demanded, else something to look at.
    pub(super) fn open(&mut self, is_demanded: bool, reason: &'static Reason, detail: String) {
        match is_demanded {
            true => self.error(reason, detail),
            false => self.warn(reason, detail),
        }
    }

    /// Something to look at.
    pub(super) fn warn(&mut self, reason: &'static Reason, detail: String) {
        self.warns.push((reason, detail));
    }

    /// What the user accepted in writing on the way.
    pub(super) fn accept(&mut self, accepted: impl IntoIterator<Item = Acceptance>) {
        for one in accepted {
            if !self.accepted.contains(&one) {
                self.accepted.push(one);
            }
        }
    }

    /// What convicts, before what is open, before what warns; each with all others of its weight. `fine` is said if nothing
    /// convicts and nothing is open.
    pub(super) fn finding(self, fine: &str) -> Finding {
        let joined = |found: &[(&'static Reason, String)]| {
            let sentences: Vec<&str> = found.iter().map(|(_, detail)| detail.as_str()).collect();
            sentences.join(" ")
        };
        if let Some((reason, _)) = self.fails.first() {
            return Finding::fail(reason, joined(&self.fails)).against(self.origin);
        }
        if let Some((reason, _)) = self.errors.first() {
            return Finding::error(reason, joined(&self.errors));
        }
        let finding = match self.warns.first() {
            Some((reason, _)) => Finding::warn(reason, format!("{fine} {}", joined(&self.warns))),
            None => Finding::pass(fine),
        };
        finding.accepting(self.accepted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Status;

    const REASON: Reason = Reason {
        id: "reason",
        means: "",
        fix: "",
    };

    #[test]
    fn what_is_open_is_an_error_if_it_is_demanded_and_a_warning_if_not() {
        for (is_demanded, status) in [(true, Status::Error), (false, Status::Warn)] {
            let mut judgement = Judgement::default();
            judgement.open(is_demanded, &REASON, "Open.".to_owned());
            let finding = judgement.finding("Fine.");
            assert_eq!(
                (finding.status, finding.reason.map(|reason| reason.id)),
                (status, Some("reason"))
            );
            assert!(finding.detail.ends_with("Open."), "{}", finding.detail);
        }
    }
}
