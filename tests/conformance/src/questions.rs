//! The questions that two nodes are asked about an app's contracts (`docs/governance.md`, "What is asked"), as they stand in a
//! bundle. The encodings are written by hand, apart from those of the program.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use simulator::{Cvm, event_log};

use crate::chain::Contracts;
use crate::values::OS_IMAGE_HASH;

/// Slot of the implementation's address in a proxy (ERC-1967).
const IMPLEMENTATION: &str = "0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";

/// A method and its parameters.
pub type Question = (&'static str, Value);

/// What opens the reading of a chain: its number and its newest final block.
pub fn of_chain() -> [Question; 2] {
    [
        ("eth_chainId", json!([])),
        ("eth_getBlockByNumber", json!(["finalized", false])),
    ]
}

/// The block of a number.
pub fn of_block(number: u64) -> Question {
    ("eth_getBlockByNumber", json!([quantity(number), false]))
}

/// About the contracts of an app, at a block. `builds` are the KMSs that were attested in the run, by `mr_aggregated`.
pub fn of_contracts(app: &Cvm, contracts: &Contracts, builds: &[[u8; 32]], block: u64) -> Vec<Question> {
    let at = quantity(block);
    let mut asked = contract(&contracts.app, &at);
    let call =
        |to: &str, data: &str, at: &str| ("eth_call", json!([{ "to": to, "data": format!("0x{data}") }, at]));
    let [device, old_device] = devices(app);
    let permissions = [
        format!("2f6622e5{}", hex::encode(app.compose_hash())),
        "3440a16a".to_owned(),
        format!("bf8b211b{}", hex::encode(device)),
        format!("bf8b211b{}", hex::encode(old_device)),
    ];
    for data in permissions {
        asked.push(call(&contracts.app, &data, &at));
        asked.push(call(&contracts.app, &data, "latest"));
    }
    let padding = "0".repeat(56);
    for interface in ["1e079198", "d33835bd", "c396c1b0"] {
        asked.push(call(
            &contracts.app,
            &format!("01ffc9a7{interface}{padding}"),
            &at,
        ));
    }
    asked.push(call(&contracts.app, "0aa58c83", &at));
    asked.push(call(&contracts.app, "54fd4d50", &at));
    for slot in ["0x1", "0x2"] {
        asked.push(("eth_getStorageAt", json!([contracts.app, slot, at])));
    }
    let Some(kms) = &contracts.kms else { return asked };
    asked.extend(contract(kms, &at));
    for interface in ["d33835bd", "c396c1b0"] {
        asked.push(call(kms, &format!("01ffc9a7{interface}{padding}"), &at));
    }
    asked.push(call(kms, "54fd4d50", &at));
    let mr_kms = app.measured_log();
    let mr_kms = mr_kms.iter().find(|event| event.event == "mr-kms");
    let permissions = mr_kms
        .map(|event| format!("f6fe4f40{}", hex::encode(&event.payload)))
        .into_iter()
        .chain([format!("9a4e1d18{OS_IMAGE_HASH}")]);
    for data in permissions {
        asked.push(call(kms, &data, &at));
        asked.push(call(kms, &data, "latest"));
    }
    for build in builds {
        asked.push(call(kms, &format!("f6fe4f40{}", hex::encode(build)), &at));
    }
    asked.push(call(kms, "09177063", &at));
    for device in [device, old_device] {
        asked.push(call(kms, &format!("1e079198{}", boot(app, &device)), &at));
    }
    asked
}

/// About the code and the owner of any contract.
fn contract(address: &str, at: &str) -> Vec<Question> {
    let mut asked = vec![
        ("eth_getCode", json!([address, at])),
        ("eth_getCode", json!([address, "latest"])),
        ("eth_getStorageAt", json!([address, IMPLEMENTATION, at])),
    ];
    for selector in ["8da5cb5b", "e30c3978"] {
        let data = format!("0x{selector}");
        asked.push(("eth_call", json!([{ "to": address, "data": data }, at])));
    }
    asked
}

/// About the code of an implementation.
pub fn of_implementation(address: &str, block: u64) -> Question {
    ("eth_getCode", json!([address, quantity(block)]))
}

/// About what an owner is.
pub fn of_owner(address: &str, block: u64) -> Vec<Question> {
    let at = quantity(block);
    let mut asked = vec![("eth_getCode", json!([address, at]))];
    let modules = format!("cc2f8452{:064x}{:064x}", 1, 1);
    for data in ["e75235b8", "a0e67e2b", &modules, "f27a0c92"] {
        let data = format!("0x{data}");
        asked.push(("eth_call", json!([{ "to": address, "data": data }, at])));
    }
    asked
}

/// The two names of the machine: SHA-256 of the PPID, and before 0.5.6 of the user data in the quote's header.
pub fn devices(app: &Cvm) -> [[u8; 32]; 2] {
    let quote = app.quote_bytes("");
    [
        Sha256::digest(app.world.platform.ppid).into(),
        Sha256::digest(quote.get(28..48).unwrap_or_default()).into(),
    ]
}

/// The argument of `isAppAllowed`: one tuple (dstack, `kms/auth-eth/contracts`).
fn boot(app: &Cvm, device: &[u8; 32]) -> String {
    let report = app.td_report([0; 64]);
    let log = app.measured_log();
    let done = log.iter().position(|event| event.event == "boot-mr-done");
    let booted = done.and_then(|at| log.get(..=at)).unwrap_or(&log);
    let launch = [report.mr_config_id, report.mr_owner, report.mr_owner_config];
    let [rtmr0, rtmr1, rtmr2, _] = report.rtmr;
    let mut aggregated = [report.mr_td, rtmr0, rtmr1, rtmr2, event_log::replay(booted, 3)].concat();
    if launch != [[0; 48]; 3] {
        aggregated.extend(launch.concat());
    }
    let system = [report.mr_td.as_slice(), &rtmr0, &rtmr1, &rtmr2, &[0; 32]].concat();
    let word = |bytes: &[u8]| format!("{:0>64}", hex::encode(bytes));
    let number = |value: u64| word(&value.to_be_bytes());
    [
        number(0x20),
        word(&app.app_id_bytes()),
        word(&app.compose_hash()),
        word(&app.instance_id),
        word(device),
        word(&Sha256::digest(aggregated)),
        word(&Sha256::digest(system)),
        OS_IMAGE_HASH.to_owned(),
        number(0x120),
        number(0x160),
        number(8),
        format!("{:0<64}", hex::encode("UpToDate")),
        number(0),
    ]
    .concat()
}

/// A number as JSON-RPC writes it.
pub fn quantity(number: u64) -> String {
    format!("0x{number:x}")
}
