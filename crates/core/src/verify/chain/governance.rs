//! Who governs an app on chain: what its contract and that of its KMS answer at one finalized block.
//!
//! [`read`] decides which questions there are, and what the answers mean. It has no network: the questions without an answer
//! are given back, the caller asks both nodes and calls again. A replay runs the same function over what was recorded, so it
//! decides alike.

use super::at_block::At;
use super::contracts::{AppContract, KmsContract};
use super::rpc::{self, Block, Request};
use super::subject::GovernanceSubject;
use super::transcript::{NodeAnswer, RpcTranscript, Unanswered};
use crate::evidence::{Contracts, RecordedChain};

/// How far the newest final blocks of two nodes may be apart, seconds: 15 minutes. Blocks of Base become final with those of Ethereum,
/// in steps of 6.4 minutes.
const MAX_APART: u64 = 15 * 60;

/// Why the chain could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainProblem {
    /// A node failed, or the bundle does not hold an answer.
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
    /// A node serves another chain.
    #[error("{host} serves chain {found}, not chain {expected}")]
    OtherChain {
        /// `host:port` of the node.
        host: String,
        /// The chain that it serves.
        found: u64,
        /// The chain that is named.
        expected: u64,
    },
    /// A node gives no finalized block.
    #[error("{host} gives no finalized block: it does not support the block tag `finalized`")]
    NoFinalizedBlock {
        /// `host:port` of the node.
        host: String,
    },
    /// The newest final blocks of the nodes are too far apart: the older one would decide alone which time is judged.
    #[error(
        "the newest final block of {host} is {seconds} s older than that of the other node; at most {MAX_APART} s are usual"
    )]
    Behind {
        /// `host:port` of the node whose block is the older one.
        host: String,
        /// How much older, seconds.
        seconds: u64,
    },
    /// A node answers with something else than was asked for.
    #[error("{host} answers {method} with something else than {expected}")]
    Form {
        /// `host:port` of the node.
        host: String,
        /// The method.
        method: &'static str,
        /// What it must answer.
        expected: &'static str,
    },
}

/// What both nodes say of an app's contracts at one finalized block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    contracts: Contracts,
    block: Block,
    app: NodeAnswer<Option<AppContract>>,
    kms: Option<NodeAnswer<Option<KmsContract>>>,
}

impl Governance {
    /// Which contracts these are.
    #[must_use]
    pub const fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// The block at which everything was asked.
    #[doc(hidden)]
    #[must_use]
    pub const fn block(&self) -> &Block {
        &self.block
    }

    /// The app's contract; absent if there is no code at its address.
    ///
    /// # Errors
    /// Why the nodes gave no answer that can be used.
    #[doc(hidden)]
    pub fn app(&self) -> Result<Option<&AppContract>, &Unanswered> {
        self.app.as_ref().map(Option::as_ref)
    }

    /// The KMS's contract, as [`Self::app`]; absent if none was named.
    #[doc(hidden)]
    #[must_use]
    pub fn kms(&self) -> Option<Result<Option<&KmsContract>, &Unanswered>> {
        let answer = self.kms.as_ref()?;
        Some(answer.as_ref().map(Option::as_ref))
    }
}

#[cfg(test)]
impl Governance {
    /// Answers that no node gave.
    pub(crate) const fn made_up(
        contracts: Contracts,
        block: Block,
        app: NodeAnswer<Option<AppContract>>,
        kms: Option<NodeAnswer<Option<KmsContract>>>,
    ) -> Self {
        Self {
            contracts,
            block,
            app,
            kms,
        }
    }
}

/// How often [`read`] is called at most until no question is open: each answer opens further ones.
pub const MAX_ROUNDS: usize = 8;

/// Reads what two nodes answered about an app's contracts, and says which questions have no answer yet.
pub fn read(
    contracts: &Contracts,
    subject: &GovernanceSubject,
    record: &RecordedChain,
) -> (Result<Governance, ChainProblem>, Vec<Request>) {
    let mut transcript = RpcTranscript::new(record);
    let governance = chain(contracts, &mut transcript).map(|block| {
        let mut at = At {
            transcript: &mut transcript,
            block: block.number,
        };
        Governance {
            contracts: *contracts,
            block,
            app: at.app(&contracts.app, subject),
            kms: contracts.kms.map(|kms| at.kms(&kms, subject)),
        }
    });
    (governance, transcript.into_open())
}

/// The newest block that both nodes hold for final.
fn chain(contracts: &Contracts, transcript: &mut RpcTranscript<'_>) -> Result<Block, ChainProblem> {
    let hosts = transcript.hosts();
    let chains = transcript.each(Request::chain_id());
    let finalized = transcript.each(Request::finalized());
    for (value, host) in chains?.into_iter().zip(hosts) {
        let found = rpc::quantity(value).ok_or_else(|| ChainProblem::Form {
            host: host.clone(),
            method: "eth_chainId",
            expected: "a number",
        })?;
        if found != contracts.chain_id {
            return Err(ChainProblem::OtherChain {
                host: host.clone(),
                found,
                expected: contracts.chain_id,
            });
        }
    }
    let mut newest = Vec::new();
    for (value, host) in finalized?.into_iter().zip(hosts) {
        if value.is_null() {
            return Err(ChainProblem::NoFinalizedBlock { host: host.clone() });
        }
        newest.push((block_of(value, host)?, host));
    }
    newest.sort_by_key(|(block, _)| block.number);
    let number = newest.first().map_or(0, |(block, _)| block.number);
    let blocks = transcript.each(Request::block(number))?;
    let [first, second] = blocks;
    let [first_host, second_host] = hosts;
    for (value, host) in blocks.into_iter().zip(hosts) {
        if value.is_null() {
            return Err(Unanswered::Rpc(format!("{host} does not have block {number}")).into());
        }
    }
    let (first, second) = (block_of(first, first_host)?, block_of(second, second_host)?);
    if first != second {
        let shown = |block: &Block| {
            let (number, hash, time) = (block.number, hex::encode(block.hash), block.timestamp);
            format!("block {number} with hash 0x{hash} and time {time}")
        };
        return Err(transcript.disagree(&shown(&first), &shown(&second)).into());
    }
    // By the time of the block that both have: a node could claim any time for its own newest one.
    if let [(_, host), .., (newer, _)] = newest.as_slice() {
        let seconds = newer.timestamp.saturating_sub(first.timestamp);
        if seconds > MAX_APART {
            return Err(ChainProblem::Behind {
                host: (*host).clone(),
                seconds,
            });
        }
    }
    match first.number == number {
        true => Ok(first),
        false => Err(ChainProblem::Form {
            host: first_host.clone(),
            method: "eth_getBlockByNumber",
            expected: "the block that was asked for",
        }),
    }
}

fn block_of(value: &serde_json::Value, host: &str) -> Result<Block, ChainProblem> {
    rpc::block(value).ok_or_else(|| ChainProblem::Form {
        host: host.to_owned(),
        method: "eth_getBlockByNumber",
        expected: "a block with number, hash and timestamp",
    })
}
