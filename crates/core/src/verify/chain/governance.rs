//! Who governs an app on chain: what its contract and that of its KMS answer at one finalized block.
//!
//! [`read`] decides which questions there are, and what the answers mean. It has no network: the questions without an answer
//! are given back, the caller asks both nodes and calls again. A replay runs the same function over what was recorded, so it
//! decides alike.

use super::abi::{self, AbiError, Address, AppBootInfo, KmsInfo};
use super::call::{APP_AUTH, Call, EPOCH_AUTH_0_6_4, EPOCH_AUTH_0_6_5};
use super::rpc::{self, Block, Request};
use super::subject::GovernanceSubject;
use super::transcript::{NodeAnswer, RpcTranscript, Unanswered};
use crate::evidence::{Contracts, RecordedChain};
use crate::verify::digest::sha256;

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
    hosts: [String; 2],
    block: Block,
    app: NodeAnswer<Option<AppContract>>,
    kms: Option<NodeAnswer<Option<KmsContract>>>,
}

/// What an app's contract answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppContract {
    /// Its code and its owner.
    pub contract: Contract,
    /// Whether it has the interface of an app's contract.
    pub is_app: NodeAnswer<bool>,
    /// Whether it has epochs (contracts of dstack 0.6.4 and later). Then [`Self::compose_allowed`] is about app epoch 0.
    pub has_epochs: NodeAnswer<bool>,
    /// Whether the compose document may have the app's keys.
    pub compose_allowed: NodeAnswer<bool>,
    /// Whether any machine may run it.
    pub any_device: NodeAnswer<bool>,
    /// Whether this machine may run it, under its name of now or that of a KMS before 0.5.6.
    pub device_allowed: NodeAnswer<bool>,
    /// Whether the platform must be up to date. Contracts before February 2026 do not have it.
    pub requires_tcb: NodeAnswer<bool>,
    /// Whether it says, in its storage, that it can no longer be upgraded. Absent where the storage is not laid out as that of
    /// a contract that is known.
    pub upgrades_disabled: NodeAnswer<Option<bool>>,
}

/// What a KMS's contract answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsContract {
    /// Its code and its owner.
    pub contract: Contract,
    /// Whether the OS image may have keys; absent where the image's hash is not known.
    pub os_image_allowed: Option<NodeAnswer<bool>>,
    /// Whether the KMS that served the app may have the root keys; absent where the event log does not hold its build.
    pub kms_allowed: Option<NodeAnswer<bool>>,
    /// Whether each KMS that was attested in this run may have the root keys, by its build.
    pub live_builds: Vec<([u8; 32], NodeAnswer<bool>)>,
    /// Which KMS it governs, and evidence of how that one's root keys were made; empty where the contract does not say.
    pub info: NodeAnswer<KmsInfo>,
    /// What it answers a KMS that asks whether this boot of the app may have keys: yes or no, and its words. Absent where the
    /// OS image is not known.
    pub boot_allowed: Option<NodeAnswer<(bool, String)>>,
}

impl KmsContract {
    /// Whether both nodes say that a KMS of this build, which was attested in this run, may have the root keys.
    #[must_use]
    pub fn allows_build(&self, build: &[u8; 32]) -> bool {
        let mut answers = self.live_builds.iter();
        answers.any(|(asked, answer)| asked == build && *answer == Ok(true))
    }
}

/// A contract's code and owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// SHA-256 of the runtime code at its address.
    pub code: [u8; 32],
    /// Whether the code at its address can run code of another address (`DELEGATECALL`, `CALLCODE`).
    pub delegates: bool,
    /// What it runs, where it is a proxy (ERC-1967).
    pub implementation: NodeAnswer<Option<Implementation>>,
    /// Who may change it.
    pub owner: NodeAnswer<Owner>,
    /// Who was offered its ownership; absent for nobody.
    pub pending_owner: NodeAnswer<Option<Address>>,
}

/// The code behind a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Implementation {
    /// Its address.
    pub address: Address,
    /// SHA-256 of its runtime code.
    pub code: [u8; 32],
}

