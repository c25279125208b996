//! Whose root certificate the chains of GPUs and switches must end in.

use crate::report::DeviceRootKind;
use crate::verify::RootError;
use crate::verify::trust_root::certificate_of_file;

/// NVIDIA Device Identity CA, DER, 527 bytes, serial number 2d3670b1ca100411c1fec0e82a065b54; SHA-256
/// 102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48. Source: the last certificate of every chain that
/// NVIDIA's GPUs and switches supply, and of each sample of NVIDIA's attestation SDK
/// (<https://github.com/NVIDIA/attestation-sdk>, `sample_attestation_data/`), which has the same one built in.
const NVIDIA: &[u8] = include_bytes!("nvidia_device_root_ca.der");

/// The root certificate that the chains of GPUs and switches must end in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceRoot {
    /// NVIDIA's device identity root, built in.
    Nvidia,
    /// Some other root, DER: proves nothing about GPUs. Comes from `--insecure-trust-root` alone.
    Custom(Vec<u8>),
}

impl DeviceRoot {
    /// Reads a custom root, PEM or DER.
    ///
    /// # Errors
    /// [`RootError`] if the file is not one certificate.
    pub fn custom(file: &[u8]) -> Result<Self, RootError> {
        certificate_of_file(file).map(Self::Custom)
    }

    /// The certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        match self {
            Self::Nvidia => NVIDIA,
            Self::Custom(der) => der,
        }
    }

    /// What the report says of it.
    #[must_use]
    pub const fn kind(&self) -> DeviceRootKind {
        match self {
            Self::Nvidia => DeviceRootKind::Nvidia,
            Self::Custom(_) => DeviceRootKind::Custom,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_root_is_the_one_that_is_documented() {
        let sha256 = crate::verify::digest::sha256(DeviceRoot::Nvidia.der());
        assert_eq!(
            hex::encode(sha256),
            "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48"
        );
    }
}
