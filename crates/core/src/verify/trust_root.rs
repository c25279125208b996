//! Whose root certificate a proof relies on.

use der::Decode as _;
use x509_cert::Certificate;

use crate::report::TrustRootKind;

/// Intel SGX Root CA, DER, 659 bytes; SHA-256 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3. Source:
/// <https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer>. dcap-qvl, which
/// decides every acceptance, has the same one built in and does not hand it out.
const INTEL: &[u8] = include_bytes!("intel_sgx_root_ca.der");

/// The root certificate that quotes must chain up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrustRoot {
    /// Intel's SGX root CA, built into dcap-qvl.
    Intel,
    /// Some other root, DER: proves nothing about hardware. Comes from `--insecure-trust-root` alone.
    Custom(Vec<u8>),
}

/// Why a file is not a root certificate.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// Neither PEM nor DER of one certificate.
    #[error("it is not one X.509 certificate, PEM or DER: {0}")]
    NotACertificate(String),
}

impl TrustRoot {
    /// Reads a custom root, PEM or DER.
    ///
    /// # Errors
    /// [`RootError`] where the file is not one certificate.
    pub fn custom(file: &[u8]) -> Result<Self, RootError> {
        certificate_of_file(file).map(Self::Custom)
    }

    /// The certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        match self {
            Self::Intel => INTEL,
            Self::Custom(der) => der,
        }
    }

    /// What the report says of it.
    #[must_use]
    pub const fn kind(&self) -> TrustRootKind {
        match self {
            Self::Intel => TrustRootKind::Intel,
            Self::Custom(_) => TrustRootKind::Custom,
        }
    }
}

/// The certificate of a file of one, PEM or DER, as DER.
pub(crate) fn certificate_of_file(file: &[u8]) -> Result<Vec<u8>, RootError> {
    let der = if file.trim_ascii_start().starts_with(b"-----BEGIN") {
        let (label, der) = der::pem::decode_vec(file.trim_ascii())
            .map_err(|error| RootError::NotACertificate(error.to_string()))?;
        if label != "CERTIFICATE" {
            return Err(RootError::NotACertificate(
                "the PEM block is not a CERTIFICATE".to_owned(),
            ));
        }
        der
    } else {
        file.to_vec()
    };
    Certificate::from_der(&der).map_err(|error| RootError::NotACertificate(error.to_string()))?;
    Ok(der)
}
