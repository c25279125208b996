//! What is expected of the contracts that govern an app on a blockchain.

use super::expected::Expected;

/// What is expected of the contracts that govern an app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GovernancePolicy {
    /// What becomes of an app whose contracts cannot be judged.
    pub mode: GovernanceMode,
    /// Whether two nodes were named to ask, so that no answer is an error. Who is asked does not depend on it.
    pub asks: bool,
    /// The chain's number (EIP-155).
    pub chain_id: Option<Expected<u64>>,
    /// The app's contract. Its address is the app id.
    pub app: ContractPin,
    /// The address of the KMS's contract, 20 bytes.
    pub kms_contract: Option<Expected<[u8; 20]>>,
    /// The KMS's contract.
    pub kms: ContractPin,
    /// How many owners of a Safe must sign at least.
    pub min_signers: Option<u64>,
    /// How long a timelock must delay a change at least, seconds.
    pub min_delay: Option<u64>,
    /// Whether the app's contract must say that it cannot be upgraded any more.
    pub upgrades_disabled: bool,
}

crate::word_enum! {
    /// What becomes of an app whose contracts cannot be judged.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum GovernanceMode {
        /// They are judged if they are named.
        #[default]
        Named = "named",
        /// They must be named and judged.
        Required = "required",
        /// Waived in writing.
        Unchecked = "unchecked",
    }
}

impl GovernanceMode {
    /// The words that users write: `Named` is what is so without one.
    pub const WRITTEN: [&'static str; 2] = [Self::Required.as_str(), Self::Unchecked.as_str()];
}

/// What is expected of one contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContractPin {
    /// Who may own it. Never an empty list.
    pub owners: Option<Expected<Vec<[u8; 20]>>>,
    /// SHA-256 of the runtime code at its address.
    pub code: Option<Expected<[u8; 32]>>,
    /// The address of the implementation behind the proxy.
    pub implementation: Option<Expected<[u8; 20]>>,
    /// SHA-256 of the implementation's runtime code.
    pub implementation_code: Option<Expected<[u8; 32]>>,
}

impl ContractPin {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl GovernancePolicy {
    /// Whether the user asked for it: named nodes, a chain or a contract, or demanded it.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.asks || self.chain_id.is_some() || self.is_demanded()
    }

    /// Whether the user expects something of the contracts. Nodes and a chain say where to look, not what for.
    #[must_use]
    pub(crate) fn is_demanded(&self) -> bool {
        let Self {
            mode,
            asks: _,
            chain_id: _,
            app,
            kms_contract,
            kms,
            min_signers,
            min_delay,
            upgrades_disabled,
        } = self;
        *mode == GovernanceMode::Required
            || !app.is_empty()
            || kms_contract.is_some()
            || !kms.is_empty()
            || min_signers.is_some()
            || min_delay.is_some()
            || *upgrades_disabled
    }
}
