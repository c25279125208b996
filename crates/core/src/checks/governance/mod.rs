//! `governance`: contracts on a blockchain allow what runs, and who can change that is who you named.

mod answer;
mod contract;
mod reasons;

use dcap_qvl::TcbStatus;

use super::judgement::Judgement;
use super::not_proven::with_not_proven;
use answer::reason_of;
use reasons::*;

use super::{Check, Finding, Reason, Required, boot_claims};
use crate::policy::{GovernanceMode, Policy};
use crate::reference::GovernedBy;
use crate::report::CheckId;
use crate::verify::chain::{AppContract, ChainProblem, Governance, KmsContract, OwnerKind, address_text};
use crate::verify::{BootClaims, Claims};

pub(super) const CHECK: Check = Check {
    id: CheckId::Governance,
    title: "On-chain governance",
    proves: "At a final block, two nodes of different operators say that the app's contract allows this compose document and \
             machine, and the KMS's contract this OS image; owners and code of both contracts are the ones that you named. It \
             does not prove that only this code can run: the host can start any allowed version, and the owner can add another.",
    prevents: "An owner, an upgrade or a list of allowed code that changed without you; one node that lies.",
    reasons: &with_not_proven::<{ ALL.len() + 3 }>(&ALL),
    required: Required::Never,
    is_configured: is_demanded,
    run,
    ..Check::BASE
};

/// How old the newest final block may be, seconds: two hours. Blocks of Base are final after 20 to 30 minutes.
const MAX_BLOCK_AGE: u64 = 2 * 60 * 60;

/// How far ahead of this machine's clock a block may be, seconds.
const MAX_BLOCK_AHEAD: u64 = 15 * 60;

/// Characters of a contract's own words that are shown.
const MAX_WORDS: usize = 120;

fn run(claims: &Claims, policy: &Policy) -> Finding {
    let expected = &policy.governance;
    if expected.mode == GovernanceMode::Unchecked {
        return Finding::waived(
            &UNCHECKED,
            policy.waived_by(CheckId::Governance),
            "Waived: whether a contract allows this code was not asked.",
        );
    }
    if !expected.is_configured() {
        return Finding::skip(&NOT_CONFIGURED, "No blockchain was asked.");
    }
    let boot = match boot_claims(claims) {
        Ok(boot) => boot,
        Err(finding) => return finding,
    };
    if let Some(finding) = without_contract(boot, policy) {
        return finding;
    }
    let Some(contracts) = policy.contracts() else {
        return unpinned(boot, policy);
    };
    if contracts.app != *boot.app_id() {
        return Finding::fail(
            &ANOTHER_APP,
            "What runs is another app than the one whose contract was named.",
        )
        .comparing(hex::encode(contracts.app), hex::encode(boot.app_id()))
        .against(policy.app_id.as_ref().map(|id| id.origin.clone()));
    }
    match &claims.chain {
        None => Finding::error(&NOT_ASKED, "Contracts are named, and no node was asked."),
        Some(Err(problem)) => unread(problem),
        Some(Ok(found)) if *found.contracts() != contracts => Finding::error(
            &NOT_ASKED,
            "The recorded answers are about other contracts than those that are named.",
        ),
        Some(Ok(found)) => stale(found, claims.at).unwrap_or_else(|| judge(found, boot, claims, policy)),
    }
}

/// Whether something is expected of the contracts, so that it must not stay unjudged. Nodes alone are no expectation: they may
/// be named for several targets, of which some are governed on chain.
fn is_demanded(policy: &Policy) -> bool {
    policy.governance.is_demanded() || policy.contracts().is_some()
}

/// Whether the user demands an answer to each question.
fn is_required(policy: &Policy) -> bool {
    policy.governance.mode == GovernanceMode::Required
}

