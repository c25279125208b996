//! A PCCS on loopback with tiny documents, for tests. Nothing it serves is signed.

use dcap_qvl::QuoteCollateralV3;
use url::Url;

use crate::net::loopback::{self, RequestLog, answer};
use cvm_verify_core::evidence::collateral;

/// A body of the TCB info endpoint: an object, and 64 zero bytes for a signature.
pub(crate) const TCB_INFO_ANSWER: &str = concat!(
    r#"{"tcbInfo":{"id":"TDX", "fmspc":"b0c06f000000"},"signature":""#,
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    r#""}"#
);

/// An issuer chain as a header carries it.
pub(crate) const CHAIN_HEADER: &str = "-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----%0A";

/// The same, decoded.
pub(crate) const CHAIN_PEM: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

/// The smallest thing that looks like a CRL from outside: SEQUENCE { NULL }.
pub(crate) const CRL: [u8; 4] = [0x30, 0x02, 0x05, 0x00];

/// What the fake PCCS serves, put together.
pub(crate) fn collateral() -> QuoteCollateralV3 {
    QuoteCollateralV3 {
        pck_crl_issuer_chain: CHAIN_PEM.into(),
        root_ca_crl: CRL.to_vec(),
        pck_crl: CRL.to_vec(),
        tcb_info_issuer_chain: CHAIN_PEM.into(),
        tcb_info: r#"{"id":"TDX", "fmspc":"b0c06f000000"}"#.into(),
        tcb_info_signature: vec![0; 64],
        qe_identity_issuer_chain: CHAIN_PEM.into(),
        qe_identity: r#"{ "id":"TD_QE" }"#.into(),
        qe_identity_signature: vec![1; 64],
        pck_certificate_chain: None,
    }
}

/// What an honest PCCS answers to the request target.
pub(crate) fn honest(target: &str) -> Vec<u8> {
    let path = target.split('?').next().unwrap_or_default();
    match path {
        "/tdx/certification/v4/tcb" => answer(
            200,
            &[("TCB-Info-Issuer-Chain", CHAIN_HEADER)],
            TCB_INFO_ANSWER.as_bytes(),
        ),
        "/tdx/certification/v4/qe/identity" => {
            let body = format!(
                r#"{{"enclaveIdentity":{{ "id":"TD_QE" }},"signature":"{}"}}"#,
                "01".repeat(64)
            );
            answer(
                200,
                &[("SGX-Enclave-Identity-Issuer-Chain", CHAIN_HEADER)],
                body.as_bytes(),
            )
        }
        "/sgx/certification/v4/pckcrl" => answer(200, &[("SGX-PCK-CRL-Issuer-Chain", CHAIN_HEADER)], &CRL),
        "/sgx/certification/v4/rootcacrl" => answer(200, &[], hex::encode(CRL).as_bytes()),
        _ => answer(404, &[], b""),
    }
}

/// An honest PCCS, and what it was asked.
pub(crate) async fn pccs() -> (Url, RequestLog) {
    loopback::routes(honest).await
}

/// Collateral recorded from real hardware (see the vectors' README), or `None` where it is not present.
pub(crate) fn recorded() -> Option<QuoteCollateralV3> {
    let json = simulator::recorded::bytes("near-mpc-0.5.8/collateral.json")?;
    Some(collateral::parse(&json).expect("recorded collateral parses"))
}

/// A PCCS that serves `collateral` as Intel's does: JSON with the signed text inside, chains percent-encoded.
pub(crate) async fn pccs_with(collateral: QuoteCollateralV3) -> Url {
    loopback::routes(serving(collateral)).await.0
}

/// The answers of such a PCCS.
pub(crate) fn serving(collateral: QuoteCollateralV3) -> impl Fn(&str) -> Vec<u8> + Send + Sync + 'static {
    let encoded = |pem: &str| -> String { pem.bytes().map(|byte| format!("%{byte:02X}")).collect() };
    let signed = |member: &str, text: &str, signature: &[u8]| {
        let signature = hex::encode(signature);
        format!(r#"{{"{member}":{text},"signature":"{signature}"}}"#).into_bytes()
    };
    let tcb_chain = encoded(&collateral.tcb_info_issuer_chain);
    let qe_chain = encoded(&collateral.qe_identity_issuer_chain);
    let crl_chain = encoded(&collateral.pck_crl_issuer_chain);
    let tcb = signed("tcbInfo", &collateral.tcb_info, &collateral.tcb_info_signature);
    let qe = signed(
        "enclaveIdentity",
        &collateral.qe_identity,
        &collateral.qe_identity_signature,
    );
    move |target: &str| match target {
        _ if target.contains("/tcb?") => answer(200, &[("TCB-Info-Issuer-Chain", &tcb_chain)], &tcb),
        _ if target.contains("/qe/") => answer(200, &[("SGX-Enclave-Identity-Issuer-Chain", &qe_chain)], &qe),
        _ if target.contains("/pckcrl") => answer(
            200,
            &[("SGX-PCK-CRL-Issuer-Chain", &crl_chain)],
            &collateral.pck_crl,
        ),
        _ => answer(200, &[], hex::encode(&collateral.root_ca_crl).as_bytes()),
    }
}
