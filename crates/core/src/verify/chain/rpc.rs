//! JSON-RPC of an Ethereum node: questions, and answers read as strictly as they can be (Ethereum JSON-RPC API).
//!
//! Sources: JSON-RPC 2.0; the execution API of Ethereum for methods, quantities and data; EIP-1474 for errors.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::abi::Address;
use super::call::{Call, IMPLEMENTATION_SLOT, address_text};
use crate::evidence::{RpcFault, RpcOutcome};

/// The block tag of the newest block.
const HEAD: &str = "latest";

/// How a node begins the message of a call that the contract refused.
const REVERTED: &str = "execution reverted";

/// A question to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: &'static str,
    /// Its parameters.
    pub params: Value,
}

impl Request {
    /// Which chain does the node serve?
    pub(super) fn chain_id() -> Self {
        Self {
            method: "eth_chainId",
            params: json!([]),
        }
    }

    /// What is the newest block that can no longer be replaced?
    pub(super) fn finalized() -> Self {
        Self {
            method: "eth_getBlockByNumber",
            params: json!(["finalized", false]),
        }
    }

    /// What is the block of this number?
    pub(super) fn block(number: u64) -> Self {
        Self {
            method: "eth_getBlockByNumber",
            params: json!([hex_quantity(number), false]),
        }
    }

    /// What does a contract answer, at a block?
    pub(super) fn call(to: &Address, call: &Call, block: u64) -> Self {
        let data = format!("0x{}", hex::encode(call.data().as_bytes()));
        Self {
            method: "eth_call",
            params: json!([{ "to": address_text(to), "data": data }, hex_quantity(block)]),
        }
    }

    /// What does a contract answer at the newest block, which can still be replaced?
    pub(super) fn call_at_head(to: &Address, call: &Call) -> Self {
        Self::call(to, call, 0).at_head()
    }

    /// Which code is at an address at the newest block, which can still be replaced?
    pub(super) fn code_at_head(of: &Address) -> Self {
        Self::code(of, 0).at_head()
    }

    /// With the newest block in the place of the one that was given: both take it as their second parameter.
    fn at_head(mut self) -> Self {
        if let Some(block) = self.params.get_mut(1) {
            *block = HEAD.into();
        }
        self
    }

    /// Which code is at an address, at a block?
    pub(super) fn code(of: &Address, block: u64) -> Self {
        Self {
            method: "eth_getCode",
            params: json!([address_text(of), hex_quantity(block)]),
        }
    }

    /// Where does a proxy say that its implementation is, at a block?
    pub(super) fn implementation(of: &Address, block: u64) -> Self {
        Self::storage(of, IMPLEMENTATION_SLOT, block)
    }

    /// What is in a slot of a contract's storage, at a block?
    pub(super) fn storage(of: &Address, slot: &str, block: u64) -> Self {
        Self {
            method: "eth_getStorageAt",
            params: json!([address_text(of), slot, hex_quantity(block)]),
        }
    }

    /// Whether it calls a contract, which may refuse it.
    pub(super) fn is_call(&self) -> bool {
        self.method == "eth_call"
    }

    /// The body of the HTTP request.
    #[must_use]
    pub fn body(&self, id: u64) -> Vec<u8> {
        json!({ "jsonrpc": "2.0", "id": id, "method": self.method, "params": self.params })
            .to_string()
            .into_bytes()
    }
}

fn hex_quantity(number: u64) -> String {
    format!("0x{number:x}")
}

/// Reads the body of the answer to the request of this id. What is not an answer is [`RpcOutcome::Problem`] with the reason
/// alone; whose answer it was is for the caller to add.
#[must_use]
pub fn outcome(id: u64, method: &str, body: &[u8]) -> RpcOutcome {
    match read(id, method, body) {
        Ok(outcome) => outcome,
        Err(problem) => RpcOutcome::Problem(problem.to_owned()),
    }
}

#[derive(Deserialize)]
struct JsonRpcResponse {
    jsonrpc: Option<String>,
    id: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "even_null")]
    result: Option<Box<RawValue>>,
    error: Option<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: Option<i64>,
    message: Option<String>,
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct BlockFields {
    number: String,
    hash: String,
    timestamp: String,
}

/// A `result` of `null` is an answer.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

