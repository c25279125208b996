//! `governance`: contracts on a blockchain allow what runs, and who can change that is who you named.

mod answer;
mod app_contract;
mod contract;
mod kms_contract;
mod reasons;

use super::judgement::Judgement;
use crate::checks::known;
use answer::reason_of;
pub(super) use kms_contract::is_contract_of;
use reasons::*;

use super::{Check, Finding, Required, boot_claims};
use crate::compose::UnprovenDocument;
use crate::policy::{GovernanceMode, Policy};
use crate::reference::GovernedBy;
use crate::report::CheckId;
use crate::verify::chain::{AppContract, ChainProblem, Governance, OwnerKind, address_text};
use crate::verify::{BootClaims, Claims};

pub(super) const CHECK: Check = Check {
    id: CheckId::Governance,
    title: "On-chain governance",
    proves: "At a final block, two nodes of different operators say that the app's contract allows this compose document and \
             machine, and the KMS's contract this OS image; owners and code of both contracts are the ones that you named. It \
             does not prove that only this code can run: the host can start any allowed version, and the owner can add another.",
    prevents: "An owner, an upgrade or a list of allowed code that changed without you; one node that answers falsely.",
    reasons: REASONS,
    required: Required::Never,
    is_configured: is_demanded,
    run,
    of_document: Some(of_document),
    ..Check::BASE
};

/// How old the newest final block may be, seconds: two hours. Blocks of Base are final after 20 to 30 minutes.
const MAX_BLOCK_AGE: u64 = 2 * 60 * 60;

/// How far ahead of this machine's clock a block may be, seconds.
const MAX_BLOCK_AHEAD: u64 = 15 * 60;

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
    let boot = known!(boot_claims(claims));
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

/// What this check will say of a deployment of this document, if no contract will decide who gets its keys.
fn of_document(document: &UnprovenDocument, policy: &Policy) -> Option<Finding> {
    let provider = document.key_provider_beside_a_kms()?;
    let expected = &policy.governance;
    let is_expected = expected.mode != GovernanceMode::Unchecked && expected.is_demanded();
    is_expected.then(|| of_an_operator(&not_from_a_kms(provider)))
}

/// What to do where contracts are expected and none decides.
const DEMANDED_OF_AN_OPERATOR: &str = "If a contract should decide, deploy with a KMS that is governed on chain. If you trust the operator of \
                                       the KMS instead, remove `governance = \"required\"` and the expected values whose names begin \
                                       with `governance-`, or [governance] of the lock.";

/// What to do where app id and chain are named and no contract decides.
const NAMED_OF_AN_OPERATOR: &str = "If a contract should decide, deploy with a KMS that is governed on chain. If you trust the operator of the KMS, \
                                    say so for this target: leave `governance-chain-id` out, or write `governance = \"unchecked\"`.";

/// What is found where no contract decides.
fn without_contract(boot: &BootClaims, policy: &Policy) -> Option<Finding> {
    let provider = boot.key_provider();
    let known = policy.reference.kms_by_id(&provider.id);
    let why = match known.and_then(|row| row.governed_by()) {
        _ if provider.name != "kms" => not_from_a_kms(&provider.name),
        Some(GovernedBy::Operator) => {
            let what = known.map(|row| row.what.to_string()).unwrap_or_default();
            format!("The keys come from {what}, which takes its rules from its operator.")
        }
        _ => return None,
    };
    Some(match policy.governance.is_demanded() {
        true => of_an_operator(&why),
        // The host chooses the KMS. It must not choose one in order that the named contract is not asked.
        false if policy.contracts().is_some() => Finding::error(
            &OPERATOR,
            format!("{why} App id and chain are named, and no contract there decides which code gets them."),
        )
        .advising(NAMED_OF_AN_OPERATOR),
        false => Finding::skip(&OPERATOR, why),
    })
}

fn not_from_a_kms(provider: &str) -> String {
    format!("The keys come from `{provider}`, not from a KMS.")
}

fn of_an_operator(why: &str) -> Finding {
    Finding::fail(
        &OPERATOR,
        format!(
            "{why} No contract decides which code gets them, so your expected values for the contracts are not met."
        ),
    )
    .advising(DEMANDED_OF_AN_OPERATOR)
}

fn unpinned(boot: &BootClaims, policy: &Policy) -> Finding {
    let lacks = match (policy.app_id.is_some(), policy.governance.chain_id.is_some()) {
        (true, _) => "The chain is not named (`governance-chain-id`)",
        (false, true) => "The app id is not named (`app-id`)",
        (false, false) => "Neither the app id nor the chain is named (`app-id`, `governance-chain-id`)",
    };
    let detail = format!("{lacks}, so no contract was asked.");
    let finding = match is_demanded(policy) {
        true => Finding::error(
            &UNPINNED,
            format!("{detail} Your expected values for the contracts are not checked."),
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
                "The newest final block that both nodes have, {}, was made at {}; the time of appraisal is {}.",
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
            app_contract::judge(&mut judgement, app, claims, policy);
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
            kms_contract::judge(&mut judgement, kms, claims, boot, policy);
            kms_contract::judge_link(&mut judgement, kms, (contracts.chain_id, address), boot, policy);
        }
        _ if !policy.governance.kms.is_empty() => judgement.error(
            &KMS_NOT_NAMED,
            "The KMS's contract is not named and was not asked, so your expected values for it are not checked."
                .to_owned(),
        ),
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

#[cfg(test)]
mod tests;
