//! The signature data: who vouches for the report (Intel TDX DCAP Quoting Library API, A.3).

use dcap_qvl::quote::{AuthData, Quote};

use crate::inspect::opened::Opened;
use crate::inspect::page::{Page, short_hex};
use cvm_verify_core::verify::digest::sha256;
use cvm_verify_core::verify::little_endian::u16_at;

/// MRSIGNER of Intel's quoting enclaves, SHA-256 of their signing key. Intel's QE identity names the same value.
const INTEL_QE_SIGNER: &str = "dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5";

pub(super) fn show(page: &mut Page, opened: &Opened<'_>) {
    if let Some((start, length)) = opened.extents.signature {
        let there = opened.quote.len().saturating_sub(start);
        page.field("Length", format!("{length} bytes"));
        if length > there {
            page.mark(format!("Only {there} bytes are there: the quote was cut."));
        }
        trailing(
            page,
            opened
                .quote
                .get(start.saturating_add(length)..)
                .unwrap_or_default(),
        );
    }
    let data = match Quote::parse(opened.quote) {
        Ok(Quote {
            auth_data: AuthData::V4(data),
            ..
        }) => data,
        Ok(_) => {
            page.field("Signature data", "that of an SGX quote");
            return;
        }
        Err(error) => {
            page.field("Signature data", "cannot be read")
                .mark(error.to_string());
            return;
        }
    };
    page.field("Signature", short_hex(&data.ecdsa_signature))
        .note("ECDSA over header and TD report, by the attestation key. `inspect` does not verify it.");
    page.field("Attestation key", hex::encode(data.ecdsa_attestation_key))
        .note("Made by the quoting enclave on the host. The enclave's report vouches for it.");
    let qe = &data.qe_report_data;
    let bound = sha256(&[&data.ecdsa_attestation_key[..], &qe.qe_auth_data.data].concat());
    let expected = [bound, [0; 32]].concat();
    let report = &qe.qe_report[..];
    page.field("QE report data", report.get(320..384).map(short_hex).unwrap_or_default())
        .note_if(report.get(320..384) == Some(&expected[..]), "The SHA-256 of the attestation key and the authentication data, as it must be.", "Not the SHA-256 of the attestation key and the authentication data: the enclave vouches for another key.");
    let signer = report.get(128..160).map(hex::encode).unwrap_or_default();
    page.field("QE MRSIGNER", &signer).note_if(
        signer == INTEL_QE_SIGNER,
        "Who signed the quoting enclave: Intel's value.",
        "Who signed the quoting enclave: not Intel's value.",
    );
    page.field(
        "QE MRENCLAVE",
        report.get(64..96).map(hex::encode).unwrap_or_default(),
    )
    .note("Which quoting enclave it is. Intel names the signer, product and version, not this value.");
    if let (Some(product), Some(version)) = (u16_at(report, 256), u16_at(report, 258)) {
        page.field("QE product, version", format!("{product}, {version}"))
            .note(
                "ISVPRODID and ISVSVN. The QE identity in the collateral says which versions are up to date.",
            );
    }
    page.field("Authentication data", short_hex(&qe.qe_auth_data.data))
        .note(format!(
            "{} bytes, usually 32: 00, 01, … 1f.",
            qe.qe_auth_data.data.len()
        ));
    let certification = &qe.certification_data;
    page.field(
        "Certification data",
        format!(
            "type {}, {} bytes",
            certification.cert_type,
            certification.body.data.len()
        ),
    )
    .note(match certification.cert_type {
        5 => "The certificate chain of the platform, shown below.",
        1..=3 => {
            "The platform's provisioning id instead of its certificate: the collateral must bring the chain."
        }
        _ => "An unusual type: 5, a certificate chain, is what clouds send.",
    });
}

fn trailing(page: &mut Page, tail: &[u8]) {
    let zero = tail.iter().all(|byte| *byte == 0);
    page.field("Trailing bytes", tail.len()).note_if(
        zero,
        "Padding of the buffer that the quote was made in. Real quotes have 70 to over 3,000 zeros.",
        "They are not all zero. They are not signed, and `verify` refuses such a quote.",
    );
}
