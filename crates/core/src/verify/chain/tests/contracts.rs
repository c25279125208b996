//! What kind of contract answers: its owner, its storage, its generation.

use super::*;

#[test]
fn owners_are_told_apart() {
    let of = |change: &dyn Fn(&mut Node)| {
        let node = Node::honest().with(|node| change(node));
        let found = alike(&node);
        let app = found.app().unwrap().unwrap();
        app.contract.owner.as_ref().unwrap().kind.clone().unwrap()
    };
    let contract = |node: &mut Node| node.set(rpc::Request::code(&OWNER, BLOCK), hex_of(b"code"));
    assert_eq!(
        of(&|node| node.call(&APP, Call::Owner, &word(0))),
        OwnerKind::Renounced
    );
    let delegated = [&[0xef, 0x01, 0x00], [9; 20].as_slice()].concat();
    assert_eq!(
        of(&|node| node.set(rpc::Request::code(&OWNER, BLOCK), hex_of(&delegated))),
        OwnerKind::Key
    );
    assert_eq!(of(&contract), OwnerKind::Contract);
    let safe = |has_modules| OwnerKind::Safe {
        threshold: 2,
        owners: 3,
        has_modules,
    };
    let owners = [
        word(0x20),
        word(3),
        address_word(&[1; 20]),
        address_word(&[2; 20]),
        address_word(&[3; 20]),
    ]
    .concat();
    assert_eq!(
        of(&|node| {
            contract(node);
            node.call(&OWNER, Call::SafeThreshold, &word(2));
            node.call(&OWNER, Call::SafeOwners, &owners);
        }),
        safe(None)
    );
    let end = word(1);
    let none = [word(0x40), end.clone(), word(0)].concat();
    let one = [word(0x40), end.clone(), word(1), address_word(&[5; 20])].concat();
    for (page, has_modules) in [
        (none, Some(false)),
        (one, Some(true)),
        ([word(0x40), end.clone(), word(1)].concat(), None),
        ([word(0x40), end.clone(), word(1), vec![5; 32]].concat(), None),
        ([word(0x20), end, word(0)].concat(), None),
        (word(0), None),
    ] {
        assert_eq!(
            of(&|node| {
                contract(node);
                node.call(&OWNER, Call::SafeThreshold, &word(2));
                node.call(&OWNER, Call::SafeOwners, &owners);
                node.call(&OWNER, Call::SafeModules, &page);
            }),
            safe(has_modules),
            "{page:?}"
        );
    }
    assert_eq!(
        of(&|node| {
            contract(node);
            node.call(&OWNER, Call::TimelockDelay, &word(60));
        }),
        OwnerKind::Timelock { delay: 60 }
    );
}

#[test]
fn only_a_contract_can_refuse_a_question() {
    for request in [
        rpc::Request::chain_id(),
        rpc::Request::finalized(),
        rpc::Request::block(BLOCK),
    ] {
        let node = Node::honest().with(|node| node.set(request.clone(), reverted()));
        let (found, _) = ask([&node, &node]);
        assert!(
            matches!(found, Err(ChainProblem::Unanswered(Unanswered::Rpc(_)))),
            "{request:?}: {found:?}"
        );
    }
    for request in [
        rpc::Request::code(&APP, BLOCK),
        rpc::Request::implementation(&APP, BLOCK),
        rpc::Request::storage(&APP, "0x1", BLOCK),
    ] {
        let liar = Node::honest().with(|node| node.set(request.clone(), reverted()));
        for nodes in [[&liar, &Node::honest()], [&liar, &liar]] {
            let found = ask(nodes).0.unwrap();
            let failed = match found.app() {
                Err(unanswered) => unanswered.clone(),
                Ok(app) => {
                    let app = app.unwrap();
                    let implementation = app.contract.implementation.clone().err();
                    implementation.or(app.upgrades_disabled.clone().err()).unwrap()
                }
            };
            assert!(matches!(failed, Unanswered::Rpc(_)), "{request:?}: {failed:?}");
        }
    }
}

#[test]
fn no_code_at_the_address_is_no_contract() {
    let node = Node::honest().with(|node| node.set(rpc::Request::code(&APP, BLOCK), hex_of(b"")));
    assert_eq!(alike(&node).app(), Ok(None));
    let node = Node::honest().with(|node| node.set(rpc::Request::code(&IMPLEMENTATION, BLOCK), hex_of(b"")));
    let found = alike(&node);
    assert_eq!(
        found.app().unwrap().unwrap().contract.implementation,
        Err(Unanswered::NoImplementation)
    );
}

