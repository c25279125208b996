//! Who can change what the contracts allow.

use super::*;

#[test]
fn t46_an_owner_who_is_not_named_convicts() {
    let app = app_id();
    let other = [0x66; 20];
    for contract in [app, KMS_CONTRACT] {
        Trial::new()
            .both(|chain| chain.answer(contract, "8da5cb5b", word_of(&other)))
            .fails("owner-unknown");
        let ran = Trial::new()
            .both(|chain| chain.answer(contract, "e30c3978", word_of(&other)))
            .fails("owner-pending");
        assert!(ran.check(Governance).detail.contains(&hex::encode(other)));
    }
    Trial::new()
        .pinned()
        .both(|chain| drop(chain.code.remove(&CONTRACT_OWNER)))
        .verify()
        .assert(Governance, Warn, Some("owner-eoa"));
    let mut trial = Trial::new();
    trial.policy.push("governance-min-signers = 3".to_owned());
    trial.fails("owner-signers");
    let mut trial = Trial::new();
    trial.policy.push("governance-min-delay = 86400".to_owned());
    trial.fails("owner-delay");
    let mut trial = Trial::new().pinned();
    trial.policy.push("governance-min-signers = 2".to_owned());
    trial.verify().assert(Governance, Pass, None);
}

#[test]
fn t46_an_upgrade_convicts() {
    let app = app_id();
    let elsewhere = [0x99; 20];
    for contract in [app, KMS_CONTRACT] {
        Trial::new()
            .pinned()
            .both(|chain| {
                chain.code.insert(elsewhere, b"other code".to_vec());
                chain.implement(contract, elsewhere);
            })
            .fails("implementation-changed");
        Trial::new()
            .pinned()
            .both(|chain| drop(chain.code.insert(contract, b"another proxy".to_vec())))
            .fails("implementation-changed");
    }
    let upgrades = |trial: Trial| {
        let mut trial = trial;
        trial.policy.push("governance-upgrades = \"disabled\"".to_owned());
        trial
    };
    upgrades(Trial::new().pinned()).fails("upgrades-open");
    upgrades(Trial::new().pinned())
        .both(|chain| chain.set_flags(true, false))
        .verify()
        .assert(Governance, Pass, None);
    upgrades(Trial::new().pinned())
        .both(|chain| chain.set_flags(true, true))
        .is_open("unsupported");
    upgrades(Trial::new())
        .both(|chain| chain.set_flags(true, false))
        .is_open("implementation-not-pinned");
}

#[test]
fn t46_a_contract_whose_ownership_is_handed_over_in_one_step_passes() {
    let plain = |chain: &mut Chain| chain.calls.retain(|(_, call), _| call != "e30c3978");
    let trial = Trial::new().pinned().both(plain);
    trial.verify().assert(Governance, Pass, None);
    // One node that hides an offer.
    let trial = Trial::new().pinned();
    trial.nodes[0].change(plain);
    trial.is_open("rpc-disagree");
}

#[test]
fn t46_a_module_of_a_safe_acts_without_signatures() {
    let demanding = |change: fn(&mut Chain)| {
        let mut trial = Trial::new().pinned().both(change);
        trial.policy.push("governance-min-signers = 2".to_owned());
        trial
    };
    demanding(|_| {}).verify().assert(Governance, Pass, None);
    demanding(|chain| chain.set_modules(1)).is_open("owner-signers");
    // One that does not say.
    demanding(|chain| chain.calls.retain(|(_, call), _| !call.starts_with("cc2f8452")))
        .is_open("owner-signers");
    let ran = Trial::new().pinned().both(|chain| chain.set_modules(1)).verify();
    ran.assert(Governance, Pass, None);
    ran.assert_detail(Governance, "a Safe, 2 of 3, with modules");
}
