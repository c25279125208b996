//! One GPU or switch whose report is signed by a key that chains up to the device root.

use sha2::{Digest as _, Sha256};

use super::DeviceRoot;
use super::chain::{ChainError, DeviceChain};
use super::opaque::{Opaque, OpaqueError};
use super::spdm::{SpdmError, SpdmTranscript};
use crate::evidence::GpuReport;

crate::word_enum! {
    /// What a device is, as its certificate says, by the name that NVIDIA's tools use.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Architecture {
        /// H100, H200.
        Hopper = "HOPPER",
        /// B200 and others.
        Blackwell = "BLACKWELL",
        /// The NVSwitch of Hopper systems.
        Ls10 = "LS10",
    }
}

impl Architecture {
    /// Whether this is a switch.
    #[must_use]
    pub const fn is_switch(self) -> bool {
        matches!(self, Self::Ls10)
    }

    /// How the common name of a leaf certificate begins.
    const fn common_names(self) -> &'static [&'static str] {
        match self {
            Self::Hopper => &["GH1"],
            Self::Blackwell => &["GB1", "GB2"],
            Self::Ls10 => &["LS_10"],
        }
    }

    fn of_common_name(name: &str) -> Option<Self> {
        let fits = |architecture: &Self| {
            let mut beginnings = architecture.common_names().iter();
            beginnings.any(|beginning| name.starts_with(beginning))
        };
        Self::ALL.into_iter().find(fits)
    }
}

/// A device that signed a nonce with a key that the device root vouches for.
///
/// It does not say that the device is in the machine that handed the evidence over, that NVIDIA approves of its firmware,
/// or that its certificate is not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedDevice {
    architecture: Architecture,
    chain: DeviceChain,
    transcript: SpdmTranscript,
    opaque: Opaque,
    report: GpuReport,
}

/// Why a device's evidence is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The report.
    #[error("{0}")]
    Spdm(#[from] SpdmError),
    /// The chain.
    #[error("{0}")]
    Chain(#[from] ChainError),
    /// The opaque data.
    #[error("{0}")]
    Opaque(#[from] OpaqueError),
    /// The signature.
    #[error("its report is not signed by the key in its certificate")]
    Signature,
    /// A kind of device that this version does not know.
    #[error("its certificate is of {0:?}, a device that this version does not know")]
    UnknownDevice(String),
    /// Another kind of device than the sender says.
    #[error("its certificate is of {found:?}, and the sender calls it {claimed:?}")]
    OtherArchitecture {
        /// The common name of its certificate.
        found: String,
        /// What the sender calls it.
        claimed: String,
    },
    /// The firmware.
    #[error("the firmware id in its report is not the one that its certificate was issued for")]
    Firmware,
}

impl DeviceError {
    /// Whether it shows a forgery, and not only a form that this version does not know.
    #[must_use]
    pub const fn convicts(&self) -> bool {
        match self {
            Self::Chain(error) => error.convicts(),
            Self::Signature | Self::Firmware => true,
            Self::Spdm(_) | Self::Opaque(_) | Self::UnknownDevice(_) | Self::OtherArchitecture { .. } => {
                false
            }
        }
    }

    /// The reason under which the `gpu` check reports it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Chain(error) if error.convicts() => "gpu-chain",
            Self::Signature => "gpu-signature",
            Self::Firmware => "gpu-fwid-mismatch",
            Self::Chain(_)
            | Self::Spdm(_)
            | Self::Opaque(_)
            | Self::UnknownDevice(_)
            | Self::OtherArchitecture { .. } => "gpu-malformed",
        }
    }
}

impl VerifiedDevice {
    /// Verifies one report and its chain. The nonce is for the caller to compare: see [`Self::nonce`].
    pub(super) fn verify(report: &GpuReport, root: &DeviceRoot) -> Result<Self, DeviceError> {
        let transcript = SpdmTranscript::parse(&report.transcript)?;
        let chain = DeviceChain::verify(&report.chain, root)?;
        if !chain.signed(
            SpdmTranscript::signed_part(&report.transcript),
            &transcript.signature,
        ) {
            return Err(DeviceError::Signature);
        }
        let architecture = Architecture::of_common_name(&chain.common_name)
            .ok_or_else(|| DeviceError::UnknownDevice(chain.common_name.clone()))?;
        if architecture.as_str() != report.architecture {
            return Err(DeviceError::OtherArchitecture {
                found: chain.common_name,
                claimed: report.architecture.clone(),
            });
        }
        let opaque = Opaque::parse(&transcript.opaque)?;
        let fwid = opaque.fields().and_then(super::opaque::OpaqueFields::fwid);
        if fwid.is_some_and(|fwid| !chain.names_firmware(fwid)) {
            return Err(DeviceError::Firmware);
        }
        Ok(Self {
            architecture,
            chain,
            transcript,
            opaque,
            report: report.clone(),
        })
    }

    /// The report as it was supplied.
    #[must_use]
    pub const fn report(&self) -> &GpuReport {
        &self.report
    }

    /// The nonce of the request that the device signed.
    #[must_use]
    pub const fn nonce(&self) -> &[u8; 32] {
        &self.transcript.nonce
    }

    /// What it is.
    #[must_use]
    pub const fn architecture(&self) -> Architecture {
        self.architecture
    }

    /// The chip's name in the certificate, such as `GH100`.
    #[must_use]
    pub fn model(&self) -> &str {
        self.chain.common_name.split(' ').next().unwrap_or_default()
    }

    /// The serial number of its certificate, decimal (`ueid` in NVIDIA's tokens). The certificate is that of a key of its
    /// firmware: with other firmware the same device has another one. See [`Self::keys`].
    #[must_use]
    pub fn ueid(&self) -> String {
        decimal(&self.chain.serial)
    }

    /// The keys of the device, as points: with one in common, two reports are of one device.
    pub(super) fn keys(&self) -> &[Vec<u8>] {
        &self.chain.device_keys
    }

    /// What it says of itself.
    #[must_use]
    pub const fn opaque(&self) -> &Opaque {
        &self.opaque
    }

    /// SHA-256 over all measurements, by index: index, type, size (2 bytes, little endian), value.
    #[must_use]
    pub fn measurements_sha256(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (index, measurement) in &self.transcript.measurements {
            hash.update([*index, measurement.kind]);
            hash.update(48_u16.to_le_bytes());
            hash.update(measurement.value);
        }
        hash.finalize().into()
    }
}

/// A big-endian number in decimal.
pub(crate) fn decimal(bytes: &[u8]) -> String {
    let mut digits = vec![0_u8];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) * 256;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    }
    digits
        .iter()
        .rev()
        .map(|digit| char::from(b'0' + digit))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn decimal_is_what_the_machine_writes(number: u128) {
            prop_assert_eq!(decimal(&number.to_be_bytes()), number.to_string());
        }
    }
}
