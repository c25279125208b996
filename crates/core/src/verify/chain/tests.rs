//! Encodings against the vectors, and readings of two nodes that agree, disagree and fail.

mod contracts;
mod encodings;

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
