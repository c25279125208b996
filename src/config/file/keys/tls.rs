//! Who must serve the address.

use super::{KeyScope, OptionGroup, PolicyKey, Typed};
use crate::config::file::shape::Shape;
use cvm_verify_core::policy::TlsBinding;

pub(super) const KEYS: &[PolicyKey] = &[
    PolicyKey {
        name: "tls-binding",
        scope: KeyScope::Both,
        shape: Shape::Choice(&TlsBinding::NAMES),
        says: "How the key of the TLS connection must be bound to the VM. `auto` informs; a mode that is named must hold. `ingress` proves `code+endpoint-replayable` at most.",
        default: "`auto`",
        example: r#""ratls""#,
        option: Some(Typed {
            flag: "--tls-binding",
            group: OptionGroup::Expectations,
            value: "TLS_BINDING",
            help: "How the key of the TLS connection must be bound to the VM: `auto` (default: whatever is found, for \
                    information), `ratls` (the certificate carries the VM's quote), `app-key` (the app quotes the hash of \
                    its key with the nonce), or `ingress` (the evidence of dstack-ingress lists the certificate; \
                    replayable, so it proves `code+endpoint-replayable` at most). A mode that is named must hold",
            values: &[
                "Whatever is found",
                "The certificate carries the VM's quote of its key",
                "The app's quote holds the hash of its key",
                "The evidence of dstack-ingress lists the certificate",
            ],
            expects: false,
        }),
    },
    PolicyKey {
        name: "endpoint-probe",
        scope: KeyScope::Both,
        shape: Shape::Choice(&["auto", "never"]),
        says: "Whether the endpoint is asked once for a quote that it should refuse, if something binds the TLS key to the VM. `never` is named under `accepted`.",
        default: "`auto`",
        example: r#""never""#,
        option: None,
    },
];