#[test]
fn the_storage_of_a_contract_says_whether_it_can_be_upgraded_in_the_layouts_that_are_known() {
    let flags = |upgrades_disabled: u8, any_device: u8| {
        let mut slot = vec![0; 30];
        slot.extend([any_device, upgrades_disabled]);
        slot
    };
    let head = [vec![1], vec![0; 31]].concat();
    for (slots, any_device, expected) in [
        // The flags in slot 1.
        ([flags(0, 0), flags(0, 0)], 0, Some(false)),
        ([flags(1, 0), flags(0, 0)], 0, Some(true)),
        ([flags(1, 1), flags(0, 0)], 1, Some(true)),
        ([flags(0, 1), flags(0, 0)], 1, Some(false)),
        // In slot 2.
        ([flags(0, 0), flags(1, 0)], 0, Some(true)),
        ([flags(0, 0), flags(1, 1)], 1, Some(true)),
        ([flags(0, 0), flags(0, 1)], 1, Some(false)),
        // Nothing that a contract with these answers holds.
        ([flags(0, 0), flags(0, 0)], 1, None),
        ([flags(1, 1), flags(0, 0)], 0, None),
        ([flags(2, 0), flags(0, 0)], 0, None),
        ([flags(0, 0), flags(2, 0)], 0, None),
        ([flags(1, 0), flags(1, 0)], 0, None),
        ([head.clone(), flags(0, 0)], 0, None),
        ([flags(1, 0), head.clone()], 0, None),
    ] {
        let node = Node::honest().with(|node| {
            node.set(rpc::Request::storage(&APP, "0x1", BLOCK), hex_of(&slots[0]));
            node.set(rpc::Request::storage(&APP, "0x2", BLOCK), hex_of(&slots[1]));
            node.call(&APP, Call::AnyDevice, &word(any_device));
        });
        assert_eq!(
            alike(&node).app().unwrap().unwrap().upgrades_disabled,
            Ok(expected),
            "{slots:?}, any device: {any_device}"
        );
    }
}

#[test]
fn a_contract_of_a_later_generation_is_not_taken_for_one_without_epochs() {
    let epochs = |change: &dyn Fn(&mut Node)| {
        let found = alike(&Node::honest().with(|node| change(node)));
        let app = found.app().unwrap().unwrap().has_epochs.clone();
        let kms = found
            .kms()
            .unwrap()
            .as_ref()
            .unwrap()
            .as_ref()
            .unwrap()
            .has_epochs
            .clone();
        (app, kms)
    };
    let later = Err(Unanswered::OtherGeneration);
    assert_eq!(epochs(&|_| {}), (Ok(false), Ok(false)));
    for version in [1, 2] {
        let answered = |node: &mut Node| node.call(&APP, Call::Version, &word(version));
        assert_eq!(epochs(&answered).0, Ok(false));
    }
    assert_eq!(
        epochs(&|node| node.call(&APP, Call::Version, &word(3))),
        (later.clone(), Ok(false))
    );
    for function in EPOCH_FUNCTIONS {
        let code = [&[0x80, 0x63], function.as_slice(), &[0x14]].concat();
        let behind = |node: &mut Node| node.set(rpc::Request::code(&IMPLEMENTATION, BLOCK), hex_of(&code));
        assert_eq!(epochs(&behind), (later.clone(), later.clone()));
        let at = |node: &mut Node| node.set(rpc::Request::code(&KMS, BLOCK), hex_of(&code));
        assert_eq!(epochs(&at), (Ok(false), later.clone()));
        // Carried by another instruction it is data.
        let data = [&[0x64, 0x63], function.as_slice()].concat();
        let as_data = |node: &mut Node| node.set(rpc::Request::code(&IMPLEMENTATION, BLOCK), hex_of(&data));
        assert_eq!(epochs(&as_data), (Ok(false), Ok(false)));
    }
    // Neither yes nor no.
    let neither = |node: &mut Node| node.call(&KMS, Call::Interface(EPOCH_AUTH_0_6_5), &word(2));
    assert!(matches!(epochs(&neither), (Ok(false), Err(Unanswered::Abi(_)))));
    // An interface that is known says it by itself.
    let known = |node: &mut Node| {
        node.call(&APP, Call::Interface(EPOCH_AUTH_0_6_5), &word(1));
        node.call(&APP, Call::Version, &word(3));
    };
    assert_eq!(epochs(&known).0, Ok(true));
}

/// A device that was just allowed is not final yet. Where any device is allowed, the question is not asked at the newest block.
#[test]
fn a_device_that_is_allowed_at_the_newest_block_alone_is_not_final() {
    let of = |any: u8, at_head: [u8; 3]| {
        let node = Node::honest().with(|node| {
            let devices = [[3; 32], [0x33; 32]].map(Call::DeviceAllowed);
            for call in &devices {
                node.call(&APP, call.clone(), &word(0));
            }
            node.call(&APP, Call::AnyDevice, &word(any));
            let [now, old] = devices;
            for (call, answer) in [Call::AnyDevice, now, old].iter().zip(at_head) {
                node.set(rpc::Request::call_at_head(&APP, call), hex_of(&word(answer)));
            }
        });
        alike(&node).app().unwrap().unwrap().device_allowed.clone()
    };
    assert_eq!(of(0, [0, 0, 0]), Ok(false));
    for at_head in [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
        assert_eq!(of(0, at_head), Err(Unanswered::NotFinal), "{at_head:?}");
    }
    assert_eq!(of(1, [1, 1, 1]), Ok(false));
}

/// KMSs before 0.5.6 name the machine in another way.
#[test]
fn a_boot_is_allowed_under_either_id_of_the_machine() {
    let no = [word(0), word(0x40), word(0)].concat();
    for (new, old) in [(true, false), (false, true), (false, false)] {
        let node = Node::honest().with(|node| {
            for (device_id, is_allowed) in [([3; 32], new), ([0x33; 32], old)] {
                if !is_allowed {
                    let boot = AppBootInfo { device_id, ..boot() };
                    node.call(&KMS, Call::Boot(Box::new(boot)), &no);
                }
            }
        });
        let found = alike(&node);
        let kms = found.kms().unwrap().unwrap().unwrap();
        let (is_allowed, _) = kms.boot_allowed.clone().unwrap().unwrap();
        assert_eq!(is_allowed, new || old, "{new} {old}");
    }
}
