//! On-chain governance: which questions the contracts of an app and its KMS are asked, and what two nodes' answers mean.

mod abi;
mod call;
mod governance;
mod rpc;
mod subject;
mod transcript;

pub use abi::{AbiError, Address, AppBootInfo};
pub use call::{address_text, function_of};
pub use governance::{
    AppContract, ChainProblem, Contract, Governance, Implementation, KmsContract, MAX_ROUNDS, Owner,
    OwnerKind, read,
};
pub use rpc::{Block, Request, outcome};
pub use subject::GovernanceSubject;
pub use transcript::{NodeAnswer, Unanswered};

#[cfg(test)]
mod tests;
