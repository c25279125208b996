//! What a contract of an app or of its KMS answers, and who owns it.

use super::abi::{Address, KmsInfo};
use super::transcript::NodeAnswer;

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
    /// Whether it has epochs, as [`AppContract::has_epochs`]. Then what it allows is about epoch 0.
    pub has_epochs: NodeAnswer<bool>,
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
    /// Whether both nodes say that a KMS of this build, which was attested in this run, may have the root keys. A contract with epochs
    /// does not say it of the present one.
    #[must_use]
    pub(crate) fn allows_build(&self, build: &[u8; 32]) -> bool {
        let mut answers = self.live_builds.iter();
        self.has_epochs == Ok(false) && answers.any(|(asked, answer)| asked == build && *answer == Ok(true))
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
    /// Who was offered its ownership; absent if it was not offered.
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
    /// The zero address: the ownership was renounced.
    Renounced,
    /// One key.
    Key,
    /// A contract that answers as a Safe does.
    Safe {
        /// How many owners must sign.
        threshold: u64,
        /// How many owners there are.
        owners: usize,
        /// Whether it has modules, which may act without these signatures; absent where it does not say.
        has_modules: Option<bool>,
    },
    /// A contract that answers as a timelock does.
    Timelock {
        /// How long a change waits, seconds.
        delay: u64,
    },
    /// Another contract.
    Contract,
}
