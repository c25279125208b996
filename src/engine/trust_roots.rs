//! The root certificates to chain up to.

use cvm_verify_core::report::{TrustRootKind, simulated};
use cvm_verify_core::verify::TrustRoot;
use cvm_verify_core::verify::gpu::{DeviceRoot, NrasIntermediates};

/// The root certificates to chain up to. The default ones are built in.
#[derive(Debug, Clone)]
pub struct TrustRoots {
    /// Of quotes and collateral.
    pub quote: TrustRoot,
    /// Of GPUs and switches.
    pub device: DeviceRoot,
    /// What certifies the keys of NVIDIA's attestation service.
    pub nras: NrasIntermediates,
}

impl Default for TrustRoots {
    fn default() -> Self {
        Self {
            quote: TrustRoot::Intel,
            device: DeviceRoot::Nvidia,
            nras: NrasIntermediates::Nvidia,
        }
    }
}

impl TrustRoots {
    /// What the first line must say if a built-in root was replaced.
    #[must_use]
    pub fn simulated(&self) -> Option<&'static str> {
        simulated(self.quote.kind(), self.device.kind().and(self.nras.kind()))
    }

    /// `Intel` if none was replaced.
    #[must_use]
    pub fn kind(&self) -> TrustRootKind {
        self.simulated()
            .map_or(TrustRootKind::Intel, |_| TrustRootKind::Custom)
    }
}
