//! octocrab on our own HTTP client: the same guards, limits and TLS as every other request, and errors without words of
//! the server (T59).

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::{Method, Request, Response};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use tokio::time::Instant;
use tower_service::Service;
use url::Url;

use super::delivery::{RetryPolicy, json_headers};
use super::error::DeliveryError;
use crate::net::retry::{Schedule, retry};
use crate::net::{self, Client, HeaderMap, Limits, Secret, github_headers};
use cvm_verify_core::evidence::has_more_values_than;

/// Largest answer that is read, in bytes: a page of issues, of which strangers may have written some.
const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// Values of one answer in JSON. A page of 100 issues has about 10,000.
const MAX_VALUES: usize = 100_000;

/// What octocrab sends its requests through.
#[derive(Clone)]
pub(super) struct GithubClient {
    pub(super) client: Client,
    /// The address of the API, ending with a slash.
    pub(super) api: Url,
    pub(super) token: Secret,
    /// When everything has to be done.
    pub(super) deadline: Instant,
    /// How often, and for how long.
    pub(super) retry_policy: RetryPolicy,
    /// Random: how much longer than half of each pause it waits.
    pub(super) jitter: u32,
}

impl GithubClient {
    /// An octocrab that goes through it. It must be made inside a tokio runtime.
    pub(super) fn octocrab(self) -> Octocrab {
        let builder = OctocrabBuilder::new_empty().with_service(self);
        match builder.with_auth(AuthState::None).build() {
            Ok(octocrab) => octocrab,
            Err(never) => match never {},
        }
    }

    /// The schedule of tries, within the time that is left.
    pub(super) fn schedule(&self) -> Schedule {
        Schedule {
            total: self.deadline.saturating_duration_since(Instant::now()),
            ..self.retry_policy.schedule
        }
    }

    /// Repeats what may be repeated. What makes something again is sent once: whether it was made although the answer was
    /// lost is for the caller to find out.
    async fn pass(self, request: Request<OctoBody>) -> Result<Response<OctoBody>, DeliveryError> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let url = self.url(path)?;
        let body = body.collect().await.map_err(|_| DeliveryError::Payload)?;
        let body = body.to_bytes().to_vec();
        // All our GraphQL is a query.
        let repeatable = parts.method != Method::POST || path == "/graphql";
        if !repeatable {
            return self.once(parts.method, &url, body).await;
        }
        retry(
            &self.schedule(),
            || self.jitter,
            |_| self.once(parts.method.clone(), &url, body.clone()),
        )
        .await
    }

    async fn once(
        &self,
        method: Method,
        url: &Url,
        body: Vec<u8>,
    ) -> Result<Response<OctoBody>, DeliveryError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(DeliveryError::NoTimeLeft);
        }
        let limits = Limits::body(MAX_ANSWER).within(left.min(self.retry_policy.one_try));
        let answer = self
            .client
            .send(method, url, self.headers()?, body, &limits)
            .await
            .map_err(|error| DeliveryError::of(&error).unwrap_or(DeliveryError::NotUnderstood))?;
        if !(200..=299).contains(&answer.status) {
            return Err(DeliveryError::Status {
                status: answer.status,
                said: meaning(&answer),
                retry_after: answer.retry_after(),
            });
        }
        if has_more_values_than(&answer.body, MAX_VALUES) {
            return Err(DeliveryError::NotUnderstood);
        }
        let mut response = Response::new(OctoBody::from(answer.body));
        *response.status_mut() =
            hyper::StatusCode::from_u16(answer.status).map_err(|_| DeliveryError::Protocol)?;
        Ok(response)
    }

    /// `path` below the API's address. GitHub Enterprise Server has its REST API at `/api/v3` and GraphQL at `/api/graphql`.
    fn url(&self, path: &str) -> Result<Url, DeliveryError> {
        let api = self.api.as_str().trim_end_matches('/');
        let api = match api.strip_suffix("/v3") {
            Some(above) if path == "/graphql" => above,
            _ => api,
        };
        Url::parse(&format!("{api}{path}")).map_err(DeliveryError::NotAUrl)
    }

    fn headers(&self) -> Result<HeaderMap, DeliveryError> {
        let mut headers = json_headers();
        let of_github = github_headers(Some(&self.token))
            .map_err(|_| DeliveryError::ControlCharacter { what: "its token" })?;
        headers.extend(of_github);
        Ok(headers)
    }
}

impl Service<Request<OctoBody>> for GithubClient {
    type Response = Response<OctoBody>;
    type Error = DeliveryError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        Box::pin(self.clone().pass(request))
    }
}

/// What an error of octocrab is, in our own words.
pub(super) fn meant(error: &octocrab::Error) -> DeliveryError {
    match error {
        octocrab::Error::Service { source, .. } => {
            source.downcast_ref().copied().unwrap_or(DeliveryError::Protocol)
        }
        _ => DeliveryError::NotUnderstood,
    }
}

/// What a refusal means here. GitHub's own words stay where they are.
fn meaning(answer: &net::Response) -> Option<&'static str> {
    let limited = answer.header("x-ratelimit-remaining") == Some("0") || answer.retry_after().is_some();
    match answer.status {
        401 => Some("the token is not valid"),
        403 if limited => Some("GitHub's rate limit is reached; the next run tries again"),
        403 => Some("the token may not do that; give the job the permission `issues: write`"),
        404 => Some("there is no such repository, or the token may not see it"),
        410 => Some("issues are disabled in this repository"),
        422 => Some("GitHub does not accept the issue; this is a bug in cvm-verify"),
        _ => None,
    }
}
