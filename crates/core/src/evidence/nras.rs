//! What NVIDIA's remote attestation service answered, as it came. Nothing of it is proven.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The answers about a deployment's GPUs and switches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedNras {
    /// The host that was asked.
    pub host: String,
    /// One answer for each kind of device.
    #[serde(default)]
    pub answers: Vec<NrasAnswer>,
    /// The key set, JSON: the keys that the tokens name, and no other.
    #[serde(default)]
    pub keys: Option<String>,
    /// When the last of them arrived, Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<u64>,
    /// Why an answer or the key set is missing, a sentence without its full stop.
    #[serde(default)]
    pub problem: Option<String>,
}

/// The answer about devices of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NrasAnswer {
    /// Which devices it is about.
    pub kind: NrasKind,
    /// The body, verbatim.
    pub body: String,
}

crate::word_enum! {
    /// A kind of device that the service appraises.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    pub enum NrasKind {
        /// GPUs.
        Gpu = "gpu",
        /// NVSwitches.
        Switch = "switch",
    }
}

/// The keys of a key set that the tokens of answers name, as a key set. A set has hundreds of keys, of which one or two are
/// used. What cannot be read is kept whole: it is judged elsewhere.
#[must_use]
pub fn keys_used(key_set: &str, answers: &[NrasAnswer]) -> String {
    let Ok(Value::Object(mut set)) = serde_json::from_str::<Value>(key_set) else {
        return key_set.to_owned();
    };
    let named: BTreeSet<String> = answers
        .iter()
        .flat_map(|answer| answer.body.split('"'))
        .filter_map(kid_of)
        .collect();
    let Some(Value::Array(keys)) = set.get_mut("keys") else {
        return key_set.to_owned();
    };
    keys.retain(|key| {
        let kid = key.get("kid").and_then(Value::as_str);
        kid.is_some_and(|kid| named.contains(kid))
    });
    Value::Object(set).to_string()
}

/// The key that a token names, if a text is a token.
fn kid_of(text: &str) -> Option<String> {
    let (header, _) = text.split_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    header.get("kid")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_keys_that_tokens_name_are_kept() {
        let token = |kid: &str| format!("{}.x.y", URL_SAFE_NO_PAD.encode(json!({"kid": kid}).to_string()));
        let answers = [NrasAnswer {
            kind: NrasKind::Gpu,
            body: json!([["JWT", token("a")], {"GPU-0": token("b")}]).to_string(),
        }];
        let set = json!({"keys": [{"kid": "a"}, {"kid": "c"}, {"kid": "b"}, {"kid": "a"}, {}]}).to_string();
        assert_eq!(
            keys_used(&set, &answers),
            json!({"keys": [{"kid": "a"}, {"kid": "b"}, {"kid": "a"}]}).to_string()
        );
        assert_eq!(keys_used("<html>", &answers), "<html>");
    }
}