fn read(id: u64, method: &str, body: &[u8]) -> Result<RpcOutcome, &'static str> {
    let answer: JsonRpcResponse =
        serde_json::from_slice(body).map_err(|_| "the answer is not a JSON-RPC object")?;
    if answer.jsonrpc.as_deref() != Some("2.0") {
        return Err("the answer is not JSON-RPC 2.0");
    }
    if answer.id.as_ref().map(|id| id.get()) != Some(id.to_string().as_str()) {
        return Err("the answer's `id` is not the request's");
    }
    match (answer.result, answer.error) {
        (Some(result), None) => kept(method, &result).map(RpcOutcome::Result),
        (None, Some(fault)) => fault_of(fault),
        // Some nodes write both members, one of them null.
        (Some(result), Some(fault)) if result.get() == "null" => fault_of(fault),
        (Some(_), Some(_)) => Err("the answer has a result and an error"),
        (None, None) => Err("the answer has no result and no error"),
    }
}

fn fault_of(fault: Fault) -> Result<RpcOutcome, &'static str> {
    let has_data = fault.data.is_some_and(|data| {
        serde_json::from_str::<String>(data.get()).is_ok_and(|text| {
            // OpenEthereum, and Nethermind before 2024, write a word in front of the data or instead of it.
            let data = text.strip_prefix("Reverted ").unwrap_or(&text);
            data == "revert" || bytes_of(data).is_some()
        })
    });
    Ok(RpcOutcome::Error(RpcFault {
        code: fault.code.ok_or("the answer's error has no code")?,
        message: fault.message.unwrap_or_default(),
        has_data,
    }))
}

/// The part of a result that is read. Everything else of a block is left out.
fn kept(method: &str, result: &RawValue) -> Result<Value, &'static str> {
    if result.get() == "null" {
        return Ok(Value::Null);
    }
    if method == "eth_getBlockByNumber" {
        let block: BlockFields =
            serde_json::from_str(result.get()).map_err(|_| "the block lacks number, hash or timestamp")?;
        let BlockFields {
            number,
            hash,
            timestamp,
        } = block;
        return Ok(json!({ "number": number, "hash": hash, "timestamp": timestamp }));
    }
    let text: String = serde_json::from_str(result.get()).map_err(|_| "the result is not a string")?;
    let is_hex = text
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if is_hex {
        Ok(Value::String(text))
    } else {
        Err("the result is not hex with 0x")
    }
}

/// Whether the contract refused the call: an answer of the chain, not a failure of the node. Code 3 says so (EIP-1474 and
/// go-ethereum); other nodes say it with -32000 or -32015 and data, or in the first words.
pub(super) fn is_revert(fault: &RpcFault) -> bool {
    match fault.code {
        3 => true,
        -32000 | -32015 => fault.has_data || fault.message.starts_with(REVERTED),
        _ => false,
    }
}

/// A quantity: `0x` and hex without leading zeros.
pub(super) fn quantity(value: &Value) -> Option<u64> {
    let digits = value.as_str()?.strip_prefix("0x")?;
    let is_canonical = digits == "0" || (!digits.is_empty() && !digits.starts_with('0'));
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    (is_canonical && is_hex)
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}

/// Data: `0x` and an even number of hex digits; `0x` alone is no bytes.
pub(super) fn data(value: &Value) -> Option<Vec<u8>> {
    bytes_of(value.as_str()?)
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.strip_prefix("0x")?).ok()
}

/// A block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// When it was made, Unix seconds.
    pub timestamp: u64,
}

