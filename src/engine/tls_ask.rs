//! What a policy asks of TLS beside the evidence.

use cvm_verify_core::policy::{Policy, TlsBinding};
use cvm_verify_core::report::SideTier;

/// What is asked of TLS beside the evidence.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TlsAsk {
    /// The mode.
    pub binding: TlsBinding,
    /// Whether the endpoint is asked to quote a value of nobody's choice.
    pub probes: bool,
}

impl TlsAsk {
    /// What a policy needs.
    pub fn of(policy: &Policy) -> Self {
        let needs_endpoint = policy.required.sides().includes(SideTier::EndpointReplayable);
        Self {
            binding: policy.tls_binding,
            probes: policy.endpoint_probe && needs_endpoint,
        }
    }
}