/// What is found where no contract decides.
fn without_contract(boot: &BootClaims, policy: &Policy) -> Option<Finding> {
    let provider = boot.key_provider();
    let known = policy.reference.kms_by_id(&provider.id);
    let why = match known.and_then(|row| row.governed_by()) {
        _ if provider.name != "kms" => format!("The keys come from `{}`, not from a KMS.", provider.name),
        Some(GovernedBy::Operator) => {
            let what = known.map(|row| row.what.to_string()).unwrap_or_default();
            format!("The keys come from {what}, which takes its rules from its operator.")
        }
        _ => return None,
    };
    // App id and chain say where to look if a contract decides.
    Some(match policy.governance.is_demanded() {
        true => Finding::fail(
            &OPERATOR,
            format!(
                "{why} No contract decides which code gets them, so what you expect of contracts does not hold."
            ),
        ),
        false => Finding::skip(&OPERATOR, why),
    })
}

fn unpinned(boot: &BootClaims, policy: &Policy) -> Finding {
    let detail = "App id or chain id is not named, so no contract was asked.";
    let finding = match is_demanded(policy) {
        true => Finding::error(
            &UNPINNED,
            format!("{detail} What you expect of contracts is not judged."),
        ),
        false => Finding::skip(&UNPINNED, detail),
    };
    finding.found(format!("app id {}", hex::encode(boot.app_id())))
}

fn unread(problem: &ChainProblem) -> Finding {
    let reason = match problem {
        ChainProblem::Unanswered(unanswered) => reason_of(unanswered),
        ChainProblem::OtherChain { .. } | ChainProblem::Behind { .. } => &CHAIN,
        ChainProblem::NoFinalizedBlock { .. } | ChainProblem::Form { .. } => &RPC,
    };
    Finding::error(reason, format!("The chain could not be read: {problem}."))
}

/// A block that is too old, or in the future.
pub(super) fn stale(found: &Governance, at: u64) -> Option<Finding> {
    let made = found.block().timestamp;
    let is_old = at.saturating_sub(made) > MAX_BLOCK_AGE;
    let is_ahead = made.saturating_sub(at) > MAX_BLOCK_AHEAD;
    (is_old || is_ahead).then(|| {
        Finding::error(
            &CHAIN,
            format!(
                "The newest final block that both nodes have, {}, was made at {}; judged at {}.",
                found.block().number,
                crate::report::rfc3339(made),
                crate::report::rfc3339(at)
            ),
        )
    })
}

fn judge(found: &Governance, boot: &BootClaims, claims: &Claims, policy: &Policy) -> Finding {
    let mut judgement = Judgement::default();
    let contracts = found.contracts();
    let no_contract = |what: &str, address: &[u8; 20]| {
        format!(
            "There is no code at {}, the address of {what}.",
            address_text(address)
        )
    };
    let mut allowed = String::new();
    match found.app() {
        Err(unanswered) => judgement.error(
            reason_of(unanswered),
            format!("The app's contract: {unanswered}."),
        ),
        Ok(None) => judgement.fail(&NO_CONTRACT, no_contract("the app's contract", &contracts.app)),
        Ok(Some(app)) => {
            judge_app(&mut judgement, app, policy);
            judge_tcb(&mut judgement, app, claims, policy);
            allowed = allowed_words(found, app);
        }
    }
    match (found.kms(), &contracts.kms) {
        (Some(Err(unanswered)), _) => {
            judgement.error(
                reason_of(unanswered),
                format!("The KMS's contract: {unanswered}."),
            );
        }
        (Some(Ok(None)), Some(address)) => {
            judgement.fail(&NO_CONTRACT, no_contract("the KMS's contract", address));
        }
        (Some(Ok(Some(kms))), Some(address)) => {
            judge_kms(&mut judgement, kms, boot, policy);
            judge_link(&mut judgement, kms, (contracts.chain_id, address), boot, policy);
        }
        _ => judgement.warn(
            &KMS_NOT_NAMED,
            "The KMS's contract is not named and was not asked.".to_owned(),
        ),
    }
    judgement.finding(&allowed)
}

