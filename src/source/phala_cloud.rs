//! Phala Cloud's API: the quotes of every instance of an app, by app id (Phala Cloud API, `/apps/{app_id}/attestations`).
//!
//! The quotes were made when each instance started; no nonce reaches them, so they are never fresh. And the list is the
//! API's: an instance that it leaves out is not seen.

use cvm_verify_core::evidence::AskedParty;
use url::Url;

use super::document::json;
use super::error::SourceError;
use super::host_label::HostId;
use super::row::{GivenOptions, ReachedBy, SourceRow, id};
use crate::address::parse_url;
use crate::net::{Client, Limits, below};
use crate::usage_error::UsageError;
use cvm_verify_core::checks::EvidenceReason;

pub(crate) const ROW: SourceRow = SourceRow {
    name: "phala-cloud",
    says: "Phala Cloud's API, by app id: the quotes that all instances made when they started",
    options: &["phala-api-url", "instances"],
    reached_by: ReachedBy::AppId,
    needs: "give an app id: cvm-verify verify --source phala-cloud APP_ID",
    party: AskedParty::PhalaCloud,
    is_of_one: false,
    id_in: PhalaCloud::app_id_in,
};

/// Largest answer, in bytes: 16 MiB, for hundreds of instances of about 50 KiB each.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The hosts of the API, the newer first.
const HOSTS: [&str; 2] = ["https://cloud-api.phala.com", "https://cloud-api.phala.network"];

/// An app on Phala Cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhalaCloud {
    app_id: HostId,
    urls: Vec<Url>,
}

/// The text is no app id, or the API's address cannot be used: a usage error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhalaCloudError {
    /// The address has more than a host and a path.
    #[error("the URL must be https://HOST[:PORT][/PATH], without query")]
    Base,
}

impl PhalaCloud {
    /// The app at Phala's own hosts, or at the mirror `api`.
    ///
    /// # Errors
    /// [`PhalaCloudError`].
    pub fn new(app_id: HostId, api: Option<&Url>) -> Result<Self, PhalaCloudError> {
        let bases = match api {
            Some(url) => vec![url.clone()],
            None => HOSTS.iter().filter_map(|host| Url::parse(host).ok()).collect(),
        };
        let urls = bases
            .into_iter()
            .map(|url| {
                if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
                    return Err(PhalaCloudError::Base);
                }
                Ok(below(&url, &format!("api/v1/apps/{app_id}/attestations")))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { app_id, urls })
    }

    /// The app.
    pub const fn app_id(&self) -> HostId {
        self.app_id
    }

    /// The address that is asked first.
    pub fn url(&self) -> &str {
        self.urls.first().map_or("", Url::as_str)
    }

    /// The app id in an address of this API.
    pub fn app_id_in(url: &str) -> Option<HostId> {
        let (_, rest) = url.rsplit_once("/api/v1/apps/")?;
        let mut id = [0; 20];
        hex::decode_to_slice(rest.strip_suffix("/attestations")?, &mut id).ok()?;
        Some(HostId(id))
    }
}

/// Reads the id of an app; its name too.
pub(super) fn parse(text: &str, given: &GivenOptions<'_>) -> Result<(String, PhalaCloud), UsageError> {
    let text = text.trim();
    let id = id("the app's id", text.strip_prefix("app_").unwrap_or(text))?;
    let api = given("phala-api-url")
        .map(|text| parse_url("--phala-api-url", text))
        .transpose()?;
    let app =
        PhalaCloud::new(id, api.as_ref()).map_err(|error| UsageError::option("--phala-api-url", error))?;
    Ok((format!("phala-cloud/{id}"), app))
}

/// The raw answer of the first host that gives one, each within `limits`. Where none does, what the first host said that answered
/// at all, and beside it what another one said.
pub async fn fetch(client: &Client, app: &PhalaCloud, limits: &Limits) -> Result<Vec<u8>, SourceError> {
    let mut errors: Vec<SourceError> = Vec::new();
    for url in &app.urls {
        match json(client, url.clone(), limits).await {
            Ok(body) => return Ok(body),
            Err(error) => errors.push(meaning(error, app)),
        }
    }
    let says_most = errors
        .iter()
        .position(|error| error.status().is_some())
        .or_else(|| {
            errors
                .iter()
                .position(|error| error.reason() == EvidenceReason::NotJson)
        })
        .unwrap_or_default();
    if errors.is_empty() {
        // There is always a host.
        return Err(unknown(app, 404));
    }
    let chosen = errors.remove(says_most);
    let told = chosen.to_string();
    Err(match errors.into_iter().find(|other| other.to_string() != told) {
        Some(other) => SourceError::OfSeveral {
            chosen: Box::new(chosen),
            other: Box::new(other),
        },
        None => chosen,
    })
}

