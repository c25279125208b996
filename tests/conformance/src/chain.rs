//! What a case says of the blockchain: what two nodes know of the contracts of the app and of its KMS, and what each of them answers
//! wrongly. It becomes the bundle's `chain`.

use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use simulator::{CONTRACT_OWNER, Cvm, KMS_CONTRACT};

use crate::questions::{self, Question};
use crate::values::{OS_IMAGE_HASH, Values};

/// The two nodes of every case.
const HOSTS: [&str; 2] = ["one.example:443", "two.example:443"];

/// What the nodes answered.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Chain {
    /// Changes of what the nodes know, in this order.
    pub changes: Vec<Change>,
    /// Whether the KMS's contract was not asked.
    pub without_kms: bool,
    /// Whether the KMSs that answered were not asked about.
    pub without_builds: bool,
    /// The first so many questions alone were asked.
    pub only_first: Option<usize>,
    /// What a node answers to every question of a method, in the place of a result.
    pub faults: Vec<Fault>,
}

/// Which of the nodes.
#[derive(Deserialize, Default, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// Both.
    #[default]
    Both,
    /// The first alone.
    First,
    /// The second alone.
    Second,
}

/// One change of what nodes know. `{…}` in a text stands for a value, as in an argument.
#[derive(Deserialize, Default, Debug)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Change {
    /// Of which nodes.
    pub on: On,
    /// At which address: `app`, `kms`, `owner`, or hex.
    pub at: Option<String>,
    /// The data of a call, hex.
    pub call: Option<String>,
    /// What it is answered, hex. Without this and the two below, the contract reverts.
    pub answer: Option<String>,
    /// What it is answered, as a number in a word. A boolean is 0 or 1.
    pub number: Option<u64>,
    /// What it is answered, as an address in a word, hex.
    pub address: Option<String>,
    /// Only at the newest block, not at a final one.
    pub at_head: bool,
    /// The code there, hex; empty: none.
    pub code: Option<String>,
    /// A slot of its storage, hex without leading zeros.
    pub slot: Option<String>,
    /// The word in the slot, hex.
    pub word: Option<String>,
    /// Which chain it is.
    pub chain_id: Option<u64>,
    /// How many blocks later the newest final block is.
    pub finalized: Option<i64>,
    /// How many seconds later every block was made.
    pub timestamp: Option<i64>,
    /// The byte that the hash of every block begins with.
    pub fork: Option<u8>,
    /// What was allowed is allowed at the newest block alone.
    pub not_final_yet: bool,
    /// Why `isAppAllowed` refuses every boot.
    pub boot_refusal: Option<String>,
    /// `kmsInfo` holds evidence of a bootstrap: that of this root key.
    pub bootstrap_of_root: Option<u64>,
}

/// What a node answers in the place of a result.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fault {
    /// Which nodes.
    #[serde(default)]
    pub on: On,
    /// To which method.
    pub method: String,
    /// What is recorded of it: `{ result }`, `{ error = { code, message, has_data } }` or `{ problem }`.
    pub outcome: Value,
}

/// The builds of KMSs, by `mr_aggregated`.
pub struct Builds<'a> {
    /// Those that the contract allows.
    pub allowed: &'a [[u8; 32]],
    /// Those that answered, and that are asked about.
    pub asked: &'a [[u8; 32]],
}

/// The addresses that are asked about, `0x` and hex.
pub struct Contracts {
    /// The app's.
    pub app: String,
    /// The KMS's.
    pub kms: Option<String>,
}

impl On {
    fn holds(self, node: usize) -> bool {
        self == Self::Both || (self == Self::First) == (node == 0)
    }
}

