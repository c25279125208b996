//! The guest agent's own listener, port 8090 in the CVM, behind the gateway (dstack, `guest-agent/src/http_routes.rs`).
//!
//! It describes the app (`Info`) and, from dstack 0.5.6, gives a quote that binds a key of the app
//! (`GetAttestationForAppKey`). It signs no nonce in any version: what comes from here is never fresh.
//!
//! From dstack 0.6.3 on the port is closed by default: 401 or 403 (release page of dstack 0.6.3). That is said, and no other
//! source is asked in its place.

use cvm_verify_core::evidence::{AskedParty, MAX_INFO_BYTES};
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::app::{MAX_BYTES, RawAttestation};
use super::document::{json, json_after, json_and_stay};
use super::error::SourceError;
use super::host_label::{HostId, HostLabel};
use super::row::{GivenOptions, ReachedBy, SourceRow, id, name_of};
use crate::address::{parse_url, shown_text};
use crate::net::{Client, Limits, below};
use crate::usage_error::UsageError;

pub(crate) const ROW: SourceRow = SourceRow {
    name: "guest-agent",
    says: "The guest agent on port 8090, by its URL or by app or instance id: a quote over a key of the app, from \
           0.5.6 on",
    options: &["gateway-domain"],
    reached_by: ReachedBy::InstanceOrAppId,
    needs: "give the guest agent's address, or an app or instance id and --gateway-domain",
    party: AskedParty::GuestAgent,
    is_of_one: true,
    id_in: HostLabel::id_in,
};

/// The port inside the CVM.
const PORT: u16 = 8090;

/// Where versions of dstack serve `Info`: 0.5 and later, 0.3, 0.6. The first that exists counts.
const INFO: [&str; 3] = ["/prpc/Info", "/prpc/Worker.Info", "/prpc/v1/Info"];

/// Where the quote over the app's key is served, and which of its keys. Which one does not matter: it is not compared.
const ATTESTATION: (&str, &str) = ("/prpc/GetAttestationForAppKey", "json&algorithm=ed25519");

/// A guest agent's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestAgent {
    base: Url,
}

/// An address that is no guest agent's: a usage error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuestAgentError {
    /// The URL has no host, or more than a host and a path.
    #[error("the URL must be https://HOST[:PORT], the guest agent's own address without query")]
    Base,
    /// Not the name of a domain.
    #[error(
        "{0:?} is not a domain; give the base domain of the gateway, such as dstack-pha-prod7.phala.network"
    )]
    Domain(String),
}

impl GuestAgent {
    /// An agent at its full address.
    ///
    /// # Errors
    /// [`GuestAgentError::Base`].
    pub fn new(base: Url) -> Result<Self, GuestAgentError> {
        let plain = base.has_host() && base.query().is_none() && base.fragment().is_none();
        match plain && !base.cannot_be_a_base() {
            true => Ok(Self { base }),
            false => Err(GuestAgentError::Base),
        }
    }

    /// The agent of an app or instance behind a gateway: `https://<id>-8090.<domain>`. Of an app with several instances
    /// the gateway picks one for each request.
    ///
    /// # Errors
    /// [`GuestAgentError::Domain`].
    pub fn of_id(id: HostId, gateway_domain: &str) -> Result<Self, GuestAgentError> {
        let domain = gateway_domain.trim().trim_matches('.').to_ascii_lowercase();
        let host = format!("{id}-{PORT}.{domain}");
        let refused = || GuestAgentError::Domain(shown_text(gateway_domain).chars().take(100).collect());
        let base = Url::parse(&format!("https://{host}")).map_err(|_| refused())?;
        // What is more than a domain (a path, a port, a user) ends up somewhere else than in the host.
        if base.host_str() != Some(&host) || domain.is_empty() {
            return Err(refused());
        }
        Ok(Self { base })
    }

    /// The agent's address.
    pub fn url(&self) -> &str {
        self.base.as_str()
    }

    fn at(&self, path: &str, query: &str) -> Url {
        let mut url = below(&self.base, path);
        url.set_query(Some(query));
        url
    }
}

