//! What is expected of the GPUs of a deployment (`--gpu` and its kin).

use std::fmt;
use std::str::FromStr;

use super::expected::Expected;
use super::gpu_pin::GpuPin;
use super::lock_origin::LockOrigin;

/// What is expected of the GPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GpuExpectations {
    /// Whether there must be GPUs, and whether they are looked at.
    pub mode: GpuMode,
    /// How many there must be, no more and no less.
    pub count: Option<Expected<u32>>,
    /// Which models they may be, by the chip's name in their certificates. Never an empty list.
    pub models: Option<Expected<Vec<GpuModel>>>,
    /// Whether switches must be attested if the GPUs use some.
    pub switches_required: bool,
    /// Who verifies them.
    pub verifier: GpuVerifier,
    /// What the GPUs were when the lock was taken.
    pub pins: Option<LockedGpus>,
}

impl GpuExpectations {
    /// Whether the user expects anything of the GPUs, so that an error is not passed over.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        self.mode == GpuMode::Required
            || self.count.is_some()
            || self.models.is_some()
            || self.switches_required
            || self.verifier != GpuVerifier::Local
            || self.pins.is_some()
    }

    /// Whether the user expects GPUs, by the mode or by saying what they must be: what is not proven of them then fails.
    #[must_use]
    pub(crate) fn expects_gpus(&self) -> bool {
        self.mode == GpuMode::Required
            || self.count.as_ref().is_some_and(|count| count.value > 0)
            || self.expects_reports()
    }

    /// Whether something is expected that reports of the GPUs alone can show: the event of the boot does not say it.
    #[must_use]
    pub(crate) fn expects_reports(&self) -> bool {
        self.models.is_some()
            || self.pins.is_some()
            || self.switches_required
            || self.verifier == GpuVerifier::Nras
    }
}

crate::word_enum! {
    /// Whether there must be GPUs, and whether they are looked at.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum GpuMode {
        /// What is claimed must not be forged; what is not proven is a warning.
        #[default]
        Auto = "auto",
        /// GPUs must be proven.
        Required = "required",
        /// Waived in writing.
        Unchecked = "unchecked",
    }
}

crate::word_enum! {
    /// Who verifies GPU evidence.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub enum GpuVerifier {
        /// This program alone.
        #[default]
        Local = "local",
        /// NVIDIA's remote attestation service must approve of it. This program verifies it, too.
        Nras = "nras",
        /// This program decides, and a refusal by NVIDIA's service fails.
        Both = "both",
    }
}

impl GpuVerifier {
    /// Whether NVIDIA's service is asked.
    #[must_use]
    pub const fn asks_nras(self) -> bool {
        matches!(self, Self::Nras | Self::Both)
    }
}

/// The chip's name as certificates have it, such as `GH100`: letters, digits and `_`, at most 16.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GpuModel(String);

/// A text that is not a chip's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a chip; write it as the certificate has it, such as GH100 or GB100")]
pub struct GpuModelError(String);

impl GpuModel {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GpuModel {
    type Err = GpuModelError;

    fn from_str(text: &str) -> Result<Self, GpuModelError> {
        let text = text.trim();
        let is_name = (1..=16).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_name {
            Ok(Self(text.to_ascii_uppercase()))
        } else {
            Err(GpuModelError(text.chars().take(40).collect()))
        }
    }
}

impl fmt::Display for GpuModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a lock says of the GPUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedGpus {
    /// The kinds of GPU, each once.
    pub pins: Vec<GpuPin>,
    /// The lock.
    pub lock: LockOrigin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_a_chips_name() {
        assert_eq!("gh100".parse::<GpuModel>().unwrap().as_str(), "GH100");
        for text in ["", " ", "GH100 A01", "H100!", "ABCDEFGHIJKLMNOPQ"] {
            assert!(text.parse::<GpuModel>().is_err(), "{text}");
        }
    }
}
