//! The contract of the app: the compose document and the machine that it allows, its owner, its code.

use dcap_qvl::TcbStatus;

use super::answer::{is_required, not_allowed};
use super::contract;
use super::reasons::{
    BOOT_CHECK, COMPOSE_NOT_ALLOWED, DEVICE_NOT_ALLOWED, IMPLEMENTATION_NOT_PINNED, OWNER_DELAY,
    OWNER_NOT_PINNED, OWNER_SIGNERS, UNSUPPORTED, UPGRADES_OPEN,
};
use crate::checks::Reason;
use crate::checks::judgement::Judgement;
use crate::policy::{Origin, Policy};
use crate::verify::Claims;
use crate::verify::chain::{AppContract, OwnerKind};

/// Checks what the app contract allows, its owner, its code and its demands on the platform.
pub(super) fn judge(judgement: &mut Judgement, app: &AppContract, claims: &Claims, policy: &Policy) {
    judge_rules(judgement, app, policy);
    judge_tcb(judgement, app, claims, policy);
}

fn judge_rules(judgement: &mut Judgement, app: &AppContract, policy: &Policy) {
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
                let detail = "The app's contract or its storage has an unknown format, so it is not known whether upgrades \
                              are disabled.";
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
    let owner = contract::words(owner);
    if let Some(least) = expected.min_signers {
        let what = [
            format!("The owner {owner} does not need {least} signers."),
            format!("How many must sign for the owner {owner} is not known."),
        ];
        let setting = policy.setting("governance-min-signers");
        judge_least(judgement, &OWNER_SIGNERS, (least, signers), what, setting);
    }
    let delay = match kind {
        OwnerKind::Timelock { delay } => Some(*delay),
        OwnerKind::Key | OwnerKind::Safe { .. } => Some(0),
        OwnerKind::Renounced | OwnerKind::Contract => None,
    };
    if let Some(least) = expected.min_delay {
        let what = [
            format!("The owner {owner} does not delay a change by {least} s."),
            format!("Whether the owner {owner} delays a change by {least} s is not known."),
        ];
        let setting = policy.setting("governance-min-delay");
        judge_least(judgement, &OWNER_DELAY, (least, delay), what, setting);
    }
}

/// Whether a number is at least what is expected; said is that it is less, and that it is not known.
fn judge_least(
    judgement: &mut Judgement,
    reason: &'static Reason,
    (least, known): (u64, Option<u64>),
    [less, unknown]: [String; 2],
    setting: Option<Origin>,
) {
    match known {
        Some(known) if known >= least => {}
        Some(_) => judgement.unexpected(reason, less, setting),
        None => judgement.error(reason, unknown),
    }
}
