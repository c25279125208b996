//! A node of a blockchain: JSON-RPC over HTTP, with the contracts of one app and one KMS (dstack, `kms/auth-eth/contracts`). The
//! encodings are written by hand here, apart from those of the program.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::connection::Response;
use super::listener::Request;
use super::stateful::{self, Stateful};
use crate::Cvm;

/// An address.
pub type Address = [u8; 20];

/// Slot of the implementation's address in a proxy (ERC-1967).
const IMPLEMENTATION: &str = "360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc";

/// The contracts at one final block.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Its number.
    pub chain_id: u64,
    /// The newest final block.
    pub finalized: u64,
    /// When each block was made, Unix seconds.
    pub timestamp: u64,
    /// The byte that every block's hash is made of, before its number.
    pub fork: u8,
    /// Runtime code by address.
    pub code: BTreeMap<Address, Vec<u8>>,
    /// Storage by address and slot, hex without `0x`.
    pub storage: BTreeMap<(Address, String), [u8; 32]>,
    /// Answers of contracts, by address and the call's data in hex. What is not here reverts.
    pub calls: BTreeMap<(Address, String), Vec<u8>>,
    /// Answers at the newest block, where they are others than at a final one.
    pub head_calls: BTreeMap<(Address, String), Vec<u8>>,
    /// Runtime code at the newest block, at addresses without any at a final one.
    pub head_code: BTreeMap<Address, Vec<u8>>,
    /// The app's contract.
    pub app: Address,
    /// Why `isAppAllowed` refuses every boot; absent where it refuses none.
    pub boot_refusal: Option<String>,
}

/// The KMS's contract.
pub const KMS_CONTRACT: Address = [0x2f; 20];
/// The owner of both contracts.
pub const CONTRACT_OWNER: Address = [0x07; 20];
const APP_IMPLEMENTATION: Address = [0x1a; 20];
const KMS_IMPLEMENTATION: Address = [0x1b; 20];

impl Chain {
    /// Base, with contracts that allow everything of a CVM whose machine has this id. The owner is a Safe, 2 of 3. `os_image` is
    /// the hash of the CVM's image.
    pub fn allowing(cvm: &Cvm, app: Address, device: [u8; 32], os_image: [u8; 32]) -> Self {
        let mut chain = Self {
            chain_id: 8453,
            finalized: 0x0100_0000,
            timestamp: cvm.world.now - 1500,
            fork: 0xb1,
            code: BTreeMap::new(),
            storage: BTreeMap::new(),
            calls: BTreeMap::new(),
            head_calls: BTreeMap::new(),
            head_code: BTreeMap::new(),
            app,
            boot_refusal: None,
        };
        for (contract, implementation) in [(app, APP_IMPLEMENTATION), (KMS_CONTRACT, KMS_IMPLEMENTATION)] {
            chain.code.insert(contract, b"the code of a proxy".to_vec());
            chain
                .code
                .insert(implementation, [b"code ".as_slice(), &implementation].concat());
            chain.implement(contract, implementation);
            chain.answer(contract, "8da5cb5b", word_of(&CONTRACT_OWNER));
            chain.answer(contract, "e30c3978", [0; 32]);
        }
        chain.code.insert(CONTRACT_OWNER, b"the code of a Safe".to_vec());
        chain.answer(CONTRACT_OWNER, "e75235b8", number(2));
        let owners = [number(0x20), number(3), number(1), number(2), number(3)].concat();
        chain.answer(CONTRACT_OWNER, "a0e67e2b", owners);
        // getModulesPaginated: no module, and the list ends where it begins.
        chain.set_modules(0);
        let padding = "00".repeat(28);
        chain.answer(app, &format!("01ffc9a71e079198{padding}"), number(1));
        chain.answer(app, &format!("01ffc9a7d33835bd{padding}"), number(0));
        chain.answer(app, &format!("01ffc9a7c396c1b0{padding}"), number(0));
        chain.allow_compose(cvm.compose_hash(), true);
        chain.allow_any_device(false);
        chain.answer(app, &format!("bf8b211b{}", hex::encode(device)), number(1));
        chain.answer(app, "0aa58c83", number(1));
        chain.allow_os_image(os_image, true);
        // kmsAllowedAggregatedMrs: the build of the KMS that a guest of 0.4.2 to 0.5 measures.
        let mr_kms: [u8; 32] = crate::keys::derive_bytes(cvm.world.seed, "mr-kms");
        chain.answer(
            KMS_CONTRACT,
            &format!("f6fe4f40{}", hex::encode(mr_kms)),
            number(1),
        );
        let kms = crate::cvm::simulated_kms_id(cvm.world.seed);
        chain.name_kms(&hex::decode(kms).unwrap_or_default());
        chain
    }

