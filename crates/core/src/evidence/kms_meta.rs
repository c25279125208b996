//! The answer of a dstack KMS to GetMeta (dstack, `kms/src/{main,onboard_service}.rs`). Nothing of it is proven: it is worth what
//! the code is that answers.

use super::attestation_body::differs_from;
use super::error::within;
use serde_json::value::RawValue;

use super::json::{Object, kind_of};
use super::{Attestation, EvidenceError};

/// Bytes of an answer that are read: 1 MiB. One with a bootstrap quote and its event log has about 40 KiB.
pub const MAX_KMS_META_BYTES: usize = 1024 * 1024;

/// How messages call this document.
const DOCUMENT: &str = "the KMS's answer to GetMeta";

/// Bytes of a certificate, PEM.
const MAX_PEM: usize = 64 * 1024;

/// Bytes of a quote, an event log or a versioned attestation.
const MAX_PART: usize = 512 * 1024;

/// The largest public key, bytes: a SubjectPublicKeyInfo of P-256 has 91, a compressed point of secp256k1 33.
const MAX_KEY: usize = 256;

/// What a KMS answers about itself.
#[derive(Debug, Clone)]
pub struct KmsMeta {
    /// The certificate of its root CA, PEM.
    pub ca_certificate: String,
    /// Whether it gives keys to any code.
    pub allows_any_upgrade: bool,
    /// Whether it runs with the rules for development.
    pub is_development: bool,
    /// Which of the two it does not say, if what it says is not `true`.
    pub unsaid: Option<&'static str>,
    /// Whether it compares the OS image of a guest with the published one. Older KMSs do not say.
    pub verifies_os_images: Option<bool>,
    /// The k256 root key, compressed, where it is said.
    pub k256_public_key: Option<Vec<u8>>,
    /// Whose rules it follows; absent if it does not say.
    pub rules: Option<KmsRules>,
    /// How its root keys were made; absent on a replica that got them from another KMS.
    pub bootstrap: Option<Result<KmsBootstrap, EvidenceError>>,
}

/// Whose rules a KMS follows, as it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KmsRules {
    /// Those of any operator.
    Operator,
    /// Those of a contract.
    Contract {
        /// The chain's number (EIP-155).
        chain_id: u64,
        /// The contract's address, 20 bytes.
        address: [u8; 20],
    },
}

/// How the root keys of a KMS were made.
#[derive(Debug, Clone)]
pub struct KmsBootstrap {
    /// SubjectPublicKeyInfo of the root CA's key, DER.
    pub ca_public_key: Vec<u8>,
    /// The k256 root key, compressed.
    pub k256_public_key: Vec<u8>,
    /// The evidence of the VM that made them.
    pub attestation: Attestation,
}

impl KmsMeta {
    /// Parses a body. Members that are not known are ignored.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field.
    pub fn parse(body: &str) -> Result<Self, EvidenceError> {
        within(DOCUMENT, body, MAX_KMS_META_BYTES)?;
        let object = Object::document(DOCUMENT, body)?;
        let ca_certificate = match object.string("ca_cert")? {
            Some(pem) if pem.len() <= MAX_PEM => pem,
            Some(_) => return Err(object.malformed("ca_cert", format!("has more than {MAX_PEM} bytes"))),
            None => return Err(object.malformed("ca_cert", "is missing")),
        };
        let allows_any_upgrade = flag(&object, "allow_any_upgrade")?;
        let is_development = flag(&object, "is_dev")?;
        if allows_any_upgrade.or(is_development).is_none() {
            return Err(object.malformed("allow_any_upgrade", "is missing, and so is `is_dev`"));
        }
        Ok(Self {
            ca_certificate,
            allows_any_upgrade: allows_any_upgrade.unwrap_or(false),
            is_development: is_development.unwrap_or(false),
            unsaid: match (allows_any_upgrade, is_development) {
                (None, Some(false)) => Some("allow_any_upgrade"),
                (Some(false), None) => Some("is_dev"),
                _ => None,
            },
            verifies_os_images: flag(&object, "os_image_verification")?,
            k256_public_key: object
                .hex_up_to("k256_pubkey", MAX_KEY)?
                .filter(|key| !key.is_empty()),
            rules: rules(&object)?,
            bootstrap: object.get("bootstrap_info")?.map(KmsBootstrap::parse),
        })
    }
}

