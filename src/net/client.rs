//! The client: one bounded, guarded request at a time.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::Instant;
use url::Url;

use super::error::{NetError, Stage};
use super::exchange::{Exchange, Redirect};
use super::exchange_threads::{ALERTS, EVIDENCE, ExchangeThreads};
use super::leaf::LeafWatch;
use super::limits::Limits;
use super::resolve::{GuardedResolver, Lookup, system_lookup};
use super::response::Response;
use super::trace::{ShownPart, Trace};
use super::transport::{SetupError, Transport};
use super::{guard, tls};
use cvm_verify_core::evidence::excerpt;

/// How long a connection waits for the request that follows, where one was announced.
pub(crate) const STAY: Duration = Duration::from_millis(200);

/// An HTTP/1.1 client with the limits and address checks of this module; see there for what it guarantees. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    allow_private_network: bool,
    via_proxy: bool,
    /// What it was made of, for one that watches a server.
    made_of: Arc<(Transport, Lookup)>,
    trace: Option<Trace>,
    threads: &'static ExchangeThreads,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client that reaches the network as `transport` says.
    ///
    /// # Errors
    /// [`SetupError`] when the proxy URL or the CA file cannot be used.
    pub fn new(transport: &Transport) -> Result<Self, SetupError> {
        Self::with_lookup(transport, system_lookup())
    }

    /// The same with another name look-up.
    pub(super) fn with_lookup(transport: &Transport, lookup: Lookup) -> Result<Self, SetupError> {
        let tls = tls::config(transport.ca_file.as_deref())?;
        Self::with_tls(transport, lookup, tls)
    }

    /// A client that reaches the network as this one does, and keeps what the host of `url` presents in TLS. It has
    /// connections of its own.
    ///
    /// # Errors
    /// [`SetupError`] when the host is no name and no address, or the TLS library refuses its settings.
    pub fn watching(&self, url: &Url) -> Result<(Self, LeafWatch), SetupError> {
        let (transport, lookup) = &*self.made_of;
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let host = ServerName::try_from(host).map_err(|error| SetupError::Client(error.to_string()))?;
        let watch = LeafWatch::default();
        let tls = tls::watching(transport.ca_file.as_deref(), host, watch.clone())?;
        let watching = Self {
            trace: self.trace.clone(),
            threads: self.threads,
            ..Self::with_tls(transport, Arc::clone(lookup), tls)?
        };
        Ok((watching, watch))
    }

    fn with_tls(transport: &Transport, lookup: Lookup, tls: ClientConfig) -> Result<Self, SetupError> {
        let made_of = Arc::new((transport.clone(), Arc::clone(&lookup)));
        let proxy = transport
            .proxy
            .as_ref()
            .map(|url| proxy_url(url.expose()))
            .transpose()?;
        let proxy_host = proxy.as_ref().and_then(|url| url.host_str().map(str::to_owned));
        let resolver = GuardedResolver::new(lookup, transport.allow_private_network, proxy_host);
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(Arc::new(resolver))
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(STAY)
            .connect_timeout(transport.connect_timeout)
            .user_agent(concat!("cvm-verify/", env!("CARGO_PKG_VERSION")));
        if let Some(url) = proxy.clone() {
            // What is this machine itself is asked of this machine, however it is spelled.
            let goes_there = move |asked: &Url| (!guard::is_this_machine(asked)).then(|| url.clone());
            builder = builder.proxy(reqwest::Proxy::custom(goes_there));
        }
        let http = builder
            .build()
            .map_err(|error| SetupError::Client(excerpt(&error.without_url().to_string())))?;
        Ok(Self {
            http,
            allow_private_network: transport.allow_private_network,
            via_proxy: proxy.is_some(),
            made_of,
            trace: None,
            threads: &EVIDENCE,
        })
    }

    /// The client for an address that an answer names, such as the target of a redirect. What is named from the public internet is held
    /// to the public internet: a permission to reach private networks is for what the user names (T47).
    ///
    /// # Errors
    /// As [`Client::new`].
    pub(crate) fn for_named_by(&self, answer: &Response) -> Result<Self, SetupError> {
        if answer.is_private || !self.allow_private_network {
            return Ok(self.clone());
        }
        let (transport, lookup) = &*self.made_of;
        let transport = Transport {
            allow_private_network: false,
            ..transport.clone()
        };
        Ok(Self {
            trace: self.trace.clone(),
            threads: self.threads,
            ..Self::with_lookup(&transport, Arc::clone(lookup))?
        })
    }

    /// The same client, with its requests in a record.
    #[must_use]
    pub fn traced(mut self, trace: Trace) -> Self {
        self.trace = Some(trace);
        self
    }

    /// The same client for alerts: its requests stand in no record, and no target can keep its threads busy.
    #[must_use]
    pub fn for_alerts(&self) -> Self {
        Self {
            trace: None,
            threads: &ALERTS,
            ..self.clone()
        }
    }

    /// Gets `url`, within `limits`. Any status but a redirect is an answer; [`Response::ok`] asks for 200.
    ///
    /// # Errors
    /// [`NetError`], which says whether another attempt may help.
    pub async fn get(&self, url: &Url, limits: &Limits) -> Result<Response, NetError> {
        self.request(self.plain(Method::GET, url), url, limits).await
    }

    /// [`Client::get`], asking for JSON. That the answer is JSON is for the caller to check.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_json(&self, url: &Url, limits: &Limits) -> Result<Response, NetError> {
        let json = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let request = self.plain(Method::GET, url).headers(json);
        self.request(request, url, limits).await
    }

    /// [`Client::get_json`], and keeps the connection for a moment: the next request to the same server goes over it. Many
    /// servers allow that, some close it all the same; then a new one is made.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn get_json_and_stay(&self, url: &Url, limits: &Limits) -> Result<Response, NetError> {
        let headers = [
            (ACCEPT, HeaderValue::from_static("application/json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let request = self.http.get(url.clone()).headers(HeaderMap::from_iter(headers));
        self.request(request, url, limits).await
    }

    /// Posts `body` to `url` with `headers` (its `Content-Type` among them), under the same guards as [`Client::get`].
    /// It is sent once; whether to send it again is for the caller to say.
    ///
    /// # Errors
    /// As [`Client::get`]. After some of them the server may have acted on the body all the same.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
        limits: &Limits,
    ) -> Result<Response, NetError> {
        let request = self.plain(Method::POST, url).headers(headers).body(body);
        self.request(request, url, limits).await
    }

    /// [`Client::post`] of JSON, asking for JSON.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub async fn post_json(&self, url: &Url, body: Vec<u8>, limits: &Limits) -> Result<Response, NetError> {
        self.post(url, json_headers(), body, limits).await
    }

    /// [`Client::post_json`], and keeps the connection for a moment, as [`Client::get_json_and_stay`] does. The path of the URL may
    /// hold a key: `--verbose` shows its host alone.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub async fn post_json_and_stay(
        &self,
        url: &Url,
        body: Vec<u8>,
        limits: &Limits,
    ) -> Result<Response, NetError> {
        let request = self.http.post(url.clone()).headers(json_headers()).body(body);
        let part = ShownPart::HostAlone;
        self.traced_request(request, url, part, limits, Redirect::Refused)
            .await
    }

    /// Any request with `headers` and a body (which may be empty), under the same guards as [`Client::get`]. It is sent
    /// once.
    ///
    /// # Errors
    /// As [`Client::get`]. After some of them the server may have acted on the request all the same.
    pub async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
        limits: &Limits,
    ) -> Result<Response, NetError> {
        let request = self.plain(method, url).headers(headers);
        let request = if body.is_empty() {
            request
        } else {
            request.body(body)
        };
        self.request(request, url, limits).await
    }

    /// A request with `headers` and without a body, whose answer may be a redirect: its status and `Location` are shown, and it is
    /// not followed.
    ///
    /// # Errors
    /// As [`Client::get`], without [`NetError::Redirect`].
    pub async fn send_and_see(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        limits: &Limits,
    ) -> Result<Response, NetError> {
        let request = self.plain(method, url).headers(headers);
        let part = ShownPart::Path;
        self.traced_request(request, url, part, limits, Redirect::Shown)
            .await
    }

    fn plain(&self, method: Method, url: &Url) -> RequestBuilder {
        let headers = [
            (ACCEPT, HeaderValue::from_static("*/*")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (CONNECTION, HeaderValue::from_static("close")),
        ];
        self.http
            .request(method, url.clone())
            .headers(HeaderMap::from_iter(headers))
    }

    /// `request` leads to `url`.
    async fn request(
        &self,
        request: RequestBuilder,
        url: &Url,
        limits: &Limits,
    ) -> Result<Response, NetError> {
        let part = ShownPart::Path;
        self.traced_request(request, url, part, limits, Redirect::Refused)
            .await
    }

    async fn traced_request(
        &self,
        request: RequestBuilder,
        url: &Url,
        part: ShownPart,
        limits: &Limits,
        redirect: Redirect,
    ) -> Result<Response, NetError> {
        let started = Instant::now();
        let answer = self.bounded(request, url, limits, redirect).await;
        if let Some(trace) = &self.trace {
            trace.note(url, part, started.elapsed(), answer.as_ref());
        }
        answer
    }

    async fn bounded(
        &self,
        request: RequestBuilder,
        url: &Url,
        limits: &Limits,
        redirect: Redirect,
    ) -> Result<Response, NetError> {
        guard::check(url, self.allow_private_network)?;
        let host = guard::authority(url);
        let exchange = Exchange {
            url: url.clone(),
            host: host.clone(),
            limits: *limits,
            redirect,
            via_proxy: self.via_proxy && !guard::is_this_machine(url),
        };
        let answer = self.threads.run(limits.total, exchange.run(request)).await;
        answer.unwrap_or(Err(NetError::Timeout {
            host,
            stage: Stage::Response,
        }))
    }
}

fn json_headers() -> HeaderMap {
    let json = HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(ACCEPT, json.clone()), (CONTENT_TYPE, json)])
}

fn proxy_url(text: &str) -> Result<Url, SetupError> {
    let url = Url::parse(text).map_err(|_| SetupError::Proxy)?;
    let known_scheme = matches!(url.scheme(), "http" | "https");
    if known_scheme && url.host().is_some() {
        Ok(url)
    } else {
        Err(SetupError::Proxy)
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "client_reach_tests.rs"]
mod reach_tests;
