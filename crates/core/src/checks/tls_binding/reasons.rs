//! Why `tls-binding` does not simply pass.

use crate::checks::Reason;

pub(super) const NO_CONNECTION: Reason = Reason {
    id: "no-connection",
    means: "The evidence did not come over a TLS connection to the app's own address, so there is no key to bind.",
    fix: "Verify the app's own https address (source `app`): the guest agent and Phala Cloud's API return evidence of an app and \
          do not serve its address.",
};
pub(super) const UNBOUND: Reason = Reason {
    id: "unbound",
    means: "Nothing binds the key of this TLS connection to the VM: a relay looks the same.",
    fix: "End TLS in the app, with the certificate of the guest agent (mode `ratls`) or with a key whose hash the app has quoted \
          with the nonce (mode `app-key`), or in dstack-ingress in the app's VM (mode `ingress`): see docs/tls.md.",
};
pub(super) const GATEWAY_TERMINATED: Reason = Reason {
    id: "gateway-terminated",
    means: "TLS for this name ends in a dstack gateway, which chooses the VM of the app that answers. That the answers come from \
            the verified VM is not proven, and cannot be proven for such a name.",
    fix: "Serve a port with TLS in the app and use its passthrough name, `<id>-<port>s.<gateway>`; or sign responses with a key \
          in the report data. See docs/tls.md.",
};
pub(super) const RECORDED: Reason = Reason {
    id: "recorded",
    means: "The recorded certificate is bound to the VM. A recording does not show who holds its key now.",
    fix: "Verify the live address to reach `endpoint` or `endpoint-replayable`.",
};
pub(super) const TLS_KEY_CHANGED: Reason = Reason {
    id: "tls-key-changed",
    means: "More than one TLS key answered during this run, so the evidence may have come over another connection than the one \
            that is bound.",
    fix: "If a load balancer spreads the address over several instances, verify each instance by its own address. If a \
          certificate was just renewed, verify again. Otherwise another server sometimes answers at this address.",
};
pub(super) const RATLS_NO_EVIDENCE: Reason = Reason {
    id: "ratls-no-evidence",
    means: "The certificate of this address carries no evidence of a VM, and mode `ratls` was asked for.",
    fix: "Serve the app with the certificate of the guest agent (GetTlsKey or IssueCert with usage_ra_tls), at a name that the \
          gateway passes through. If it was served so before, a server in between answers now: treat it as hostile.",
};
pub(super) const RATLS_MALFORMED: Reason = Reason {
    id: "ratls-malformed",
    means: "The certificate, or the evidence in it, cannot be read.",
    fix: "Serve the certificate as the guest agent issued it. If the app does, report it as a bug of cvm-verify with the \
          certificate.",
};
pub(super) const RATLS_DUPLICATE_EXTENSION: Reason = Reason {
    id: "ratls-duplicate-extension",
    means: "An extension of dstack occurs twice in the certificate, so two readers could use different values.",
    fix: "No guest agent issues that: treat the server as hostile.",
};
pub(super) const RATLS_TWO_QUOTES: Reason = Reason {
    id: "ratls-two-quotes",
    means: "The certificate carries a quote and an attestation of another quote.",
    fix: "No guest agent issues that: treat the server as hostile.",
};
pub(super) const RATLS_KEY_TYPE: Reason = Reason {
    id: "ratls-key-type",
    means: "The key of the certificate is not one of P-256, and dstack's KMS signs no other.",
    fix: "Serve the certificate as the guest agent issued it.",
};
pub(super) const RATLS_NOT_BOUND: Reason = Reason {
    id: "ratls-not-bound",
    means: "The quote in the certificate was made for another key: it was copied from another certificate.",
    fix: "A server with a key of its own shows the VM's evidence: treat it as hostile.",
};
pub(super) const RATLS_KEY_NOT_HELD: Reason = Reason {
    id: "ratls-key-not-held",
    means: "The server presents the certificate of a VM and does not have its key: it did not sign the handshake with it.",
    fix: "If the server is yours, give it the key that the guest agent returned with this certificate. Otherwise a server between \
          you and the VM presents a copied certificate: treat it as hostile.",
};
pub(super) const RATLS_STACK_REPORT_DATA: Reason = Reason {
    id: "ratls-stack-report-data",
    means: "The certificate states other report data than its quote signs.",
    fix: "No guest agent writes that: treat the server as hostile.",
};
pub(super) const RATLS_APP_ID: Reason = Reason {
    id: "ratls-app-id",
    means: "The certificate names another app than the evidence in it.",
    fix: "No KMS signs that: treat the server as hostile.",
};
pub(super) const RATLS_USAGE: Reason = Reason {
    id: "ratls-usage",
    means: "The certificate is for another purpose than to serve an app.",
    fix: "Ask the guest agent for a certificate with usage_ra_tls and usage_server_auth.",
};
pub(super) const RATLS_QUOTE: Reason = Reason {
    id: "ratls-quote",
    means: "The quote in the certificate, or the event log in the certificate, is refused.",
    fix: "The certificate holds forged or damaged evidence: treat the server as hostile.",
};
pub(super) const RATLS_QUOTE_UNDETERMINED: Reason = Reason {
    id: "ratls-quote-undetermined",
    means: "The quote in the certificate could not be verified, because collateral or an event log is missing.",
    fix: "Verify again. If the certificate was issued on another machine, Intel's collateral for that machine is not \
          available.",
};
pub(super) const RATLS_PLATFORM: Reason = Reason {
    id: "ratls-platform",
    means: "The quote in the certificate was made on a platform that the policy does not accept.",
    fix: "Have the app fetch a new certificate after the platform was patched, or accept the status with an end date \
          (--accept-tcb).",
};
pub(super) const RATLS_OTHER_COMPOSE: Reason = Reason {
    id: "ratls-other-compose",
    means: "The certificate is that of a VM with another compose document than the one that answered: an older or newer release.",
    fix: "If a release is being rolled out, verify again when it is done. Otherwise a VM with other code holds the key of this \
          address.",
};
pub(super) const RATLS_OTHER_INSTANCE: Reason = Reason {
    id: "ratls-other-instance",
    means: "The certificate is that of another instance, or of one with another firmware, image or VM shape, than the one that quoted \
            the nonce. This check does not detect that an earlier boot of the same instance quoted the key.",
    fix: "If several instances share one certificate, verify each by its own address, with its own certificate. Otherwise \
          someone forwards the evidence of another VM.",
};
pub(super) const RATLS_OTHER_MACHINE: Reason = Reason {
    id: "ratls-other-machine",
    means: "The quote in the certificate was made on another machine than the quote of this run: the VM moved, or a copy of it ran \
            elsewhere.",
    fix: "If the VM moved to another machine, have the app fetch a new certificate, as it should at each start. Otherwise a copy of \
          the VM on another machine had the key of this address.",
};
pub(super) const RATLS_CHAIN: Reason = Reason {
    id: "ratls-chain",
    means: "The VM booted with a KMS, and the certificate does not chain up to it. The quote in a certificate is not enough: an app \
            that quotes what its callers send makes one for any caller.",
    fix: "Serve the whole chain that the guest agent returned (certificate_chain of GetTlsKey or IssueCert), in its order: the \
          app's certificate, the app CA's and the KMS's. If the app does, another server answers: treat it as hostile.",
};
pub(super) const RATLS_NO_KMS: Reason = Reason {
    id: "ratls-no-kms",
    means: "The VM booted with another key provider than a KMS, so its certificate is self-made and only the VM's own quote \
            vouches for its key. An app that quotes what its callers send makes such a quote for any caller.",
    fix: "Deploy with a KMS. To accept this provider in writing, name it: --key-provider NAME[:HEXID].",
};
pub(super) const RATLS_OUTSIDE_VALIDITY: Reason = Reason {
    id: "ratls-outside-validity",
    means: "The certificate, or one that signed it, is not valid at the time of the run. A key of an earlier time may have been copied.",
    fix: "Have the app fetch a new certificate (a restart does it). If the dates are right, check the clock of this machine.",
};
pub(super) const RATLS_OTHER_KMS: Reason = Reason {
    id: "ratls-other-kms",
    means: "The certificate chains up to another key than that of the KMS that the VM booted with.",
    fix: "If the KMS has a new root, have the app fetch a new certificate. Otherwise another party issued it.",
};
pub(super) const NO_APP_KEY: Reason = Reason {
    id: "no-app-key",
    means: "The layout of the report data has no place for a key, or no CA vouches for the certificate, and mode `app-key` was \
            asked for.",
    fix: "Have the app quote SHA-256 of its SubjectPublicKeyInfo, then the nonce: docs/expose-endpoints.md has the lines. The \
          certificate must be one of a public CA, or of one that --ca-file names.",
};
pub(super) const KEY_MISMATCH: Reason = Reason {
    id: "key-mismatch",
    means: "The app quoted a key with the nonce, and another TLS key answered. If the quoted key is the app's TLS key, TLS ends \
            before the app.",
    fix: "If a proxy of your network ends TLS (one whose CA --ca-file names), verify from a network without it. If a CDN or the \
          gateway does, use a name that is passed through (`<id>-<port>s.<gateway>`). If the app quotes another key of its own, \
          name it with --report-data key-then-nonce and --report-data-key. Otherwise a relay answers: treat it as hostile.",
};
pub(super) const ORACLE_64: Reason = Reason {
    id: "oracle-64",
    means: "The endpoint quoted 64 bytes that were sent to it, unchanged. Anyone can let it quote their own key, so no quote \
            of this VM binds a key.",
    fix: "Have the endpoint refuse everything but 64 hex digits, and quote 32 bytes: see docs/expose-endpoints.md.",
};
pub(super) const PROBE_UNDETERMINED: Reason = Reason {
    id: "probe-undetermined",
    means: "It could not be determined whether the endpoint quotes 64 bytes of the caller's choice: it gave no usable answer \
            to the probe.",
    fix: "Have the endpoint answer a bad `reportData` with status 400. Or verify again; or omit the probe with \
          --no-endpoint-probe.",
};
pub(super) const EVIDENCE_NOT_PROVEN: Reason = Reason {
    id: "evidence-not-proven",
    means: "The evidence of the app itself is not proven, so there is nothing to compare the certificate with.",
    fix: "",
};
