//! One answer of a PCS or PCCS, taken apart without believing it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::net::Response;
use cvm_verify_core::evidence::collateral::SIGNATURE_BYTES;
use cvm_verify_core::evidence::json_problem;

/// Why an answer is not the document that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// No issuer chain came along.
    #[error("the response has no header {0} (or several)")]
    NoChain(&'static str),
    /// The issuer chain is not percent-encoded.
    #[error("header {0}: expected a percent-encoded PEM chain, found other bytes or half an escape")]
    Encoding(&'static str),
    /// The issuer chain is not PEM.
    #[error("header {0}: expected certificates in PEM (-----BEGIN CERTIFICATE-----)")]
    NotPem(&'static str),
    /// The body is not the JSON object that was expected.
    #[error("expected a JSON object with the members {member} and signature ({detail})")]
    Json {
        /// The member that holds the document.
        member: &'static str,
        /// What the parser said.
        detail: String,
    },
    /// The signature has another form.
    #[error("signature: expected 128 hex digits (64 bytes), found {0} characters")]
    Signature(usize),
    /// A revocation list in a form that we do not read.
    #[error("expected a revocation list in DER, or DER in hex; found {0} bytes of something else")]
    NotACrl(usize),
}

/// A signed JSON document and who signed it, all unproven.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignedJson {
    /// The text that the signature covers, exactly as received: serialising it again could change it.
    pub(super) text: String,
    pub(super) signature: Vec<u8>,
    /// PEM.
    pub(super) chain: String,
}

/// The names under which PCS and PCCS versions send the chain of TCB info.
const TCB_INFO_CHAIN: [&str; 2] = ["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"];
const QE_IDENTITY_CHAIN: [&str; 1] = ["SGX-Enclave-Identity-Issuer-Chain"];
const PCK_CRL_CHAIN: [&str; 1] = ["SGX-PCK-CRL-Issuer-Chain"];

pub(super) fn tcb_info(response: &Response) -> Result<SignedJson, AnswerError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow, rename = "tcbInfo")]
        document: &'a RawValue,
        signature: String,
    }
    let body: Body = json(&response.body, "tcbInfo")?;
    signed(body.document, &body.signature, chain(response, &TCB_INFO_CHAIN)?)
}

pub(super) fn qe_identity(response: &Response) -> Result<SignedJson, AnswerError> {
    #[derive(Deserialize)]
    struct Body<'a> {
        #[serde(borrow, rename = "enclaveIdentity")]
        document: &'a RawValue,
        signature: String,
    }
    let body: Body = json(&response.body, "enclaveIdentity")?;
    signed(
        body.document,
        &body.signature,
        chain(response, &QE_IDENTITY_CHAIN)?,
    )
}

/// The PCK CRL (DER) and its issuer chain (PEM).
pub(super) fn pck_crl(response: &Response) -> Result<(Vec<u8>, String), AnswerError> {
    Ok((crl(&response.body)?, chain(response, &PCK_CRL_CHAIN)?))
}

/// A revocation list in DER, from DER or from hex text: Intel sends the former, a PCCS often the latter.
pub(super) fn crl(body: &[u8]) -> Result<Vec<u8>, AnswerError> {
    if is_der_sequence(body) {
        return Ok(body.to_vec());
    }
    match hex::decode(body.trim_ascii()) {
        Ok(der) if is_der_sequence(&der) => Ok(der),
        _ => Err(AnswerError::NotACrl(body.len())),
    }
}

/// Exactly one DER SEQUENCE, nothing after it.
fn is_der_sequence(bytes: &[u8]) -> bool {
    use der::{Decode, Tag, Tagged, asn1::AnyRef};
    AnyRef::from_der(bytes).is_ok_and(|any| any.tag() == Tag::Sequence)
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8], member: &'static str) -> Result<T, AnswerError> {
    serde_json::from_slice(body).map_err(|error| AnswerError::Json {
        member,
        detail: json_problem(&error),
    })
}

fn signed(document: &RawValue, signature: &str, chain: String) -> Result<SignedJson, AnswerError> {
    let bytes = hex::decode(signature).ok();
    let signature = bytes
        .filter(|bytes| bytes.len() == SIGNATURE_BYTES)
        .ok_or(AnswerError::Signature(signature.chars().count()))?;
    Ok(SignedJson {
        text: document.get().to_owned(),
        signature,
        chain,
    })
}