impl Chain {
    /// The bundle's `chain`. The contracts allow the honest app; the nodes are asked about what runs.
    pub fn record(
        &self,
        honest: &Cvm,
        running: &Cvm,
        builds: &Builds<'_>,
        values: &Values,
    ) -> anyhow::Result<Value> {
        let app = honest.app_id_bytes();
        let app = app.as_slice().try_into().context("the app id has not 20 bytes")?;
        let [device, _] = questions::devices(honest);
        let mut os_image = [0; 32];
        hex::decode_to_slice(OS_IMAGE_HASH, &mut os_image)?;
        let mut known = simulator::Chain::allowing(honest, app, device, os_image);
        for build in builds.allowed {
            let data = format!("f6fe4f40{}", hex::encode(build));
            known.answer(KMS_CONTRACT, &data, simulator::number(1));
        }
        // A list answers `no` about what is not in it.
        let [device, old_device] = questions::devices(running);
        let lists = [
            ("2f6622e5", running.compose_hash()),
            ("bf8b211b", device),
            ("bf8b211b", old_device),
        ];
        let of_app = lists.map(|(list, entry)| (app, format!("{list}{}", hex::encode(entry))));
        let of_kms = builds
            .asked
            .iter()
            .map(|build| (KMS_CONTRACT, format!("f6fe4f40{}", hex::encode(build))));
        for question in of_app.into_iter().chain(of_kms) {
            known
                .calls
                .entry(question)
                .or_insert_with(|| simulator::number(0).to_vec());
        }
        let mut nodes = [known.clone(), known];
        for change in &self.changes {
            for (node, chain) in nodes.iter_mut().enumerate() {
                if change.on.holds(node) {
                    change
                        .apply(chain, honest, values)
                        .with_context(|| format!("{change:?}"))?;
                }
            }
        }
        let asked = Asked {
            chain: self,
            nodes: &nodes,
        };
        let contracts = Contracts {
            app: format!("0x{}", hex::encode(app)),
            kms: (!self.without_kms).then(|| format!("0x{}", hex::encode(KMS_CONTRACT))),
        };
        let builds = if self.without_builds { &[] } else { builds.asked };
        let mut exchanges = asked.all(running, &contracts, builds);
        if let Some(count) = self.only_first {
            ensure!(
                count < exchanges.len(),
                "only-first: there are {} questions",
                exchanges.len()
            );
            exchanges.truncate(count);
        }
        let plain = |text: &str| text.trim_start_matches("0x").to_owned();
        let mut asked_about = json!({ "chain_id": 8453, "app": plain(&contracts.app) });
        if let Some(kms) = &contracts.kms {
            asked_about["kms"] = plain(kms).into();
        }
        Ok(json!({ "contracts": asked_about, "hosts": HOSTS, "exchanges": exchanges }))
    }
}

/// Two nodes that are asked.
struct Asked<'a> {
    chain: &'a Chain,
    nodes: &'a [simulator::Chain; 2],
}

impl Asked<'_> {
    fn all(&self, running: &Cvm, contracts: &Contracts, builds: &[[u8; 32]]) -> Vec<Value> {
        let block = self
            .nodes
            .iter()
            .map(|node| node.finalized)
            .min()
            .unwrap_or_default();
        let mut questions = questions::of_chain().to_vec();
        questions.push(questions::of_block(block));
        questions.extend(questions::of_contracts(running, contracts, builds, block));
        let is_proxy = |(method, params): &Question| *method == "eth_getStorageAt" && params[1] != "0x1";
        let is_owner = |(_, params): &Question| params[0]["data"] == "0x8da5cb5b";
        let mut more = vec![];
        for question in &questions {
            for address in self.addresses(question) {
                if is_proxy(question) {
                    more.push(questions::of_implementation(&address, block));
                } else if is_owner(question) {
                    more.extend(questions::of_owner(&address, block));
                }
            }
        }
        questions.extend(more);
        let mut exchanges = vec![];
        for (at, question) in questions.iter().enumerate() {
            if questions.iter().take(at).all(|other| other != question) {
                exchanges.push(self.exchange(question));
            }
        }
        exchanges
    }

    /// The addresses that the nodes answer.
    fn addresses(&self, (method, params): &Question) -> Vec<String> {
        let answers = self
            .nodes
            .iter()
            .filter_map(|node| node.result(method, params).ok());
        let words = answers.filter_map(|answer| Some(answer.as_str()?.trim_start_matches("0x").to_owned()));
        words
            .filter(|word| word.len() == 64 && !word.bytes().all(|digit| digit == b'0'))
            .filter_map(|word| Some(format!("0x{}", word.get(24..)?)))
            .collect()
    }

    fn exchange(&self, (method, params): &Question) -> Value {
        let answers = [0, 1].map(|node| {
            let mut faults = self.chain.faults.iter();
            let fault = faults.find(|fault| fault.method == *method && fault.on.holds(node));
            match fault {
                Some(fault) => fault.outcome.clone(),
                None => outcome(method, self.nodes[node].result(method, params)),
            }
        });
        json!({ "method": method, "params": params, "answers": answers })
    }
}

