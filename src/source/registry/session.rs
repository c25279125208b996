//! Requests to one repository of a registry, with the token or the credentials that the registry asks for.
//!
//! The user's credentials go to the registry that they are for, or to its token service; a token goes to the registry. Neither
//! follows a redirect.

use hyper::header::{ACCEPT, AUTHORIZATION};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use url::Url;

use super::challenge::{Challenge, TokenService};
use super::credentials::{Login, REGISTRY_CREDENTIALS};
use super::repository::Repository;
use crate::net::{Client, HeaderMap, HeaderValue, Limits, Method, Response, Secret};
use crate::source::lookup_problem::of_net;
use crate::source::next_page::{NextPage, next_page};
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
    /// The user's, for this registry.
    login: Option<Login>,
    /// What the registry asked for: the value of a header.
    authorization: Option<Secret>,
    deadline: Instant,
}

/// A page of a list.
pub(super) struct RegistryPage {
    pub(super) body: Vec<u8>,
    pub(super) next: NextPage,
}

/// An answer of a token service.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> RegistrySession<'a> {
    pub(super) const fn new(
        client: &'a Client,
        repository: &'a Repository,
        login: Option<Login>,
        deadline: Instant,
    ) -> Self {
        Self {
            client,
            repository,
            login,
            authorization: None,
            deadline,
        }
    }

    /// Whether there is a manifest under a tag. A registry that does not say is asked for it.
    pub(super) async fn has_tag(&mut self, tag: &str) -> Result<bool, LookupProblem> {
        let response = self.ask_for(Method::HEAD, "manifests", tag, 0).await?;
        match response.status {
            200 => Ok(true),
            404 => Ok(false),
            status => Err(self.refused(&response, status)),
        }
    }

    /// The first page of the list of what refers to a digest; `None` where the registry does not keep such lists.
    pub(super) async fn referrers(
        &mut self,
        digest: &str,
        max_body: usize,
    ) -> Result<Option<RegistryPage>, LookupProblem> {
        let url = self.url("referrers", digest)?;
        let response = self.ask(Method::GET, &url, max_body).await?;
        match response.status {
            200 => Ok(Some(page(response, &url))),
            300..=399 | 404..=406 => Ok(None),
            status => Err(self.refused(&response, status)),
        }
    }

    /// A further page of a list, at the address that the page before it named.
    pub(super) async fn further(
        &mut self,
        url: &Url,
        max_body: usize,
    ) -> Result<RegistryPage, LookupProblem> {
        let response = self.ask(Method::GET, url, max_body).await?;
        match response.status {
            200 => Ok(page(response, url)),
            status => Err(self.refused(&response, status)),
        }
    }

    /// The manifest or index under a tag, or `None`.
    pub(super) async fn tagged(
        &mut self,
        tag: &str,
        max_body: usize,
    ) -> Result<Option<Response>, LookupProblem> {
        let response = self.ask_for(Method::GET, "manifests", tag, max_body).await?;
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
        let response = self
            .ask_for(Method::GET, "manifests", &reference, max_body)
            .await?;
        match response.status {
            200 => self.whole(response.body, digest).map(Some),
            404 => Ok(None),
            status => Err(self.refused(&response, status)),
        }
    }

    /// The blob of a digest. Registries keep blobs with others: one redirect is followed, without
    /// authorization.
    pub(super) async fn blob(&mut self, digest: &[u8; 32], max_body: usize) -> Result<String, LookupProblem> {
        let mut response = self
            .ask_for(Method::GET, "blobs", &reference(digest), max_body)
            .await?;
        if let 301 | 302 | 303 | 307 | 308 = response.status {
            let target = response
                .header("location")
                .and_then(|to| self.repository.registry().join(to).ok());
            let target = target.ok_or_else(|| self.malformed("redirects to no address"))?;
            let limits = self.limits(max_body);
            let client = self.for_named_by(&response)?;
            response = client
                .get(&target, &limits)
                .await
                .map_err(|error| of_net("where the registry keeps it", &error))?;
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

    fn url(&self, part: &str, reference: &str) -> Result<Url, LookupProblem> {
        let url = self.repository.url(part, reference);
        url.ok_or_else(|| self.malformed("has no address for this image"))
    }

    async fn ask_for(
        &mut self,
        method: Method,
        part: &str,
        reference: &str,
        max_body: usize,
    ) -> Result<Response, LookupProblem> {
        let url = self.url(part, reference)?;
        self.ask(method, &url, max_body).await
    }

    /// One request to the registry; another one with authorization, if the registry asks for it.
    async fn ask(&mut self, method: Method, url: &Url, max_body: usize) -> Result<Response, LookupProblem> {
        let response = self.send(method.clone(), url, max_body).await?;
        if response.status != 401 || self.authorization.is_some() {
            return Ok(response);
        }
        let challenge = Challenge::read(
            &response.headers("www-authenticate"),
            self.repository.registry(),
            self.login.as_ref(),
        );
        let challenge = challenge.map_err(|error| self.problem(Kind::ApiDenied, &error.to_string()))?;
        self.authorization = Some(match (challenge, &self.login) {
            // A service that the user names may be where the user permits it.
            (Challenge::Token(service), Some(login)) if login.names(&service.realm) => {
                self.new_token(self.client, &service).await?
            }
            (Challenge::Token(service), _) => {
                self.new_token(&self.for_named_by(&response)?, &service).await?
            }
            (Challenge::Basic, Some(login)) => login.basic().clone(),
            (Challenge::Basic, None) => {
                let words = format!("asks for credentials, and {REGISTRY_CREDENTIALS} has none for it");
                return Err(self.problem(Kind::ApiDenied, &words));
            }
        });
        self.send(method, url, max_body).await
    }

    async fn send(&self, method: Method, url: &Url, max_body: usize) -> Result<Response, LookupProblem> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(MANIFESTS));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, self.header(authorization)?);
        }
        let limits = self.limits(max_body);
        let sent = self.client.send_and_see(method, url, headers, &limits).await;
        sent.map_err(|error| of_net("the registry", &error))
    }

    fn header(&self, authorization: &Secret) -> Result<HeaderValue, LookupProblem> {
        let value = HeaderValue::try_from(authorization.expose());
        let mut value = value.map_err(|_| self.malformed("gives a token that no header can hold"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// A token to pull, `Bearer …`: with the user's credentials if there are any for this registry, else an anonymous one.
    async fn new_token(&self, client: &Client, service: &TokenService) -> Result<Secret, LookupProblem> {
        let mut headers = HeaderMap::new();
        if let Some(login) = &self.login {
            if !service.takes_credentials {
                let words = format!(
                    "names the token service {}, which gets no credentials: if it is the registry's own, write that host behind \
                     USERNAME:PASSWORD in {REGISTRY_CREDENTIALS}",
                    service.realm.host_str().unwrap_or_default()
                );
                return Err(self.problem(Kind::ApiDenied, &words));
            }
            headers.insert(AUTHORIZATION, self.header(login.basic())?);
        }
        let url = service.token_url(&self.repository.name);
        let limits = self.limits(MAX_TOKEN);
        let sent = client.send(Method::GET, &url, headers, Vec::new(), &limits);
        let response = sent
            .await
            .map_err(|error| of_net("the registry's token service", &error))?;
        match response.status {
            200 => {}
            401 if self.login.is_some() => return Err(self.credentials_refused()),
            status => return Err(self.refused(&response, status)),
        }
        let token: Option<Token> = serde_json::from_slice(&response.body).ok();
        let token = token.and_then(|token| token.token.or(token.access_token));
        let token = token.filter(|token| !token.is_empty());
        token
            .map(|token| Secret::new(format!("Bearer {token}")))
            .ok_or_else(|| self.malformed("gives no token"))
    }

    /// The client for an address that the registry names.
    fn for_named_by(&self, answer: &Response) -> Result<Client, LookupProblem> {
        let client = self.client.for_named_by(answer);
        client.map_err(|error| self.problem(Kind::Unreachable, &format!("names an address, and {error}")))
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
            401 if self.sent_login() => self.credentials_refused(),
            401 | 403 => {
                let to = match self.login {
                    Some(_) => format!("to the account in {REGISTRY_CREDENTIALS}"),
                    None => format!("to everybody, and {REGISTRY_CREDENTIALS} has no credentials for it"),
                };
                let words = format!("does not show {} {to} (status {status})", self.repository.name);
                self.problem(Kind::ApiDenied, &words)
            }
            429 => {
                let words = response.retry_after().map_or_else(
                    || "limits the number of requests and refuses this one".to_owned(),
                    |time| {
                        format!(
                            "limits the number of requests and refuses them for {} seconds",
                            time.as_secs()
                        )
                    },
                );
                self.problem(Kind::RateLimited, &words)
            }
            300..=399 => self.malformed(&format!("redirects (status {status})")),
            _ => self.problem(Kind::Unreachable, &format!("answers with status {status}")),
        }
    }

    /// Whether the registry itself got the user's credentials.
    fn sent_login(&self) -> bool {
        let sent = self.authorization.as_ref().map(Secret::expose);
        sent.is_some() && sent == self.login.as_ref().map(|login| login.basic().expose())
    }

    fn credentials_refused(&self) -> LookupProblem {
        let words = format!("does not accept the credentials in {REGISTRY_CREDENTIALS} (status 401)");
        self.problem(Kind::ApiDenied, &words)
    }
}

/// A page, and what follows it.
fn page(response: Response, asked: &Url) -> RegistryPage {
    let next = next_page(&response, asked);
    RegistryPage {
        body: response.body,
        next,
    }
}

/// `sha256:HEX`.
pub(super) fn reference(digest: &[u8; 32]) -> String {
    format!("sha256:{}", hex::encode(digest))
}
