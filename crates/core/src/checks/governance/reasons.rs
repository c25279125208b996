//! Why `governance` does not simply pass.

use crate::checks::{BOOT_ORDER_NOT_PROVEN, EVENT_LOG_NOT_PROVEN, QUOTE_NOT_PROVEN, reasons};

reasons! {
    pub(super) REASONS with [&QUOTE_NOT_PROVEN, &EVENT_LOG_NOT_PROVEN, &BOOT_ORDER_NOT_PROVEN]:
    COMPOSE_NOT_ALLOWED "compose-not-allowed"
        "Both nodes say that the app's contract does not allow the compose document that runs."
        "Allow it with the owner's key (`addComposeHash`), or deploy what is allowed. If it was allowed and then removed, a KMS gave keys before that: \
         deploy again.";
    DEVICE_NOT_ALLOWED "device-not-allowed"
        "Both nodes say that the app's contract allows neither any machine nor the one that the app runs on."
        "Allow the machine with the owner's key (`addDevice`), or find out who moved the app to it. A firmware update can \
         give a machine another id.";
    OS_NOT_ALLOWED "os-not-allowed"
        "Both nodes say that the KMS's contract does not allow the OS image that the app runs on."
        "Deploy on an image that the contract allows, or ask the owner of the KMS's contract why it does not.";
    KMS_NOT_ALLOWED "kms-not-allowed"
        "Both nodes say that the KMS's contract does not allow the build of the KMS that gave the app its keys."
        "A KMS that was allowed when it gave the keys may have been removed since: restart the app and verify again. If this \
         stays, a KMS that the contract does not know holds the keys.";
    KMS_INFO "kms-info"
        "The contract that you named is of another KMS: the CA key that it holds is not the app's key-provider id."
        "Name the contract of the app's own KMS (`governance-kms-contract`, or kms_contract in the lock).";
    KMS_CONTRACT_DIFFERS "kms-contract-differs"
        "The app's KMS is a known one, and takes its rules from another contract than the one that you named."
        "Name the contract of the app's own KMS (`governance-kms-contract`, or kms_contract in the lock); known ones are in \
         the reference values.";
    OWNER_UNKNOWN "owner-unknown"
        "A contract is owned by an address that you did not name. Its owner can allow other code in the next block."
        "If you transferred the contract, or named the wrong owner, name this one (`governance-app-owner`, or app_owner in the lock). If \
         neither is so, treat the app's secrets as known to the new owner.";
    OWNER_PENDING "owner-pending"
        "The ownership of a contract was offered to an address that you did not name, and it can take it at any time."
        "If this is intended, name that address as an owner as well. If not, let the owner take the offer back now \
         (`transferOwnership` to the zero address).";
    OWNER_SIGNERS "owner-signers"
        "Fewer people than you require must sign a change of the app's contract, or their number is not known: it is not \
         read behind a timelock or another contract, and a module of a Safe may act without signatures."
        "Give the contract to a Safe with a higher threshold and without modules, or require less \
         (`governance-min-signers`).";
    OWNER_DELAY "owner-delay"
        "A change of the app's contract takes effect sooner than you require, or its owner does not say how soon."
        "Give the contract to a timelock with a longer delay, or require less (`governance-min-delay`).";
    IMPLEMENTATION_CHANGED "implementation-changed"
        "The code of a contract is not the one that is pinned. The code decides what its answers mean."
        "Read what changed. If the upgrade is right, correct the expected value: a lock with `cvm-verify pin --rpc-url … --rpc-url …`, \
         and review it; an option or a key of the policy file by hand.";
    UPGRADES_OPEN "upgrades-open"
        "The app's contract can be upgraded, and you require that it cannot."
        "Disable upgrades with the owner's key (`disableUpgrades`, which cannot be undone), or remove `governance-upgrades`.";
    NO_CONTRACT "no-contract"
        "Both nodes say that there is no code at a contract's address on this chain."
        "Check chain id and addresses. The app's contract is at the app id, on the chain of its KMS.";
    ANOTHER_APP "another-app"
        "What runs is another app than the one whose contract was named, so that contract does not govern it."
        "See the check `app-id`.";
    OPERATOR "operator"
        "No contract decides which code gets this app's keys: its KMS takes its rules from its operator, or there is \
         no KMS."
        "Nothing, if you trust the operator of the KMS. If a contract should decide, deploy with a KMS that is governed on \
         chain.";
    OWNER_EOA "owner-eoa"
        "A contract is owned by a single key. The holder of that key can allow any code."
        "Give the contract to a Safe of several people or to a timelock.";
    OWNER_NOT_PINNED "owner-not-pinned"
        "The owner of a contract was read, and no expectation names who it must be."
        "Write it down: `governance-app-owner` and `governance-kms-owner`, or pin with `cvm-verify pin --rpc-url … --rpc-url …`.";
    IMPLEMENTATION_NOT_PINNED "implementation-not-pinned"
        "The code of a contract is not pinned. Other code can give the same answers and mean something else."
        "Pin it: `cvm-verify pin --rpc-url … --rpc-url …` writes its hash into the lock.";
    KMS_NOT_NAMED "kms-not-named"
        "The contract of the KMS is not named, so whether it allows the OS image and the KMS was not asked."
        "Name it: `governance-kms-contract`, or kms_contract in the lock.";
    KMS_NOT_LINKED "kms-not-linked"
        "The contract of the KMS does not say which KMS it governs, and the reference values do not know it either."
        "Compare the contract with what your KMS says of itself (`kms_contract_address`). Nothing in this run shows that \
         they belong together.";
    OS_NOT_ASKED "os-not-asked"
        "The OS image has no known hash, so whether the KMS's contract allows it was not asked."
        "See the check `os-image`: with a known image it is asked.";
    BOOT_CHECK "boot-check"
        "Each rule that was read allows the app, and yet the KMS's contract would refuse this boot, or the app's contract demands a \
         platform that is up to date."
        "Read the reason that the contract gives. It may have a rule that this version of cvm-verify does not know, or name \
         the machine in another way.";
    NOT_CONFIGURED "not-configured"
        "No blockchain was asked. Whether a contract allows this code, and who may change that, is not known."
        "For an app whose KMS is governed on chain: pin its contracts with `cvm-verify pin --rpc-url … --rpc-url …`. For any \
         other: nothing.";
    UNPINNED "unpinned"
        "App id or chain are named neither in a policy nor in a lock. A contract that the evidence names can belong to the \
         attacker and say yes to everything."
        "Write down `app-id` and `governance-chain-id`, or pin with `cvm-verify pin --rpc-url … --rpc-url …`.";
    UNCHECKED "unchecked"
        "Waived with --governance unchecked."
        "Name two nodes with --rpc-url and remove `unchecked`.";
    NOT_ASKED "not-asked"
        "Contracts are named, but no node was asked: --rpc-url is not given, or the recorded evidence contains no answer \
         of a blockchain."
        "Give two nodes of different operators, --rpc-url URL --rpc-url URL (or CVM_VERIFY_RPC_URL, one per line). A replay \
         needs a bundle that was recorded with them.";
    NOT_FINAL "not-final"
        "Both nodes allow it at their newest block, but not yet at a final block: the change on the blockchain is recent."
        "Verify again when the block is final: on Base after 20 to 30 minutes (`--wait` can wait that long).";
    RPC "rpc"
        "A node failed to answer. That says nothing about the deployment."
        "If a node answers with status 401 or 403, check the key in its URL (--rpc-url, CVM_VERIFY_RPC_URL). Otherwise run again. If this \
         stays, use another node: some limit the rate (status 429), and some do not know the block tag `finalized`.";
    RPC_DISAGREE "rpc-disagree"
        "The two nodes answer the same question differently. One of them is wrong, which is not the fault of the \
         deployment."
        "Run again. If this stays, ask a third node which of the two is right, and replace the other one.";
    CHAIN "chain"
        "A node serves another chain than the one that is named, or its newest final block is more than two hours old or in \
         the future."
        "Check the RPC URLs and `governance-chain-id`; or the clock of this machine. Replace a node that lags behind.";
    UNSUPPORTED "unsupported"
        "A contract is of a generation that this version of cvm-verify does not support. Its answers are not interpreted."
        "Update cvm-verify. A contract from before July 2025 must be upgraded; one that decides by app epochs (0.6.4 and \
         later) is read only for epoch 0.";
    ABI "abi"
        "Both nodes give an answer that has the wrong format for the question, such as a boolean of 2 or a text of another \
         length."
        "Check that the addresses are those of dstack's contracts.";
}
