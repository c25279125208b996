//! Who must serve the address.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::TlsBinding;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("tls-binding", ValueShape::Choice(&TlsBinding::WORDS))
        .says("How the key of the TLS connection must be bound to the VM. `auto` only informs. If you name a mode, the \
               binding is required. `ingress` proves `code+endpoint-replayable` at most.")
        .default("`auto`")
        .example(r#""ratls""#)
        .option("--tls-binding", "TLS_BINDING")
        .help("How the key of the TLS connection must be bound to the VM: `auto` (default: whatever is found, for \
               information), `ratls` (the certificate carries the VM's quote), `app-key` (the app quotes the hash of its \
               key with the nonce), or `ingress` (the evidence of dstack-ingress lists the certificate; replayable, so it \
               proves `code+endpoint-replayable` at most). If you name a mode, the binding is required")
        .values(&[
            "Whatever is found",
            "The certificate carries the VM's quote of its key",
            "The app's quote holds the hash of its key",
            "The evidence of dstack-ingress lists the certificate",
        ]),
    PolicyKey::new("endpoint-probe", ValueShape::Choice(&["auto", "never"]))
        .says("Whether to send the endpoint probe, one request for a quote that the app should refuse, if something binds the \
               TLS key to the VM. With `never`, the report names it under `accepted`.")
        .default("`auto`")
        .example(r#""never""#),
];
