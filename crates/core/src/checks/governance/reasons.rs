//! Why `governance` does not simply pass.

use crate::checks::Reason;

/// Every reason of its own.
pub(super) const ALL: [&Reason; 32] = [
    &COMPOSE_NOT_ALLOWED,
    &DEVICE_NOT_ALLOWED,
    &OS_NOT_ALLOWED,
    &KMS_NOT_ALLOWED,
    &KMS_INFO,
    &KMS_CONTRACT_DIFFERS,
    &OWNER_UNKNOWN,
    &OWNER_PENDING,
    &OWNER_SIGNERS,
    &OWNER_DELAY,
    &IMPLEMENTATION_CHANGED,
    &UPGRADES_OPEN,
    &NO_CONTRACT,
    &ANOTHER_APP,
    &OPERATOR,
    &OWNER_EOA,
    &OWNER_NOT_PINNED,
    &IMPLEMENTATION_NOT_PINNED,
    &KMS_NOT_NAMED,
    &KMS_NOT_LINKED,
    &OS_NOT_ASKED,
    &BOOT_CHECK,
    &NOT_CONFIGURED,
    &UNPINNED,
    &UNCHECKED,
    &NOT_ASKED,
    &NOT_FINAL,
    &RPC,
    &RPC_DISAGREE,
    &CHAIN,
    &UNSUPPORTED,
    &ABI,
];

