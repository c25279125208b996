//! Whether the mode of the TLS binding can prove what is required.

use super::setting_problem::SettingProblem;
use crate::config::Settings;
use cvm_verify_core::policy::{Policy, TlsBinding};
use cvm_verify_core::report::SideTier;

/// The evidence of an ingress can be replayed: a policy that asks it for `endpoint` would never pass.
pub(crate) fn check(policy: &Policy, settings: &Settings) -> Option<SettingProblem> {
    let needs_endpoint = policy.required.sides().includes(SideTier::Endpoint);
    if policy.tls_mode() != TlsBinding::Ingress || !needs_endpoint {
        return None;
    }
    let value = settings.one("require-assurance")?;
    Some(SettingProblem::of(
        "require-assurance",
        value,
        "the mode `ingress` proves `code+endpoint-replayable` at most, because an earlier release could have copied the key of the \
         ingress; require that, or end TLS in the app (`--tls-binding ratls` or `app-key`)",
    ))
}
