//! The contracts that govern the app.

use super::{KeyScope, OptionGroup, PolicyKey, Typed};
use crate::config::file::shape::Shape;
use cvm_verify_core::policy::GovernanceMode;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "governance",
        scope: KeyScope::Both,
        shape: Shape::Choice(&GovernanceMode::WRITTEN),
        says: "What becomes of an app whose contracts cannot be judged: `required` leaves the verdict open or fails, `unchecked` \
               is a waiver.",
        default: "contracts are judged that the lock or this file names",
        example: r#""required""#,
        option: Some(Typed {
            flag: "--governance",
            group: OptionGroup::Expectations,
            value: "GOVERNANCE",
            help: "What becomes of an app whose contracts cannot be judged: `required` leaves the verdict open or fails, \
                    `unchecked` is a waiver. By default contracts are judged that the lock or the policy file names",
            values: &["It must", "It need not: a waiver, which the verdict names"],
            expects: false,
        }),
    },
    PolicyKey {
        name: "governance-chain-id",
        scope: KeyScope::Both,
        shape: Shape::Number(0, u32::MAX),
        says: "The number of the blockchain that governs the app (EIP-155): 8453 is Base, 1 is Ethereum. The app's contract is at \
               the `app-id`. Nodes to ask are named with `--rpc-url`.",
        default: "",
        example: "8453",
        option: None,
    },
    PolicyKey {
        name: "rpc-url-env",
        scope: KeyScope::Both,
        shape: Shape::Variable,
        says: "The environment variable that holds the two RPC URLs of this target's chain, one per line, or `none`. Never a URL \
               itself: it may hold a key.",
        default: "`CVM_VERIFY_RPC_URL`",
        example: r#""CVM_VERIFY_BASE_NODES""#,
        option: None,
    },
    PolicyKey {
        name: "governance-app-owner",
        scope: KeyScope::Both,
        shape: Shape::Addresses,
        says: "Who may own the app's contract: a list of addresses.",
        default: "",
        example: r#"["0x0707070707070707070707070707070707070707"]"#,
        option: None,
    },
    PolicyKey {
        name: "governance-kms-contract",
        scope: KeyScope::Both,
        shape: Shape::Hex(20),
        says: "The address of the KMS's contract, which says which KMS and which OS image may have keys.",
        default: "",
        example: r#""0x2f83172a49584c017f2b256f0fb2dca14126ba9c""#,
        option: None,
    },
    PolicyKey {
        name: "governance-kms-owner",
        scope: KeyScope::Both,
        shape: Shape::Addresses,
        says: "Who may own the KMS's contract: a list of addresses.",
        default: "",
        example: r#"["0x0808080808080808080808080808080808080808"]"#,
        option: None,
    },
    PolicyKey {
        name: "governance-min-signers",
        scope: KeyScope::Both,
        shape: Shape::Number(0, u32::MAX),
        says: "How many people must sign a change of the app's contract at least: the threshold of the Safe that owns it.",
        default: "",
        example: "2",
        option: None,
    },
    PolicyKey {
        name: "governance-min-delay",
        scope: KeyScope::Both,
        shape: Shape::Number(0, u32::MAX),
        says: "How long a change of the app's contract must wait at least, in seconds: the delay of the timelock that owns it.",
        default: "",
        example: "86400",
        option: None,
    },
    PolicyKey {
        name: "governance-upgrades",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["disabled"]),
        says: "That the app's contract must say that it cannot be upgraded any more. Its code must be in the lock.",
        default: "",
        example: r#""disabled""#,
        option: None,
    },
];
