//! `--insecure-trust-root` in, the root certificates to chain up to out.

use super::args::{BuiltInRoot, ReplacedRoot, TrustArgs};
use crate::engine::TrustRoots;
use crate::files;
use crate::usage_error::UsageError;
use cvm_verify_core::verify::TrustRoot;
use cvm_verify_core::verify::gpu::{DeviceRoot, NrasIntermediates};

/// The root certificates to chain up to: the built-in ones, except those that an option replaces.
pub(super) fn trust_roots(args: &TrustArgs) -> Result<TrustRoots, UsageError> {
    const OPTION: &str = "--insecure-trust-root";
    let mut roots = TrustRoots::default();
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
