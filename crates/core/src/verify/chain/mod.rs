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
pub use contracts::{AppContract, Contract, Implementation, KmsContract, Owner, OwnerKind};
pub use governance::{ChainProblem, Governance};
pub use rpc::Block;
pub use subject::GovernanceSubject;
pub use transcript::{NodeAnswer, Unanswered};

// For the program.
#[doc(hidden)]
pub use self::{
    call::{address_text, function_of},
    governance::{MAX_ROUNDS, read},
    rpc::{Request, outcome},
};

#[cfg(test)]
mod tests;
