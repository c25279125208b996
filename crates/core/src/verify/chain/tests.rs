//! Encodings against the vectors, and readings of two nodes that agree, disagree and fail.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sha3::{Digest as _, Keccak256};

use super::abi::*;
use super::call::*;
use super::*;
use crate::evidence::{Contracts, RecordedChain, RecordedExchange, RpcFault, RpcOutcome};

const APP: Address = [0xa0; 20];
const KMS: Address = [0x2f; 20];
const IMPLEMENTATION: Address = [0x11; 20];
const OWNER: Address = [0x07; 20];

fn boot() -> AppBootInfo {
    AppBootInfo {
        app_id: APP,
        compose_hash: [1; 32],
        instance_id: [2; 20],
        device_id: [3; 32],
        mr_aggregated: [4; 32],
        mr_system: [5; 32],
        os_image_hash: [6; 32],
        tcb_status: "UpToDate".to_owned(),
        advisory_ids: vec!["INTEL-SA-00001".to_owned(), "INTEL-SA-00002".to_owned()],
    }
}

fn subject() -> GovernanceSubject {
    GovernanceSubject {
        boot: boot(),
        old_device_id: [0x33; 32],
        mr_kms: Some([8; 32]),
        live_builds: vec![],
    }
}

fn contracts() -> Contracts {
    Contracts {
        chain_id: 8453,
        app: APP,
        kms: Some(KMS),
    }
}

fn word(value: u8) -> Vec<u8> {
    let mut word = vec![0; 32];
    word[31] = value;
    word
}

fn address_word(address: &Address) -> Vec<u8> {
    [&[0; 12], address.as_slice()].concat()
}

/// A node: what it answers, by method and parameters. What is not here is a revert for a call, and nothing for the rest.
#[derive(Clone)]
struct Node {
    answers: HashMap<String, RpcOutcome>,
}

const BLOCK: u64 = 0x10;

fn key(request: &Request) -> String {
    format!("{} {}", request.method, request.params)
}

fn hex_of(bytes: &[u8]) -> RpcOutcome {
    RpcOutcome::Result(json!(format!("0x{}", hex::encode(bytes))))
}

fn block(number: u64, hash: u8) -> RpcOutcome {
    let hash = format!("0x{}", hex::encode([hash; 32]));
    RpcOutcome::Result(json!({ "number": format!("0x{number:x}"), "hash": hash, "timestamp": "0x64" }))
}

fn reverted() -> RpcOutcome {
    RpcOutcome::Error(RpcFault {
        code: 3,
        message: "execution reverted".to_owned(),
        has_data: false,
    })
}

impl Node {
    /// An app on a current contract that allows everything of the subject, owned by a key.
    fn honest() -> Self {
        let mut node = Self {
            answers: HashMap::new(),
        };
        node.set(rpc::Request::chain_id(), RpcOutcome::Result(json!("0x2105")));
        node.set(rpc::Request::finalized(), block(BLOCK, 0xbb));
        node.set(rpc::Request::block(BLOCK), block(BLOCK, 0xbb));
        for address in [APP, KMS] {
            node.set(rpc::Request::code(&address, BLOCK), hex_of(b"proxy"));
            node.set(
                rpc::Request::implementation(&address, BLOCK),
                hex_of(&address_word(&IMPLEMENTATION)),
            );
            node.call(&address, Call::Owner, &address_word(&OWNER));
            node.call(&address, Call::PendingOwner, &word(0));
        }
        node.set(rpc::Request::code(&IMPLEMENTATION, BLOCK), hex_of(b"code"));
        node.set(rpc::Request::code(&OWNER, BLOCK), hex_of(b""));
        node.set(rpc::Request::storage(&APP, "0x1", BLOCK), hex_of(&word(1)));
        node.set(rpc::Request::storage(&APP, "0x2", BLOCK), hex_of(&word(0)));
        node.call(&APP, Call::Interface(APP_AUTH), &word(1));
        node.call(&APP, Call::Interface(EPOCH_AUTH_0_6_4), &word(0));
        node.call(&APP, Call::Interface(EPOCH_AUTH_0_6_5), &word(0));
        node.call(&APP, Call::ComposeAllowed([1; 32]), &word(1));
        node.call(&APP, Call::AnyDevice, &word(0));
        node.call(&APP, Call::DeviceAllowed([3; 32]), &word(1));
        node.call(&APP, Call::DeviceAllowed([0x33; 32]), &word(0));
        node.call(&APP, Call::TcbDemanded, &word(1));
        node.call(&KMS, Call::OsImageAllowed([6; 32]), &word(1));
        node.call(&KMS, Call::KmsAllowed([8; 32]), &word(1));
        let info = [
            word(0x80),
            word(0xa0),
            word(0xc0),
            word(0xe0),
            word(0),
            word(0),
            word(0),
            word(0),
        ]
        .concat();
        node.call(&KMS, Call::KmsInfo, &info);
        let yes = [word(1), word(0x40), word(0)].concat();
        for device_id in [[3; 32], [0x33; 32]] {
            let boot = AppBootInfo { device_id, ..boot() };
            node.call(&KMS, Call::Boot(Box::new(boot)), &yes);
        }
        node
    }

