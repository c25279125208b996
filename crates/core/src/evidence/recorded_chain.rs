//! What two nodes of a blockchain answered: the bundle's `chain`. Untrusted: [`crate::verify`] compares and reads it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The questions that two nodes were asked about an app's contracts, with the answers of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedChain {
    /// Which contracts were asked.
    pub contracts: Contracts,
    /// `host:port` of each node. Never the URL: its path may hold a key.
    pub hosts: [String; 2],
    /// Question by question.
    pub exchanges: Vec<RecordedExchange>,
}

/// The contracts that govern an app, and where they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contracts {
    /// The chain's number (EIP-155): 1 is Ethereum, 8453 is Base.
    pub chain_id: u64,
    /// The app's contract. Its address is the app id.
    #[serde(with = "hex::serde")]
    pub app: [u8; 20],
    /// The KMS's contract.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_address")]
    pub kms: Option<[u8; 20]>,
}

/// A question and its answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedExchange {
    /// The method of JSON-RPC.
    pub method: String,
    /// Its parameters.
    pub params: Value,
    /// What each node answered, in the order of [`RecordedChain::hosts`].
    pub answers: [RpcOutcome; 2],
}

/// What a node answered to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RpcOutcome {
    /// The member `result`. Of a block only number, hash and time are kept.
    Result(Value),
    /// The member `error`.
    Error(RpcFault),
    /// There was no answer, or none of the form of JSON-RPC. Why, a phrase that names the host.
    Problem(String),
}

/// JSON-RPC's error object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcFault {
    /// Its number.
    pub code: i64,
    /// Its words, at most 200 characters.
    pub message: String,
    /// Whether it carries data in hex, as a revert does.
    #[serde(default)]
    pub has_data: bool,
}

/// `Option<[u8; 20]>` as hex.
mod optional_address {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(
        value: &Option<[u8; 20]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(address) => serializer.serialize_some(&hex::encode(address)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 20]>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let mut address = [0; 20];
        hex::decode_to_slice(text, &mut address).map_err(D::Error::custom)?;
        Ok(Some(address))
    }
}
