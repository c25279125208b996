//! What was found of several contracts, and the one finding that it becomes.

use super::reasons::{ABI, NOT_ASKED, RPC, RPC_DISAGREE, UNSUPPORTED};
use crate::checks::{Finding, Reason};
use crate::policy::Origin;
use crate::verify::chain::{Answer, Unanswered};

/// What was found so far.
#[derive(Default)]
pub(super) struct Judgement {
    fails: Vec<(&'static Reason, String)>,
    /// Who expects otherwise than the first of them.
    origin: Option<Origin>,
    errors: Vec<(&'static Reason, String)>,
    warns: Vec<(&'static Reason, String)>,
}

impl Judgement {
    /// Something is wrong with the deployment: both nodes say so.
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

    /// Something to look at.
    pub(super) fn warn(&mut self, reason: &'static Reason, detail: String) {
        self.warns.push((reason, detail));
    }

    /// The answer to a question; what is none is an error.
    pub(super) fn answer<'a, T>(&mut self, answer: &'a Answer<T>, question: &str) -> Option<&'a T> {
        match answer {
            Ok(value) => Some(value),
            Err(unanswered) => {
                self.error(reason_of(unanswered), format!("{question}: {unanswered}."));
                None
            }
        }
    }

    /// What convicts, before what is open, before what warns; each with all others of its weight. `allowed` is said where
    /// nothing convicts and nothing is open.
    pub(super) fn finding(self, allowed: &str) -> Finding {
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
        match self.warns.first() {
            Some((reason, _)) => Finding::warn(reason, format!("{allowed} {}", joined(&self.warns))),
            None => Finding::pass(allowed),
        }
    }
}

/// The reason under which a missing answer is reported.
pub(super) fn reason_of(unanswered: &Unanswered) -> &'static Reason {
    match unanswered {
        Unanswered::NotRecorded => &NOT_ASKED,
        Unanswered::Rpc(_) => &RPC,
        Unanswered::Disagree { .. } => &RPC_DISAGREE,
        Unanswered::Reverted => &UNSUPPORTED,
        Unanswered::NoImplementation | Unanswered::Abi(_) => &ABI,
    }
}
