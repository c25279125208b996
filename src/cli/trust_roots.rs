//! `--insecure-trust-root` in, the root certificates to chain up to out.

use super::args::{BuiltInRoot, ReplacedRoot, TrustArgs};
use crate::engine::RecordedEvidence;
use crate::files;
use crate::usage_error::UsageError;
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::report::{TrustRootKind, simulated};
use cvm_verify_core::verify::gpu::{DeviceRoot, NrasIntermediates};
use cvm_verify_core::verify::{Claims, TrustRoot};

/// The root certificates to chain up to.
#[derive(Debug, Clone)]
pub(super) struct Roots {
    /// Of quotes and collateral.
    pub quote: TrustRoot,
    /// Of GPUs and switches.
    pub device: DeviceRoot,
    /// Of the tokens of NVIDIA's attestation service.
    pub nras: NrasIntermediates,
}

impl Roots {
    /// What the first line must say if a built-in root was replaced.
    pub fn simulated(&self) -> Option<&'static str> {
        simulated(self.quote.kind(), self.device.kind().and(self.nras.kind()))
    }

    /// `Intel` if none was replaced.
    pub fn kind(&self) -> TrustRootKind {
        self.simulated()
            .map_or(TrustRootKind::Intel, |_| TrustRootKind::Custom)
    }

    /// What recorded evidence proves at a time, Unix seconds.
    pub fn prove(&self, recorded: &RecordedEvidence, at: u64) -> Result<Claims, EvidenceFailure> {
        let claims = recorded.prove(&self.quote, at, 0)?;
        Ok(match &recorded.evidence {
            Ok(evidence) => claims.with_device_root(evidence, &self.device),
            Err(_) => claims,
        })
    }
}

/// The root certificates to chain up to: the built-in ones, except those that an option replaces.
pub(super) fn trust_roots(args: &TrustArgs) -> Result<Roots, UsageError> {
    const OPTION: &str = "--insecure-trust-root";
    let mut roots = Roots {
        quote: TrustRoot::Intel,
        device: DeviceRoot::Nvidia,
        nras: NrasIntermediates::Nvidia,
    };
    for ReplacedRoot { which, path } in &args.insecure_trust_root {
        let is_replaced = match which {
            BuiltInRoot::Intel => roots.quote != TrustRoot::Intel,
            BuiltInRoot::Nvidia => roots.device != DeviceRoot::Nvidia,
            BuiltInRoot::Nras => roots.nras != NrasIntermediates::Nvidia,
        };
        if is_replaced {
            let owner = which.owner();
            return Err(UsageError::option(
                OPTION,
                format!("it replaces {owner}'s root twice; give one file for each root"),
            ));
        }
        let file = files::read(path, files::CERTIFICATE_LIMIT)?;
        let refused = |error| UsageError::file(path, error);
        match which {
            BuiltInRoot::Intel => roots.quote = TrustRoot::custom(&file).map_err(refused)?,
            BuiltInRoot::Nvidia => roots.device = DeviceRoot::custom(&file).map_err(refused)?,
            BuiltInRoot::Nras => roots.nras = NrasIntermediates::custom(&file).map_err(refused)?,
        }
    }
    Ok(roots)
}
