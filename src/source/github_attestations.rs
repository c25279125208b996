//! Attestations of a repository from GitHub's REST API
//! (<https://docs.github.com/en/rest/users/attestations>): the bundles, bounded and unverified.
//!
//! Since July 2026 an answer names each bundle by an address (`bundle_url`) instead of holding it: a signed URL on another host,
//! whose body is a raw Snappy block. The token goes to the API's host alone, and that address is never shown.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;
use url::Url;

use super::lookup_problem::{malformed, of_net, unreachable_with};
use super::next_page::{NextPage, next_page_of_github};
use super::{Found, StatementBudget};
use crate::net::{Client, Limits, Method, Response, Secret, below, github_headers};
use cvm_verify_core::evidence::{
    LookupProblem, LookupProblemKind as Kind, MAX_STATEMENTS, StatementSource, has_more_values_than,
};
use cvm_verify_core::report::rfc3339;
use cvm_verify_core::verify::provenance::MAX_BUNDLE;

/// Where GitHub's API is.
pub const API: &str = "https://api.github.com/";
/// Largest page, in bytes: 30 bundles that are in it.
const MAX_PAGE: usize = 8 * 1024 * 1024;
/// Values of a page in JSON. One bundle has about 60.
const MAX_VALUES: usize = 20_000;
/// Most pages that are followed.
const MAX_PAGES: usize = 4;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Attestations<'a> {
    /// The API's address.
    pub api: &'a Url,
    /// A token that may read attestations.
    pub token: Option<&'a Secret>,
    /// `OWNER/NAME`.
    pub repository: &'a str,
    /// SHA-256 of the subject.
    pub digest: &'a [u8; 32],
    /// The type of the predicate, where it is one alone.
    pub predicate_type: Option<&'a str>,
}