/// A member that is true or false.
fn flag(object: &Object<'_>, name: &str) -> Result<Option<bool>, EvidenceError> {
    match object.get(name)?.map(RawValue::get) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(object.malformed(name, format!("is {}; true or false expected", kind_of(other)))),
    }
}

/// The chain's number is a number, or text in one document that was seen. Off chain the contract is a word or nothing.
fn rules(object: &Object<'_>) -> Result<Option<KmsRules>, EvidenceError> {
    let chain_id = match object.get("chain_id")? {
        None => None,
        Some(value) => {
            let text = value.get().trim_matches('"');
            let number = text.parse::<u64>();
            let problem = || "is not the number of a chain".to_owned();
            Some(number.map_err(|_| object.malformed("chain_id", problem()))?)
        }
    };
    let contract = object.string("kms_contract_address")?;
    let address = contract.as_deref().and_then(|text| {
        let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()?;
        <[u8; 20]>::try_from(bytes).ok()
    });
    Ok(match (chain_id, contract, address) {
        // Each is of its own answer of the auth service: a chain that is not said is not zero.
        (None, None, _) => None,
        (None, Some(_), Some(address)) if address != [0; 20] => None,
        (Some(chain_id), _, Some(address)) if chain_id > 0 && address != [0; 20] => {
            Some(KmsRules::Contract { chain_id, address })
        }
        _ => Some(KmsRules::Operator),
    })
}

impl KmsBootstrap {
    /// Parses a document of its own: an object as `bootstrap_info` of GetMeta has it, with `ca_pubkey`, `k256_pubkey`, and
    /// `attestation` or `quote` and `eventlog`, all hex.
    ///
    /// # Errors
    /// An [`EvidenceError`] that names the field.
    pub fn of_text(text: &str) -> Result<Self, EvidenceError> {
        const DOCUMENT: &str = "the bootstrap evidence";
        within(DOCUMENT, text, MAX_KMS_META_BYTES)?;
        Self::of_object(&Object::document(DOCUMENT, text)?)
    }

    fn parse(value: &RawValue) -> Result<Self, EvidenceError> {
        Self::of_object(&Object::at(DOCUMENT, "bootstrap_info".to_owned(), value.get())?)
    }

