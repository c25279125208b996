//! Who must serve the address.

use super::PolicyKey;
use crate::config::file::shape::ValueShape;
use cvm_verify_core::policy::TlsBinding;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey::new("tls-binding", ValueShape::Choice(&TlsBinding::WORDS))
        .says("How the key of the TLS connection must be bound to the VM. If you name a mode, the binding is required.")
        .default("`auto`")
        .example(r#""ratls""#)
        .option("--tls-binding", "TLS_BINDING")
        .values(&[
            "Whatever is found, for information",
            "The certificate carries the VM's quote",
            "The app quotes the hash of its key with the nonce",
            "The evidence of dstack-ingress lists the certificate. It is replayable: it proves `code+endpoint-replayable` at most",
        ]),
    PolicyKey::new("endpoint-probe", ValueShape::Choice(&["auto", "never"]))
        .says("Whether to send the endpoint probe, one request for a quote that the app should refuse, if something binds the \
               TLS key to the VM. With `never`, the report names it under `accepted`.")
        .default("`auto`")
        .example(r#""never""#),
];