/// What is recorded of an answer: of a block its number, hash and time alone.
fn outcome(method: &str, answer: Result<Value, Value>) -> Value {
    match answer {
        Ok(block) if method == "eth_getBlockByNumber" && block.is_object() => {
            let member = |name: &str| block[name].clone();
            json!({ "result": {
                "number": member("number"), "hash": member("hash"), "timestamp": member("timestamp"),
            }})
        }
        Ok(result) => json!({ "result": result }),
        Err(error) => {
            json!({ "error": { "code": error["code"], "message": error["message"], "has_data": false } })
        }
    }
}

impl Change {
    fn apply(&self, chain: &mut simulator::Chain, honest: &Cvm, values: &Values) -> anyhow::Result<()> {
        let filled = |text: &Option<String>| text.as_deref().map(|text| values.fill(text));
        let bytes = |text: &Option<String>| -> anyhow::Result<Option<Vec<u8>>> {
            Ok(filled(text).map(hex::decode).transpose()?)
        };
        let address = self.address(chain)?;
        if let Some(call) = filled(&self.call) {
            let answers = if self.at_head {
                &mut chain.head_calls
            } else {
                &mut chain.calls
            };
            let word = match (self.number, bytes(&self.address)?) {
                (Some(number), _) => Some([vec![0; 24], number.to_be_bytes().to_vec()].concat()),
                (None, Some(address)) => Some([vec![0; 12], address].concat()),
                (None, None) => None,
            };
            match word.or(bytes(&self.answer)?) {
                Some(answer) => drop(answers.insert((address, call), answer)),
                None => {
                    let removed = answers.remove(&(address, call));
                    ensure!(
                        removed.is_some(),
                        "the contract does not answer this call as it is"
                    );
                }
            }
        }
        if let Some(code) = bytes(&self.code)? {
            let codes = if self.at_head {
                &mut chain.head_code
            } else {
                &mut chain.code
            };
            if code.is_empty() {
                codes.remove(&address);
            } else {
                codes.insert(address, code);
            }
        }
        if let (Some(slot), Some(word)) = (&self.slot, bytes(&self.word)?) {
            let word = word.as_slice().try_into().context("a word has 32 bytes")?;
            chain.storage.insert((address, slot.clone()), word);
        }
        if let Some(id) = self.chain_id {
            chain.chain_id = id;
        }
        let later = |value: u64, by: Option<i64>| value.checked_add_signed(by.unwrap_or_default());
        chain.finalized = later(chain.finalized, self.finalized).context("finalized")?;
        chain.timestamp = later(chain.timestamp, self.timestamp).context("timestamp")?;
        if let Some(fork) = self.fork {
            chain.fork = fork;
        }
        if self.not_final_yet {
            chain.is_not_final_yet();
        }
        if self.boot_refusal.is_some() {
            chain.boot_refusal.clone_from(&self.boot_refusal);
        }
        if let Some(root) = self.bootstrap_of_root {
            let honest = simulator::Kms::healthy(&honest.world);
            let kms = simulator::Kms::of(honest.cvm, root);
            chain.hold_bootstrap(&kms.meta["bootstrap_info"]);
        }
        Ok(())
    }

    fn address(&self, chain: &simulator::Chain) -> anyhow::Result<[u8; 20]> {
        Ok(match self.at.as_deref() {
            Some("app") | None => chain.app,
            Some("kms") => KMS_CONTRACT,
            Some("owner") => CONTRACT_OWNER,
            Some(other) => {
                let mut address = [0; 20];
                hex::decode_to_slice(other, &mut address)
                    .with_context(|| format!("no address: {other:?}"))?;
                address
            }
        })
    }
}
