//! On-chain governance: which questions the contracts of an app and its KMS are asked, and what two nodes' answers mean.

mod abi;
mod at_block;
mod call;
mod contracts;
mod governance;
mod rpc;
mod subject;
mod transcript;

pub use abi::{AbiError, Address, AppBootInfo, KmsInfo};
pub use call::{address_text, function_of};
pub use contracts::{AppContract, Contract, Implementation, KmsContract, Owner, OwnerKind};
pub use governance::{ChainProblem, Governance, MAX_ROUNDS, read};
pub use rpc::{Block, Request, outcome};
pub use subject::GovernanceSubject;
pub use transcript::{NodeAnswer, Unanswered};

#[cfg(test)]
mod tests;
