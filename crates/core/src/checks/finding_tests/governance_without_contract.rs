//! `governance`: what is said where no contract decides, or none was named.

use simulator::{Cvm, Lie, World};

use super::{found, lying, said};
use crate::checks::claims_for_tests::{expected, healthy, of, policy};
use crate::policy::{GovernanceMode, GovernancePolicy, Policy};
use crate::report::{CheckId, Status};
use crate::verify::Claims;

fn demanding(mode: GovernanceMode) -> Policy {
    Policy {
        governance: GovernancePolicy {
            mode,
            asks: true,
            ..GovernancePolicy::default()
        },
        ..Policy::default()
    }
}

#[test]
fn what_is_required_and_not_named_is_an_error_and_what_is_only_asked_is_skipped() {
    let claims = healthy();
    let required = said(CheckId::Governance, &claims, &demanding(GovernanceMode::Required));
    assert_eq!(required.0, (Status::Error, Some("unpinned")));
    let asked = said(CheckId::Governance, &claims, &demanding(GovernanceMode::Named));
    assert_eq!(asked.0, (Status::Skip, Some("unpinned")));
    assert!(!asked.1.contains("Your expected values"), "{}", asked.1);
}

#[test]
fn what_is_not_named_is_named_in_the_sentence() {
    let claims = healthy();
    let mut asked = demanding(GovernanceMode::Named);
    let sentence = |policy: &Policy| found(CheckId::Governance, &claims, policy).detail;
    assert!(sentence(&asked).starts_with("Neither the app id nor the chain is named"));
    asked.governance.chain_id = Some(expected("governance-chain-id", 8453));
    assert!(sentence(&asked).starts_with("The app id is not named"));
    asked.app_id = policy(&claims).app_id;
    asked.governance.chain_id = None;
    assert!(sentence(&asked).starts_with("The chain is not named"));
}

#[test]
fn without_a_kms_no_contract_decides_and_that_is_a_fail_if_one_was_expected() {
    let claims: Claims = lying(Lie::NoKeyProvider);
    for (mode, status) in [
        (GovernanceMode::Required, Status::Fail),
        (GovernanceMode::Named, Status::Skip),
    ] {
        let (outcome, text) = said(CheckId::Governance, &claims, &demanding(mode));
        assert_eq!(outcome, (status, Some("operator")), "{text}");
        assert!(
            text.starts_with("The keys come from `none`, not from a KMS."),
            "{text}"
        );
    }
    // A KMS that nobody knows may be governed.
    let unknown = of(&Cvm::healthy(&World::default()));
    let (outcome, _) = said(
        CheckId::Governance,
        &unknown,
        &demanding(GovernanceMode::Required),
    );
    assert_eq!(outcome, (Status::Error, Some("unpinned")));
}
