//! What to ask a PCS for.

use dcap_qvl::intel;
use dcap_qvl::quote::Quote;

use crate::evidence::QuoteBytes;

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

/// Intel's intermediate authorities for PCK certificates (Intel PCS API v4, `pckcrl?ca=`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PckCa {
    /// "Intel SGX PCK Platform CA": multi-package platforms, which includes all with TDX.
    Platform,
    /// "Intel SGX PCK Processor CA": single-package platforms.
    Processor,
}

impl PckCa {
    /// The word in the request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Processor => "processor",
        }
    }
}

impl CollateralRequest {
    /// What the platform certificate inside a quote asks for. `None` where the quote carries none that can be
    /// read: nothing can be fetched for it then.
    pub fn of_quote(quote: &QuoteBytes) -> Option<Self> {
        let quote = Quote::parse(quote.as_bytes()).ok()?;
        let chain = intel::extract_cert_chain(&quote).ok()?;
        let leaf = chain.first()?;
        let ca = match intel::pck_ca(leaf).ok()? {
            dcap_qvl::config::PckCa::Platform => PckCa::Platform,
            dcap_qvl::config::PckCa::Processor => PckCa::Processor,
        };
        Some(Self {
            fmspc: intel::parse_pck_extension(leaf).ok()?.fmspc,
            ca,
        })
    }
}