/// The owner of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its address.
    pub address: Address,
    /// What is there.
    pub kind: NodeAnswer<OwnerKind>,
}

/// What the owner of a contract is. What a contract answers about itself is its own word: its address is what a policy pins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnerKind {
    /// Nobody: the zero address.
    Nobody,
    /// One key.
    Key,
    /// A contract that answers as a Safe does.
    Safe {
        /// How many owners must sign.
        threshold: u64,
        /// How many owners there are.
        owners: usize,
    },
    /// A contract that answers as a timelock does.
    Timelock {
        /// How long a change waits, seconds.
        delay: u64,
    },
    /// Another contract.
    Contract,
}

impl Governance {
    /// Which contracts these are.
    #[must_use]
    pub const fn contracts(&self) -> &Contracts {
        &self.contracts
    }

    /// `host:port` of the two nodes.
    #[must_use]
    pub const fn hosts(&self) -> &[String; 2] {
        &self.hosts
    }

    /// The block at which everything was asked.
    #[must_use]
    pub const fn block(&self) -> &Block {
        &self.block
    }

    /// The app's contract; absent where there is no code at its address.
    ///
    /// # Errors
    /// Why the nodes gave no answer that can be used.
    pub fn app(&self) -> Result<Option<&AppContract>, &Unanswered> {
        self.app.as_ref().map(Option::as_ref)
    }

