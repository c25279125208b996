//! Collateral as a JSON document: `--collateral` files and the member of an evidence bundle.
//!
//! The form is dcap-qvl's: texts as strings, byte fields as hex strings.

use dcap_qvl::QuoteCollateralV3;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::excerpt::json_problem;

/// Largest document, and largest sum of the four, in bytes: 1 MiB (docs/threats.md, T48).
#[doc(hidden)]
pub const MAX_BYTES: usize = 1024 * 1024;

/// Bytes of a signature over TCB info or QE identity: `r` and `s` of ECDSA over P-256, 32 bytes each.
#[doc(hidden)]
pub const SIGNATURE_BYTES: usize = 64;

/// Why a document is not collateral.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Larger than is read.
    #[error("the collateral is {found} bytes long; at most {MAX_BYTES} are read")]
    TooLarge {
        /// Its length, bytes.
        found: usize,
    },
    /// Not a JSON object with the fields of collateral.
    #[error("the collateral is not a QuoteCollateralV3 JSON object: {detail}")]
    Json {
        /// What the parser said, with line and column.
        detail: String,
    },
    /// A field is not there, as where another tool recorded no revocation lists.
    #[error("the collateral has no field {field}, so the {document} is missing")]
    Missing {
        /// The field.
        field: &'static str,
        /// What it holds.
        document: &'static str,
    },
    /// A byte field in another tool's form.
    #[error(
        "collateral field {field} is a list of numbers; expected one string of hex digits (convert it, for example with bytes(LIST).hex() in Python)"
    )]
    NumberList {
        /// The field.
        field: &'static str,
    },
    /// A byte field that is not hex.
    #[error("collateral field {field}: expected a string of hex digits without 0x, two for each byte")]
    NotHex {
        /// The field.
        field: &'static str,
    },
    /// A signature of another length.
    #[error("collateral field {field}: expected {expected} bytes, found {found}")]
    Length {
        /// The field.
        field: &'static str,
        /// Bytes wanted.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
}

/// The document's fields, byte fields untyped so that each fault can be named. Unknown fields are ignored; a field that
/// comes twice is refused.
#[derive(Deserialize)]
struct CollateralFields {
    pck_crl_issuer_chain: Option<String>,
    root_ca_crl: Option<Value>,
    pck_crl: Option<Value>,
    tcb_info_issuer_chain: Option<String>,
    tcb_info: Option<String>,
    tcb_info_signature: Option<Value>,
    qe_identity_issuer_chain: Option<String>,
    qe_identity: Option<String>,
    qe_identity_signature: Option<Value>,
    #[serde(default)]
    pck_certificate_chain: Option<String>,
}

/// Reads collateral from JSON text. Nothing is proven by that.
///
/// # Errors
/// [`FileError`], which names the field.
pub fn parse(json: &[u8]) -> Result<QuoteCollateralV3, FileError> {
    if json.len() > MAX_BYTES {
        return Err(FileError::TooLarge { found: json.len() });
    }
    let fields: CollateralFields = serde_json::from_slice(json).map_err(|error| FileError::Json {
        detail: json_problem(&error),
    })?;
    let crl = |field, document, value: Option<Value>| bytes(field, &there(field, document, value)?);
    let signed = |field, document, value: Option<Value>| signature(field, &there(field, document, value)?);
    Ok(QuoteCollateralV3 {
        root_ca_crl: crl("root_ca_crl", "root CA CRL", fields.root_ca_crl)?,
        pck_crl: crl("pck_crl", "PCK CRL", fields.pck_crl)?,
        pck_crl_issuer_chain: there(
            "pck_crl_issuer_chain",
            "issuer chain of the PCK CRL",
            fields.pck_crl_issuer_chain,
        )?,
        tcb_info: there("tcb_info", "TCB info", fields.tcb_info)?,
        tcb_info_signature: signed(
            "tcb_info_signature",
            "signature of the TCB info",
            fields.tcb_info_signature,
        )?,
        tcb_info_issuer_chain: there(
            "tcb_info_issuer_chain",
            "issuer chain of the TCB info",
            fields.tcb_info_issuer_chain,
        )?,
        qe_identity: there("qe_identity", "QE identity", fields.qe_identity)?,
        qe_identity_signature: signed(
            "qe_identity_signature",
            "signature of the QE identity",
            fields.qe_identity_signature,
        )?,
        qe_identity_issuer_chain: there(
            "qe_identity_issuer_chain",
            "issuer chain of the QE identity",
            fields.qe_identity_issuer_chain,
        )?,
        pck_certificate_chain: fields.pck_certificate_chain,
    })
}

/// `collateral` in the form that [`parse`] reads: `serde_json::to_value(document(&collateral))`. Hex in lower case.
#[doc(hidden)]
pub fn document(collateral: &QuoteCollateralV3) -> CollateralDocument<'_> {
    CollateralDocument {
        pck_crl_issuer_chain: &collateral.pck_crl_issuer_chain,
        root_ca_crl: hex::encode(&collateral.root_ca_crl),
        pck_crl: hex::encode(&collateral.pck_crl),
        tcb_info_issuer_chain: &collateral.tcb_info_issuer_chain,
        tcb_info: &collateral.tcb_info,
        tcb_info_signature: hex::encode(&collateral.tcb_info_signature),
        qe_identity_issuer_chain: &collateral.qe_identity_issuer_chain,
        qe_identity: &collateral.qe_identity,
        qe_identity_signature: hex::encode(&collateral.qe_identity_signature),
        pck_certificate_chain: collateral.pck_certificate_chain.as_deref(),
    }
}

