//! Contracts on a blockchain, asked through two nodes: T46 of the threat list.

mod generations;
mod nodes;
mod os_image;
mod owners;

use cvm_verify_core::report::CheckId::Governance;
use cvm_verify_core::report::Status::*;
use sha2::{Digest as _, Sha256};
use simulator::{Behaviour, CONTRACT_OWNER, Chain, ChainServer, Cvm, KMS_CONTRACT, World, number, word_of};

use crate::deployment::Deployment;
use crate::run::{Ran, run, run_in};

const OS_IMAGE: [u8; 32] = [0xab; 32];

/// A deployment, two nodes, and a policy file and reference values that name all of it.
struct Trial {
    deployment: Deployment,
    nodes: [ChainServer; 2],
    /// Lines of the target in the policy file.
    policy: Vec<String>,
}

fn chain() -> Chain {
    let cvm = Cvm::healthy(&World::default());
    let device = Sha256::digest(cvm.world.platform.ppid).into();
    Chain::allowing(&cvm, app_id(), device, OS_IMAGE)
}

fn app_id() -> [u8; 20] {
    Cvm::healthy(&World::default()).app_id_bytes().try_into().unwrap()
}

fn owner() -> String {
    format!("0x{}", hex::encode(CONTRACT_OWNER))
}

impl Trial {
    fn new() -> Self {
        Self::of(Deployment::healthy())
    }

    /// Of a deployment whose contracts allow what is healthy.
    fn of(deployment: Deployment) -> Self {
        let reference = Cvm::healthy(&World::default()).reference_values(OS_IMAGE);
        std::fs::write(deployment.folder.path().join("reference.toml"), reference).unwrap();
        let policy = vec![
            format!("app-id = \"{}\"", hex::encode(app_id())),
            "governance-chain-id = 8453".to_owned(),
            format!("governance-app-owner = [\"{}\"]", owner()),
            format!("governance-kms-contract = \"{}\"", hex::encode(KMS_CONTRACT)),
            format!("governance-kms-owner = [\"{}\"]", owner()),
            "reference-values = \"reference.toml\"".to_owned(),
        ];
        Self {
            nodes: [ChainServer::http(chain()), ChainServer::http(chain())],
            deployment,
            policy,
        }
    }

    /// Both nodes know this of the chain.
    fn both(self, change: impl Fn(&mut Chain)) -> Self {
        self.nodes.iter().for_each(|node| node.change(&change));
        self
    }

    fn urls(&self) -> [String; 2] {
        [0, 1].map(|index| format!("--rpc-url={}", self.nodes[index].url()))
    }

