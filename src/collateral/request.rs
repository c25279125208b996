//! What to ask a PCS for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dcap_qvl::intel;
use dcap_qvl::quote::Quote;
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode as _, Reader as _};
use x509_cert::Certificate;

use cvm_verify_core::evidence::QuoteBytes;
use cvm_verify_core::recent::Recent;

/// The platform whose collateral is wanted, as the PCK certificate of a quote names it.
///
/// Read from unproven bytes, and harmless: six bytes and a choice of two, which reach a URL only as hex and a fixed word.
/// A wrong answer makes verification fail; it cannot make it pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CollateralRequest {
    /// FMSPC: family, model, stepping, platform and custom SKU; 6 bytes.
    pub fmspc: [u8; 6],
    /// Which of Intel's two intermediate authorities issued the PCK certificate.
    pub ca: PckCa,
}

impl CollateralRequest {
    /// The FMSPC as the PCS expects it: 12 lower-case hex digits.
    pub fn fmspc_hex(&self) -> String {
        hex::encode(self.fmspc)
    }
}

cvm_verify_core::word_enum! {
    /// Intel's intermediate authorities for PCK certificates (Intel PCS API v4, `pckcrl?ca=`).
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum PckCa {
        /// "Intel SGX PCK Platform CA": multi-package platforms, which includes all with TDX.
        Platform = "platform",
        /// "Intel SGX PCK Processor CA": single-package platforms.
        Processor = "processor",
    }
}

impl CollateralRequest {
    /// What the platform certificate inside a quote asks for. `None` where the quote carries none that can be
    /// read: nothing can be fetched for it then.
    pub fn of_quote(quote: &QuoteBytes) -> Option<Self> {
        let quote = Quote::parse(quote.as_bytes()).ok()?;
        let leaf = match quote.raw_cert_chain() {
            Ok(chain) => return Self::of_chain(chain),
            // Certification data of another type: one certificate in DER.
            Err(_) => intel::extract_cert_chain(&quote).ok()?.into_iter().next()?,
        };
        Self::of_certificate(&Certificate::from_der(&leaf).ok()?)
    }

    /// The same of the first certificate of a chain in PEM.
    fn of_chain(chain: &[u8]) -> Option<Self> {
        /// The last chains: the quotes of a machine bring the same one.
        static CHAINS: Recent<Vec<u8>, CollateralRequest> = Recent::new();
        let read = |chain: &Vec<u8>| {
            let leaf = first_certificate(chain).ok_or(())?;
            let certificate = Certificate::from_der(&leaf).map_err(drop)?;
            Self::of_certificate(&certificate).ok_or(())
        };
        CHAINS.of(chain.to_vec(), chain.len(), read).ok()
    }

    /// What a platform certificate asks for (Intel, "SGX PCK Certificate and CRL Profile", SGX extensions).
    fn of_certificate(certificate: &Certificate) -> Option<Self> {
        let certificate = certificate.tbs_certificate();
        let extension = certificate
            .extensions()?
            .iter()
            .find(|extension| extension.extn_id == SGX_EXTENSIONS)?;
        let entries = Vec::<AnyRef<'_>>::from_der(extension.extn_value.as_bytes()).ok()?;
        let fmspc = entries.into_iter().find_map(fmspc_of)?;
        let issuer_holds = |word: &[u8]| {
            certificate.issuer().iter().any(|attribute| {
                attribute
                    .value
                    .value()
                    .windows(word.len())
                    .any(|part| part == word)
            })
        };
        // An issuer that is neither counts as this one, as for dcap-qvl.
        let ca = match issuer_holds(b"Platform") && !issuer_holds(b"Processor") {
            true => PckCa::Platform,
            false => PckCa::Processor,
        };
        Some(Self { fmspc, ca })
    }
}

/// Object identifier of Intel's SGX extensions.
const SGX_EXTENSIONS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1");

/// Object identifier of the FMSPC among them.
const FMSPC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113741.1.13.1.4");

/// The FMSPC, where an entry of the SGX extensions is that: an identifier and an octet string.
fn fmspc_of(entry: AnyRef<'_>) -> Option<[u8; 6]> {
    let (id, value): (ObjectIdentifier, AnyRef<'_>) = entry
        .sequence::<_, _, der::Error>(|reader| Ok((reader.decode()?, reader.decode()?)))
        .ok()?;
    (id == FMSPC).then(|| value.value().try_into().ok()).flatten()
}

/// The first certificate of a chain in PEM, as DER. The rest is for the verification to read.
fn first_certificate(chain: &[u8]) -> Option<Vec<u8>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let text = std::str::from_utf8(chain).ok()?;
    let (_, after) = text.split_once(BEGIN)?;
    let (base64, _) = after.split_once(END)?;
    let base64: String = base64.split_ascii_whitespace().collect();
    STANDARD.decode(base64).ok()
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
