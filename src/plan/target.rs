//! Addresses to verify, and what they are called.

use url::Url;

use super::setting_problem::SettingProblem;
use crate::config::{Settings, WrittenValue, parse_url, shown_address, shown_text};
use crate::source::app::AppEndpoints;
use crate::source::guest_agent::GuestAgent;
use crate::source::phala_cloud::PhalaCloud;
use crate::source::{HostId, Source, SourceKind};
use crate::usage_error::UsageError;
use cvm_verify_core::evidence::parse_user_hex;
use cvm_verify_core::policy::Origin;

/// One address or app to verify.
pub(crate) struct Target {
    pub name: String,
    pub source: Source,
}

impl Target {
    /// Parses what stands for a target: an address, or an id where the source is reached by one.
    pub fn new(text: &str, settings: &Settings) -> Result<Self, UsageError> {
        let kind = source_kind(settings);
        refuse_options_of_other_sources(kind, settings)?;
        match kind {
            SourceKind::App => Self::app(text, settings),
            SourceKind::GuestAgent => Self::guest_agent(text, settings),
            SourceKind::PhalaCloud => Self::phala_cloud(text, settings),
        }
    }

    /// The same for what settings name.
    pub fn of_settings(address: &WrittenValue, settings: &Settings) -> Result<Self, SettingProblem> {
        Self::new(&address.text, settings).map_err(|error| match &address.origin {
            Origin::File { .. } => SettingProblem::of("url", address, error),
            _ => SettingProblem::Other(error.to_string()),
        })
    }

    fn app(text: &str, settings: &Settings) -> Result<Self, UsageError> {
        refuse_an_id(text)?;
        let url = parse_url("URL", text)?;
        let name = name_of(&url);
        let given = |key| settings.one(key).map(|value| value.text.as_str());
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
        Ok(Self {
            name,
            source: Source::App(endpoints),
        })
    }

    fn guest_agent(text: &str, settings: &Settings) -> Result<Self, UsageError> {
        let agent = if text.contains("://") {
            GuestAgent::new(parse_url("URL", text)?).map_err(|error| UsageError::option("URL", error))?
        } else {
            let id = id("the app's or instance's id", text)?;
            let Some(domain) = settings.one("gateway-domain") else {
                return Err(UsageError::new(format!(
                    "the guest agent of {id} is behind a gateway; name its base domain with --gateway-domain, or give the \
                     agent's whole address, https://{id}-8090.DOMAIN"
                )));
            };
            GuestAgent::of_id(id, &domain.text)
                .map_err(|error| UsageError::option("--gateway-domain", error))?
        };
        Ok(Self {
            name: name_of(agent.base()),
            source: Source::GuestAgent(agent),
        })
    }

    fn phala_cloud(text: &str, settings: &Settings) -> Result<Self, UsageError> {
        let text = text.trim();
        let id = id("the app's id", text.strip_prefix("app_").unwrap_or(text))?;
        let api = settings
            .one("phala-api-url")
            .map(|value| parse_url("--phala-api-url", &value.text))
            .transpose()?;
        let app = PhalaCloud::new(id, api.as_ref())
            .map_err(|error| UsageError::option("--phala-api-url", error))?;
        Ok(Self {
            name: format!("phala-cloud/{id}"),
            source: Source::PhalaCloud(app),
        })
    }

    /// The id in the address.
    pub fn address_id(&self) -> Option<[u8; 20]> {
        self.source.address_id()
    }
}

/// The source that settings name.
pub(crate) fn source_kind(settings: &Settings) -> SourceKind {
    match settings.one("source").map(|value| value.text.as_str()) {
        Some(Source::GUEST_AGENT) => SourceKind::GuestAgent,
        Some(Source::PHALA_CLOUD) => SourceKind::PhalaCloud,
        _ => SourceKind::App,
    }
}

/// An app or instance id alone is no address: who is asked for it must be said.
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
                    "{id} is the id of an app or instance, not an address. Give the address of the app, https://{id}-PORT.DOMAIN; or \
                     say who is asked: --source phala-cloud {id}, or --source guest-agent --gateway-domain DOMAIN {id}"
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

fn id(what: &str, text: &str) -> Result<HostId, UsageError> {
    let text = text.trim();
    parse_user_hex(text).map(HostId).map_err(|error| {
        let text: String = shown_text(text).chars().take(100).collect();
        UsageError::new(format!("{text:?} is not {what}: it {error}"))
    })
}

/// An option that would do nothing is a mistake.
fn refuse_options_of_other_sources(kind: SourceKind, settings: &Settings) -> Result<(), UsageError> {
    for (option, source) in [
        ("--info-url", SourceKind::App),
        ("--gpu-path", SourceKind::App),
        ("--nonce-parameter", SourceKind::App),
        ("--gateway-domain", SourceKind::GuestAgent),
        ("--phala-api-url", SourceKind::PhalaCloud),
        ("--instances", SourceKind::PhalaCloud),
    ] {
        let given = settings.one(option.trim_start_matches('-')).is_some();
        if given && kind != source {
            let name = match source {
                SourceKind::App => Source::APP,
                SourceKind::GuestAgent => Source::GUEST_AGENT,
                SourceKind::PhalaCloud => Source::PHALA_CLOUD,
            };
            return Err(UsageError::option(
                option,
                format!("it belongs to --source {name} alone"),
            ));
        }
    }
    Ok(())
}

/// Host, port where it is given, and path: what tells targets apart. Two that differ in their query alone have one name,
/// which is refused where both are planned.
fn name_of(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!(
        "{}{port}{}",
        url.host_str().unwrap_or_default(),
        url.path().trim_end_matches('/')
    )
}