    /// What a contract answers to a call.
    pub fn answer(&mut self, contract: Address, data: &str, answer: impl Into<Vec<u8>>) {
        self.calls.insert((contract, data.to_owned()), answer.into());
    }

    /// What the Safe that owns the contracts answers to `getModulesPaginated`, asked for one module: it has so many, 0 or 1.
    pub fn set_modules(&mut self, count: u8) {
        let call = format!("cc2f8452{}{}", hex::encode(number(1)), hex::encode(number(1)));
        let mut answer = [number(0x40), number(1), number(count)].concat();
        answer.extend(number(0x4d).repeat(count.into()));
        self.answer(CONTRACT_OWNER, &call, answer);
    }

    /// What `allowedComposeHashes` answers about a hash.
    pub fn allow_compose(&mut self, hash: [u8; 32], allowed: bool) {
        let data = format!("2f6622e5{}", hex::encode(hash));
        self.answer(self.app, &data, number(u8::from(allowed)));
    }

    /// What was allowed just now: at the newest block, and at no final one.
    pub fn is_not_final_yet(&mut self) {
        let head = self.calls.clone();
        for (question, answer) in &mut self.calls {
            let is_permission = ["2f6622e5", "bf8b211b", "9a4e1d18", "f6fe4f40"]
                .iter()
                .any(|selector| question.1.starts_with(selector));
            if is_permission {
                *answer = number(0).to_vec();
            }
        }
        self.head_calls = head;
    }

    /// What `allowAnyDevice` answers, and slot 1 of the storage, where upgrades are open.
    pub fn allow_any_device(&mut self, allowed: bool) {
        self.answer(self.app, "3440a16a", number(u8::from(allowed)));
        self.set_flags(false, allowed);
    }

    /// Slot 1 of the app's contract.
    pub fn set_flags(&mut self, upgrades_disabled: bool, any_device: bool) {
        let mut slot = number(u8::from(upgrades_disabled));
        slot[30] = u8::from(any_device);
        self.storage.insert((self.app, "1".to_owned()), slot);
    }

    /// What `allowedOsImages` answers about a hash.
    pub fn allow_os_image(&mut self, hash: [u8; 32], allowed: bool) {
        let data = format!("9a4e1d18{}", hex::encode(hash));
        self.answer(KMS_CONTRACT, &data, number(u8::from(allowed)));
    }

    /// The CA key in `kmsInfo`; the three other members are empty.
    pub fn name_kms(&mut self, spki: &[u8]) {
        self.set_kms_info([&[], spki, &[], &[]]);
    }

    /// What `kmsInfo` answers, from evidence of a bootstrap as [`bootstrap`](crate::kms::bootstrap) makes it.
    pub fn hold_bootstrap(&mut self, evidence: &Value) {
        let member =
            |name: &str| hex::decode(evidence[name].as_str().unwrap_or_default()).unwrap_or_default();
        let members = ["k256_pubkey", "ca_pubkey", "quote", "eventlog"].map(member);
        self.set_kms_info(members.each_ref().map(Vec::as_slice));
    }

    fn set_kms_info(&mut self, members: [&[u8]; 4]) {
        let mut heads = Vec::new();
        let mut tails = Vec::new();
        for member in members {
            heads.extend(length(0x80 + tails.len()));
            tails.extend(length(member.len()));
            tails.extend_from_slice(member);
            tails.resize(tails.len().next_multiple_of(32), 0);
        }
        self.answer(KMS_CONTRACT, "09177063", [heads, tails].concat());
    }

    /// The address of a proxy's implementation.
    pub fn implement(&mut self, proxy: Address, implementation: Address) {
        self.storage
            .insert((proxy, IMPLEMENTATION.to_owned()), word_of(&implementation));
    }