    fn set(&mut self, request: Request, outcome: RpcOutcome) {
        self.answers.insert(key(&request), outcome);
    }

    fn call(&mut self, to: &Address, call: Call, answer: &[u8]) {
        self.set(rpc::Request::call(to, &call, BLOCK), hex_of(answer));
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn answer(&self, request: &Request) -> RpcOutcome {
        self.answers
            .get(&key(request))
            .cloned()
            .unwrap_or_else(|| match request.method {
                "eth_call" => reverted(),
                "eth_getStorageAt" => hex_of(&word(0)),
                "eth_getBlockByNumber" => RpcOutcome::Result(Value::Null),
                _ => hex_of(b""),
            })
    }
}

fn empty() -> RecordedChain {
    RecordedChain {
        contracts: contracts(),
        hosts: ["one.example:443".to_owned(), "two.example:443".to_owned()],
        exchanges: Vec::new(),
    }
}

/// Asks until nothing is open, and what was recorded.
fn ask(nodes: [&Node; 2]) -> (Result<Governance, ChainProblem>, RecordedChain) {
    let mut record = empty();
    for _ in 0..MAX_ROUNDS {
        let (found, open) = read(&contracts(), &subject(), &record);
        if open.is_empty() {
            return (found, record);
        }
        record
            .exchanges
            .extend(open.iter().map(|request| RecordedExchange {
                method: request.method.to_owned(),
                params: request.params.clone(),
                answers: nodes.map(|node| node.answer(request)),
            }));
    }
    panic!("the questions do not end: {:#?}", record.exchanges);
}

fn alike(node: &Node) -> Governance {
    ask([node, node]).0.unwrap()
}

#[test]
fn every_selector_is_keccak_of_its_function() {
    let calls = [
        Call::ComposeAllowed([0; 32]),
        Call::DeviceAllowed([0; 32]),
        Call::AnyDevice,
        Call::TcbDemanded,
        Call::Owner,
        Call::PendingOwner,
        Call::Version,
        Call::Interface(APP_AUTH),
        Call::OsImageAllowed([0; 32]),
        Call::KmsAllowed([0; 32]),
        Call::KmsInfo,
        Call::Boot(Box::new(boot())),
        Call::SafeThreshold,
        Call::SafeOwners,
        Call::SafeModules,
        Call::TimelockDelay,
    ];
    for call in calls {
        let hash = Keccak256::digest(call.function().as_bytes());
        assert_eq!(call.selector(), hash[..4], "{}", call.function());
    }
    // ERC-1967: one less than the hash, which does not end in 00.
    let mut slot = Keccak256::digest(b"eip1967.proxy.implementation").to_vec();
    slot[31] -= 1;
    assert_eq!(IMPLEMENTATION_SLOT, format!("0x{}", hex::encode(slot)));
}

#[test]
fn a_call_is_named_by_its_selector() {
    for call in [
        Call::ComposeAllowed([1; 32]),
        Call::DeviceAllowed([1; 32]),
        Call::AnyDevice,
        Call::TcbDemanded,
        Call::Owner,
        Call::PendingOwner,
        Call::Version,
        Call::Interface(APP_AUTH),
        Call::OsImageAllowed([1; 32]),
        Call::KmsAllowed([1; 32]),
        Call::KmsInfo,
        Call::SafeThreshold,
        Call::SafeOwners,
        Call::SafeModules,
        Call::TimelockDelay,
    ] {
        let data = format!("0x{}", hex::encode(call.data().as_bytes()));
        assert_eq!(function_of(&data), Some(call.function()));
    }
    let boot = format!(
        "0x{}",
        hex::encode(Call::Boot(Box::new(boot())).data().as_bytes())
    );
    assert_eq!(function_of(&boot), Some("isAppAllowed(…)"));
    for other in ["", "0x", "0x8da5cb5", "8da5cb5b", "0xffffffff"] {
        assert_eq!(function_of(other), None, "{other}");
    }
}

fn vectors() -> Option<Vec<Value>> {
    let text = simulator::recorded::text("onchain-abi/calls.json")?;
    Some(serde_json::from_str(&text).unwrap())
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text.trim_start_matches("0x"))
        .unwrap()
        .try_into()
        .unwrap()
}

