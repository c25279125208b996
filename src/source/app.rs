//! The endpoints that an app in the CVM serves itself: `GET /attestation?reportData=<nonce>` and `GET /info` (spec §1.a).

use cvm_verify_core::evidence::{AskedParty, MAX_GPU_DOCUMENT_BYTES, MAX_INFO_BYTES, parse_user_hex};
use std::borrow::Cow;
use std::time::Duration;

use url::Url;

use super::document::{json_after, json_and_stay};
use super::error::SourceError;
use super::host_label::HostLabel;
use super::row::{GivenOptions, ReachedBy, SourceRow, name_of};
use crate::address::{parse_url, shown_address, shown_text};
use crate::net::{Client, Limits, below};
use crate::usage_error::UsageError;

pub(crate) const ROW: SourceRow = SourceRow {
    name: "app",
    says: "The app's own endpoints, by URL",
    options: &["info-url", "gpu-path", "nonce-parameter"],
    reached_by: ReachedBy::Address,
    needs: "give the address of an app (https://…), or write targets into a policy file cvm-verify.toml",
    party: AskedParty::App,
    is_of_one: true,
    id_in: HostLabel::id_in,
};

/// Largest attestation, in bytes: 4 MiB (docs/threats.md, T48). The information may be [`MAX_INFO_BYTES`].
pub const MAX_BYTES: usize = cvm_verify_core::evidence::MAX_ATTESTATION_BYTES;

/// The query parameter that carries the nonce.
const NONCE_PARAMETER: &str = "reportData";

/// The query parameter that carries the nonce to the endpoint of GPU evidence.
const GPU_NONCE_PARAMETER: &str = "nonce";

/// Where an app serves its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppEndpoints {
    base: Url,
    /// The base as it may be shown.
    shown: String,
    attestation_path: Cow<'static, str>,
    info_path: Cow<'static, str>,
    info_url: Option<Url>,
    gpu_path: Option<String>,
    nonce_parameter: Cow<'static, str>,
}

/// Endpoints that cannot be put together: a usage error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The base URL has no host and path to append to.
    #[error("the URL must be https://HOST[:PORT][/PATH]")]
    Base,
    /// A `#`, which no server would see.
    #[error("{0} holds a #, which is never sent to a server; remove it")]
    Fragment(String),
    /// The nonce is ours to set: a fixed one would make old evidence look fresh.
    #[error("{0} sets the parameter of the nonce itself; remove it, every attempt gets its own nonce")]
    Nonce(String),
    /// The same for the GPUs' nonce.
    #[error("{0} sets nonce itself; remove it, every attempt gets its own nonce")]
    GpuNonce(String),
    /// The name of a parameter that none has.
    #[error("the parameter of the nonce is 1 to 64 letters, digits, `_` and `-`, such as nonce")]
    NonceParameter,
}

impl AppEndpoints {
    /// Default path of the attestation.
    pub const ATTESTATION: &str = "/attestation";
    /// Default path of the app's information.
    pub const INFO: &str = "/info";

