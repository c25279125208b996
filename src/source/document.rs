//! One JSON document over HTTP: bounded, and told apart from a gateway's error page.

use url::Url;

use super::error::{NotJson, SourceError};
use crate::net::{Client, Limits, Response};

/// The body of a document that begins like JSON, or why there is none.
pub(super) async fn json(client: &Client, url: Url, limits: &Limits) -> Result<Vec<u8>, SourceError> {
    let path = url.path().to_owned();
    let answer = client.get_json(&url, limits).await.and_then(Response::ok);
    let response = match answer {
        Ok(response) => response,
        Err(error) => return Err(SourceError::Net { path, error }),
    };
    match NotJson::of(&response.body) {
        None => Ok(response.body),
        Some(found) => Err(SourceError::NotJson {
            host: response.host,
            path,
            found,
        }),
    }
}