    fn config(&self) -> String {
        let url = self.deployment.app.url();
        let text = format!(
            "[[target]]\nname = \"a\"\nurl = \"{url}\"\n{}\n",
            self.policy.join("\n")
        );
        let path = self.deployment.path("cvm-verify.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    fn args(&self, more: &[String]) -> Vec<String> {
        let mut args =
            self.deployment
                .strict_args(&["verify", &format!("--config={}", self.config()), "--format=json"]);
        args.extend(more.iter().cloned());
        args
    }

    fn verify(&self) -> Ran {
        run(&self.args(&self.urls()))
    }

    #[track_caller]
    fn fails(&self, reason: &str) -> Ran {
        let ran = self.verify();
        ran.assert(Governance, Fail, Some(reason));
        assert_eq!(ran.code, 1);
        ran
    }

    #[track_caller]
    fn is_open(&self, reason: &str) -> Ran {
        let ran = self.verify();
        ran.assert(Governance, Error, Some(reason));
        assert_eq!(ran.code, 3, "{ran:#?}");
        ran
    }

    /// Pins the contracts and judges by the lock from now on.
    fn pinned(mut self) -> Self {
        let config = self.config();
        let lock = self.deployment.path("cvm.lock");
        let mut args = self.deployment.network_args(&[
            "pin",
            &format!("--config={config}"),
            &format!("--output={lock}"),
            "--accept-observed",
        ]);
        args.extend(self.urls());
        let ran = run(&args);
        assert_eq!(ran.code, 0, "{ran:#?}");
        self.policy.push(format!("lock = \"{lock}\""));
        self
    }
}

fn old_device(cvm: &Cvm) -> String {
    let body: serde_json::Value = serde_json::from_str(&cvm.attestation_body(&"5a".repeat(32))).unwrap();
    let quote = hex::decode(body["quote"].as_str().unwrap().trim_start_matches("0x")).unwrap();
    hex::encode(Sha256::digest(&quote[28..48]))
}

#[test]
fn t46_contracts_that_allow_the_app_and_are_pinned_pass_and_say_who_can_change_that() {
    let trial = Trial::new().pinned();
    let ran = trial.verify();
    ran.assert(Governance, Pass, None);
    assert_eq!(ran.code, 0, "{ran:#?}");
    let detail = ran.check(Governance).detail;
    for words in [
        "Allowed on chain at block 16777216 of chain 8453",
        &owner(),
        "a Safe, 2 of 3",
        "can change that",
    ] {
        assert!(detail.contains(words), "{detail}");
    }
    let lock = std::fs::read_to_string(trial.deployment.path("cvm.lock")).unwrap();
    for line in [
        "[governance]",
        "chain_id = 8453",
        "app_owner = \"0x0707",
        "kms_contract = \"0x2f2f",
        "app_implementation = \"0x1a1a",
    ] {
        assert!(lock.contains(line), "{lock}");
    }
}

#[test]
fn t46_without_nodes_and_names_nothing_is_asked_and_nothing_passes() {
    let deployment = Deployment::healthy();
    deployment
        .verify(&[])
        .assert(Governance, Skip, Some("not-configured"));
    let mut trial = Trial::new();
    trial
        .policy
        .retain(|line| !line.starts_with("governance-chain-id"));
    // Whatever is expected of a contract is not met by a contract that nobody asked.
    let all = std::mem::take(&mut trial.policy);
    for demand in [
        "governance = \"required\"",
        "governance-min-signers = 5",
        "governance-min-delay = 86400",
        "governance-upgrades = \"disabled\"",
        all.iter()
            .find(|line| line.starts_with("governance-app-owner"))
            .unwrap(),
        all.iter()
            .find(|line| line.starts_with("governance-kms-owner"))
            .unwrap(),
        all.iter()
            .find(|line| line.starts_with("governance-kms-contract"))
            .unwrap(),
    ] {
        trial.policy = vec![demand.to_owned()];
        trial.is_open("unpinned");
    }
    trial.policy.clear();
    trial.verify().assert(Governance, Skip, Some("unpinned"));
    assert!(trial.nodes.iter().all(|node| node.requests().is_empty()));
    let trial = Trial::new();
    let ran = run(&trial.args(&[]));
    ran.assert(Governance, Error, Some("not-asked"));
    let mut trial = Trial::new();
    trial.policy.push("governance = \"unchecked\"".to_owned());
    let ran = trial.verify();
    ran.assert(Governance, Skip, Some("unchecked"));
    assert!(trial.nodes.iter().all(|node| node.requests().is_empty()));
}

#[test]
fn t46_what_was_allowed_just_now_convicts_nobody() {
    let ran = Trial::new()
        .both(simulator::Chain::is_not_final_yet)
        .is_open("not-final");
    let detail = ran.check(Governance).detail;
    assert!(detail.contains("newest block of both nodes"), "{detail}");
    // A contract that was deployed just now.
    for contract in [app_id(), KMS_CONTRACT] {
        Trial::new()
            .both(|chain| {
                let code = chain.code.remove(&contract).unwrap();
                chain.head_code.insert(contract, code);
            })
            .is_open("not-final");
    }
    // One node alone does not turn a no into a delay.
    let cvm = Cvm::healthy(&World::default());
    let trial = Trial::new().both(|chain| chain.allow_compose(cvm.compose_hash(), false));
    trial.nodes[0].change(|chain| {
        let honest = simulator::Chain::allowing(&cvm, app_id(), [0; 32], OS_IMAGE);
        chain.head_calls = honest.calls;
    });
    trial.is_open("rpc-disagree");
}

#[test]
fn t46_what_a_contract_says_of_itself_counts_if_you_named_it() {
    // Ten lines of code answer as a Safe of five does.
    for demand in ["governance-min-signers = 2", "governance-min-delay = 1"] {
        let mut trial = Trial::new();
        trial
            .policy
            .retain(|line| !line.starts_with("governance-app-owner"));
        trial.policy.push(demand.to_owned());
        trial.is_open("owner-not-pinned");
    }
    // A key whose address runs the code of another one (EIP-7702): the 23 bytes that are pinned say nothing of that code.
    let delegated = |chain: &mut simulator::Chain| {
        let code = [&[0xef, 0x01, 0x00][..], &[0xbe; 20]].concat();
        chain.code.insert(app_id(), code);
        chain
            .storage
            .retain(|(address, slot), _| *address != app_id() || slot == "1");
        chain.set_flags(true, false);
    };
    let mut trial = Trial::new().both(delegated).pinned();
    trial.policy.push("governance-upgrades = \"disabled\"".to_owned());
    trial.is_open("implementation-not-pinned");
    let mut trial = Trial::new().both(delegated).pinned();
    trial.nodes.iter().for_each(|node| {
        node.change(|chain| chain.answer(app_id(), "8da5cb5b", [0; 32]));
    });
    trial
        .policy
        .retain(|line| !line.starts_with("governance-app-owner") && !line.starts_with("lock"));
    trial.policy.push("governance-min-signers = 2".to_owned());
    trial.is_open("owner-not-pinned");
    // A timelock, and a contract of another kind: who signs is not known, and nobody is accused.
    let as_timelock = |chain: &mut simulator::Chain| {
        chain.calls.retain(|(address, _), _| *address != CONTRACT_OWNER);
        chain.answer(CONTRACT_OWNER, "f27a0c92", number(200));
    };
    let mut trial = Trial::new().both(as_timelock);
    trial.policy.push("governance-min-signers = 2".to_owned());
    trial.is_open("owner-signers");
    let mut trial = Trial::new().both(as_timelock).pinned();
    trial.policy.push("governance-min-delay = 200".to_owned());
    trial.verify().assert(Governance, Pass, None);
    let mut trial =
        Trial::new().both(|chain| chain.calls.retain(|(address, _), _| *address != CONTRACT_OWNER));
    trial.policy.push("governance-min-delay = 200".to_owned());
    trial.is_open("owner-delay");
}

#[test]
fn t46_what_is_required_is_not_met_by_a_warning() {
    let required = |change: &dyn Fn(&mut Chain)| {
        let mut trial = Trial::new().pinned().both(change);
        trial.policy.push("governance = \"required\"".to_owned());
        trial
    };
    let epochs = format!("01ffc9a7c396c1b0{}", "00".repeat(28));
    required(&|_| {}).verify().assert(Governance, Pass, None);
    required(&|chain| chain.answer(app_id(), &epochs, number(1))).is_open("unsupported");
    required(&|chain| chain.answer(KMS_CONTRACT, &epochs, number(1))).is_open("unsupported");
    required(&|chain| chain.name_kms(&[])).is_open("kms-not-linked");
    let ran =
        required(&|chain| chain.boot_refusal = Some("App not registered".to_owned())).is_open("boot-check");
    assert!(
        ran.check(Governance)
            .detail
            .starts_with("The KMS's contract would refuse this boot"),
        "{ran:?}"
    );
}

#[test]
fn t46_what_is_not_named_or_not_said_is_a_warning_with_its_own_reason() {
    let without = |key: &str| {
        let mut trial = Trial::new();
        trial.policy.retain(|line| !line.starts_with(key));
        trial
    };
    without("governance-app-owner")
        .verify()
        .assert(Governance, Warn, Some("owner-not-pinned"));
    without("governance-kms-")
        .pinned()
        .verify()
        .assert(Governance, Warn, Some("kms-not-named"));
    // An expected owner is never left out in silence, whether the policy names it or a lock.
    without("governance-kms-contract").is_open("kms-not-named");
    let mut trial = Trial::new().pinned();
    trial.policy.retain(|line| !line.starts_with("governance-kms-"));
    let lock = trial.deployment.path("cvm.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    let rest = text.lines().filter(|line| !line.starts_with("kms_contract"));
    std::fs::write(&lock, rest.collect::<Vec<_>>().join("\n")).unwrap();
    trial.is_open("kms-not-named");
    without("reference-values")
        .pinned()
        .verify()
        .assert(Governance, Warn, Some("os-not-asked"));
    Trial::new()
        .pinned()
        .both(|chain| chain.name_kms(&[]))
        .verify()
        .assert(Governance, Warn, Some("kms-not-linked"));
    let trial = Trial::new()
        .pinned()
        .both(|chain| chain.boot_refusal = Some("Device not allowed\u{1b}[2J".to_owned()));
    let ran = trial.verify();
    ran.assert(Governance, Warn, Some("boot-check"));
    let detail = ran.check(Governance).detail;
    assert!(
        detail.contains("Device not allowed") && !detail.contains('\u{1b}'),
        "{detail}"
    );
}

#[test]
fn t46_a_kms_that_its_contract_does_not_allow_or_that_has_another_contract_convicts() {
    let log = Cvm::healthy(&World::default()).measured_log();
    let event = log.iter().find(|event| event.event == "mr-kms").unwrap();
    let call = format!("f6fe4f40{}", hex::encode(&event.payload));
    Trial::new()
        .both(|chain| chain.answer(KMS_CONTRACT, &call, number(0)))
        .fails("kms-not-allowed");
    let trial = Trial::new();
    let path = trial.deployment.folder.path().join("reference.toml");
    let id = simulator::cvm::simulated_kms_id(World::default().seed);
    let row = format!(
        "[[kms]]\nname = \"ours\"\nid = \"{id}\"\nwhat = \"our KMS\"\ngovernance = \"8453:0x{}\"\nsource = \"the simulator\"\ndate \
         = \"2026-10-01\"\n",
        "66".repeat(20)
    );
    let text = std::fs::read_to_string(&path).unwrap() + &row;
    std::fs::write(&path, text).unwrap();
    trial.fails("kms-contract-differs");
}

#[test]
fn t46_a_contract_of_another_app_says_nothing_of_this_one() {
    let mut trial = Trial::new();
    trial.policy.retain(|line| !line.starts_with("app-id"));
    trial.policy.push(format!("app-id = \"{}\"", "66".repeat(20)));
    trial.fails("another-app");
}

#[test]
fn t46_a_bundle_replays_to_the_same_and_holds_no_key() {
    const KEY: &str = "hunter2hunter2";
    let trial = Trial::new().pinned();
    let bundle = trial.deployment.path("bundle.json");
    let urls = trial.nodes.iter().map(|node| format!("{}/v2/{KEY}", node.url()));
    let urls = urls.collect::<Vec<_>>().join("\n");
    let out = trial.deployment.path("out");
    let args = trial.args(&[format!("--evidence={bundle}"), format!("--output-dir={out}")]);
    let ran = run_in(&args, &[("CVM_VERIFY_RPC_URL", &urls)], |_| {});
    ran.assert(Governance, Pass, None);
    let is_sent = trial.nodes[0]
        .requests()
        .iter()
        .any(|request| request.path().contains(KEY));
    assert!(is_sent, "it is sent");
    let text = std::fs::read_to_string(&bundle).unwrap();
    let recorded: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(recorded["chain"]["contracts"]["chain_id"], 8453);
    for folder in [trial.deployment.folder.path().to_owned(), out.into()] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                assert!(!text.contains(KEY), "{}", path.display());
            }
        }
    }
    assert!(!ran.stdout.contains(KEY) && !ran.stderr.contains(KEY));
    let before = trial.nodes[0].requests().len();
    let replayed = replay(&trial, &bundle);
    assert_eq!(ran.found(), replayed.found());
    assert_eq!(trial.nodes[0].requests().len(), before, "a replay asks nobody");
    // A node that echoes its key, and one that redirects with it.
    for behaviour in [
        Behaviour::Body(format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{{\"code\":-32000,\"message\":\"no project {KEY}\"}}}}"
        )),
        Behaviour::Redirect(format!("https://elsewhere.example/v2/{KEY}")),
        Behaviour::Status(401),
    ] {
        trial.nodes[0].behave(behaviour);
        let ran = run_in(&args, &[("CVM_VERIFY_RPC_URL", &urls)], |_| {});
        ran.assert(Governance, Error, Some("rpc"));
        assert!(!ran.stdout.contains(KEY) && !ran.stderr.contains(KEY), "{ran:#?}");
        let replayed = replay(&trial, &bundle);
        assert_eq!(ran.check(Governance), replayed.check(Governance));
    }
    // A bundle without answers.
    let mut without = recorded.clone();
    without.as_object_mut().unwrap().remove("chain");
    std::fs::write(&bundle, without.to_string()).unwrap();
    replay(&trial, &bundle).assert(Governance, Error, Some("not-asked"));
    let mut shortened = recorded;
    shortened["chain"]["exchanges"]
        .as_array_mut()
        .unwrap()
        .truncate(6);
    std::fs::write(&bundle, shortened.to_string()).unwrap();
    replay(&trial, &bundle).assert(Governance, Error, Some("not-asked"));
}

