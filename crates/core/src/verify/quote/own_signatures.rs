//! What a quote proves of itself, without collateral: its signatures, from the trusted root down to the TD report.
//!
//! A quote that fails here is forged or damaged whatever the collateral says, and whether there is any. Without this step
//! a forger could name a platform that Intel does not know, and be called "not determined" for lack of collateral.
//!
//! Each step looks at what dcap-qvl looks at, too, and holds wherever that holds: an acceptance comes from dcap-qvl.
//! Signatures are remembered (`signatures`), so that none is computed twice.

use std::sync::Arc;

use dcap_qvl::intel::{PckExtension, extract_cert_chain, parse_pck_extension};
use dcap_qvl::quote::{AuthData, AuthDataV4, Quote};

use super::attributes;
use super::certificate::{Broken, Certificate, MAX_CERTIFICATES, path, raw_signature_holds};
use super::layout::QuoteLayout;
use super::qe_report::QeReport;
use super::shorter_chains::certificates;
use crate::recent::Recent;
use crate::verify::digest::sha256;
use crate::verify::{QuoteRefusal, TrustRoot};

/// Bytes of the authentication data next to the attestation key; dcap-qvl accepts no other length.
const AUTHENTICATION_DATA: usize = 32;

/// Certification data that is a PCK certificate chain in PEM (Intel TDX DCAP Quoting Library API, A.3).
const PCK_CHAIN: u16 = 5;

/// A quote whose own signatures hold. Whether the platform is patched or revoked, and all dates, are not looked at.
pub(super) struct SelfProven {
    /// The quote, parsed.
    pub quote: Quote,
    /// The report of the quoting enclave.
    pub qe: QeReport,
    /// The machine: its certificate chain up to the trusted root. Absent where the quote brings none; then the report of
    /// the quoting enclave is not proven.
    pub machine: Option<Arc<Machine>>,
}

/// The machine's certificates, which chain up to the trusted root.
pub(super) struct Machine {
    /// The PCK certificate.
    pub pck: Certificate,
    /// The certificate authority that issued it.
    pub ca: Certificate,
    /// What the PCK certificate says of the machine.
    pub extension: PckExtension,
}

/// Checks everything that needs no collateral, in the order in which one thing relies on the other.
pub(super) fn check(bytes: &[u8], layout: QuoteLayout, root: &TrustRoot) -> Result<SelfProven, QuoteRefusal> {
    let quote = Quote::parse(bytes)
        .map_err(|error| QuoteRefusal::Malformed(format!("it cannot be parsed: {}", for_people(&error))))?;
    let AuthData::V4(signature_data) = &quote.auth_data else {
        return Err(QuoteRefusal::Malformed(
            "its signature data is not that of a TDX quote".to_owned(),
        ));
    };
    let qe = QeReport::of(&signature_data.qe_report_data.qe_report).ok_or_else(|| {
        QuoteRefusal::Malformed("it ends inside the report of its quoting enclave".to_owned())
    })?;
    let machine = machine(&quote, root)?;
    if let Some(machine) = &machine {
        vouched_for(signature_data, &machine.pck)?;
    }
    key_is_bound(signature_data, &qe)?;
    quote_is_signed(signature_data, layout.signed_part(bytes))?;
    if let Some(refusal) = attributes::refused(&quote) {
        return Err(refusal);
    }
    Ok(SelfProven { quote, qe, machine })
}

fn refused<T>(why: impl Into<String>) -> Result<T, QuoteRefusal> {
    Err(QuoteRefusal::NotVerified(why.into()))
}

/// Machines whose chain leads to the trusted root, by the chain's bytes and the root. Dates are not looked at here.
static MACHINES: Recent<(Vec<u8>, Vec<u8>), Arc<Machine>> = Recent::new();

/// The machine's certificate chain, which the quote carries, up to the trusted root.
fn machine(quote: &Quote, root: &TrustRoot) -> Result<Option<Arc<Machine>>, QuoteRefusal> {
    if quote.inner_cert_type() != PCK_CHAIN {
        return Ok(None);
    }
    let input = (quote.inner_cert_data().to_vec(), root.der().to_vec());
    let bytes = input.0.len();
    let machine = MACHINES.of(input, bytes, |_| chained(quote, root).map(Arc::new));
    machine.map(Some)
}

/// The machine that the chain of a quote names, where it leads to the trusted root.
fn chained(quote: &Quote, root: &TrustRoot) -> Result<Machine, QuoteRefusal> {
    let plain = str::from_utf8(quote.inner_cert_data())
        .ok()
        .and_then(certificates);
    let chain = plain.unwrap_or_else(|| extract_cert_chain(quote).unwrap_or_default());
    if chain.len() > MAX_CERTIFICATES {
        return refused(format!(
            "its certificate chain has {} certificates; Intel's has 3",
            chain.len()
        ));
    }
    let mut certificates = chain.iter().map(|der| Certificate::of_der(der));
    let Some(Some(pck)) = certificates.next() else {
        return refused("its PCK certificate cannot be read");
    };
    let others: Vec<Certificate> = certificates.flatten().collect();
    machine_of(pck, &others, root)
}

