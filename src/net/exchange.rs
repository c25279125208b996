//! One request and its answer: headers, redirects and the body, within the limits.

use std::time::Duration;

use reqwest::RequestBuilder;
use reqwest::header::{HeaderMap, LOCATION};
use tokio::time::{Instant, timeout};
use url::Url;

use super::address;
use super::error::{NetError, Stage};
use super::failure::{self, RequestContext};
use super::guard;
use super::limits::Limits;
use super::response::Response;
use cvm_verify_core::evidence::excerpt;

/// How a redirect is treated. It is never followed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Redirect {
    /// It is an error.
    Refused,
    /// It is an answer.
    Shown,
}

/// One request and its answer.
pub(super) struct Exchange {
    pub(super) url: Url,
    pub(super) host: String,
    pub(super) limits: Limits,
    pub(super) redirect: Redirect,
    pub(super) via_proxy: bool,
}

impl Exchange {
    /// Sends the request, and reads the answer within the limits.
    ///
    /// # Errors
    /// [`NetError`].
    pub(super) async fn run(self, request: RequestBuilder) -> Result<Response, NetError> {
        let response = self.bounded(request).await;
        // A connection that stays is put back by a task of its own.
        tokio::task::yield_now().await;
        response
    }

    async fn bounded(&self, request: RequestBuilder) -> Result<Response, NetError> {
        let limits = &self.limits;
        let host = self.host.clone();
        let started = Instant::now();
        let mut answer = match timeout(limits.total, request.send()).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                let context = RequestContext {
                    host: &host,
                    via_proxy: self.via_proxy,
                    over_tls: self.url.scheme() == "https",
                    max_headers: limits.max_headers,
                };
                return Err(failure::before_body(&error, &context));
            }
            Err(_) => {
                return Err(NetError::Timeout {
                    host,
                    stage: Stage::Response,
                });
            }
        };
        let status = answer.status();
        let is_private = match answer.remote_addr() {
            Some(address) if !self.via_proxy => address::scope(address.ip()).is_some(),
            _ => guard::is_private(&self.url),
        };
        if header_bytes(answer.headers()) > limits.max_headers {
            return Err(NetError::HeadersTooLarge {
                host,
                limit: limits.max_headers,
            });
        }
        if status.is_redirection() && matches!(self.redirect, Redirect::Refused) {
            return Err(NetError::Redirect {
                host,
                status: status.as_u16(),
                location: location(&self.url, answer.headers()),
            });
        }
        let headers = std::mem::take(answer.headers_mut());
        let left = limits.total.saturating_sub(started.elapsed());
        let body = match read_body(&mut answer, &host, limits.max_body, left).await {
            Ok(body) => body,
            // The status is the finding then; a long or broken error page does not hide it.
            Err(_) if !status.is_success() => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut response = Response::new(host, status.as_u16(), headers, body);
        response.is_private = is_private;
        Ok(response)
    }
}

/// Reads the body, counting what arrives: a `Content-Length` can lie, or be absent.
async fn read_body(
    answer: &mut reqwest::Response,
    host: &str,
    max: usize,
    left: Duration,
) -> Result<Vec<u8>, NetError> {
    let too_large = || NetError::TooLarge {
        host: host.to_owned(),
        limit: max,
    };
    let announced = answer.content_length().unwrap_or(0);
    if announced > max as u64 {
        return Err(too_large());
    }
    let reading = async {
        let mut body = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| failure::in_body(&error, host))?
        {
            if chunk.len() > max.saturating_sub(body.len()) {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    timeout(left, reading).await.unwrap_or_else(|_| {
        Err(NetError::Timeout {
            host: host.to_owned(),
            stage: Stage::Body,
        })
    })
}

fn header_bytes(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// The target of a redirect, without user name, query and fragment.
fn location(from: &Url, headers: &HeaderMap) -> String {
    let target = headers
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| from.join(text).ok());
    match target {
        Some(url) => excerpt(&format!(
            "{}://{}{}",
            url.scheme(),
            guard::authority(&url),
            url.path()
        )),
        None => "an unreadable location".to_owned(),
    }
}