fn replay(trial: &Trial, bundle: &str) -> Ran {
    run(&trial.deployment.replay_args(&[
        "replay",
        bundle,
        &format!("--config={}", trial.config()),
        "--target=a",
        "--format=json",
    ]))
}

#[test]
fn t46_an_app_of_an_operator_loses_nothing() {
    let kms = cvm_verify_core::reference::ReferenceValues::built_in()
        .kms_named("phala")
        .unwrap();
    let mut cvm = Cvm::healthy(&World::default());
    cvm.set_key_provider("kms", &kms.id);
    let deployment = Deployment::of(cvm);
    let [first, second] = [ChainServer::http(chain()), ChainServer::http(chain())];
    let urls = [
        format!("--rpc-url={}", first.url()),
        format!("--rpc-url={}", second.url()),
    ];
    let verify = |more: &[&str]| {
        let mut args = deployment.network_args(&["verify", &deployment.app.url(), "--format=json"]);
        let other = |option: &&String| !option.starts_with("--key-provider");
        args.extend(deployment.expect().iter().filter(other).cloned());
        args.push("--key-provider=phala".to_owned());
        args.extend(urls.clone());
        args.extend(more.iter().map(|option| (*option).to_owned()));
        run(&args)
    };
    verify(&[]).assert(Governance, Skip, Some("operator"));
    let ran = verify(&["--governance=required"]);
    ran.assert(Governance, Fail, Some("operator"));
    // Where app id and chain are named, the host must not choose a KMS in order that the contract is not asked.
    let config = deployment.path("cvm-verify.toml");
    let target = |lines: &str| {
        let text = format!(
            "[defaults]\ngovernance-chain-id = 8453\n[[target]]\nname = \"a\"\nurl = \"{}\"\napp-id = \"{}\"\n{lines}",
            deployment.app.url(),
            hex::encode(app_id()),
        );
        std::fs::write(&config, text).unwrap();
        let mut args = deployment.network_args(&["verify", &format!("--config={config}"), "--format=json"]);
        args.extend(urls.clone());
        args.push("--key-provider=phala".to_owned());
        run(&args)
    };
    let ran = target("");
    ran.assert(Governance, Error, Some("operator"));
    assert_eq!(ran.code, 3, "{ran:#?}");
    target(&format!("governance-app-owner = [\"{}\"]\n", owner())).assert(Governance, Fail, Some("operator"));
}