/// The machine that a PCK certificate names, where the certificate chains up to the trusted root.
pub(super) fn machine_of(
    pck: Certificate,
    others: &[Certificate],
    root: &TrustRoot,
) -> Result<Machine, QuoteRefusal> {
    let Some(root_certificate) = Certificate::of_der(root.der()) else {
        return refused("the trusted root certificate cannot be read");
    };
    let ca = match path(&pck, others, &root_certificate) {
        Ok(path) => path.get(1).map_or(&root_certificate, |ca| *ca).clone(),
        Err(Broken::OtherRoot) => return Err(QuoteRefusal::OtherRoot(other_root(root))),
        Err(Broken::NoIssuer) => {
            return refused(
                "its certificate chain is incomplete: the issuer of one of its certificates is missing",
            );
        }
        Err(Broken::Signature) => {
            return refused("a signature in its certificate chain does not verify");
        }
    };
    match parse_pck_extension(pck.der()) {
        Ok(extension) => Ok(Machine { pck, ca, extension }),
        Err(_) => refused("its first certificate is not a PCK certificate: it does not name a platform"),
    }
}

/// What to say of a chain that ends in another root than the trusted one.
const fn other_root(root: &TrustRoot) -> &'static str {
    match root {
        TrustRoot::Intel => {
            "its certificate chain ends in a root that is not Intel's root, so it is a simulation or a forgery"
        }
        TrustRoot::Custom(_) => {
            "its certificate chain ends in another root than the one that --insecure-trust-root names"
        }
    }
}

/// The PCK key signed the report of the quoting enclave.
fn vouched_for(signature_data: &AuthDataV4, pck: &Certificate) -> Result<(), QuoteRefusal> {
    if is_vouched_for(signature_data, pck) {
        return Ok(());
    }
    refused(
        "the machine's certificate does not vouch for its quoting enclave: the signature of the enclave's report does not fit, \
         so it is forged or damaged",
    )
}

/// Whether the key of a PCK certificate signed the report of the quoting enclave.
pub(super) fn is_vouched_for(signature_data: &AuthDataV4, pck: &Certificate) -> bool {
    let report = &signature_data.qe_report_data;
    raw_signature_holds(pck.key(), &report.qe_report, &report.qe_report_signature)
}

/// The quoting enclave vouches for the attestation key: its report data is SHA-256(key ‖ authentication data) ‖ 0³².
fn key_is_bound(signature_data: &AuthDataV4, qe: &QeReport) -> Result<(), QuoteRefusal> {
    let authentication = &signature_data.qe_report_data.qe_auth_data.data;
    if authentication.len() != AUTHENTICATION_DATA {
        return refused(format!(
            "its authentication data is {} bytes; {AUTHENTICATION_DATA} expected",
            authentication.len()
        ));
    }
    let bound = [&signature_data.ecdsa_attestation_key[..], authentication].concat();
    if sha256(&bound) != qe.key_hash {
        return refused("its attestation key is not the one that the quoting enclave vouches for");
    }
    // Intel's quoting enclave leaves the second half zero; dcap-qvl does not look at it.
    if qe.tail != [0; 32] {
        return refused("the quoting enclave's report data has an unexpected tail");
    }
    Ok(())
}

/// The attestation key signed header and body.
fn quote_is_signed(signature_data: &AuthDataV4, signed_part: &[u8]) -> Result<(), QuoteRefusal> {
    let key = [&[4][..], &signature_data.ecdsa_attestation_key].concat();
    if raw_signature_holds(&key, signed_part, &signature_data.ecdsa_signature) {
        return Ok(());
    }
    refused("its signature does not fit what it signs, so it is forged or damaged")
}

/// dcap-qvl's message for people, bounded. Rendering escapes it.
pub(super) fn for_people(error: &anyhow::Error) -> String {
    format!("{error:#}").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use simulator::{Cvm, World};

    use super::*;

    #[test]
    fn a_quoting_enclave_is_vouched_for_by_the_machine_that_signed_its_report() {
        let world = World::default();
        let mut quote = Quote::parse(&Cvm::healthy(&world).quote_bytes("")).unwrap();
        let pck = Certificate::of_der(&world.certificate_der(simulator::Certificate::Pck)).unwrap();
        let AuthData::V4(data) = &mut quote.auth_data else {
            panic!("a quote of another version");
        };
        assert_eq!(vouched_for(data, &pck), Ok(()));
        data.qe_report_data.qe_report[0] ^= 1;
        let says = vouched_for(data, &pck).unwrap_err().to_string();
        assert!(says.contains("does not vouch for its quoting enclave"), "{says}");
    }

    #[test]
    fn a_chain_is_read_up_to_its_limit() {
        let world = World::default();
        let root = TrustRoot::custom(world.root_pem().as_bytes()).unwrap();
        let of = |more: usize| {
            let mut quote = Quote::parse(&Cvm::healthy(&world).quote_bytes("")).unwrap();
            let AuthData::V4(data) = &mut quote.auth_data else {
                panic!("a quote of another version");
            };
            let chain = world.pck_chain_pem() + &world.root_pem().repeat(more);
            data.qe_report_data.certification_data.body.data = chain.into_bytes();
            chained(&quote, &root).map(drop)
        };
        assert_eq!(of(MAX_CERTIFICATES - 3), Ok(()));
        let too_many = "its certificate chain has 6 certificates; Intel's has 3".to_owned();
        assert_eq!(of(MAX_CERTIFICATES - 2), Err(QuoteRefusal::NotVerified(too_many)));
    }
}