impl Attestations<'_> {
    /// The address without its query, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        self.url(&self.path(), None).into()
    }

    /// An address below that of the API. Nothing of the API's own query is in it: that may hold a key.
    fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = below(self.api, path);
        url.set_query(query);
        url.set_fragment(None);
        url
    }

    fn path(&self) -> String {
        format!(
            "/repos/{}/attestations/sha256:{}",
            self.repository,
            hex::encode(self.digest)
        )
    }

    /// Asks, within this time. One attempt; what went wrong says whether another may help.
    pub async fn fetch(&self, client: &Client, time: Duration, budget: StatementBudget) -> Found {
        let mut found = Found::new(StatementSource::GithubApi, budget);
        if let Err(problem) = self.pages(client, Instant::now() + time, &mut found).await {
            found.problem = Some(problem);
        }
        found
    }

    async fn pages(
        &self,
        client: &Client,
        deadline: Instant,
        found: &mut Found,
    ) -> Result<(), LookupProblem> {
        let mut query = format!("per_page={MAX_STATEMENTS}");
        if let Some(predicate_type) = self.predicate_type {
            let encoded: String = url::form_urlencoded::byte_serialize(predicate_type.as_bytes()).collect();
            query = format!("{query}&predicate_type={encoded}");
        }
        for _ in 0..MAX_PAGES {
            let answer = self.page(client, &query, deadline).await?;
            let Some(answer) = answer else { return Ok(()) };
            for attestation in answer.attestations {
                // What GitHub itself says of a release is no statement of a build.
                if attestation.initiator.as_deref() == Some("github") {
                    continue;
                }
                if found.bundles.len() >= MAX_STATEMENTS {
                    return Err(LookupProblem::too_many(StatementSource::GithubApi));
                }
                let bundle = match (attestation.bundle, attestation.bundle_url) {
                    (Some(bundle), _) if bundle.get() != "null" => bundle,
                    (_, Some(address)) => bundle_at(&answer.bundles, &address, deadline).await?,
                    (_, None) => {
                        return Err(malformed(
                            "GitHub's answer has an attestation with neither `bundle` nor `bundle_url`",
                        ));
                    }
                };
                found.add_bundle(bundle)?;
            }
            match answer.next {
                NextPage::None => return Ok(()),
                NextPage::At(next) => {
                    query = next.query().unwrap_or_default().to_owned();
                }
                NextPage::Elsewhere => {
                    return Err(malformed(
                        "GitHub's answer names something else as the next page of its list",
                    ));
                }
            }
        }
        Err(LookupProblem::too_many(StatementSource::GithubApi))
    }

    /// One page. `None`: there is nothing.
    async fn page(
        &self,
        client: &Client,
        query: &str,
        deadline: Instant,
    ) -> Result<Option<AttestationPage>, LookupProblem> {
        let url = self.url(&self.path(), Some(query));
        let answer = self.ask(client, self.token, &url, deadline).await?;
        let limited = is_limited(&answer);
        match answer.status {
            200 => Self::read_page(client, &answer, &url).map(Some),
            // An organisation with single sign-on refuses a token that it does not know, and shows what is public without one.
            403 if self.token.is_some() && !limited => {
                let again = self.ask(client, None, &url, deadline).await?;
                match again.status {
                    200 => Self::read_page(client, &again, &url).map(Some),
                    _ => Err(LookupProblem {
                        kind: Kind::ApiDenied,
                        detail: format!(
                            "GitHub refuses the token for the repository {} (status 403)",
                            self.repository
                        ),
                    }),
                }
            }
            // Of a repository that it does not show, GitHub says the same.
            404 if self.token.is_some() => match self.shows_repository(client, deadline).await? {
                true => Ok(None),
                false => Err(LookupProblem {
                    kind: Kind::CannotSee,
                    detail: format!(
                        "GitHub does not show the repository {} to the token in CVM_VERIFY_SOURCE_TOKEN (status 404)",
                        self.repository
                    ),
                }),
            },
            403 | 429 if limited => Err(rate_limited(&answer)),
            403 | 404 => Err(LookupProblem {
                kind: Kind::CannotSee,
                detail: format!(
                    "GitHub shows no attestation of the repository {} without a token (status {})",
                    self.repository, answer.status
                ),
            }),
            401 => Err(LookupProblem {
                kind: Kind::ApiDenied,
                detail: "GitHub does not accept the token in CVM_VERIFY_SOURCE_TOKEN (status 401)".to_owned(),
            }),
            status => Err(unreachable_with(status)),
        }
    }

    /// Whether the token may see the repository.
    async fn shows_repository(&self, client: &Client, deadline: Instant) -> Result<bool, LookupProblem> {
        let url = self.url(&format!("/repos/{}", self.repository), None);
        let answer = self.ask(client, self.token, &url, deadline).await?;
        let limited = is_limited(&answer);
        match answer.status {
            200 => Ok(true),
            403 | 429 if limited => Err(rate_limited(&answer)),
            // The name was changed: whether the token sees what is there now is not known.
            301 | 302 | 307 | 308 | 401 | 403 | 404 => Ok(false),
            status => Err(unreachable_with(status)),
        }
    }

    /// Every status is an answer.
    async fn ask(
        &self,
        client: &Client,
        token: Option<&Secret>,
        url: &Url,
        deadline: Instant,
    ) -> Result<Response, LookupProblem> {
        let unreachable = |detail: &str| LookupProblem {
            kind: Kind::Unreachable,
            detail: detail.to_owned(),
        };
        let headers = github_headers(token).map_err(|_| {
            unreachable("the token in CVM_VERIFY_SOURCE_TOKEN holds a character that no token has")
        })?;
        let limits = Limits::body(MAX_PAGE).within(deadline.saturating_duration_since(Instant::now()));
        client
            .send(Method::GET, url, headers, Vec::new(), &limits)
            .await
            .map_err(|error| of_net("GitHub's API", &error))
    }

    fn read_page(client: &Client, answer: &Response, asked: &Url) -> Result<AttestationPage, LookupProblem> {
        if has_more_values_than(&answer.body, MAX_VALUES) {
            return Err(malformed("GitHub's answer holds too many values"));
        }
        let listed: AttestationList = serde_json::from_slice(&answer.body)
            .map_err(|_| malformed("GitHub's answer is not a list of attestations"))?;
        Ok(AttestationPage {
            attestations: listed.attestations,
            bundles: client
                .for_named_by(answer)
                .map_err(|error| malformed(&error.to_string()))?,
            next: next_page_of_github(answer, asked),
        })
    }
}

