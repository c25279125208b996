//! The answers of two nodes, compared: what only one of them says is not an answer.

use serde_json::Value;

use super::abi::AbiError;
use super::rpc::{Request, data, is_revert};
use crate::evidence::{RecordedChain, RpcOutcome};

/// Why two nodes gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The question was not asked; in a replay, the bundle does not hold it.
    #[error("the recorded evidence does not hold the answer")]
    NotRecorded,
    /// A node failed.
    #[error("{0}")]
    Rpc(String),
    /// The nodes answer differently.
    #[error("{first_host} answers {first}, {second_host} answers {second}")]
    Disagree {
        /// `host:port` of the first node.
        first_host: String,
        /// Its answer, at most some ten characters.
        first: String,
        /// `host:port` of the second node.
        second_host: String,
        /// Its answer.
        second: String,
    },
    /// The contract refuses the call, or has no such function.
    #[error("the contract does not have this function, or refuses the call")]
    Reverted,
    /// The contract is of a generation that came after those that are known.
    #[error("the contract is of a generation that this version of cvm-verify does not know")]
    OtherGeneration,
    /// Not so at the final block, and so at the newest block of both nodes.
    #[error("not yet at a final block, but at the newest block of both nodes")]
    NotFinal,
    /// A proxy leads to an address without code.
    #[error("the contract is a proxy for an address without code")]
    NoImplementation,
    /// The answer cannot be decoded.
    #[error("{0}")]
    Abi(AbiError),
}

/// An answer that both nodes gave.
pub type NodeAnswer<T> = Result<T, Unanswered>;

/// The answers so far, and the questions that are still open.
pub(super) struct RpcTranscript<'r> {
    record: &'r RecordedChain,
    open: Vec<Request>,
}

impl<'r> RpcTranscript<'r> {
    pub(super) const fn new(record: &'r RecordedChain) -> Self {
        Self {
            record,
            open: Vec::new(),
        }
    }

    /// The questions that have no answers yet.
    pub(super) fn into_open(self) -> Vec<Request> {
        self.open
    }

    pub(super) const fn hosts(&self) -> &'r [String; 2] {
        &self.record.hosts
    }

    /// What each node answered, where each answered with a result.
    pub(super) fn each(&mut self, request: Request) -> NodeAnswer<[&'r Value; 2]> {
        let (first, second) = self.results(request)?;
        match (first, second) {
            (Some(first), Some(second)) => Ok([first, second]),
            _ => Err(Unanswered::Reverted),
        }
    }

    /// The bytes that both nodes answered.
    pub(super) fn bytes(&mut self, request: Request) -> NodeAnswer<Vec<u8>> {
        let (first, second) = self.results(request)?;
        let [first_host, second_host] = self.hosts();
        let bytes = |value: &Value, host: &str| {
            data(value).ok_or_else(|| Unanswered::Rpc(format!("{host}: the result is not bytes in hex")))
        };
        match (first, second) {
            (None, None) => Err(Unanswered::Reverted),
            (Some(first), Some(second)) => {
                let (first_bytes, second_bytes) = (bytes(first, first_host)?, bytes(second, second_host)?);
                if first_bytes == second_bytes {
                    Ok(first_bytes)
                } else {
                    Err(self.disagree(&short(&first_bytes), &short(&second_bytes)))
                }
            }
            (Some(first), None) => Err(self.disagree(&short(&bytes(first, first_host)?), "a revert")),
            (None, Some(second)) => Err(self.disagree("a revert", &short(&bytes(second, second_host)?))),
        }
    }

    /// What each node answered; of a question that neither answers, what both say.
    fn results(&mut self, request: Request) -> NodeAnswer<(Option<&'r Value>, Option<&'r Value>)> {
        let is_call = request.is_call();
        let [first, second] = self.outcomes(request)?;
        let [first_host, second_host] = self.hosts();
        match (
            result(first, first_host, is_call),
            result(second, second_host, is_call),
        ) {
            (Ok(first), Ok(second)) => Ok((first, second)),
            (Err(Unanswered::Rpc(first)), Err(Unanswered::Rpc(second))) => {
                Err(Unanswered::Rpc(format!("{first}; and {second}")))
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    /// That the nodes answer differently.
    pub(super) fn disagree(&self, first: &str, second: &str) -> Unanswered {
        let [first_host, second_host] = self.hosts();
        Unanswered::Disagree {
            first_host: first_host.clone(),
            first: first.to_owned(),
            second_host: second_host.clone(),
            second: second.to_owned(),
        }
    }

    /// What was recorded of a question; one that was not asked yet is noted.
    fn outcomes(&mut self, request: Request) -> NodeAnswer<&'r [RpcOutcome; 2]> {
        let recorded = self
            .record
            .exchanges
            .iter()
            .find(|exchange| exchange.method == request.method && exchange.params == request.params);
        match recorded {
            Some(exchange) => Ok(&exchange.answers),
            None => {
                if !self.open.contains(&request) {
                    self.open.push(request);
                }
                Err(Unanswered::NotRecorded)
            }
        }
    }
}

/// A node's result; absent for a revert. Only the call of a contract can revert: a node that says so of anything else has failed.
fn result<'o>(outcome: &'o RpcOutcome, host: &str, is_call: bool) -> NodeAnswer<Option<&'o Value>> {
    match outcome {
        RpcOutcome::Result(value) => Ok(Some(value)),
        RpcOutcome::Error(fault) if is_call && is_revert(fault) => Ok(None),
        RpcOutcome::Error(fault) => Err(Unanswered::Rpc(format!(
            "{host} answers the error {}: {}",
            fault.code, fault.message
        ))),
        RpcOutcome::Problem(problem) => Err(Unanswered::Rpc(problem.clone())),
    }
}

/// The start of an answer, for people.
fn short(bytes: &[u8]) -> String {
    match bytes {
        [] => "nothing (0x)".to_owned(),
        [start @ .., last] if start.len() == 31 && start.iter().all(|byte| *byte == 0) => last.to_string(),
        _ => {
            let start: Vec<u8> = bytes
                .iter()
                .copied()
                .skip_while(|byte| *byte == 0)
                .take(20)
                .collect();
            format!(
                "0x{}{}",
                hex::encode(&start),
                if bytes.len() > 32 { "…" } else { "" }
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_shown_as_a_number_or_as_its_first_bytes() {
        let word = |end: &[u8]| [&[0; 32][end.len()..], end].concat();
        let long = [word(&[0xab]), word(&[1])].concat();
        for (bytes, shown) in [
            (Vec::new(), "nothing (0x)".to_owned()),
            (word(&[0]), "0".to_owned()),
            (word(&[7]), "7".to_owned()),
            (word(&[1, 7]), "0x0107".to_owned()),
            (word(&[0xcd; 20]), format!("0x{}", "cd".repeat(20))),
            (vec![0, 7], "0x07".to_owned()),
            (vec![7], "0x07".to_owned()),
            (word(&[0xef; 32]), format!("0x{}", "ef".repeat(20))),
            (long, format!("0xab{}…", "00".repeat(19))),
        ] {
            assert_eq!(short(&bytes), shown);
        }
    }
}