/// `allowed on chain at block N; owner X can change that`.
fn allowed_words(found: &Governance, app: &AppContract) -> String {
    let epoch = if app.has_epochs == Ok(true) {
        " for app epoch 0"
    } else {
        ""
    };
    let who = match &app.contract.owner {
        Ok(owner) if owner.kind == Ok(OwnerKind::Renounced) => {
            "its contract has no owner who can change that".to_owned()
        }
        Ok(owner) => format!("owner {} can change that", contract::words(owner)),
        Err(_) => "who can change that is not known".to_owned(),
    };
    format!(
        "Allowed on chain{epoch} at block {} of chain {}; {who}.",
        found.block().number,
        found.contracts().chain_id
    )
}

fn judge_app(judgement: &mut Judgement, app: &AppContract, policy: &Policy) {
    let expected = &policy.governance;
    if judgement.answer(&app.is_app, "supportsInterface of the app's contract") == Some(&false) {
        let detail = "The contract at the app id says that it is not the contract of an app.";
        judgement.error(&UNSUPPORTED, detail.to_owned());
    }
    let has_epochs = judgement.answer(&app.has_epochs, "supportsInterface of the app's contract");
    match (judgement.answer(&app.compose_allowed, "allowedComposeHashes"), has_epochs) {
        (Some(false), Some(true)) => judgement.error(
            &UNSUPPORTED,
            "The compose document is not allowed for app epoch 0; whether a later epoch allows it cannot be asked.".to_owned(),
        ),
        (Some(true), Some(true)) => judgement.open(
            is_required(policy),
            &UNSUPPORTED,
            "The compose document is allowed for app epoch 0; whether the present epoch allows it cannot be asked.".to_owned(),
        ),
        (Some(false), Some(false)) => {
            let detail = "The app's contract does not allow the compose document that runs.";
            judgement.fail(&COMPOSE_NOT_ALLOWED, detail.to_owned());
        }
        // A contract that may have epochs does not fail for a no. That this is not known is said above.
        (Some(_), Some(false) | None) | (None, _) => {}
    }
    if judgement.answer(&app.any_device, "allowAnyDevice") == Some(&false)
        && judgement.answer(&app.device_allowed, "allowedDeviceIds") == Some(&false)
    {
        let what = "The app's contract does not allow the machine that the app runs on";
        not_allowed(judgement, &DEVICE_NOT_ALLOWED, what, has_epochs);
    }
    contract::judge(judgement, "the app's contract", &app.contract, &expected.app);
    judge_owner_kind(judgement, app, policy);
    if expected.upgrades_disabled {
        match judgement.answer(&app.upgrades_disabled, "storage of the app's contract") {
            Some(Some(false)) if app.is_app == Ok(true) => {
                let detail = "The app's contract can be upgraded by its owner.".to_owned();
                judgement.unexpected(&UPGRADES_OPEN, detail, policy.setting("governance-upgrades"));
            }
            Some(Some(true)) if contract::is_whole(&app.contract, &expected.app) => {}
            Some(Some(true)) => {
                let detail =
                    "The contract itself says that upgrades are disabled, but not all of its code is pinned.";
                judgement.error(&IMPLEMENTATION_NOT_PINNED, detail.to_owned());
            }
            Some(Some(false) | None) => {
                let detail = "The app's contract or its storage is not of a form that is known, so whether upgrades are disabled is not known.";
                judgement.error(&UNSUPPORTED, detail.to_owned());
            }
            None => {}
        }
    }
}

/// Whether the contract demands a platform that is up to date, and the platform is not. Contracts before February 2026 have no such
/// rule.
fn judge_tcb(judgement: &mut Judgement, app: &AppContract, claims: &Claims, policy: &Policy) {
    let Ok(quote) = &claims.quote else { return };
    let status = quote.tcb().status;
    if app.requires_tcb == Ok(true) && status != TcbStatus::UpToDate {
        judgement.open(
            is_required(policy),
            &BOOT_CHECK,
            format!("The app's contract demands a platform whose TCB is UpToDate, and it is {status}."),
        );
    }
}