/// The bundle at a signed address of another host. It gets no token, and the address is in no message: it is a credential.
async fn bundle_at(
    client: &Client,
    address: &str,
    deadline: Instant,
) -> Result<Box<RawValue>, LookupProblem> {
    let url = Url::parse(address)
        .ok()
        .filter(|url| url.username().is_empty() && url.password().is_none())
        .ok_or_else(|| malformed("GitHub's answer has a `bundle_url` that is not an address"))?;
    let limits = Limits::body(MAX_BUNDLE).within(deadline.saturating_duration_since(Instant::now()));
    let response = client
        .get(&url, &limits)
        .await
        .and_then(Response::ok)
        .map_err(|error| of_net("the bundle that GitHub names", &error))?;
    let text = bundle_text(response.body).ok_or_else(|| {
        malformed("the bundle that GitHub names is neither JSON nor a Snappy block of at most 1 MiB")
    })?;
    RawValue::from_string(text).map_err(|_| malformed("the bundle that GitHub names is not JSON"))
}

/// JSON, or a raw Snappy block of it. The length in the block's head is compared before anything is allocated.
pub fn bundle_text(body: Vec<u8>) -> Option<String> {
    let bytes = match body.first() {
        Some(b'{') => body,
        _ => match snap::raw::decompress_len(&body) {
            Ok(length) if length <= MAX_BUNDLE => snap::raw::Decoder::new().decompress_vec(&body).ok()?,
            _ => return None,
        },
    };
    String::from_utf8(bytes).ok()
}

#[derive(Deserialize)]
struct AttestationList {
    attestations: Vec<ListedAttestation>,
}

#[derive(Deserialize)]
struct ListedAttestation {
    initiator: Option<String>,
    bundle: Option<Box<RawValue>>,
    bundle_url: Option<String>,
}

struct AttestationPage {
    attestations: Vec<ListedAttestation>,
    /// Who asks for the bundles that it names.
    bundles: Client,
    next: NextPage,
}

/// Whether GitHub answers nothing more for now.
fn is_limited(answer: &Response) -> bool {
    let is_used_up =
        answer.header("x-ratelimit-remaining") == Some("0") || answer.header("retry-after").is_some();
    answer.status == 429 || (answer.status == 403 && is_used_up)
}

fn rate_limited(answer: &Response) -> LookupProblem {
    let number = |name: &str| answer.header(name)?.parse::<u64>().ok();
    LookupProblem {
        kind: Kind::RateLimited,
        detail: match (number("x-ratelimit-reset"), number("retry-after")) {
            (Some(reset), _) => format!("GitHub's rate limit is reached until {}", rfc3339(reset)),
            (None, Some(seconds)) => format!("GitHub's rate limit is reached for {seconds} seconds"),
            (None, None) => "GitHub's rate limit is reached".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_and_asked_holds_nothing_of_the_query_of_the_api() {
        let api = Url::parse("https://mirror.example/api/v3/?key=hunter2#x").unwrap();
        let asked = Attestations {
            api: &api,
            token: None,
            repository: "example/web",
            digest: &[0xab; 32],
            predicate_type: None,
        };
        let shown = format!(
            "https://mirror.example/api/v3/repos/example/web/attestations/sha256:{}",
            "ab".repeat(32)
        );
        assert_eq!(asked.shown(), shown);
        let page = asked.url(&asked.path(), Some("per_page=30"));
        assert_eq!(page.as_str(), format!("{shown}?per_page=30"));
    }
}