fn chain(response: &Response, names: &'static [&'static str]) -> Result<String, AnswerError> {
    let found = names
        .iter()
        .find_map(|name| response.header(name).map(|value| (*name, value)));
    let Some((header, value)) = found else {
        return Err(AnswerError::NoChain(names.first().copied().unwrap_or_default()));
    };
    // PEM is ASCII and has no `%`: one that is left is half an escape.
    let pem = percent_encoding::percent_decode_str(value)
        .decode_utf8()
        .ok()
        .filter(|pem| pem.is_ascii() && !pem.contains('%'))
        .ok_or(AnswerError::Encoding(header))?;
    if !pem.trim_start().starts_with("-----BEGIN CERTIFICATE-----") {
        return Err(AnswerError::NotPem(header));
    }
    Ok(pem.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collateral::fake;
    use proptest::prelude::*;

    fn response(headers: &[(&'static str, &str)], body: &[u8]) -> Response {
        Response::with(200, headers, body)
    }

    const CHAIN: (&str, &str) = (
        "TCB-Info-Issuer-Chain",
        "-----BEGIN%20CERTIFICATE-----%0AAA%2BA%0A",
    );

    #[test]
    fn the_documents_text_is_taken_as_it_stands() {
        let body = format!(
            r#" {{"signature":"{}", "tcbInfo" : {{ "b":1.0, "a":"\u00e9" }} }} "#,
            "AB".repeat(64)
        );
        let found = tcb_info(&response(&[CHAIN], body.as_bytes())).expect("TCB info");
        assert_eq!(found.text, r#"{ "b":1.0, "a":"\u00e9" }"#);
        assert_eq!(found.signature, [0xab; 64]);
        assert_eq!(found.chain, "-----BEGIN CERTIFICATE-----\nAA+A\n");
    }

    #[test]
    fn the_older_header_name_is_read_too() {
        let older = ("SGX-TCB-Info-Issuer-Chain", CHAIN.1);
        assert!(tcb_info(&response(&[older], fake::TCB_INFO_ANSWER.as_bytes())).is_ok());
    }

    #[test]
    fn each_fault_of_an_answer_has_its_name() {
        let good = fake::TCB_INFO_ANSWER;
        let fault = |headers: &[(&'static str, &str)], body: &str| {
            tcb_info(&response(headers, body.as_bytes())).expect_err("a fault")
        };
        assert_eq!(fault(&[], good), AnswerError::NoChain("TCB-Info-Issuer-Chain"));
        assert_eq!(
            fault(&[CHAIN, CHAIN], good),
            AnswerError::NoChain("TCB-Info-Issuer-Chain")
        );
        assert_eq!(fault(&[(CHAIN.0, "hello")], good), AnswerError::NotPem(CHAIN.0));
        assert!(matches!(
            fault(&[(CHAIN.0, "%4")], good),
            AnswerError::Encoding(_)
        ));
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"tcbInfo":{}}"#,
            r#"{"tcbInfo":{},"tcbInfo":{},"signature":""}"#,
        ] {
            assert!(
                matches!(
                    fault(&[CHAIN], body),
                    AnswerError::Json {
                        member: "tcbInfo",
                        ..
                    }
                ),
                "{body}"
            );
        }
        assert_eq!(
            fault(&[CHAIN], r#"{"tcbInfo":{},"signature":"abcd"}"#),
            AnswerError::Signature(4)
        );
        let long = format!(r#"{{"tcbInfo":{{}},"signature":"0x{}"}}"#, "a".repeat(126));
        assert_eq!(fault(&[CHAIN], &long), AnswerError::Signature(128));
    }

    #[test]
    fn a_crl_is_read_from_der_and_from_hex_and_from_nothing_else() {
        let der = [0x30, 0x02, 0x05, 0x00];
        assert_eq!(crl(&der), Ok(der.to_vec()));
        assert_eq!(crl(b"30020500\n"), Ok(der.to_vec()));
        for other in [
            &b""[..],
            b"3002050",
            b"hello",
            &[0x30, 0x03, 5, 0],
            &[0x30, 2, 5, 0, 0],
            &[4, 0],
        ] {
            assert_eq!(crl(other), Err(AnswerError::NotACrl(other.len())));
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let answer = response(&[CHAIN], &body);
            let _ = (tcb_info(&answer), qe_identity(&answer), pck_crl(&answer));
        }
    }
}