/// A no is a failure. The no of a contract with epochs is about epoch 0 alone, and is an error.
fn not_allowed(judgement: &mut Judgement, reason: &'static Reason, what: &str, has_epochs: Option<&bool>) {
    match has_epochs {
        Some(false) => judgement.fail(reason, format!("{what}.")),
        Some(true) => judgement.error(
            &UNSUPPORTED,
            format!("{what}, for epoch 0; whether a later epoch allows it cannot be asked."),
        ),
        None => {}
    }
}

fn judge_owner_kind(judgement: &mut Judgement, app: &AppContract, policy: &Policy) {
    let expected = &policy.governance;
    let Ok(owner) = &app.contract.owner else { return };
    let Ok(kind) = &owner.kind else { return };
    let is_nobody = *kind == OwnerKind::Renounced;
    let is_demanded = expected.min_signers.is_some() || expected.min_delay.is_some();
    // What a contract says of itself counts if its address is the one that the user named; and that nobody owns the app's contract
    // is what its code says.
    let is_known =
        expected.app.owners.is_some() || (is_nobody && contract::is_whole(&app.contract, &expected.app));
    if is_demanded && !is_known {
        judgement.error(
            &OWNER_NOT_PINNED,
            format!(
                "Only the owner {} itself says how many must sign or how long a change is delayed. Name the owner that you expect: governance-app-owner.",
                contract::words(owner)
            ),
        );
        return;
    }
    if is_nobody {
        return;
    }
    // Who must sign behind a timelock or another contract is not read.
    let signers = match kind {
        OwnerKind::Safe {
            threshold,
            has_modules: Some(false),
            ..
        } => Some(*threshold),
        OwnerKind::Key => Some(1),
        // A module acts as its code says, which is not read.
        OwnerKind::Safe { .. } | OwnerKind::Renounced | OwnerKind::Timelock { .. } | OwnerKind::Contract => {
            None
        }
    };
    if let Some(least) = expected.min_signers {
        match signers {
            Some(signers) if signers >= least => {}
            Some(_) => {
                let detail = format!(
                    "The owner {} does not need {least} signers.",
                    contract::words(owner)
                );
                judgement.unexpected(&OWNER_SIGNERS, detail, policy.setting("governance-min-signers"));
            }
            None => {
                let detail = format!(
                    "How many must sign for the owner {} is not known.",
                    contract::words(owner)
                );
                judgement.error(&OWNER_SIGNERS, detail);
            }
        }
    }
    let delay = match kind {
        OwnerKind::Timelock { delay } => Some(*delay),
        OwnerKind::Key | OwnerKind::Safe { .. } => Some(0),
        OwnerKind::Renounced | OwnerKind::Contract => None,
    };
    if let Some(least) = expected.min_delay {
        match delay {
            Some(delay) if delay >= least => {}
            Some(_) => {
                let detail = format!(
                    "The owner {} does not delay a change by {least} s.",
                    contract::words(owner)
                );
                judgement.unexpected(&OWNER_DELAY, detail, policy.setting("governance-min-delay"));
            }
            None => {
                let detail = format!(
                    "Whether the owner {} delays a change by {least} s is not known.",
                    contract::words(owner)
                );
                judgement.error(&OWNER_DELAY, detail);
            }
        }
    }
}