/// The block of `eth_getBlockByNumber`; absent where a member is not what it must be.
pub(super) fn block(value: &Value) -> Option<Block> {
    Some(Block {
        number: quantity(value.get("number")?)?,
        hash: data(value.get("hash")?)?.try_into().ok()?,
        timestamp: quantity(value.get("timestamp")?)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(body: &str) -> RpcOutcome {
        outcome(7, "eth_call", body.as_bytes())
    }

    fn problem(body: &str) -> String {
        match of(body) {
            RpcOutcome::Problem(problem) => problem,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn a_result_is_hex_for_the_request_that_was_made() {
        let good = r#"{"jsonrpc":"2.0","id":7,"result":"0x01"}"#;
        assert_eq!(of(good), RpcOutcome::Result(json!("0x01")));
        for (body, why) in [
            ("", "not a JSON-RPC object"),
            ("[]", "not a JSON-RPC object"),
            (r#"{"id":7,"result":"0x"}"#, "not JSON-RPC 2.0"),
            (r#"{"jsonrpc":"2.0","id":8,"result":"0x"}"#, "`id`"),
            (r#"{"jsonrpc":"2.0","id":"7","result":"0x"}"#, "`id`"),
            (r#"{"jsonrpc":"2.0","id":7}"#, "no result and no error"),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":"0x","error":{"code":1}}"#,
                "a result and an error",
            ),
            (
                r#"{"jsonrpc":"2.0","id":7,"result":"0x","result":"0x"}"#,
                "not a JSON-RPC object",
            ),
            (r#"{"jsonrpc":"2.0","id":7,"result":true}"#, "not a string"),
            (r#"{"jsonrpc":"2.0","id":7,"result":"true"}"#, "not hex"),
            (r#"{"jsonrpc":"2.0","id":7,"error":{"message":"x"}}"#, "no code"),
        ] {
            assert!(problem(body).contains(why), "{body}: {}", problem(body));
        }
    }

    #[test]
    fn a_revert_is_told_from_a_failure_of_the_node() {
        for (error, reverted) in [
            (r#"{"code":3,"message":"execution reverted","data":"0x"}"#, true),
            (r#"{"code":-32000,"message":"execution reverted"}"#, true),
            (
                r#"{"code":-32015,"message":"VM execution error.","data":"0x08c379a0"}"#,
                true,
            ),
            (r#"{"code":-32000,"message":"header not found"}"#, false),
            (r#"{"code":-32015,"message":"x","data":"Reverted"}"#, false),
            (
                r#"{"code":-32015,"message":"VM execution error.","data":"Reverted 0x7a933234"}"#,
                true,
            ),
            (
                r#"{"code":-32015,"message":"VM execution error.","data":"revert"}"#,
                true,
            ),
            (
                r#"{"code":-32005,"message":"execution reverted","data":"0x"}"#,
                false,
            ),
            (r#"{"code":-32601,"message":"the method does not exist"}"#, false),
        ] {
            let RpcOutcome::Error(fault) = of(&format!(
                r#"{{"jsonrpc":"2.0","id":7,"result":null,"error":{error}}}"#
            )) else {
                panic!("{error}");
            };
            assert_eq!(is_revert(&fault), reverted, "{error}");
        }
    }

    #[test]
    fn a_block_is_kept_in_the_three_members_that_are_read() {
        let hash = format!("0x{}", "ab".repeat(32));
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":7,"result":{{"number":"0x10","hash":"{hash}","timestamp":"0x5","transactions":["0x1"]}}}}"#
        );
        let RpcOutcome::Result(kept) = outcome(7, "eth_getBlockByNumber", body.as_bytes()) else {
            panic!("{body}");
        };
        assert_eq!(kept.as_object().unwrap().len(), 3);
        let expected = Block {
            number: 16,
            hash: [0xab; 32],
            timestamp: 5,
        };
        assert_eq!(block(&kept), Some(expected));
        let null = r#"{"jsonrpc":"2.0","id":7,"result":null}"#;
        assert_eq!(
            outcome(7, "eth_getBlockByNumber", null.as_bytes()),
            RpcOutcome::Result(Value::Null)
        );
    }

    #[test]
    fn quantities_have_no_leading_zero_and_data_has_pairs_of_digits() {
        for (text, number) in [
            ("0x0", Some(0)),
            ("0x2105", Some(8453)),
            ("0x00", None),
            ("0x", None),
            ("5", None),
        ] {
            assert_eq!(quantity(&json!(text)), number, "{text}");
        }
        assert_eq!(quantity(&json!("0x1ffffffffffffffff")), None);
        assert_eq!(quantity(&json!("0x+1")), None);
        assert_eq!(data(&json!("0x")), Some(Vec::new()));
        assert_eq!(data(&json!("0x1")), None);
    }

    proptest! {
        #[test]
        fn any_body_has_an_outcome(body in proptest::collection::vec(any::<u8>(), 0..400), block in any::<bool>()) {
            let method = if block { "eth_getBlockByNumber" } else { "eth_call" };
            drop(outcome(7, method, &body));
        }

        #[test]
        fn what_is_kept_is_written_and_read_back(body in r#"\{"jsonrpc":"2.0","id":7,"(result|error)":("0x[0-9a-f]{0,8}"|null|\{"code":-?[0-9]{1,5},"message":"[a-z]{0,9}"\})\}"#) {
            let outcome = of(&body);
            let text = serde_json::to_string(&outcome).unwrap();
            prop_assert_eq!(serde_json::from_str::<RpcOutcome>(&text).unwrap(), outcome);
        }
    }
}