/// The calls that this program makes, as another library encodes them.
#[test]
fn calls_are_encoded_as_another_library_encodes_them() {
    let Some(vectors) = vectors() else { return };
    let mut compared = 0;
    for vector in &vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let data = text("data");
        let argument = || bytes::<32>(&data[10..74]);
        let result = hex::decode(text("result_example").trim_start_matches("0x")).unwrap();
        let expected = &vector["decoded_example"];
        let call = match text("function") {
            "allowedComposeHashes(bytes32)" => Call::ComposeAllowed(argument()),
            "allowedDeviceIds(bytes32)" => Call::DeviceAllowed(argument()),
            "allowedOsImages(bytes32)" => Call::OsImageAllowed(argument()),
            "kmsAllowedAggregatedMrs(bytes32)" => Call::KmsAllowed(argument()),
            "supportsInterface(bytes4)" => Call::Interface(bytes(&data[10..18])),
            "allowAnyDevice()" => Call::AnyDevice,
            "requireTcbUpToDate()" => Call::TcbDemanded,
            "owner()" => Call::Owner,
            "version()" => Call::Version,
            "kmsInfo()" => Call::KmsInfo,
            function if function.starts_with("isAppAllowed") => Call::Boot(Box::new(decoded_boot(data))),
            _ => continue,
        };
        compared += 1;
        assert_eq!(
            format!("0x{}", hex::encode(call.data().as_bytes())),
            data,
            "{}",
            text("name")
        );
        match call {
            Call::Owner => {
                let owner = address_text(&decode_address(&result).unwrap());
                assert_eq!(owner, expected[0].as_str().unwrap().to_lowercase());
            }
            Call::KmsInfo => {
                let info = KmsInfo::decode(&result).unwrap();
                assert_eq!(info.k256_public_key.len(), 33);
                assert!(hex::encode(&info.k256_public_key).starts_with("02a335ae"));
                assert_eq!(info.ca_public_key.len(), 91);
                assert!(hex::encode(&info.ca_public_key).ends_with("29b7425f"));
                assert!(!info.quote.is_empty() && info.event_log.starts_with(b"["));
            }
            Call::Boot(_) => {
                let (allowed, words) = decode_boot_answer(&result).unwrap();
                assert_eq!(
                    (json!(allowed), json!(words)),
                    (expected[0].clone(), expected[1].clone())
                );
            }
            Call::Version => assert_eq!(decode_u64(&result).unwrap(), NEWEST_VERSION),
            _ => assert_eq!(
                json!(decode_bool(&result).unwrap()),
                expected[0],
                "{}",
                text("name")
            ),
        }
    }
    assert!(compared >= 11, "{compared}");
}

