//! Why `tls-binding` does not simply pass.

use crate::checks::{QUOTE_NOT_PROVEN, reasons};

/// What to do about `unbound` where `endpoint` is required.
pub(super) const UNBOUND_ENDPOINT: &str = "End TLS in the app, with the certificate of the guest agent (mode `ratls`) or with a key whose hash the app has quoted with the \
     nonce (mode `app-key`): see docs/tls.md. dstack-ingress reaches only `code+endpoint-replayable`.";

reasons! {
    pub(super) REASONS with [&QUOTE_NOT_PROVEN]:
    NO_CONNECTION "no-connection"
        "The evidence did not come over a TLS connection to the app's own address, so there is no key to bind."
        "Verify the app's own https address (source `app`): the guest agent and Phala Cloud's API return evidence of an app and \
         do not serve its address.";
    UNBOUND "unbound"
        "Nothing binds the key of this TLS connection to the VM: a relay looks the same."
        "End TLS in the app, with the certificate of the guest agent (mode `ratls`) or with a key whose hash the app has quoted \
         with the nonce (mode `app-key`), or in dstack-ingress in the app's VM (mode `ingress`): see docs/tls.md.";
    GATEWAY_TERMINATED "gateway-terminated"
        "TLS for this name ends in a dstack gateway, which chooses the VM of the app that answers. That the answers come from \
         the verified VM is not proven, and cannot be proven for such a name."
        "Serve a port with TLS in the app and use its passthrough name, `<id>-<port>s.<gateway>`; or sign responses with a key \
         in the report data. See docs/tls.md.";
    RECORDED "recorded"
        "The recorded certificate is bound to the VM. A recording does not show who holds its key now."
        "Verify the live address to reach `endpoint` or `endpoint-replayable`.";
    TLS_KEY_CHANGED "tls-key-changed"
        "More than one TLS key answered during this run, so the evidence may have come over another connection than the one \
         that is bound."
        "If a load balancer spreads the address over several instances, verify each instance by its own address. If a \
         certificate was just renewed, verify again. Otherwise another server sometimes answers at this address.";
    RATLS_NO_EVIDENCE "ratls-no-evidence"
        "The certificate of this address carries no evidence of a VM, and mode `ratls` was asked for."
        "Serve the app with the certificate of the guest agent (GetTlsKey or IssueCert with usage_ra_tls), at a name that the \
         gateway passes through. If it was served so before, a server in between answers now: treat it as hostile.";
    RATLS_MALFORMED "ratls-malformed"
        "The certificate, or the evidence in it, cannot be read."
        "Serve the certificate as the guest agent issued it. If the app does, report it as a bug of cvm-verify with the \
         certificate.";
    RATLS_DUPLICATE_EXTENSION "ratls-duplicate-extension"
        "An extension of dstack occurs twice in the certificate, so two readers could use different values."
        "No guest agent issues that: treat the server as hostile.";
    RATLS_TWO_QUOTES "ratls-two-quotes"
        "The certificate carries a quote and an attestation of another quote."
        "No guest agent issues that: treat the server as hostile.";
    RATLS_KEY_TYPE "ratls-key-type"
        "The key of the certificate is not one of P-256, and dstack's KMS signs no other."
        "Serve the certificate as the guest agent issued it.";
    RATLS_NOT_BOUND "ratls-not-bound"
        "The quote in the certificate was made for another key: it was copied from another certificate."
        "A server with a key of its own shows the VM's evidence: treat it as hostile.";
    RATLS_KEY_NOT_HELD "ratls-key-not-held"
        "The server presents the certificate of a VM and does not have its key: it did not sign the handshake with it."
        "If the server is yours, give it the key that the guest agent returned with this certificate. Otherwise a server between \
         you and the VM presents a copied certificate: treat it as hostile.";
    RATLS_STACK_REPORT_DATA "ratls-stack-report-data"
        "The certificate states other report data than its quote signs."
        "No guest agent writes that: treat the server as hostile.";
    RATLS_APP_ID "ratls-app-id"
        "The certificate names another app than the evidence in it."
        "No KMS signs that: treat the server as hostile.";
    RATLS_USAGE "ratls-usage"
        "The certificate is for another purpose than to serve an app."
        "Ask the guest agent for a certificate with usage_ra_tls and usage_server_auth.";
    RATLS_OUTSIDE_VALIDITY "ratls-outside-validity"
        "The certificate, or one that signed it, is not valid at the time of the run. A key of an earlier time may have been copied."
        "Have the app fetch a new certificate (a restart does it). If the dates are right, check the clock of this machine.";
    RATLS_QUOTE "ratls-quote"
        "The quote in the certificate, or the event log in the certificate, is refused."
        "Have the app fetch a new certificate. If this stays, the certificate holds forged or damaged evidence: treat the server as hostile.";
    RATLS_QUOTE_UNDETERMINED "ratls-quote-undetermined"
        "The quote in the certificate could not be verified, because collateral or an event log is missing."
        "Verify again. If the certificate was issued on another machine, Intel's collateral for that machine is not \
         available.";
    RATLS_PLATFORM "ratls-platform"
        "The quote in the certificate was made on a platform that the policy does not accept."
        "Have the app fetch a new certificate after the platform was patched, or accept the status, if the \
         finding names one, with an end date (--accept-tcb).";
    RATLS_OTHER_COMPOSE "ratls-other-compose"
        "The certificate is that of a VM with another compose document than the one that answered: an older or newer release."
        "If a release is being rolled out, verify again when it is done. Otherwise a VM with other code holds the key of this \
         address.";
    RATLS_OTHER_INSTANCE "ratls-other-instance"
        "The certificate is that of another instance than the one that quoted the nonce, or the same instance made it when it had \
         another TDX module, VM shape, firmware or OS image, or booted with another build of the KMS or other evidence of its GPUs: before \
         an upgrade, a resize or a restart. This check does not detect an earlier boot of the same instance that measured the same."
        "If the host, the VM or the KMS was upgraded, or the VM was resized or restarted, have the app fetch a new certificate, as it should at each start. If \
         several instances share one certificate, verify each by its own address, with its own certificate. Otherwise someone \
         forwards the evidence of another VM.";
    RATLS_OTHER_MACHINE "ratls-other-machine"
        "The quote in the certificate was made on another machine than the quote of this run: the VM moved, or a copy of it ran \
         elsewhere."
        "If the VM moved to another machine, have the app fetch a new certificate, as it should at each start. Otherwise a copy of \
         the VM on another machine had the key of this address.";
    RATLS_CHAIN "ratls-chain"
        "The VM booted with a KMS, and the certificate does not chain up to it. The quote in a certificate is not enough: an app \
         that quotes what its callers send makes one for any caller."
        "Serve the whole chain that the guest agent returned (certificate_chain of GetTlsKey or IssueCert), in its order: the \
         app's certificate, the app CA's and the KMS's. If the app does, another server answers: treat it as hostile.";
    RATLS_NO_KMS "ratls-no-kms"
        "The VM booted with another key provider than a KMS, so its certificate is self-made and only the VM's own quote \
         vouches for its key. An app that quotes what its callers send makes such a quote for any caller."
        "Deploy with a KMS. To accept this provider in writing, name it: --key-provider NAME[:HEXID].";
    RATLS_OTHER_KMS "ratls-other-kms"
        "The certificate chains up to another key than that of the KMS that the VM booted with."
        "If the KMS has a new root, have the app fetch a new certificate. Otherwise another party issued it.";
    NO_APP_KEY "no-app-key"
        "The layout of the report data has no place for a key, or no CA vouches for the certificate, and mode `app-key` was \
         asked for."
        "Have the app quote SHA-256 of its SubjectPublicKeyInfo, then the nonce: docs/expose-endpoints.md has the lines. The \
         certificate must be one of a public CA, or of one that --ca-file names.";
    KEY_MISMATCH "key-mismatch"
        "The app quoted a key with the nonce, and another TLS key answered. If the quoted key is the app's TLS key, TLS ends \
         before the app."
        "If a proxy of your network ends TLS (one whose CA --ca-file names), verify from a network without it. If a CDN or the \
         gateway does, use a name that is passed through (`<id>-<port>s.<gateway>`). If the app quotes another key of its own, \
         name it with --report-data key-then-nonce and --report-data-key. Otherwise a relay answers: treat it as hostile.";
    INGRESS_NO_EVIDENCE "ingress-no-evidence"
        "The address serves no evidence of an ingress (`/evidences/sha256sum.txt`), or no trusted CA vouches for its certificate, \
         and mode `ingress` was asked for."
        "If TLS ends in dstack-ingress, check that it runs a version that serves /evidences/ and that DNS leads to it. Otherwise \
         name another mode: see docs/tls.md. If the address served the evidence before, another server answers now.";
    INGRESS_UNREACHABLE "ingress-unreachable"
        "The evidence of the ingress could not be fetched, so nothing is known about its key."
        "Verify again. If this stays, check that every file below /evidences/ is served without a login or a redirect.";
    INGRESS_MANIFEST "ingress-manifest"
        "The manifest of the ingress (`sha256sum.txt`) is not what `sha256sum` writes, or exceeds a limit."
        "Compare /evidences/sha256sum.txt with the output of `sha256sum acme-account.json cert-*.pem` in the ingress. If another \
         program writes it, treat the server as hostile.";
    INGRESS_MANIFEST_LINE_END "ingress-manifest-line-end"
        "A line of the manifest of the ingress ends in carriage return and line feed."
        "Serve the manifest byte for byte as `sha256sum` wrote it: its hash is what the VM quoted.";
    INGRESS_MANIFEST_NAME "ingress-manifest-name"
        "The manifest of the ingress lists a name that none of its files has, such as one that leads to another folder."
        "dstack-ingress lists acme-account.json and cert-<domain>.pem alone. If it is not misconfigured, treat the server as \
         hostile.";
    INGRESS_MANIFEST_TWICE "ingress-manifest-twice"
        "The manifest of the ingress lists a name twice, so two readers could compare different hashes."
        "`sha256sum` over the files of dstack-ingress lists each once. If it is not misconfigured, treat the server as hostile.";
    INGRESS_FILE_HASH "ingress-file-hash"
        "A file of the ingress is not the one that its manifest lists."
        "If a certificate is being renewed, verify again. Otherwise the files were changed after the VM quoted them.";
    INGRESS_NOT_LISTED "ingress-not-listed"
        "The manifest of the ingress does not list the ACME account, or not the certificate of this host name."
        "Check the domain that the ingress is configured with. Its evidence binds the domains that it lists, and no other.";
    INGRESS_QUOTE_EMPTY "ingress-quote-empty"
        "The ingress has no quote of its present files: quoting failed after the last renewal."
        "Give the ingress the socket of the guest agent (/var/run/dstack.sock), look into its log, and restart it.";
    INGRESS_MALFORMED "ingress-malformed"
        "The quote, or the certificate, in the files of the ingress cannot be read."
        "Serve the files as dstack-ingress writes them.";
    INGRESS_NOT_BOUND "ingress-not-bound"
        "The quote of the ingress was made for other files than those that the ingress serves."
        "If a certificate is being renewed, verify again. Otherwise a server shows its own files with the quote of a VM: \
         treat it as hostile.";
    INGRESS_QUOTE "ingress-quote"
        "The quote of the ingress, or the event log that came with it, is refused."
        "Forged or damaged evidence, or an event log of another boot, is served below /evidences/: restart the ingress so \
         that it makes a new quote. If this stays, treat the server as hostile.";
    INGRESS_QUOTE_UNDETERMINED "ingress-quote-undetermined"
        "The quote of the ingress could not be verified, because collateral or an event log is missing."
        "Verify again. If the ingress quoted on another machine, Intel's collateral for that machine is not available.";
    INGRESS_PLATFORM "ingress-platform"
        "The quote of the ingress was made on a platform that the policy does not accept."
        "Let the ingress make a new quote after the platform was patched, or accept the status, if the \
         finding names one, with an end date (--accept-tcb).";
    INGRESS_OTHER_COMPOSE "ingress-other-compose"
        "The quote of the ingress is that of a VM with another compose document: it dates from the last issuance, before a \
         release, or the ingress is a VM of its own."
        "Let the ingress make a new quote (by a restart). If the ingress is a VM of its own, verify that VM as a target of \
         its own, and the app at an address whose TLS ends in the app.";
    INGRESS_OTHER_CVM "ingress-other-cvm"
        "The quote of the ingress is that of another VM of the same code than the one that quoted the nonce: several instances \
         answer at this address, the ingress is a proxy in front of the VM, or someone forwards the evidence of another VM. Which of \
         these it is, is not known. Or it is of an earlier launch of the same VM, and the finding names what changed."
        "If it is of an earlier launch, restart the ingress. If several instances answer, verify each by its own address (https://<instance-id>-<port>.<gateway>), or let one answer. \
         Otherwise run the ingress in the app's own VM.";
    INGRESS_OTHER_MACHINE "ingress-other-machine"
        "The quote of the ingress is that of the same instance on another machine: the VM was moved, or a copy of its disk runs \
         elsewhere."
        "Restart the ingress, so that it quotes on this machine. If you did not move the VM, find out who runs the copy.";
    INGRESS_KEY_DIFFERS "ingress-key-differs"
        "The certificate in the files of the ingress has another key than the one that answered."
        "If a certificate was just renewed, verify again when the ingress has quoted it. Otherwise a relay answers, or a CDN or \
         load balancer ends TLS: it shows the evidence of the ingress, but has another key.";
    ORACLE_32 "oracle-32"
        "The app quotes 32 bytes, or a text, of the caller's choice. The quote of an ingress has the same form, so anyone \
         can get such a quote for their own files."
        "Have the app quote the 64 hex digits as text, and refuse everything but 64 hex digits; or quote its own key with the \
         nonce: see docs/expose-endpoints.md.";
    ORACLE_64 "oracle-64"
        "The endpoint quoted 64 bytes that were sent to it, unchanged. Anyone can let it quote their own key, so no quote \
         of this VM binds a key."
        "Have the endpoint refuse everything but 64 hex digits, and quote 32 bytes: see docs/expose-endpoints.md.";
    PROBE_UNDETERMINED "probe-undetermined"
        "It could not be determined whether the endpoint quotes 64 bytes of the caller's choice: it gave no usable answer \
         to the probe."
        "Have the endpoint answer a bad `reportData` with status 400. Or verify again; or omit the probe with \
         --no-endpoint-probe.";
    EVIDENCE_NOT_PROVEN "evidence-not-proven"
        "The evidence of the app itself is not proven, so there is nothing to compare the certificate with."
        "";
}
