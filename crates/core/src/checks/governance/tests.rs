//! What the answers of two nodes mean. The attacks ask simulated nodes, with the program.

use simulator::{Cvm, Lie, World};

use super::*;
use crate::checks::claims_for_tests::{
    KMS, OWNER, app, chain, contract, contracts, expected, healthy, kms, of, policy, unanswered,
};
use crate::policy::{ContractPin, Origin};
use crate::report::Status;
use crate::verify::chain::{Owner, Unanswered};

type Said = (Status, Option<&'static str>);

fn said(finding: &Finding) -> Said {
    (finding.status, finding.reason.map(|reason| reason.id))
}

const OWNER_TEXT: &str = "0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f";

#[test]
fn answers_about_the_named_contracts_at_a_block_that_is_neither_old_nor_ahead_are_judged() {
    let mut claims = healthy();
    let policy = policy(&claims);
    let error = |reason| (Status::Error, Some(reason));
    for (age, expected) in [
        (0, (Status::Pass, None)),
        (2 * 3600, (Status::Pass, None)),
        (2 * 3600 + 1, error("chain")),
        (-15 * 60, (Status::Pass, None)),
        (-15 * 60 - 1, error("chain")),
    ] {
        claims.chain = Some(Ok(chain(&claims, age, kms(&claims))));
        let finding = run(&claims, &policy);
        assert_eq!(said(&finding), expected, "{age}: {}", finding.detail);
    }
    claims.chain = Some(Ok(chain(&claims, 0, kms(&claims))));
    let mut others = policy;
    others.governance.chain_id = Some(expected("governance-chain-id", 1));
    let finding = run(&claims, &others);
    assert_eq!(said(&finding), error("not-asked"));
    assert!(
        finding.detail.contains("about other contracts"),
        "{}",
        finding.detail
    );
}

#[test]
fn what_is_allowed_is_said_with_who_can_change_that() {
    let claims = healthy();
    let found = chain(&claims, 0, kms(&claims));
    let start = "at block 77 of chain 8453;";
    let key = format!("owner {OWNER_TEXT} (one key) can change that.");
    for (has_epochs, kind, expected) in [
        (
            Ok(false),
            Ok(OwnerKind::Key),
            format!("Allowed on chain {start} {key}"),
        ),
        (
            unanswered(),
            Ok(OwnerKind::Key),
            format!("Allowed on chain {start} {key}"),
        ),
        (
            Ok(true),
            Ok(OwnerKind::Key),
            format!("Allowed on chain for app epoch 0 {start} {key}"),
        ),
        (
            Ok(false),
            Ok(OwnerKind::Renounced),
            format!("Allowed on chain {start} its contract has no owner who can change that."),
        ),
        (
            Ok(false),
            unanswered(),
            format!("Allowed on chain {start} owner {OWNER_TEXT} (of unknown kind) can change that."),
        ),
    ] {
        let app = AppContract {
            has_epochs,
            contract: contract(kind),
            ..app()
        };
        assert_eq!(allowed_words(&found, &app), expected);
    }
    let mut unowned = app();
    unowned.contract.owner = unanswered();
    assert_eq!(
        allowed_words(&found, &unowned),
        format!("Allowed on chain {start} who can change that is not known.")
    );
}

#[test]
fn an_owner_is_told_by_address_and_kind() {
    let safe = |has_modules| OwnerKind::Safe {
        threshold: 2,
        owners: 3,
        has_modules,
    };
    for (kind, expected) in [
        (Ok(OwnerKind::Renounced), "the zero address".to_owned()),
        (Ok(OwnerKind::Key), format!("{OWNER_TEXT} (one key)")),
        (
            Ok(safe(Some(true))),
            format!("{OWNER_TEXT} (a Safe, 2 of 3, with modules)"),
        ),
        (Ok(safe(Some(false))), format!("{OWNER_TEXT} (a Safe, 2 of 3)")),
        (Ok(safe(None)), format!("{OWNER_TEXT} (a Safe, 2 of 3)")),
        (
            Ok(OwnerKind::Timelock { delay: 9 }),
            format!("{OWNER_TEXT} (a timelock of 9 s)"),
        ),
        (Ok(OwnerKind::Contract), format!("{OWNER_TEXT} (a contract)")),
        (
            Err(Unanswered::Reverted),
            format!("{OWNER_TEXT} (of unknown kind)"),
        ),
    ] {
        let owner = Owner { address: OWNER, kind };
        assert_eq!(contract::words(&owner), expected);
    }
}

/// Each expectation that is not met is told in a whole sentence, with who expects it.
#[test]
fn a_contract_that_is_not_as_pinned_fails_by_whoever_pinned_it() {
    let origin = |option| Some(Origin::Option(option));
    let other = "0x0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e";
    let pin = |change: fn(&mut ContractPin)| {
        let mut pin = policy(&healthy()).governance.app;
        change(&mut pin);
        pin
    };
    type Case<'a> = (ContractPin, Option<[u8; 20]>, Said, String, Option<Origin>);
    let fail = |reason| (Status::Fail, Some(reason));
    let cases: [Case; 5] = [
        (
            pin(|pin| pin.owners = Some(expected("owner", vec![[0xee; 20]]))),
            None,
            fail("owner-unknown"),
            format!(
                "The app's contract is owned by {OWNER_TEXT} (a contract), which is not the owner that is named."
            ),
            origin("owner"),
        ),
        (
            pin(|pin| pin.code = Some(expected("code", [1; 32]))),
            None,
            fail("implementation-changed"),
            format!(
                "The code at the address of the app's contract has the SHA-256 {}.",
                "c0".repeat(32)
            ),
            origin("code"),
        ),
        (
            pin(|pin| pin.implementation_code = Some(expected("implementation", [1; 32]))),
            None,
            fail("implementation-changed"),
            format!(
                "The implementation of the app's contract is now 0x{} with code of the SHA-256 {}.",
                "1a".repeat(20),
                "c0".repeat(32)
            ),
            origin("implementation"),
        ),
        (
            pin(|_| ()),
            Some([0x0e; 20]),
            fail("owner-pending"),
            format!("The ownership of the app's contract is offered to {other}."),
            origin("governance-app-owner"),
        ),
        (
            pin(|pin| pin.owners = None),
            None,
            (Status::Warn, Some("owner-not-pinned")),
            format!(
                "Fine. The app's contract is owned by {OWNER_TEXT} (a contract); no expectation names who it must be."
            ),
            None,
        ),
    ];
    for (pin, pending, expected, detail, by) in cases {
        let mut contract = contract(Ok(OwnerKind::Contract));
        contract.pending_owner = Ok(pending);
        let mut judgement = Judgement::default();
        contract::judge(&mut judgement, "the app's contract", &contract, &pin);
        let finding = judgement.finding("Fine.");
        assert_eq!(said(&finding), expected, "{}", finding.detail);
        assert_eq!(finding.detail, detail);
        assert_eq!(finding.origin, by, "{detail}");
    }
}

#[test]
fn a_platform_is_compared_with_what_the_contract_demands_of_it() {
    let mut old = Cvm::healthy(&World::default());
    Lie::OutOfDatePlatform.apply(&mut old);
    let (good, old) = (healthy(), of(&old));
    for (claims, demands, mode, expected) in [
        (&good, Ok(true), GovernanceMode::Required, (Status::Pass, None)),
        (&old, Ok(false), GovernanceMode::Required, (Status::Pass, None)),
        (&old, unanswered(), GovernanceMode::Required, (Status::Pass, None)),
        (
            &old,
            Ok(true),
            GovernanceMode::Named,
            (Status::Warn, Some("boot-check")),
        ),
        (
            &old,
            Ok(true),
            GovernanceMode::Required,
            (Status::Error, Some("boot-check")),
        ),
    ] {
        let mut policy = policy(claims);
        policy.governance.mode = mode;
        let app = AppContract {
            requires_tcb: demands,
            ..app()
        };
        let mut judgement = Judgement::default();
        app_contract::judge(&mut judgement, &app, claims, &policy);
        let finding = judgement.finding("Fine.");
        assert_eq!(said(&finding), expected, "{}", finding.detail);
    }
}

/// `kmsInfo` is about the root of epoch 0: another one than the app's convicts only where there are no epochs.
#[test]
fn another_root_in_the_contract_of_a_kms_with_epochs_is_open_or_known_by_the_user() {
    let claims = healthy();
    let boot = claims.boot.as_ref().unwrap();
    let own = &boot.key_provider().id;
    let other = "cd".repeat(91);
    let named = contracts(&claims);
    let providers = |text: String| Some(expected("key-provider", text.parse().unwrap()));
    let (one, both) = (format!("kms:{own}"), format!("kms:{own},kms:{other}"));
    for (has_epochs, key_provider, expected) in [
        (Ok(false), &both, (Status::Fail, Some("kms-info"))),
        (Ok(true), &both, (Status::Warn, Some("kms-not-linked"))),
        (Ok(true), &one, (Status::Error, Some("unsupported"))),
        (unanswered(), &one, (Status::Pass, None)),
    ] {
        let mut contract = kms(&claims);
        contract.has_epochs = has_epochs;
        contract.info.as_mut().unwrap().ca_public_key = hex::decode(&other).unwrap();
        let mut policy = policy(&claims);
        policy.key_provider = providers(key_provider.clone());
        let mut judgement = Judgement::default();
        kms_contract::judge_link(&mut judgement, &contract, (named.chain_id, &KMS), boot, &policy);
        let finding = judgement.finding("Fine.");
        assert_eq!(said(&finding), expected, "{}", finding.detail);
    }
}