pub(super) const COMPOSE_NOT_ALLOWED: Reason = Reason {
    id: "compose-not-allowed",
    means: "Both nodes say that the app's contract does not allow the compose document that runs.",
    fix: "Allow it with the owner's key (`addComposeHash`), or deploy what is allowed. If it was allowed and then removed, a KMS gave keys before that: \
          deploy again.",
};
pub(super) const DEVICE_NOT_ALLOWED: Reason = Reason {
    id: "device-not-allowed",
    means: "Both nodes say that the app's contract allows neither any machine nor the one that the app runs on.",
    fix: "Allow the machine with the owner's key (`addDevice`), or find out who moved the app to it. A firmware update can \
          give a machine another id.",
};
pub(super) const OS_NOT_ALLOWED: Reason = Reason {
    id: "os-not-allowed",
    means: "Both nodes say that the KMS's contract does not allow the OS image that the app runs on.",
    fix: "Deploy on an image that the contract allows, or ask the owner of the KMS's contract why it does not.",
};
pub(super) const KMS_NOT_ALLOWED: Reason = Reason {
    id: "kms-not-allowed",
    means: "Both nodes say that the KMS's contract does not allow the build of the KMS that gave the app its keys.",
    fix: "A KMS that was allowed when it gave the keys may have been removed since: restart the app and verify again. If this \
          stays, a KMS that the contract does not know holds the keys.",
};
pub(super) const KMS_INFO: Reason = Reason {
    id: "kms-info",
    means: "The contract that you named is of another KMS: the CA key that it holds is not the app's key-provider id.",
    fix: "Name the contract of the app's own KMS (`governance-kms-contract`, or kms_contract in the lock).",
};
pub(super) const KMS_CONTRACT_DIFFERS: Reason = Reason {
    id: "kms-contract-differs",
    means: "The app's KMS is a known one, and takes its rules from another contract than the one that you named.",
    fix: "Name the contract of the app's own KMS (`governance-kms-contract`, or kms_contract in the lock); known ones are in \
          the reference values.",
};
pub(super) const NOT_FINAL: Reason = Reason {
    id: "not-final",
    means: "Both nodes allow it at their newest block, but not yet at a final block: the change on the blockchain is recent.",
    fix: "Verify again when the block is final: on Base after 20 to 30 minutes (`--wait` can wait that long).",
};
pub(super) const OWNER_UNKNOWN: Reason = Reason {
    id: "owner-unknown",
    means: "A contract is owned by an address that you did not name. Its owner can allow other code in the next block.",
    fix: "If you transferred the contract, name the new owner (`governance-app-owner`, or app_owner in the lock). If you \
          did not, treat the app's secrets as known to the new owner.",
};
pub(super) const OWNER_PENDING: Reason = Reason {
    id: "owner-pending",
    means: "The ownership of a contract was offered to an address that you did not name, and it can take it at any time.",
    fix: "If this is intended, name that address as an owner as well. If not, let the owner take the offer back now \
          (`transferOwnership` to the zero address).",
};
pub(super) const OWNER_SIGNERS: Reason = Reason {
    id: "owner-signers",
    means: "Fewer people than you require must sign a change of the app's contract, or their number is not known: it is not \
            read behind a timelock or another contract, and a module of a Safe may act without signatures.",
    fix: "Give the contract to a Safe with a higher threshold and without modules, or require less \
          (`governance-min-signers`).",
};
pub(super) const OWNER_DELAY: Reason = Reason {
    id: "owner-delay",
    means: "A change of the app's contract takes effect sooner than you require, or its owner does not say how soon.",
    fix: "Give the contract to a timelock with a longer delay, or require less (`governance-min-delay`).",
};
pub(super) const IMPLEMENTATION_CHANGED: Reason = Reason {
    id: "implementation-changed",
    means: "The code of a contract is not the one that is pinned. The code decides what its answers mean.",
    fix: "Read what changed. If the upgrade is right, correct the expected value: a lock with `cvm-verify pin --rpc-url … --rpc-url …`, \
          and review it; an option or a key of the policy file by hand.",
};
pub(super) const UPGRADES_OPEN: Reason = Reason {
    id: "upgrades-open",
    means: "The app's contract can be upgraded, and you require that it cannot.",
    fix: "Disable upgrades with the owner's key (`disableUpgrades`, which cannot be undone), or remove `governance-upgrades`.",
};
pub(super) const NO_CONTRACT: Reason = Reason {
    id: "no-contract",
    means: "Both nodes say that there is no code at a contract's address on this chain.",
    fix: "Check chain id and addresses. The app's contract is at the app id, on the chain of its KMS.",
};
pub(super) const ANOTHER_APP: Reason = Reason {
    id: "another-app",
    means: "What runs is another app than the one whose contract was named, so that contract does not govern it.",
    fix: "See the check `app-id`.",
};
pub(super) const OPERATOR: Reason = Reason {
    id: "operator",
    means: "No contract decides which code gets this app's keys: its KMS takes its rules from its operator, or there is \
            no KMS.",
    fix: "Nothing, if you trust the operator of the KMS. If a contract should decide, deploy with a KMS that is governed on \
          chain.",
};
pub(super) const OWNER_EOA: Reason = Reason {
    id: "owner-eoa",
    means: "A contract is owned by a single key. The holder of that key can allow any code.",
    fix: "Give the contract to a Safe of several people or to a timelock.",
};
pub(super) const OWNER_NOT_PINNED: Reason = Reason {
    id: "owner-not-pinned",
    means: "The owner of a contract was read, and no expectation names who it must be.",
    fix: "Write it down: `governance-app-owner` and `governance-kms-owner`, or pin with `cvm-verify pin --rpc-url … --rpc-url …`.",
};
pub(super) const IMPLEMENTATION_NOT_PINNED: Reason = Reason {
    id: "implementation-not-pinned",
    means: "The code of a contract is not pinned. Other code can give the same answers and mean something else.",
    fix: "Pin it: `cvm-verify pin --rpc-url … --rpc-url …` writes its hash into the lock.",
};
pub(super) const KMS_NOT_NAMED: Reason = Reason {
    id: "kms-not-named",
    means: "The contract of the KMS is not named, so whether it allows the OS image and the KMS was not asked.",
    fix: "Name it: `governance-kms-contract`, or kms_contract in the lock.",
};
pub(super) const KMS_NOT_LINKED: Reason = Reason {
    id: "kms-not-linked",
    means: "The contract of the KMS does not say which KMS it governs, and the reference values do not know it either.",
    fix: "Compare the contract with what your KMS says of itself (`kms_contract_address`). Nothing in this run shows that \
          they belong together.",
};
pub(super) const OS_NOT_ASKED: Reason = Reason {
    id: "os-not-asked",
    means: "The OS image has no known hash, so whether the KMS's contract allows it was not asked.",
    fix: "See the check `os-image`: with a known image it is asked.",
};
pub(super) const BOOT_CHECK: Reason = Reason {
    id: "boot-check",
    means: "Each rule that was read allows the app, and yet the KMS's contract would refuse this boot, or the app's contract demands a \
            platform that is up to date.",
    fix: "Read the reason that the contract gives. It may have a rule that this version of cvm-verify does not know, or name \
          the machine in another way.",
};
pub(super) const NOT_CONFIGURED: Reason = Reason {
    id: "not-configured",
    means: "No blockchain was asked. Whether a contract allows this code, and who may change that, is not known.",
    fix: "For an app whose KMS is governed on chain: pin its contracts with `cvm-verify pin --rpc-url … --rpc-url …`. For any \
          other: nothing.",
};
pub(super) const UNPINNED: Reason = Reason {
    id: "unpinned",
    means: "App id or chain are named neither in a policy nor in a lock. A contract that the evidence names can belong to the \
            attacker and say yes to everything.",
    fix: "Write down `app-id` and `governance-chain-id`, or pin with `cvm-verify pin --rpc-url … --rpc-url …`.",
};
pub(super) const UNCHECKED: Reason = Reason {
    id: "unchecked",
    means: "Waived with --governance unchecked.",
    fix: "Name two nodes with --rpc-url and remove `unchecked`.",
};
pub(super) const NOT_ASKED: Reason = Reason {
    id: "not-asked",
    means: "Contracts are named, but no node was asked: --rpc-url is not given, or the recorded evidence contains no answer \
            of a blockchain.",
    fix: "Give two nodes of different operators, --rpc-url URL --rpc-url URL (or CVM_VERIFY_RPC_URL, one per line). A replay \
          needs a bundle that was recorded with them.",
};
pub(super) const RPC: Reason = Reason {
    id: "rpc",
    means: "A node failed to answer. That says nothing about the deployment.",
    fix: "If a node answers with status 401 or 403, check the key in its URL (--rpc-url, CVM_VERIFY_RPC_URL). Otherwise run again. If this \
          stays, use another node: some limit the rate (status 429), and some do not know the block tag `finalized`.",
};
pub(super) const RPC_DISAGREE: Reason = Reason {
    id: "rpc-disagree",
    means: "The two nodes answer the same question differently. One of them is wrong, which is not the fault of the \
            deployment.",
    fix: "Run again. If this stays, ask a third node which of the two is right, and replace the other one.",
};
pub(super) const CHAIN: Reason = Reason {
    id: "chain",
    means: "A node serves another chain than the one that is named, or its newest final block is more than two hours old or in \
            the future.",
    fix: "Check the RPC URLs and `governance-chain-id`; or the clock of this machine. Replace a node that lags behind.",
};
pub(super) const UNSUPPORTED: Reason = Reason {
    id: "unsupported",
    means: "A contract is of a generation that this version of cvm-verify does not support. Its answers are not interpreted.",
    fix: "Update cvm-verify. A contract from before July 2025 must be upgraded; one that decides by app epochs (0.6.4 and \
          later) is read only for epoch 0.",
};
pub(super) const ABI: Reason = Reason {
    id: "abi",
    means: "Both nodes give an answer that has the wrong format for the question, such as a boolean of 2 or a text of another \
            length.",
    fix: "Check that the addresses are those of dstack's contracts.",
};
