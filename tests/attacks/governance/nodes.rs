//! What the nodes of the chain answer: together, alone, or not at all.

use super::*;

#[test]
fn t46_two_nodes_that_say_no_convict() {
    let cvm = Cvm::healthy(&World::default());
    Trial::new()
        .both(|chain| chain.allow_compose(cvm.compose_hash(), false))
        .fails("compose-not-allowed");
    Trial::new()
        .both(|chain| chain.allow_os_image(OS_IMAGE, false))
        .fails("os-not-allowed");
    let device = hex::encode(Sha256::digest(cvm.world.platform.ppid));
    let app = app_id();
    let of_device = format!("bf8b211b{device}");
    Trial::new()
        .both(|chain| {
            // What a KMS before 0.5.6 calls the machine is asked about as well.
            chain.answer(app, &of_device, number(0));
            chain.answer(app, &format!("bf8b211b{}", old_device(&cvm)), number(0));
        })
        .fails("device-not-allowed");
    Trial::new()
        .both(|chain| {
            chain.answer(app, &of_device, number(0));
            chain.allow_any_device(true);
        })
        .verify()
        .assert(Governance, Warn, Some("implementation-not-pinned"));
    Trial::new()
        .both(|chain| drop(chain.code.remove(&app)))
        .fails("no-contract");
    Trial::new()
        .both(|chain| drop(chain.code.remove(&KMS_CONTRACT)))
        .fails("no-contract");
    Trial::new()
        .both(|chain| chain.name_kms(&[7; 91]))
        .fails("kms-info");
    Trial::new().both(|chain| chain.name_kms(&[])).verify().assert(
        Governance,
        Warn,
        Some("implementation-not-pinned"),
    );
}

#[test]
fn t46_one_node_alone_neither_convicts_nor_clears() {
    let cvm = Cvm::healthy(&World::default());
    for liar in [0, 1] {
        let trial = Trial::new();
        trial.nodes[liar].change(|chain| chain.allow_compose(cvm.compose_hash(), false));
        trial.is_open("rpc-disagree");
        let trial = Trial::new().both(|chain| chain.allow_compose(cvm.compose_hash(), false));
        trial.nodes[liar].change(|chain| chain.allow_compose(cvm.compose_hash(), true));
        trial.is_open("rpc-disagree");
        let trial = Trial::new();
        trial.nodes[liar].change(|chain| chain.fork = 0xb2);
        trial.is_open("rpc-disagree");
        let trial = Trial::new();
        trial.nodes[liar].change(|chain| chain.finalized += 7);
        trial
            .verify()
            .assert(Governance, Warn, Some("implementation-not-pinned"));
    }
}

#[test]
fn t46_a_node_that_fails_leaves_it_open() {
    for behaviour in [
        Behaviour::Status(503),
        Behaviour::Status(429),
        Behaviour::Status(404),
        Behaviour::Html,
        Behaviour::EmptyBody,
        Behaviour::Close,
        Behaviour::EndlessBody,
        Behaviour::TruncatedBody,
        Behaviour::Redirect("https://elsewhere.example/".to_owned()),
        Behaviour::Body("{\"jsonrpc\":\"2.0\",\"id\":1}".to_owned()),
    ] {
        let trial = Trial::new();
        trial.nodes[1].behave(behaviour);
        trial.is_open("rpc");
    }
    let trial = Trial::new();
    trial.nodes[0].edit(|_, answer| answer["id"] = 99.into());
    trial.is_open("rpc");
    let trial = Trial::new();
    trial.nodes[0].edit(|method, answer| {
        if method == "eth_getBlockByNumber" {
            answer["error"] = serde_json::json!({ "code": -32602, "message": "unknown block tag finalized" });
            answer.as_object_mut().unwrap().remove("result");
        }
    });
    let ran = trial.is_open("rpc");
    ran.assert_detail(Governance, "unknown block tag finalized");
}

#[test]
fn t46_another_chain_and_an_old_block_are_not_this_ones() {
    let trial = Trial::new();
    trial.nodes[1].change(|chain| chain.chain_id = 1);
    let ran = trial.is_open("chain");
    ran.assert_detail(Governance, "serves chain 1, not chain 8453");
    Trial::new()
        .both(|chain| chain.timestamp -= 2 * 3600)
        .is_open("chain");
    Trial::new()
        .both(|chain| chain.timestamp += 3600)
        .is_open("chain");
    let trial = Trial::new();
    // A node that chooses an old block for both.
    trial.nodes[0].change(|chain| {
        chain.finalized -= 1000;
        chain.timestamp -= 3 * 3600;
    });
    trial.nodes[1].change(|chain| chain.timestamp -= 3 * 3600);
    trial.is_open("chain");
}

#[test]
fn t46_two_nodes_are_needed() {
    let trial = Trial::new();
    let [first, _] = trial.urls();
    run(&trial.args(std::slice::from_ref(&first))).assert_usage_error("two, of different operators");
    run(&trial.args(&[first.clone(), first])).assert_usage_error("same operator");
}