/// Reads the address of an agent, or the id of the app or instance that it serves, and its name.
pub(super) fn parse(text: &str, given: &GivenOptions<'_>) -> Result<(String, GuestAgent), UsageError> {
    let agent = if text.contains("://") {
        GuestAgent::new(parse_url("URL", text)?).map_err(|error| UsageError::option("URL", error))?
    } else {
        let id = id("the app's or instance's id", text)?;
        let Some(domain) = given("gateway-domain") else {
            return Err(UsageError::new(format!(
                "the guest agent of {id} is behind a gateway; name its base domain with --gateway-domain, or give the \
                 agent's whole address, https://{id}-8090.DOMAIN"
            )));
        };
        GuestAgent::of_id(id, domain).map_err(|error| UsageError::option("--gateway-domain", error))?
    };
    Ok((name_of(&agent.base), agent))
}

/// Asks for the attestation, one time. The nonce is not sent: the agent signs none.
///
/// # Errors
/// There is no attestation.
pub async fn attestation(
    client: &Client,
    agent: &GuestAgent,
    _nonce: &[u8; 32],
    time_left: Duration,
) -> Result<RawAttestation, SourceError> {
    let (path, query) = ATTESTATION;
    let limits = Limits::body(MAX_BYTES).lasting(time_left);
    match json_and_stay(client, agent.at(path, query), &limits).await {
        Ok(body) => Ok(RawAttestation { nonce: None, body }),
        Err(error) if is_unknown(&error) => Err(SourceError::AgentWithoutQuote {
            host: agent.base.host_str().unwrap_or_default().to_owned(),
        }),
        Err(error) => Err(closed(error, agent)),
    }
}

/// What a guest says that wants a token.
fn closed(error: SourceError, agent: &GuestAgent) -> SourceError {
    match error.status() {
        Some(status @ (401 | 403)) => SourceError::AgentClosed {
            host: agent.base.host_str().unwrap_or_default().to_owned(),
            status,
        },
        _ => error,
    }
}

/// Asks for the app's information, one time at each path that a version has.
///
/// # Errors
/// There is none.
pub async fn info(client: &Client, agent: &GuestAgent, time_left: Duration) -> Result<Vec<u8>, SourceError> {
    let until = Instant::now() + time_left;
    let limits = || Limits::body(MAX_INFO_BYTES).lasting(until.saturating_duration_since(Instant::now()));
    let [first, others @ ..] = INFO;
    let mut answer = json_after(client, agent.at(first, "json"), &limits()).await;
    for path in others {
        if !answer.as_ref().is_err_and(is_unknown) {
            break;
        }
        answer = json(client, agent.at(path, "json"), &limits()).await;
    }
    answer.map_err(|error| closed(error, agent))
}

