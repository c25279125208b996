//! What Phala Cloud's API says of the KMS of an app: where it answers and which contract governs it (Phala Cloud API, `/kms` and
//! `/apps/{app_id}/kms-info`).
//!
//! These are the words of an operator. They help to find what a person then reviews, and decide nothing.

use super::json::Object;

/// How messages call this document.
const DOCUMENT: &str = "Phala Cloud's answer";

/// What the API says of the KMS of an app. Absent is what it does not say, or says in a form that is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhalaKms {
    /// `host` or `host:port`.
    pub host: Option<String>,
    /// The number of the chain and the address of the KMS's contract; absent for a KMS that its operator governs.
    pub contract: Option<(u64, [u8; 20])>,
}

impl PhalaKms {
    /// Reads the answer about the attestations of an app; `None` if it does not speak of a KMS.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let document = Object::document(DOCUMENT, std::str::from_utf8(body).ok()?).ok()?;
        let info = document.get("kms_info").ok()??;
        let info = Object::at(DOCUMENT, "kms_info".to_owned(), info.get()).ok()?;
        let text = |name: &str| info.string(name).ok().flatten();
        let chain_id = info.get("chain_id").ok().flatten();
        let chain_id: Option<u64> = chain_id.and_then(|value| value.get().trim_matches('"').parse().ok());
        let address = text("contract_address").or_else(|| text("kms_contract_address"));
        let address = address.and_then(|text| {
            let bytes = hex::decode(text.strip_prefix("0x")?).ok()?;
            <[u8; 20]>::try_from(bytes).ok()
        });
        let host = text("url").and_then(|url| {
            let rest = url.strip_prefix("https://")?;
            let host = rest.split(['/', '?', '#']).next()?;
            (!host.is_empty() && !host.contains('@')).then(|| host.to_owned())
        });
        Some(Self {
            host,
            contract: chain_id.filter(|id| *id > 0).zip(address),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_of_the_chain_are_read_and_what_is_odd_is_absent() {
        let address = format!("0x{}", "2f".repeat(20));
        for chain_id in ["8453", r#""8453""#] {
            let body = format!(
                r#"{{"kms_info":{{"contract_address":"{address}","chain_id":{chain_id},"url":"https://kms.example:12001/prpc"}}}}"#
            );
            let hint = PhalaKms::parse(body.as_bytes()).unwrap();
            assert_eq!(hint.host.as_deref(), Some("kms.example:12001"));
            assert_eq!(hint.contract, Some((8453, [0x2f; 20])));
        }
        for info in [
            "{}",
            r#"{"url":"http://kms.example","chain_id":0,"contract_address":"0x"}"#,
            r#"{"url":"https://u@kms.example","chain_id":"base","contract_address":7}"#,
            r#"{"url":"https:///x","chain_id":null}"#,
        ] {
            let body = format!(r#"{{"kms_info":{info}}}"#);
            assert_eq!(
                PhalaKms::parse(body.as_bytes()),
                Some(PhalaKms::default()),
                "{info}"
            );
        }
        for body in ["", "[]", "{}", r#"{"kms_info":null}"#, r#"{"kms_info":[]}"#] {
            assert_eq!(PhalaKms::parse(body.as_bytes()), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in ".{0,120}", url in ".{0,40}") {
            let _ = PhalaKms::parse(body.as_bytes());
            let url = serde_json::to_string(&url).unwrap();
            let body = format!(r#"{{"kms_info":{{"url":{url}}}}}"#);
            prop_assert!(PhalaKms::parse(body.as_bytes()).is_some());
        }
    }
}
