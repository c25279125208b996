//! Where the parts of a quote and of collateral lie, and how to change a bit in one of them.

use std::ops::Range;

use dcap_qvl::QuoteCollateralV3;

/// The parts of a TDX quote, by offset (TDX DCAP quote library, version 4 and 5).
pub struct QuoteParts {
    /// Header, and for version 5 the body's type and size, and the TD report.
    pub signed: Range<usize>,
    /// The attestation key's signature over it, `r ‖ s`.
    pub signature: Range<usize>,
    /// The attestation key, `x ‖ y`.
    pub attestation_key: Range<usize>,
    /// The quoting enclave's report.
    pub qe_report: Range<usize>,
    /// The PCK's signature over it, `r ‖ s`.
    pub qe_report_signature: Range<usize>,
    /// The authentication data that the report vouches for beside the key.
    pub authentication: Range<usize>,
    /// The PCK certificate chain, PEM.
    pub chain: Range<usize>,
}

impl QuoteParts {
    /// Reads the offsets of a well-formed quote.
    pub fn of(quote: &[u8]) -> Self {
        let number = |at: usize, bytes: usize| {
            quote[at..at + bytes]
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | usize::from(*byte))
        };
        let signed = match number(0, 2) {
            4 => 48 + 584,
            _ => 48 + 6 + number(50, 4),
        };
        let signature = signed + 4;
        let qe_report = signature + 64 + 64 + 6;
        let authentication = qe_report + 384 + 64 + 2;
        let authentication_end = authentication + number(authentication - 2, 2);
        let chain = authentication_end + 6;
        Self {
            signed: 0..signed,
            signature: signature..signature + 64,
            attestation_key: signature + 64..signature + 128,
            qe_report: qe_report..qe_report + 384,
            qe_report_signature: qe_report + 384..qe_report + 448,
            authentication: authentication..authentication_end,
            chain: chain..chain + number(chain - 4, 4),
        }
    }

    /// Everything but the chain, which is text, by name.
    pub fn binary(&self) -> [(&'static str, Range<usize>); 6] {
        [
            ("signed part", self.signed.clone()),
            ("signature", self.signature.clone()),
            ("attestation key", self.attestation_key.clone()),
            ("QE report", self.qe_report.clone()),
            ("QE report signature", self.qe_report_signature.clone()),
            ("authentication data", self.authentication.clone()),
        ]
    }
}

/// The bytes with one bit changed.
pub fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

/// The certificates of a PEM chain, DER, leaf first.
pub fn certificates(pem: &str) -> Vec<Vec<u8>> {
    let pem = pem.trim_end_matches('\0');
    x509_cert::Certificate::load_pem_chain(pem.trim().as_bytes()).unwrap();
    pem.split("-----BEGIN CERTIFICATE-----")
        .skip(1)
        .map(|block| {
            let (label_free, _) = block.split_once("-----END").unwrap();
            let text: String = label_free.split_whitespace().collect();
            base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text).unwrap()
        })
        .collect()
}

/// Certificates as a PEM chain.
pub fn pem(certificates: &[Vec<u8>]) -> String {
    let block = |der: &Vec<u8>| {
        let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        let lines: Vec<&str> = (0..text.len())
            .step_by(64)
            .map(|at| &text[at..text.len().min(at + 64)])
            .collect();
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            lines.join("\n")
        )
    };
    certificates.iter().map(block).collect()
}

/// The chain of a quote, PEM.
pub fn chain_of(quote: &[u8]) -> String {
    String::from_utf8(quote[QuoteParts::of(quote).chain].to_vec()).unwrap()
}

/// The quote with another certificate chain, all lengths adapted and the padding kept.
pub fn with_chain(quote: &[u8], chain: &str) -> Vec<u8> {
    let parts = QuoteParts::of(quote);
    let mut out = quote.to_vec();
    out.splice(parts.chain.clone(), chain.bytes());
    let grown = |at: usize, out: &mut Vec<u8>| {
        let old = u32::from_le_bytes(out[at..at + 4].try_into().unwrap());
        let new = old - u32::try_from(parts.chain.len()).unwrap() + u32::try_from(chain.len()).unwrap();
        out[at..at + 4].copy_from_slice(&new.to_le_bytes());
    };
    grown(parts.signed.end, &mut out);
    grown(parts.qe_report.start - 4, &mut out);
    grown(parts.chain.start - 4, &mut out);
    out
}

/// A field of collateral whose every bit is signed or is a signature, and how to change it.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Puts other bytes in its place.
    pub put: fn(&mut QuoteCollateralV3, Vec<u8>),
}

/// Texts, signatures and CRLs of collateral, and the TCB signing certificate.
///
/// Left out, because nothing reads them for an acceptance: `pck_crl_issuer_chain` (the PCK CRL is checked with the key
/// of the certificate that issued the PCK certificate), and the root certificates that end the chains (the root is the
/// program's own).
pub fn fields(collateral: &QuoteCollateralV3) -> Vec<Field> {
    // Texts that are flipped out of UTF-8 cannot be held by the type, and could not have come as JSON.
    fn text(bytes: Vec<u8>) -> String {
        String::from_utf8(bytes).unwrap_or_default()
    }
    fn leaf(chain: &mut String, der: Vec<u8>) {
        let mut certificates = certificates(chain);
        certificates[0] = der;
        *chain = pem(&certificates);
    }
    vec![
        Field {
            name: "TCB info",
            bytes: collateral.tcb_info.clone().into_bytes(),
            put: |collateral, bytes| collateral.tcb_info = text(bytes),
        },
        Field {
            name: "TCB info signature",
            bytes: collateral.tcb_info_signature.clone(),
            put: |collateral, bytes| collateral.tcb_info_signature = bytes,
        },
        Field {
            name: "QE identity",
            bytes: collateral.qe_identity.clone().into_bytes(),
            put: |collateral, bytes| collateral.qe_identity = text(bytes),
        },
        Field {
            name: "QE identity signature",
            bytes: collateral.qe_identity_signature.clone(),
            put: |collateral, bytes| collateral.qe_identity_signature = bytes,
        },
        Field {
            name: "root CA CRL",
            bytes: collateral.root_ca_crl.clone(),
            put: |collateral, bytes| collateral.root_ca_crl = bytes,
        },
        Field {
            name: "PCK CRL",
            bytes: collateral.pck_crl.clone(),
            put: |collateral, bytes| collateral.pck_crl = bytes,
        },
        Field {
            name: "TCB signing certificate of the TCB info",
            bytes: certificates(&collateral.tcb_info_issuer_chain).swap_remove(0),
            put: |collateral, bytes| leaf(&mut collateral.tcb_info_issuer_chain, bytes),
        },
        Field {
            name: "TCB signing certificate of the QE identity",
            bytes: certificates(&collateral.qe_identity_issuer_chain).swap_remove(0),
            put: |collateral, bytes| leaf(&mut collateral.qe_identity_issuer_chain, bytes),
        },
    ]
}
