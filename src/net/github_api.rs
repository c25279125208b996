//! What every request to GitHub's REST API has.

use hyper::header::InvalidHeaderValue;

use super::{HeaderMap, HeaderValue, Secret};

/// The headers of version 2022-11-28 of the API, with a token if there is one.
///
/// # Errors
/// The token holds a character that no header may have.
pub(crate) fn github_headers(token: Option<&Secret>) -> Result<HeaderMap, InvalidHeaderValue> {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("application/vnd.github+json"));
    headers.insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
    if let Some(token) = token {
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))?;
        bearer.set_sensitive(true);
        headers.insert("authorization", bearer);
    }
    Ok(headers)
}
