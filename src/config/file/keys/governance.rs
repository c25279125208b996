//! The contracts that govern the app.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::GovernanceMode;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("governance", ValueShape::Choice(&GovernanceMode::WRITTEN))
        .says("How to treat an app whose contracts cannot be checked.")
        .default("contracts that the lock or the policy file names are checked")
        .example(r#""required""#)
        .option("--governance", "GOVERNANCE")
        .values(&[
            "The app's contract must be named and is checked, or the verdict is inconclusive or fail",
            "Not checked. This is a waiver, and the verdict names it",
        ]),
    PolicyKey::new("governance-chain-id", ValueShape::CHAIN_ID)
        .says("The number of the blockchain that governs the app (EIP-155): 8453 is Base, 1 is Ethereum. The address of the \
               app contract is the `app-id`. Name the nodes to ask with `--rpc-url`.")
        .example("8453"),
    PolicyKey::new("rpc-url-env", ValueShape::Variable)
        .says("The name of the environment variable that holds the two RPC URLs of this target's chain, one per line, or \
               `none`. Never a URL itself: a URL may contain a key.")
        .default("`CVM_VERIFY_RPC_URL`")
        .example(r#""CVM_VERIFY_BASE_NODES""#),
    PolicyKey::new("governance-app-owner", ValueShape::Addresses)
        .says("Who may own the app contract: a list of addresses.")
        .example(r#"["0x0707070707070707070707070707070707070707"]"#),
    PolicyKey::new("governance-kms-contract", ValueShape::Hex(20))
        .says("The address of the KMS contract, which says which KMS and which OS image may receive keys.")
        .example(r#""0x2f83172a49584c017f2b256f0fb2dca14126ba9c""#),
    PolicyKey::new("governance-kms-owner", ValueShape::Addresses)
        .says("Who may own the KMS contract: a list of addresses.")
        .example(r#"["0x0808080808080808080808080808080808080808"]"#),
    PolicyKey::new("governance-min-signers", ValueShape::U32)
        .says("The least number of people who must sign a change of the app contract: the threshold of the Safe that owns \
               it.")
        .example("2"),
    PolicyKey::new("governance-min-delay", ValueShape::U32)
        .says("The least time that a change of the app contract must wait, in seconds: the delay of the timelock that owns \
               it.")
        .example("86400"),
    PolicyKey::new("governance-upgrades", ValueShape::Choice(&["disabled"]))
        .says("`disabled`: the app contract must say that it can no longer be upgraded. Its code must be in the lock.")
        .example(r#""disabled""#),
];