/// Collateral ready to be serialised. Our own struct, so that the form of a bundle does not follow a dependency's.
#[doc(hidden)]
#[derive(Debug, Clone, Serialize)]
pub struct CollateralDocument<'a> {
    pck_crl_issuer_chain: &'a str,
    root_ca_crl: String,
    pck_crl: String,
    tcb_info_issuer_chain: &'a str,
    tcb_info: &'a str,
    tcb_info_signature: String,
    qe_identity_issuer_chain: &'a str,
    qe_identity: &'a str,
    qe_identity_signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pck_certificate_chain: Option<&'a str>,
}

fn there<T>(field: &'static str, document: &'static str, value: Option<T>) -> Result<T, FileError> {
    value.ok_or(FileError::Missing { field, document })
}

fn bytes(field: &'static str, value: &Value) -> Result<Vec<u8>, FileError> {
    match value {
        Value::String(text) => hex::decode(text).map_err(|_| FileError::NotHex { field }),
        Value::Array(_) => Err(FileError::NumberList { field }),
        _ => Err(FileError::NotHex { field }),
    }
}

fn signature(field: &'static str, value: &Value) -> Result<Vec<u8>, FileError> {
    let bytes = bytes(field, value)?;
    if bytes.len() != SIGNATURE_BYTES {
        return Err(FileError::Length {
            field,
            expected: SIGNATURE_BYTES,
            found: bytes.len(),
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn sample() -> QuoteCollateralV3 {
        let chain = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        QuoteCollateralV3 {
            pck_crl_issuer_chain: chain.into(),
            root_ca_crl: vec![0x30, 0],
            pck_crl: vec![0x30, 0],
            tcb_info_issuer_chain: chain.into(),
            tcb_info: r#"{"id":"TDX"}"#.into(),
            tcb_info_signature: vec![0; 64],
            qe_identity_issuer_chain: chain.into(),
            qe_identity: r#"{"id":"TD_QE"}"#.into(),
            qe_identity_signature: vec![1; 64],
            pck_certificate_chain: None,
        }
    }

    fn good() -> Value {
        serde_json::to_value(document(&sample())).expect("JSON")
    }

    fn with(field: &str, value: Value) -> Result<QuoteCollateralV3, FileError> {
        let mut json = good();
        json[field] = value;
        parse(json.to_string().as_bytes())
    }

    #[test]
    fn a_document_comes_back_as_it_was_and_unknown_fields_are_ignored() {
        assert_eq!(with("comment", json!("hello")), Ok(sample()));
        let mut all = sample();
        all.pck_certificate_chain = Some("chain".into());
        let text = serde_json::to_vec(&document(&all)).expect("JSON");
        assert_eq!(parse(&text), Ok(all));
    }

    #[test]
    fn the_form_is_dcap_qvls_own() {
        let theirs = serde_json::to_value(sample()).expect("JSON");
        assert_eq!(good(), theirs);
    }

    #[test]
    fn a_list_of_numbers_is_named_for_what_it_is() {
        let error = with("root_ca_crl", json!([48, 130])).expect_err("a list");
        assert_eq!(error, FileError::NumberList { field: "root_ca_crl" });
        assert!(error.to_string().contains("hex"));
    }

    #[test]
    fn each_other_fault_names_its_field() {
        for odd in [json!("0x30"), json!("3"), json!("zz"), json!(7), json!({})] {
            assert_eq!(with("pck_crl", odd), Err(FileError::NotHex { field: "pck_crl" }));
        }
        let missing = FileError::Missing {
            field: "pck_crl",
            document: "PCK CRL",
        };
        assert_eq!(with("pck_crl", json!(null)), Err(missing.clone()));
        let mut without = good();
        without.as_object_mut().expect("an object").remove("pck_crl");
        assert_eq!(parse(without.to_string().as_bytes()), Err(missing));
        let length = FileError::Length {
            field: "tcb_info_signature",
            expected: 64,
            found: 2,
        };
        assert_eq!(with("tcb_info_signature", json!("abcd")), Err(length));
        assert!(matches!(with("tcb_info", json!({})), Err(FileError::Json { .. })));
        let text = good().to_string();
        let twice = text.replacen('{', r#"{"tcb_info":"","#, 1);
        let Err(FileError::Json { detail }) = parse(twice.as_bytes()) else {
            panic!("a duplicate field passed")
        };
        assert!(detail.contains("`tcb_info` occurs twice"), "{detail}");
        let found = MAX_BYTES + 1;
        assert_eq!(parse(&vec![b' '; found]), Err(FileError::TooLarge { found }));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(parse(&text).is_err());
        }

        #[test]
        fn no_mutation_of_a_document_panics(at in 0usize..1000, byte: u8) {
            let mut text = good().to_string().into_bytes();
            let at = at % text.len();
            text[at] = byte;
            let _ = parse(&text);
        }
    }
}
