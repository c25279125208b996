//! Where evidence comes from. A source hands over raw bytes, bounded and unparsed: what they mean, and whether they are
//! true, is decided on other floors.

pub mod app;
pub mod chain;
mod document;
mod error;
mod found_statements;
pub mod github_attestations;
pub mod guest_agent;
mod host_label;
pub mod ingress;
mod kind;
pub mod kms;
mod next_page;
mod nras;
pub mod phala_cloud;
mod phala_verifier;
pub mod probe;
pub mod registry;

pub use error::{NOT_JSON_BYTES, NotJson, SourceError};
pub use found_statements::{Found, TIME};
pub use host_label::{GatewayChannel, HostId, HostLabel, tls_host};
pub use kind::SourceKind;
pub use nras::Nras;
pub use phala_verifier::PhalaVerifier;

use app::AppEndpoints;
use guest_agent::GuestAgent;
use phala_cloud::PhalaCloud;
use url::Url;

use crate::config::{origin_of, parse_address};

/// Whom to ask for evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there are a few of them in a run")]
pub enum Source {
    /// The app itself, with a nonce.
    App(AppEndpoints),
    /// The guest agent beside the app. Signs no nonce.
    GuestAgent(GuestAgent),
    /// Phala Cloud's API: all instances of an app. Signs no nonce.
    PhalaCloud(PhalaCloud),
}

impl Source {
    /// [`Source::kind`] of the app.
    pub const APP: &'static str = "app";
    /// [`Source::kind`] of the guest agent.
    pub const GUEST_AGENT: &'static str = "guest-agent";
    /// [`Source::kind`] of Phala Cloud.
    pub const PHALA_CLOUD: &'static str = "phala-cloud";

    /// Its name: an option's value, and `source.kind` of a bundle.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::App(_) => Self::APP,
            Self::GuestAgent(_) => Self::GUEST_AGENT,
            Self::PhalaCloud(_) => Self::PHALA_CLOUD,
        }
    }

    /// The address, as reports and bundles show it: without a query.
    pub fn url(&self) -> &str {
        match self {
            Self::App(endpoints) => endpoints.shown(),
            Self::GuestAgent(agent) => agent.base().as_str(),
            Self::PhalaCloud(app) => app.url(),
        }
    }

    /// Scheme, host and port of the address, where the address is of one deployment: Phala Cloud answers for every app.
    pub fn origin(&self) -> Option<String> {
        Self::origin_of(self.kind(), self.url())
    }

    /// The same for the `source` of a bundle.
    pub fn origin_of(kind: &str, url: &str) -> Option<String> {
        let is_of_one = matches!(kind, Self::APP | Self::GUEST_AGENT);
        parse_address(url)
            .ok()
            .filter(|_| is_of_one)
            .map(|url| origin_of(&url))
    }

    /// The app or instance that the address names, 20 bytes: a claim of its author, which the evidence must bear out.
    pub fn address_id(&self) -> Option<[u8; 20]> {
        Self::address_id_of(self.kind(), self.url())
    }

    /// The same for the `source` of a bundle.
    pub fn address_id_of(kind: &str, url: &str) -> Option<[u8; 20]> {
        let id = match kind {
            Self::PHALA_CLOUD => PhalaCloud::app_id_in(url),
            _ => HostLabel::of(&Url::parse(url).ok()?).map(|label| label.id),
        };
        id.map(|id| id.0)
    }
}