    /// What a node that knows this answers: the member `result`, or the member `error`.
    ///
    /// # Errors
    /// JSON-RPC's error object.
    pub fn result(&self, method: &str, params: &Value) -> Result<Value, Value> {
        let address = |at: &Value| {
            let digits = at.as_str().unwrap_or_default().trim_start_matches("0x");
            hex::decode(digits)
                .ok()
                .and_then(|bytes| Address::try_from(bytes).ok())
                .unwrap_or_default()
        };
        let data = |bytes: &[u8]| json!(format!("0x{}", hex::encode(bytes)));
        let refused = |code: i64, message: &str| json!({ "code": code, "message": message });
        match method {
            "eth_chainId" => Ok(json!(format!("0x{:x}", self.chain_id))),
            "eth_getBlockByNumber" => match params[0].as_str().unwrap_or_default() {
                "finalized" => Ok(self.block(self.finalized)),
                number => {
                    let number = u64::from_str_radix(number.trim_start_matches("0x"), 16).unwrap_or(u64::MAX);
                    Ok(if number <= self.finalized {
                        self.block(number)
                    } else {
                        Value::Null
                    })
                }
            },
            "eth_getCode" => {
                let of = address(&params[0]);
                let at_head = self.head_code.get(&of).filter(|_| params[1] == "latest");
                Ok(data(
                    at_head
                        .or_else(|| self.code.get(&of))
                        .map_or(&[][..], Vec::as_slice),
                ))
            }
            "eth_getStorageAt" => {
                let slot = params[1].as_str().unwrap_or_default().trim_start_matches("0x");
                let word = self.storage.get(&(address(&params[0]), slot.to_owned()));
                Ok(data(word.unwrap_or(&[0; 32])))
            }
            "eth_call" => {
                let call = params[0]["data"]
                    .as_str()
                    .unwrap_or_default()
                    .trim_start_matches("0x");
                let contract = address(&params[0]["to"]);
                // A boot that is asked about whole is allowed if nothing else was said.
                if call.starts_with("1e079198") && !self.calls.contains_key(&(contract, call.to_owned())) {
                    let mut words = self.boot_refusal.clone().unwrap_or_default().into_bytes();
                    let said = length(words.len());
                    words.resize(words.len().next_multiple_of(32), 0);
                    let allowed = number(u8::from(self.boot_refusal.is_none()));
                    let answer = [allowed.to_vec(), number(0x40).to_vec(), said.to_vec(), words];
                    return Ok(data(&answer.concat()));
                }
                let question = (contract, call.to_owned());
                let at_head = self.head_calls.get(&question).filter(|_| params[1] == "latest");
                match at_head.or_else(|| self.calls.get(&question)) {
                    Some(answer) => Ok(data(answer)),
                    None => Err(refused(3, "execution reverted")),
                }
            }
            _ => Err(refused(-32601, "the method does not exist")),
        }
    }

    fn block(&self, number: u64) -> Value {
        let mut hash = [self.fork; 32];
        hash[24..].copy_from_slice(&number.to_be_bytes());
        json!({
            "number": format!("0x{number:x}"),
            "hash": format!("0x{}", hex::encode(hash)),
            "timestamp": format!("0x{:x}", self.timestamp),
            "transactions": [format!("0x{}", "cd".repeat(32))],
        })
    }
}

/// A number as a word.
pub fn number(value: u8) -> [u8; 32] {
    let mut word = [0; 32];
    word[31] = value;
    word
}

fn length(value: usize) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&(value as u64).to_be_bytes());
    word
}

/// An address as a word.
pub fn word_of(address: &Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(address);
    word
}

type Edit = Arc<dyn Fn(&str, &mut Value) + Send + Sync>;

struct State {
    chain: Chain,
    edits: Vec<Edit>,
}

/// A node.
pub struct ChainServer(Stateful<State>);

impl ChainServer {
    /// Serves over plain HTTP.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn http(chain: Chain) -> Self {
        let state = State { chain, edits: vec![] };
        Self(Stateful::start(state, None))
    }

    /// Changes what it knows of the chain.
    pub fn change(&self, change: impl FnOnce(&mut Chain)) {
        change(&mut self.0.state().chain);
    }

    /// Edits each answer before it is sent. The edit is given the method.
    pub fn edit(&self, edit: impl Fn(&str, &mut Value) + Send + Sync + 'static) {
        self.0.state().edits.push(Arc::new(edit));
    }
}

stateful::of_one_endpoint!(ChainServer);

impl stateful::State for State {
    type Endpoint = ();

    fn endpoint(&self, _: &str) {}

    fn respond(&mut self, request: &Request) -> Response {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let method = asked["method"].as_str().unwrap_or_default();
        let mut answer = json!({ "jsonrpc": "2.0", "id": asked["id"] });
        match self.chain.result(method, &asked["params"]) {
            Ok(result) => answer["result"] = result,
            Err(error) => answer["error"] = error,
        }
        for edit in &self.edits {
            edit(method, &mut answer);
        }
        Response::json(answer.to_string())
    }
}