    /// The default paths below `base`.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn new(base: Url) -> Result<Self, EndpointError> {
        Self::with_paths(base, Self::ATTESTATION, Self::INFO)
    }

    /// Other paths below `base`. A path of `base` comes first, so `https://host/api/` and `/attestation` make
    /// `https://host/api/attestation`; queries of both are kept. A path can never change the host.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn with_paths(base: Url, attestation_path: &str, info_path: &str) -> Result<Self, EndpointError> {
        if base.cannot_be_a_base() || !base.has_host() {
            return Err(EndpointError::Base);
        }
        for path in [attestation_path, info_path] {
            if path.contains('#') {
                return Err(EndpointError::Fragment(format!("{:?}", shown_text(path))));
            }
        }
        if base.fragment().is_some() {
            return Err(EndpointError::Fragment("the address".to_owned()));
        }
        let endpoints = Self {
            shown: shown_address(&base),
            base,
            attestation_path: text_or(Self::ATTESTATION, attestation_path),
            info_path: text_or(Self::INFO, info_path),
            info_url: None,
            gpu_path: None,
            nonce_parameter: NONCE_PARAMETER.into(),
        };
        for (path, url) in [
            (attestation_path, endpoints.below_base(attestation_path)),
            (info_path, endpoints.below_base(info_path)),
        ] {
            if url.query_pairs().any(|(name, _)| name == NONCE_PARAMETER) {
                return Err(EndpointError::Nonce(format!("{:?}", shown_text(path))));
            }
        }
        Ok(endpoints)
    }

    /// The path of the attestation, without query, if it is not the default one.
    pub(super) fn other_attestation_path(&self) -> Option<String> {
        let path = self.attestation_path.split('?').next().unwrap_or_default();
        let path = format!("/{}", path.trim_start_matches('/'));
        (path != Self::ATTESTATION).then_some(path)
    }

    /// The query that the attestation is asked for with, beside the nonce. It may hold a secret.
    pub(super) fn attestation_query(&self) -> Option<String> {
        let url = self.below_base(&self.attestation_path);
        url.query().map(str::to_owned)
    }

    /// The paths that are not the default ones, `NAME=PATH` each, without queries.
    pub(super) fn other_paths(&self) -> Vec<String> {
        let path = |name: &str, path: &str, usual: &str| {
            let path = path.split('?').next().unwrap_or_default();
            (path != usual).then(|| format!("{name}={path}"))
        };
        [
            path("attestation", &self.attestation_path, Self::ATTESTATION),
            path("info", &self.info_path, Self::INFO),
            path("gpu", self.gpu_path.as_deref().unwrap_or_default(), ""),
            self.info_url
                .as_ref()
                .map(|url| format!("info-url={}", shown_address(url))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The same, with the app's information from an address of its own: the guest agent's, where the app has no `/info`.
    #[must_use]
    pub fn with_info_url(self, info_url: Option<Url>) -> Self {
        Self { info_url, ..self }
    }

    /// The same, with evidence of GPUs from this path.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn with_gpu_path(self, path: Option<&str>) -> Result<Self, EndpointError> {
        if let Some(path) = path {
            if path.contains('#') {
                return Err(EndpointError::Fragment(format!("{:?}", shown_text(path))));
            }
            let url = self.below_base(path);
            if url.query_pairs().any(|(name, _)| name == GPU_NONCE_PARAMETER) {
                return Err(EndpointError::GpuNonce(format!("{:?}", shown_text(path))));
            }
        }
        Ok(Self {
            gpu_path: path.map(str::to_owned),
            ..self
        })
    }

    /// The same, with the nonce in another query parameter.
    ///
    /// # Errors
    /// [`EndpointError::NonceParameter`], and [`EndpointError::Nonce`] where the address sets that parameter itself.
    pub fn with_nonce_parameter(self, name: &str) -> Result<Self, EndpointError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return Err(EndpointError::NonceParameter);
        }
        for path in [&self.attestation_path, &self.info_path] {
            if self
                .below_base(path)
                .query_pairs()
                .any(|(known, _)| known == name)
            {
                return Err(EndpointError::Nonce(format!("{:?}", shown_text(path))));
            }
        }
        Ok(Self {
            nonce_parameter: text_or(NONCE_PARAMETER, name),
            ..self
        })
    }

    /// The URL as it may be shown: a query may hold a token.
    pub fn url(&self) -> &str {
        &self.shown
    }

    /// The URL as the user gave it.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// URL of the attestation for `nonce`: 64 lower-case hex digits in `reportData`, or the parameter that was named. A probe asks for 128.
    pub fn attestation_url(&self, nonce: &[u8]) -> Url {
        self.attestation_url_of_text(&hex::encode(nonce))
    }

    /// The same with a text, of letters and digits alone, in the place of the digits.
    pub fn attestation_url_of_text(&self, text: &str) -> Url {
        with_parameter(
            self.below_base(&self.attestation_path),
            &self.nonce_parameter,
            text,
        )
    }

    /// URL of the app's information.
    pub fn info_url(&self) -> Url {
        match &self.info_url {
            Some(url) => url.clone(),
            None => self.below_base(&self.info_path),
        }
    }

    /// URL of the GPU evidence for `nonce`, if it has one of its own: 64 lower-case hex digits in `nonce`.
    pub fn gpu_url(&self, nonce: &[u8; 32]) -> Option<Url> {
        let url = self.below_base(self.gpu_path.as_deref()?);
        Some(with_parameter(url, GPU_NONCE_PARAMETER, &hex::encode(nonce)))
    }

    fn below_base(&self, path: &str) -> Url {
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let mut url = below(&self.base, path);
        let query = joined(self.base.query(), query);
        url.set_query(query.as_deref());
        url
    }
}

