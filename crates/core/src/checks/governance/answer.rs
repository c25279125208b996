//! Answers of contracts, and how a missing answer and a no are reported.

use super::reasons::{ABI, NOT_ASKED, NOT_FINAL, RPC, RPC_DISAGREE, UNSUPPORTED};
use crate::checks::Reason;
use crate::checks::judgement::Judgement;
use crate::policy::{GovernanceMode, Policy};
use crate::verify::chain::{NodeAnswer, Unanswered};

impl Judgement {
    /// The answer to a question; what is none is an error.
    pub(super) fn answer<'a, T>(&mut self, answer: &'a NodeAnswer<T>, question: &str) -> Option<&'a T> {
        match answer {
            Ok(value) => Some(value),
            Err(unanswered) => {
                self.error(reason_of(unanswered), format!("{question}: {unanswered}."));
                None
            }
        }
    }
}

/// The reason under which a missing answer is reported.
pub(super) fn reason_of(unanswered: &Unanswered) -> &'static Reason {
    match unanswered {
        Unanswered::NotRecorded => &NOT_ASKED,
        Unanswered::Rpc(_) => &RPC,
        Unanswered::Disagree { .. } => &RPC_DISAGREE,
        Unanswered::Reverted | Unanswered::OtherGeneration => &UNSUPPORTED,
        Unanswered::NotFinal => &NOT_FINAL,
        Unanswered::NoImplementation | Unanswered::Abi(_) => &ABI,
    }
}

/// Whether the user demands an answer to each question.
pub(super) fn is_required(policy: &Policy) -> bool {
    policy.governance.mode == GovernanceMode::Required
}

/// Reports a no: a failure; for a contract with epochs, whose answer is about epoch 0 only, an error.
pub(super) fn not_allowed(
    judgement: &mut Judgement,
    reason: &'static Reason,
    what: &str,
    has_epochs: Option<&bool>,
) {
    match has_epochs {
        Some(false) => judgement.fail(reason, format!("{what}.")),
        Some(true) => judgement.error(
            &UNSUPPORTED,
            format!("{what}, for epoch 0; whether a later epoch allows it cannot be asked."),
        ),
        None => {}
    }
}