fn judge_kms(judgement: &mut Judgement, kms: &KmsContract, boot: &BootClaims, policy: &Policy) {
    if let Some(answer) = &kms.boot_allowed
        && let Some((false, words)) = judgement.answer(answer, "isAppAllowed")
    {
        let words: String = words.chars().take(MAX_WORDS).collect();
        judgement.open(
            is_required(policy),
            &BOOT_CHECK,
            format!("The KMS's contract would refuse this boot: {words:?}."),
        );
    }
    let has_epochs = judgement.answer(&kms.has_epochs, "supportsInterface of the KMS's contract");
    if has_epochs == Some(&true) {
        let detail = "The KMS's contract decides by epochs; what it allows is read for epoch 0 alone.";
        judgement.open(is_required(policy), &UNSUPPORTED, detail.to_owned());
    }
    match &kms.os_image_allowed {
        None => judgement.warn(
            &OS_NOT_ASKED,
            "The OS image has no known hash and was not asked about.".to_owned(),
        ),
        Some(answer) => {
            if judgement.answer(answer, "allowedOsImages") == Some(&false) {
                let what = "The KMS's contract does not allow the OS image";
                not_allowed(judgement, &OS_NOT_ALLOWED, what, has_epochs);
            }
        }
    }
    if let (Some(answer), Some(build)) = (&kms.kms_allowed, boot.mr_kms())
        && judgement.answer(answer, "kmsAllowedAggregatedMrs") == Some(&false)
    {
        let what = format!(
            "The KMS's contract does not allow the KMS build {} (mr-kms)",
            hex::encode(build)
        );
        not_allowed(judgement, &KMS_NOT_ALLOWED, &what, has_epochs);
    }
    contract::judge(
        judgement,
        "the KMS's contract",
        &kms.contract,
        &policy.governance.kms,
    );
}

/// Whether the contract at `named` (chain and address) is that of the KMS with this key-provider id: the reference values say so, or the
/// contract holds its root key.
pub(super) fn is_contract_of(kms: &KmsContract, named: (u64, &[u8; 20]), id: &str, policy: &Policy) -> bool {
    let row = policy.reference.kms_by_id(id).and_then(|row| row.governed_by());
    match row {
        Some(GovernedBy::Contract { chain_id, address }) => (chain_id, &address) == named,
        _ => kms
            .info
            .as_ref()
            .is_ok_and(|info| hex::encode(&info.ca_public_key) == id),
    }
}

/// Whether the contract is that of the app's KMS.
fn judge_link(
    judgement: &mut Judgement,
    kms: &KmsContract,
    named: (u64, &[u8; 20]),
    boot: &BootClaims,
    policy: &Policy,
) {
    let by = || {
        let named = policy.governance.kms_contract.as_ref();
        named.map(|named| named.origin.clone())
    };
    let id = &boot.key_provider().id;
    let of_row = policy.reference.kms_by_id(id).and_then(|row| row.governed_by());
    let is_known = match of_row {
        Some(GovernedBy::Contract { chain_id, address }) => {
            if (chain_id, &address) != named {
                let detail = format!(
                    "The app's KMS is governed by {} on chain {chain_id}.",
                    address_text(&address)
                );
                judgement.unexpected(&KMS_CONTRACT_DIFFERS, detail, by());
            }
            true
        }
        _ => false,
    };
    let Some(info) = judgement.answer(&kms.info, "kmsInfo") else {
        return;
    };
    let key = &info.ca_public_key;
    if key.is_empty() {
        if !is_known {
            let detail = "The KMS's contract does not say which KMS it governs.";
            judgement.open(is_required(policy), &KMS_NOT_LINKED, detail.to_owned());
        }
    } else if hex::encode(key) != *id {
        let detail = "The CA key in the KMS's contract is not the app's key-provider id.";
        match &kms.has_epochs {
            Ok(false) => judgement.unexpected(&KMS_INFO, detail.to_owned(), by()),
            // `kmsInfo` is about the root of epoch 0.
            Ok(true) if policy.key_provider_ids().any(|root| root == hex::encode(key)) => judgement.open(
                is_required(policy),
                &KMS_NOT_LINKED,
                "The KMS's contract holds another root that you named; whether it governs the root of the app's keys cannot be asked."
                    .to_owned(),
            ),
            Ok(true) => judgement.error(
                &UNSUPPORTED,
                format!("{detail} It is the root of epoch 0; the app's may be that of a later one, which cannot be asked."),
            ),
            // Said above.
            Err(_) => {}
        }
    }
}