/// The argument of `isAppAllowed`, read back by offsets.
fn decoded_boot(data: &str) -> AppBootInfo {
    let bytes = hex::decode(&data[10..]).unwrap();
    let tuple = &bytes[32..];
    let word = |at: usize| <[u8; 32]>::try_from(&tuple[at..at + 32]).unwrap();
    let number = |at: usize| usize::from_be_bytes(word(at)[24..].try_into().unwrap());
    let address = |at: usize| <Address>::try_from(&word(at)[12..]).unwrap();
    let text = |at: usize| String::from_utf8(tuple[at + 32..at + 32 + number(at)].to_vec()).unwrap();
    let list = number(256);
    AppBootInfo {
        app_id: address(0),
        compose_hash: word(32),
        instance_id: address(64),
        device_id: word(96),
        mr_aggregated: word(128),
        mr_system: word(160),
        os_image_hash: word(192),
        tcb_status: text(number(224)),
        advisory_ids: (0..number(list))
            .map(|index| text(list + 32 + number(list + 32 + 32 * index)))
            .collect(),
    }
}

#[test]
fn an_answer_with_bytes_behind_it_is_refused() {
    type Row = (&'static str, Vec<Vec<u8>>, fn(&[u8]) -> Option<AbiError>);
    let answers: [Row; 4] = [
        (
            "a list",
            vec![word(0x20), word(1), address_word(&OWNER)],
            |answer| decode_addresses(answer).err(),
        ),
        ("a page", vec![word(0x40), word(1), word(0)], |answer| {
            decode_page_is_filled(answer).err()
        }),
        (
            "KMS information",
            [&[0x80, 0xa0, 0xc0, 0xe0].map(word)[..], &[0; 4].map(word)].concat(),
            |answer| KmsInfo::decode(answer).err(),
        ),
        ("a boot answer", vec![word(1), word(0x40), word(0)], |answer| {
            decode_boot_answer(answer).err()
        }),
    ];
    for (name, words, error_of) in answers {
        assert_eq!(error_of(&words.concat()), None, "{name}");
        let longer = [words.concat(), word(0)].concat();
        assert!(
            matches!(error_of(&longer), Some(AbiError::Length(size, _)) if size == longer.len()),
            "{name}: {:?}",
            error_of(&longer)
        );
    }
}

#[test]
fn the_evidence_of_a_kms_is_read_as_that_of_its_bootstrap() {
    let info = KmsInfo {
        k256_public_key: vec![2; 33],
        ca_public_key: vec![3; 91],
        quote: vec![4; 8],
        event_log: b"[]".to_vec(),
    };
    let document: Value = serde_json::from_str(&info.bootstrap().unwrap()).unwrap();
    let expected = json!({
        "ca_pubkey": "03".repeat(91), "k256_pubkey": "02".repeat(33), "quote": "04".repeat(8),
        "eventlog": hex::encode("[]"),
    });
    assert_eq!(document, expected);
    let without = KmsInfo {
        quote: Vec::new(),
        ..info
    };
    assert_eq!(without.bootstrap(), None);
}

#[test]
fn two_nodes_that_agree_say_who_governs_the_app() {
    let found = alike(&Node::honest());
    assert_eq!((found.block().number, found.block().timestamp), (BLOCK, 0x64));
    let app = found.app().unwrap().unwrap();
    assert_eq!(app.compose_allowed, Ok(true));
    assert_eq!(app.any_device, Ok(false));
    assert_eq!(app.device_allowed, Ok(true));
    assert_eq!(app.requires_tcb, Ok(true));
    assert_eq!(app.has_epochs, Ok(false));
    assert_eq!(app.upgrades_disabled, Ok(Some(true)));
    let owner = app.contract.owner.as_ref().unwrap();
    assert_eq!((owner.address, &owner.kind), (OWNER, &Ok(OwnerKind::Key)));
    assert_eq!(app.contract.pending_owner, Ok(None));
    let implementation = app.contract.implementation.clone().unwrap().unwrap();
    assert_eq!(implementation.address, IMPLEMENTATION);
    assert_eq!(implementation.code, crate::verify::digest::sha256(b"code"));
    let kms = found.kms().unwrap().unwrap().unwrap();
    assert_eq!(kms.os_image_allowed, Some(Ok(true)));
    assert_eq!(kms.kms_allowed, Some(Ok(true)));
    assert_eq!(kms.info.as_ref().unwrap().ca_public_key, Vec::<u8>::new());
    assert_eq!(kms.info.as_ref().unwrap().bootstrap(), None);
    assert_eq!(kms.boot_allowed, Some(Ok((true, String::new()))));
}

#[test]
fn a_build_is_allowed_that_both_nodes_name_for_a_contract_without_epochs() {
    const BUILD: [u8; 32] = [9; 32];
    const REFUSED: [u8; 32] = [10; 32];
    let read_with = |node: &Node| {
        let subject = subject().with_live_builds(vec![BUILD, REFUSED]);
        let mut record = empty();
        for _ in 0..MAX_ROUNDS {
            let (found, open) = read(&contracts(), &subject, &record);
            if open.is_empty() {
                return found.unwrap();
            }
            record
                .exchanges
                .extend(open.iter().map(|request| RecordedExchange {
                    method: request.method.to_owned(),
                    params: request.params.clone(),
                    answers: [node, node].map(|node| node.answer(request)),
                }));
        }
        panic!("the questions do not end: {:#?}", record.exchanges);
    };
    let allowing = |node: &mut Node| {
        node.call(&KMS, Call::KmsAllowed(BUILD), &word(1));
        node.call(&KMS, Call::KmsAllowed(REFUSED), &word(0));
    };
    let allowed = |node: &Node| {
        let found = read_with(node);
        let kms = found.kms().unwrap().unwrap().unwrap();
        [BUILD, REFUSED, [11; 32]].map(|build| kms.allows_build(&build))
    };
    assert_eq!(allowed(&Node::honest().with(allowing)), [true, false, false]);
    assert_eq!(allowed(&Node::honest()), [false; 3]);
    for interface in [EPOCH_AUTH_0_6_4, EPOCH_AUTH_0_6_5] {
        let with_epochs = Node::honest()
            .with(allowing)
            .with(|node| node.call(&KMS, Call::Interface(interface), &word(1)));
        assert_eq!(allowed(&with_epochs), [false; 3]);
    }
}

#[test]
fn the_older_of_two_finalized_blocks_is_read() {
    let ahead = Node::honest().with(|node| node.set(rpc::Request::finalized(), block(BLOCK + 5, 0xcc)));
    for nodes in [[&Node::honest(), &ahead], [&ahead, &Node::honest()]] {
        assert_eq!(ask(nodes).0.unwrap().block().number, BLOCK);
    }
}

#[test]
fn code_that_runs_other_code_is_seen() {
    // An EIP-1167 clone, `PUSH1 f4`, a truncated `PUSH32`, and `PUSH1 00 DELEGATECALL`.
    let clone = "363d3d373d3d3d363d73bebebebebebebebebebebebebebebebebebebebe5af43d82803e903d91602b57fd5bf3";
    for (code, expected) in [
        (clone, true),
        ("60f4", false),
        ("7ff4", false),
        ("6000f4", true),
        ("", false),
        ("f2", true),
        ("ef0100bebebebebebebebebebebebebebebebebebebebe", true),
    ] {
        assert_eq!(
            at_block::delegates(&hex::decode(code).unwrap()),
            expected,
            "{code}"
        );
    }
}

#[test]
fn a_node_that_is_far_behind_does_not_choose_the_time_that_is_judged() {
    const MAX_APART: u64 = 15 * 60;
    let finalized = |seconds: u64| {
        let RpcOutcome::Result(mut block) = block(BLOCK + 5, 0xcc) else {
            unreachable!()
        };
        let made =
            u64::from_str_radix(block["timestamp"].as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
        block["timestamp"] = json!(format!("0x{:x}", made + seconds));
        Node::honest().with(|node| node.set(rpc::Request::finalized(), RpcOutcome::Result(block)))
    };
    let near = finalized(MAX_APART);
    assert_eq!(ask([&Node::honest(), &near]).0.unwrap().block().number, BLOCK);
    let far = finalized(MAX_APART + 1);
    let problem = |nodes| ask(nodes).0.unwrap_err().to_string();
    let honest = Node::honest();
    assert!(problem([&honest, &far]).starts_with("the newest final block of one.example:443 is 901 s older"));
    assert!(problem([&far, &honest]).starts_with("the newest final block of two.example:443 is 901 s older"));
    // A node that claims a younger time for its old block than the block has.
    let RpcOutcome::Result(mut claimed) = block(BLOCK, 0xbb) else {
        unreachable!()
    };
    claimed["timestamp"] = json!(format!("0x{:x}", 0x64 + MAX_APART + 1));
    let liar = Node::honest().with(|node| node.set(rpc::Request::finalized(), RpcOutcome::Result(claimed)));
    assert!(problem([&liar, &far]).starts_with("the newest final block of one.example:443 is 901 s older"));
}

#[test]
fn a_chain_that_cannot_be_read_says_why() {
    let problem = |change: fn(&mut Node)| {
        ask([&Node::honest(), &Node::honest().with(change)])
            .0
            .unwrap_err()
    };
    let other = problem(|node| node.set(rpc::Request::chain_id(), RpcOutcome::Result(json!("0x1"))));
    assert!(
        matches!(&other, ChainProblem::OtherChain { host, found: 1, expected: 8453 } if host == "two.example:443")
    );
    let none = problem(|node| node.set(rpc::Request::finalized(), RpcOutcome::Result(Value::Null)));
    assert!(matches!(none, ChainProblem::NoFinalizedBlock { .. }), "{none}");
    let fork = problem(|node| node.set(rpc::Request::block(BLOCK), block(BLOCK, 0xcc)));
    assert!(
        matches!(fork, ChainProblem::Unanswered(Unanswered::Disagree { .. })),
        "{fork}"
    );
    let lacking = problem(|node| node.set(rpc::Request::block(BLOCK), RpcOutcome::Result(Value::Null)));
    assert!(
        lacking
            .to_string()
            .contains("two.example:443 does not have block 16"),
        "{lacking}"
    );
    let form = problem(|node| node.set(rpc::Request::chain_id(), RpcOutcome::Result(json!("0x02105"))));
    assert!(matches!(form, ChainProblem::Form { .. }), "{form}");
    let failing = problem(|node| {
        let words = "two.example:443: no answer in time";
        node.set(rpc::Request::chain_id(), RpcOutcome::Problem(words.to_owned()));
    });
    assert!(
        matches!(failing, ChainProblem::Unanswered(Unanswered::Rpc(_))),
        "{failing}"
    );
    let another = Node::honest().with(|node| {
        node.set(rpc::Request::block(BLOCK), block(BLOCK - 1, 0xbb));
    });
    let another = ask([&another, &another]).0.unwrap_err();
    assert!(matches!(another, ChainProblem::Form { .. }), "{another}");
}

#[test]
fn what_one_node_alone_says_is_no_answer() {
    let of = |answer: RpcOutcome| {
        let liar = Node::honest().with(|node| {
            node.set(
                rpc::Request::call(&APP, &Call::ComposeAllowed([1; 32]), BLOCK),
                answer,
            );
        });
        let first = ask([&Node::honest(), &liar]).0.unwrap();
        let second = ask([&liar, &Node::honest()]).0.unwrap();
        let compose = |found: &Governance| found.app().unwrap().unwrap().compose_allowed.clone().unwrap_err();
        assert_eq!(
            std::mem::discriminant(&compose(&first)),
            std::mem::discriminant(&compose(&second))
        );
        compose(&first)
    };
    assert!(matches!(of(hex_of(&word(0))), Unanswered::Disagree { .. }));
    assert!(matches!(of(reverted()), Unanswered::Disagree { .. }));
    assert!(matches!(of(hex_of(b"")), Unanswered::Disagree { .. }));
    assert!(matches!(
        of(RpcOutcome::Problem("gone".to_owned())),
        Unanswered::Rpc(_)
    ));
    assert!(matches!(of(RpcOutcome::Result(json!("0x1"))), Unanswered::Rpc(_)));
}

#[test]
fn what_both_say_in_another_form_is_no_boolean() {
    let of = |answer: RpcOutcome| {
        let node = Node::honest().with(|node| {
            node.set(
                rpc::Request::call(&APP, &Call::ComposeAllowed([1; 32]), BLOCK),
                answer,
            );
        });
        alike(&node).app().unwrap().unwrap().compose_allowed.clone()
    };
    assert_eq!(of(hex_of(&word(0))), Ok(false));
    assert_eq!(of(reverted()), Err(Unanswered::Reverted));
    assert_eq!(of(hex_of(b"")), Err(Unanswered::Reverted));
    assert!(matches!(
        of(hex_of(&word(2))),
        Err(Unanswered::Abi(AbiError::NotCanonical(_)))
    ));
    assert!(matches!(
        of(hex_of(&[word(1), word(0)].concat())),
        Err(Unanswered::Abi(AbiError::Length(64, _)))
    ));
}

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

#[test]
fn a_recording_is_read_back_to_the_same_and_a_gap_in_it_is_named() {
    let (found, record) = ask([&Node::honest(), &Node::honest()]);
    let text = serde_json::to_string(&record).unwrap();
    let read_back: RecordedChain = serde_json::from_str(&text).unwrap();
    assert_eq!(read_back, record);
    assert_eq!(read(&contracts(), &subject(), &read_back), (found, Vec::new()));
    let other = GovernanceSubject {
        boot: AppBootInfo {
            compose_hash: [9; 32],
            ..boot()
        },
        ..subject()
    };
    let (found, open) = read(&contracts(), &other, &record);
    let compose = found.unwrap().app().unwrap().unwrap().compose_allowed.clone();
    assert_eq!(compose, Err(Unanswered::NotRecorded));
    assert!(!open.is_empty());
}

proptest! {
    #[test]
    fn a_boot_is_encoded_so_that_it_reads_back(
        status in ".{0,70}",
        advisories in proptest::collection::vec(".{0,40}", 0..5),
        device in any::<[u8; 32]>(),
    ) {
        let boot = AppBootInfo { tcb_status: status, advisory_ids: advisories, device_id: device, ..boot() };
        let data = Call::Boot(Box::new(boot.clone())).data();
        prop_assert_eq!(decoded_boot(&format!("0x{}", hex::encode(data.as_bytes()))), boot);
    }

    #[test]
    fn any_answer_is_decoded_or_refused(answer in proptest::collection::vec(any::<u8>(), 0..320), words in 0usize..10) {
        let whole: Vec<u8> = answer.iter().copied().cycle().take(if answer.is_empty() { 0 } else { words * 32 }).collect();
        for answer in [&answer, &whole] {
            drop((decode_bool(answer), decode_u64(answer), decode_address(answer), decode_addresses(answer)));
            drop((KmsInfo::decode(answer), decode_boot_answer(answer)));
        }
    }

    /// A node that lies in one answer never makes a yes of it.
    #[test]
    fn one_node_alone_never_allows_a_compose_document(lie in proptest::collection::vec(any::<u8>(), 0..40)) {
        let no = Node::honest().with(|node| node.call(&APP, Call::ComposeAllowed([1; 32]), &word(0)));
        let liar = Node::honest().with(|node| node.call(&APP, Call::ComposeAllowed([1; 32]), &lie));
        let found = ask([&no, &liar]).0.unwrap();
        prop_assert_ne!(&found.app().unwrap().unwrap().compose_allowed, &Ok(true));
    }
}
