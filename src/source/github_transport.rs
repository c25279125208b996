//! octocrab on our own client for what GitHub's API is asked about statements.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Bytes;
use hyper::{Request, Response};
use octocrab::{AuthState, OctoBody, Octocrab, OctocrabBuilder};
use tokio::time::Instant;
use tower_service::Service;
use url::Url;

use super::github_problem::{malformed, of_net};
use crate::net::{Client, HeaderMap, HeaderValue, Limits, Method, NetError, Secret};
use cvm_verify_core::evidence::{LookupProblem, LookupProblemKind as Kind};

/// The version of the API.
const API_VERSION: &str = "2022-11-28";
/// Largest page, in bytes: 30 bundles that are in it.
const MAX_PAGE: usize = 8 * 1024 * 1024;

/// octocrab on our own client: the same guards, limits and TLS as every other request. Every status is an answer.
#[derive(Clone)]
pub(super) struct GithubTransport {
    pub(super) client: Client,
    pub(super) api: Url,
    pub(super) token: Option<Secret>,
    pub(super) deadline: Instant,
}

/// Why a request had no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoGithubAnswer {
    #[error("GitHub's API: {0}")]
    Net(NetError),
    #[error("the token in CVM_VERIFY_SOURCE_TOKEN holds a character that no token has")]
    Token,
    #[error("the request to GitHub's API could not be made")]
    Request,
}

impl GithubTransport {
    pub(super) fn octocrab(self) -> Octocrab {
        let builder = OctocrabBuilder::new_empty().with_service(self);
        match builder.with_auth(AuthState::None).build() {
            Ok(octocrab) => octocrab,
            Err(never) => match never {},
        }
    }

    async fn pass(self, request: Request<OctoBody>) -> Result<Response<OctoBody>, NoGithubAnswer> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str())
            .to_owned();
        let url = format!("{}{path}", self.api.as_str().trim_end_matches('/'));
        let url = Url::parse(&url).map_err(|_| NoGithubAnswer::Request)?;
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("application/vnd.github+json"));
        headers.insert("x-github-api-version", HeaderValue::from_static(API_VERSION));
        if let Some(token) = &self.token {
            let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()))
                .map_err(|_| NoGithubAnswer::Token)?;
            bearer.set_sensitive(true);
            headers.insert("authorization", bearer);
        }
        let limits = Limits::body(MAX_PAGE).within(left);
        let answer = self
            .client
            .send(Method::GET, &url, headers, Vec::new(), &limits)
            .await
            .map_err(NoGithubAnswer::Net)?;
        let mut response = Response::builder().status(answer.status);
        for name in [
            "link",
            "x-ratelimit-remaining",
            "x-ratelimit-reset",
            "retry-after",
        ] {
            if let Some(value) = answer.header(name) {
                response = response.header(name, value);
            }
        }
        response
            .body(OctoBody::from(answer.body))
            .map_err(|_| NoGithubAnswer::Request)
    }
}

impl Service<Request<OctoBody>> for GithubTransport {
    type Response = Response<OctoBody>;
    type Error = NoGithubAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        Box::pin(self.clone().pass(request))
    }
}

pub(super) async fn read<B: hyper::body::Body<Data = Bytes> + Unpin>(
    mut body: B,
) -> Result<Vec<u8>, LookupProblem> {
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| malformed("GitHub's answer cannot be read"))?;
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes)
}

pub(super) fn meant(error: &octocrab::Error) -> LookupProblem {
    let unanswered = match error {
        octocrab::Error::Service { source, .. } => source.downcast_ref::<NoGithubAnswer>(),
        _ => None,
    };
    match unanswered {
        Some(NoGithubAnswer::Net(error)) => of_net("GitHub's API", error),
        Some(other) => LookupProblem {
            kind: Kind::Unreachable,
            detail: other.to_string(),
        },
        None => malformed("GitHub's answer cannot be read"),
    }
}
