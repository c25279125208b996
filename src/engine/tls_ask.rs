//! What a policy asks of TLS next to the evidence.

use cvm_verify_core::policy::{Policy, TlsBinding};

/// What is asked of TLS next to the evidence.
#[derive(Debug, Clone, Copy)]
pub(super) struct TlsAsk<'a> {
    /// The mode.
    pub binding: TlsBinding,
    /// Whether the endpoint is asked to quote a value of nobody's choice, if something may bind its key.
    pub probes: bool,
    /// What a VM must meet before it is sent a query of the user's.
    pub policy: &'a Policy,
}

impl<'a> TlsAsk<'a> {
    /// What a policy needs.
    pub fn of(policy: &'a Policy) -> Self {
        Self {
            binding: policy.tls_mode(),
            probes: policy.endpoint_probe,
            policy,
        }
    }
}
