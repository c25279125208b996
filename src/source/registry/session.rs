//! Requests to one repository of a registry, with an anonymous token where the registry asks for one.

use hyper::header::{ACCEPT, AUTHORIZATION};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use url::Url;

use super::challenge::Challenge;
use super::repository::Repository;
use crate::net::{Client, HeaderMap, HeaderValue, Limits, Method, NetError, Response, Secret};
use cvm_verify_core::evidence::{LookupProblem, LookupProblemKind as Kind};

/// Largest answer of a token service, in bytes.
const MAX_TOKEN: usize = 64 * 1024;
/// What is accepted of manifests and indices.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
                         application/vnd.docker.distribution.manifest.list.v2+json, \
                         application/vnd.docker.distribution.manifest.v2+json";

/// What was asked so far, and may be asked still.
pub(super) struct RegistrySession<'a> {
    client: &'a Client,
    repository: &'a Repository,
    token: Option<Secret>,
    deadline: Instant,
}

/// An answer of a token service.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> RegistrySession<'a> {
    pub(super) const fn new(client: &'a Client, repository: &'a Repository, deadline: Instant) -> Self {
        Self {
            client,
            repository,
            token: None,
            deadline,
        }
    }

    /// Whether there is a manifest under a tag. A registry that does not say is asked for it.
    pub(super) async fn has_tag(&mut self, tag: &str) -> Result<bool, LookupProblem> {
        let response = self.ask(Method::HEAD, "manifests", tag, 0).await?;
        match response.status {
            200 => Ok(true),
            404 => Ok(false),
            status => Err(self.refused(&response, status)),
        }
    }

    /// The list of what refers to a digest; `None` where the registry does not keep such lists.
    pub(super) async fn referrers(
        &mut self,
        digest: &str,
        max_body: usize,
    ) -> Result<Option<Response>, LookupProblem> {
        let response = self.ask(Method::GET, "referrers", digest, max_body).await?;
        match response.status {
            200 => Ok(Some(response)),
            300..=399 | 404..=406 => Ok(None),
            status => Err(self.refused(&response, status)),
        }
    }

    /// The manifest or index under a tag, or `None`.
    pub(super) async fn tagged(
        &mut self,
        tag: &str,
        max_body: usize,
    ) -> Result<Option<Response>, LookupProblem> {
        let response = self.ask(Method::GET, "manifests", tag, max_body).await?;
        match response.status {
            200 => Ok(Some(response)),
            404 => Ok(None),
            status => Err(self.refused(&response, status)),
        }
    }

    /// The manifest or index of a digest, or `None`.
    pub(super) async fn manifest(
        &mut self,
        digest: &[u8; 32],
        max_body: usize,
    ) -> Result<Option<String>, LookupProblem> {
        let reference = reference(digest);
        let response = self.ask(Method::GET, "manifests", &reference, max_body).await?;
        match response.status {
            200 => self.whole(response.body, digest).map(Some),
            404 => Ok(None),
            status => Err(self.refused(&response, status)),
        }
    }

    /// The blob of a digest. Registries keep blobs with others: one redirect is followed, without the token.
    pub(super) async fn blob(&mut self, digest: &[u8; 32], max_body: usize) -> Result<String, LookupProblem> {
        let mut response = self
            .ask(Method::GET, "blobs", &reference(digest), max_body)
            .await?;
        if let 301 | 302 | 303 | 307 | 308 = response.status {
            let target = response
                .header("location")
                .and_then(|to| self.repository.registry().join(to).ok());
            let target = target.ok_or_else(|| self.malformed("redirects to no address"))?;
            let limits = self.limits(max_body);
            response = self
                .client
                .get(&target, &limits)
                .await
                .map_err(|error| self.of_net("where the registry keeps it", &error))?;
        }
        match response.status {
            200 => self.whole(response.body, digest),
            status => Err(self.refused(&response, status)),
        }
    }

    /// Text whose SHA-256 is the digest.
    fn whole(&self, body: Vec<u8>, digest: &[u8; 32]) -> Result<String, LookupProblem> {
        if Sha256::digest(&body).as_slice() != digest {
            return Err(
                self.malformed("answers with other bytes than those of the digest that it was asked for")
            );
        }
        String::from_utf8(body).map_err(|_| self.malformed("holds a document that is not text"))
    }

    /// One request; another one with a token, if the registry asks for it.
    async fn ask(
        &mut self,
        method: Method,
        part: &str,
        reference: &str,
        max_body: usize,
    ) -> Result<Response, LookupProblem> {
        let url = self.repository.url(part, reference);
        let url = url.ok_or_else(|| self.malformed("has no address for this image"))?;
        let response = self.send(method.clone(), &url, max_body).await?;
        if response.status != 401 || self.token.is_some() {
            return Ok(response);
        }
        let challenge = Challenge::read(response.header("www-authenticate"), self.repository.registry());
        let challenge = challenge.map_err(|error| self.problem(Kind::ApiDenied, &error.to_string()))?;
        self.token = Some(self.new_token(&challenge).await?);
        self.send(method, &url, max_body).await
    }

    async fn send(&self, method: Method, url: &Url, max_body: usize) -> Result<Response, LookupProblem> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        if let Some(token) = &self.token {
            let bearer = HeaderValue::try_from(format!("Bearer {}", token.expose()));
            let mut bearer = bearer.map_err(|_| self.malformed("gives a token that no header can hold"))?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
        }
        let limits = self.limits(max_body);
        let sent = self.client.send_and_see(method, url, headers, &limits).await;
        sent.map_err(|error| self.of_net("the registry", &error))
    }

    async fn new_token(&self, challenge: &Challenge) -> Result<Secret, LookupProblem> {
        let url = challenge.token_url(&self.repository.name);
        let response = self.client.get(&url, &self.limits(MAX_TOKEN)).await;
        let response = response.map_err(|error| self.of_net("its token service", &error))?;
        if response.status != 200 {
            return Err(self.refused(&response, response.status));
        }
        let token: Option<Token> = serde_json::from_slice(&response.body).ok();
        let token = token.and_then(|token| token.token.or(token.access_token));
        let token = token.filter(|token| !token.is_empty());
        token
            .map(Secret::new)
            .ok_or_else(|| self.malformed("gives no token"))
    }

    fn limits(&self, max_body: usize) -> Limits {
        Limits::body(max_body).within(self.deadline.saturating_duration_since(Instant::now()))
    }

    fn problem(&self, kind: Kind, words: &str) -> LookupProblem {
        LookupProblem {
            kind,
            detail: format!("the registry {} {words}", self.repository.host()),
        }
    }

    pub(super) fn malformed(&self, words: &str) -> LookupProblem {
        self.problem(Kind::MalformedAnswer, words)
    }

    /// The image is not shown.
    pub(super) fn not_shown(&self) -> LookupProblem {
        let words = format!("shows no image {} of this digest", self.repository.name);
        self.problem(Kind::CannotSee, &words)
    }

    /// A status that is not an answer.
    fn refused(&self, response: &Response, status: u16) -> LookupProblem {
        match status {
            401 | 403 => self.problem(
                Kind::ApiDenied,
                &format!(
                    "does not show {} to everybody (status {status})",
                    self.repository.name
                ),
            ),
            429 => {
                let words = response.retry_after().map_or_else(
                    || "answers no more requests for now".to_owned(),
                    |time| format!("answers no more requests for {} seconds", time.as_secs()),
                );
                self.problem(Kind::RateLimited, &words)
            }
            300..=399 => self.malformed(&format!("redirects (status {status})")),
            _ => self.problem(Kind::Unreachable, &format!("answers with status {status}")),
        }
    }

    fn of_net(&self, what: &str, error: &NetError) -> LookupProblem {
        let kind = match error {
            NetError::TooLarge { .. } | NetError::HeadersTooLarge { .. } => Kind::MalformedAnswer,
            _ => Kind::Unreachable,
        };
        LookupProblem {
            kind,
            detail: format!("{what}: {}", error.to_string().trim_end_matches('.')),
        }
    }
}

/// `sha256:HEX`.
pub(super) fn reference(digest: &[u8; 32]) -> String {
    format!("sha256:{}", hex::encode(digest))
}