    fn of_object(object: &Object<'_>) -> Result<Self, EvidenceError> {
        let key = |name: &str| match object.hex_up_to(name, MAX_KEY)? {
            Some(key) if !key.is_empty() => Ok(key),
            _ => Err(object.malformed(name, "is missing")),
        };
        let part = |name: &str| -> Result<Option<Vec<u8>>, EvidenceError> {
            Ok(object
                .hex_up_to(name, MAX_PART)?
                .filter(|bytes| !bytes.is_empty()))
        };
        let (quote, log, versioned) = (part("quote")?, part("eventlog")?, part("attestation")?);
        let attestation = Attestation::of_parts(
            quote.as_deref(),
            log.as_deref(),
            versioned.as_deref(),
            "the KMS's bootstrap evidence",
        )?
        .ok_or_else(|| object.malformed("attestation", "is missing, and so is `quote`"))?
        .map_err(|what| object.malformed("attestation", differs_from(&what.replace('_', ""))))?;
        Ok(Self {
            ca_public_key: key("ca_pubkey")?,
            k256_public_key: key("k256_pubkey")?,
            attestation,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> KmsMeta {
        KmsMeta::parse(text).unwrap()
    }

    #[test]
    fn a_chain_is_a_number_or_text_and_anything_else_is_the_operators() {
        let of = |members: &str| {
            parse(&format!(
                r#"{{"ca_cert":"x","allow_any_upgrade":false{members}}}"#
            ))
            .rules
        };
        let contract = Some(KmsRules::Contract {
            chain_id: 8453,
            address: [0x2f; 20],
        });
        let address = format!("0x{}", "2f".repeat(20));
        for chain_id in ["8453", r#""8453""#] {
            let members = format!(r#","chain_id":{chain_id},"kms_contract_address":"{address}""#);
            assert_eq!(of(&members), contract);
        }
        let bare = format!(r#","chain_id":8453,"kms_contract_address":"{}""#, "2f".repeat(20));
        assert_eq!(of(&bare), contract);
        for members in [
            format!(r#","chain_id":0,"kms_contract_address":"{address}""#),
            r#","chain_id":8453,"kms_contract_address":"phala""#.to_owned(),
            r#","chain_id":0,"kms_contract_address":"""#.to_owned(),
            format!(r#","chain_id":1,"kms_contract_address":"0x{}""#, "00".repeat(20)),
        ] {
            assert_eq!(of(&members), Some(KmsRules::Operator), "{members}");
        }
        assert_eq!(of(""), None);
        assert_eq!(of(&format!(r#","kms_contract_address":"{address}""#)), None);
        for members in [
            r#","kms_contract_address":"phala""#.to_owned(),
            format!(r#","kms_contract_address":"0x{}""#, "00".repeat(20)),
        ] {
            assert_eq!(of(&members), Some(KmsRules::Operator), "{members}");
        }
    }

    #[test]
    fn flags_are_true_or_false_and_one_must_be_there() {
        for (text, words) in [
            (r#"{"ca_cert":"x"}"#, "allow_any_upgrade"),
            (r#"{"ca_cert":"x","is_dev":"false"}"#, "true or false expected"),
            (r#"{"ca_cert":"x","is_dev":0}"#, "true or false expected"),
            (r#"{"is_dev":false}"#, "ca_cert"),
            (r#"{"ca_cert":"x","is_dev":false,"is_dev":true}"#, "is_dev"),
            (r#"{"ca_cert":"x","is_dev":false,"chain_id":"base"}"#, "chain_id"),
            ("[]", "object"),
            ("x", "JSON"),
        ] {
            let error = KmsMeta::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
        let meta = parse(
            r#"{"ca_cert":"x","allow_any_upgrade":true,"is_dev":null,"later":{"a":[1]},"os_image_verification":true}"#,
        );
        assert!(meta.allows_any_upgrade && !meta.is_development && meta.unsaid.is_none());
        for (said, unsaid) in [
            (r#""is_dev":false"#, Some("allow_any_upgrade")),
            (r#""allow_any_upgrade":false,"is_dev":null"#, Some("is_dev")),
            (r#""allow_any_upgrade":false,"is_dev":false"#, None),
            (r#""is_dev":true"#, None),
        ] {
            let meta = parse(&format!(r#"{{"ca_cert":"x",{said}}}"#));
            assert_eq!(meta.unsaid, unsaid, "{said}");
        }
        assert_eq!(meta.verifies_os_images, Some(true));
        assert!(meta.bootstrap.is_none());
    }

    #[test]
    fn bootstrap_evidence_that_cannot_be_read_leaves_the_rest_readable() {
        for bootstrap in ["{}", r#"{"ca_pubkey":"00","k256_pubkey":"00","quote":"zz"}"#, "7"] {
            let text = format!(r#"{{"ca_cert":"x","is_dev":false,"bootstrap_info":{bootstrap}}}"#);
            assert!(parse(&text).bootstrap.unwrap().is_err(), "{bootstrap}");
            assert!(KmsBootstrap::of_text(bootstrap).is_err(), "{bootstrap}");
        }
        let long = format!(r#"{{"ca_pubkey":"{}"}}"#, "00".repeat(MAX_KMS_META_BYTES));
        assert!(matches!(
            KmsBootstrap::of_text(&long),
            Err(EvidenceError::TooLarge { .. })
        ));
    }

    #[test]
    fn an_answer_has_a_limit() {
        let long = format!(r#"{{"ca_cert":"{}"}}"#, "x".repeat(MAX_KMS_META_BYTES));
        assert!(matches!(
            KmsMeta::parse(&long),
            Err(EvidenceError::TooLarge { .. })
        ));
        let deep = format!(r#"{{"ca_cert":"x","is_dev":false,"z":{}}}"#, "[".repeat(200_000));
        assert!(KmsMeta::parse(&deep).is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}", value in r#"("[0-9a-f]{0,8}"|[0-9]{1,22}|true|null|\{\}|\[\])"#) {
            let _ = KmsMeta::parse(&text);
            let _ = KmsBootstrap::of_text(&text);
            for name in ["ca_pubkey", "k256_pubkey", "quote", "eventlog", "attestation"] {
                let _ = KmsBootstrap::of_text(&format!(r#"{{"ca_pubkey":"00","{name}":{value},"k256_pubkey":"02"}}"#));
            }
            for name in ["ca_cert", "chain_id", "kms_contract_address", "is_dev", "bootstrap_info", "k256_pubkey"] {
                let _ = KmsMeta::parse(&format!(r#"{{"{name}":{value}}}"#));
                let _ = KmsMeta::parse(&format!(r#"{{"ca_cert":"x","allow_any_upgrade":false,"{name}":{value}}}"#));
            }
        }
    }
}