/// How the agent answers to a method that it does not have (dstack, `guest-agent/src/http_routes.rs`; dstack 0.6,
/// `docs/guest-api-v1.md`).
fn is_unknown(error: &SourceError) -> bool {
    matches!(error.status(), Some(400 | 404 | 405))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::loopback::{self, answer, routes};
    use cvm_verify_core::checks::EvidenceReason;

    const ID: HostId = HostId([0xab; 20]);

    #[test]
    fn the_address_is_made_of_id_and_domain() {
        let agent = GuestAgent::of_id(ID, " .Dstack-prod7.Phala.network. ").expect("an agent");
        let id = "ab".repeat(20);
        assert_eq!(
            agent.base.as_str(),
            format!("https://{id}-8090.dstack-prod7.phala.network/")
        );
        assert_eq!(
            agent.at("/prpc/Info", "json").as_str(),
            format!("https://{id}-8090.dstack-prod7.phala.network/prpc/Info?json")
        );
    }

    #[test]
    fn what_is_more_or_less_than_a_domain_is_refused() {
        for domain in [
            "",
            ".",
            "a.example/path",
            "a.example:8090",
            "a.example?x",
            "a.example#x",
            "https://a.example",
            "a@b.example",
            "a b",
            "a\\b",
        ] {
            assert!(
                matches!(GuestAgent::of_id(ID, domain), Err(GuestAgentError::Domain(_))),
                "{domain:?}"
            );
        }
        for url in [
            "https://a.example?x=1",
            "https://a.example#x",
            "data:text/plain,x",
        ] {
            assert_eq!(
                GuestAgent::new(url.parse().expect("a URL")),
                Err(GuestAgentError::Base),
                "{url}"
            );
        }
    }

    /// What the agent answers to a request for its attestation, and then to one for the information.
    async fn ask(url: Url) -> Result<Result<Vec<u8>, SourceError>, SourceError> {
        let (client, agent) = (loopback::client(), GuestAgent::new(url).expect("an agent"));
        attestation(&client, &agent, &[0; 32], Limits::TOTAL).await?;
        Ok(info(&client, &agent, Limits::TOTAL).await)
    }

    #[tokio::test]
    async fn info_is_found_where_each_version_serves_it() {
        for (place, served) in INFO.iter().enumerate() {
            for status in [400, 404] {
                let (url, asked) = routes(move |target| match target.split('?').next() {
                    Some(path) if path == *served || path == ATTESTATION.0 => answer(200, &[], b"{}"),
                    _ => answer(status, &[], b"{\"error\":\"Service not found\"}"),
                })
                .await;
                let found = ask(url).await.expect("an answer");
                assert_eq!(found.as_deref(), Ok(&b"{}"[..]), "{served}");
                let mut asked = asked.lock().expect("the list").clone();
                // A server that closes without a word is asked once more.
                asked.dedup();
                assert_eq!(asked.len(), place + 2);
            }
        }
    }

    #[tokio::test]
    async fn an_old_version_has_no_quote_and_is_asked_for_nothing_else() {
        let (url, asked) = routes(|_| answer(404, &[], b"{\"error\":\"Service not found\"}")).await;
        let error = ask(url).await.expect_err("no such method");
        assert_eq!(error.reason(), EvidenceReason::NoQuote);
        assert!(error.to_string().contains("0.5.6"), "{error}");
        assert_eq!(asked.lock().expect("the list").len(), 1);
    }

    #[tokio::test]
    async fn a_closed_port_is_said_and_nothing_else_is_asked() {
        for status in [401, 403] {
            let (url, asked) = routes(move |_| answer(status, &[], b"{}")).await;
            let error = ask(url).await.expect_err("closed");
            assert!(matches!(error, SourceError::AgentClosed { .. }), "{error}");
            assert_eq!(
                (error.reason(), error.status()),
                (EvidenceReason::HttpStatus(status), Some(status))
            );
            let text = error.to_string();
            for part in [
                "closed by this guest",
                "0.6.3",
                "/attestation",
                "anonymous_scopes",
            ] {
                assert!(text.contains(part), "{part}: {text}");
            }
            assert_eq!(asked.lock().expect("the list").len(), 1);
        }
    }

    #[tokio::test]
    async fn a_closed_description_is_said_where_the_quote_is_open() {
        let (url, _) = routes(move |target| match target.starts_with(ATTESTATION.0) {
            true => answer(200, &[], b"{}"),
            false => answer(401, &[], b"{}"),
        })
        .await;
        let found = ask(url).await.expect("an answer");
        let error = found.expect_err("closed");
        assert!(
            matches!(error, SourceError::AgentClosed { status: 401, .. }),
            "{error}"
        );
    }

    #[tokio::test]
    async fn another_error_is_not_taken_for_an_old_version() {
        let (url, _) = routes(|_| answer(503, &[], b"{}")).await;
        assert_eq!(
            ask(url).await.expect_err("503").reason(),
            EvidenceReason::HttpStatus(503)
        );
    }

    proptest! {
        #[test]
        fn no_domain_changes_the_label(domain in ".{0,60}") {
            if let Ok(agent) = GuestAgent::of_id(ID, &domain) {
                let host = agent.base.host_str().unwrap_or_default();
                let label = format!("{}-8090.", ID);
                prop_assert!(host.starts_with(&label));
                prop_assert_eq!(agent.base.scheme(), "https");
                prop_assert_eq!(agent.base.path(), "/");
            }
        }
    }
}
