//! Contracts of other generations, and answers in other forms.

use super::*;

#[test]
fn t46_what_only_looks_like_yes_is_not() {
    let cvm = Cvm::healthy(&World::default());
    let app = app_id();
    let compose = format!("2f6622e5{}", hex::encode(cvm.compose_hash()));
    for (answer, reason) in [
        (number(2).to_vec(), "abi"),
        (vec![1], "abi"),
        ([number(1), number(1)].concat(), "abi"),
        (vec![], "unsupported"),
    ] {
        Trial::new()
            .both(|chain| chain.answer(app, &compose, answer.clone()))
            .is_open(reason);
    }
    // A contract without the function reverts.
    Trial::new()
        .both(|chain| drop(chain.calls.remove(&(app, compose.clone()))))
        .is_open("unsupported");
    // A contract with epochs says no for epoch 0 alone.
    let epochs = format!("01ffc9a7c396c1b0{}", "00".repeat(28));
    let trial = Trial::new()
        .pinned()
        .both(|chain| chain.answer(app, &epochs, number(1)));
    let ran = trial.verify();
    ran.assert(Governance, Warn, Some("unsupported"));
    ran.assert_detail(Governance, "for app epoch 0");
    trial
        .both(|chain| chain.allow_compose(cvm.compose_hash(), false))
        .is_open("unsupported");
}

#[test]
fn t46_a_contract_with_epochs_convicts_nobody() {
    let cvm = Cvm::healthy(&World::default());
    let app = app_id();
    let epochs = format!("01ffc9a7c396c1b0{}", "00".repeat(28));
    let with_epochs = |contract: [u8; 20]| {
        let epochs = epochs.clone();
        Trial::new()
            .pinned()
            .both(move |chain| chain.answer(contract, &epochs, number(1)))
    };
    let device = hex::encode(Sha256::digest(cvm.world.platform.ppid));
    // What a later epoch allows is not known.
    with_epochs(app)
        .both(|chain| {
            chain.answer(app, &format!("bf8b211b{device}"), number(0));
            chain.answer(app, &format!("bf8b211b{}", old_device(&cvm)), number(0));
        })
        .is_open("unsupported");
    with_epochs(KMS_CONTRACT)
        .verify()
        .assert(Governance, Warn, Some("unsupported"));
    with_epochs(KMS_CONTRACT)
        .both(|chain| chain.allow_os_image(OS_IMAGE, false))
        .is_open("unsupported");
    let log = cvm.measured_log();
    let event = log.iter().find(|event| event.event == "mr-kms").unwrap();
    let call = format!("f6fe4f40{}", hex::encode(&event.payload));
    with_epochs(KMS_CONTRACT)
        .both(|chain| chain.answer(KMS_CONTRACT, &call, number(0)))
        .is_open("unsupported");
    // One node that hides which generation it is convicts nobody either.
    let trial = Trial::new().both(|chain| chain.allow_compose(cvm.compose_hash(), false));
    trial.nodes[0].change(|chain| chain.answer(app, &epochs, number(1)));
    trial.is_open("rpc-disagree");
}

#[test]
fn t46_a_contract_of_a_later_generation_neither_clears_nor_convicts() {
    let cvm = Cvm::healthy(&World::default());
    // A function that came with the epochs stands in the code, under an interface id that is not known.
    let later = |contract: [u8; 20], implementation: u8| {
        Trial::new().both(move |chain| {
            let code = [0x80, 0x63, 0x52, 0x90, 0x31, 0x3d, 0x14].to_vec();
            let behind = chain.storage[&(
                contract,
                "360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc".to_owned(),
            )];
            assert_eq!(behind[12], implementation);
            chain.code.insert(behind[12..].try_into().unwrap(), code);
        })
    };
    later(app_id(), 0x1a).is_open("unsupported");
    later(app_id(), 0x1a)
        .both(|chain| chain.allow_compose(cvm.compose_hash(), false))
        .is_open("unsupported");
    later(KMS_CONTRACT, 0x1b)
        .both(|chain| chain.allow_os_image(OS_IMAGE, false))
        .is_open("unsupported");
    later(KMS_CONTRACT, 0x1b)
        .both(|chain| chain.name_kms(&[7; 91]))
        .is_open("unsupported");
    let versioned = |version: u8| {
        Trial::new()
            .pinned()
            .both(move |chain| chain.answer(app_id(), "54fd4d50", number(version)))
    };
    versioned(3).is_open("unsupported");
    versioned(2).verify().assert(Governance, Pass, None);
}

