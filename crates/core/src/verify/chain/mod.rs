//! On-chain governance: which questions the contracts of an app and its KMS are asked, and what two nodes' answers mean.

mod abi;
mod at_block;
mod call;
mod contracts;
mod governance;
mod rpc;
mod subject;
mod transcript;

pub(crate) use contracts::{AppContract, KmsContract, Owner, OwnerKind};
pub use governance::Governance;
pub(crate) use transcript::NodeAnswer;

// For the program.
#[doc(hidden)]
pub use self::{
    abi::{AbiError, Address, AppBootInfo, KmsInfo},
    call::{address_text, function_of},
    contracts::{Contract, Implementation},
    governance::{ChainProblem, MAX_ROUNDS, read},
    rpc::{Block, Request, outcome},
    subject::GovernanceSubject,
    transcript::Unanswered,
};

#[cfg(test)]
mod tests;