/// 500 is how the API says that it does not know the app, or that the app is down (Phala Cloud API,
/// `/apps/{app_id}/attestations`).
fn meaning(error: SourceError, app: &PhalaCloud) -> SourceError {
    match error.status() {
        Some(status @ (404 | 500)) => unknown(app, status),
        _ => error,
    }
}

fn unknown(app: &PhalaCloud, status: u16) -> SourceError {
    SourceError::AppUnknown {
        app_id: app.app_id.to_string(),
        status,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::loopback::{self, answer, routes};
    use crate::net::retry::Heal as _;

    const ID: HostId = HostId([0xab; 20]);

    #[test]
    fn the_address_holds_the_app_id_and_gives_it_back() {
        let id = "ab".repeat(20);
        let app = PhalaCloud::new(ID, None).expect("an app");
        assert_eq!(
            app.url(),
            format!("https://cloud-api.phala.com/api/v1/apps/{id}/attestations")
        );
        assert_eq!(app.urls.len(), 2);
        let mirror = "https://mirror.example/phala/".parse().expect("a URL");
        let app = PhalaCloud::new(ID, Some(&mirror)).expect("an app");
        assert_eq!(
            app.url(),
            format!("https://mirror.example/phala/api/v1/apps/{id}/attestations")
        );
        assert_eq!(PhalaCloud::app_id_in(app.url()), Some(ID));
        for url in [
            "",
            "https://a.example/attestation",
            "https://a.example/api/v1/apps/abab/attestations",
        ] {
            assert_eq!(PhalaCloud::app_id_in(url), None, "{url}");
        }
        let query = "https://mirror.example?x=1".parse().expect("a URL");
        assert_eq!(PhalaCloud::new(ID, Some(&query)), Err(PhalaCloudError::Base));
    }

    #[tokio::test]
    async fn an_app_that_is_unknown_is_said_to_be() {
        for (status, reason, heals) in [
            (500, EvidenceReason::HttpStatus(500), false),
            (404, EvidenceReason::HttpStatus(404), false),
            (503, EvidenceReason::HttpStatus(503), true),
            (403, EvidenceReason::HttpStatus(403), false),
        ] {
            let (url, _) = routes(move |_| answer(status, &[], b"{\"detail\":\"x\"}")).await;
            let app = PhalaCloud::new(ID, Some(&url)).expect("an app");
            let error = fetch(&loopback::client(), &app, &Limits::body(1000))
                .await
                .expect_err("an error");
            assert_eq!((error.reason(), error.may_heal()), (reason, heals), "{error}");
            let text = error.to_string();
            let unknown = text.contains("does not know the app");
            assert_eq!(unknown, matches!(status, 404 | 500), "{error}");
            assert_eq!(text.contains("has a fault"), status == 500, "{error}");
        }
    }

    #[tokio::test]
    async fn the_second_host_is_asked_where_the_first_fails() {
        let (first, _) = routes(|_| answer(503, &[], b"{}")).await;
        let (second, asked) = routes(|_| answer(200, &[], b"{\"instances\":[]}")).await;
        let app = PhalaCloud {
            app_id: ID,
            urls: vec![first, second],
        };
        let found = fetch(&loopback::client(), &app, &Limits::body(1000)).await;
        assert_eq!(found.as_deref(), Ok(&b"{\"instances\":[]}"[..]));
        assert_eq!(asked.lock().expect("the list").len(), 1);
    }

    #[tokio::test]
    async fn an_answer_says_more_than_a_server_that_is_gone_and_both_are_told() {
        let (not_found, _) = routes(|_| answer(404, &[], b"{}")).await;
        let (busy, _) = routes(|_| answer(503, &[], b"{}")).await;
        let gone: Url = "http://127.0.0.1:1".parse().expect("a URL");
        for (urls, status, heals) in [
            ([not_found.clone(), gone.clone()], 404, true),
            ([gone, not_found.clone()], 404, true),
            ([not_found.clone(), busy.clone()], 404, true),
            ([busy, not_found], 503, true),
        ] {
            let app = PhalaCloud {
                app_id: ID,
                urls: urls.to_vec(),
            };
            let error = fetch(&loopback::client(), &app, &Limits::body(1000))
                .await
                .expect_err("an error");
            assert_eq!(error.reason(), EvidenceReason::HttpStatus(status), "{error}");
            assert_eq!(error.may_heal(), heals, "{error}");
            assert!(
                error.to_string().contains("Of the API's other server: "),
                "{error}"
            );
        }
    }
}