#[test]
fn t46_a_contract_with_epochs_holds_the_root_of_the_first() {
    let epochs = format!("01ffc9a7c396c1b0{}", "00".repeat(28));
    let other_root = |change: &dyn Fn(&mut Chain)| {
        Trial::new()
            .pinned()
            .both(|chain| chain.name_kms(&[7; 91]))
            .both(change)
    };
    other_root(&|_| {}).fails("kms-info");
    other_root(&|chain| chain.answer(KMS_CONTRACT, &epochs, number(1))).is_open("unsupported");
}

#[test]
fn t46_a_contract_that_demands_an_up_to_date_platform_says_so_of_one_that_is_not() {
    let mut cvm = Cvm::healthy(&World::default());
    simulator::Lie::OutOfDatePlatform.apply(&mut cvm);
    let trial = Trial::of(Deployment::of(cvm)).pinned();
    let ran = trial.verify();
    ran.assert(Governance, Warn, Some("boot-check"));
    ran.assert_detail(Governance, "is OutOfDate");
    let trial = trial.both(|chain| drop(chain.calls.remove(&(app_id(), "0aa58c83".to_owned()))));
    trial.verify().assert(Governance, Pass, None);
}

#[test]
fn t46_storage_of_a_contract_that_is_not_understood_convicts_nobody() {
    let mut trial = Trial::new().pinned();
    trial.policy.push("governance-upgrades = \"disabled\"".to_owned());
    let trial = trial.both(|chain| {
        let interface = format!("01ffc9a71e079198{}", "00".repeat(28));
        chain.calls.remove(&(app_id(), interface));
    });
    trial.is_open("unsupported");
    // The flags are in slot 2 of a contract of mid-2025.
    let mut trial = Trial::new().pinned();
    trial.policy.push("governance-upgrades = \"disabled\"".to_owned());
    let trial = trial.both(|chain| {
        chain.storage.remove(&(app_id(), "1".to_owned()));
        chain.storage.insert((app_id(), "2".to_owned()), number(1));
    });
    trial.verify().assert(Governance, Pass, None);
}

#[test]
fn t46_forms_that_no_contract_has_are_open() {
    // A proxy whose implementation is not there.
    Trial::new()
        .both(|chain| chain.implement(app_id(), [0x99; 20]))
        .is_open("abi");
    // An address with more than 20 bytes.
    Trial::new()
        .both(|chain| chain.answer(app_id(), "8da5cb5b", [0x07; 32]))
        .is_open("abi");
    // A node that does not know the block tag, without an error.
    let trial = Trial::new();
    trial.nodes[1].edit(|method, answer| {
        if method == "eth_getBlockByNumber" {
            answer["result"] = serde_json::Value::Null;
        }
    });
    let ran = trial.is_open("rpc");
    ran.assert_detail(Governance, "block tag `finalized`");
    // An app whose evidence is not proven is asked about nowhere.
    let trial = Trial::new();
    trial
        .deployment
        .app
        .change(|cvm| simulator::Lie::ForgedEventLog.apply(cvm));
    let ran = trial.verify();
    ran.assert(Governance, Error, Some("event-log-not-proven"));
    assert!(trial.nodes.iter().all(|node| node.requests().is_empty()));
}
