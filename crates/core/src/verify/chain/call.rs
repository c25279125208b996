//! The questions that dstack's contracts are asked (dstack, `kms/auth-eth/contracts`).

use sha3::{Digest as _, Keccak256};

use super::abi::{Address, AppBootInfo, CallData};

/// Storage slot of the implementation's address in a proxy (ERC-1967): keccak256("eip1967.proxy.implementation") − 1.
pub(crate) const IMPLEMENTATION_SLOT: &str =
    "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";

/// Interface id of `IAppAuth`, which is the selector of `isAppAllowed`.
pub(crate) const APP_AUTH: [u8; 4] = [0x1e, 0x07, 0x91, 0x98];
/// Interface id of the epoch interface of contracts 0.6.4 (release pages of dstack 0.6.4 and 0.6.5).
pub(crate) const EPOCH_AUTH_0_6_4: [u8; 4] = [0xd3, 0x38, 0x35, 0xbd];
/// Interface id of the epoch interface of contracts 0.6.5.
pub(crate) const EPOCH_AUTH_0_6_5: [u8; 4] = [0xc3, 0x96, 0xc1, 0xb0];

/// Selectors of functions that came with the epochs, as the release pages of 0.6.4 and 0.6.5 name them. An
/// interface id changes with each change of a struct; these functions stay.
pub(super) const EPOCH_FUNCTIONS: [[u8; 4]; 5] = [
    // registerRootEpoch(bytes,bytes,string)
    [0x4c, 0x05, 0x9d, 0x02],
    // setRequireLaunchTicket(bool)
    [0x8d, 0x71, 0xf7, 0x94],
    // addLaunchTicket(bytes32)
    [0x60, 0x1a, 0xf9, 0x0e],
    // setRequireKmsLaunchTicket(bool)
    [0x1c, 0x9a, 0xa9, 0x7e],
    // setAllowAnyTeeVariant(bool)
    [0x52, 0x90, 0x31, 0x3d],
];
/// The newest `version()` of an app's contract whose answers are understood (dstack, `kms/auth-eth/contracts`). Older ones do not
/// have the function.
pub(super) const NEWEST_VERSION: u64 = 2;

/// A question to one contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Of an app: may this compose document get its keys (for app epoch 0, from contracts 0.6.4 on)?
    ComposeAllowed([u8; 32]),
    /// Of an app: may it run on this machine?
    DeviceAllowed([u8; 32]),
    /// Of an app: may it run on any machine?
    AnyDevice,
    /// Of an app: must the platform be up to date?
    TcbDemanded,
    /// Of a contract: who may change it?
    Owner,
    /// Of a contract: who was offered its ownership?
    PendingOwner,
    /// Of an app: which version of the contract is it?
    Version,
    /// Of a contract: does it have an interface?
    Interface([u8; 4]),
    /// Of a KMS contract: may this OS image get keys?
    OsImageAllowed([u8; 32]),
    /// Of a KMS contract: is this a KMS that may get the root keys?
    KmsAllowed([u8; 32]),
    /// Of a KMS contract: its keys and the evidence of its birth.
    KmsInfo,
    /// Of an app: would this boot get keys?
    Boot(Box<AppBootInfo>),
    /// Of a Safe: how many owners must sign?
    SafeThreshold,
    /// Of a Safe: who are the owners?
    SafeOwners,
    /// Of a Safe: is there a module, which may act without the signatures of the owners?
    SafeModules,
    /// Of a timelock: how long does a change wait, seconds?
    TimelockDelay,
}

/// Where the list of a Safe's modules begins: the address 1 (Safe's `ModuleManager`).
const FIRST_MODULE: Address = {
    let mut address = [0; 20];
    address[19] = 1;
    address
};

impl Call {
    /// The function's name, as its contract spells it: what the selector is made of.
    pub(super) const fn function(&self) -> &'static str {
        match self {
            Self::ComposeAllowed(_) => "allowedComposeHashes(bytes32)",
            Self::DeviceAllowed(_) => "allowedDeviceIds(bytes32)",
            Self::AnyDevice => "allowAnyDevice()",
            Self::TcbDemanded => "requireTcbUpToDate()",
            Self::Owner => "owner()",
            Self::PendingOwner => "pendingOwner()",
            Self::Version => "version()",
            Self::Interface(_) => "supportsInterface(bytes4)",
            Self::OsImageAllowed(_) => "allowedOsImages(bytes32)",
            Self::KmsAllowed(_) => "kmsAllowedAggregatedMrs(bytes32)",
            Self::KmsInfo => "kmsInfo()",
            Self::Boot(_) => {
                "isAppAllowed((address,bytes32,address,bytes32,bytes32,bytes32,bytes32,string,string[]))"
            }
            Self::SafeThreshold => "getThreshold()",
            Self::SafeOwners => "getOwners()",
            Self::SafeModules => "getModulesPaginated(address,uint256)",
            Self::TimelockDelay => "getMinDelay()",
        }
    }

    /// First four bytes of Keccak-256 of the function's name with the types of its arguments.
    pub(super) fn selector(&self) -> [u8; 4] {
        let [first, second, third, fourth, ..] = <[u8; 32]>::from(Keccak256::digest(self.function()));
        [first, second, third, fourth]
    }

    /// The data of the `eth_call`.
    #[must_use]
    pub fn data(&self) -> CallData {
        let call = CallData::new(self.selector());
        match self {
            Self::ComposeAllowed(word)
            | Self::DeviceAllowed(word)
            | Self::OsImageAllowed(word)
            | Self::KmsAllowed(word) => call.bytes32(word),
            Self::Interface(id) => call.bytes4(*id),
            Self::Boot(info) => call.dynamic_tuple(&info.encode()),
            // One module on a page is enough to know that there is one.
            Self::SafeModules => call.address(&FIRST_MODULE).number(1),
            Self::AnyDevice
            | Self::TcbDemanded
            | Self::Owner
            | Self::PendingOwner
            | Self::Version
            | Self::KmsInfo
            | Self::SafeThreshold
            | Self::SafeOwners
            | Self::TimelockDelay => call,
        }
    }
}

/// The function that the data of a call names, `0x` and hex; absent for one that is not asked here.
#[must_use]
pub fn function_of(data: &str) -> Option<&'static str> {
    let word = [0; 32];
    let plain = [
        Call::ComposeAllowed(word),
        Call::DeviceAllowed(word),
        Call::AnyDevice,
        Call::TcbDemanded,
        Call::Owner,
        Call::PendingOwner,
        Call::Version,
        Call::Interface(APP_AUTH),
        Call::OsImageAllowed(word),
        Call::KmsAllowed(word),
        Call::KmsInfo,
        Call::SafeThreshold,
        Call::SafeOwners,
        Call::SafeModules,
        Call::TimelockDelay,
    ];
    let selector = data.strip_prefix("0x")?.get(..8)?;
    if selector == hex::encode(APP_AUTH) {
        return Some("isAppAllowed(…)");
    }
    plain
        .iter()
        .find(|call| hex::encode(call.selector()) == selector)
        .map(Call::function)
}

/// An address as text: `0x` and 40 lower-case digits.
#[must_use]
pub fn address_text(address: &Address) -> String {
    format!("0x{}", hex::encode(address))
}
