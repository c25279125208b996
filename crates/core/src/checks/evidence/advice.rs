//! What to do if Phala Cloud's API or a guest agent was asked for the evidence, and not the app.

use super::failure::EvidenceReason;

/// Where Phala Cloud's API was asked. `None`: what the reason advises holds for it, too.
pub(super) fn of_phala_cloud(reason: EvidenceReason) -> Option<&'static str> {
    Some(match reason {
        EvidenceReason::HttpStatus(404) => {
            "Check the app id. If it is right, start the app: Phala Cloud has no quotes of it."
        }
        EvidenceReason::HttpStatus(500) => {
            "Check the app id, and that an instance runs. If both are right, the API has a fault: see Phala's status page and run \
             again later, or ask the app itself (--source app)."
        }
        EvidenceReason::HttpStatus(300..=399) => {
            "Give the final URL of the mirror with --phala-api-url: redirects are not followed. Without that option Phala's own \
             servers are asked."
        }
        EvidenceReason::HttpStatus(401 | 403) => {
            "Let this machine reach the API without a login: check the mirror of --phala-api-url, or the proxy in between. Or ask \
             the app itself (--source app)."
        }
        EvidenceReason::HttpStatus(408 | 429) => {
            "Run again later, and less often: the API limits requests. Or ask the app itself (--source app)."
        }
        EvidenceReason::HttpStatus(_) => {
            "The API, or the mirror of --phala-api-url, is at fault: see Phala's status page and run again later, or ask the app \
             itself (--source app)."
        }
        EvidenceReason::NotJson => {
            "That is a page of a proxy or of a fault, not the API's answer: see Phala's status page and run again later, or ask \
             the app itself (--source app)."
        }
        EvidenceReason::Unreachable => {
            "Check that this machine may reach Phala Cloud's API, or the mirror of --phala-api-url, and see Phala's status page; \
             then run again. Or ask the app itself (--source app)."
        }
        EvidenceReason::Tls => {
            "If a proxy of this network ends TLS, give its CA with --ca-file; if the mirror of --phala-api-url has a private CA, \
             that one. Certificate checks cannot be turned off."
        }
        EvidenceReason::TooLarge => {
            "Ask the app itself (--source app): the list of its instances is too large."
        }
        EvidenceReason::AddressRefused => {
            "Give the public https URL of the mirror with --phala-api-url; for one in a private network add \
             --allow-private-network."
        }
        EvidenceReason::RepeatedInstance => {
            "Run again: the list may have been read while instances were replaced. If it stays, compare the list with the instances that \
             Phala Cloud's dashboard shows, and verify each at its own address (--source app)."
        }
        EvidenceReason::NoQuote => {
            "Start the instances that are stopped: Phala Cloud shows no quote of those. Or ask the app itself (--source app)."
        }
        _ => return None,
    })
}

/// The same for the guest agent, which the gateway leads to.
pub(super) fn of_guest_agent(reason: EvidenceReason) -> Option<&'static str> {
    Some(match reason {
        EvidenceReason::HttpStatus(401 | 403) | EvidenceReason::NoQuote => {
            "Serve /attestation and /info from the app and verify that (--source app, docs/expose-endpoints.md): this guest agent \
             gives no quote from outside."
        }
        EvidenceReason::HttpStatus(300..=399) => {
            "Give the guest agent's own address, https://<id>-8090.<gateway domain>: redirects are not followed."
        }
        EvidenceReason::HttpStatus(408 | 429) => {
            "Run again later, and less often: the gateway limits requests."
        }
        EvidenceReason::HttpStatus(500..=599) => {
            "Check that the CVM runs and that its gateway reaches port 8090 of it; the app has no part in this. If the CVM is still \
             starting, add --wait 5m."
        }
        EvidenceReason::HttpStatus(_) | EvidenceReason::NotJson => {
            "Check that the address is that of the guest agent, https://<id>-8090.<gateway domain>, and that its port is open."
        }
        EvidenceReason::Unreachable => {
            "Check the address of the guest agent, https://<id>-8090.<gateway domain>, that the CVM runs and that this machine may \
             reach its gateway; then run again."
        }
        _ => return None,
    })
}
