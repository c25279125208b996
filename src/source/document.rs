//! One JSON document over HTTP: bounded, and told apart from a gateway's error page.

use url::Url;

use super::error::{NOT_JSON_BYTES, NotJson, SourceError};
use crate::net::{Client, Limits, NetError, Response};

/// The body of a document that begins like JSON, or why there is none.
pub(super) async fn json(client: &Client, url: Url, limits: &Limits) -> Result<Vec<u8>, SourceError> {
    let answer = client.get_json(&url, limits).await;
    body_of(&url, answer)
}

/// The same, with the connection kept for the document that is asked for next.
pub(super) async fn json_and_stay(
    client: &Client,
    url: Url,
    limits: &Limits,
) -> Result<Vec<u8>, SourceError> {
    let answer = client.get_json_and_stay(&url, limits).await;
    body_of(&url, answer)
}

/// The same, after a document from the same server: a server that closed the connection without a word is asked once more.
pub(super) async fn json_after(client: &Client, url: Url, limits: &Limits) -> Result<Vec<u8>, SourceError> {
    match json(client, url.clone(), limits).await {
        Err(SourceError::Net {
            error: NetError::Closed { .. },
            ..
        }) => json(client, url, limits).await,
        answer => answer,
    }
}

fn body_of(url: &Url, answer: Result<Response, NetError>) -> Result<Vec<u8>, SourceError> {
    let path = url.path().to_owned();
    let response = match answer.and_then(Response::ok) {
        Ok(response) => response,
        Err(error) => return Err(SourceError::Net { path, error }),
    };
    match NotJson::of(&response.body) {
        None => Ok(response.body),
        Some(found) => Err(SourceError::NotJson {
            host: response.host,
            path,
            found,
            start: response
                .body
                .get(..NOT_JSON_BYTES)
                .unwrap_or(&response.body)
                .to_vec(),
        }),
    }
}
