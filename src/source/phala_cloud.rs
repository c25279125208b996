//! Phala Cloud's API: the quotes of every instance of an app, by app id (Phala Cloud API, `/apps/{app_id}/attestations`).
//!
//! The quotes were made when each instance started; no nonce reaches them, so they are never fresh. And the list is the
//! API's: an instance that it leaves out is not seen.

use url::Url;

use super::document::json;
use super::error::SourceError;
use super::host_label::HostId;
use super::row::{GivenOptions, ReachedBy, SourceRow, id};
use crate::address::parse_url;
use crate::net::{Client, Limits};
use crate::usage_error::UsageError;

pub(crate) const ROW: SourceRow = SourceRow {
    name: "phala-cloud",
    says: "Phala Cloud's API, by app id: the quotes that all instances made when they started",
    options: &["phala-api-url", "instances"],
    reached_by: ReachedBy::AppId,
    needs: "give an app id: cvm-verify verify --source phala-cloud APP_ID",
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
            .map(|mut url| {
                if !url.has_host() || url.query().is_some() || url.fragment().is_some() {
                    return Err(PhalaCloudError::Base);
                }
                let above = url.path().trim_end_matches('/').to_owned();
                url.set_path(&format!("{above}/api/v1/apps/{app_id}/attestations"));
                Ok(url)
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

/// The raw answer of the first host that gives one, each within `limits`; the error is the last one's.
pub async fn fetch(client: &Client, app: &PhalaCloud, limits: &Limits) -> Result<Vec<u8>, SourceError> {
    let mut last = Err(SourceError::AppUnknown {
        app_id: app.app_id.to_string(),
    });
    for url in &app.urls {
        last = json(client, url.clone(), limits).await;
        match &last {
            Ok(_) => return last,
            // 500 is how the API says that it does not know the app, or that the app is down (Phala Cloud API,
            // `/apps/{app_id}/attestations`).
            Err(error) if matches!(error.status(), Some(404 | 500)) => {
                last = Err(SourceError::AppUnknown {
                    app_id: app.app_id.to_string(),
                });
            }
            Err(_) => {}
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::loopback::{self, answer, routes};
    use crate::net::retry::Heal as _;
    use cvm_verify_core::checks::EvidenceReason;

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
            (500, EvidenceReason::HttpStatus(404), false),
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
            let unknown = error.to_string().contains("does not know the app abab");
            assert_eq!(unknown, matches!(status, 404 | 500), "{error}");
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
}
