//! The evidence files of dstack-ingress, below `/evidences/` of an address (dstack-examples,
//! `custom-domain/dstack-ingress/scripts/evidence-lib.sh`).
//!
//! HAProxy in the ingress looks at the first bytes of a connection to route these files. So each is asked for on a connection of its
//! own, with nothing before it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use crate::net::retry::Heal as _;
use crate::net::{Client, Limits, NetError, Response, says_absent};
use cvm_verify_core::evidence::{
    INGRESS_MANIFEST, INGRESS_QUOTE, IngressEvidence, IngressManifest, IngressSeen, MAX_INGRESS_FILE_BYTES,
    MAX_INGRESS_MANIFEST_BYTES, MAX_INGRESS_QUOTE_BYTES,
};
use cvm_verify_core::verify::ingress_may_be_renewing;

/// How long an ingress that may be renewing its certificate is left alone before it is asked again: it writes a manifest, and then has it
/// quoted.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(4)];

/// Time that must be left for the files themselves after such a pause: a target whose time is over has no result at all.
const FETCHING: Duration = Duration::from_secs(5);

/// Fetches the files of the ingress at the host of `address`, in all within `time_left`. The path and the query of `address` are not
/// sent. With the certificate that answered (`leaf`, DER), files that do not belong together are asked for again; the last ones count.
pub async fn fetch(client: &Client, address: &Url, leaf: Option<&[u8]>, time_left: Duration) -> IngressSeen {
    let until = Instant::now() + time_left;
    let mut seen = once(client, address, until).await;
    for pause in PAUSES {
        let is_renewing = match (&seen, leaf) {
            (IngressSeen::Evidence(evidence), Some(leaf)) => ingress_may_be_renewing(evidence, leaf),
            _ => false,
        };
        if !is_renewing || until.saturating_duration_since(Instant::now()) <= pause + FETCHING {
            break;
        }
        tokio::time::sleep(pause).await;
        match once(client, address, until).await {
            later @ IngressSeen::Evidence(_) => seen = later,
            // What was seen before stands.
            _ => break,
        }
    }
    seen
}

async fn once(client: &Client, address: &Url, until: Instant) -> IngressSeen {
    match files(client, address, until).await {
        Ok(Some(evidence)) => IngressSeen::Evidence(Box::new(evidence)),
        Ok(None) => IngressSeen::Absent,
        Err(error) => IngressSeen::Unreachable(error.to_string().trim_end_matches('.').to_owned()),
    }
}

async fn files(client: &Client, address: &Url, until: Instant) -> Result<Option<IngressEvidence>, NetError> {
    let get = |name: String, limit: usize| async move {
        let url = file_url(address, &name);
        let left = || until.saturating_duration_since(Instant::now());
        match found(client.get(&url, &Limits::body(limit).within(left())).await) {
            // A server that stumbled is asked once more.
            Err(error) if error.may_heal() && !left().is_zero() => {
                found(client.get(&url, &Limits::body(limit).within(left())).await)
            }
            answer => answer,
        }
    };
    let Some(manifest) = get(INGRESS_MANIFEST.to_owned(), MAX_INGRESS_MANIFEST_BYTES).await? else {
        return Ok(None);
    };
    let mut evidence = IngressEvidence {
        host: address.host_str().unwrap_or_default().to_ascii_lowercase(),
        manifest,
        files: BTreeMap::new(),
        quote: Vec::new(),
    };
    // A manifest that cannot be read is judged as it is: no name out of it becomes a request.
    let Ok(manifest) = IngressManifest::parse(&evidence.manifest) else {
        return Ok(Some(evidence));
    };
    for name in manifest.names() {
        if let Some(bytes) = get(name.to_owned(), MAX_INGRESS_FILE_BYTES).await? {
            evidence.files.insert(name.to_owned(), bytes);
        }
    }
    if let Some(quote) = get(INGRESS_QUOTE.to_owned(), MAX_INGRESS_QUOTE_BYTES).await? {
        evidence.quote = quote;
    }
    Ok(Some(evidence))
}

/// A body; `None` if the server does not have the file. A server that is busy, that wants a login, or that sends the caller elsewhere
/// does not say whether there is one: what stands in front of the ingress may have answered.
fn found(answer: Result<Response, NetError>) -> Result<Option<Vec<u8>>, NetError> {
    match answer.and_then(Response::ok) {
        Ok(response) => Ok(Some(response.body)),
        Err(NetError::HttpStatus { status, .. }) if says_absent(status) => Ok(None),
        Err(error) => Err(error),
    }
}

fn file_url(address: &Url, name: &str) -> Url {
    let mut url = address.clone();
    url.set_path(&format!("/evidences/{name}"));
    url.set_query(None);
    url.set_fragment(None);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_asked_for_at_the_root_of_the_host_without_a_query() {
        let address = "https://app.example:8443/api?token=secret".parse().unwrap();
        for (name, expected) in [
            (
                "sha256sum.txt",
                "https://app.example:8443/evidences/sha256sum.txt",
            ),
            (
                "cert-*.app.example.pem",
                "https://app.example:8443/evidences/cert-*.app.example.pem",
            ),
        ] {
            assert_eq!(file_url(&address, name).as_str(), expected);
        }
    }

    #[test]
    fn what_is_not_there_is_told_from_what_cannot_be_had() {
        let status = |status| Ok(Response::with(status, &[], b"body"));
        assert_eq!(found(status(200)), Ok(Some(b"body".to_vec())));
        for absent in [400, 404, 405, 410] {
            assert_eq!(found(status(absent)), Ok(None), "{absent}");
        }
        for open in [302, 401, 403, 407, 408, 425, 429, 500, 502, 503] {
            assert!(found(status(open)).is_err(), "{open}");
        }
    }
}