    /// The KMS's contract, as [`Self::app`]; absent where none was named.
    #[must_use]
    pub fn kms(&self) -> Option<Result<Option<&KmsContract>, &Unanswered>> {
        let answer = self.kms.as_ref()?;
        Some(answer.as_ref().map(Option::as_ref))
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
            hosts: record.hosts.clone(),
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
        let shown = |block: &Block| format!("block {} with hash 0x{}", block.number, hex::encode(block.hash));
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

/// Questions at one block.
struct At<'t, 'r> {
    transcript: &'t mut RpcTranscript<'r>,
    block: u64,
}

impl At<'_, '_> {
    fn app(&mut self, address: &Address, subject: &GovernanceSubject) -> NodeAnswer<Option<AppContract>> {
        let Some(code) = self.deployed(address)? else {
            return Ok(None);
        };
        let any_device = self.bool(address, &Call::AnyDevice);
        Ok(Some(AppContract {
            contract: self.contract(address, &code),
            is_app: self.bool(address, &Call::Interface(APP_AUTH)),
            has_epochs: self.has_epochs(address),
            compose_allowed: self.allowed(address, &Call::ComposeAllowed(subject.boot.compose_hash)),
            device_allowed: self.device_allowed(address, subject, &any_device),
            requires_tcb: self.bool(address, &Call::TcbDemanded),
            upgrades_disabled: self.upgrades_disabled(address, &any_device),
            any_device,
        }))
    }

    fn kms(&mut self, address: &Address, subject: &GovernanceSubject) -> NodeAnswer<Option<KmsContract>> {
        let Some(code) = self.deployed(address)? else {
            return Ok(None);
        };
        Ok(Some(KmsContract {
            contract: self.contract(address, &code),
            os_image_allowed: subject
                .os_image_hash()
                .map(|hash| self.allowed(address, &Call::OsImageAllowed(hash))),
            kms_allowed: subject
                .mr_kms
                .map(|build| self.allowed(address, &Call::KmsAllowed(build))),
            live_builds: subject
                .live_builds
                .iter()
                .map(|build| (*build, self.bool(address, &Call::KmsAllowed(*build))))
                .collect(),
            info: self.call(address, &Call::KmsInfo, KmsInfo::decode),
            boot_allowed: subject
                .os_image_hash()
                .map(|_| self.boot_allowed(address, subject)),
        }))
    }

    fn device_allowed(
        &mut self,
        address: &Address,
        subject: &GovernanceSubject,
        any: &NodeAnswer<bool>,
    ) -> NodeAnswer<bool> {
        let now = Call::DeviceAllowed(subject.boot.device_id);
        let old = Call::DeviceAllowed(subject.old_device_id);
        let (is_now, is_old) = (self.bool(address, &now), self.bool(address, &old));
        if is_now? || is_old? {
            return Ok(true);
        }
        if *any == Ok(false) {
            for call in [Call::AnyDevice, now, old] {
                self.not_at_head(address, &call)?;
            }
        }
        Ok(false)
    }

    /// Whether a contract allows something at the block. What it does not allow is asked again at the newest block: a change that
    /// was just made is not final yet, and convicts nobody.
    fn allowed(&mut self, to: &Address, call: &Call) -> NodeAnswer<bool> {
        let is_allowed = self.bool(to, call)?;
        if !is_allowed {
            self.not_at_head(to, call)?;
        }
        Ok(is_allowed)
    }

    /// That both nodes say no at their newest block, too, or that the contract refuses the question there.
    fn not_at_head(&mut self, to: &Address, call: &Call) -> NodeAnswer<()> {
        let answer = self
            .transcript
            .bytes(Request::call_at_head(to, call))
            .and_then(|bytes| abi::decode_bool(&bytes).map_err(Unanswered::Abi));
        match answered(answer)? {
            Some(true) => Err(Unanswered::NotFinal),
            Some(false) | None => Ok(()),
        }
    }

    fn boot_allowed(&mut self, kms: &Address, subject: &GovernanceSubject) -> NodeAnswer<(bool, String)> {
        let of_device = |device_id| AppBootInfo {
            device_id,
            ..subject.boot.clone()
        };
        let mut ask = |boot| self.call(kms, &Call::Boot(Box::new(boot)), abi::decode_boot_answer);
        let now = ask(subject.boot.clone());
        let old = ask(of_device(subject.old_device_id));
        match (now?, old?) {
            (now @ (true, _), _) => Ok(now),
            (_, old @ (true, _)) => Ok(old),
            (now, _) => Ok(now),
        }
    }

    fn contract(&mut self, address: &Address, code: &[u8]) -> Contract {
        Contract {
            code: sha256(code),
            delegates: delegates(code),
            implementation: self.implementation(address),
            owner: self.owner(address),
            pending_owner: self
                .call(address, &Call::PendingOwner, abi::decode_address)
                .map(|address| (address != [0; 20]).then_some(address)),
        }
    }

    fn implementation(&mut self, proxy: &Address) -> NodeAnswer<Option<Implementation>> {
        let slot = self
            .transcript
            .bytes(Request::implementation(proxy, self.block))?;
        let address = abi::decode_address(&slot).map_err(Unanswered::Abi)?;
        if address == [0; 20] {
            return Ok(None);
        }
        let code = self.code(&address)?;
        let code = code.ok_or(Unanswered::NoImplementation)?;
        Ok(Some(Implementation { address, code }))
    }

    fn owner(&mut self, of: &Address) -> NodeAnswer<Owner> {
        let address = self.call(of, &Call::Owner, abi::decode_address)?;
        Ok(Owner {
            address,
            kind: self.owner_kind(&address),
        })
    }

    fn owner_kind(&mut self, address: &Address) -> NodeAnswer<OwnerKind> {
        if *address == [0; 20] {
            return Ok(OwnerKind::Nobody);
        }
        let code = self.transcript.bytes(Request::code(address, self.block))?;
        if is_key(&code) {
            return Ok(OwnerKind::Key);
        }
        let threshold = self.call(address, &Call::SafeThreshold, abi::decode_u64);
        let owners = self.call(address, &Call::SafeOwners, abi::decode_addresses);
        let delay = self.call(address, &Call::TimelockDelay, abi::decode_u64);
        if let (Some(threshold), Some(owners)) = (answered(threshold)?, answered(owners)?) {
            return Ok(OwnerKind::Safe {
                threshold,
                owners: owners.len(),
            });
        }
        Ok(match answered(delay)? {
            Some(delay) => OwnerKind::Timelock { delay },
            None => OwnerKind::Contract,
        })
    }

    /// Whether a contract answers for either of the two interfaces with epochs. One that is older refuses the question.
    fn has_epochs(&mut self, address: &Address) -> NodeAnswer<bool> {
        let first = self.bool(address, &Call::Interface(EPOCH_AUTH_0_6_4));
        let second = self.bool(address, &Call::Interface(EPOCH_AUTH_0_6_5));
        Ok(answered(first)?.unwrap_or(false) || answered(second)?.unwrap_or(false))
    }

    /// Slot 1 of `DstackApp` (platform.md §5.3, 6): the lowest byte says whether upgrades are disabled, the next one whether
    /// any device is allowed. Where that one is not what the contract answers, the layout is another.
    fn upgrades_disabled(
        &mut self,
        address: &Address,
        any_device: &NodeAnswer<bool>,
    ) -> NodeAnswer<Option<bool>> {
        let slot = self
            .transcript
            .bytes(Request::storage(address, "0x1", self.block))?;
        let any_device = u8::from(any_device.clone()?);
        let [zeros @ .., second, lowest] = slot.as_slice() else {
            return Err(Unanswered::Abi(AbiError::Length(slot.len(), "storage slot")));
        };
        let is_layout =
            zeros.len() == 30 && zeros.iter().all(|byte| *byte == 0) && *second == any_device && *lowest <= 1;
        Ok(is_layout.then_some(*lowest == 1))
    }

    /// The code of a contract; absent where there is none, at the newest block either.
    fn deployed(&mut self, address: &Address) -> NodeAnswer<Option<Vec<u8>>> {
        let code = self.runtime(address)?;
        if code.is_none() && !self.transcript.bytes(Request::code_at_head(address))?.is_empty() {
            return Err(Unanswered::NotFinal);
        }
        Ok(code)
    }

    /// The code at an address; absent where there is none.
    fn runtime(&mut self, address: &Address) -> NodeAnswer<Option<Vec<u8>>> {
        let code = self.transcript.bytes(Request::code(address, self.block))?;
        Ok((!code.is_empty()).then_some(code))
    }

    /// Its SHA-256.
    fn code(&mut self, address: &Address) -> NodeAnswer<Option<[u8; 32]>> {
        Ok(self.runtime(address)?.map(|code| sha256(&code)))
    }

    fn bool(&mut self, to: &Address, call: &Call) -> NodeAnswer<bool> {
        self.call(to, call, abi::decode_bool)
    }

    fn call<T>(
        &mut self,
        to: &Address,
        call: &Call,
        decode: impl FnOnce(&[u8]) -> Result<T, AbiError>,
    ) -> NodeAnswer<T> {
        let answer = self.transcript.bytes(Request::call(to, call, self.block))?;
        decode(&answer).map_err(|error| match error {
            // What a contract without the function and with a fallback answers.
            AbiError::Empty => Unanswered::Reverted,
            error => Unanswered::Abi(error),
        })
    }
}

/// An answer, or none where the contract does not have the function. What it answers in another form is not its answer either.
fn answered<T>(answer: NodeAnswer<T>) -> NodeAnswer<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Unanswered::Reverted | Unanswered::Abi(_)) => Ok(None),
        Err(unanswered) => Err(unanswered),
    }
}

/// Whether EVM code holds an instruction that runs the code of another address: `CALLCODE` (f2) or `DELEGATECALL` (f4). The bytes
/// that `PUSH1` to `PUSH32` (60 to 7f) carry are no instructions. Data behind the code may look like one: that errs on the side of
/// a warning.
pub(super) fn delegates(code: &[u8]) -> bool {
    if is_delegation(code) {
        return true;
    }
    let mut rest = code;
    while let [instruction, after @ ..] = rest {
        let carried = match instruction {
            0xf2 | 0xf4 => return true,
            0x60..=0x7f => usize::from(instruction - 0x5f),
            _ => 0,
        };
        rest = after.get(carried..).unwrap_or_default();
    }
    false
}

/// Whether an address is that of a key: no code, or a delegation that its key alone decides (EIP-7702: `ef0100` and an
/// address).
fn is_key(code: &[u8]) -> bool {
    code.is_empty() || is_delegation(code)
}

/// The delegation of a key's address to the code at another one (EIP-7702).
fn is_delegation(code: &[u8]) -> bool {
    code.len() == 23 && code.starts_with(&[0xef, 0x01, 0x00])
}
