//! Answers of contracts, and under which reason it is reported that there is none.

use super::reasons::{ABI, NOT_ASKED, NOT_FINAL, RPC, RPC_DISAGREE, UNSUPPORTED};
use crate::checks::Reason;
use crate::checks::judgement::Judgement;
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