/// The text, without memory of its own if it is the usual one: a fleet has thousands of addresses.
fn text_or(usual: &'static str, text: &str) -> Cow<'static, str> {
    match text == usual {
        true => Cow::Borrowed(usual),
        false => Cow::Owned(text.to_owned()),
    }
}

/// Reads the address of an app; its name too.
pub(super) fn parse(text: &str, given: &GivenOptions<'_>) -> Result<(String, AppEndpoints), UsageError> {
    refuse_an_id(text)?;
    let url = parse_url("URL", text)?;
    let name = name_of(&url);
    for (option, path) in [
        ("attestation-path", AppEndpoints::ATTESTATION),
        ("info-path", AppEndpoints::INFO),
    ] {
        if given(option).is_none() {
            refuse_endpoint(&url, option, path)?;
        }
    }
    let info_url = given("info-url")
        .map(|text| parse_url("--info-url", text))
        .transpose()?;
    if info_url.is_some() && given("info-path").is_some() {
        return Err(UsageError::option(
            "--info-url",
            "--info-path says where the app itself has the information; leave one of them out",
        ));
    }
    let attestation_path = given("attestation-path").unwrap_or(AppEndpoints::ATTESTATION);
    let info_path = given("info-path").unwrap_or(AppEndpoints::INFO);
    let endpoints = AppEndpoints::with_paths(url, attestation_path, info_path)
        .map_err(|error| UsageError::option("URL", error))?
        .with_info_url(info_url)
        .with_gpu_path(given("gpu-path"))
        .map_err(|error| UsageError::option("--gpu-path", error))?;
    let endpoints = match given("nonce-parameter") {
        None => endpoints,
        Some(name) => endpoints
            .with_nonce_parameter(name)
            .map_err(|error| UsageError::option("--nonce-parameter", error))?,
    };
    Ok((name, endpoints))
}

/// An app or instance id alone is not an address: the source must be named.
fn refuse_an_id(text: &str) -> Result<(), UsageError> {
    let text = text.trim();
    let bare = text.strip_prefix("app_").unwrap_or(text);
    match parse_user_hex::<20>(bare) {
        Err(_) => Ok(()),
        Ok(id) => {
            let id = hex::encode(id);
            Err(UsageError::option(
                "URL",
                format!(
                    "{id} is the id of an app or instance, not an address. Give the address of the app, \
                     https://{id}-PORT.DOMAIN; or name the source: --source phala-cloud {id}, or --source guest-agent \
                     --gateway-domain DOMAIN {id}"
                ),
            ))
        }
    }
}

/// The path of an endpoint is added to the address, so it must not stand at its end already.
fn refuse_endpoint(url: &Url, option: &str, path: &str) -> Result<(), UsageError> {
    let Some(before) = url.path().trim_end_matches('/').strip_suffix(path) else {
        return Ok(());
    };
    let mut base = url.clone();
    base.set_path(before);
    let base = shown_address(&base);
    Err(UsageError::option(
        "URL",
        format!(
            "the address ends with {path}, which is added to it: give {}. If the endpoint is below that path, give the whole path with \
             --{option}",
            base.trim_end_matches('/')
        ),
    ))
}

fn with_parameter(mut url: Url, name: &str, value: &str) -> Url {
    let query = joined(url.query(), Some(&format!("{name}={value}")));
    url.set_query(query.as_deref());
    url
}

/// Two queries as one; `None` when neither holds anything.
fn joined(first: Option<&str>, second: Option<&str>) -> Option<String> {
    let parts: Vec<&str> = [first, second]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect();
    (!parts.is_empty()).then(|| parts.join("&"))
}

/// An attestation as it was answered: a raw body that begins like JSON.
#[derive(Debug, Clone)]
pub struct RawAttestation {
    /// The nonce that the source was asked to sign, 32 bytes; none if it signs none.
    pub nonce: Option<[u8; 32]>,
    /// The body.
    pub body: Vec<u8>,
}

/// Asks for the attestation, one time. The connection is kept for the documents next to it where the server lets it: a gateway that
/// spreads connections over the instances of an app sends all requests of one to the same instance.
///
/// # Errors
/// There is no attestation.
pub async fn attestation(
    client: &Client,
    endpoints: &AppEndpoints,
    nonce: &[u8; 32],
    time_left: Duration,
) -> Result<RawAttestation, SourceError> {
    let limits = Limits::body(MAX_BYTES).lasting(time_left);
    let body = json_and_stay(client, endpoints.attestation_url(nonce), &limits).await?;
    Ok(RawAttestation {
        nonce: Some(*nonce),
        body,
    })
}

/// Asks for the app's information, one time. Verification can do without.
///
/// # Errors
/// There is none.
pub async fn info(
    client: &Client,
    endpoints: &AppEndpoints,
    time_left: Duration,
) -> Result<Vec<u8>, SourceError> {
    let limits = Limits::body(MAX_INFO_BYTES).lasting(time_left);
    json_after(client, endpoints.info_url(), &limits).await
}

/// Asks for the evidence of GPUs, one time, at [`AppEndpoints::gpu_url`].
///
/// # Errors
/// There is none.
pub async fn gpu(client: &Client, url: &Url, time_left: Duration) -> Result<Vec<u8>, SourceError> {
    let limits = Limits::body(MAX_GPU_DOCUMENT_BYTES).lasting(time_left);
    json_after(client, url.clone(), &limits).await
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
